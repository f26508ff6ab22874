"""Splits drawn from training data: records with a common text stay together, and each class has its share.

The split of a record follows from a hash of its text, so it depends on neither the order nor the number of the records.
Few are placed otherwise; see `tasks.data.record_groups`.
"""

import array
import bisect
import contextlib
import itertools
import logging
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial

import numpy as np

from tasks.data.hashes import comparison_hashes, hash_of
from tasks.data.record_groups import DRAWN_SPLITS, HASH_BITS, TRAIN, RecordGroups, class_counts
from tasks.data.records import Reader, Record, is_blank
from tasks.errors import UserError

log = logging.getLogger(__name__)

# With more classes than these, the column of the classes is the wrong one; they are not told apart.
MAX_CLASSES = 10_000


def draw_missing_splits(
    stored: Mapping[str, Reader],
    validation_fraction: float,
    test_fraction: float,
    *,
    problem: Callable[[Record], str | None] = lambda record: record.problem,
    linked: Sequence[int] = (0,),
    class_of: Callable[[Record], str] | None = None,
) -> dict[str, Reader]:
    """Add a validation split, and a test split if there is only training data, taken from the training data.

    Args:
        stored: A reader for each split in the data.
        validation_fraction: The share of the training data drawn for validation; 0 draws none.
        test_fraction: The share of the training data drawn for test; 0 draws none.
        problem: Why a record cannot be used; None if it can. Those that cannot stay in the training data.
        linked: The positions of the values that no two splits share, compared as `normalize_for_comparison` returns
            them; the first value is always one of them.
        class_of: The class of a record; each class has its share of each split.

    Returns:
        A reader for each split. The training data is read once more, before a drawn split is read for the first time.

    Raises:
        UserError: If the fractions leave nothing to train on.
    """
    if "train" not in stored or "validation" in stored:
        return dict(stored)
    fractions = (0.0 if "test" in stored else test_fraction, validation_fraction)
    if sum(fractions) >= 1:
        raise UserError(
            f"--validation-fraction and --test-fraction add up to {sum(fractions):g}: nothing is left to train on."
        )
    draw = Draw(stored["train"], fractions, problem, linked, class_of)
    drawn = [name for name, share in zip(DRAWN_SPLITS, (*fractions, 1.0), strict=True) if share]
    return dict(stored) | {name: partial(draw.records, name) for name in drawn}


class Draw:
    """Draws splits from training data, and reads them.

    Args:
        reader: Reads the training data.
        fractions: The shares of test and validation.
        problem: See `draw_missing_splits`.
        linked: See `draw_missing_splits`.
        class_of: See `draw_missing_splits`.
    """

    def __init__(
        self,
        reader: Reader,
        fractions: tuple[float, float],
        problem: Callable[[Record], str | None],
        linked: Sequence[int],
        class_of: Callable[[Record], str] | None,
    ):
        self._reader, self._problem, self._linked, self._class_of = reader, problem, linked, class_of
        self._fractions = fractions
        self._ends = list(itertools.accumulate(fractions))
        self._moved: dict[int, int] | None = None

    def records(self, split: str) -> Iterator[Record]:
        """Yield the records of a split in the order of the training data."""
        wanted = DRAWN_SPLITS.index(split)
        if self._moved is None:
            self._moved = self._draw()
        for record in self._reader():
            if self._split_of(record, self._moved) == wanted:
                yield record

    def _usable(self, record: Record) -> bool:
        return self._problem(record) is None and not any(is_blank(record.values[at]) for at in self._linked)

    def _split_of(self, record: Record, moved: Mapping[int, int]) -> int:
        if not self._usable(record):
            return TRAIN  # it is reported there
        key = hash_of(record.values[0], HASH_BITS)
        return moved[key] if key in moved else bisect.bisect_right(self._ends, key / 2**HASH_BITS)

    def _draw(self) -> dict[int, int]:
        """Return the split of each record, by the hash of its first value, that has not the split of its hash."""
        with contextlib.closing(_Hashes(len(self._linked))) as hashes:
            hashes.add(self._hashed(record) for record in self._reader() if self._usable(record))
            ranks = hashes.ranks()
            if not ranks:
                return {}
            others = hashes.counts(self._ends, ranks)
            groups = hashes.groups(ranks)
            unbalanced = groups.unbalanced_classes(self._fractions, others)
            if unbalanced:
                groups = hashes.groups(ranks, unbalanced)
                others[unbalanced] = 0
            splits = groups.draw(self._fractions, others, unbalanced)
        counts = class_counts(splits, np.zeros_like(splits), 1)[0] + others.sum(axis=0)
        shown = [f"{count:,} for {name}" for name, count in zip(DRAWN_SPLITS, counts.tolist(), strict=True) if count]
        log.info("drawn from %s records: %s", f"{counts.sum():,}", ", ".join(reversed(shown)))
        moved = splits != groups.hashed_splits(groups.record_keys, self._fractions)
        return dict(zip(groups.record_keys[moved].tolist(), splits[moved].tolist(), strict=True))

    def _hashed(self, record: Record) -> tuple[int, ...]:
        """Return the hash that places a record, that of its class, and those of the values that are linked."""
        in_class = 0 if self._class_of is None else hash_of(self._class_of(record))
        links = record.compared or comparison_hashes([record.values[at] for at in self._linked])
        return hash_of(record.values[0], HASH_BITS), in_class, *links[: len(self._linked)]


