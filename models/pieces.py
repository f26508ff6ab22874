"""A language model's vocabulary of SentencePiece pieces, and conversion between text and their ids inside the graph.

A document begins after an end token and ends with one. In its text blanks are collapsed, as SentencePiece does.
"""

import dataclasses
import functools
import re
from collections.abc import Iterable

import sentencepiece
import tensorflow as tf

from models.text import BOS, EOS, PAD, SPACE, UNKNOWN, SentencePieceText

LINE_END = "\n"
# What an unknown piece is written as: U+FFFD REPLACEMENT CHARACTER.
REPLACEMENT = "\ufffd"
# Pieces of a prompt or of a scored text, at most; where line ends are pieces, of a line.
MAX_PIECES = 1_000_000
# Characters of a text that are looked at for unknown ones.
MAX_UNKNOWN = 100_000


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
    def names(self) -> tuple[str, ...]:
        """The pieces as SentencePiece writes them."""
        return tuple(self.processor.id_to_piece(index) for index in range(len(self)))

    @functools.cached_property
    def symbols(self) -> tuple[str, ...]:
        """The text of each id, with blanks for SentencePiece's mark; of the special ids, what they are written as."""
        texts = [name.replace(SPACE, " ") for name in self.names]
        texts[PAD] = texts[BOS] = texts[EOS] = ""
        texts[UNKNOWN] = REPLACEMENT
        return tuple(texts)

    @functools.cached_property
    def has_line_ends(self) -> bool:
        """Whether a line end is a piece; otherwise it is a blank."""
        return LINE_END in self.symbols

    def normalize_for_scoring(self, text: str) -> str:
        """Return the text whose length is the number of characters that scores are divided by."""
        if self.has_line_ends:
            return re.sub(r" *\n *", "\n", re.sub(r"[\t\f\r ]+", " ", text)).strip(" ")
        return re.sub(r"[\t\n\f\r ]+", " ", text).strip(" ")

    def as_read(self, text: str) -> str:
        """Return the text as it is; see `models.characters.Characters.as_read`."""
        return text

    def as_written(self, text: str) -> str:
        """Return the text as the model writes it: normalized by SentencePiece's rule, with collapsed blanks."""
        lines = text.split(LINE_END) if self.has_line_ends else [text]
        normalized = (self.processor.normalize(re.sub(r"[\t\n\f\r ]+", " ", line)) for line in lines)
        return LINE_END.join(line.replace(SPACE, " ").strip(" ") for line in normalized)

    def unknown_in(self, text: str) -> list[str]:
        """Return the different parts of `text` that no piece covers, sorted."""
        found = {*self.processor.encode(" ".join(text[:MAX_UNKNOWN].split()), out_type=str)}
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
        self._tokenizer = SentencePieceText(pieces.model, max_pieces)
        self._symbols = tf.constant(pieces.symbols)
        self._line_end = pieces.symbols.index(LINE_END) if pieces.has_line_ends else None

    @property
    def unwritten(self) -> Iterable[int]:
        """The ids that are never generated."""
        return PAD, UNKNOWN, BOS

    def ids(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """Convert texts, string `(batch,)`, to ids, int32 `(batch, None)`.

        Where line ends are pieces, each line is segmented like a text.
        """
        if not self.characters.has_line_ends:
            return self._tokenizer.pieces(texts)
        lines = tf.strings.split(texts, LINE_END)
        pieces = self._tokenizer.pieces(lines.values)
        last = lines.row_limits() - 1
        counts = tf.tensor_scatter_nd_update(tf.ones_like(lines.values, tf.int64), last[:, None], tf.zeros_like(last))
        ends = tf.RaggedTensor.from_row_lengths(tf.fill([tf.reduce_sum(counts)], self._line_end), counts)
        return lines.with_values(tf.concat([pieces, ends], axis=1)).merge_dims(1, 2)

    def text(self, ids: tf.RaggedTensor) -> tf.Tensor:
        """Convert ids, int32 `(batch, None)`, to texts, string `(batch,)`; a blank before the first word is kept."""
        texts = tf.strings.reduce_join(tf.gather(self._symbols, ids), axis=-1)
        return tf.strings.regex_replace(texts, "\n ", "\n") if self.characters.has_line_ends else texts

    def compose_jamo(self, texts: tf.Tensor) -> tf.Tensor:
        """Return the texts as they are."""
        return texts

    def joined(self, prompts: tf.Tensor, continuations: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Join prompts and their continuations; after a blank, and at the beginning of a text, no blank follows.

        Args:
            prompts: string `(batch,)`.
            continuations: string `(batch,)`, from `text`.

        Returns:
            The texts and the continuations, string `(batch,)` each.
        """
        begins = ends_in_blank(prompts)
        continuations = tf.where(begins, tf.strings.regex_replace(continuations, r"^ ", ""), continuations)
        return tf.strings.join([prompts, continuations]), continuations

    def joined_part(
        self, pending: tf.Tensor, continuations: tf.Tensor, after_blank: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Join a part of a text that is generated in parts; see `models.characters.CharacterText.joined_part`."""
        texts = tf.where(after_blank, tf.strings.regex_replace(continuations, r"^ ", ""), continuations)
        after_blank &= continuations == ""
        if self.characters.has_line_ends:
            after_blank |= tf.strings.regex_full_match(continuations, r"(?s).*\n")
        return tf.strings.join([pending, texts]), tf.fill(tf.shape(texts), ""), after_blank

    def lengths(self, texts: tf.Tensor) -> tf.Tensor:
        """Count the characters of texts, string `(batch,)`, with collapsed blanks: int32 `(batch,)`."""
        if self.characters.has_line_ends:
            texts = tf.strings.regex_replace(tf.strings.regex_replace(texts, r"[\t\f\r ]+", " "), r" *\n *", "\n")
        else:
            texts = tf.strings.regex_replace(texts, r"[\t\n\f\r ]+", " ")
        return tf.strings.length(tf.strings.regex_replace(texts, r"^ | $", ""), unit="UTF8_CHAR")


def ends_in_blank(texts: tf.Tensor) -> tf.Tensor:
    """Return whether texts, string `(batch,)`, are empty or end in a blank: bool `(batch,)`."""
    return tf.strings.regex_full_match(texts, r"(?s)(.*\s)?")
