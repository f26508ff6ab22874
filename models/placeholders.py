"""Spans that a translation copies, such as URLs and placeholders: masked by symbols, and put back into the output.

A span of the source that is the same in the target is one symbol of the vocabulary on both sides. The symbols are
characters of a private-use area of Unicode, which SentencePiece keeps as one piece each (user-defined symbols).
"""

from collections.abc import Sequence

import tensorflow as tf

from models import text_spans
from models.text import SPECIALS

_URL = r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]*[A-Za-z0-9/=&#_~%$+\-]"
_UNITS = r"(?:(?:km/h|m/s|[mcdk]?m|[mk]?g|[mcd]?l|[kKMGT]i?B|[kMG]?Hz|kWh?|mAh|ms|s|min|px|pt|dpi)\b|°[CF]?|%|[€£¥₩])"
# Regular expressions of the spans, in the order in which they are tried. They mean the same to RE2 and to `re` with its
# flag ASCII.
KINDS = {
    "url": rf"\b(?:https?|ftp)://{_URL}|\bwww\.{_URL}",
    "email": r"[A-Za-z0-9._%+\-]+@[A-Za-z0-9\-]+(?:\.[A-Za-z0-9\-]+)+",
    "tag": r"</?[A-Za-z][A-Za-z0-9]*(?:[ \t][^<>]{0,200})?/?>|&[A-Za-z]{2,10};|&#\d{1,7};",
    "placeholder": (
        r"\{\{[^{}]{1,60}\}\}|[$%#]\{[^{}\s]{1,60}\}|\{[A-Za-z0-9_.:!\-]{0,60}\}|\$[A-Za-z_]\w*"
        r"|%(?:\d+\$)?(?:\(\w+\))?[\-+#0]*\d*(?:\.\d+)?(?:hh?|ll?|[Lzjt])?(?:[diouxXeEfFgGcrsSa]\b|@)"
    ),
    "time": r"\b\d{1,2}:\d{2}(?::\d{2})?\b",
    "measure": rf"[$€£¥₩]\s?\d+(?:[.,]\d+)*|\b\d+(?:[.,]\d+)*\s?{_UNITS}",
}
# Kinds that mean the same in every language; the others are written differently in some.
VERBATIM = ("url", "email", "tag", "placeholder")
MAX_SYMBOLS = 8
FIRST_SYMBOL = 0xF0000
# Spans of a text that are compared with those of its translation.
_COMPARED = 32


def symbols(count: int) -> list[str]:
    """Return the first symbols: characters, in the order of their ids, which follow the special ones."""
    return [chr(FIRST_SYMBOL + index) for index in range(count)]


def symbols_in(ids: tf.Tensor, count: int) -> tf.Tensor:
    """Return which symbols occur among ids, int32 `(..., timesteps)`, as bool `(..., count)`."""
    return tf.reduce_any(ids[..., None] == SPECIALS + tf.range(count), axis=-2)


class Placeholders(tf.Module):
    """Replaces the spans of texts by symbols, and symbols by spans.

    Args:
        kinds: Kinds of spans, keys of `KINDS`.
        count: Number of symbols: spans of a text that are replaced. Further ones stay as they are.

    Example:
        >>> placeholders = Placeholders(["url"], 2)
        >>> masked, spans = placeholders.mask(tf.constant(["See https://example.org now."]))
        >>> placeholders.restore(masked, spans).numpy()[0].decode()
        'See https://example.org now.'
    """

    def __init__(self, kinds: Sequence[str], count: int):
        super().__init__()
        self.kinds, self.count = tuple(kinds), count
        self._pattern = "|".join(KINDS[kind] for kind in KINDS if kind in kinds)
        self._symbols = symbols(count)
        self._any_symbol = f"[{self._symbols[0]}-{self._symbols[-1]}]"

    def mask(self, texts: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Replace spans by symbols, the first span by the first symbol.

        Args:
            texts: string `(batch,)`; symbols in them are removed.

        Returns:
            The texts, string `(batch,)`, and their spans, string `(batch, count)`, filled up with "".
        """
        parts = self._split(texts)
        spans = parts.ragged(parts.is_span & (parts.index < self.count)).to_tensor("", shape=(None, self.count))
        number = tf.where(parts.is_span & (parts.index < self.count), parts.index, -1)
        return parts.join(self._replaced(parts.values, number)), spans

    def mask_pairs(self, sources: tf.Tensor, targets: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Replace the spans that a source and its target have in common; the others stay as they are.

        Which symbol a text begins with depends on the source, so that a training sees all of them about equally often.

        Args:
            sources: string `(batch,)`; symbols in them are removed.
            targets: string `(batch,)`, one for each source.

        Returns:
            The texts of both sides, string `(batch,)` each.
        """
        parts, other_parts = self._split(sources), self._split(targets)
        spans, other = (
            side.ragged(side.is_span & (side.index < _COMPARED)).to_tensor("", shape=(None, _COMPARED))
            for side in (parts, other_parts)
        )
        # The n-th occurrence of a span belongs to the n-th occurrence in the target.
        pairs = (spans[:, :, None] == other[:, None]) & (spans != "")[:, :, None]
        pairs &= _occurrence(spans)[:, :, None] == _occurrence(other)[:, None]  # (batch, spans, other spans)
        shared = tf.cast(tf.reduce_any(pairs, axis=2), tf.int64)
        order = tf.cumsum(shared, axis=1) - 1
        start = tf.strings.to_hash_bucket_fast(sources, self.count)
        number = tf.where((shared > 0) & (order < self.count), (start[:, None] + order) % self.count, -1)
        # -1 + 1 where no span of the source corresponds.
        other_number = tf.reduce_sum(tf.cast(pairs, tf.int64) * (number + 1)[:, :, None], axis=1) - 1
        return self._with_numbers(parts, number), self._with_numbers(other_parts, other_number)

    def restore(self, texts: tf.Tensor, spans: tf.Tensor) -> tf.Tensor:
        """Replace symbols by spans.

        Args:
            texts: string `(batch,)`.
            spans: string `(batch, count)`, from `mask`.

        Returns:
            string `(batch,)`.
        """
        parts = text_spans.split(texts, self._any_symbol)
        number = tf.argmax(parts.values[:, None] == tf.constant(self._symbols), axis=1)
        return parts.join(tf.where(parts.is_span, tf.gather_nd(spans, tf.stack([parts.rows, number], 1)), parts.values))

    def restore_pieces(self, pieces: tf.Tensor, ids: tf.Tensor, spans: tf.Tensor) -> tf.Tensor:
        """Replace the pieces that are symbols by spans.

        Args:
            pieces: string `(batch, timesteps)`.
            ids: int32 `(batch, timesteps)`, their ids.
            spans: string `(batch, count)`, from `mask`.

        Returns:
            string `(batch, timesteps)`.
        """
        number = ids - SPECIALS
        is_symbol = (number >= 0) & (number < self.count)
        return tf.where(is_symbol, tf.gather(spans, tf.where(is_symbol, number, 0), batch_dims=1), pieces)

    def _split(self, texts):
        return text_spans.split(tf.strings.regex_replace(texts, self._any_symbol, ""), self._pattern)

    def _with_numbers(self, parts, numbers):
        """Replace spans by the symbols with given numbers, int64 `(batch, _COMPARED)`; -1 is none."""
        compared = parts.is_span & (parts.index < _COMPARED)
        number = tf.gather_nd(numbers, tf.stack([parts.rows, tf.minimum(parts.index, _COMPARED - 1)], axis=1))
        return parts.join(self._replaced(parts.values, tf.where(compared, number, -1)))

    def _replaced(self, values, number):
        return tf.where(number >= 0, tf.gather(self._symbols, tf.maximum(number, 0)), values)


def _occurrence(spans: tf.Tensor) -> tf.Tensor:
    """Return the number of equal spans before each one, for spans `(batch, spans)`."""
    equal = tf.cast(spans[:, :, None] == spans[:, None], tf.int32)
    return tf.reduce_sum(tf.linalg.band_part(equal, -1, 0), axis=2)