class _Hashes:
    """Hashes of records in a temporary file: memory holds those of few.

    Args:
        links: Number of values that link records.
    """

    def __init__(self, links: int):
        self._file = sqlite3.connect("")  # a file in the folder of temporary files, removed when it is closed
        self._links = [f"link_{number}" for number in range(links)]
        self._file.execute(f"CREATE TABLE records (key, class, {', '.join(self._links)})")
        # A record whose texts occur in no other record needs no group.
        self._grouped = " OR ".join(f"{name} IN (SELECT value FROM repeated_{name})" for name in self._links)

    def close(self) -> None:
        self._file.close()

    def add(self, rows: Iterable[tuple[int, ...]]) -> None:
        """Add the hashes of all records."""
        self._file.executemany(f"INSERT INTO records VALUES (?, ?{', ?' * len(self._links)})", rows)
        for name in self._links:
            self._file.execute(f"CREATE TABLE repeated_{name} (value INTEGER PRIMARY KEY)")
            repeated = f"SELECT {name} FROM records GROUP BY {name} HAVING COUNT(*) > 1"
            self._file.execute(f"INSERT INTO repeated_{name} {repeated}")

    def ranks(self) -> dict[int, int]:
        """Return the number of each class by its hash: the rarest class is 0."""
        [(count,)] = self._file.execute("SELECT COUNT(DISTINCT class) FROM records")
        if count > MAX_CLASSES:
            self._file.execute("UPDATE records SET class = 0")
        rows = self._file.execute("SELECT class FROM records GROUP BY class ORDER BY COUNT(*), class")
        return {name: rank for rank, (name,) in enumerate(rows)}

    def counts(self, ends: Sequence[float], ranks: Mapping[int, int]) -> np.ndarray:
        """Return how many records without a group each split has of each class: int64 (classes, splits)."""
        counts = np.zeros((len(ranks), len(DRAWN_SPLITS)), np.int64)
        below = ", ".join(f"SUM(key < {end * 2**HASH_BITS!r})" for end in ends)
        query = f"SELECT class, {below}, COUNT(*) FROM records WHERE NOT ({self._grouped}) GROUP BY class"
        for name, *sums in self._file.execute(query):
            counts[ranks[name]] = np.diff([0, *sums])
        return counts

    def groups(self, ranks: Mapping[int, int], classes: Sequence[int] = ()) -> RecordGroups:
        """Return the groups of the records that share a text with others, and of all records of some classes."""
        names = list(ranks)
        self._file.execute("CREATE TEMP TABLE IF NOT EXISTS chosen (class INTEGER PRIMARY KEY)")
        self._file.executemany("INSERT INTO chosen VALUES (?)", ((names[rank],) for rank in classes))
        where = f"{self._grouped} OR class IN (SELECT class FROM chosen)"
        values = array.array("q")
        for key, name, *links in self._file.execute(f"SELECT * FROM records WHERE {where}"):
            values.extend((key, ranks[name], *links))
        keys, of_class, *links = np.frombuffer(values, np.int64).reshape(-1, 2 + len(self._links)).T
        return RecordGroups(keys, of_class, links, len(ranks))
