"""Where the trainings of a comparison run side by side: in threads of this process, in jobs of Slurm, in tasks of Ray.

Each thread, job or task claims trainings until none is left; see `tasks.comparison.claims`. Each training is a separate
process.
"""

import concurrent.futures
import contextlib
import logging
import os
import shutil
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from tasks.comparison.claims import Finished, train_unclaimed
from tasks.comparison.ray_tasks import RayTasks
from tasks.comparison.settings import CompareArguments, Comparison
from tasks.comparison.slurm_jobs import SlurmJobs
from tasks.comparison.trainings import Training, planned
from tasks.errors import UserError
from tasks.in_memory import from_file
from tasks.references import find
from tasks.training import locks

log = logging.getLogger(__name__)

ENGINES = {"slurm": SlurmJobs, "ray": RayTasks}
# Seconds between two looks at jobs or tasks.
LOOK = 1.0
# Seconds in which jobs or tasks end by themselves when nothing is left; others still wait for their machine.
ENDING = 10.0


def in_threads(trainings: Sequence[Training], session: str, finished: Finished, jobs: int) -> None:
    """Train in this number of threads, each of which waits for one training at a time."""
    stop, seen, lock = threading.Event(), set(), threading.Lock()
    # Checked before the threads start: later, another thread may have finished a training.
    before = {training.file for training in trainings if training.finished()}

    def once(training: Training, how: str) -> None:
        with lock:
            if training.file not in seen:
                seen.add(training.file)
                finished(training, "finished before" if training.file in before else "finished")

    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        options = {"finished": once, "to_files": True, "stop": stop}
        threads = [pool.submit(train_unclaimed, trainings, session, **options) for _ in range(jobs)]
        try:
            for thread in concurrent.futures.as_completed(threads):
                thread.result()
        finally:  # after an error of one of them, or a signal
            stop.set()


def on_engine(trainings: Sequence[Training], session: str, finished: Finished, plan: str | None) -> None:
    """Train in jobs of Slurm or tasks of Ray; start new ones as long as the ones before have finished a training.

    Args:
        trainings: All trainings of the comparison.
        session: See `train_unclaimed`.
        finished: See `tasks.comparison.claims`.
        plan: The work for which processes share the lock of the folder; None if this one has locked it for itself.

    Raises:
        UserError: If the engine cannot be used as asked for, or a training cannot be done.
        TrainingFailed: If jobs or tasks fail, other than by a training.
    """
    comparison = trainings[0].comparison
    before: list[Training] | None = None  # what was left when jobs or tasks were started last
    reported: set[Path] = set()

    def remaining() -> list[Training]:
        for training in trainings:
            if training.file not in reported and training.finished():
                reported.add(training.file)
                finished(training, "finished before" if before is None else "finished")
        return [each for each in trainings if each.file not in reported and each.failure(session) is None]

    work = _description(trainings, session, plan)
    while left := remaining():
        if all(locks.machine_of(each.file) is not None for each in left):
            time.sleep(LOOK)  # another command trains what is left
            continue
        if left == before:
            return
        before, count = left, min(comparison.arguments.jobs, len(left))
        log.info("%d of %d trainings are left: %d at a time", len(left), len(trainings), count)
        with contextlib.closing(ENGINES[comparison.arguments.on](comparison, work_on, work, count)) as workers:
            while remaining() and not workers.ended():
                time.sleep(LOOK)
            end = time.monotonic() + ENDING
            while not workers.ended() and time.monotonic() < end:
                time.sleep(LOOK / 10)
            workers.check()
    if len(reported) == len(trainings):
        shutil.rmtree(comparison.jobs_folder, ignore_errors=True)


def _description(trainings: Sequence[Training], session: str, plan: str | None) -> dict:
    """Return what another process needs to know of the trainings, in types of JSON."""
    comparison = trainings[0].comparison
    return {
        "folder": os.getcwd(),
        "task": comparison.task.reference,
        "arguments": comparison.arguments.model_dump(mode="json"),
        "settings": {name: settings.model_dump(mode="json") for name, settings in comparison.settings.items()},
        "sources": [training.sources for training in trainings],
        "session": session,
        "plan": plan,
    }


def work_on(work: dict) -> str | None:
    """Claim trainings until none is left that nobody trains; runs in a job or task.

    Args:
        work: From `_description`.

    Returns:
        The message of a `UserError`; None without one.
    """
    logging.basicConfig(format="%(message)s")
    logging.getLogger("tasks").setLevel(logging.INFO)
    try:
        os.chdir(work["folder"])  # the names of the data and of the comparison may be relative
        task = find(work["task"])
        settings = {
            name: task.settings_class.model_validate(from_file(stored)) for name, stored in work["settings"].items()
        }
        comparison = Comparison(task, CompareArguments.model_validate(work["arguments"]), settings)
        trainings = planned(comparison, work["sources"])
        # The command that started this one may be killed; whoever replaces the comparison sees that it is still used.
        plan = work["plan"]
        with locks.shared(comparison.path, lambda: None, plan) if plan else contextlib.nullcontext():
            train_unclaimed(trainings, work["session"], to_files=True, patient=False)
    except UserError as error:
        return str(error)
    except OSError as error:
        return f"{error}; the comparison is in a folder that all machines share, under the same name"
    return None
