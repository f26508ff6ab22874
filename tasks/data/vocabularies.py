"""SentencePiece vocabularies: learned from a sample of the training texts, and read back."""

import hashlib
import heapq
from collections.abc import Iterable
from pathlib import Path

import sentencepiece

from models import text
from tasks.data.records import Record
from tasks.errors import UserError
from tasks.settings import VocabularySettings


def sampled(records: Iterable[Record], most: int) -> list[tuple[str, ...]]:
    """The values of `most` records at the most, those with the lowest hashes of their first value: always the same."""
    kept: list[tuple[int, int, tuple[str, ...]]] = []
    for index, record in enumerate(records):
        first = record.values[0].encode("utf-8", "surrogatepass")
        digest = hashlib.blake2b(first, digest_size=8, key=b"vocabulary")
        entry = (-int.from_bytes(digest.digest(), "big"), -index, record.values)
        if len(kept) < most:
            heapq.heappush(kept, entry)
        elif entry > kept[0]:
            heapq.heapreplace(kept, entry)
    return [entry[2] for entry in sorted(kept, key=lambda entry: -entry[1])]


def learn(texts: Iterable[str], settings: VocabularySettings, location: str) -> bytes:
    """A serialized SentencePiece model.

    Args:
      location: where the texts are from, for messages.

    Raises:
      UserError: there is no text, or the settings do not fit it.
    """
    try:
        return text.train_sentencepiece(
            texts,
            size=settings.vocabulary_size,
            model_type=settings.vocabulary_type,
            normalization=settings.normalization,
            character_coverage=settings.character_coverage,
            split_digits=settings.split_digits,
        )
    except ValueError as error:
        raise UserError(f"{location}: {error}") from None


def load(path: Path) -> sentencepiece.SentencePieceProcessor:
    """The tokenizer of a run.

    Raises:
      UserError: its file is missing or damaged.
    """
    try:
        return sentencepiece.SentencePieceProcessor(model_proto=path.read_bytes())
    except (OSError, RuntimeError) as error:
        raise UserError(f"{path} cannot be read ({error}); train the run again with --overwrite") from None
