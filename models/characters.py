"""Conversion between text and character ids inside the graph, with TensorFlow's core ops only.

A character is a Unicode code point. With `hangul="jamo"` a Hangul syllable is two or three characters, its conjoining
jamo, which are composed to syllables again in the output. No id stands for padding: ids are ragged tensors.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

import tensorflow as tf

from models.graph_methods import built_once
from models.unicode_composition import (
    NfcNormalizer,
    Points,
    compose_hangul,
    compose_pairs,
    decompose_hangul,
    lookup_table,
)

UNKNOWN = 0
# The output of the unknown id, and the replacement of invalid UTF-8: U+FFFD REPLACEMENT CHARACTER.
REPLACEMENT = 0xFFFD
# The end of a text, which the next jamo may become part of.
INCOMPLETE_SYLLABLE = r"[\x{1100}-\x{115f}\x{ac00}-\x{d7a3}][\x{1160}-\x{11ff}]*$"


@dataclass(frozen=True)
class Characters:
    """A vocabulary of characters, with the normalization of the text.

    Attributes:
        characters: The characters in the order of their ids, from id 1 on; id 0 is UNKNOWN.
        counts: Number of occurrences of each id in the training text, UNKNOWN first.
        normalization: `"nfc"` for normalization form C (Unicode Standard Annex 15), `"identity"` for none.
        hangul: `"syllables"`, or `"jamo"` to decompose each syllable into two or three jamo.
    """

    characters: tuple[str, ...]
    counts: tuple[int, ...]
    normalization: Literal["nfc", "identity"] = "nfc"
    hangul: Literal["syllables", "jamo"] = "syllables"

    def __len__(self) -> int:
        """Return the number of ids."""
        return len(self.characters) + 1

    @classmethod
    def learned(cls, counts: Mapping[str, int], min_count: int = 1, **options) -> "Characters":
        """Build the vocabulary of a text.

        Args:
            counts: Number of occurrences of each character of the normalized text.
            min_count: Minimum number of occurrences; rarer characters are unknown.
            **options: `normalization` and `hangul`, see the class.

        Returns:
            The vocabulary, in the order of the code points.

        Example:
            >>> import collections
            >>> text = normalize("한국어", "nfc", "jamo")
            >>> characters = Characters.learned(collections.Counter(text), hangul="jamo")
            >>> len(characters)
            9
        """
        known = sorted(character for character, count in counts.items() if count >= min_count)
        unknown_count = sum(counts.values()) - sum(counts[character] for character in known)
        return cls(tuple(known), (unknown_count, *(counts[character] for character in known)), **options)

    @property
    def symbols(self) -> tuple[str, ...]:
        """The text of each id."""
        return chr(REPLACEMENT), *self.characters

    def normalize_for_scoring(self, text: str) -> str:
        """Normalize a text so that its length is the number of characters that scores are divided by.

        Args:
            text: The text.

        Returns:
            The normalized text with jamo composed to syllables, so that scores of models with and without jamo are
            comparable.
        """
        return compose_jamo(normalize(text, self.normalization, self.hangul), self.hangul)

    def as_read(self, text: str) -> str:
        """Return the text, normalized if the graph would normalize it in another way; see `NfcNormalizer`."""
        if self.normalization != "nfc" or not any(map(unicodedata.combining, text)):
            return text
        normalized = unicodedata.normalize("NFC", text)
        return text if _composed_in_place(text) == normalized else normalized

    def unknown_in(self, text: str) -> list[str]:
        """Return the different characters of `text` that are not in the vocabulary, sorted."""
        return sorted({*normalize(text, self.normalization, self.hangul)} - {*self.characters})


def normalize(text: str, normalization: str, hangul: str) -> str:
    """Normalize a text so that its code points are the characters of the vocabulary.

    The result for a part of a text is the same as within the whole text if the part starts at the start of a line.
    `CharacterText.ids` does the same in the graph, except for some combining marks; see
    `models.unicode_composition.NfcNormalizer`.

    Args:
        text: The text.
        normalization: `"nfc"` or `"identity"`, see `Characters`.
        hangul: `"syllables"` or `"jamo"`, see `Characters`.

    Returns:
        The normalized text.
    """
    if normalization == "nfc":
        text = unicodedata.normalize("NFC", text)
    if hangul == "jamo":
        text = re.sub("[가-힣]+", lambda run: unicodedata.normalize("NFD", run[0]), text)
    return text


def _composed_in_place(text: str) -> str:
    """Return the text in which neighboring characters are composed, and none is moved."""
    composed: list[str] = []
    for character in "".join(unicodedata.normalize("NFC", character) for character in text):
        pair = (composed[-1], character) if composed else ()
        whole = unicodedata.normalize("NFC", "".join(pair))
        if pair and len(whole) == 1 and unicodedata.decomposition(whole).split() == [f"{ord(one):04X}" for one in pair]:
            composed[-1] = whole
        else:
            composed.append(character)
    return "".join(composed)


def compose_jamo(text: str, hangul: str) -> str:
    """Compose the jamo of a text from `normalize` to syllables; a no-op unless `hangul` is `"jamo"`."""
    if hangul == "jamo":
        text = re.sub("[\u1100-\u11ff]+", lambda run: unicodedata.normalize("NFC", run[0]), text)
    return text


class CharacterText(tf.Module):
    """Conversion between text and character ids, in TensorFlow ops.

    A SavedModel that tracks the module contains its tables.

    Args:
        characters: The vocabulary.
    """

    def __init__(self, characters: Characters):
        super().__init__()
        self.characters = characters
        points = [ord(character) for character in characters.characters]
        self._ids = lookup_table(points, range(1, len(characters)), UNKNOWN)
        self._points = tf.constant([REPLACEMENT, *points], tf.int32)
        self._to_nfc = NfcNormalizer() if characters.normalization == "nfc" else None
        methods = (self._ids_of, self._lengths_of, self._composed_jamo)
        self._ids_graph, self._lengths_graph, self._jamo_graph = (
            built_once(method, tf.TensorSpec([None], tf.string)) for method in methods
        )

    @property
    def unwritten(self) -> Iterable[int]:
        """The ids that are never generated."""
        return (UNKNOWN,)

    def ids(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """Convert texts to ids.

        Args:
            texts: string `(batch,)`; invalid UTF-8 becomes UNKNOWN.

        Returns:
            Ids, int32 `(batch, None)`.
        """
        return self._ids_graph(texts)

    def text(self, ids: tf.RaggedTensor) -> tf.Tensor:
        """Convert ids, int32 `(batch, None)`, to texts, string `(batch,)`, in which jamo are not composed yet."""
        return tf.strings.unicode_encode(ids.with_values(tf.gather(self._points, ids.values)), "UTF-8")

    def compose_jamo(self, texts: tf.Tensor) -> tf.Tensor:
        """Compose the jamo of texts, string `(batch,)`, to syllables; a no-op unless the characters are jamo."""
        if self.characters.hangul != "jamo":
            return texts
        return self._jamo_graph(texts)

    def joined(self, prompts: tf.Tensor, continuations: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Join prompts and their continuations.

        Args:
            prompts: string `(batch,)`, valid UTF-8.
            continuations: string `(batch,)`, in which jamo are not composed yet.

        Returns:
            The texts and the continuations in composed form, string `(batch,)` each.
        """
        return self.compose_jamo(tf.strings.join([prompts, continuations])), self.compose_jamo(continuations)

    def joined_part(
        self, pending: tf.Tensor, continuations: tf.Tensor, after_blank: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Join a part of a text that is generated in parts; the parts together are what `joined` returns.

        Args:
            pending: string `(batch,)`, the end of the part before, which this part may change.
            continuations: string `(batch,)`, in which jamo are not composed yet.
            after_blank: bool `(batch,)`, whether the text before ends in a blank.

        Returns:
            The part that nothing will change, and the `pending` and the `after_blank` of the next part.
        """
        texts = tf.strings.join([pending, continuations])
        if self.characters.hangul != "jamo":
            return texts, tf.fill(tf.shape(texts), ""), after_blank
        complete = tf.strings.regex_replace(texts, INCOMPLETE_SYLLABLE, "")
        rest = tf.strings.substr(texts, tf.strings.length(complete), tf.strings.length(texts))
        return self.compose_jamo(complete), self.compose_jamo(rest), after_blank

    def lengths(self, texts: tf.Tensor) -> tf.Tensor:
        """Count the characters of texts in composed form.

        Args:
            texts: string `(batch,)`.

        Returns:
            int32 `(batch,)`.
        """
        return self._lengths_graph(texts)

    def _ids_of(self, texts: tf.Tensor) -> tf.RaggedTensor:
        values, rows = self._normalized(texts)
        if self.characters.hangul == "jamo":
            values, rows = decompose_hangul((values, rows))
        return _ragged((tf.cast(self._ids.lookup(tf.cast(values, tf.int64)), tf.int32), rows), texts)

    def _lengths_of(self, texts: tf.Tensor) -> tf.Tensor:
        points = self._normalized(texts)
        if self._to_nfc is None and self.characters.hangul == "jamo":
            points = compose_pairs(points, compose_hangul)
        return tf.cast(_ragged(points, texts).row_lengths(), tf.int32)

    def _normalized(self, texts: tf.Tensor) -> Points:
        points = _code_points(texts)
        return points if self._to_nfc is None else self._to_nfc(points)

    def _composed_jamo(self, texts: tf.Tensor) -> tf.Tensor:
        composed = compose_pairs(_code_points(texts), compose_hangul)
        return tf.strings.unicode_encode(_ragged(composed, texts), "UTF-8")


def _code_points(texts: tf.Tensor) -> Points:
    points = tf.strings.unicode_decode(texts, "UTF-8", errors="replace", replacement_char=REPLACEMENT)
    return points.values, points.value_rowids()


def _ragged(points: Points, texts: tf.Tensor) -> tf.RaggedTensor:
    """Return what belongs to each of the texts, string `(batch,)`: int32 `(batch, None)`."""
    return tf.RaggedTensor.from_value_rowids(*points, nrows=tf.size(texts, tf.int64), validate=False)


def valid_utf8(texts: tf.Tensor) -> tf.Tensor:
    """Replace what is not valid UTF-8 in texts, string `(batch,)`: a prompt is part of the output."""
    return tf.strings.unicode_transcode(texts, "UTF-8", "UTF-8", errors="replace", replacement_char=REPLACEMENT)
