"""Windows of records, in batches: each record begins with a zero state, which is carried to its end.

The order is a function of (seed, epoch), as in `tasks.chargen.windows`.
"""

import heapq
from collections.abc import Iterator

import numpy as np
import tensorflow as tf


class RecordWindows:
    """Batches of windows that read each record from its beginning to its end.

    Each row of the batches reads records one after the other. A record begins with a zero state and takes one window or
    more, over which the state is carried; what remains of its last window has the weight 0. The windows have the length
    of the longest record, if that is shorter than `window`.

    Records are divided over the rows so that all rows have nearly the same number of windows (longest processing time
    first, Graham 1969). Which records have which place of the same number of windows, and the order of a row, are a
    function of (seed, epoch).

    Args:
        ids: (characters,): a boundary, and after each record another one.
        boundary: The id of the boundary.
        window: Maximum number of characters in a window.
        batch_size: Maximum number of rows.
        seed: Seed of the order.
        fixed: Whether the two sizes are used as they are, also if the records are shorter or fewer.
        max_steps: Maximum number of batches. Of too many records for them, evenly spread ones are read. None reads all.

    Attributes:
        window: Characters in a window, as used.
        batch_size: Rows, as used.
        steps_per_pass: Batches in a pass over the records, the same for each pass.
        characters: Number of characters that count, with the end of each record.
    """

    def __init__(
        self,
        ids: np.ndarray,
        boundary: int,
        *,
        window: int,
        batch_size: int,
        seed: int = 0,
        fixed: bool = False,
        max_steps: int | None = None,
    ):
        self.ids, self.seed = ids, seed
        boundaries = np.flatnonzero(ids == boundary)
        # A window of a record begins with the boundary before it; its targets end with the one after it.
        starts, lengths = boundaries[:-1], np.diff(boundaries)
        self.window = window if fixed else min(window, int(lengths.max()))
        self.batch_size = batch_size if fixed else min(batch_size, len(lengths))
        if max_steps is not None:
            stride = -(-int((-(-lengths // self.window)).sum()) // (max_steps * self.batch_size))
            starts, lengths = starts[::stride], lengths[::stride]
        self._starts, self._lengths, self.characters = starts, lengths, int(lengths.sum())
        windows = -(-lengths // self.window)
        self._order = np.argsort(-windows, kind="stable")  # records by their number of windows
        self._windows = windows[self._order]
        self._rows = _balanced_rows(self._windows, self.batch_size)
        self.steps_per_pass = int(np.bincount(self._rows, self._windows).max())
        self._weight = self.steps_per_pass * self.batch_size * self.window / self.characters

    def batches(self, epoch: int, step: int) -> tf.data.Dataset:
        """Return endless batches from (epoch, step) on: (ids (batch, window), resets (batch,)), targets, weights.

        `resets` is True where a row begins with a zero state. Over a pass, the mean of the weights is 1.
        """

        def stream() -> Iterator:
            number, first = epoch, step
            while True:
                yield from self._pass(*self._places(np.random.default_rng([self.seed, number])), first)
                number, first = number + 1, 0

        return tf.data.Dataset.from_generator(stream, output_signature=self._signature()).prefetch(8)

    def one_pass(self) -> tf.data.Dataset:
        """Return one pass that is always the same, as from `batches`."""
        dataset = tf.data.Dataset.from_generator(
            lambda: self._pass(*self._places(None)), output_signature=self._signature()
        )
        return dataset.apply(tf.data.experimental.assert_cardinality(self.steps_per_pass))

    def _places(self, random: np.random.Generator | None) -> tuple[np.ndarray, np.ndarray]:
        """Return where each window begins, and how many characters it has: int (steps_per_pass, batch_size) each.

        A window that begins a record has a negative number of characters: 0 is a place without a record.
        """
        count, order = len(self._order), self._order
        if random is not None:
            # Records of the same number of windows change places.
            order = order[np.lexsort((random.random(count), -self._windows))]
        keys = np.arange(count) if random is None else random.random(count)
        slots = np.lexsort((keys, self._rows))  # by row, and in a row by the key
        rows, records, windows = self._rows[slots], order[slots], self._windows[slots]
        ends = np.cumsum(windows)
        before = ends - windows  # windows of all rows before a record
        first_of_row = np.searchsorted(rows, np.arange(self.batch_size))
        padded = np.append(before, ends[-1:])
        steps = before - padded[first_of_row][rows]
        number = np.arange(ends[-1]) - np.repeat(before, windows)  # of each window in its record
        at = np.repeat(steps, windows) + number, np.repeat(rows, windows)
        starts, sizes = (np.zeros((self.steps_per_pass, self.batch_size), np.int64) for _ in range(2))
        starts[at] = np.repeat(self._starts[records], windows) + number * self.window
        sizes[at] = np.minimum(np.repeat(self._lengths[records], windows) - number * self.window, self.window)
        sizes[at] *= np.where(number == 0, -1, 1)
        return starts, sizes

    def _pass(self, starts: np.ndarray, sizes: np.ndarray, first: int = 0) -> Iterator:
        columns = np.arange(self.window)
        for places, counts in zip(starts[first:], sizes[first:], strict=True):
            at = np.minimum(places[:, None] + columns, len(self.ids) - 2)
            weights = (columns < np.abs(counts)[:, None]) * self._weight
            inputs, targets = (self.ids[part].astype(np.int32) for part in (at, at + 1))
            yield (inputs, counts <= 0), targets, weights.astype(np.float32)

    def _signature(self) -> tuple:
        shape = (self.batch_size, self.window)
        inputs = tf.TensorSpec(shape, tf.int32), tf.TensorSpec(shape[:1], tf.bool)
        return inputs, tf.TensorSpec(shape, tf.int32), tf.TensorSpec(shape, tf.float32)


class ValidationRecords:
    """One pass over records; the counterpart of `tasks.chargen.windows.ValidationWindows`.

    Args:
        ids: See `RecordWindows`.
        boundary: See `RecordWindows`.
        window: Characters in a window.
        batch_size: Rows of every batch.
        max_steps: Maximum number of batches. Of too many records for them, evenly spread ones are read. None reads all.

    Attributes:
        characters: Number of characters that count.
    """

    def __init__(self, ids: np.ndarray, boundary: int, window: int, batch_size: int, max_steps: int | None = None):
        self._windows = RecordWindows(
            ids, boundary, window=window, batch_size=batch_size, fixed=True, max_steps=max_steps
        )
        self.characters = self._windows.characters

    def batches(self) -> tf.data.Dataset:
        """Return (ids (batch, window), resets (batch,)), targets (batch, window), weights (batch, window)."""
        return self._windows.one_pass()


def _balanced_rows(windows: np.ndarray, count: int) -> np.ndarray:
    """Return a row for each record, so that the rows have nearly the same number of windows: int (records,).

    Args:
        windows: (records,), the number of windows of each, in falling order.
        count: Number of rows.
    """
    rows, loads = [], [(0, row) for row in range(count)]
    for size in windows.tolist():
        load, row = loads[0]
        rows.append(row)
        heapq.heapreplace(loads, (load + size, row))
    return np.array(rows)
