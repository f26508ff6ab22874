"""N-grams of ids, counted outside the graph, before a network is built. Imports no TensorFlow.

The hashes are those of `models.ngrams.ngram_hashes`. Counts are whole numbers, so several processes may count the
n-grams of a part of the texts each, and the counts are added up.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

# A polynomial hash modulo the Mersenne prime 2^31 - 1: the product of two smaller numbers fits into 64 bits.
PRIME = (1 << 31) - 1
FACTOR = 1_000_003_579
# N-grams that are collected before they are sorted and counted.
PENDING = 4_000_000


class NgramCounts(NamedTuple):
    """In how many texts n-grams occur.

    Attributes:
        keys: Hashes, int32 `(n-grams,)`, sorted.
        counts: int64 `(n-grams,)`.
    """

    keys: np.ndarray
    counts: np.ndarray


def characters_of(ids: np.ndarray, table: np.ndarray) -> np.ndarray:
    """Return the characters of texts, as `models.piece_characters.PieceCharacters` does.

    Args:
        ids: Int `(batch, timesteps)`, padded on the right with 0.
        table: From `models.piece_characters.character_table`.

    Returns:
        Int32 `(batch, characters)`, padded on the right with 0.
    """
    characters = table[ids].reshape(len(ids), -1)
    order = np.argsort(characters == 0, axis=1, kind="stable")
    longest = max(1, int((characters > 0).sum(axis=1).max()))
    return np.take_along_axis(characters, order, axis=1)[:, :longest]


def distinct_ngrams(ids: np.ndarray, first: int, last: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the different n-grams of each text: the texts' indexes and the hashes, both `(n-grams,)`, ordered.

    Args:
        ids: int32 `(batch, timesteps)`, padded on the right with 0.
        first: Smallest n.
        last: Largest n.
    """
    ids = ids.astype(np.int64)
    hashed, hashes = np.zeros_like(ids), []
    for n in range(1, last + 1):
        # As `models.ngrams.ngram_hashes`.
        earlier = np.zeros_like(ids)
        earlier[:, n - 1 :] = ids[:, : max(0, ids.shape[1] - n + 1)]
        hashed *= FACTOR
        hashed += earlier
        hashed %= PRIME
        if n >= first:
            hashes.append(np.where((ids > 0) & (earlier > 0), hashed % (PRIME - 2) + 1, 0).astype(np.int32))
    found = np.sort(np.concatenate(hashes, axis=1), axis=1)
    new = found != 0
    new[:, 1:] &= found[:, 1:] != found[:, :-1]
    return np.nonzero(new)[0], found[new]


def count_ngrams(batches: Iterable[np.ndarray], first: int, last: int) -> NgramCounts:
    """Count the texts that each n-gram occurs in.

    Args:
        batches: Batches of ids, int32 `(batch, timesteps)` each, padded on the right with 0.
        first: Smallest n.
        last: Largest n.
    """
    total, pending, size = NgramCounts(np.empty(0, np.int32), np.empty(0, np.int64)), [], 0
    for ids in batches:
        pending.append(distinct_ngrams(ids, first, last)[1])
        size += len(pending[-1])
        # The threshold grows with the number of n-grams, so the total time of the sums is not quadratic.
        if size > max(PENDING, len(total.keys)):
            total, pending, size = added_up([total, _counted(pending)]), [], 0
    return added_up([total, _counted(pending)])


def _counted(hashes: list[np.ndarray]) -> NgramCounts:
    return NgramCounts(*np.unique(np.concatenate([np.empty(0, np.int32), *hashes]), return_counts=True))


def added_up(parts: Iterable[NgramCounts]) -> NgramCounts:
    """Return the counts of all texts from those of several parts of them."""
    total = None
    for part in parts:
        if total is None or not len(total.keys):
            total = part
            continue
        keys, indexes = np.unique(np.concatenate([total.keys, part.keys]), return_inverse=True)
        counts = np.zeros(len(keys), np.int64)
        counts[indexes[: len(total.keys)]] = total.counts
        counts[indexes[len(total.keys) :]] += part.counts
        total = NgramCounts(keys, counts)
    return total


def most_frequent(ngrams: NgramCounts, min_count: int, max_size: int) -> np.ndarray:
    """Return the vocabulary; see `frequent_ngrams`."""
    keys, counts = (part[ngrams.counts >= min_count] for part in ngrams)
    if len(keys) > max_size:
        keys = keys[np.sort(np.argsort(-counts, kind="stable")[:max_size])]
    return keys


def frequent_ngrams(
    batches: Iterable[np.ndarray], first: int, last: int, *, min_count: int, max_size: int
) -> np.ndarray:
    """Build the vocabulary: the n-grams that occur in most texts.

    Args:
        batches: Batches of ids, int32 `(batch, timesteps)` each, padded on the right with 0.
        first: Smallest n.
        last: Largest n.
        min_count: Minimum number of texts that an n-gram occurs in.
        max_size: Maximum size of the vocabulary. The most frequent n-grams are kept, and of equally frequent ones
            those with the lower hash.

    Returns:
        Hashes, int32 `(size,)`, sorted.
    """
    return most_frequent(count_ngrams(batches, first, last), min_count, max_size)


def _found(hashes: np.ndarray, keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return which hashes are in the vocabulary, and where, both of the shape of the hashes."""
    if not len(keys):
        return np.zeros(hashes.shape, bool), np.zeros(hashes.shape, np.int64)
    indexes = np.minimum(np.searchsorted(keys, hashes), len(keys) - 1)
    return keys[indexes] == hashes, indexes


def known_ngrams(ids: np.ndarray, keys: np.ndarray, first: int, last: int) -> tuple[np.ndarray, np.ndarray]:
    """Find the different n-grams of each text that are in the vocabulary.

    Args:
        ids: int32 `(batch, timesteps)`, padded on the right with 0.
        keys: The vocabulary, from `frequent_ngrams`.
        first: Smallest n.
        last: Largest n.

    Returns:
        The texts' indexes and 1 + the index in the vocabulary, int `(n-grams,)` each, ordered by text.
    """
    texts, hashes = distinct_ngrams(ids, first, last)
    known, indexes = _found(hashes, keys)
    return texts[known], indexes[known] + 1


def ngram_class_counts(
    batches: Iterable[tuple[np.ndarray, np.ndarray]], keys: np.ndarray, first: int, last: int, classes: int
) -> np.ndarray:
    """Count the texts of each class that an n-gram of the vocabulary occurs in.

    Args:
        batches: Batches of ids, int32 `(batch, timesteps)`, and of labels, int `(batch,)`.
        keys: The vocabulary, from `frequent_ngrams`.
        first: Smallest n.
        last: Largest n.
        classes: Number of classes.

    Returns:
        float32 `(len(keys) + 1, classes)`; row 0, which stands for no n-gram, is zero.
    """
    counts, pending, size = np.zeros((len(keys) + 1, classes), np.float32), [], 0

    def add() -> None:
        # Sorted n-grams are found in a third of the time.
        pairs, numbers = np.unique(np.concatenate([np.empty(0, np.int64), *pending]), return_counts=True)
        labels, hashes = np.divmod(pairs, PRIME)
        known, indexes = _found(hashes, keys)
        counts[indexes[known] + 1, labels[known]] += numbers[known]

    for ids, labels in batches:
        texts, hashes = distinct_ngrams(ids, first, last)
        pending.append(labels[texts].astype(np.int64) * PRIME + hashes)
        size += len(hashes)
        if size > PENDING:
            add()
            pending, size = [], 0
    add()
    return counts
