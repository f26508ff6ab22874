"""Groups of records that belong in one split of drawn data, and the shares of the classes.

- Records that share a text, directly or through others, form a group (a connected component), and follow one of them.
  Groups as large as half of a split are trained on.
- Where chance gives a class less than half or more than one and a half times the share that was asked for, the groups
  with the nearest hashes are moved.
- Each class keeps a record to train on, and each split has a record as far as there are enough.
"""

import itertools
import math
from collections.abc import Collection, Sequence

import numpy as np

HASH_BITS = 48  # such hashes are exact in a float
SCRAMBLE = np.uint64(0x9E3779B97F4A7C15)  # odd, so that different hashes stay different modulo 2^64
# A class has at least and at most this part of the share that was asked for.
LEAST, MOST = 0.5, 1.5
# The splits in the order of the hashes that belong to them.
DRAWN_SPLITS = ("test", "validation", "train")
TEST, VALIDATION, TRAIN = range(3)


class RecordGroups:
    """Records in groups that belong in one split.

    Args:
        keys: int64 (records,), the hash that places a record.
        classes: int64 (records,), its class; the rarest class is 0.
        links: Each int64 (records,); records with an equal value are in one group.
        class_count: Number of classes.

    Attributes:
        record_keys: The argument `keys`.
        classes: The argument `classes`.
        group_of: int32 (records,), the group of each record.
        keys: int64 (groups,), the hash of one of the records of each.
        sizes: int64 (groups,), the number of records.
        owners: int64 (groups,), the class that counts a group: the rarest one of its records.
    """

    def __init__(self, keys: np.ndarray, classes: np.ndarray, links: Sequence[np.ndarray], class_count: int):
        self.record_keys, self.classes, self.class_count = keys, classes, class_count
        self.group_of = connected_components(links)
        self.sizes = np.bincount(self.group_of)
        # The key of one record, whichever it is. The lowest one would favour the splits of low hashes.
        scrambled = keys.astype(np.uint64) * SCRAMBLE
        first = np.lexsort((scrambled, self.group_of))
        self.keys = keys[first[np.searchsorted(self.group_of[first], np.arange(len(self.sizes)))]]
        self.owners = np.full(len(self.sizes), class_count)
        np.minimum.at(self.owners, self.group_of, classes)

    @staticmethod
    def hashed_splits(keys: np.ndarray, fractions: tuple[float, float]) -> np.ndarray:
        """Return the split that follows from a hash, a number of `DRAWN_SPLITS`."""
        return np.searchsorted(list(itertools.accumulate(fractions)), keys / 2**HASH_BITS, side="right")

    def unbalanced_classes(self, fractions: tuple[float, float], others: np.ndarray) -> list[int]:
        """Return the classes of which records have to be moved; all classes if a split has no record.

        Args:
            fractions: The shares of test and validation.
            others: int64 (classes, splits), the records of each class that are in no group.
        """
        splits = self._start(fractions, others)
        counts = others + class_counts(splits, self.owners, self.class_count, self.sizes)
        if any(fraction and not counts[:, split].any() for split, fraction in enumerate(fractions)):
            return list(range(self.class_count))
        totals = counts.sum(axis=1)
        balanced = (counts[:, TRAIN] > 0) | (totals == 0)
        for split, fraction in enumerate(fractions):
            least, most = zip(*(_limits(fraction * total) for total in totals.tolist()), strict=True)
            balanced &= (counts[:, split] >= least) & (counts[:, split] <= most)
        return np.flatnonzero(~balanced).tolist()

    def draw(self, fractions: tuple[float, float], others: np.ndarray, unbalanced: Collection[int]) -> np.ndarray:
        """Return the split of each record, a number of `DRAWN_SPLITS`: int64 (records,).

        Args:
            fractions: The shares of test and validation.
            others: As for `unbalanced_classes`.
            unbalanced: From `unbalanced_classes`; these have all of their records here, and none among `others`.
        """
        splits = self._start(fractions, others)
        ordered = np.lexsort((self.keys, self.owners))
        for groups in np.split(ordered, np.flatnonzero(np.diff(self.owners[ordered])) + 1):
            if len(groups) and self.owners[groups[0]] in unbalanced:
                self._give_shares(splits, groups, fractions)
        self._train_on_each_class(splits, others)
        for split in (VALIDATION, TEST):
            if fractions[split] and not others[:, split].any() and not np.any(splits == split):
                self._fill(splits, split, others)
        return splits[self.group_of]

    def _start(self, fractions: tuple[float, float], others: np.ndarray) -> np.ndarray:
        """Return the split of each group by its hash, or TRAIN for a large one."""
        splits = self.hashed_splits(self.keys, fractions)
        totals = others.sum(axis=1) + np.bincount(self.owners, self.sizes, minlength=self.class_count)
        shares = np.array([*fractions, math.inf])[splits] * totals[self.owners]
        splits[self.sizes > np.maximum(1, LEAST * shares)] = TRAIN
        return splits

    def _give_shares(self, splits: np.ndarray, groups: np.ndarray, fractions: tuple[float, float]) -> None:
        """Move groups of a class, which are ordered by `keys`, until each split has about its share."""
        sizes, own, total = self.sizes[groups], splits[groups], self.sizes[groups].sum()
        for split in (VALIDATION, TEST):
            least, most = _limits(fractions[split] * total)
            size, given = sizes[own == split].sum(), np.flatnonzero(own == split).tolist()
            while size > most:
                index = given.pop()
                own[index], size = TRAIN, size - sizes[index]
            spare = np.flatnonzero((own == TRAIN) & (sizes <= max(1, least))).tolist()
            while size < least and spare and np.count_nonzero(own == TRAIN) > 1:
                index = spare.pop(0)
                own[index], size = split, size + sizes[index]
        if not np.any(own == TRAIN):
            own[-1] = TRAIN
        splits[groups] = own

    def _train_on_each_class(self, splits: np.ndarray, others: np.ndarray) -> None:
        """Give a record to train on to each class all of whose groups count for other classes."""
        trained = self._trained(splits, others)
        for missing in np.flatnonzero(trained == 0).tolist():
            groups = np.unique(self.group_of[self.classes == missing])
            if len(groups) and not np.any(splits[groups] == TRAIN):
                splits[groups[np.argmax(self.keys[groups])]] = TRAIN

    def _fill(self, splits: np.ndarray, split: int, others: np.ndarray) -> None:
        """Move the smallest group to an empty split without which each class still has a record to train on."""
        trained = self._trained(splits, others)
        candidates = np.flatnonzero(splits == TRAIN)
        for group in candidates[np.lexsort((self.keys[candidates], self.sizes[candidates]))].tolist():
            own = np.bincount(self.classes[self.group_of == group], minlength=self.class_count)
            if np.all((own == 0) | (trained > own)):
                splits[group] = split
                return
        tested = np.flatnonzero(splits == TEST)
        if split == VALIDATION and len(tested):
            splits[tested[np.argmin(self.keys[tested])]] = VALIDATION

    def _trained(self, splits: np.ndarray, others: np.ndarray) -> np.ndarray:
        """Return the number of records of each class to train on: int64 (classes,)."""
        return others[:, TRAIN] + class_counts(splits[self.group_of], self.classes, self.class_count)[:, TRAIN]


