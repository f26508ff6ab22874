"""How many texts of an evaluation a model was trained on: hashes of the training texts, stored with the run.

A text is compared as `normalize_for_comparison` returns it. A record may have several texts, such as both sides of a
sentence pair; each side is compared with the same side, and the record as a whole.
"""

import array
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from models.recurrent_settings import Settings
from tasks import atomic_files
from tasks.data.bounded_files import load_arrays
from tasks.data.hashes import EMPTY, comparison_hashes
from tasks.data.records import Record
from tasks.data.stored_files import reading

# More texts than these are sampled: those with the lowest hashes are kept.
MAX_TEXTS = 1 << 20

# The name under which the texts of an example are compared together.
WHOLE = "example"


class ComparedTexts(NamedTuple):
    """Which texts of a record are compared with the training texts.

    Attributes:
        example: What an example is called: a text, a pair, a line.
        sides: The names of its texts.
        of: Returns the examples of a record, each with a text for each side.
        whole: Whether a record is one example, whose texts are the values that link records; see `Record.compared`.
    """

    example: str
    sides: tuple[str, ...]
    of: Callable[[Record], Iterable[tuple[str, ...]]]
    whole: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The names of what is counted: whole examples and, if there are several, sides."""
        return (WHOLE, *self.sides) if len(self.sides) > 1 else (WHOLE,)


def compared_texts(settings: Settings) -> ComparedTexts:
    """Return the texts of records that begin with the text, as most tasks have them."""
    return ComparedTexts("text", ("text",), lambda record: [record.values[:1]], whole=True)


class TrainingTexts:
    """Collects hashes of training texts.

    Args:
        texts: Which texts.
        initial: The file of another run, whose training texts count as well; it may be missing.

    Raises:
        UserError: If that file is damaged.
    """

    def __init__(self, texts: ComparedTexts, initial: Path | None = None):
        self._texts = texts
        self._pending = {name: array.array("q") for name in texts.names}
        self._kept: dict[str, np.ndarray] = {name: np.zeros(0, np.int64) for name in self._pending}
        if initial is not None and initial.exists():
            self._kept = _read(initial, texts, "train the run again with --overwrite")

    def collected(self, records: Iterable[Record]) -> Iterator[Record]:
        """Yield the records, and collect their texts."""
        for record in records:
            for hashes in _hashes(self._texts, record):
                for name, value in zip(self._pending, hashes, strict=False):
                    self._pending[name].append(value)
            if len(self._pending[WHOLE]) >= MAX_TEXTS // 8:
                self._reduce()
            yield record

    def save(self, path: Path) -> None:
        """Write the collected hashes."""
        self._reduce()
        with atomic_files.replacing(path) as temporary, open(temporary, "wb") as file:
            np.savez(file, **self._kept)

    def _reduce(self) -> None:
        for name, values in self._pending.items():
            self._kept[name] = np.unique(np.concatenate([self._kept[name], np.array(values, np.int64)]))[:MAX_TEXTS]
            del values[:]


class Overlap:
    """Counts examples whose texts are among the training texts.

    Args:
        path: Written by `TrainingTexts.save`.
        texts: Which texts.

    Attributes:
        examples: Number of examples.

    Raises:
        UserError: If the file is damaged.
    """

    def __init__(self, path: Path, texts: ComparedTexts):
        self._texts = texts
        self._known = _read(path, texts, "remove it to evaluate without a comparison with the training texts")
        self.examples = 0
        self._looked_up = dict.fromkeys(self._known, 0)
        self._matches = dict.fromkeys(self._known, 0)

    def counted(self, records: Iterable[Record]) -> Iterator[Record]:
        """Yield the records, and count those with training texts."""
        for record in records:
            for hashes in _hashes(self._texts, record):
                self.examples += bool(hashes)
                for (name, known), value in zip(self._known.items(), hashes, strict=False):
                    place = np.searchsorted(known, value)
                    if len(known) < MAX_TEXTS or value <= known[-1]:
                        self._looked_up[name] += 1
                        self._matches[name] += int(place < len(known) and known[place] == value)
            yield record

    def shares(self) -> dict[str, float | None]:
        """Return the share of the examples that are among the training texts, by side; None without an example."""
        # Of a sample of training texts only the examples are looked up whose hashes would be in the sample.
        return {name: self._matches[name] / looked if looked else None for name, looked in self._looked_up.items()}

    def report(self) -> str | None:
        """Return how many examples are among the training texts, in words; None if none is."""
        found = {name: share for name, share in self.shares().items() if share}
        if not found:
            return None
        words = {WHOLE: self._texts.example}
        counts = [
            f"{round(share * self.examples):,} {words.get(name, name)}s ({share:.1%})" for name, share in found.items()
        ]
        return f"of {self.examples:,} {self._texts.example}s, {', '.join(counts)} are also in the training data"


def _read(path: Path, texts: ComparedTexts, remedy: str) -> dict[str, np.ndarray]:
    with reading(path, remedy):
        stored = load_arrays(path)
        values = {name: stored[name] for name in texts.names}
        if any(row.dtype != np.int64 or row.ndim != 1 for row in values.values()):
            raise ValueError("expected rows of 64-bit integers")
        return values


def _hashes(texts: ComparedTexts, record: Record) -> Iterator[tuple[int, ...]]:
    """Yield the hashes of each example of a record: of all its texts together, and of each if there are several.

    There are none if one of the texts is blank.
    """
    known = [record.compared] if texts.whole and record.compared else None
    for hashes in known or map(comparison_hashes, texts.of(record)):
        *sides, together = hashes
        yield () if EMPTY in (sides or hashes) else (together, *sides)
