"""N-grams of stored texts, counted in separate processes where there are many texts. Imports no TensorFlow."""

import itertools
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

from models import ngram_counts
from models.ngram_counts import NgramCounts, characters_of
from tasks.data import worker_processes
from tasks.data.sequence_store import SequenceStore, pad_sequences

# Tokens that a process counts at least: fewer take less time than it needs to start.
MIN_TOKENS = 1 << 22
# Counts, of 4 bytes each, that all processes hold together; a larger table is held by one of them.
MAX_COUNTS = 1 << 26


def frequent_ngrams(
    folder: Path, indexes: np.ndarray, first: int, last: int, table: np.ndarray | None, *, min_count: int, max_size: int
) -> np.ndarray:
    """Build the vocabulary of some stored texts; see `models.ngram_counts.frequent_ngrams`.

    Args:
        folder: The `SequenceStore`.
        indexes: Which texts.
        first: Smallest n.
        last: Largest n.
        table: See `batches_by_length`.
        min_count: Minimum number of texts that an n-gram occurs in.
        max_size: Maximum size of the vocabulary.
    """
    parts = _parts(SequenceStore(folder), indexes)
    counts = worker_processes.mapped(partial(_count, folder, first, last, table), parts)
    return ngram_counts.most_frequent(ngram_counts.added_up(counts), min_count, max_size)


def _count(folder: Path, first: int, last: int, table: np.ndarray | None, indexes: np.ndarray) -> NgramCounts:
    batches = batches_by_length(SequenceStore(folder), indexes, table)
    return ngram_counts.count_ngrams((ids for ids, _ in batches), first, last)


def class_counts(folder: Path, keys: np.ndarray, last: int, table: np.ndarray | None, classes: int) -> np.ndarray:
    """Count n-grams of the stored texts in each class; see `models.ngram_counts.ngram_class_counts`.

    Args:
        folder: The `SequenceStore`, with a column "label".
        keys: The vocabulary.
        last: Largest n.
        table: See `batches_by_length`.
        classes: Number of classes.
    """
    store, size = SequenceStore(folder), (len(keys) + 1) * classes
    parts = _parts(store, np.arange(len(store)), MAX_COUNTS // size)
    counts = np.zeros(size, np.float32)
    for places, numbers in worker_processes.mapped(partial(_class_counts, folder, keys, last, table, classes), parts):
        counts[places] += numbers
    return counts.reshape(-1, classes)


def _class_counts(
    folder: Path, keys: np.ndarray, last: int, table: np.ndarray | None, classes: int, indexes: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the counts of some texts that are not zero: their places in the flat table, and the counts."""
    batches = batches_by_length(SequenceStore(folder), indexes, table)
    counts = ngram_counts.ngram_class_counts(batches, keys, 1, last, classes).reshape(-1)
    places = np.flatnonzero(counts)
    return places, counts[places]


def _parts(store: SequenceStore, indexes: np.ndarray, most: int | None = None) -> list[np.ndarray]:
    """Divide texts among the processes, those of similar length together, into parts of as many tokens.

    Args:
        store: The texts.
        indexes: Which texts.
        most: Maximum number of parts, of which there is at least one; None is the number of processes.
    """
    ordered = order(store, indexes)
    ends = np.cumsum(store.lengths[ordered], dtype=np.int64)
    tokens = int(ends[-1]) if len(ends) else 0
    processes = worker_processes.count()
    count = max(1, min(processes, tokens // MIN_TOKENS, processes if most is None else most))
    cuts = np.searchsorted(ends, [tokens * number // count for number in range(1, count)])
    return [ordered[start:stop] for start, stop in itertools.pairwise([0, *cuts.tolist(), len(ordered)])]


def batches_by_length(
    store: SequenceStore, indexes: np.ndarray, table: np.ndarray | None = None
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield padded ids and classes of the given sequences, 256 at a time, those of similar length together.

    With a `table` the ids are those of the characters of the pieces.
    """
    ordered = order(store, indexes)
    for start in range(0, len(ordered), 256):
        part = ordered[start : start + 256]
        ids = pad_sequences([store[index] for index in part])
        yield ids if table is None else characters_of(ids, table), store.columns["label"][part]


def order(store: SequenceStore, indexes: np.ndarray) -> np.ndarray:
    """Return the indexes in the order in which `batches_by_length` reads them."""
    return indexes[np.argsort(store.lengths[indexes], kind="stable")]
