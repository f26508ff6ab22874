"""Tests of the bundled sample of the translation task: what it holds, and the grammar of both languages in it.

The checks of the sentences read them with rules of their own, and not with those that made them.
"""

import csv
import random
import re
import unicodedata
from collections import Counter
from pathlib import Path

import pytest

from tasks.samples.translation import english, lexicon, make_sample
from tasks.samples.translation.korean import Predicate, agree, copula, native, sino, vocative

SPLITS = ("train", "validation", "test")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a freshly made sample."""
    path = tmp_path_factory.mktemp("sample")
    make_sample.write(path)
    return path


@pytest.fixture(scope="module")
def splits(folder):
    result = {}
    for split in SPLITS:
        with open(folder / f"{split}.csv", encoding="utf-8", newline="") as file:
            result[split] = [(row["en"], row["ko"]) for row in csv.DictReader(file)]
    return result


@pytest.fixture(scope="module")
def pairs(splits):
    return [pair for split in SPLITS for pair in splits[split]]


def wrong(pairs, holds):
    """The pairs for which something does not hold; a list, so that a failing test shows some of them."""
    return [f"{en} | {ko}" for en, ko in pairs if not holds(en, ko)]


# --- the files -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("split", SPLITS)
def test_regenerating_gives_the_bundled_bytes(folder, split):
    bundled = Path(make_sample.__file__).with_name(f"{split}.csv")
    assert (folder / f"{split}.csv").read_bytes() == bundled.read_bytes()


def test_sizes(splits):
    assert {split: len(rows) for split, rows in splits.items()} == make_sample.SIZES
    assert sum(make_sample.SIZES.values()) >= 8000


def test_no_sentence_occurs_twice_within_or_across_splits_in_either_language(pairs):
    for sentences in zip(*pairs, strict=True):
        assert [sentence for sentence, count in Counter(sentences).items() if count > 1] == []


def test_each_language_decides_the_other(pairs):
    """Over far more draws than the sample holds: a model could be right everywhere, in both directions."""
    rng = random.Random(1)
    translations, originals = {}, {}
    for en, ko in [*pairs, *(make_sample.draw_pair(rng) for _ in range(40_000))]:
        assert translations.setdefault(en, ko) == ko
        assert originals.setdefault(ko, en) == en


def test_words_of_validation_and_test_are_frequent_in_training(splits):
    def words(en, ko):
        return re.findall(r"[a-zé]+|\d+", en.lower()), re.findall(r"[가-힣]+|\d+", ko)

    known = [Counter(), Counter()]
    for pair in splits["train"]:
        for counter, sentence in zip(known, words(*pair), strict=True):
            counter.update(sentence)
    rows = splits["validation"] + splits["test"]
    assert wrong(rows, lambda en, ko: min(known[0][word] for word in words(en, ko)[0]) >= 15) == []
    assert wrong(rows, lambda en, ko: min(known[1][word] for word in words(en, ko)[1]) >= 5) == []


def test_vocabulary_and_lengths(pairs):
    assert 300 <= len({word for en, _ in pairs for word in re.findall("[a-zé]+", en.lower())}) <= 500
    assert wrong(pairs, lambda en, ko: 3 <= len(en.split()) <= 14) == []


def test_no_notation_is_left_in_the_sentences(pairs):
    assert wrong(pairs, lambda en, ko: re.fullmatch(r"[A-Z0-9][A-Za-z0-9é',:\- ]+[.?]", en)) == []
    assert wrong(pairs, lambda en, ko: re.fullmatch(r"[가-힣0-9][가-힣0-9, ]+[.?]", ko)) == []
    assert wrong(pairs, lambda en, ko: en[-1] == ko[-1] and "  " not in en + ko and " ," not in en + ko) == []
    assert wrong(pairs, lambda en, ko: not re.search(r"\b(\w+) \1\b", f"{en} {ko}")) == []


# --- what the two sides say ------------------------------------------------------------------------------------------

# A word or a construction of English, and what stands in Korean if and only if it does.
GLOSSARY = {
    r"\blibrary\b": "도서관",
    r"\bhospital\b": "병원",
    r"\bSeoul\b": "서울",
    r"\bDavid\b": "데이비드",
    r"\bSujin\b": "수진",
    r"(?i)\bmy grandmother\b": "할머니",
    r"\blittle sister\b": "여동생",
    r"\bumbrellas?\b": "우산",
    r"\bdictionar(y|ies)\b": "사전",
    r"\b(cup|glass|bottle)(e?s)? of\b": "[한두세네섯곱덟홉열] (잔|병)",
    r"\byesterday\b": r"\b어제\b",
    r"\blast (Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day": "지난주 .요일에",
    r"\bTuesday\b": "화요일",
    r"\bMay \d": r"\b5월",
    r"\bAM\b": "오전",
    r"\d won\b": r"\d원",
    r"(?i)\b(will|won't)\b": " (거예요|거야|겁니다|겁니까)",
    r"\b(cannot|not|never|no)\b|n't": r"(\b안 |않|아니|아닙|없|지 마[.세십])",
    r"\bthan\b": "보다 ",
    r"\bbut\b": "(지만|아니라) ",
    r"\bmust not\b": "면 안 ",
    r"(?i)\bmay I\b": "(?<!않아)도 (돼|됩)",
    r"\bha(s|ve|d) to\b": "(야 (해|하|했|합)|지 않아도)",
    r"\bwants? to\b": "고 싶",
    r"\bbecause\b": "(때문에|(?<!걸)어서|[와워해파빠]서)",
    # Of these in -ing, those that no form of "be" makes a progressive.
    r"(?i)\b(am|is|are)\b.* (?<!the )(?!boring|interesting|spring|morning|evening|bring)\w+ing\b": "고 (있|계)",
    r"\bvery\b": "아주",
    r"\bexpensive\b": "비(싸|싼|쌌|쌉)",
    r"\bred\b": "빨간",
    r"\bleft\b": "왼쪽",
    r"\bnext to\b": "옆에",
    r"(?i)\bwho\b": "누가",
    r"(?i)\b(how many|how old|what time|which floor)\b": "몇",
}


@pytest.mark.parametrize("original", GLOSSARY)
def test_glossary(pairs, original):
    assert sum(re.search(original, en) is not None for en, _ in pairs) >= 15
    assert wrong(pairs, lambda en, ko: bool(re.search(original, en)) == bool(re.search(GLOSSARY[original], ko))) == []


FRIENDS = {"Minsu": "민수야", "Jihun": "지훈아", "Yuna": "유나야", "Sujin": "수진아", "My friend": "친구야"}
SUPERIORS = {"Professor": "교수님", "Ladies and gentlemen": "여러분"}


def test_the_address_decides_the_speech_level(pairs):
    levels = Counter()

    def holds(en, ko):
        first, *_ = en.split(", ")
        before, comma, rest = ko.partition(", ")
        # A comma also stands in figures and in dates.
        said = set(re.findall("[가-힣]+", rest if comma else ko))
        if first in FRIENDS:
            levels["plain"] += 1
            return (
                before == FRIENDS[first]
                and not re.search(r"(요|니다|니까|시오)[.?]", ko)
                and not said & {"저는", "제", "제가", "저희는", "저희가"}
            )
        said = set(re.findall("[가-힣]+", ko))
        if first in SUPERIORS or re.search(", sir[.?]", en):
            levels["formal"] += 1
            address = SUPERIORS.get(first, "선생님")
            return before == address and re.search(r"(니다\.|니까\?|시오\.)$", ko) and not said & {"나는", "내", "내가"}
        levels["polite"] += 1
        return re.search(r"요[.?]$", ko) and not comma and not said & {"나는", "내", "내가"}

    assert wrong(pairs, holds) == []
    assert min(levels.values()) >= 1000


ENGLISH_NUMBERS = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
    "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16, "seventeen": 17,
    "eighteen": 18, "nineteen": 19, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "once": 1, "twice": 2,
}  # fmt: skip
FLOORS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6}
MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
FIGURES = r"\d{1,3}(?:,\d{3})+|\d+"
SINO_DIGITS = {numeral: number for number, numeral in enumerate("일이삼사오육칠팔구", 1)}
NATIVE_NUMBERS = {
    "한": 1, "두": 2, "세": 3, "네": 4, "다섯": 5, "여섯": 6, "일곱": 7, "여덟": 8, "아홉": 9,
    "열": 10, "스물": 20, "서른": 30, "마흔": 40, "스무": 20,
}  # fmt: skip
NATIVE = "(스무|(?:열|스물|서른|마흔)?(?:한|두|세|네|다섯|여섯|일곱|여덟|아홉)?)"
SINO = "([일이삼사오육칠팔구]?십?[일이삼사오육칠팔구]?)"
ENDING = r"(?:이에요|예요|입니다|이야|야|은|는|이|을|를|과|와|에|까지|부터|으로)?(?=[ .?,])"


SUM = re.compile(" (plus|minus|times) [a-z]")


def english_numbers(en):
    numbers = [FLOORS[nth] for nth in re.findall(r"(\w+) floor", en) if nth in FLOORS]
    numbers += [MONTHS.split("|").index(month) + 1 for month in re.findall(rf"({MONTHS}) \d", en)]
    numbers += [int(figure.replace(",", "")) for figure in re.findall(FIGURES, en)]
    return sorted(numbers + english_numbers_in_order(en))


def english_numbers_in_order(en):
    """Of those written in words."""
    words = [word.split("-") for word in re.findall("[a-z-]+", en.lower())]
    return [sum(ENGLISH_NUMBERS[part] for part in parts) for parts in words if set(parts) <= set(ENGLISH_NUMBERS)]


def sino_number(numeral):
    tens, ten, ones = numeral.rpartition("십")
    return (SINO_DIGITS.get(tens, 1) * 10 if ten else 0) + SINO_DIGITS.get(ones, 0)


def native_number(numeral):
    parts = re.findall("|".join(NATIVE_NUMBERS), numeral)
    return sum(NATIVE_NUMBERS[part] for part in parts)


def korean_numbers(ko):
    numbers = [int(figure.replace(",", "")) for figure in re.findall(FIGURES, ko)]
    counted = re.findall(rf" {NATIVE} (?:개|권|장|대|송이|잔|병|마리|명|살|시|시간|번){ENDING}", " " + ko)
    numbers += [native_number(numeral) for numeral in counted if numeral]
    measured = re.findall(rf" {SINO} (?:분|층|개월|년){ENDING}", " " + ko)
    numbers += [sino_number(numeral) for numeral in measured if numeral]
    numbers += [30] * len(re.findall(rf" 시 반{ENDING}", ko))
    return sorted(numbers)


def test_the_numbers_agree(pairs):
    counting = [pair for pair in pairs if not SUM.search(pair[0])]
    assert wrong(counting, lambda en, ko: english_numbers(en) == korean_numbers(ko)) == []
    assert sum(bool(english_numbers(en)) for en, _ in counting) >= 2500


def test_sums_are_right_and_agree(pairs):
    words = {"plus": "더하기", "minus": "빼기", "times": "곱하기"}

    def sino_words(number):
        tens, ones = divmod(number, 10)
        digits = dict(zip(range(10), " 일이삼사오육칠팔구", strict=True))
        return (digits[tens].replace("일", "") + "십" if tens else "").strip() + digits[ones].strip()

    def holds(en, ko):
        one, other, *result = english_numbers_in_order(en)
        (sign,) = set(words) & set(en.split())
        right = {"plus": one + other, "minus": one - other, "times": one * other}[sign]
        said = f"{sino_words(result[0])}(이에요|예요|입니다|이야|야)[.]" if result else "얼마(예요|입니까|야)[?]"
        korean = f"{sino_words(one)} {words[sign]} {sino_words(other)}[은는] {said}"
        return result in ([], [right]) and re.search(rf"(^|, ){korean}$", ko)

    sums = [pair for pair in pairs if SUM.search(pair[0])]
    assert len(sums) >= 100
    assert wrong(sums, holds) == []


# --- the grammar of each side ----------------------------------------------------------------------------------------


def closing(word):
    """The consonant that the word ends in, or nothing."""
    last = unicodedata.normalize("NFD", word)[-1]
    return last if "\u11a8" <= last <= "\u11c2" else ""


def nouns():
    """Every Korean word of the lexicon that is written without a space, and the Sino-Korean numerals."""
    found = set()

    def collect(value):
        if isinstance(value, lexicon.Word):
            found.update([value.ko] if re.fullmatch("[가-힣]+", value.ko) else [])
        elif isinstance(value, lexicon.Verb):
            collect(value.objects + value.places)
        elif isinstance(value, dict):
            collect(list(value.values()))
        elif isinstance(value, list | tuple):
            for item in value:
                collect(item)

    collect(list(vars(lexicon).values()))
    return found | {sino(number) for number in range(1, 60)} | {f"{name}이" for name in ("수진", "지훈")}


# Each particle with its other form: after a consonant, after a vowel.
AGREEING = [("은", "는"), ("이", "가"), ("을", "를"), ("과", "와"), ("으로", "로")]
AGREEING += [("이에요", "예요"), ("이야", "야"), ("이었(?:어|어요|습니다)", "였(?:어|어요|습니다)")]


def test_particles_agree_with_the_word_before_them(pairs):
    known, seen, disagreeing = nouns(), Counter(), []
    for _, ko in pairs:
        for word in set(re.findall("[가-힣]+", ko)) - known:
            for forms in AGREEING:
                for form in forms:
                    match = re.fullmatch(f"(.+?){form}", word)
                    if match is None or match[1] not in known:
                        continue
                    seen[form] += 1
                    # 로 takes words in ㄹ like those in a vowel.
                    open_words = ("", "\u11af") if forms == ("으로", "로") else ("",)
                    if (closing(match[1]) in open_words) != (form == forms[1]):
                        disagreeing.append(ko)
    assert disagreeing == []
    assert {form: seen[form] for forms in AGREEING for form in forms if seen[form] < 15} == {}
    assert any("서울로" in ko for _, ko in pairs) and any("사무실로" in ko for _, ko in pairs)


def test_korean_has_no_broken_forms(pairs):
    """Stems of the irregular verbs where they ought to have changed, doubled honorifics, and loose letters."""
    broken = (
        "[춥덥돕맵굽][아어으은을]|[듣걷][아어으은을]|부러|누[러라]|[빠자][라러]|쓰어|크어|예쁘어|[바아]프아|"
        "바쁘아|하아|[빨파]갛[은아으]|하얗[은아으]|까맣[은아으]|[길멀달]은 |[살돌]은 |들니|들시|시시|계시세|으으|"
        "스물 |하나 "
    )
    assert wrong(pairs, lambda en, ko: not re.search(broken, ko)) == []
    assert wrong(pairs, lambda en, ko: unicodedata.normalize("NFC", ko) == ko) == []


def test_english_articles_and_verbs(pairs):
    assert wrong(pairs, lambda en, ko: not re.search(r"\ba [aeiou]|\ban [^aeiou]", en)) == []
    irregular = "buy|drink|eat|get|give|go|have|mak|meet|read|see|send|sing|swim|tak|writ"
    assert wrong(pairs, lambda en, ko: not re.search(rf"\b(?:{irregular})+(?:t|m)?ed\b", en)) == []
    assert (
        wrong(pairs, lambda en, ko: not re.search(r"\b(?:boxs|childs|dictionarys|\w+eing|swiming|geting)\b", en)) == []
    )
    third = r"(?:^|, )(?:Tom|David|Jane|Emily|[Mm]y little (?:sister|brother)|[Mm]y grand\w+)"
    adverb = r"(?: often| always| sometimes| usually)?"
    base = "eat|drink|write|watch|buy|meet|listen|study|make|sing|wait|help|take|clean|walk|work|swim|go|get|have"
    assert wrong(pairs, lambda en, ko: not re.search(rf"{third}{adverb} (?:{base})\b", en)) == []
    first = r"(?:^|, )(?:I|[Ww]e)"
    assert (
        wrong(
            pairs,
            lambda en, ko: (
                not re.search(rf"{first}{adverb} (?:eats|drinks|reads|goes|gets|likes|wants|is|has|does)\b", en)
            ),
        )
        == []
    )
    assert wrong(pairs, lambda en, ko: not re.search(r"\bI (?:are|were)\b|\b[Ww]e (?:am|was)\b", en)) == []


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
    assert predicate.end("polite") == polite
    assert predicate.end("polite", "past") == past
    assert predicate.end("formal") == formal
    assert predicate.attributive() == before_noun
    assert predicate.eu("면") == if_form
    assert predicate.negative(short=False).end("polite") == long_negation


def test_futures_honorifics_and_short_negation():
    cook, listen, eat = Predicate("만들"), Predicate("듣", "ㄷ"), Predicate("먹", suppletive="드시")
    assert [cook.end(level, "future") for level in ("polite", "formal", "plain")] == [
        "만들 거예요",
        "만들 겁니다",
        "만들 거야",
    ]
    assert cook.honorific().end("polite") == "만드세요"
    assert listen.honorific().end("polite", "past") == "들으셨어요"
    assert eat.honorific().honorific().end("formal", "past", question=True) == "드셨습니까"
    assert Predicate("공부하").negative(short=True).end("plain", "past") == "공부 안 했어"
    assert Predicate("좋아하").negative(short=True).end("polite") == "안 좋아해요"
    assert Predicate("배가 고프", "", True).negative(short=True).end("polite") == "배가 안 고파요"


def test_copula_particles_and_numerals():
    assert copula("책", "polite") == "책이에요"
    assert copula("의사", "polite") == "의사예요"
    assert copula("의사", "plain", past=True) == "의사였어"
    assert copula("학생", "formal", negative=True, question=True) == "학생이 아닙니까"
    assert copula("가수", "polite", past=True, negative=True) == "가수가 아니었어요"
    assert agree("서울(으)로 부산(으)로 학교(으)로 물과(와) 차을(를)") == "서울로 부산으로 학교로 물과 차를"
    assert (vocative("민수"), vocative("수진")) == ("민수야", "수진아")
    assert [sino(number) for number in (3, 10, 11, 20, 45)] == ["삼", "십", "십일", "이십", "사십오"]
    assert [native(number) for number in (1, 4, 12, 20, 21, 38)] == ["한", "네", "열두", "스무", "스물한", "서른여덟"]


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
        (english.ing, "make", "making"),
        (english.ing, "swim", "swimming"),
        (english.ing, "wait for the bus", "waiting for the bus"),
        (english.third, "watch", "watches"),
        (english.third, "study", "studies"),
        (english.third, "buy", "buys"),
        (english.third, "have time", "has time"),
        (english.comparative, "big", "bigger"),
        (english.comparative, "heavy", "heavier"),
        (english.comparative, "far", "farther"),
        (english.comparative, "boring", "more boring"),
        (english.superlative, "expensive", "the most expensive"),
        (english.indefinite, "old umbrella", "an old umbrella"),
        (english.number, 42, "forty-two"),
    ],
)
def test_english_forms(form, word, result):
    assert form(word) == result
