"""A text on its way to a translator and its translation on the way back: masking, case, tokens."""

from typing import NamedTuple

import tensorflow as tf

from models.graph_methods import built_once
from models.placeholders import Placeholders, symbols_in
from models.text import SPECIALS, UNKNOWN, SentencePieceText
from models.truecasing import Truecaser

# A text with more than this share of unknown characters has no translation worth reading.
MOSTLY = 0.5


class Sentences(NamedTuple):
    """Sentences as the network reads them.

    Attributes:
        pieces: Ids, int32 `(batch, None)`, at most `max_tokens` for each sentence.
        truncated: bool `(batch,)`, whether the sentence has more.
        spans: string `(batch, symbols)`, what the symbols stand for.
        is_upper: bool `(batch,)`, whether the sentence was in capital letters and is read in its usual case.
        unknown: bool `(batch,)`, whether most characters are unknown to the vocabulary.
    """

    pieces: tf.RaggedTensor
    truncated: tf.Tensor
    spans: tf.Tensor
    is_upper: tf.Tensor
    unknown: tf.Tensor


class SourceText(tf.Module):
    """Conversion of sentences to ids, and of what they need to be restored in a translation.

    Args:
        model: The serialized SentencePiece model of the source language.
        max_tokens: Maximum number of pieces of a sentence.
        placeholders: Masks spans; None where the vocabulary has no symbols for them.
        truecaser: Folds capital letters; None leaves all texts as they are.
        copy_unknown: Whether unknown characters are masked as well, as long as there are symbols.
    """

    def __init__(
        self,
        model: bytes,
        max_tokens: int,
        placeholders: Placeholders | None = None,
        truecaser: Truecaser | None = None,
        copy_unknown: bool = False,
    ):
        super().__init__()
        self.max_tokens, self.placeholders, self.truecaser = max_tokens, placeholders, truecaser
        self.symbols = placeholders.count if placeholders is not None else 0
        self._copy_unknown = copy_unknown and self.symbols > 0
        # One piece more than the network reads, so that a sentence that is too long is noticed.
        self.tokens = SentencePieceText(model, max_tokens + 1)
        strings, flags = tf.TensorSpec([None], tf.string), tf.TensorSpec([None], tf.bool)
        self._read_graph = built_once(self._read, strings)
        spans = tf.TensorSpec([None, self.symbols], tf.string)
        self._restore_graph = built_once(self._restored, strings, flags, spans)

    def read(self, texts: tf.Tensor) -> Sentences:
        """Convert sentences, string `(batch,)`."""
        return self._read_graph(texts)

    def _read(self, texts: tf.Tensor) -> Sentences:
        spans, is_upper = tf.fill([tf.size(texts), self.symbols], ""), tf.fill([tf.size(texts)], False)
        if self.placeholders is not None:
            texts, spans = self.placeholders.mask(texts)
        if self.truecaser is not None:
            texts, is_upper = self.truecaser.fold(texts)
        pieces, surfaces, unknown_share = self.tokens.pieces_and_unknown(texts)
        if self._copy_unknown:
            if self.truecaser is not None:  # they are copied into a translation in capital letters
                rows = tf.gather(is_upper, surfaces.value_rowids())
                surfaces = surfaces.with_values(self.truecaser.restore(surfaces.values, rows))
            pieces, spans = self._mask_unknown(pieces, surfaces, spans)
        truncated = pieces.row_lengths() > self.max_tokens
        return Sentences(pieces[:, : self.max_tokens], truncated, spans, is_upper, unknown_share > MOSTLY)

    def restore(self, texts: tf.Tensor, sentences: Sentences, repeats: tf.Tensor | int = 1) -> tf.Tensor:
        """Give translations the case and the spans of their sentences.

        Args:
            texts: string `(batch * repeats,)`.
            sentences: From `read`.
            repeats: Number of translations of each sentence, next to each other.
        """
        is_upper, spans = tf.repeat(sentences.is_upper, repeats), tf.repeat(sentences.spans, repeats, axis=0)
        return self._restore_graph(texts, is_upper, spans)

    def _restored(self, texts: tf.Tensor, is_upper: tf.Tensor, spans: tf.Tensor) -> tf.Tensor:
        if self.truecaser is not None:
            texts = self.truecaser.restore(texts, is_upper)
        if self.placeholders is not None:
            texts = self.placeholders.restore(texts, spans)
        return texts

    def required_symbols(self, pieces: tf.RaggedTensor) -> tf.Tensor | None:
        """Return which symbols a translation must have, bool `(batch, symbols)`; None if there are none."""
        return symbols_in(pieces.to_tensor(0), self.symbols) if self.symbols else None

    def _mask_unknown(self, pieces, surfaces, spans):
        """Replace unknown pieces by symbols that no span uses.

        Args:
            pieces: int32 `(batch, None)`.
            surfaces: string `(batch, None)`, the text of each unknown piece, in their order.
            spans: string `(batch, symbols)`.

        Returns:
            The pieces, and the spans with the texts of these pieces.
        """
        used = tf.reduce_sum(tf.cast(spans != "", tf.int64), axis=1)
        is_unknown = pieces == UNKNOWN
        order = tf.ragged.map_flat_values(tf.cast, is_unknown, tf.int64).to_tensor(0)
        number = used[:, None] + tf.cumsum(order, axis=1) - 1
        number = tf.RaggedTensor.from_tensor(number, lengths=pieces.row_lengths()).flat_values
        masked = is_unknown.flat_values & (number < self.symbols)
        ids = tf.where(masked, SPECIALS + tf.cast(number, tf.int32), pieces.flat_values)
        # Symbols that are in use stay in front, and the unknown ones follow them.
        own = tf.RaggedTensor.from_tensor(spans, lengths=used)
        return pieces.with_flat_values(ids), tf.concat([own, surfaces], 1).to_tensor("", shape=(None, self.symbols))
