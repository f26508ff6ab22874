"""What the processes of a training have to agree on, where there is one process alone. Imports no TensorFlow."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tasks.task_parts import Network

if TYPE_CHECKING:
    import keras
    import numpy as np


class OneProcess:
    """A training in one process; the base class of `tasks.training.workers.Workers`.

    All workers call the methods that are marked "collective" in the same order.

    Attributes:
        index: The number of this process, counted from 0.
        count: The number of workers.
    """

    index, count = 0, 1

    @property
    def is_first(self) -> bool:
        """Whether this process writes the run."""
        return self.index == 0

    def shared(self, value: Any) -> Any:
        """Return the value of the first worker, which JSON can hold. Collective."""
        return value

    def any(self, value: bool) -> bool:
        """Return whether the value is true in any worker. Collective."""
        return value

    def first_alone(self, function: Callable[[], Any]) -> Any:
        """Call a function in the first worker alone; return its result, which JSON can hold, in all. Collective."""
        return function()

    def check_equal(self, **parts: Any) -> None:
        """Check that parts of the training are equal in all workers; raise `UserError`. Collective."""

    def wait_for(self, file: Path) -> None:
        """Wait until a file that the first worker has written is there; raise `UserError` if it does not appear."""

    def attach(self, network: Network) -> None:
        """Let a compiled network train on the rows of all workers."""

    def decided(self, save: bool, interrupted: bool) -> tuple[bool, bool]:
        """Return whether all workers save a checkpoint after this step, and whether they end after that.

        Args:
            save: Whether it is time for a checkpoint.
            interrupted: Whether this process is to end.
        """
        return save, interrupted

    def whole_rows(self, rows: "np.ndarray") -> "np.ndarray":
        """Return the rows of all workers, in the order of the batch. Collective."""
        return rows

    def own_rows(self, rows: "np.ndarray") -> "np.ndarray":
        """Return the rows of this worker."""
        return rows

    def separate_draws(self, model: "keras.Model", *, equal: bool = False) -> None:
        """Let each worker draw other dropout masks.

        Args:
            model: The model, with the random states of the first worker.
            equal: Whether the first worker may have drawn more often than the others since the last call; their states
                are then made equal before. Collective in this case.
        """

    @contextlib.contextmanager
    def explained(self, folder: Path | str) -> Iterator[None]:
        """Turn TensorFlow's error about a lost worker into a `TrainingFailed`."""
        yield


ONE_PROCESS = OneProcess()
