"""A step of a training on several workers: each computes some rows of the batch, and the gradients are summed.

Worker k of K computes the rows k, k + K, k + 2K, ... of each batch, and multiplies its loss by its share of what the
loss is a mean over: rows, or weighted tokens. The sums over the workers are then the loss and the gradients of the
whole batch, up to rounding, and every worker applies them to its copy of the weights. Metrics are summed too, so each
worker reports those of all rows.

Sums go before what is not linear: clipping, and Adagrad, which squares the gradient of a row of a table. A row that
several workers use is therefore one row of the sum, where it would be one in one process.
"""

from collections.abc import Collection, Sequence

import keras
import numpy as np
import tensorflow as tf

from models.language_model_loss import LanguageModelLoss
from models.text import PAD


class Decisions:
    """What the workers decide together in a step: whether to save a checkpoint, and whether to end after that."""

    def __init__(self):
        self._wished, self._agreed = (
            tf.Variable([0.0, 0.0], trainable=False, name=name) for name in ("wished", "agreed")
        )

    def wish(self, save: bool, end: bool) -> None:
        """Set what this worker asks for in the next step."""
        self._wished.assign([float(save), float(end)])

    def agreed(self) -> tuple[bool, bool]:
        """Return what any worker asked for in the last step."""
        save, end = self._agreed.numpy() > 0.0
        return bool(save), bool(end)

    @property
    def wished(self) -> tf.Tensor:
        """The wishes of this worker, float32 `(2,)`."""
        return self._wished.read_value()

    def set_agreed(self, summed: tf.Tensor) -> None:
        """Set the sum over the workers."""
        self._agreed.assign(summed)


def attach(
    model: keras.Model,
    strategy: tf.distribute.Strategy,
    index: int,
    count: int,
    decisions: Decisions,
    tables: Collection[int],
) -> None:
    """Replace the training step and the validation step of a compiled model.

    Args:
        model: The model.
        strategy: The connected strategy.
        index: Number of this worker.
        count: Number of workers.
        decisions: See there.
        tables: `id` of the variables of which a step uses few rows, each row once.
    """
    steps = _Steps(model, strategy, index, count, decisions, tables)
    model.train_step, model.test_step = steps.train_step, steps.test_step


