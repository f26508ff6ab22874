"""Korean for the bundled sample: particles, numerals, and the conjugation of verbs and adjectives."""

import re
from dataclasses import dataclass
from typing import Literal

Level = Literal["polite", "formal", "plain"]  # 해요체, 합니다체, 반말

# --- syllables -------------------------------------------------------------------------------------------------------

HANGUL_BASE = ord("가")  # syllables follow in 19 blocks of 21 vowels with 28 final consonants each
VOWELS = "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ"
FINALS = " ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ"


def parts(word: str) -> tuple[str, str]:
    """The vowel and the final consonant of the word's last syllable; the latter is " " if there is none."""
    code = ord(word[-1]) - HANGUL_BASE
    return VOWELS[code // 28 % 21], FINALS[code % 28]


def with_end(word: str, *, vowel: str | None = None, final: str | None = None) -> str:
    """The word with another vowel or final consonant in its last syllable."""
    first = (ord(word[-1]) - HANGUL_BASE) // 588
    old_vowel, old_final = parts(word)
    vowel_number, final_number = VOWELS.index(vowel or old_vowel), FINALS.index(final or old_final)
    return word[:-1] + chr(HANGUL_BASE + first * 588 + vowel_number * 28 + final_number)


def closed(word: str) -> bool:
    """Whether the word ends in a consonant."""
    return parts(word)[1] != " "


# --- particles -------------------------------------------------------------------------------------------------------

# As the templates write them: after a consonant, after a vowel.
PARTICLES = {"은(는)": ("은", "는"), "이(가)": ("이", "가"), "을(를)": ("을", "를"), "과(와)": ("과", "와")}


def agree(text: str) -> str:
    """Puts the particle that fits the syllable before it in the place of each "은(는)", "이(가)", "(으)로"..."""

    def particle(match: re.Match) -> str:
        before, mark = match.groups()
        if mark == "(으)로":
            return before + ("로" if parts(before)[1] in " ㄹ" else "으로")
        return before + PARTICLES[mark][not closed(before)]

    return re.sub(r"([가-힣])(은\(는\)|이\(가\)|을\(를\)|과\(와\)|\(으\)로)", particle, text)


def vocative(name: str) -> str:
    """The name as one calls a friend: 민수야, 수진아."""
    return name + ("아" if closed(name) else "야")


# --- numerals --------------------------------------------------------------------------------------------------------

SINO_DIGITS = " 일이삼사오육칠팔구"
NATIVE_ONES = ["", "한", "두", "세", "네", "다섯", "여섯", "일곱", "여덟", "아홉"]
NATIVE_TENS = ["", "열", "스물", "서른", "마흔", "쉰"]


def sino(number: int) -> str:
    """1 to 99 in Sino-Korean: floors, minutes, years, sums."""
    tens, ones = divmod(number, 10)
    text = (SINO_DIGITS[tens] if tens > 1 else "") + ("십" if tens else "")
    return text + SINO_DIGITS[ones].strip()


def native(number: int) -> str:
    """1 to 59 in the form before a counter: hours, ages, and things that are counted."""
    if number == 20:
        return "스무"
    tens, ones = divmod(number, 10)
    return NATIVE_TENS[tens] + NATIVE_ONES[ones]


# --- verbs and adjectives --------------------------------------------------------------------------------------------

# What the final vowel of a stem becomes when it joins 아/어; ㅏ, ㅓ, ㅐ, ㅔ and ㅕ swallow it.
CONTRACTIONS = dict(zip("ㅗㅜㅣㅚㅏㅓㅐㅔㅕ", "ㅘㅝㅕㅙㅏㅓㅐㅔㅕ", strict=True))
BRIGHT = "ㅏㅑㅗ"  # the vowels that harmonize with 아


@dataclass(frozen=True)
class Predicate:
    """A verb or an adjective, perhaps with the words that belong to it: 먹-, 사진을 찍-, 배가 고프-.

    Attributes:
      stem: the dictionary form without 다.
      irregular: "ㅂ", "ㄷ", "르" or "ㅎ"; the other changes (ㅡ and ㄹ drop, 하다) show in the stem. "시" is the
        honorific suffix, "었" that of the past.
      adjective: it takes the attributive -(으)ㄴ of adjectives.
      suppletive: the stem to be used instead with honorific subjects: 드시- for 먹-.
    """

    stem: str
    irregular: str = ""
    adjective: bool = False
    suppletive: str = ""

    def infinitive(self) -> str:
        """The form in 아/어."""
        stem, body, last = self.stem, self.stem[:-1], self.stem[-1]
        vowel, final = parts(stem)
        if last == "하":
            return body + "해"
        if self.irregular == "ㅂ":  # 돕다 keeps the harmony, words of two syllables and more have lost it
            return with_end(stem, final=" ") + ("와" if last == "돕" else "워")
        if self.irregular == "ㅎ":
            return with_end(stem, vowel="ㅒ" if vowel == "ㅑ" else "ㅐ", final=" ")
        if self.irregular == "르":
            return with_end(body, final="ㄹ") + ("라" if parts(body)[0] in BRIGHT else "러")
        if vowel == "ㅡ" and final == " ":  # drops, and the syllable before it decides: 바빠, 예뻐, 커
            bright = len(body) > 0 and body[-1] != " " and parts(body)[0] in BRIGHT
            return with_end(stem, vowel="ㅏ" if bright else "ㅓ")
        if final == " " and vowel in CONTRACTIONS:
            return with_end(stem, vowel=CONTRACTIONS[vowel])
        joined = "아" if vowel in BRIGHT and self.irregular != "었" else "어"
        if self.irregular == "ㄷ":
            stem = with_end(stem, final="ㄹ")
        return stem + joined

    def eu(self, ending: str) -> str:
        """With an ending that begins with (으): "ㄴ", "ㄹ", "면", "니까", "시"."""
        stem, final = self.stem, parts(self.stem)[1]
        linked = final not in " ㄹ"
        if self.irregular == "ㅂ":
            stem, linked = with_end(stem, final=" ") + "우", False
        elif self.irregular == "ㄷ":
            stem = with_end(stem, final="ㄹ")
        elif self.irregular == "ㅎ":
            stem, linked = with_end(stem, final=" "), False
        elif final == "ㄹ" and ending[0] in "ㄴㄹ니시":  # and stays before 면
            stem = with_end(stem, final=" ")
        if linked:
            stem += "으"
        return with_end(stem, final=ending[0]) + ending[1:] if ending[0] in "ㄴㄹ" else stem + ending

    def attributive(self, *, past: bool = False) -> str:
        """Before a noun: a verb has 읽는 and, of the past, 읽은, an adjective 작은; 맛있다 goes like a verb."""
        if past or (self.adjective and self.stem[-1] not in "있없"):
            return self.eu("ㄴ")
        stem = with_end(self.stem, final=" ") if parts(self.stem)[1] == "ㄹ" else self.stem
        return stem + "는"

    def past(self) -> "Predicate":
        return Predicate(with_end(self.infinitive(), final="ㅆ"), "었")

    def honorific(self) -> "Predicate":
        """With -(으)시-, for a person one looks up to; once is enough."""
        if self.irregular == "시":
            return self
        return Predicate(self.suppletive or self.eu("시"), "시")

    def negative(self, *, short: bool) -> "Predicate":
        """Short: 안 사-, 사진을 안 찍-, 공부 안 하-.  Long: 사지 않-."""
        if not short:
            return Predicate(self.stem + "지 않", adjective=self.adjective)
        words, _, last = self.stem.rpartition(" ")
        # A verb of a noun and 하다 takes 안 between the two; 좋아하다 is no such verb.
        if not self.adjective and len(last) > 1 and last[-1] == "하" and last[-2] not in "아어":
            words, last = f"{words} {last[:-1]}".strip(), "하"
        return Predicate(f"{words} 안 {last}".strip(), self.irregular, self.adjective)

    def end(self, level: Level, tense: str = "present", *, question: bool = False) -> str:
        """The form that ends a sentence; tense is "past", "present" or "future"."""
        if tense == "past":
            return self.past().end(level, question=question)
        if tense == "future":
            ending = {"polite": "거예요", "formal": "겁니까" if question else "겁니다", "plain": "거야"}[level]
            return f"{self.eu('ㄹ')} {ending}"
        if level == "formal":
            body = self.stem + "습" if parts(self.stem)[1] not in " ㄹ" else with_end(self.stem, final="ㅂ")
            return body + ("니까" if question else "니다")
        if level == "plain":
            return self.infinitive()
        return self.stem[:-1] + "세요" if self.irregular == "시" else self.infinitive() + "요"


def copula(noun: str, level: Level, *, past: bool = False, negative: bool = False, question: bool = False) -> str:
    """The noun phrase with 이다 or 아니다."""
    if negative:
        noun = agree(f"{noun}이(가) ")
        polite, plain, stem, past_stem = "아니에요", "아니야", "아니", "아니었"
    elif closed(noun):
        polite, plain, stem, past_stem = "이에요", "이야", "이", "이었"
    else:
        polite, plain, stem, past_stem = "예요", "야", "이", "였"
    if past:
        return noun + Predicate(past_stem, "었").end(level, question=question)
    if level == "formal":
        return noun + Predicate(stem).end(level, question=question)
    return noun + (polite if level == "polite" else plain)
