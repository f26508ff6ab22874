"""Tests of the bundled sample of the translation task: its content, and the grammar of both languages.

The checks parse the sentences with rules that are independent of those that generated them.
"""

import random
import re
import unicodedata
from collections import Counter

import pytest

from tasks.samples.korean_morphology import sino_korean
from tasks.samples.translation import lexicon, make_sample


@pytest.fixture(scope="module")
def pairs(sentence_pairs):
    return [pair for rows in sentence_pairs.values() for pair in rows]


def wrong(pairs, holds):
    """The pairs for which something does not hold; a list, so that a failing test shows some of them."""
    return [f"{en} | {ko}" for en, ko in pairs if not holds(en, ko)]


# --- the sample ------------------------------------------------------------------------------------------------------


def test_size(pairs):
    assert len(pairs) >= 8000


def test_each_language_decides_the_other(pairs):
    """Over far more draws than the sample holds: a model could be right everywhere, in both directions."""
    rng = random.Random(1)
    translations, originals = {}, {}
    for en, ko in [*pairs, *(make_sample.draw_pair(rng) for _ in range(40_000))]:
        assert translations.setdefault(en, ko) == ko
        assert originals.setdefault(ko, en) == en


def test_words_of_validation_and_test_are_frequent_in_training(sentence_pairs):
    def words(en, ko):
        return re.findall(r"[a-zé]+|\d+", en.lower()), re.findall(r"[가-힣]+|\d+", ko)

    known = [Counter(), Counter()]
    for pair in sentence_pairs["train"]:
        for counter, sentence in zip(known, words(*pair), strict=True):
            counter.update(sentence)
    rows = sentence_pairs["validation"] + sentence_pairs["test"]
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
    """Every Korean noun and adverb of the lexicon that is written without a space, and the Sino-Korean numerals."""
    names = (name.ko for name in lexicon.MALE_NAMES + lexicon.FEMALE_NAMES)
    adverbs = (adverb.ko for group in lexicon.ADVERBS.values() for adverb in group)
    found = {word for word in (*lexicon.NOUNS.values(), *names, *adverbs) if re.fullmatch("[가-힣]+", word)}
    return found | {sino_korean(number) for number in range(1, 60)} | {f"{name}이" for name in ("수진", "지훈")}


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
