"""Texts in capital letters, read with the case that their words have elsewhere (truecasing, Lita et al. 2003)."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import tensorflow as tf

from models import text_spans
from models.listed import listed

# A text in capital letters has no other letters, and a word of two of them.
_NO_OTHER_LETTER, _TWO_CAPITALS = r"[^\p{Ll}\p{Lo}]*", r"(?s).*\p{Lu}\p{Lu}.*"
_WORD = r"\p{L}[\p{L}\p{M}'’]*"
_PYTHON_WORD = re.compile(r"[^\W\d_](?:[^\W\d_]|['’])*")
MAX_WORDS = 50_000


class Casing(NamedTuple):
    """How the words of a language are written.

    Attributes:
        words: Word in capital letters -> its usual form, where that is not its form in lower case.
        capitalize: Whether the first word of a sentence begins with a capital letter.
    """

    words: Mapping[str, str]
    capitalize: bool

    @classmethod
    def learned(cls, texts: Iterable[str]) -> "Casing | None":
        """Learn the case of the words of texts.

        Returns:
            None if the texts have no words in capital letters and others, or are themselves in capital letters to a
            tenth or more: then they are best read as they are.
        """
        inner, initial = Counter(), Counter()  # the first word of a text has a capital letter for another reason
        capitals = capitalized = count = 0
        for text in listed(texts):
            words = _PYTHON_WORD.findall(text)
            if not words or words[0].upper() == words[0].lower():
                continue
            count += 1
            if text.upper() == text:
                capitals += 1
                continue
            capitalized += words[0][0].isupper()
            initial[words[0]] += 1
            inner.update(words[1:])
        if not count or 10 * capitals >= count:
            return None
        forms: dict[str, list[tuple[int, int, str]]] = defaultdict(list)
        for word in inner.keys() | initial.keys():
            forms[word.upper()].append((inner[word], initial[word], word))
        usual = {upper: max(found) for upper, found in forms.items()}
        frequent = sorted(usual, key=lambda upper: (-usual[upper][0], -usual[upper][1], upper))
        words = {upper: usual[upper][2] for upper in frequent if usual[upper][2] != upper.lower()}
        return cls(dict(list(words.items())[:MAX_WORDS]), 2 * capitalized > count)


class Truecaser(tf.Module):
    """Truecasing of texts in capital letters, in TensorFlow's core ops.

    Args:
        casing: The case of the words.
    """

    def __init__(self, casing: Casing):
        super().__init__()
        self._capitalize = casing.capitalize
        words = {"": ""} | {**casing.words}  # TensorFlow cannot load an empty table
        keys, values = (tf.constant([*column], tf.string) for column in (words.keys(), words.values()))
        self._words = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(keys, values), "")

    def fold(self, texts: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Give the words of texts in capital letters their usual case; other texts stay as they are.

        Args:
            texts: string `(batch,)`.

        Returns:
            The texts, and whether this changed them, bool `(batch,)`.
        """
        is_upper = tf.strings.regex_full_match(texts, _NO_OTHER_LETTER)
        is_upper &= tf.strings.regex_full_match(texts, _TWO_CAPITALS)
        parts = text_spans.split(texts, _WORD)
        found = self._words.lookup(parts.values)
        words = tf.where(found == "", tf.strings.lower(parts.values, encoding="utf-8"), found)
        if self._capitalize:
            first = tf.strings.upper(tf.strings.regex_replace(words, r"(?s)^(.).*$", r"\1"), encoding="utf-8")
            capitalized = first + tf.strings.regex_replace(words, "(?s)^.", "")
            words = tf.where(parts.index == 0, capitalized, words)
        folded = parts.join(tf.where(parts.is_span, words, parts.values))
        is_upper &= folded != texts
        return tf.where(is_upper, folded, texts), is_upper

    @staticmethod
    def restore(texts: tf.Tensor, is_upper: tf.Tensor) -> tf.Tensor:
        """Write texts, string `(batch,)`, in capital letters where `is_upper`, bool `(batch,)`, is True."""
        return tf.where(is_upper, tf.strings.upper(texts, encoding="utf-8"), texts)
