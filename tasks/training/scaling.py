"""What a training on several workers costs: measures a network on its data, and computes the table of SCALING.md."""

import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from models.recurrent_settings import Settings
from tasks.task import Task
from tasks.task_parts import Network, TrainingData
from tasks.training import fit, prepared, process_state, runs
from tasks.training.optimizers import make_optimizer
from tasks.training.scaling_settings import ScalingArguments

REPEATS = 3


class Costs(NamedTuple):
    """What a step of a network costs.

    Attributes:
        rows: Mean number of rows of a batch.
        seconds: Of a step on a whole batch, in one process.
        fixed_seconds: The part of them that does not become smaller with fewer rows.
        dense_bytes: Gradients of tables and matrices of which a step uses all.
        sparse_bytes: Gradients of the rows of tables that a step uses, with their indices, of a whole batch.
        all_dense_bytes: What the gradients would have if those tables were dense.
    """

    rows: float
    seconds: float
    fixed_seconds: float
    dense_bytes: float
    sparse_bytes: float
    all_dense_bytes: float


def seconds_of_step(costs: Costs, workers: int, bytes_per_second: float, latency: float) -> float:
    """Return the seconds of a step on several workers.

        computing: fixed + (seconds - fixed) / K
        sending:   2 (K - 1) / K * dense bytes, a ring's all-reduce, and (K - 1) / K * sparse bytes, its all-gather

    (Patarasuk and Yuan 2009, "Bandwidth optimal all-reduce algorithms for clusters of workstations"). Computing and
    sending do not overlap: the sum is needed before the clipping.

    Args:
        costs: The costs in one process.
        workers: The number K.
        bytes_per_second: What a worker sends.
        latency: Seconds for which a message takes longer than its bytes; an operation has K - 1 of them at least.
    """
    compute = costs.fixed_seconds + (costs.seconds - costs.fixed_seconds) / workers
    if workers == 1:
        return compute
    share = (workers - 1) / workers
    sent = 2 * share * costs.dense_bytes + share * costs.sparse_bytes
    operations = 2 + (4 if costs.sparse_bytes else 0)
    return compute + sent / bytes_per_second + latency * operations * (workers - 1)


def measure(task: Task, settings: Settings, steps: int) -> Costs:
    """Measure a network on its training data, in one process.

    Args:
        task: The task.
        settings: Its settings.
        steps: Number of batches.
    """
    with tempfile.TemporaryDirectory() as folder, process_state.trains(folder):
        run = runs.begin(Path(folder) / "run", task.name, settings)
        settings = prepared.prepare(task, settings, run)
        data = task.open_data(settings, run)
        fit.set_up(settings.training)
        network = task.build(settings, data, run)
        return _measured(network, data, settings, steps)


def _measured(network: Network, data: TrainingData, settings: Settings, steps: int) -> Costs:
    model = network.training_model
    optimizer = make_optimizer(
        settings.training,
        1000,
        variables=model.trainable_variables,
        sparse_learning_rates=network.sparse_learning_rates,
    )
    model.compile(optimizer=optimizer, loss=network.loss, jit_compile=False)
    batches = list(data.training_batches(0, 0).take(steps))
    halves = [keras.tree.map_structure(lambda one: one[::2], batch) for batch in batches]
    rows = statistics.fmean(len(keras.tree.flatten(batch)[0]) for batch in batches)
    whole, half = (_seconds(model, one) for one in (batches, halves))
    dense, sparse, all_dense = zip(*(_bytes(model, batch) for batch in batches), strict=True)
    fixed = min(max(0.0, 2 * half - whole), whole)
    return Costs(rows, whole, fixed, *map(statistics.fmean, (dense, sparse, all_dense)))


def _seconds(model: keras.Model, batches: Sequence) -> float:
    """Return the mean seconds of a training step, of each batch the shortest of `REPEATS`: other processes disturb."""
    step = tf.function(model.train_step, reduce_retracing=True, autograph=False)
    for batch in batches:  # graphs are made
        step(batch)

    def seconds(batch) -> float:
        start = time.perf_counter()
        float(step(batch)["loss"])
        return time.perf_counter() - start

    return statistics.fmean(min(seconds(batch) for _ in range(REPEATS)) for batch in batches)


def _bytes(model: keras.Model, batch) -> tuple[int, int, int]:
    """Return the bytes of dense gradients, of sparse ones, and of all if they were dense."""
    prepare = getattr(model, "with_training_targets", lambda data: data)
    x, y, weights = keras.utils.unpack_x_y_sample_weight(prepare(batch))
    with tf.GradientTape() as tape:
        loss = model.compute_loss(x=x, y=y, y_pred=model(x, training=True), sample_weight=weights)
    dense = sparse = whole = 0
    for variable, gradient in zip(model.trainable_weights, tape.gradient(loss, model.trainable_weights), strict=True):
        if gradient is None:
            continue
        size = int(np.prod(variable.shape)) * gradient.dtype.size
        whole += size
        if isinstance(gradient, tf.IndexedSlices):
            sparse += int(tf.size(gradient.values)) * gradient.dtype.size + 8 * int(tf.size(gradient.indices))
        else:
            dense += size
    return dense, sparse, whole


def table(costs: Costs, workers: Sequence[int], gigabits: float, latency: float) -> str:
    """Return what a training on each number of workers costs, as text.

    Args:
        costs: The costs in one process.
        workers: Numbers of workers.
        gigabits: What a worker sends, Gbit/s.
        latency: Seconds; see `seconds_of_step`.
    """
    speed, rows = gigabits * 1e9 / 8, []
    for count in workers:
        seconds = seconds_of_step(costs, count, speed, latency)
        share = (count - 1) / count
        sent = 2 * share * costs.dense_bytes + share * costs.sparse_bytes
        faster = costs.seconds / seconds
        rows.append([str(count), f"{sent / 1e6:.2f}", f"{seconds:.4f}", f"{faster:.2f}", f"{faster / count:.0%}"])
    head = (
        f"a step: {costs.rows:.0f} rows, {costs.seconds:.4f} s, of which {costs.fixed_seconds:.4f} s do not depend on "
        f"the rows;\ngradients: {costs.dense_bytes / 1e6:.2f} MB dense, {costs.sparse_bytes / 1e6:.2f} MB of rows that "
        f"a batch uses; {costs.all_dense_bytes / 1e6:.2f} MB if all were dense\nlink: {gigabits:g} Gbit/s, "
        f"{latency * 1e3:g} ms a message\n"
    )
    names = ["workers", "MB sent", "s per step", "faster", "efficiency"]
    return head + "\n".join("  ".join(f"{value:>10}" for value in row) for row in [names, *rows])


def main(arguments: ScalingArguments, task: Task, settings: Settings) -> None:
    """Measure a network, and print what its training on several workers costs."""
    costs = measure(task, settings, arguments.steps)
    print(table(costs, arguments.workers, arguments.gigabits, arguments.latency / 1e3))
