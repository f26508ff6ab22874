"""SentencePiece vocabularies, learned from a sample of the training texts."""

import collections
import hashlib
import heapq
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import sentencepiece

from models import text
from tasks.data.records import Record
from tasks.data.stored_files import read_json, reading
from tasks.errors import UserError
from tasks.settings import Normalization, VocabularySettings
from tasks.texts import checked_list

# Limits of the sample in characters: of all texts, and of one text as it is read. The first one bounds the memory:
# SentencePiece needs about 20 bytes for each character. English texts have 0.7 % more pieces with a limit of 10 million
# than with one of 40 million.
MAX_CHARACTERS, MAX_TEXT_CHARACTERS = 15_000_000, 1_000_000
# Length of the parts of a text that is longer than its limit.
PART = 4000


def hash_sample(records: Iterable[Record], max_count: int) -> list[tuple[str, ...]]:
    """Return the values of a fixed sample of the records: those whose first value has the lowest hash.

    Args:
        records: The records, streamed; only the sample is held in memory.
        max_count: The maximum size of the sample.

    Returns:
        The values of at most `max_count` records, in their original order: fewer if they have more than
        `MAX_CHARACTERS` together. Of a value with more than `MAX_TEXT_CHARACTERS`, parts; see `excerpt`.
    """
    kept: list[tuple[int, int, tuple[str, ...]]] = []
    characters = 0
    for index, record in enumerate(records):
        first = record.values[0].encode("utf-8", "surrogatepass")
        digest = hashlib.blake2b(first, digest_size=8, key=b"vocabulary")
        order = (-int.from_bytes(digest.digest(), "big"), -index)
        if len(kept) >= max_count and order < kept[0]:
            continue
        values = tuple(excerpt(value, MAX_TEXT_CHARACTERS) for value in record.values)
        heapq.heappush(kept, (*order, values))
        characters += sum(map(len, values))
        while len(kept) > max_count or (characters > MAX_CHARACTERS and len(kept) > 1):
            characters -= sum(map(len, heapq.heappop(kept)[2]))
    return [entry[2] for entry in sorted(kept, key=lambda entry: -entry[1])]


def excerpt(text: str, limit: int) -> str:
    """Return a text of at most `limit` characters; of a longer one evenly spaced parts, joined by blanks."""
    if len(text) <= limit:
        return text
    count = max(2, limit // PART)  # at least its beginning and its end
    size = limit // count - 1
    starts = [number * (len(text) - size) // (count - 1) for number in range(count)]
    return " ".join(text[start : start + size] for start in starts)


def required_characters(texts: Sequence[str], coverage: float, normalization: str) -> str:
    """Return the characters that a vocabulary must cover beside a text that is longer than all others together.

    A vocabulary covers a share of all characters, of which the others would hardly have any.

    Args:
        texts: The training texts.
        coverage: Share of the characters of the others that is covered.
        normalization: SentencePiece's normalization rule.

    Returns:
        The characters; none if there is no such text.
    """
    lengths = [*map(len, texts), 0]
    longest = lengths.index(max(lengths))
    if not 0 < sum(lengths) - lengths[longest] < lengths[longest]:
        return ""
    normalize = text.normalizer(normalization).normalize
    counts = collections.Counter()
    for index, one in enumerate(texts):
        if index != longest:
            counts.update(normalize(one.encode("utf-8", "replace").decode()))
    missing, required = coverage * counts.total(), []
    for character, count in counts.most_common():
        if missing > 0 and character.isprintable() and not character.isspace():
            required.append(character)
        missing -= count
    return "".join(required)


def learn(
    texts: Iterable[str],
    settings: VocabularySettings,
    location: str,
    normalization: Normalization | None = None,
    symbols: Sequence[str] = (),
) -> bytes:
    """Learn a SentencePiece vocabulary.

    Args:
        texts: The training texts.
        settings: The size and type of the vocabulary.
        location: Where the texts are from, for error messages.
        normalization: Another rule than that of the settings.
        symbols: See `models.text.train_sentencepiece`.

    Returns:
        The serialized SentencePiece model.

    Raises:
        UserError: If there are no texts, or the settings do not suit them.
    """
    texts = list(checked_list(texts))
    rule = normalization or settings.normalization
    try:
        return text.train_sentencepiece(
            texts,
            size=settings.vocabulary_size,
            model_type=settings.vocabulary_type,
            normalization=rule,
            character_coverage=settings.character_coverage,
            split_digits=settings.split_digits,
            required_characters=required_characters(texts, settings.character_coverage, rule),
            symbols=symbols,
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


def read_counts(folder: Path, size: int) -> list[int]:
    """Return how often each id occurs in the training texts of a language model; 1 each if that is not stored.

    Args:
        folder: The vocabulary of its run.
        size: Number of ids.

    Raises:
        UserError: If the file is damaged.
    """
    path, remedy = folder / "counts.json", "train the run again with --overwrite"
    if not path.exists():
        return [1] * size
    counts = read_json(path, remedy)
    with reading(path, remedy):
        if len(counts) != size or not all(type(count) is int and count >= 0 for count in counts):
            raise ValueError(f"expected {size} counts")
    return counts
