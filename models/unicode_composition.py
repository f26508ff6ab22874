"""Unicode normalization form C and Hangul composition inside the graph, with TensorFlow's core ops only.

The code points of a batch of texts are two tensors, the points and the number of the text that each is part of: without
ragged tensors in between, a graph has a fifth of the operations. The tables come from Python's `unicodedata`.
"""

import functools
import unicodedata
from collections.abc import Callable, Collection

import tensorflow as tf

# The code points of a batch of texts, int32 `(n,)`, and the number of the text of each, int64 `(n,)`, in order.
Points = tuple[tf.Tensor, tf.Tensor]

# Marks a position without a code point.
NO_POINT = -1

# Hangul syllables are computed: syllable = S_BASE + (lead * V_COUNT + vowel) * T_COUNT + tail, with the names of The
# Unicode Standard, section 3.12, "Conjoining Jamo Behavior".
S_BASE, L_BASE, V_BASE, T_BASE = 0xAC00, 0x1100, 0x1161, 0x11A7
S_COUNT, L_COUNT, V_COUNT, T_COUNT = 11172, 19, 21, 28

# A composed character results from at most this many pairwise compositions: a Greek letter with three marks.
COMPOSITION_ROUNDS = 3
# No code point from here on is changed by normalization form C.
COMPOSITION_LIMIT = 0x30000


class NfcNormalizer(tf.Module):
    """Normalization form C (Unicode Standard Annex 15) of code points, as TensorFlow ops.

    It differs from `unicodedata.normalize("NFC", text)` for some combining marks: they are not reordered, and a
    character is composed only with the mark next to it.
    """

    def __init__(self):
        super().__init__()
        pairs, replacements = _compositions(), _replacements()
        self._pairs = lookup_table([_pair_key(*pair) for pair in pairs], pairs.values(), -1)
        self._rows = lookup_table(replacements, range(len(replacements)), -1)
        rows = [[*parts, NO_POINT, NO_POINT][:3] for parts in replacements.values()]
        self._replacements = tf.constant([*rows, [NO_POINT] * 3], tf.int32)

    def __call__(self, points: Points) -> Points:
        """Normalize code points."""
        values, rows = points
        row = tf.cast(self._rows.lookup(tf.cast(values, tf.int64)), tf.int32)
        parts = tf.gather(self._replacements, tf.where(row >= 0, row, tf.shape(self._replacements)[0] - 1))
        unchanged = tf.pad(values[:, None], [[0, 0], [0, 2]], constant_values=NO_POINT)
        return compose_pairs(expand_points(tf.where((row >= 0)[:, None], parts, unchanged), rows), self._compose)

    def _compose(self, first, second):
        composed = self._pairs.lookup(_pair_key(tf.cast(first, tf.int64), tf.cast(second, tf.int64)))
        return tf.maximum(compose_hangul(first, second), tf.cast(composed, tf.int32))


def compose_pairs(points: Points, compose: Callable) -> Points:
    """Replace pairs of neighboring code points by the character that they compose.

    Args:
        points: The code points.
        compose: Function of two int32 tensors `(n,)`, the first and the second code points, that returns the composed
            code points, int32 `(n,)`, and -1 where a pair does not compose.

    Returns:
        The code points after `COMPOSITION_ROUNDS` passes from left to right, or after the first that changes nothing.
    """

    def one_pass(values, rows, changed):
        same_row = tf.equal(rows, tf.pad(rows, [[0, 1]], constant_values=-1)[1:])
        composed = compose(values, tf.pad(values, [[0, 1]])[1:])
        joins = same_row & (composed >= 0)
        # A code point that already joins its left neighbor does not also join its right one.
        joins &= ~_shifted(joins)
        kept = tf.where(~_shifted(joins))[:, 0]
        return tf.gather(tf.where(joins, composed, values), kept), tf.gather(rows, kept), tf.reduce_any(joins)

    values, rows, _ = tf.while_loop(
        lambda values, rows, changed: changed,
        one_pass,
        (*points, tf.constant(True)),
        shape_invariants=(tf.TensorShape([None]), tf.TensorShape([None]), tf.TensorShape([])),
        maximum_iterations=COMPOSITION_ROUNDS,
    )
    return values, rows


