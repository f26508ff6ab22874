"""Tests of the Korean and English morphology of the generators."""

import pytest

from tasks.samples.korean_morphology import (
    Predicate,
    attach_particles,
    copula,
    native_korean,
    sino_korean,
    vocative,
)
from tasks.samples.translation import english_morphology as english


@pytest.mark.parametrize(
    "predicate, polite, past, formal, before_noun, if_form, long_negation",
    [
        (Predicate("먹"), "먹어요", "먹었어요", "먹습니다", "먹는", "먹으면", "먹지 않아요"),
        (Predicate("가"), "가요", "갔어요", "갑니다", "가는", "가면", "가지 않아요"),
        (Predicate("보"), "봐요", "봤어요", "봅니다", "보는", "보면", "보지 않아요"),
        (Predicate("마시"), "마셔요", "마셨어요", "마십니다", "마시는", "마시면", "마시지 않아요"),
        (Predicate("주"), "줘요", "줬어요", "줍니다", "주는", "주면", "주지 않아요"),
        (Predicate("공부하"), "공부해요", "공부했어요", "공부합니다", "공부하는", "공부하면", "공부하지 않아요"),
        (Predicate("만들"), "만들어요", "만들었어요", "만듭니다", "만드는", "만들면", "만들지 않아요"),
        (Predicate("쓰"), "써요", "썼어요", "씁니다", "쓰는", "쓰면", "쓰지 않아요"),
        (Predicate("듣", "ㄷ"), "들어요", "들었어요", "듣습니다", "듣는", "들으면", "듣지 않아요"),
        (Predicate("돕", "ㅂ"), "도와요", "도왔어요", "돕습니다", "돕는", "도우면", "돕지 않아요"),
        (Predicate("부르", "르"), "불러요", "불렀어요", "부릅니다", "부르는", "부르면", "부르지 않아요"),
        (Predicate("춥", "ㅂ", True), "추워요", "추웠어요", "춥습니다", "추운", "추우면", "춥지 않아요"),
        (Predicate("빠르", "르", True), "빨라요", "빨랐어요", "빠릅니다", "빠른", "빠르면", "빠르지 않아요"),
        (Predicate("예쁘", "", True), "예뻐요", "예뻤어요", "예쁩니다", "예쁜", "예쁘면", "예쁘지 않아요"),
        (Predicate("아프", "", True), "아파요", "아팠어요", "아픕니다", "아픈", "아프면", "아프지 않아요"),
        (Predicate("길", "", True), "길어요", "길었어요", "깁니다", "긴", "길면", "길지 않아요"),
        (Predicate("빨갛", "ㅎ", True), "빨개요", "빨갰어요", "빨갛습니다", "빨간", "빨가면", "빨갛지 않아요"),
        (Predicate("하얗", "ㅎ", True), "하얘요", "하얬어요", "하얗습니다", "하얀", "하야면", "하얗지 않아요"),
        (Predicate("맛있", "", True), "맛있어요", "맛있었어요", "맛있습니다", "맛있는", "맛있으면", "맛있지 않아요"),
    ],
)
def test_conjugation(predicate, polite, past, formal, before_noun, if_form, long_negation):
    assert predicate.finite("polite") == polite
    assert predicate.finite("polite", "past") == past
    assert predicate.finite("formal") == formal
    assert predicate.attributive() == before_noun
    assert predicate.eu_form("면") == if_form
    assert predicate.negative(short=False).finite("polite") == long_negation


def test_futures_honorifics_and_short_negation():
    cook, listen, eat = Predicate("만들"), Predicate("듣", "ㄷ"), Predicate("먹", honorific_stem="드시")
    assert [cook.finite(level, "future") for level in ("polite", "formal", "plain")] == [
        "만들 거예요",
        "만들 겁니다",
        "만들 거야",
    ]
    assert cook.honorific().finite("polite") == "만드세요"
    assert listen.honorific().finite("polite", "past") == "들으셨어요"
    assert eat.honorific().honorific().finite("formal", "past", question=True) == "드셨습니까"
    assert Predicate("공부하").negative(short=True).finite("plain", "past") == "공부 안 했어"
    assert Predicate("좋아하").negative(short=True).finite("polite") == "안 좋아해요"
    assert Predicate("배가 고프", "", True).negative(short=True).finite("polite") == "배가 안 고파요"


def test_copula_particles_and_numerals():
    assert copula("책", "polite") == "책이에요"
    assert copula("의사", "polite") == "의사예요"
    assert copula("의사", "plain", past=True) == "의사였어"
    assert copula("학생", "formal", negative=True, question=True) == "학생이 아닙니까"
    assert copula("가수", "polite", past=True, negative=True) == "가수가 아니었어요"
    assert attach_particles("서울(으)로 부산(으)로 학교(으)로 물과(와) 차을(를)") == "서울로 부산으로 학교로 물과 차를"
    assert (vocative("민수"), vocative("수진")) == ("민수야", "수진아")
    assert [sino_korean(number) for number in (3, 10, 11, 20, 45)] == ["삼", "십", "십일", "이십", "사십오"]
    assert [native_korean(number) for number in (1, 4, 12, 20, 21, 38)] == [
        "한",
        "네",
        "열두",
        "스무",
        "스물한",
        "서른여덟",
    ]


@pytest.mark.parametrize(
    "form, word, result",
    [
        (english.plural, "dictionary", "dictionaries"),
        (english.plural, "box", "boxes"),
        (english.plural, "child", "children"),
        (english.plural, "glass of milk", "glasses of milk"),
        (english.past, "study Korean", "studied Korean"),
        (english.past, "stay at home", "stayed at home"),
        (english.past, "swim", "swam"),
        (english.ing_form, "make", "making"),
        (english.ing_form, "swim", "swimming"),
        (english.ing_form, "wait for the bus", "waiting for the bus"),
        (english.third_person, "watch", "watches"),
        (english.third_person, "study", "studies"),
        (english.third_person, "buy", "buys"),
        (english.third_person, "have time", "has time"),
        (english.comparative, "big", "bigger"),
        (english.comparative, "heavy", "heavier"),
        (english.comparative, "far", "farther"),
        (english.comparative, "boring", "more boring"),
        (english.superlative, "expensive", "the most expensive"),
        (english.indefinite, "old umbrella", "an old umbrella"),
        (english.numeral, 42, "forty-two"),
    ],
)
def test_english_forms(form, word, result):
    assert form(word) == result
