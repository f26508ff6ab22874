"""Tasks of Ray that work on a comparison."""

import contextlib
import logging
from collections.abc import Callable

from tasks.cluster import ray_session
from tasks.cluster.settings import resource_values
from tasks.comparison.settings import Comparison
from tasks.errors import TrainingFailed, UserError

log = logging.getLogger(__name__)

# Seconds that trainings have to save their step.
GRACE = 60.0


class RayTasks:
    """Tasks that run side by side; Ray starts one again whose process dies.

    Args:
        comparison: The comparison; `--resources` are options of the tasks.
        function: Called in each task with `work`; returns the message of a mistake, or None.
        work: Its argument.
        count: Number of tasks.

    Raises:
        UserError: If Ray cannot be used, or does not know a resource.
    """

    def __init__(self, comparison: Comparison, function: Callable, work: dict, count: int):
        self._connection = contextlib.ExitStack()
        self._ray = self._connection.enter_context(ray_session.started())
        options = {"num_cpus": 1, "scheduling_strategy": "SPREAD"} | resource_values(comparison.arguments.resources)
        try:
            task = self._ray.remote(function).options(**options)
            self._tasks = [task.remote(work) for _ in range(count)]
        except (ValueError, TypeError) as error:
            self._connection.close()
            raise UserError(f"--resources: {str(error).splitlines()[0]}") from None
        ray_session.warn_of_missing(self._ray, options)

    def ended(self) -> bool:
        """Return whether all tasks have ended."""
        _, running = self._ray.wait(self._tasks, num_returns=len(self._tasks), timeout=0)
        return not running

    def check(self) -> None:
        """Raise the error of a task that has ended with one, other than by the death of its process."""
        done, _ = self._ray.wait(self._tasks, num_returns=len(self._tasks), timeout=0)
        for task in done:
            try:
                message = self._ray.get(task)
            except self._ray.exceptions.RayTaskError as error:
                raise TrainingFailed(f"a task of Ray failed: {str(error).strip().splitlines()[-1]}") from None
            except self._ray.exceptions.RayError as error:
                log.warning("a task of Ray ended early: %s", type(error).__name__)
                continue
            if message is not None:
                raise UserError(message)

    def close(self) -> None:
        """End the tasks that still run, after their trainings have saved their step, and the connection."""
        try:
            for task in self._tasks:
                self._ray.cancel(task)
            self._ray.wait(self._tasks, num_returns=len(self._tasks), timeout=GRACE)
        finally:
            self._connection.close()
