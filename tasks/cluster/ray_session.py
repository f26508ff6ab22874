"""A connection to Ray: to the cluster that this machine belongs to, or to processes that are started here."""

import contextlib
import logging
import sys
import time
from collections.abc import Iterator, Mapping
from types import ModuleType

from tasks.cluster.extra import imported
from tasks.errors import TrainingFailed, UserError
from tasks.training.signals import DeferredSignals

log = logging.getLogger(__name__)

# How often a start is tried: on a busy machine, the processes of Ray miss each other's deadlines.
ATTEMPTS = 3


@contextlib.contextmanager
def started() -> Iterator[ModuleType]:
    """Connect to Ray inside the `with` block.

    The cluster is that of RAY_ADDRESS, or the one that `ray start` has joined this machine to. Without one, Ray is
    started on this machine, and ended with the block.

    Yields:
        The package `ray`.

    Raises:
        UserError: If Ray is not installed, or the cluster does not answer.
        TrainingFailed: If Ray does not start.
    """
    ray = imported("ray")
    with contextlib.redirect_stdout(sys.stderr):  # where Ray reports processes that die
        if ray.is_initialized():  # by the caller in Python
            yield ray
            return
        try:
            _start(ray)
            yield ray
        finally:
            ray.shutdown()


def _start(ray: ModuleType) -> None:
    for attempt in range(ATTEMPTS):
        if attempt:
            time.sleep(2.0)
        # A start that is interrupted leaves processes behind, or ends this one by SIGSEGV. Afterwards the handler of
        # SIGTERM is the former one again: that of Ray ends the process without its messages.
        signals = DeferredSignals("Ray ends when it has started")
        try:
            with signals.deferred():
                ray.init(include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
        except ConnectionError as error:
            signals.deliver()
            raise UserError(f"the cluster of Ray does not answer: {_first_line(error)}") from None
        except Exception as error:
            ray.shutdown()
            signals.deliver()
            if attempt + 1 == ATTEMPTS:
                raise TrainingFailed(f"Ray does not start on this machine: {_first_line(error)}") from None
        else:
            return


def warn_of_missing(ray: ModuleType, options: Mapping) -> None:
    """Log a warning if no machine of the cluster has what a task or an actor needs, which then waits."""
    present = ray.cluster_resources()
    for option, resource in (("num_cpus", "CPU"), ("num_gpus", "GPU")):
        if options.get(option, 0) > present.get(resource, 0):
            log.warning(
                "%s=%s: the cluster of Ray has %g now; the work waits until it has more",
                *(option, options[option], present.get(resource, 0)),
            )


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)
