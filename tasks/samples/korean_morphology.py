"""Korean morphology for the generators: particles, numerals, and the conjugation of verbs and adjectives."""

import re
from dataclasses import dataclass
from typing import Literal

SpeechLevel = Literal["polite", "formal", "plain"]  # 해요체, 합니다체, 반말

# --- syllables -------------------------------------------------------------------------------------------------------

HANGUL_BASE = ord("가")  # syllables follow in 19 blocks of 21 vowels with 28 final consonants each
VOWELS = "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ"
FINALS = " ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ"


def vowel_and_final(word: str) -> tuple[str, str]:
    """Return the vowel and the final consonant (" " for none) of the word's last syllable."""
    code = ord(word[-1]) - HANGUL_BASE
    return VOWELS[code // 28 % 21], FINALS[code % 28]


def replace_last(word: str, *, vowel: str | None = None, final: str | None = None) -> str:
    """Replace the vowel or the final consonant (" " for none) of the word's last syllable."""
    first = (ord(word[-1]) - HANGUL_BASE) // 588
    old_vowel, old_final = vowel_and_final(word)
    vowel_number, final_number = VOWELS.index(vowel or old_vowel), FINALS.index(final or old_final)
    return word[:-1] + chr(HANGUL_BASE + first * 588 + vowel_number * 28 + final_number)


def ends_in_consonant(word: str) -> bool:
    """Return whether the word ends in a consonant."""
    return vowel_and_final(word)[1] != " "


# --- particles -------------------------------------------------------------------------------------------------------

# How templates write a particle: its forms after a consonant and after a vowel.
PARTICLES = {"은(는)": ("은", "는"), "이(가)": ("이", "가"), "을(를)": ("을", "를"), "과(와)": ("과", "와")}


def attach_particles(text: str) -> str:
    """Replace each "은(는)", "이(가)", "을(를)", "과(와)" and "(으)로" by the form that fits the preceding syllable."""

    def particle(match: re.Match) -> str:
        before, mark = match.groups()
        if mark == "(으)로":
            return before + ("로" if vowel_and_final(before)[1] in " ㄹ" else "으로")
        return before + PARTICLES[mark][not ends_in_consonant(before)]

    return re.sub(r"([가-힣])(은\(는\)|이\(가\)|을\(를\)|과\(와\)|\(으\)로)", particle, text)


def vocative(name: str) -> str:
    """Return the name in the form that addresses a friend: 민수야, 수진아."""
    return name + ("아" if ends_in_consonant(name) else "야")


# --- numerals --------------------------------------------------------------------------------------------------------

SINO_DIGITS = " 일이삼사오육칠팔구"
NATIVE_ONES = ["", "한", "두", "세", "네", "다섯", "여섯", "일곱", "여덟", "아홉"]
NATIVE_TENS = ["", "열", "스물", "서른", "마흔", "쉰"]


def sino_korean(number: int) -> str:
    """Return the Sino-Korean numeral for 1 to 99, used for floors, minutes, years and sums."""
    tens, ones = divmod(number, 10)
    text = (SINO_DIGITS[tens] if tens > 1 else "") + ("십" if tens else "")
    return text + SINO_DIGITS[ones].strip()


def native_korean(number: int) -> str:
    """Return the native Korean numeral for 1 to 59 in the form before a counter, used for hours, ages and things."""
    if number == 20:
        return "스무"
    tens, ones = divmod(number, 10)
    return NATIVE_TENS[tens] + NATIVE_ONES[ones]


# --- verbs and adjectives --------------------------------------------------------------------------------------------

# The final vowel of a stem after contraction with 아/어; ㅏ, ㅓ, ㅐ, ㅔ and ㅕ stay as they are.
CONTRACTIONS = dict(zip("ㅗㅜㅣㅚㅏㅓㅐㅔㅕ", "ㅘㅝㅕㅙㅏㅓㅐㅔㅕ", strict=True))
BRIGHT_VOWELS = "ㅏㅑㅗ"  # take 아 by vowel harmony; all others take 어


@dataclass(frozen=True)
class Predicate:
    """A verb or an adjective, possibly with the words that belong to it: 먹-, 사진을 찍-, 배가 고프-.

    Attributes:
        stem: The dictionary form without 다.
        irregular: The irregular conjugation "ㅂ", "ㄷ", "르" or "ㅎ", or "" for a regular predicate. The stem itself
            shows the other changes (ㅡ and ㄹ are dropped, 하다). Internally, "시" marks a stem with the honorific
            suffix and "었" one with the past suffix.
        adjective: Whether the attributive form is that of adjectives, -(으)ㄴ.
        honorific_stem: The suppletive stem for honorific subjects: 드시- for 먹-. Empty if it is formed regularly.
    """

    stem: str
    irregular: str = ""
    adjective: bool = False
    honorific_stem: str = ""

    def infinitive(self) -> str:
        """Return the form in 아/어."""
        stem, body, last = self.stem, self.stem[:-1], self.stem[-1]
        vowel, final = vowel_and_final(stem)
        if last == "하":
            return body + "해"
        if self.irregular == "ㅂ":  # of these, only 돕다 (and 곱다) has vowel harmony
            return replace_last(stem, final=" ") + ("와" if last == "돕" else "워")
        if self.irregular == "ㅎ":
            return replace_last(stem, vowel="ㅒ" if vowel == "ㅑ" else "ㅐ", final=" ")
        if self.irregular == "르":
            return replace_last(body, final="ㄹ") + ("라" if vowel_and_final(body)[0] in BRIGHT_VOWELS else "러")
        if vowel == "ㅡ" and final == " ":  # is dropped, and the syllable before it decides: 바빠, 예뻐, 커
            bright = len(body) > 0 and body[-1] != " " and vowel_and_final(body)[0] in BRIGHT_VOWELS
            return replace_last(stem, vowel="ㅏ" if bright else "ㅓ")
        if final == " " and vowel in CONTRACTIONS:
            return replace_last(stem, vowel=CONTRACTIONS[vowel])
        joined = "아" if vowel in BRIGHT_VOWELS and self.irregular != "었" else "어"
        if self.irregular == "ㄷ":
            stem = replace_last(stem, final="ㄹ")
        return stem + joined

    def eu_form(self, ending: str) -> str:
        """Return the form with an ending that begins with (으): "ㄴ", "ㄹ", "면", "니까", "시"."""
        stem, final = self.stem, vowel_and_final(self.stem)[1]
        linked = final not in " ㄹ"
        if self.irregular == "ㅂ":
            stem, linked = replace_last(stem, final=" ") + "우", False
        elif self.irregular == "ㄷ":
            stem = replace_last(stem, final="ㄹ")
        elif self.irregular == "ㅎ":
            stem, linked = replace_last(stem, final=" "), False
        elif final == "ㄹ" and ending[0] in "ㄴㄹ니시":  # it stays before 면
            stem = replace_last(stem, final=" ")
        if linked:
            stem += "으"
        return replace_last(stem, final=ending[0]) + ending[1:] if ending[0] in "ㄴㄹ" else stem + ending

    def attributive(self, *, past: bool = False) -> str:
        """Return the form before a noun: 읽는, past 읽은; of an adjective 작은. 맛있다 follows the verbs."""
        if past or (self.adjective and self.stem[-1] not in "있없"):
            return self.eu_form("ㄴ")
        stem = replace_last(self.stem, final=" ") if vowel_and_final(self.stem)[1] == "ㄹ" else self.stem
        return stem + "는"

    def past(self) -> "Predicate":
        """Return the past stem: 먹었-."""
        return Predicate(replace_last(self.infinitive(), final="ㅆ"), "었")

    def honorific(self) -> "Predicate":
        """Return the stem with the honorific suffix -(으)시-, which is added only once."""
        if self.irregular == "시":
            return self
        return Predicate(self.honorific_stem or self.eu_form("시"), "시")

    def negative(self, *, short: bool) -> "Predicate":
        """Return the short negation (안 사-, 사진을 안 찍-, 공부 안 하-) or the long one (사지 않-)."""
        if not short:
            return Predicate(self.stem + "지 않", adjective=self.adjective)
        words, _, last = self.stem.rpartition(" ")
        # 안 stands between a noun and 하다. 좋아하다 is not such a verb.
        if not self.adjective and len(last) > 1 and last[-1] == "하" and last[-2] not in "아어":
            words, last = f"{words} {last[:-1]}".strip(), "하"
        return Predicate(f"{words} 안 {last}".strip(), self.irregular, self.adjective)

    def finite(self, level: SpeechLevel, tense: str = "present", *, question: bool = False) -> str:
        """Return the form that ends a sentence.

        Args:
            level: The speech level.
            tense: "past", "present" or "future".
            question: Whether the sentence is a question.
        """
        if tense == "past":
            return self.past().finite(level, question=question)
        if tense == "future":
            ending = {"polite": "거예요", "formal": "겁니까" if question else "겁니다", "plain": "거야"}[level]
            return f"{self.eu_form('ㄹ')} {ending}"
        if level == "formal":
            body = (
                self.stem + "습" if vowel_and_final(self.stem)[1] not in " ㄹ" else replace_last(self.stem, final="ㅂ")
            )
            return body + ("니까" if question else "니다")
        if level == "plain":
            return self.infinitive()
        return self.stem[:-1] + "세요" if self.irregular == "시" else self.infinitive() + "요"


def copula(noun: str, level: SpeechLevel, *, past: bool = False, negative: bool = False, question: bool = False) -> str:
    """Return the noun phrase with 이다 or 아니다 at the end of a sentence."""
    if negative:
        noun = attach_particles(f"{noun}이(가) ")
        polite, plain, stem, past_stem = "아니에요", "아니야", "아니", "아니었"
    elif ends_in_consonant(noun):
        polite, plain, stem, past_stem = "이에요", "이야", "이", "이었"
    else:
        polite, plain, stem, past_stem = "예요", "야", "이", "였"
    if past:
        return noun + Predicate(past_stem, "었").finite(level, question=question)
    if level == "formal":
        return noun + Predicate(stem).finite(level, question=question)
    return noun + (polite if level == "polite" else plain)
