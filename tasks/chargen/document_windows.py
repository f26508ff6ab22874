"""Windows of separate texts, in batches of texts of similar length: each begins with a zero state, carried to its end.

The order is a function of (seed, epoch), as in `tasks.chargen.windows`.
"""

import functools
import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

from tasks.data import bucketing
from tasks.data.sequence_store import SequenceStore, pad_sequences

# Batches of short windows have up to this number of times the rows.
MOST_ROWS = 8
# A text is read in segments of this number of windows at most. If there are fewer texts than rows to train on, segments
# are shorter, so that there are some for each row.
MOST_WINDOWS, LEAST_WINDOWS = 64, 4


class DocumentWindows:
    """Batches of windows that read each text from its beginning to its end.

    Texts of similar length share the rows of one or more consecutive batches, over which the state is carried. A batch
    has about `rows` times `window` tokens: where texts are shorter than a window, it has more rows. Very long texts are
    read in segments, of which each begins with a zero state.

    The texts are stored in blocks, of which memory holds one or two. An epoch reads the blocks in random order.

    Args:
        stores: The folders of the blocks, from `SequenceStore.write`: of each text the ids, with the boundary before
            the first and after the last.
        window: Maximum number of tokens in a window.
        rows: Rows of a batch of long texts.
        seed: Seed of the order.
        max_steps: About the maximum number of batches of `one_pass`, which reads evenly spread texts if these are too
            many. None reads all.
        reverse: Whether each text is read from its end to its beginning.
        targets_as_input: Whether the targets of a training are a third input; see `models.window_model.WindowModel`.
        shorten: Whether segments are shorter if there are few texts.

    Attributes:
        longest: Maximum number of tokens of a segment.
        steps_per_pass: Batches in a pass over the texts, the same for each pass.
        texts: Number of texts.
        all_tokens: Number of tokens of all texts, with the end of each.
        tokens: Number of those that are predicted in a pass.
    """

    def __init__(
        self,
        stores: Sequence[Path],
        *,
        window: int,
        rows: int,
        seed: int = 0,
        max_steps: int | None = None,
        reverse: bool = False,
        targets_as_input: bool = False,
        shorten: bool = False,
    ):
        self._stores, self._seed, self._window, self._rows = list(stores), seed, window, rows
        self._reverse, self._targets_as_input = reverse, targets_as_input
        sizes = [(len(lengths), int(lengths.sum())) for lengths in (SequenceStore(path).lengths for path in stores)]
        self.texts = sum(count for count, _ in sizes)
        self.all_tokens = sum(total - count for count, total in sizes)
        self.longest = MOST_WINDOWS * window
        if shorten and self.texts < rows:
            windows = np.clip(self.all_tokens // (rows * window * MOST_ROWS), LEAST_WINDOWS, MOST_WINDOWS)
            self.longest = int(windows) * window
        self._stride = 1 if max_steps is None else max(1, -(-self.all_tokens // (max_steps * rows * window)))
        self._block = functools.lru_cache(maxsize=2)(self._open_block)
        found = [(block.steps, block.rows, block.tokens) for block in map(self._block, range(len(self._stores)))]
        self._block_steps = [steps for steps, _, _ in found]
        self.steps_per_pass, read_rows, self.tokens = (sum(column) for column in zip(*found, strict=True))
        self._mean_weight = read_rows / self.tokens

    def batches(self, epoch: int, step: int) -> tf.data.Dataset:
        """Return endless batches from (epoch, step) on: inputs (ids, begins[, targets]), targets, weights.

        ids, targets and weights are (batch, timesteps). The sum of a batch's weights is its number of rows, see
        `models.losses.TokenCrossentropy`.
        """

        def stream() -> Iterator:
            number, first = epoch, step
            while True:
                yield from self._epoch(number, first)
                number, first = number + 1, 0

        return self._dataset(stream, training=True).prefetch(8)

    def one_pass(self) -> tf.data.Dataset:
        """Return one pass that is always the same; each token has the same weight. See `batches`."""

        def stream() -> Iterator:
            for block in map(self._block, range(len(self._stores))):
                yield from block.windows(bucketing.ordered_batches(block.buckets))

        dataset = self._dataset(stream, training=False)
        return dataset.apply(tf.data.experimental.assert_cardinality(self.steps_per_pass))

    def _epoch(self, epoch: int, first: int) -> Iterator[tuple]:
        """Yield the windows of an epoch from a step on."""
        for number in np.random.default_rng([self._seed, epoch]).permutation(len(self._stores)).tolist():
            steps = self._block_steps[number]
            if first < steps:
                block = self._block(number)
                groups = bucketing.epoch_batches(block.buckets, self._seed, epoch * len(self._stores) + number)
                yield from itertools.islice(block.windows(groups, first), first, None)
            first = max(0, first - steps)

    def _open_block(self, number: int) -> "_Block":
        return _Block(
            SequenceStore(self._stores[number]),
            window=self._window,
            rows=self._rows,
            longest=self.longest,
            stride=self._stride,
            reverse=self._reverse,
        )

    def _dataset(self, stream, *, training: bool) -> tf.data.Dataset:
        def weighted() -> Iterator:
            for ids, begins, targets, counts in stream():
                weight = len(ids) / max(1, counts.sum()) if training else self._mean_weight
                inputs = (ids, begins, targets) if self._targets_as_input else (ids, begins)
                yield inputs, targets, np.float32(weight) * counts.astype(np.float32)

        tokens, rows = tf.TensorSpec((None, None), tf.int32), tf.TensorSpec((None,), tf.bool)
        inputs = (tokens, rows, tokens) if self._targets_as_input else (tokens, rows)
        signature = (inputs, tokens, tf.TensorSpec((None, None), tf.float32))
        return tf.data.Dataset.from_generator(weighted, output_signature=signature)


class _Block:
    """Some of the texts: their groups, and the windows of a group; see `DocumentWindows`.

    Attributes:
        buckets: Segments of similar length, with the number of rows of their groups.
        steps: Batches in a pass.
        rows: Rows of these batches together.
        tokens: Tokens that are predicted.
    """

    def __init__(self, store: SequenceStore, *, window: int, rows: int, longest: int, stride: int, reverse: bool):
        self._store, self._reverse = store, reverse
        self._segments = Segments(store.lengths, longest)
        lengths = self._segments.lengths
        chosen = np.arange(0, len(lengths), stride)
        self.tokens = int(lengths[chosen].sum())
        self.buckets = [
            bucketing.Bucket(chosen[bucket.members], min(bucket.batch_size, rows * MOST_ROWS))
            for bucket in bucketing.length_buckets(lengths[chosen], rows * window, longest=window)
        ]
        # The batches that a group of texts takes are the same for all groups of a bucket.
        self._steps = np.zeros(len(lengths), np.uint8)
        for bucket in self.buckets:
            self._steps[bucket.members] = -(-int(lengths[bucket.members].max()) // window)
        groups = [(len(group), int(self._steps[group[0]])) for group in bucketing.ordered_batches(self.buckets)]
        self.steps = sum(steps for _, steps in groups)
        self.rows = sum(size * steps for size, steps in groups)

    def windows(self, groups: list[np.ndarray], skipped: int = 0) -> Iterator[tuple]:
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