def class_counts(
    splits: np.ndarray, classes: np.ndarray, class_count: int, weights: np.ndarray | None = None
) -> np.ndarray:
    """Return how many records each split has of each class: int64 (classes, splits).

    Args:
        splits: int64 (n,), numbers of `DRAWN_SPLITS`.
        classes: int64 (n,).
        class_count: Number of classes.
        weights: int64 (n,), how many records each stands for; 1 if None.
    """
    counts = np.bincount(
        classes * len(DRAWN_SPLITS) + splits, weights=weights, minlength=class_count * len(DRAWN_SPLITS)
    )
    return counts.astype(np.int64).reshape(class_count, len(DRAWN_SPLITS))


def _limits(share: float) -> tuple[int, int]:
    """Return the least and the greatest number of records of a class in a split that should have `share` of them."""
    least = max(math.floor(LEAST * share), 1 if share >= LEAST else 0)
    return least, max(math.ceil(MOST * share), least)


def connected_components(links: Sequence[np.ndarray]) -> np.ndarray:
    """Return the number of each record's component, in which records are connected by equal values: int32 (records,).

    Args:
        links: Each (records,).
    """
    if not len(links[0]):
        return np.zeros(0, np.int32)
    import scipy.sparse.csgraph  # imported here because it takes a fifth of a second

    edges = []
    for link in links:
        order = np.argsort(link)
        equal = link[order[1:]] == link[order[:-1]]
        edges.append((order[1:][equal], order[:-1][equal]))
    rows, columns = (np.concatenate(ends) for ends in zip(*edges, strict=True))
    shape = (len(links[0]), len(links[0]))
    graph = scipy.sparse.coo_array((np.ones(len(rows), np.bool_), (rows, columns)), shape)
    return scipy.sparse.csgraph.connected_components(graph, directed=False)[1]
