"""Text <-> ids of characters, inside the graph, with TensorFlow's core ops only.

A character is a Unicode code point. Where Hangul is read as jamo, a syllable is the two or three conjoining jamo that
it is made of, and jamo are written back as syllables. No id stands for padding: lengths say where a text ends.
"""

import functools
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import tensorflow as tf

UNKNOWN = 0
REPLACEMENT = 0xFFFD  # how an unknown character is written
NOTHING = -1  # in the place of a code point: there is none

# Hangul in Unicode (The Unicode Standard, section 3.12): syllable = BASE + (lead * 21 + vowel) * 28 + tail.
SYLLABLES, LEADS, VOWELS, TAILS = 0xAC00, 0x1100, 0x1161, 0x11A7
SYLLABLE_COUNT, LEAD_COUNT, VOWEL_COUNT, TAIL_COUNT = 11172, 19, 21, 28

# A composed character takes at the most so many steps of two into one: a Greek letter and its three marks.
COMPOSING_ROUNDS = 3
# Beyond them Unicode has no character that composes, or is replaced by another.
LAST_COMPOSED = 0x30000


@dataclass(frozen=True)
class Characters:
    """The characters that a model knows, and how text is read.

    Attributes:
      characters: id -> character, from id 1 on; id 0 is UNKNOWN.
      counts: how often each id occurs in the training text, UNKNOWN first.
      normalization: "nfc" composes letters and marks (Unicode Standard Annex 15); "identity" takes text as it is.
      hangul: "syllables", or "jamo" to read each syllable as its two or three jamo.
    """

    characters: tuple[str, ...]
    counts: tuple[int, ...]
    normalization: Literal["nfc", "identity"] = "nfc"
    hangul: Literal["syllables", "jamo"] = "syllables"

    def __len__(self) -> int:
        """Number of ids."""
        return len(self.characters) + 1

    @classmethod
    def learned(cls, counts: Mapping[str, int], min_count: int = 1, **reading) -> "Characters":
        """The vocabulary of a text: those of its characters that occur `min_count` times, in Unicode's order."""
        known = sorted(character for character, count in counts.items() if count >= min_count)
        rare = sum(counts.values()) - sum(counts[character] for character in known)
        return cls(tuple(known), (rare, *(counts[character] for character in known)), **reading)

    def spelt(self, text: str) -> str:
        """The text as a reader counts its characters: normalized, and jamo joined to syllables where they are read."""
        return composed(as_read(text, self.normalization, self.hangul), self.hangul)

    def unknown_in(self, text: str) -> list[str]:
        """The characters of `text` that the model does not know, each once."""
        return sorted({*as_read(text, self.normalization, self.hangul)} - {*self.characters})


def as_read(text: str, normalization: str, hangul: str) -> str:
    """The text whose code points are the model's characters.

    A piece of a text is read as it is in the whole if it begins at the beginning of a line. `CharacterText.ids` does
    the same in the graph, but for one thing: marks on a letter that are not in Unicode's order are left so.
    """
    if normalization == "nfc":
        text = unicodedata.normalize("NFC", text)
    if hangul == "jamo":
        text = re.sub("[가-힣]+", lambda run: unicodedata.normalize("NFD", run[0]), text)
    return text


def composed(text: str, hangul: str) -> str:
    """A text that was read `as_read`, with its jamo joined to syllables again."""
    if hangul == "jamo":
        text = re.sub("[\u1100-\u11ff]+", lambda run: unicodedata.normalize("NFC", run[0]), text)
    return text


