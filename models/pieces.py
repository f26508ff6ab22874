"""A language model's vocabulary of SentencePiece pieces, and conversion between text and their ids inside the graph.

A document begins after an end token and ends with one. In its text blanks are collapsed, as SentencePiece does.
"""

import dataclasses
import functools
import re
from collections.abc import Iterable

import sentencepiece
import tensorflow as tf

from models.text import BOS, EOS, PAD, SPACE, UNKNOWN, SentencePieceText, normalizer

LINE_END = "\n"
# What an unknown piece is written as: U+FFFD REPLACEMENT CHARACTER.
REPLACEMENT = "\ufffd"
# Pieces of a prompt or of a scored text, at most.
MAX_PIECES = 1_000_000


@dataclasses.dataclass(frozen=True)
class Pieces:
    """A vocabulary of pieces; the counterpart of `models.characters.Characters`.

    Attributes:
        model: The serialized SentencePiece model.
        counts: Number of occurrences of each id in the training text.
    """

    model: bytes = dataclasses.field(repr=False)
    counts: tuple[int, ...] = dataclasses.field(repr=False)
    # No letters are taken apart, so nothing has to be composed in the output.
    normalization = "identity"
    hangul = "syllables"

    def __len__(self) -> int:
        """Return the number of ids."""
        return self.processor.get_piece_size()

    @functools.cached_property
    def processor(self) -> sentencepiece.SentencePieceProcessor:
        """The SentencePiece library's object."""
        return sentencepiece.SentencePieceProcessor(model_proto=self.model)

    @functools.cached_property
    def symbols(self) -> tuple[str, ...]:
        """The text of each id, with blanks for SentencePiece's mark; of the special ids, what they are written as."""
        texts = [self.processor.id_to_piece(index).replace(SPACE, " ") for index in range(len(self))]
        texts[PAD] = texts[BOS] = texts[EOS] = ""
        texts[UNKNOWN] = REPLACEMENT
        return tuple(texts)

    @functools.cached_property
    def has_line_ends(self) -> bool:
        """Whether a line end is a piece; otherwise it is a blank."""
        return LINE_END in self.symbols

    def normalize_for_scoring(self, text: str) -> str:
        """Return the text whose length is the number of characters that scores are divided by."""
        kept = normalizer("identity").normalize
        if self.has_line_ends:
            return LINE_END.join(kept(line) for line in text.split(LINE_END))
        return kept(re.sub(r"\s+", " ", text))

    def unknown_in(self, text: str) -> list[str]:
        """Return the different parts of `text` that no piece covers, sorted."""
        found = {*self.processor.encode(text, out_type=str)}
        return sorted(piece.replace(SPACE, "") for piece in found if self.processor.piece_to_id(piece) == UNKNOWN)


class PieceText(tf.Module):
    """Conversion between text and piece ids, in TensorFlow ops; the counterpart of `models.characters.CharacterText`.

    A SavedModel that tracks the module contains the vocabulary; it needs the op of `tensorflow-text`.

    Args:
        pieces: The vocabulary.
        max_pieces: Maximum number of pieces of a text; longer texts are truncated.
    """

    def __init__(self, pieces: Pieces, max_pieces: int = MAX_PIECES):
        super().__init__()
        self.characters = pieces
        self._tokenizer = SentencePieceText(pieces.model, max_pieces, keep_lines=pieces.has_line_ends)
        self._symbols = tf.constant(pieces.symbols)

    @property
    def unwritten(self) -> Iterable[int]:
        """The ids that are never generated."""
        return PAD, UNKNOWN, BOS

    def ids(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """Convert texts, string `(batch,)`, to ids, int32 `(batch, None)`."""
        return self._tokenizer.pieces(texts)

    def text(self, ids: tf.RaggedTensor) -> tf.Tensor:
        """Convert ids, int32 `(batch, None)`, to texts, string `(batch,)`; a blank before the first word is kept."""
        return tf.strings.reduce_join(tf.gather(self._symbols, ids), axis=-1)

    def compose_jamo(self, texts: tf.Tensor) -> tf.Tensor:
        """Return the texts as they are."""
        return texts

    def joined(self, prompts: tf.Tensor, continuations: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Join prompts and their continuations; a text does not begin with a blank.

        Args:
            prompts: string `(batch,)`.
            continuations: string `(batch,)`, from `text`.

        Returns:
            The texts and the continuations, string `(batch,)` each.
        """
        begins = tf.equal(tf.strings.length(prompts), 0)
        continuations = tf.where(begins, tf.strings.regex_replace(continuations, r"^ ", ""), continuations)
        return tf.strings.join([prompts, continuations]), continuations

    def lengths(self, texts: tf.Tensor) -> tf.Tensor:
        """Count the characters of texts, string `(batch,)`, with collapsed blanks: int32 `(batch,)`."""
        blanks = r"[\t\f\r ]+" if self.characters.has_line_ends else r"\s+"
        return tf.strings.length(tf.strings.strip(tf.strings.regex_replace(texts, blanks, " ")), unit="UTF8_CHAR")
