"""Spans of a text that a regular expression finds, taken out of it and put back, with TensorFlow's core ops only."""

from typing import NamedTuple

import tensorflow as tf

# U+001F INFORMATION SEPARATOR ONE: a control character that marks the ends of spans.
SEPARATOR = "\x1f"


class Parts(NamedTuple):
    """Texts, divided at the spans.

    Attributes:
        values: string `(parts,)`, of all texts one after the other; of each text the first part is no span, the second
            is one, and so on in turn.
        rows: int64 `(parts,)`, the row of the text that a part belongs to.
        index: int64 `(parts,)`, number of spans of the text before this part; the number of a span, counted from 0.
        is_span: bool `(parts,)`.
        count: int64 `()`, number of texts.
    """

    values: tf.Tensor
    rows: tf.Tensor
    index: tf.Tensor
    is_span: tf.Tensor
    count: tf.Tensor

    def join(self, values: tf.Tensor) -> tf.Tensor:
        """Join parts, string `(parts,)`, to texts, string `(batch,)`."""
        return tf.strings.unsorted_segment_join(values, self.rows, self.count)

    def ragged(self, mask: tf.Tensor) -> tf.RaggedTensor:
        """Return the parts that a mask, bool `(parts,)`, selects, as string `(batch, None)`."""
        return tf.RaggedTensor.from_value_rowids(
            tf.boolean_mask(self.values, mask), tf.boolean_mask(self.rows, mask), self.count
        )


def split(texts: tf.Tensor, pattern: str) -> Parts:
    """Divide texts at the matches of a pattern.

    Args:
        texts: string `(batch,)`. The separator U+001F becomes a space.
        pattern: A regular expression of RE2 without capturing groups.
    """
    texts = tf.strings.regex_replace(texts, SEPARATOR, " ")
    parts = tf.strings.split(tf.strings.regex_replace(texts, f"({pattern})", rf"{SEPARATOR}\1{SEPARATOR}"), SEPARATOR)
    rows = parts.value_rowids()
    place = tf.range(tf.size(rows, tf.int64)) - tf.gather(parts.row_starts(), rows)
    return Parts(parts.values, rows, place // 2, place % 2 == 1, parts.nrows())
