"""Batches of sequences of similar length, in an order that is a function of (seed, epoch).

Padding is where a CPU loses time, so sequences are divided into buckets by length, and each bucket's batches hold as
many sequences as fit a token budget. Which sequences share a batch, and the order of the batches, follows from the seed
and the epoch alone: a training that is resumed in the middle of an epoch gets the batches it would have got.
"""

import dataclasses
from collections.abc import Iterator

import numpy as np


@dataclasses.dataclass(frozen=True)
class Bucket:
    """Sequences of similar length.

    Attributes:
        members: uint32 (sequences,), their indexes.
        batch_size: Sequences in a batch.
    """

    members: np.ndarray
    batch_size: int


def length_buckets(
    lengths: np.ndarray,
    tokens_per_batch: int,
    ratio: float = 1.1,
    full_batches: int = 4,
    longest: int | None = None,
) -> list[Bucket]:
    """Divide sequences into buckets by length.

    A bucket ends where the next sequence is longer than `ratio` times its shortest, once it holds `full_batches`
    batches: padding then costs at most a few per cent in a large corpus, and a small corpus is not divided into a batch
    for each length.

    Args:
        lengths: (sequences,), in tokens.
        tokens_per_batch: Upper bound of sequences in a batch times the longest of them; a longer sequence is a batch by
            itself.
        ratio: See above.
        full_batches: See above.
        longest: The length from which on sequences are read in parts of this length, one batch after the other.
    """
    order = np.argsort(lengths, kind="stable").astype(np.uint32)
    ordered = np.maximum(np.asarray(lengths)[order], 1)
    # Of a bucket that ends with a sequence.
    batch_sizes = np.maximum(tokens_per_batch // np.minimum(ordered, longest or ordered[-1:]).astype(np.int64), 1)
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
    """Divide pairs of sequences into buckets, by the first length and within that by the second.

    Args:
        lengths: (pairs,), the first lengths, in tokens.
        other_lengths: (pairs,), the second lengths.
        tokens_per_batch: Upper bound of pairs in a batch times the sum of the longest first and second sequence.
        ratio: See `length_buckets`.
        full_batches: See `length_buckets`; groups by the first length hold the square of it.
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
    """Return the number of batches in one pass; the same for every epoch."""
    return sum(-(-len(bucket.members) // bucket.batch_size) for bucket in buckets)


def epoch_batches(buckets: list[Bucket], seed: int, epoch: int) -> list[np.ndarray]:
    """Return the batches of one epoch, each an array of sequence indexes; a function of the arguments."""
    random = np.random.default_rng([seed, epoch])
    batches = []
    for bucket in buckets:
        members = random.permutation(bucket.members)
        batches.extend(
            members[start : start + bucket.batch_size] for start in range(0, len(members), bucket.batch_size)
        )
    return [batches[index] for index in random.permutation(len(batches))]


def ordered_batches(buckets: list[Bucket]) -> list[np.ndarray]:
    """Return the batches from short to long, not shuffled: for validation."""
    return [
        bucket.members[start : start + bucket.batch_size]
        for bucket in buckets
        for start in range(0, len(bucket.members), bucket.batch_size)
    ]


def endless_batches(buckets: list[Bucket], seed: int, epoch: int, step: int) -> Iterator[np.ndarray]:
    """Yield batches without end, from `step` of `epoch` on through all later epochs."""
    while True:
        yield from epoch_batches(buckets, seed, epoch)[step:]
        epoch, step = epoch + 1, 0
