"""SentencePiece vocabularies, learned from a sample of the training texts."""

import hashlib
import heapq
import re
from collections.abc import Iterable
from pathlib import Path

import sentencepiece

from models import text
from tasks.data.records import Record
from tasks.data.stored_files import reading
from tasks.errors import UserError
from tasks.settings import Normalization, VocabularySettings


def hash_sample(records: Iterable[Record], max_count: int) -> list[tuple[str, ...]]:
    """Return the values of a fixed sample of the records: those whose first value has the lowest hash.

    Args:
        records: The records, streamed; only the sample is held in memory.
        max_count: The maximum size of the sample.

    Returns:
        The values of at most `max_count` records, in their original order.
    """
    kept: list[tuple[int, int, tuple[str, ...]]] = []
    for index, record in enumerate(records):
        first = record.values[0].encode("utf-8", "surrogatepass")
        digest = hashlib.blake2b(first, digest_size=8, key=b"vocabulary")
        entry = (-int.from_bytes(digest.digest(), "big"), -index, record.values)
        if len(kept) < max_count:
            heapq.heappush(kept, entry)
        elif entry > kept[0]:
            heapq.heapreplace(kept, entry)
    return [entry[2] for entry in sorted(kept, key=lambda entry: -entry[1])]


def learn(
    texts: Iterable[str], settings: VocabularySettings, location: str, normalization: Normalization | None = None
) -> bytes:
    """Learn a SentencePiece vocabulary.

    Args:
        texts: The training texts.
        settings: The size and type of the vocabulary.
        location: Where the texts are from, for error messages.
        normalization: Another rule than that of the settings.

    Returns:
        The serialized SentencePiece model.

    Raises:
        UserError: If there are no texts, or the settings do not suit them.
    """
    try:
        return text.train_sentencepiece(
            texts,
            size=settings.vocabulary_size,
            model_type=settings.vocabulary_type,
            normalization=normalization or settings.normalization,
            character_coverage=settings.character_coverage,
            split_digits=settings.split_digits,
        )
    except ValueError as error:
        # The settings' names, each followed by the name of its option.
        message = re.sub(r"\b(vocabulary_size|vocabulary_type|character_coverage)\b(=\S+\b)?", _with_option, str(error))
        raise UserError(f"{location}: {message}") from None


def _with_option(setting: re.Match) -> str:
    return f"{setting[0]} (--{setting[1].replace('_', '-')})"


def load(path: Path) -> sentencepiece.SentencePieceProcessor:
    """Load the SentencePiece model of a run.

    Raises:
        UserError: If the file is missing or damaged.
    """
    with reading(path, "train the run again with --overwrite"):
        processor = sentencepiece.SentencePieceProcessor(model_proto=path.read_bytes())
        specials = processor.pad_id(), processor.unk_id(), processor.bos_id(), processor.eos_id()
        if processor.get_piece_size() <= text.SPECIALS or specials != (text.PAD, text.UNKNOWN, text.BOS, text.EOS):
            raise ValueError("it is no vocabulary of this project")  # an empty file is read without an error
        return processor
