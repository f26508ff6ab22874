"""Windows of one long text, batched: one after the other with the state carried, or shuffled.

The order follows from (seed, epoch): a training that starts again in the middle of an epoch sees what it would have
seen.
"""

from collections.abc import Iterator

import numpy as np
import tensorflow as tf

WINDOWS_IN_A_ROW = 8


class TrainingWindows:
    """Batches to train on.

    Where the state is carried, the text is read at `batch_size` places at once, evenly spread, and each row of a batch
    goes on where it stood in the batch before; each epoch begins some characters further on, so windows differ. Else
    windows are drawn in random order, and each begins anew.

    Args:
      ids: (characters,), two at least.
      window: characters in a window. A text too short for a batch of such windows gets fewer, or shorter ones.
      batch_size: windows in a batch.
      carried: whether the state is carried.
      step: characters from window to window, where the state is not carried; None is the window's length.
      last_only: the targets are each window's next character alone, not that of every position.
      seed: of the order.

    Attributes:
      window, batch_size: those in use.
      steps_per_pass: batches in a pass over the text, the same for each.
    """

    def __init__(
        self,
        ids: np.ndarray,
        *,
        window: int,
        batch_size: int,
        carried: bool,
        step: int | None = None,
        last_only: bool = False,
        seed: int = 0,
    ):
        self.ids, self.carried, self.last_only, self.seed = ids, carried, last_only, seed
        # One character is left for the last target, and a window for where an epoch begins.
        self.window = min(window, max(1, (len(ids) - 1) // 2))
        self.step = min(step or self.window, max(1, len(ids) - 1 - self.window))
        room = len(ids) - self.window
        self._windows = room // self.window if carried else max(1, (room - 1) // self.step)
        # A carried state that is never carried on is none: a row reads several windows.
        self.batch_size = min(batch_size, max(1, self._windows // WINDOWS_IN_A_ROW) if carried else self._windows)
        self.steps_per_pass = self._windows // self.batch_size
        self._spacing = room // self.batch_size  # from place to place in the text, where the state is carried

    def starts(self, epoch: int) -> np.ndarray:
        """int (steps_per_pass, batch_size): where each window begins."""
        random = np.random.default_rng([self.seed, epoch])
        if self.carried:
            places = random.integers(self.window) + np.arange(self.batch_size) * self._spacing
            return places + self.window * np.arange(self.steps_per_pass)[:, None]
        count = self.steps_per_pass * self.batch_size
        offset = random.integers(max(1, len(self.ids) - self.window - (self._windows - 1) * self.step - 1))
        return (offset + random.permutation(self._windows)[:count] * self.step).reshape(-1, self.batch_size)

    def batches(self, epoch: int, step: int) -> tf.data.Dataset:
        """Endless batches from (epoch, step) on: (ids (batch, window), begins (batch,)), targets."""

        def stream() -> Iterator:
            place, first = epoch, step
            while True:
                for number, starts in enumerate(self.starts(place)[first:], start=first):
                    # (batch, window + 1): the window and the character after it
                    rows = self.ids[starts[:, None] + np.arange(self.window + 1)].astype(np.int32)
                    begins = np.full(self.batch_size, not self.carried or number == 0)
                    yield (rows[:, :-1], begins), rows[:, -1:] if self.last_only else rows[:, 1:]
                place, first = place + 1, 0

        size = self.batch_size
        shape = (
            (tf.TensorSpec((size, self.window), tf.int32), tf.TensorSpec((size,), tf.bool)),
            tf.TensorSpec((size, 1 if self.last_only else self.window), tf.int32),
        )
        return tf.data.Dataset.from_generator(stream, output_signature=shape).prefetch(8)


def validation_windows(ids: np.ndarray, window: int, batch_size: int, fixed: bool = False) -> tf.data.Dataset:
    """One pass over a text, read at up to `batch_size` places at once, the state carried from window to window.

    Args:
      ids: (characters,), two at least.
      window: characters in a window, at the most.
      batch_size: rows of every batch; those that have no text weigh nothing.
      fixed: whether each window must have that length, as for an unrolled network.

    Returns: (ids (batch, window), begins (batch,)), targets (batch, window), weights (batch, window), 1 on the mean.
    """
    predicted = len(ids) - 1
    places = min(batch_size, max(1, predicted // window))
    length = -(-predicted // places)  # characters to read at each place
    steps = -(-length // window)
    size = window if fixed else -(-length // steps)
    rows = np.arange(places)[:, None] * length + np.arange(steps * size)
    weights = ((np.arange(steps * size) < length) & (rows < predicted)).astype(np.float32)
    # The mean over batches of what their elements weigh is then the mean over characters, however few the last has.
    weights *= batch_size * steps * size / weights.sum()
    rows = np.minimum(rows, predicted - 1)
    empty = ((0, batch_size - places), (0, 0))
    inputs, targets, weights = (np.pad(part, empty) for part in (ids[rows], ids[rows + 1], weights))

    def batches() -> Iterator:
        for step in range(steps):
            part = slice(step * size, (step + 1) * size)
            begins = np.full(batch_size, step == 0)
            yield (inputs[:, part].astype(np.int32), begins), targets[:, part].astype(np.int32), weights[:, part]

    shape = (
        (tf.TensorSpec((batch_size, size), tf.int32), tf.TensorSpec((batch_size,), tf.bool)),
        tf.TensorSpec((batch_size, size), tf.int32),
        tf.TensorSpec((batch_size, size), tf.float32),
    )
    dataset = tf.data.Dataset.from_generator(batches, output_signature=shape)
    return dataset.apply(tf.data.experimental.assert_cardinality(steps))