class _Steps:
    def __init__(self, model, strategy, index, count, decisions, tables):
        self._model, self._strategy, self._decisions, self._tables = model, strategy, decisions, tables
        self._index, self._count = index, count
        self._lm_losses = [layer for layer in model._flatten_layers() if isinstance(layer, LanguageModelLoss)]
        for layer in self._lm_losses:
            layer.share = tf.Variable(1.0, trainable=False, name="share")
        prepared = getattr(model, "with_training_targets", None)
        self._prepared = prepared if prepared is not None else lambda data: data

    def train_step(self, data):
        """Train on a batch; return the metrics of all rows."""
        model = self._model
        batch = _Batch(self._prepared(data), self._index, self._count)
        for layer in self._lm_losses:  # the mean over tokens, in place of the mean over rows
            layer.share.assign(batch.token_share / tf.maximum(batch.row_share, 1e-12))
        with tf.GradientTape() as tape:
            outputs = model(batch.x, training=True)
            loss = self._loss(batch, outputs, training=True)
            scaled = model.optimizer.scale_loss(loss)
        variables = model.trainable_weights
        gradients = tape.gradient(scaled, variables)
        dense = [g for g in gradients if g is not None and not isinstance(g, tf.IndexedSlices)]
        sparse = [g for g in gradients if isinstance(g, tf.IndexedSlices)]
        merged = [
            id(v) in self._tables for v, g in zip(variables, gradients, strict=True) if isinstance(g, tf.IndexedSlices)
        ]
        metrics, changes = self._metric_changes(batch, outputs)
        summed, rows = self._summed([*dense, *changes, loss, self._decisions.wished], sparse)
        rows = [_merged(one) if merge else one for one, merge in zip(rows, merged, strict=True)]
        self._decisions.set_agreed(summed.pop())
        loss = summed.pop()
        dense, changes = iter(summed[: len(dense)]), summed[len(dense) :]
        rows = iter(rows)
        gradients = [
            None if g is None else next(rows) if isinstance(g, tf.IndexedSlices) else next(dense) for g in gradients
        ]
        model.optimizer.apply_gradients(zip(gradients, variables, strict=True))
        return self._results(batch, loss, metrics, changes)

    def test_step(self, data):
        """Evaluate a batch; return the metrics of all rows."""
        batch = _Batch(data, self._index, self._count)
        outputs = self._model(batch.x, training=False)
        loss = self._loss(batch, outputs, training=False)
        metrics, changes = self._metric_changes(batch, outputs)
        [*changes, loss], _ = self._summed([*changes, loss], [])
        return self._results(batch, loss, metrics, changes)

    def _loss(self, batch: "_Batch", outputs, *, training: bool) -> tf.Tensor:
        """Return the share of the loss that the rows of this worker have; the sum over the workers is the loss."""
        model = self._model
        total = model.compute_loss(x=batch.x, y=batch.y, y_pred=outputs, sample_weight=batch.weights, training=training)
        share = batch.loss_share(model.loss)
        # What layers add are means over rows, and regularizers do not depend on the batch.
        added = tf.add_n([tf.cast(one, total.dtype) for one in model.losses]) if model.losses else None
        own = tf.cast(share, total.dtype) * total
        if added is None or share is batch.row_share:
            return own
        return own + tf.cast(batch.row_share - share, total.dtype) * added

    def _metric_changes(self, batch: "_Batch", outputs) -> tuple[list, list[tf.Tensor]]:
        """Update the metrics but that of the loss; return their variables before that, and what was added to them."""
        model = self._model
        metrics = model._compile_metrics
        if metrics is None:
            return [], []
        if not metrics.built:
            metrics.build(batch.y, outputs)
        variables = metrics.variables
        before = [tf.identity(tf.convert_to_tensor(one)) for one in variables]
        model.compute_metrics(batch.x, batch.y, outputs, batch.weights)
        changes = [
            (tf.convert_to_tensor(one) - value) * tf.cast(batch.counts, value.dtype)
            for one, value in zip(variables, before, strict=True)
        ]
        return list(zip(variables, before, strict=True)), changes

    def _results(self, batch: "_Batch", loss: tf.Tensor, metrics: list, changes: Sequence[tf.Tensor]) -> dict:
        """Set the metrics to those of all rows, and return them."""
        for (variable, before), change in zip(metrics, changes, strict=True):
            variable.assign(before + change)
        tracker = next(metric for metric in self._model.metrics if metric.name == "loss")
        tracker.update_state(loss, sample_weight=batch.rows)
        return self._model.get_metrics_result()

    def _summed(
        self, dense: list[tf.Tensor], sparse: list[tf.IndexedSlices]
    ) -> tuple[list[tf.Tensor], list[tf.IndexedSlices]]:
        """Return the sums of dense tensors over the workers, and the rows of all workers of sparse ones.

        A kind of values is one collective operation, since each takes some round trips.
        """
        kinds = list(dict.fromkeys(one.dtype for one in dense))
        flat = [tf.concat([tf.reshape(one, [-1]) for one in dense if one.dtype == kind], axis=0) for kind in kinds]
        slices = [tf.cast(tf.size(one.indices), tf.int64)[None] for one in sparse]
        indices = [tf.cast(one.indices, tf.int64) for one in sparse]
        value_kinds = list(dict.fromkeys(one.values.dtype for one in sparse))
        values = [
            tf.concat([tf.reshape(one.values, [-1]) for one in sparse if one.values.dtype == kind], axis=0)
            for kind in value_kinds
        ]

        def exchange():
            context = tf.distribute.get_replica_context()
            summed = context.all_reduce(tf.distribute.ReduceOp.SUM, [tf.identity(one) for one in flat])
            if not sparse:
                return summed, [], []
            numbers = context.all_gather(tf.concat([*slices, *indices], axis=0), 0)
            return summed, numbers, [context.all_gather(tf.identity(one), 0) for one in values]

        summed, numbers, gathered = self._strategy.run(exchange)
        whole = {}
        for kind, vector in zip(kinds, summed, strict=True):
            places = [place for place, one in enumerate(dense) if one.dtype == kind]
            parts = tf.split(vector, [tf.size(dense[place]) for place in places])
            whole |= {
                place: tf.reshape(part, tf.shape(dense[place])) for place, part in zip(places, parts, strict=True)
            }
        rows = self._rows(sparse, numbers, dict(zip(value_kinds, gathered, strict=True))) if sparse else []
        return [whole[place] for place in range(len(dense))], rows

    def _rows(self, sparse: list[tf.IndexedSlices], numbers: tf.Tensor, gathered: dict) -> list[tf.IndexedSlices]:
        """Take the rows of each tensor out of what was gathered: of each worker the counts, the indices, the values."""
        found, start = [([], []) for _ in sparse], tf.constant(0, tf.int64)
        places = dict.fromkeys(gathered, tf.constant(0, tf.int64))
        for _ in range(self._count):
            counts = tf.unstack(numbers[start : start + len(sparse)], num=len(sparse))
            start += len(sparse)
            for one, own, (indices, values) in zip(sparse, counts, found, strict=True):
                columns = int(np.prod(one.values.shape[1:]))
                kind = one.values.dtype
                end = places[kind] + own * columns
                indices.append(numbers[start : start + own])
                values.append(tf.reshape(gathered[kind][places[kind] : end], [-1, *one.values.shape[1:]]))
                start, places[kind] = start + own, end
        return [
            tf.IndexedSlices(
                tf.concat(values, axis=0), tf.cast(tf.concat(indices, axis=0), one.indices.dtype), one.dense_shape
            )
            for one, (indices, values) in zip(sparse, found, strict=True)
        ]


