"""Several processes that train one network together: what they decide, write and read in common.

Each worker builds the same network and the same batches, and computes some rows of each batch;
`tasks.training.exchange` sums the gradients. The first worker writes the run, and decides what the others must not
decide by themselves. The processes are connected by TensorFlow's collective operations.
"""

import contextlib
import json
import logging
import os
import platform
import signal
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from models.sampled_softmax import SampledLogits
from tasks.errors import TrainingFailed, UserError, WorkerLost
from tasks.task_parts import Network
from tasks.training import exchange
from tasks.training.one_process import OneProcess
from tasks.training.worker_addresses import WorkerAddresses

log = logging.getLogger(__name__)

# What TensorFlow raises when another worker has ended, has stopped, or cannot be reached.
LOST = (
    tf.errors.UnavailableError,
    tf.errors.DeadlineExceededError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.InternalError,
    tf.errors.UnknownError,
    tf.errors.FailedPreconditionError,
)
# Seconds for which a worker waits for a file that the first worker has written: a network file system shows it late.
SECONDS_UNTIL_SHOWN = 60.0
# Between the seeds of the dropout of two workers.
SEED_DISTANCE = 1_000_003


class Workers(OneProcess):
    """This process, as one of several workers; `connect` makes it.

    Args:
        strategy: The connected strategy, with a device for each worker.
        addresses: The workers.
    """

    def __init__(self, strategy: tf.distribute.Strategy, addresses: WorkerAddresses):
        self.strategy, self.addresses = strategy, addresses
        self.index, self.count = addresses.index, len(addresses.addresses)
        self._decisions: exchange.Decisions | None = None
        self._gather = tf.function(
            self._gather_words, input_signature=[tf.TensorSpec([None], tf.int32)], autograph=False
        )

    # --- decisions in common

    def shared(self, value: Any) -> Any:
        """Return the value of the first worker; see `OneProcess`."""
        return json.loads(self._gathered(json.dumps(value).encode() if self.is_first else b"")[0])

    def any(self, value: bool) -> bool:
        """Return whether the value is true in any worker."""
        return any(part == b"1" for part in self._gathered(b"1" if value else b"0"))

    def first_alone(self, function: Callable[[], Any]) -> Any:
        """Call a function in the first worker alone; see `OneProcess`."""
        outcome = {}
        if self.is_first:
            try:
                outcome = {"value": function()}
            except BaseException as error:
                mistake = isinstance(error, UserError)
                self.shared({"mistake": mistake, "message": str(error) or type(error).__name__})
                raise
        outcome = self.shared(outcome)
        if "message" in outcome:
            first_line = outcome["message"].partition("\n")[0]
            raise (UserError if outcome["mistake"] else TrainingFailed)(
                f"worker {self.index} ends, because worker 0 cannot go on: {first_line}"
            )
        return outcome["value"]

    def check_equal(self, **parts: Any) -> None:
        """Check that parts of the training are equal in all workers; see `OneProcess`."""
        texts = {name: json.dumps(value, sort_keys=True, default=str) for name, value in parts.items()}
        all_texts = [json.loads(part) for part in self._gathered(json.dumps(texts).encode())]
        for number, other in enumerate(all_texts[1:], start=1):
            for name, value in all_texts[0].items():
                if other[name] != value:
                    raise UserError(
                        f"workers 0 and {number} differ in {name}: {_difference(value, other[name])}; start all "
                        "workers with the same command, the same versions and the same files"
                    )

    def wait_for(self, file: Path) -> None:
        """Wait until a file that the first worker has written is there; see `OneProcess`."""
        end = time.monotonic() + SECONDS_UNTIL_SHOWN
        while not file.exists():
            if time.monotonic() > end:
                raise UserError(
                    f"worker {self.index} does not see {file}, which worker 0 has written; the run must be in a folder "
                    "that all workers share"
                )
            with contextlib.suppress(OSError):
                os.listdir(file.parent)  # a network file system then asks its server again
            time.sleep(0.1)

    def decided(self, save: bool, interrupted: bool) -> tuple[bool, bool]:
        """Return what all workers do after this step; they have agreed in it. See `OneProcess`."""
        saves, ends = self._decisions.agreed()
        self._decisions.wish(save and self.is_first and not saves, interrupted)
        return saves, ends

    # --- the network

    def attach(self, network: Network) -> None:
        """Let a compiled network train on the rows of all workers; see `OneProcess`."""
        model = network.training_model
        tables = {id(variable) for layer, _ in network.sparse_learning_rates for variable in layer.trainable_variables}
        self._decisions = exchange.Decisions()
        exchange.attach(model, self.strategy, self.index, self.count, self._decisions, tables)
        self._seeds = {id(one): int(np.asarray(one.state)[0]) for one in dropout_seeds(model)}

    def separate_draws(self, model: keras.Model, *, equal: bool = False) -> None:
        """Let each worker draw other dropout masks; see `OneProcess`."""
        generators = dropout_seeds(model)
        drawn = [int(np.asarray(one.state)[1]) for one in generators]
        drawn = self.shared(drawn) if equal else drawn
        for one, number in zip(generators, drawn, strict=True):
            seed = self._seeds[id(one)]
            if self.index:  # the first worker draws what one process would
                seed = (seed + self.index * SEED_DISTANCE) % (1 << 31)
            one.state.assign(np.array([seed, number], np.asarray(one.state).dtype))

    def whole_rows(self, rows: np.ndarray) -> np.ndarray:
        """Return the rows of all workers, in the order of the batch; see `OneProcess`."""
        parts = [
            np.frombuffer(part, rows.dtype).reshape(-1, *rows.shape[1:]) for part in self._gathered(rows.tobytes())
        ]
        whole = np.zeros((sum(map(len, parts)), *rows.shape[1:]), rows.dtype)
        for number, part in enumerate(parts):
            whole[number :: self.count][: len(part)] = part[: len(whole[number :: self.count])]
        return whole

    def own_rows(self, rows: np.ndarray) -> np.ndarray:
        """Return the rows of this worker: every K-th, or the first if there are fewer rows than workers."""
        return rows[self.index :: self.count] if self.index < len(rows) else rows[:1]

    # --- what can go wrong

    @contextlib.contextmanager
    def explained(self, folder: Path | str) -> Iterator[None]:
        """Turn TensorFlow's error about a lost worker into a `TrainingFailed`; see `OneProcess`."""
        try:
            yield
        except LOST as error:
            text = " ".join(str(error).split())
            if "is joining a group with size" in text:
                raise UserError(
                    f"{self.addresses}: another worker was given another number of workers; give all of them the same "
                    "TF_CONFIG but for the index"
                ) from None
            reason = text[max(0, text.find("Collective ops is aborted")) :][:200]
            raise WorkerLost(
                f"worker {self.index} has lost another worker, which ended, stopped or cannot be reached ({reason})\n"
                f"{folder} keeps the last checkpoint: start all {self.count} workers again with the same command to "
                "resume it"
            ) from None

    # --- bytes between the workers

    def _gather_words(self, words: tf.Tensor) -> tf.Tensor:
        def gather():
            return tf.distribute.get_replica_context().all_gather(tf.identity(words), 0)

        return self.strategy.run(gather)

    def _gathered(self, content: bytes) -> list[bytes]:
        """Return what each worker has given. Collective."""
        padded = content + b"\0" * (-len(content) % 4)
        length = np.array([len(content)], np.int64).view(np.int32)  # two words
        words = self._gather(np.concatenate([length, np.frombuffer(padded, np.int32)])).numpy()
        parts, start = [], 0
        for _ in range(self.count):
            size = int(words[start : start + 2].view(np.int64)[0])
            end = start + 2 + -(-size // 4)
            parts.append(words[start + 2 : end].tobytes()[:size])
            start = end
        return parts


def connect(addresses: WorkerAddresses) -> Workers:
    """Connect this process with the other workers; wait until all are there.

    Call it before TensorFlow is used: it is configured when it starts. TensorFlow listens at the port of this worker,
    on all network addresses of the machine, whatever the host is.

    Args:
        addresses: The workers.

    Raises:
        UserError: If the workers do not fit each other.
    """
    cluster = tf.train.ClusterSpec({"worker": list(addresses.addresses)})
    resolver = tf.distribute.cluster_resolver.SimpleClusterResolver(
        cluster, task_type="worker", task_id=addresses.index, rpc_layer="grpc"
    )
    strategy = tf.distribute.MultiWorkerMirroredStrategy(resolver)
    # TensorFlow has installed a handler of SIGTERM; that of this process is installed again.
    with contextlib.suppress(ValueError, TypeError):  # in another thread than the main one, or not from Python
        signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGTERM))
    devices = strategy.extended.worker_devices
    if len(devices) > 1:
        raise UserError(
            f"{addresses} sees {len(devices)} GPUs; a worker has one: set CUDA_VISIBLE_DEVICES to the number of its GPU"
        )
    return Workers(strategy, addresses)