class CharacterText(tf.Module):
    """Text <-> ids as TensorFlow ops; the module saves with a model that tracks it.

    Args:
      characters: the vocabulary.
    """

    def __init__(self, characters: Characters):
        super().__init__()
        self.characters = characters
        points = [ord(character) for character in characters.characters]
        self._ids = _table(points, range(1, len(characters)), UNKNOWN)
        self._points = tf.constant([REPLACEMENT, *points], tf.int32)
        self._pairs = self._replaced = None
        if characters.normalization == "nfc":
            pairs, replacements = _composing_pairs(), _replacements()
            self._pairs = _table([_pair_key(*pair) for pair in pairs], pairs.values(), -1)
            self._replaced = _table(replacements, range(len(replacements)), -1)
            rows = [[*parts, NOTHING, NOTHING][:3] for parts in replacements.values()]
            self._replacements = tf.constant([*rows, [NOTHING] * 3], tf.int32)

    def ids(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """string (batch,) -> int32 (batch, None). Invalid UTF-8 becomes UNKNOWN."""
        points = tf.strings.unicode_decode(texts, "UTF-8", errors="replace", replacement_char=REPLACEMENT)
        if self.characters.normalization == "nfc":
            points = self._normalized(points)
        if self.characters.hangul == "jamo":
            points = _decomposed_hangul(points)
        return points.with_values(tf.cast(self._ids.lookup(tf.cast(points.values, tf.int64)), tf.int32))

    def text(self, ids: tf.RaggedTensor) -> tf.Tensor:
        """int32 (batch, None) -> string (batch,), jamo not joined to syllables yet."""
        return tf.strings.unicode_encode(ids.with_values(tf.gather(self._points, ids.values)), "UTF-8")

    def joined(self, texts: tf.Tensor) -> tf.Tensor:
        """string (batch,): with jamo joined to syllables, where the model reads jamo; as they are otherwise."""
        if self.characters.hangul != "jamo":
            return texts
        points = tf.strings.unicode_decode(texts, "UTF-8", errors="replace", replacement_char=REPLACEMENT)
        return tf.strings.unicode_encode(_joined_pairs(points, _hangul_pair), "UTF-8")

    def lengths(self, texts: tf.Tensor) -> tf.Tensor:
        """int32 (batch,): characters as a reader counts them, in composed form."""
        points = tf.strings.unicode_decode(texts, "UTF-8", errors="replace", replacement_char=REPLACEMENT)
        if self.characters.normalization == "nfc":
            points = self._normalized(points)
        elif self.characters.hangul == "jamo":
            points = _joined_pairs(points, _hangul_pair)
        return tf.cast(points.row_lengths(), tf.int32)

    def _normalized(self, points: tf.RaggedTensor) -> tf.RaggedTensor:
        """Normalization form C: what Unicode replaces is replaced, and what it joins is joined."""
        values = points.values
        row = tf.cast(self._replaced.lookup(tf.cast(values, tf.int64)), tf.int32)
        parts = tf.gather(self._replacements, tf.where(row >= 0, row, tf.shape(self._replacements)[0] - 1))
        parts = tf.where((row >= 0)[:, None], parts, tf.pad(values[:, None], [[0, 0], [0, 2]], constant_values=NOTHING))
        points = _flattened(points, parts)

        def whole(first, second):
            found = self._pairs.lookup(_pair_key(tf.cast(first, tf.int64), tf.cast(second, tf.int64)))
            return tf.maximum(_hangul_pair(first, second), tf.cast(found, tf.int32))

        return _joined_pairs(points, whole)


def _joined_pairs(points: tf.RaggedTensor, whole) -> tf.RaggedTensor:
    """Makes one of a code point and its right neighbour where `whole` (first, second) has one for them, else -1."""
    for _ in range(COMPOSING_ROUNDS):
        first = points.values
        rows = points.value_rowids()
        neighbours = tf.equal(rows, tf.concat([rows[1:], [-1]], 0)[: tf.size(rows)])
        one = whole(first, tf.concat([first[1:], [0]], 0)[: tf.size(first)])
        joins = neighbours & (one >= 0)
        swallowed = tf.concat([[False], joins[:-1]], 0)[: tf.size(first)]
        joins &= ~swallowed
        swallowed = tf.concat([[False], joins[:-1]], 0)[: tf.size(first)]
        points = tf.ragged.boolean_mask(points.with_values(tf.where(joins, one, first)), points.with_values(~swallowed))
    return points


def _flattened(points: tf.RaggedTensor, parts: tf.Tensor) -> tf.RaggedTensor:
    """Puts in the place of each code point its parts, (code points, 3), without what is NOTHING."""
    kept = parts != NOTHING
    pieces = tf.RaggedTensor.from_row_lengths(
        tf.boolean_mask(parts, kept), tf.reduce_sum(tf.cast(kept, tf.int64), axis=1)
    )
    return points.with_values(pieces).merge_dims(1, 2)


def _table(keys, values, default: int) -> tf.lookup.StaticHashTable:
    entries = tf.lookup.KeyValueTensorInitializer(
        tf.constant(list(keys), tf.int64, [len(keys)]), tf.constant(list(values), tf.int64, [len(keys)])
    )
    return tf.lookup.StaticHashTable(entries, default)


def _pair_key(first, second):
    return first * (1 << 21) + second  # code points have 21 bits


@functools.cache
def _composing_pairs() -> dict[tuple[int, int], int]:
    """(first, second) -> the character that the two make; Hangul apart, which is computed."""
    pairs = {}
    for point in range(LAST_COMPOSED):
        parts = unicodedata.decomposition(chr(point)).split()
        # <compat> and its like are another character, and a few never compose again.
        if len(parts) == 2 and not parts[0].startswith("<") and unicodedata.normalize("NFC", chr(point)) == chr(point):
            pairs[int(parts[0], 16), int(parts[1], 16)] = point
    return pairs


@functools.cache
def _replacements() -> dict[int, list[int]]:
    """Code points that form C replaces by others, three at the most: duplicates, and what never composes again."""
    composed_alone = ((point, unicodedata.normalize("NFC", chr(point))) for point in range(LAST_COMPOSED))
    return {point: list(map(ord, text)) for point, text in composed_alone if text != chr(point)}


def _hangul_pair(first: tf.Tensor, second: tf.Tensor) -> tf.Tensor:
    """The syllable of lead and vowel, or of a syllable without tail and a tail; -1 where the two are neither."""
    lead, vowel = first - LEADS, second - VOWELS
    without_tail, tail = first - SYLLABLES, second - TAILS
    is_lead_vowel = (lead >= 0) & (lead < LEAD_COUNT) & (vowel >= 0) & (vowel < VOWEL_COUNT)
    is_with_tail = (without_tail >= 0) & (without_tail < SYLLABLE_COUNT) & (without_tail % TAIL_COUNT == 0)
    is_with_tail &= (tail > 0) & (tail < TAIL_COUNT)
    syllable = SYLLABLES + (lead * VOWEL_COUNT + vowel) * TAIL_COUNT
    return tf.where(is_lead_vowel, syllable, tf.where(is_with_tail, first + tail, -1))


def _decomposed_hangul(points: tf.RaggedTensor) -> tf.RaggedTensor:
    values = points.values
    index = values - SYLLABLES
    is_syllable = (index >= 0) & (index < SYLLABLE_COUNT)
    first = tf.where(is_syllable, LEADS + index // (VOWEL_COUNT * TAIL_COUNT), values)
    vowel = tf.where(is_syllable, VOWELS + index % (VOWEL_COUNT * TAIL_COUNT) // TAIL_COUNT, NOTHING)
    tail = tf.where(is_syllable & (index % TAIL_COUNT > 0), TAILS + index % TAIL_COUNT, NOTHING)
    return _flattened(points, tf.stack([first, vowel, tail], axis=1))