class _Batch:
    """The rows of a batch that a worker computes: every K-th.

    With fewer rows than workers, a worker without a row takes the first one, which counts nothing.

    Attributes:
        x: The inputs.
        y: The targets.
        weights: The weights; None without.
        rows: Number of rows of the whole batch.
        counts: 1 if the rows of this worker count, 0 otherwise.
        row_share: Share of the rows.
    """

    def __init__(self, data, index: int, count: int):
        whole = keras.utils.unpack_x_y_sample_weight(data)
        self._first = next(one for one in keras.tree.flatten(whole[0]) if one is not None)
        self.rows = tf.shape(self._first)[0]
        has_rows = index < self.rows
        places = tf.range(tf.where(has_rows, index, 0), self.rows, tf.where(has_rows, count, self.rows))
        self._own = lambda one: None if one is None else tf.gather(one, places)
        self.x, self.y, self.weights = keras.tree.map_structure(self._own, whole)
        self._all_weights = whole[2]
        self.counts = tf.cast(has_rows, tf.float32)
        self.row_share = self.counts * tf.cast(tf.size(places), tf.float32) / tf.cast(self.rows, tf.float32)

    @property
    def token_share(self) -> tf.Tensor:
        """Share of the ids of the first input that are not padding."""
        return self._share(tf.cast(tf.not_equal(self._first, PAD), tf.float32))

    def loss_share(self, loss) -> tf.Tensor:
        """Return the share of what a loss is a mean over: rows, or the sum of the weights."""
        if getattr(loss, "reduction", None) != "mean_with_sample_weight" or self._all_weights is None:
            return self.row_share
        return self._share(tf.cast(self._all_weights, tf.float32))

    def _share(self, values: tf.Tensor) -> tf.Tensor:
        return self.counts * tf.math.divide_no_nan(tf.reduce_sum(self._own(values)), tf.reduce_sum(values))


def _merged(slices: tf.IndexedSlices) -> tf.IndexedSlices:
    """Sum the parts of a row that several workers use."""
    used, positions = tf.unique(slices.indices)
    values = tf.math.unsorted_segment_sum(slices.values, positions, tf.size(used))
    return tf.IndexedSlices(values, used, slices.dense_shape)
