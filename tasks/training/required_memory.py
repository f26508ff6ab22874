"""Estimates the memory that a training needs, before its network is built. Imports no TensorFlow."""

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path

from models.network_sizes import Part
from models.recurrent_settings import Settings
from tasks.errors import UserError
from tasks.optimizer_options import OPTIMIZERS
from tasks.settings import TrainingSettings
from tasks.task import Task
from tasks.task_parts import TrainingData

# Bytes of a number, by the dtype policy: mixed policies keep their weights in float32.
WEIGHT_BYTES = {"float64": 8}
ACTIVATION_BYTES = {"float64": 8, "mixed_bfloat16": 2, "mixed_float16": 2}
# Where Linux keeps the memory limit of a container: of version 2 and of version 1.
CONTAINER_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def check(task: Task, settings: Settings, data: TrainingData | None = None) -> None:
    """Check that the weights and a batch fit into the memory of this machine.

    Args:
        task: The task.
        settings: The settings of a training.
        data: Its data; None before they are read, which checks what follows from the settings alone.

    Raises:
        UserError: If they do not fit; contains the estimate, and the options to lower.
    """
    tokens = 0 if data is None else data.tokens_per_pass // max(1, data.steps_per_pass)
    check_parts(task.network_parts(settings, data), settings.training, tokens)


def check_parts(parts: Sequence[Part], training: TrainingSettings, tokens: int) -> None:
    """Check that a network fits into the memory of this machine.

    Args:
        parts: The parts of the network.
        training: How it is trained.
        tokens: Tokens in a batch.

    Raises:
        UserError: If it does not fit.
    """
    limit = machine_memory()
    weights, activations = weight_bytes(parts, training), activation_bytes(parts, training, tokens)
    if weights + activations <= limit:
        return
    if weights >= activations:
        largest = max(parts, key=lambda part: weight_bytes([part], training))
        count = sum(part.parameters for part in parts)
        need = f"a network of {count:,} weights, with its {training.optimizer} optimizer, needs"
        remedy = f"most of them are in the {largest.name}: lower {_options(largest.options)}"
    else:
        largest = max(parts, key=lambda part: part.activations)
        need = f"a step on {tokens:,} tokens needs"
        batch = [name for name in ("tokens_per_batch", "batch_size", "window") if hasattr(training, name)]
        remedy = f"lower {_options((*batch, *largest.options))}"
    raise UserError(f"{need} at least {_size(weights + activations)}, and this machine has {_size(limit)}\n{remedy}")


def weight_bytes(parts: Sequence[Part], training: TrainingSettings) -> int:
    """Return the bytes of the weights, a copy of them, their gradients and the variables of the optimizer.

    The gradient of a table holds the rows that a batch uses, and is not counted.
    """
    others = OPTIMIZERS[training.optimizer].slots + (training.momentum > 0) + (training.ema_momentum > 0)
    copies = sum(
        part.parameters * (2 + (not part.is_table) + (others if part.slots is None else part.slots)) for part in parts
    )
    return copies * WEIGHT_BYTES.get(training.precision, 4)


def activation_bytes(parts: Sequence[Part], training: TrainingSettings, tokens: int) -> int:
    """Return the bytes of what a training step on this number of tokens keeps; at least."""
    return tokens * sum(part.activations for part in parts) * ACTIVATION_BYTES.get(training.precision, 4)


def machine_memory() -> int:
    """Return the memory of this machine in bytes, or that of the container that the process runs in."""
    limits = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for place in CONTAINER_LIMITS:
        with contextlib.suppress(OSError, ValueError):  # the word "max" is no limit
            limits.append(int(Path(place).read_text(encoding="ascii")))
    return min(limits)


def _options(names: Sequence[str]) -> str:
    options = [f"--{name.replace('_', '-')}" for name in dict.fromkeys(names)]
    return " or ".join([", ".join(options[:-1]), options[-1]] if len(options) > 1 else options)


def _size(count: int) -> str:
    exponent = 3 if count < 1 << 40 else 4
    return f"{count / 1024**exponent:,.1f} {'GiB' if exponent == 3 else 'TiB'}"
