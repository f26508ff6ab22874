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
