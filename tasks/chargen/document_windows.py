"""Windows of separate texts, in batches of texts of similar length: each begins with a zero state, carried to its end.

The order is a function of (seed, epoch), as in `tasks.chargen.windows`.
"""

import itertools
from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from tasks.data import bucketing
from tasks.data.sequence_store import SequenceStore, pad_sequences

# Batches of short windows have up to this number of times the rows.
MOST_ROWS = 8
# A text is read in segments of this number of windows at most, fewer if there are too few for all rows.
MOST_WINDOWS, LEAST_WINDOWS = 64, 4


class DocumentWindows:
    """Batches of windows that read each text from its beginning to its end.

    Texts of similar length share the rows of one or more consecutive batches, over which the state is carried. A batch
    has about `rows` times `window` tokens: where texts are shorter than a window, it has more rows. Very long texts are
    read in segments, of which each begins with a zero state.

    Args:
        store: The texts: of each the ids, with the boundary before the first and after the last.
        window: Maximum number of tokens in a window.
        rows: Rows of a batch of long texts.
        seed: Seed of the order.
        max_steps: Maximum number of batches of `one_pass`, which reads evenly spread texts if these are too many. None
            reads all.
        reverse: Whether each text is read from its end to its beginning.
        targets_as_input: Whether the targets of a training are a third input; see `models.window_model.WindowModel`.

    Attributes:
        max_rows: The largest possible number of rows of a batch.
        longest: Maximum number of tokens of a segment.
        steps_per_pass: Batches in a pass over the texts, the same for each pass.
        tokens: Number of tokens that are predicted in a pass, with the end of each text.
    """

    def __init__(
        self,
        store: SequenceStore,
        *,
        window: int,
        rows: int,
        seed: int = 0,
        max_steps: int | None = None,
        reverse: bool = False,
        targets_as_input: bool = False,
    ):
        self._store, self._seed = store, seed
        self._reverse, self._targets_as_input = reverse, targets_as_input
        self.max_rows = rows * MOST_ROWS
        predicted = store.lengths.astype(np.int64) - 1
        self.tokens = int(predicted.sum())
        windows = np.clip(self.tokens // (rows * window * MOST_ROWS), LEAST_WINDOWS, MOST_WINDOWS)
        self.longest = int(windows) * window
        self._segments = Segments(store.lengths, self.longest)
        lengths = self._segments.lengths
        chosen = np.arange(len(lengths))
        if max_steps is not None:
            chosen = chosen[:: max(1, -(-int(lengths.sum()) // (max_steps * rows * window)))]
            self.tokens = int(lengths[chosen].sum())
        self._buckets = [
            bucketing.Bucket(chosen[bucket.members], min(bucket.batch_size, self.max_rows))
            for bucket in bucketing.length_buckets(lengths[chosen], rows * window, longest=window)
        ]
        # The batches that a group of texts takes are the same for all groups of a bucket.
        self._steps = np.zeros(len(lengths), np.uint8)
        for bucket in self._buckets:
            self._steps[bucket.members] = -(-int(lengths[bucket.members].max()) // window)
        groups = bucketing.ordered_batches(self._buckets)
        self.steps_per_pass = sum(int(self._steps[group[0]]) for group in groups)
        self._mean_weight = sum(len(group) * int(self._steps[group[0]]) for group in groups) / self.tokens

    def batches(self, epoch: int, step: int) -> tf.data.Dataset:
        """Return endless batches from (epoch, step) on: inputs (ids, begins[, targets]), targets, weights.

        ids, targets and weights are (batch, timesteps). The sum of a batch's weights is its number of rows, see
        `models.losses.TokenCrossentropy`. Where the targets are an input too, the targets of the loss are zeros: the
        model returns the logit of the target first.
        """

        def stream() -> Iterator:
            number, first = epoch, step
            while True:
                groups = bucketing.epoch_batches(self._buckets, self._seed, number)
                yield from itertools.islice(self._windows(groups, first), first, None)
                number, first = number + 1, 0

        return self._dataset(stream, training=True).prefetch(8)

    def one_pass(self) -> tf.data.Dataset:
        """Return one pass that is always the same; each token has the same weight. See `batches`."""
        dataset = self._dataset(lambda: self._windows(bucketing.ordered_batches(self._buckets)), training=False)
        return dataset.apply(tf.data.experimental.assert_cardinality(self.steps_per_pass))

    def _windows(self, groups: list[np.ndarray], skipped: int = 0) -> Iterator[tuple]:
        """Yield ids, begins, targets and whether a token counts; None for windows that are certainly skipped."""
        for group in groups:
            steps = int(self._steps[group[0]])
            if skipped >= steps:  # need not be read
                skipped -= steps
                yield from itertools.repeat(None, steps)
                continue
            skipped = 0
            rows = [self._segments.read(self._store, index) for index in group]
            rows = [row[::-1] for row in rows] if self._reverse else rows
            lengths = np.fromiter(map(len, rows), np.int64, len(rows)) - 1
            width = -(-int(lengths.max()) // steps)
            padded = pad_sequences(rows, steps * width + 1)
            counts = np.arange(steps * width) < lengths[:, None]
            for step in range(steps):
                part = slice(step * width, (step + 1) * width)
                begins = np.full(len(rows), step == 0)
                yield padded[:, :-1][:, part], begins, padded[:, 1:][:, part], counts[:, part]

    def _dataset(self, stream, *, training: bool) -> tf.data.Dataset:
        def weighted() -> Iterator:
            for ids, begins, targets, counts in stream():
                weight = len(ids) / max(1, counts.sum()) if training else self._mean_weight
                inputs = (ids, begins, targets) if self._targets_as_input else (ids, begins)
                labels = np.zeros_like(targets) if training and self._targets_as_input else targets
                yield inputs, labels, np.float32(weight) * counts.astype(np.float32)

        tokens, rows = tf.TensorSpec((None, None), tf.int32), tf.TensorSpec((None,), tf.bool)
        inputs = (tokens, rows, tokens) if self._targets_as_input else (tokens, rows)
        signature = (inputs, tokens, tf.TensorSpec((None, None), tf.float32))
        return tf.data.Dataset.from_generator(weighted, output_signature=signature)


class Segments:
    """Parts of stored texts; a text that is not too long is one.

    Args:
        lengths: (texts,), the number of ids of each.
        limit: Maximum number of predicted ids of a segment.

    Attributes:
        lengths: int32 (segments,), the number of predicted ids of each.
    """

    def __init__(self, lengths: np.ndarray, limit: int):
        predicted = np.maximum(lengths.astype(np.int64) - 1, 1)
        counts = -(-predicted // limit)
        self._texts = np.repeat(np.arange(len(lengths), dtype=np.int32), counts)
        number = np.arange(len(self._texts)) - np.repeat(np.cumsum(counts) - counts, counts)
        self._starts = number * limit
        self.lengths = np.minimum(predicted[self._texts] - self._starts, limit).astype(np.int32)

    def read(self, store: SequenceStore, index: int) -> np.ndarray:
        """Return the ids of a segment, with the id before the first that is predicted."""
        start = int(self._starts[index])
        return store.read(int(self._texts[index]), start, start + int(self.lengths[index]) + 1)
