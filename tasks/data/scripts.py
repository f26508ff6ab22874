"""Which scripts a text is written in, as far as it decides what the pieces of a vocabulary are."""

import functools
import unicodedata

# Scripts without blanks between words, or with words that carry several morphemes: pieces are characters.
CHARACTER_SCRIPTS = ("HANGUL", "CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR")
# Of each text its first characters are looked at, and no more texts than these.
CHARACTERS, MAX_TEXTS = 100, 50_000


class ScriptCounts:
    """Counts letters by script."""

    def __init__(self):
        self._texts = self._letters = self._of_scripts = 0

    def add(self, text: str) -> None:
        """Count the first letters of a text, unless there were many texts before."""
        self._texts += 1
        if self._texts > MAX_TEXTS:
            return
        for letter in filter(str.isalpha, text[:CHARACTERS]):
            self._letters += 1
            self._of_scripts += _of_character_script(letter)

    @property
    def character_script_share(self) -> float:
        """The share of the letters that belong to `CHARACTER_SCRIPTS`; 0 without a letter."""
        return self._of_scripts / max(self._letters, 1)


@functools.lru_cache(maxsize=1 << 14)  # a text has few different letters
def _of_character_script(letter: str) -> bool:
    return unicodedata.name(letter, "").startswith(CHARACTER_SCRIPTS)


def ngram_units(vocabulary_type: str, character_script_share: float) -> str:
    """Return what the n-grams of a linear model consist of: "characters" in texts of `CHARACTER_SCRIPTS`, or "pieces".

    Args:
        vocabulary_type: That of the SentencePiece vocabulary; with "char" the pieces are characters.
        character_script_share: See `ScriptCounts`.
    """
    return "characters" if vocabulary_type != "char" and character_script_share > 0.5 else "pieces"


def largest_ngram(vocabulary_type: str, units: str) -> int:
    """Return the largest n of the n-grams of a linear model of few texts: 4 characters, or 2 longer pieces."""
    return 4 if vocabulary_type == "char" or units == "characters" else 2
