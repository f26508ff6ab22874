"""Batches of sequences of like length, in an order that is a function of (seed, epoch).

Padding is where a CPU loses time, so sequences are put into buckets by length, and each bucket's batches hold as many
sequences as fit a token budget. Which sequences share a batch, and the order of the batches, follows from the seed and
the epoch alone: a training that starts again in the middle of an epoch sees what it would have seen.

Ids lie on disk and are read a batch at a time; in memory are some twenty bytes for each sequence.
"""

import dataclasses
import itertools
import json
import os
import weakref
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from tasks import atomic_files


class SequenceStore:
    """Sequences of ids in one file, each with a class.

    Args:
      folder: written by `write`.

    Attributes:
      lengths: int32 (sequences,), in tokens.
      labels: int32 (sequences,).
    """

    def __init__(self, folder: Path):
        self.dtype = np.dtype(json.loads((folder / "store.json").read_text())["dtype"])
        self.lengths = np.load(folder / "lengths.npy")
        self.labels = np.load(folder / "labels.npy")
        self._starts = np.concatenate([[0], np.cumsum(self.lengths, dtype=np.int64)])
        self._file = os.open(folder / "ids", os.O_RDONLY)
        weakref.finalize(self, os.close, self._file)

    def __len__(self) -> int:
        return len(self.lengths)

    def __getitem__(self, index: int) -> np.ndarray:
        """The ids of one sequence. Read with `pread`: a memory map would count towards the process's memory."""
        size = self.dtype.itemsize
        data = os.pread(self._file, int(self.lengths[index]) * size, int(self._starts[index]) * size)
        return np.frombuffer(data, self.dtype)

    @classmethod
    def write(cls, folder: Path, sequences: Iterable[tuple[list[int], int]], vocabulary_size: int) -> "SequenceStore":
        """Stores (ids, class) pairs as they come; memory holds a length and a class for each."""
        dtype = np.dtype(np.uint16 if vocabulary_size <= 1 << 16 else np.int32)
        lengths, labels = [_Growing(), _Growing()]
        with atomic_files.replacing_folder(folder) as temporary:
            with open(temporary / "ids", "wb") as file:
                for ids, label in sequences:
                    file.write(np.asarray(ids, dtype).tobytes())
                    lengths.append(len(ids))
                    labels.append(label)
            np.save(temporary / "lengths.npy", lengths.array())
            np.save(temporary / "labels.npy", labels.array())
            (temporary / "store.json").write_text(json.dumps({"dtype": dtype.name}))
        return cls(folder)


class _Growing:
    """An int32 array to append to; a Python list would take nine times its memory."""

    def __init__(self):
        self._data, self._size = np.empty(1024, np.int32), 0

    def append(self, value: int) -> None:
        if self._size == len(self._data):
            self._data = np.resize(self._data, 2 * self._size)
        self._data[self._size] = value
        self._size += 1

    def array(self) -> np.ndarray:
        return self._data[: self._size]


@dataclasses.dataclass(frozen=True)
class Bucket:
    members: np.ndarray  # uint32 (sequences,), indexes of sequences of like length
    batch_size: int  # sequences in a batch


def length_buckets(
    lengths: np.ndarray, tokens_per_batch: int, ratio: float = 1.1, full_batches: int = 4
) -> list[Bucket]:
    """Divides sequences into buckets by length.

    A bucket ends where the next sequence is longer than `ratio` times its shortest, once it holds `full_batches`
    batches: so padding costs a few per cent at the most in a large corpus, and a small one is not cut into a batch for
    each length.

    Args:
      lengths: (sequences,), in tokens.
      tokens_per_batch: sequences in a batch, times the longest of them, stay within it; one sequence longer than that
        is a batch of its own.
    """
    order = np.argsort(lengths, kind="stable").astype(np.uint32)
    ordered = np.maximum(np.asarray(lengths)[order], 1)
    batch_sizes = np.maximum(tokens_per_batch // ordered.astype(np.int64), 1)  # of a bucket that ends with a sequence
    # A bucket from `start` to `end` holds `full_batches` where spare[end] >= start; it never falls.
    spare = np.arange(1, len(order) + 1) - full_batches * batch_sizes
    buckets, start = [], 0
    while start < len(order):
        by_length = int(np.searchsorted(ordered, ordered[start] * ratio, side="right"))
        by_count = int(np.searchsorted(spare, start)) + 1
        end = min(max(by_length, by_count), len(order))
        buckets.append(Bucket(order[start:end], int(batch_sizes[end - 1])))
        start = end
    return buckets


def pair_buckets(
    lengths: np.ndarray, other_lengths: np.ndarray, tokens_per_batch: int, ratio: float = 1.2, full_batches: int = 4
) -> list[Bucket]:
    """Divides pairs of sequences into buckets, by the one length and within that by the other.

    Args:
      lengths, other_lengths: (pairs,), in tokens.
      tokens_per_batch: pairs in a batch, times the longest of the one side and of the other together, stay within it.
      ratio, full_batches: see `length_buckets`; the groups by the first length hold the square of `full_batches`.
    """
    buckets = []
    for group in length_buckets(lengths, tokens_per_batch, ratio, full_batches * full_batches):
        both = other_lengths[group.members] + lengths[group.members].max()
        buckets += [
            Bucket(group.members[bucket.members], bucket.batch_size)
            for bucket in length_buckets(both, tokens_per_batch, ratio, full_batches)
        ]
    return buckets


def steps_per_pass(buckets: list[Bucket]) -> int:
    """Batches in one pass; the same for every epoch."""
    return sum(-(-len(bucket.members) // bucket.batch_size) for bucket in buckets)


def epoch_batches(buckets: list[Bucket], seed: int, epoch: int) -> list[np.ndarray]:
    """The batches of one epoch, each an array of sequence indexes; a function of (buckets, seed, epoch)."""
    random = np.random.default_rng([seed, epoch])
    batches = []
    for bucket in buckets:
        members = random.permutation(bucket.members)
        batches.extend(
            members[start : start + bucket.batch_size] for start in range(0, len(members), bucket.batch_size)
        )
    return [batches[index] for index in random.permutation(len(batches))]


def ordered_batches(buckets: list[Bucket]) -> list[np.ndarray]:
    """The batches from short to long, unshuffled: for validation."""
    return [
        bucket.members[start : start + bucket.batch_size]
        for bucket in buckets
        for start in range(0, len(bucket.members), bucket.batch_size)
    ]


def chunks(items: Iterable, size: int = 1024) -> Iterator[list]:
    """Lists of `size` items, and one of the rest."""
    items = iter(items)
    while chunk := list(itertools.islice(items, size)):
        yield chunk


def padded(sequences: list[np.ndarray], length: int | None = None) -> np.ndarray:
    """int32 (batch, timesteps): sequences one below the other, padded on the right with 0.

    Args:
      length: timesteps; those of the longest sequence, and at least one, if None.
    """
    lengths = np.fromiter(map(len, sequences), np.int64, len(sequences))
    steps = max(1, int(lengths.max())) if length is None else length
    result = np.zeros((len(sequences), steps), np.int32)
    result[np.arange(steps) < lengths[:, None]] = np.concatenate(sequences)
    return result


def stream(buckets: list[Bucket], seed: int, epoch: int, step: int) -> Iterator[np.ndarray]:
    """Batches without end, from `step` of `epoch` on through all later epochs."""
    while True:
        yield from epoch_batches(buckets, seed, epoch)[step:]
        epoch, step = epoch + 1, 0
