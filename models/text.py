"""Text <-> ids, inside the graph: SentencePiece (Kudo and Richardson, 2018).

The graph holds the tokenizer, so an exported model takes plain text. Its op comes with `tensorflow-text`, which
TensorFlow Serving links in.
"""

import hashlib
import io
import re
from collections.abc import Iterable
from typing import Literal

import sentencepiece
import tensorflow as tf
import tensorflow_text

PAD, UNKNOWN, BEGIN, END = 0, 1, 2, 3
SPECIALS = 4
# What a piece takes at the most: SentencePiece's own limit of 16 characters, of 4 bytes each.
BYTES_OF_A_PIECE = 64


def train_sentencepiece(
    texts: Iterable[str],
    *,
    size: int,
    model_type: Literal["unigram", "bpe", "char", "word"] = "unigram",
    normalization: Literal["nmt_nfkc", "nmt_nfkc_cf", "nfkc", "nfkc_cf", "identity"] = "nmt_nfkc",
    character_coverage: float = 0.9995,
    split_digits: bool = False,
    threads: int = 2,
) -> bytes:
    """Learns a SentencePiece vocabulary.

    Args:
      texts: the training texts; read once. The trainer holds them in memory, so give it a sample of a large corpus.
      size: pieces at the most, padding, unknown, begin and end among them. A small corpus may give fewer.
      model_type: "unigram" (Kudo 2018), "bpe" (Sennrich et al. 2016), "char" or "word".
      normalization: SentencePiece's rule; those that end in `_cf` also fold case.
      character_coverage: share of the characters that get a piece of their own; rarer ones become the unknown id.
      split_digits: no piece has more than one digit, nor a digit beside another character.
      threads: with the same number the same texts give the same model; another number may order the pieces otherwise.

    Returns: the serialized model.

    Raises:
      ValueError: no text at all, or fewer pieces asked for than the texts have characters.
    """
    model = io.BytesIO()
    # Long texts are cut, and not left out: the trainer skips sentences over its byte limit, silently.
    lines = (text[start : start + 4000] for text in texts for start in range(0, len(text), 4000))
    try:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=lines,
            model_writer=model,
            vocab_size=size,
            model_type=model_type,
            normalization_rule_name=normalization,
            character_coverage=character_coverage,
            split_digits=split_digits,
            num_threads=threads,
            hard_vocab_limit=False,
            max_sentence_length=16384,
            pad_id=PAD,
            unk_id=UNKNOWN,
            bos_id=BEGIN,
            eos_id=END,
            minloglevel=2,
        )
    except RuntimeError as error:
        if "KeyboardInterrupt" in str(error):  # raised in the iterator, and wrapped by the trainer
            raise KeyboardInterrupt from None
        # SentencePiece's two checks: there is a sentence, and normalization leaves a character of one.
        if ("sentences" in str(error) and "empty" in str(error)) or "all_chars_count" in str(error):
            raise ValueError("no text to learn a vocabulary from: every text is empty or blank") from None
        if few := re.search(r"smaller than required_chars\D*\d+ vs (\d+)", str(error)):
            raise ValueError(
                f"{size} pieces are too few: the text's characters alone are {few[1]}, with the four special pieces; "
                "raise vocabulary_size, or lower character_coverage"
            ) from None
        raise ValueError(f"SentencePiece could not learn {size} {model_type} pieces: {error}") from None
    return model.getvalue()


def shortened(text: str, max_tokens: int) -> str:
    """The text cut before it is tokenized, as `SentencePieceText` cuts it in the graph."""
    data = re.sub(rb"[\t\n\f\r ]+", b" ", text.encode("utf-8", "replace"))
    return data[: max_tokens * BYTES_OF_A_PIECE].decode("utf-8", "ignore")


class SentencePieceText(tf.Module):
    """Text -> ids as TensorFlow ops; the module saves with a model that tracks it.

    Args:
      model: the serialized SentencePiece model.
      max_tokens: longer texts are cut after so many pieces.
    """

    def __init__(self, model: bytes, max_tokens: int):
        super().__init__()
        # A loaded SavedModel finds its tokenizer by the name of the op, and another model of the process by the same
        # name: the content's own name keeps vocabularies apart.
        name = f"sentencepiece_{hashlib.sha256(model).hexdigest()[:32]}"
        self.tokenizer = tensorflow_text.SentencepieceTokenizer(model=model, out_type=tf.int32, name=name)
        self.max_tokens = max_tokens

    def pieces(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """Ids of `texts`, string (batch,) -> int32 (batch, None), cut after `max_tokens`."""
        # The op takes minutes for a million unknown characters in a row: its time grows with the square of the run.
        texts = tf.strings.regex_replace(texts, r"[\t\n\f\r ]+", " ")
        texts = tf.strings.substr(texts, 0, self.max_tokens * BYTES_OF_A_PIECE)
        return self.tokenizer.tokenize(texts)[:, : self.max_tokens]

    def ids(self, texts: tf.Tensor, length: int | None = None) -> tf.Tensor:
        """Ids of `texts`, padded on the right with PAD.

        Args:
          texts: string (batch,).
          length: pad to this many steps; to the longest text of the batch, and to one step at least, if None.

        Returns: int32 (batch, timesteps).
        """
        ids = self.pieces(texts)
        steps = tf.maximum(ids.bounding_shape(axis=1), 1) if length is None else length
        padded = ids.to_tensor(PAD, shape=tf.stack([-1, tf.cast(steps, tf.int64)]))
        return tf.ensure_shape(padded, (None, length))

    def text(self, ids: tf.RaggedTensor) -> tf.Tensor:
        """int32 (batch, None) -> string (batch,)."""
        return self.tokenizer.detokenize(ids)


def vocabulary(model: bytes) -> list[str]:
    """The pieces in the order of their ids."""
    processor = sentencepiece.SentencePieceProcessor(model_proto=model)
    return [processor.id_to_piece(index) for index in range(processor.get_piece_size())]