def versions() -> dict[str, str]:
    """Return the versions on which the numbers of a training depend."""
    return {"python": platform.python_version(), "tensorflow": tf.__version__, "keras": keras.__version__}


def digest(values: Iterable[Any]) -> int:
    """Return a checksum of arrays."""
    total = 0
    for value in values:
        total = zlib.crc32(np.ascontiguousarray(value).tobytes(), total)
    return total


def dropout_seeds(model: keras.Model) -> list[keras.random.SeedGenerator]:
    """Return the random generators whose draws belong to rows; those of a sampled softmax belong to the batch."""
    found = {}
    for layer in model._flatten_layers():
        if not isinstance(layer, SampledLogits):
            found |= {id(one): one for one in layer._seed_generators}
    return list(found.values())


def _difference(one: str, other: str) -> str:
    """Return where two JSON texts differ: the first entry, or both texts."""
    first, second = _flat(json.loads(one)), _flat(json.loads(other))
    for name in [*first, *second]:
        if first.get(name) != second.get(name):
            return f"{name}={first.get(name)} and {second.get(name)}" if name else f"{first[name]} and {second[name]}"
    return "their order"


def _flat(value: Any, name: str = "") -> dict[str, Any]:
    """Return the leaves of nested dicts, by their joined names."""
    if not isinstance(value, dict):
        return {name: value}
    return {
        key: leaf
        for part, inner in value.items()
        for key, leaf in _flat(inner, f"{name}.{part}" if name else part).items()
    }
