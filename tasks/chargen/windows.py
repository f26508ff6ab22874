"""Windows of one long text, in batches: consecutive with the state carried over, or shuffled.

The order is a function of (seed, epoch): a training that is resumed in the middle of an epoch gets the batches it would
have got.
"""

from collections.abc import Iterator

import numpy as np
import tensorflow as tf

WINDOWS_IN_A_ROW = 8
# Validation: what a row reads before the characters that count, and at least how many of these it has.
CONTEXT, CHARACTERS_IN_A_ROW = 256, 512


class TrainingWindows:
    """Batches to train on.

    With `stateful` the text is read at `batch_size` evenly spaced positions at once, and each row of a batch continues
    where it ended in the batch before; each epoch begins at another offset, so windows differ. Otherwise windows come
    in random order, and each begins with a zero state.

    Args:
        ids: (characters,), at least two.
        window: Characters in a window. A text too short for a batch of such windows gets fewer, or shorter ones.
        batch_size: Windows in a batch.
        stateful: Whether the state is carried from one window to the next.
        step: Characters from one window to the next without `stateful`; None is the length of a window.
        last_only: Whether the target is the character after the window alone, not that of every position.
        seed: Seed of the order.

    Attributes:
        window: Characters in a window, as used.
        batch_size: Windows in a batch, as used.
        steps_per_pass: Batches in a pass over the text, the same for each pass.
    """

    def __init__(
        self,
        ids: np.ndarray,
        *,
        window: int,
        batch_size: int,
        stateful: bool,
        step: int | None = None,
        last_only: bool = False,
        seed: int = 0,
    ):
        self.ids, self.stateful, self.last_only, self.seed = ids, stateful, last_only, seed
        # One character is left for the last target, and a window for where an epoch resets.
        self.window = min(window, max(1, (len(ids) - 1) // 2))
        self.step = min(step or self.window, max(1, len(ids) - 1 - self.window))
        room = len(ids) - self.window
        self._windows = room // self.window if stateful else max(1, (room - 1) // self.step)
        # A row reads several windows; otherwise no state would be carried.
        self.batch_size = min(batch_size, max(1, self._windows // WINDOWS_IN_A_ROW) if stateful else self._windows)
        self.steps_per_pass = self._windows // self.batch_size
        self._spacing = room // self.batch_size  # from place to place in the text, where the state is carried

    def starts(self, epoch: int) -> np.ndarray:
        """Return where each window begins: int (steps_per_pass, batch_size)."""
        random = np.random.default_rng([self.seed, epoch])
        if self.stateful:
            places = random.integers(self.window) + np.arange(self.batch_size) * self._spacing
            return places + self.window * np.arange(self.steps_per_pass)[:, None]
        count = self.steps_per_pass * self.batch_size
        offset = random.integers(max(1, len(self.ids) - self.window - (self._windows - 1) * self.step - 1))
        return (offset + random.permutation(self._windows)[:count] * self.step).reshape(-1, self.batch_size)

    def batches(self, epoch: int, step: int) -> tf.data.Dataset:
        """Return endless batches from (epoch, step) on: (ids (batch, window), resets (batch,)), targets.

        `resets` is True where a row begins with a zero state.
        """

        def stream() -> Iterator:
            place, first = epoch, step
            while True:
                for number, starts in enumerate(self.starts(place)[first:], start=first):
                    # (batch, window + 1): the window and the character after it
                    rows = self.ids[starts[:, None] + np.arange(self.window + 1)].astype(np.int32)
                    resets = np.full(self.batch_size, not self.stateful or number == 0)
                    yield (rows[:, :-1], resets), rows[:, -1:] if self.last_only else rows[:, 1:]
                place, first = place + 1, 0

        size = self.batch_size
        shape = (
            (tf.TensorSpec((size, self.window), tf.int32), tf.TensorSpec((size,), tf.bool)),
            tf.TensorSpec((size, 1 if self.last_only else self.window), tf.int32),
        )
        return tf.data.Dataset.from_generator(stream, output_signature=shape).prefetch(8)


class ValidationWindows:
    """One pass over a text, read at up to `batch_size` positions at once, with the state carried over.

    The loss is that of one reading from beginning to end, as `evaluate` measures it: the first row begins with a zero
    state, and each other row first reads the `CONTEXT` characters before its own, which have the weight 0. A text that
    is short has fewer rows, so that most of what a row reads counts.

    Args:
        ids: (characters,), at least two.
        window: Maximum number of characters in a window.
        batch_size: Rows of every batch; rows without text have the weight 0.
        fixed: Whether each window must have that length, as for an unrolled network.
        max_steps: Maximum number of batches. Each row of a text that is too long for them reads only the beginning of
            its part, so what is read is evenly spread. None reads the whole text.

    Attributes:
        steps: Number of batches.
        characters: Number of characters that count.
    """

    def __init__(
        self, ids: np.ndarray, window: int, batch_size: int, *, fixed: bool = False, max_steps: int | None = None
    ):
        self._ids, self._batch_size = ids, batch_size
        self._predicted = len(ids) - 1
        self._rows = min(batch_size, max(1, (self._predicted - CONTEXT) // CHARACTERS_IN_A_ROW))
        context = CONTEXT if self._rows > 1 else 0
        # Characters of each row that count; of the first, the context as well.
        self._length = -(-(self._predicted - context) // self._rows)
        steps = -(-(context + self._length) // window)
        self.steps = min(steps, max_steps or steps)
        self._size = window if fixed or self.steps < steps else -(-(context + self._length) // steps)
        read = min(context + self._length, self.steps * self._size)
        starts = np.arange(self._rows) * self._length
        # The columns of each row that count: from `first` to before `end`.
        self._first = np.where(starts == 0, 0, min(context, read // 2))
        self._end = np.minimum(read, self._predicted - starts)
        self.characters = int((self._end - self._first).clip(0).sum())

    def batches(self) -> tf.data.Dataset:
        """Return (ids (batch, window), resets (batch,)), targets (batch, window), weights (batch, window).

        The weights have the mean 1 over all batches: the mean of the loss over batches is that over characters,
        however few the last batch has.
        """
        size, rows = self._size, np.arange(self._rows)[:, None] * self._length
        weight = np.float32(self._batch_size * self.steps * size / self.characters)
        empty = ((0, self._batch_size - self._rows), (0, 0))

        def stream() -> Iterator:
            for step in range(self.steps):
                columns = np.arange(step * size, (step + 1) * size)
                counts = (self._first[:, None] <= columns) & (columns < self._end[:, None])
                places = np.minimum(rows + columns, self._predicted - 1)
                parts = (self._ids[places], self._ids[places + 1], counts * weight)
                ids, targets, weights = (np.pad(part, empty) for part in parts)
                resets = np.full(self._batch_size, step == 0)
                yield (ids.astype(np.int32), resets), targets.astype(np.int32), weights

        shape = (
            (tf.TensorSpec((self._batch_size, size), tf.int32), tf.TensorSpec((self._batch_size,), tf.bool)),
            tf.TensorSpec((self._batch_size, size), tf.int32),
            tf.TensorSpec((self._batch_size, size), tf.float32),
        )
        dataset = tf.data.Dataset.from_generator(stream, output_signature=shape)
        return dataset.apply(tf.data.experimental.assert_cardinality(self.steps))
