"""SentencePiece tokenization inside the graph (Kudo and Richardson 2018).

The graph holds the tokenizer, so an exported model accepts plain text. The op comes from `tensorflow-text`, which
TensorFlow Serving includes.
"""

import hashlib
import io
import re
from collections.abc import Iterable, Sequence
from typing import Literal

import sentencepiece
import tensorflow as tf
import tensorflow_text

from models.interruptible import interruptible
from models.listed import listed

PAD, UNKNOWN, BOS, EOS = 0, 1, 2, 3
# Number of special ids; the ids of ordinary pieces start here.
SPECIALS = 4
# The piece that SentencePiece writes for a blank.
SPACE = "\u2581"
# SentencePiece limits a piece to 16 characters, each of which has at most 4 bytes in UTF-8.
MAX_PIECE_BYTES = 64

_NO_TEXT = "no text to learn a vocabulary from: every text is empty or blank"


def train_sentencepiece(
    texts: Iterable[str],
    *,
    size: int,
    model_type: Literal["unigram", "bpe", "char", "word"] = "unigram",
    normalization: Literal["nmt_nfkc", "nmt_nfkc_cf", "nfkc", "nfkc_cf", "identity"] = "nmt_nfkc",
    character_coverage: float = 0.9995,
    split_digits: bool = False,
    required_characters: str = "",
    symbols: Sequence[str] = (),
    threads: int = 2,
) -> bytes:
    """Train a SentencePiece model.

    Args:
        texts: The training texts, iterated over once. The trainer holds them in memory, so pass a sample of a large
            corpus.
        size: Maximum number of pieces, including the four special ones. A small corpus may yield fewer.
        model_type: `"unigram"` (Kudo 2018), `"bpe"` (Sennrich et al. 2016), `"char"` or `"word"`.
        normalization: SentencePiece's normalization rule; the rules that end in `_cf` also fold case.
        character_coverage: Share of the characters in the texts that the pieces must cover; rarer characters map to
            the unknown id.
        split_digits: Makes every digit a separate piece.
        required_characters: Normalized characters that the pieces cover in any case.
        symbols: Texts that are a piece each wherever they occur, with the first ids after the special ones.
        threads: Number of threads. The same texts with the same number yield the same model; another number may
            order the pieces differently.

    Returns:
        The serialized model.

    Raises:
        TypeError: If `texts` or `symbols` is a single text.
        ValueError: If all texts are empty, or if `size` is smaller than the number of different characters.

    Example:
        >>> model = train_sentencepiece(["a good film", "a dull plot"], size=30)
        >>> SentencePieceText(model, max_tokens=100).ids(tf.constant(["a good plot"])).dtype
        tf.int32
    """
    model = io.BytesIO()
    # Long texts are split rather than passed whole: the trainer silently skips sentences above its byte limit.
    lines = (text[start : start + 4000] for text in listed(texts) for start in range(0, len(text), 4000))
    try:
        interruptible(
            lambda: sentencepiece.SentencePieceTrainer.train(
                sentence_iterator=lines,
                model_writer=model,
                vocab_size=size,
                model_type=model_type,
                normalization_rule_name=normalization,
                character_coverage=character_coverage,
                split_digits=split_digits,
                required_chars=required_characters,
                user_defined_symbols=list(listed(symbols, "symbol")),
                num_threads=threads,
                hard_vocab_limit=False,
                max_sentence_length=16384,
                pad_id=PAD,
                unk_id=UNKNOWN,
                bos_id=BOS,
                eos_id=EOS,
                minloglevel=2,
            )
        )
    except RuntimeError as error:
        # Two checks of SentencePiece: the sentences are not empty, and normalization leaves at least one character.
        empty = "sentences" in str(error) and "empty" in str(error)
        if empty or "all_chars_count" in str(error) or "required_chars_.empty" in str(error):
            raise ValueError(_NO_TEXT) from None
        if few := re.search(r"smaller than required_chars\D*\d+ vs (\d+)", str(error)):
            raise ValueError(
                f"{size} pieces are too few: the text's characters alone are {few[1]}, with the four special pieces; "
                "raise vocabulary_size, or lower character_coverage"
            ) from None
        if "character_coverage" in str(error):
            raise ValueError(
                f"character_coverage={character_coverage:g}: SentencePiece expects a share from 0.98 to 1"
            ) from None
        if "insert_id" in str(error):
            raise ValueError(
                f"vocabulary_size={size}: expected more than {SPECIALS}, the number of special pieces"
            ) from None
        reason = re.sub(r"^.*?\(\d+\) ", "", str(error)).strip()  # without the place in the C++ source
        raise ValueError(
            f"SentencePiece could not learn {size} {model_type} pieces ({reason}); change vocabulary_size or "
            "vocabulary_type"
        ) from None
    if len(vocabulary(model.getvalue())) == SPECIALS:  # byte-pair encoding before SentencePiece 0.2.3
        raise ValueError(_NO_TEXT)
    return model.getvalue()


def truncate_text(text: str, max_tokens: int) -> str:
    """Cut a text before tokenization, exactly as `SentencePieceText` does in the graph.

    Args:
        text: The text.
        max_tokens: Maximum number of pieces of the tokenized text.

    Returns:
        The text with whitespace collapsed and with at most `max_tokens * MAX_PIECE_BYTES` bytes in UTF-8.
    """
    data = re.sub(rb"[\t\n\f\r ]+", b" ", text.encode("utf-8", "replace"))
    return data[: max_tokens * MAX_PIECE_BYTES].decode("utf-8", "ignore")


