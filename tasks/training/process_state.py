"""The state of a process that training and loading change: seeds, op determinism, precision. It is restored after them.

Keras and TensorFlow keep it in one place for all code of the process, so a notebook or a program that calls this
project would go on with other random numbers and settings than its own.
"""

import contextlib
import random
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

# Here, and not at the first use: its modules lose an interrupt that comes while they are imported.
import numpy.random
from keras.src.backend.common import global_state
from tensorflow.python.eager import context
from tensorflow.python.framework import config

from tasks.data.library_logs import hidden_retracing_warnings
from tasks.errors import UserError

# What `keras.utils.set_random_seed` and `keras.mixed_precision.set_global_policy` set; see `keras.src.utils.rng_utils`.
KERAS_SEEDS = ("global_random_seed", "global_seed_generator")
KERAS_POLICY = "dtype_policy"

# Held while the seeds count: while a network is built, and while they are restored.
_SEEDS = threading.RLock()
_thread = threading.local()
_TRAINING = threading.Lock()
_training_in: Path | None = None


@contextlib.contextmanager
def seeding() -> Iterator[None]:
    """Keep other threads from drawing while a network is built from a seed; they wait with `preserved_seeds`."""
    with _SEEDS:
        _thread.seeding = True
        try:
            yield
        finally:
            _thread.seeding = False


@contextlib.contextmanager
def preserved_seeds() -> Iterator[None]:
    """Restore the random generators of Python, NumPy, TensorFlow and Keras when the block ends.

    A layer of Keras draws a seed from Python's generator when it is made, so a model that is loaded changes what its
    caller draws next. The block is for one thread at a time; keep it short. Within `seeding`, where a network is built
    with parts of another one, nothing is restored: the draws belong to the seed.
    """
    if getattr(_thread, "seeding", False):
        yield
        return
    with _SEEDS:
        before = _seeds()
        try:
            yield
        finally:
            _restore_seeds(before)


@contextlib.contextmanager
def trains(folder: Path | str) -> Iterator[None]:
    """Restore everything that a training sets in the process when the block ends; one training at a time.

    Args:
        folder: Where the training writes.

    Raises:
        UserError: If another thread of this process trains.
    """
    global _training_in
    if not _TRAINING.acquire(blocking=False):
        raise UserError(
            f"this process is training in {_training_in} already, and two trainings in one process would change each "
            "other's seeds and precision.\nWait until it ends, or train in a separate process"
        )
    try:
        _training_in = Path(folder)
        with _SEEDS:
            seeds = _seeds()
        deterministic, policy = config.is_op_determinism_enabled(), global_state.get_global_attribute(KERAS_POLICY)
        try:
            with hidden_retracing_warnings():
                yield
        finally:
            if not deterministic:
                config.disable_op_determinism()
            global_state.set_global_attribute(KERAS_POLICY, policy)
            with _SEEDS:
                _restore_seeds(seeds)
    finally:
        _training_in = None
        _TRAINING.release()


def _seeds() -> dict[str, Any]:
    tensorflow = context.context()
    generator = getattr(tensorflow, "_rng", None)  # None before the first seed is set
    return {
        "python": random.getstate(),
        "numpy": np.random.get_state(),
        "tensorflow": (context.global_seed(), generator and generator.getstate()),
        "keras": {name: global_state.get_global_attribute(name) for name in KERAS_SEEDS},
    }


def _restore_seeds(before: dict[str, Any]) -> None:
    random.setstate(before["python"])
    np.random.set_state(before["numpy"])
    seed, state = before["tensorflow"]
    if context.global_seed() != seed:
        context.set_global_seed(seed)
    if state is not None:
        context.context()._rng.setstate(state)
    for name, value in before["keras"].items():
        global_state.set_global_attribute(name, value)