def _shifted(flags: tf.Tensor) -> tf.Tensor:
    """Return for each position the flag of the position before it: bool `(n,)`."""
    return tf.pad(flags, [[1, 0]])[:-1]


def expand_points(parts: tf.Tensor, rows: tf.Tensor) -> Points:
    """Replace each code point by up to three others.

    Args:
        parts: int32 `(n, 3)`, the replacements, filled up with NO_POINT.
        rows: int64 `(n,)`, the number of the text of each code point.

    Returns:
        The code points.
    """
    present = tf.where(parts != NO_POINT)
    return tf.gather_nd(parts, present), tf.gather(rows, present[:, 0])


def compose_hangul(first: tf.Tensor, second: tf.Tensor) -> tf.Tensor:
    """Compose lead and vowel, or a syllable without a tail and a tail.

    Args:
        first: int32 `(n,)`, code points.
        second: int32 `(n,)`, the code points after them.

    Returns:
        int32 `(n,)`, the syllables; -1 where the two do not compose.
    """
    lead, vowel = first - L_BASE, second - V_BASE
    syllable_index, tail = first - S_BASE, second - T_BASE
    is_lead_vowel = (lead >= 0) & (lead < L_COUNT) & (vowel >= 0) & (vowel < V_COUNT)
    is_with_tail = (syllable_index >= 0) & (syllable_index < S_COUNT) & (syllable_index % T_COUNT == 0)
    is_with_tail &= (tail > 0) & (tail < T_COUNT)
    syllable = S_BASE + (lead * V_COUNT + vowel) * T_COUNT
    return tf.where(is_lead_vowel, syllable, tf.where(is_with_tail, first + tail, -1))


def decompose_hangul(points: Points) -> Points:
    """Replace each Hangul syllable by its two or three conjoining jamo."""
    values, rows = points
    index = values - S_BASE
    is_syllable = (index >= 0) & (index < S_COUNT)
    first = tf.where(is_syllable, L_BASE + index // (V_COUNT * T_COUNT), values)
    vowel = tf.where(is_syllable, V_BASE + index % (V_COUNT * T_COUNT) // T_COUNT, NO_POINT)
    tail = tf.where(is_syllable & (index % T_COUNT > 0), T_BASE + index % T_COUNT, NO_POINT)
    return expand_points(tf.stack([first, vowel, tail], axis=1), rows)


def lookup_table(keys: Collection[int], values: Collection[int], default: int) -> tf.lookup.StaticHashTable:
    """Return a table from int64 keys to int64 values, with `default` for unknown keys."""
    entries = tf.lookup.KeyValueTensorInitializer(
        tf.constant(list(keys), tf.int64, [len(keys)]), tf.constant(list(values), tf.int64, [len(keys)])
    )
    return tf.lookup.StaticHashTable(entries, default)


def _pair_key(first, second):
    return first * (1 << 21) + second  # a code point has 21 bits


@functools.cache
def _compositions() -> dict[tuple[int, int], int]:
    """Return the canonical compositions, (first, second) -> composed, without Hangul, which is computed."""
    pairs = {}
    for point in range(COMPOSITION_LIMIT):
        parts = unicodedata.decomposition(chr(point)).split()
        # Decompositions with a tag, such as <compat>, are not canonical; some canonical ones are excluded from
        # composition.
        if len(parts) == 2 and not parts[0].startswith("<") and unicodedata.normalize("NFC", chr(point)) == chr(point):
            pairs[int(parts[0], 16), int(parts[1], 16)] = point
    return pairs


@functools.cache
def _replacements() -> dict[int, list[int]]:
    """Return the code points that form C always replaces, each with its one to three replacements.

    They are singleton decompositions and composition exclusions.
    """
    normalized = ((point, unicodedata.normalize("NFC", chr(point))) for point in range(COMPOSITION_LIMIT))
    return {point: list(map(ord, text)) for point, text in normalized if text != chr(point)}