def normalizer(rule: str) -> sentencepiece.SentencePieceNormalizer:
    """Return a SentencePiece normalization rule as an object whose method `normalize` takes and returns a text.

    Spaces are collapsed, and removed at both ends, as in front of a tokenizer.
    """
    return sentencepiece.SentencePieceNormalizer(
        rule_name=rule, add_dummy_prefix=False, escape_whitespaces=False, remove_extra_whitespaces=True
    )


def with_normalization(model: bytes, rule: str) -> bytes:
    """Return a serialized SentencePiece model with the same pieces and another normalization rule."""
    # Imported here: that of sentencepiece 0.2.3 needs protobuf 7, which the rest of the suite does not.
    from sentencepiece import sentencepiece_model_pb2

    changed, other = sentencepiece_model_pb2.ModelProto(), sentencepiece_model_pb2.ModelProto()
    changed.ParseFromString(model)
    other.ParseFromString(sentencepiece.SentencePieceNormalizer(rule_name=rule).serialized_model_proto())
    changed.normalizer_spec.name = rule
    changed.normalizer_spec.precompiled_charsmap = other.normalizer_spec.precompiled_charsmap
    return changed.SerializeToString()


class SentencePieceText(tf.Module):
    """Conversion between text and SentencePiece ids, in TensorFlow ops.

    A SavedModel that tracks the module contains the tokenizer.

    Args:
        model: The serialized SentencePiece model.
        max_tokens: Maximum number of pieces of a text; longer texts are truncated.
    """

    def __init__(self, model: bytes, max_tokens: int):
        super().__init__()
        # A loaded SavedModel looks up its tokenizer by the op's shared name, which is global to the process. A hash
        # of the content keeps two vocabularies apart.
        name = f"sentencepiece_{hashlib.sha256(model).hexdigest()[:32]}"
        self.tokenizer = tensorflow_text.SentencepieceTokenizer(model=model, out_type=tf.int32, name=name)
        self.max_tokens = max_tokens

    def pieces(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """Tokenize texts without padding.

        Args:
            texts: string `(batch,)`.

        Returns:
            Ids, int32 `(batch, None)`, at most `max_tokens` per text.
        """
        return self.tokenizer.tokenize(self._truncated(texts))[:, : self.max_tokens]

    def pieces_and_unknown(self, texts: tf.Tensor) -> tuple[tf.RaggedTensor, tf.RaggedTensor, tf.Tensor]:
        """Tokenize texts without padding, and return what is unknown in them.

        Args:
            texts: string `(batch,)`.

        Returns:
            - Ids as from `pieces`;
            - the characters of the pieces that are UNKNOWN, in their order, string `(batch, None)`;
            - the share of unknown characters, blanks not counted, float32 `(batch,)`.
        """
        texts = self._truncated(texts)
        ids, starts, ends = self.tokenizer.tokenize_with_offsets(texts)
        ids, starts, ends = (part[:, : self.max_tokens] for part in (ids, starts, ends))
        # Of each text, the part that was tokenized, and of it the unknown pieces.
        unknown = ids == UNKNOWN
        starts, ends = (tf.ragged.boolean_mask(part, unknown) for part in (starts, ends))
        surfaces = tf.strings.substr(
            tf.gather(texts, starts.value_rowids()), starts.flat_values, ends.flat_values - starts.flat_values
        )
        count = tf.math.unsorted_segment_sum(_visible(surfaces), starts.value_rowids(), tf.size(texts))
        share = tf.cast(count, tf.float32) / tf.cast(tf.maximum(_visible(texts), 1), tf.float32)
        return ids, starts.with_flat_values(surfaces), share

    def _truncated(self, texts: tf.Tensor) -> tf.Tensor:
        # The op's time is quadratic in the length of a run of unknown characters: minutes for a million of them.
        texts = tf.strings.regex_replace(texts, r"[\t\n\f\r ]+", " ")
        return tf.strings.substr(texts, 0, self.max_tokens * MAX_PIECE_BYTES)

    def ids(self, texts: tf.Tensor, length: int | None = None) -> tf.Tensor:
        """Tokenize texts and pad them on the right with PAD.

        Args:
            texts: string `(batch,)`.
            length: Number of timesteps to pad to. With None it is the length of the longest text in the batch, and
                at least 1.

        Returns:
            Ids, int32 `(batch, timesteps)`.
        """
        ids = self.pieces(texts)
        timesteps = tf.maximum(ids.bounding_shape(axis=1), 1) if length is None else length
        padded = ids.to_tensor(PAD, shape=tf.stack([-1, tf.cast(timesteps, tf.int64)]))
        return tf.ensure_shape(padded, (None, length))

    def text(self, ids: tf.RaggedTensor) -> tf.Tensor:
        """Convert ids, int32 `(batch, None)`, back to texts, string `(batch,)`."""
        return self.tokenizer.detokenize(ids)


def _visible(texts: tf.Tensor) -> tf.Tensor:
    """Count the characters of texts, blanks not counted: int32, with the shape of the texts."""
    return tf.strings.length(tf.strings.regex_replace(texts, r"[\t\n\f\r ]+", ""), unit="UTF8_CHAR")


def vocabulary(model: bytes) -> list[str]:
    """Return the pieces of a serialized SentencePiece model, in the order of their ids."""
    processor = sentencepiece.SentencePieceProcessor(model_proto=model)
    return [processor.id_to_piece(index) for index in range(processor.get_piece_size())]
