"""Trains one network on several workers: starts them, and restarts all of them when one dies.

The workers are ordinary `train` commands with a variable `TF_CONFIG` each; see `tasks.training.workers`. When a worker
dies, the others cannot go on, and a new one could not join them. All are then started again, and resume the training at
its last checkpoint.
"""

import logging
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from tasks.cluster.local_workers import local_engine
from tasks.cluster.ray_workers import ray_engine
from tasks.cluster.slurm_workers import slurm_engine
from tasks.cluster.training_settings import ClusterTrainArguments
from tasks.errors import TrainingFailed, UserError
from tasks.training.runs import Run
from tasks.training.worker_addresses import LOST_WORKER

log = logging.getLogger(__name__)

# Where workers run -> a function of the arguments, the `train` command and the run; it yields what starts all workers.
ENGINES = {"local": local_engine, "slurm": slurm_engine, "ray": ray_engine}
# Seconds between two looks at the workers; for which the others may end by themselves when one has; and for which they
# may save the step that they have reached when they are interrupted.
POLL, GRACE, SAVING = 0.2, 5.0, 120.0


class StartedWorkers(Protocol):
    """Workers that an engine has started."""

    def codes(self) -> list[int | None]:
        """Return the exit code of each; None if it is running, and a negative number if a signal has ended it."""

    def interrupt(self) -> None:
        """Let all save the step that they have reached, and end."""

    def end(self) -> None:
        """End all at once, also those that are stopped."""


def train(arguments: ClusterTrainArguments, task: str, options: Sequence[str], run: Path) -> None:
    """Train on several workers until the run is finished.

    Args:
        arguments: The arguments.
        task: The name of the task.
        options: The options of its command `train`.
        run: The folder of the run.

    Raises:
        UserError: If a worker ended because of a mistake, which it has explained, or the engine cannot be used.
        TrainingFailed: If a worker failed, or too many restarts brought no new checkpoint.
        KeyboardInterrupt: If a worker was interrupted.
    """
    with ENGINES[arguments.on](arguments, ["-m", f"tasks.{task}", "train", *options], run) as start:
        _until_finished(arguments, start, run)


def _until_finished(arguments: ClusterTrainArguments, start: Callable[[], StartedWorkers], run: Path) -> None:
    restarts, before, earlier = 0, _checkpoint_time(run), _finished_file(run)
    while True:
        codes = _run_once(start())
        if codes[0] == 0:
            return
        for number, code in enumerate(codes):
            if code == 2:
                raise UserError(f"worker {number} ended because of the mistake above; no worker is left")
            if code in (129, 130, 143):
                raise KeyboardInterrupt
        dead = [number for number, code in enumerate(codes) if code is not None and (code < 0 or code > 128)]
        if not dead and LOST_WORKER not in codes:
            raise TrainingFailed("a worker failed with the error above; the same command resumes the training")
        if _finished_file(run) not in (None, earlier):
            print(run)  # a worker was lost after the training; with --overwrite, a restart would train again
            return
        now = _checkpoint_time(run)
        restarts = 1 if now != before else restarts + 1
        before = now
        what = f"worker {dead[0]} was killed" if dead else "a worker did not answer"
        if restarts > arguments.restarts:
            raise TrainingFailed(
                f"{what}, and {arguments.restarts} restarts brought no new checkpoint: see the messages above; "
                "the same command resumes the training, and --restarts allows more"
            )
        log.warning("%s: all %d workers start again at the last checkpoint", what, arguments.workers)


def _run_once(workers: StartedWorkers) -> list[int | None]:
    """Wait until one of the workers fails or all have ended; return their exit codes.

    When one has failed, the others are ended; None is the code of one that was still running.
    """
    try:
        while True:
            codes = workers.codes()
            if all(code is not None for code in codes) or codes[0] == 0:
                break
            if any(codes):
                if any(code and 0 < code < 128 for code in codes):
                    _wait(workers, GRACE)  # they have the same reason to end, and explain it
                break
            time.sleep(POLL)
        if codes[0] == 0:
            _wait(workers, GRACE)
        return workers.codes()
    except KeyboardInterrupt:
        workers.interrupt()
        _wait(workers, SAVING)
        raise
    finally:
        workers.end()


def _wait(workers: StartedWorkers, seconds: float) -> None:
    """Wait until all workers have ended, but not longer."""
    end = time.monotonic() + seconds
    while None in workers.codes() and time.monotonic() < end:
        time.sleep(POLL)


def _finished_file(run: Path) -> tuple[int, int] | None:
    """Return what distinguishes the file of a finished run from that of another one; None if it is not finished."""
    if not Run(run).finished:
        return None
    state = Run(run).model_file.stat()
    return state.st_ino, state.st_mtime_ns


def _checkpoint_time(run: Path) -> list[int]:
    """Return when the last checkpoint was written, of the run and of one that is to replace it."""
    files = [one.state_file for one in (Run(run), Run(run).replacement)]
    return [file.stat().st_mtime_ns if file.exists() else 0 for file in files]
