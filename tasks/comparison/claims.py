"""Trainings of a comparison by several processes or threads: each claims one that nobody else trains."""

import contextlib
import logging
import threading
from collections.abc import Callable, Sequence

from tasks.comparison.trainings import Training
from tasks.errors import TrainingFailed
from tasks.training import locks

log = logging.getLogger(__name__)

# Seconds between two looks at trainings that other processes have claimed.
WAIT = 2.0

# Called with each training that is finished, and how: "finished", "finished before", "finished by another process".
Finished = Callable[[Training, str], None]


def train_unclaimed(
    trainings: Sequence[Training],
    session: str,
    *,
    finished: Finished = lambda training, how: None,
    to_files: bool = False,
    patient: bool = True,
    stop: threading.Event | None = None,
) -> None:
    """Train and evaluate what is not finished and nobody else trains, one training after the other.

    A claim is a lock, which ends with its process, so the trainings of a killed process are claimed again. One that
    fails is noted, and the next ones are trained all the same.

    Args:
        trainings: All trainings of the comparison.
        session: The name of the command that this is a part of; what failed in it is not tried again.
        finished: See `Finished`.
        to_files: Whether the messages of the trainings go to files.
        patient: Whether to wait for trainings of other processes, and to take over those whose process ends.
        stop: Ends the training in progress when it is set, with its step saved.

    Raises:
        UserError: If a training cannot be done as it was asked for.
        KeyboardInterrupt: If `stop` is set.
    """
    stop = stop or threading.Event()
    remaining, otherwise = [*trainings], "finished before"
    while remaining:
        for training in remaining[:]:
            if stop.is_set():
                raise KeyboardInterrupt
            how = _train(training, trainings, session, to_files, stop)
            if how == "claimed":
                continue
            remaining.remove(training)
            if how != "failed":
                finished(training, how or otherwise)
        if not patient:
            return
        otherwise = "finished by another process"
        if remaining:
            stop.wait(WAIT)


def _train(
    training: Training, trainings: Sequence[Training], session: str, to_file: bool, stop: threading.Event
) -> str | None:
    """Do a training unless it is "claimed" by somebody else, or has "failed"; return "finished", or None if it was."""
    with contextlib.ExitStack() as stack:
        claim = None
        for _ in range(2):  # again with the claim: another process may just have ended it
            if training.finished():
                return None
            if training.failure(session) is not None:
                return "failed"
            if claim is None:
                claim = stack.enter_context(locks.claimed(training.file))
                if claim is None:
                    return "claimed"
        training.mark_shared(trainings)
        log.info("%s%s", training, f"; its messages: {training.log_file}" if to_file else "")
        try:
            training.do(claim, to_file=to_file, stop=stop)
        except TrainingFailed as error:
            training.mark_failed(session, str(error))
            log.warning("%s: %s", training, error)
            return "failed"
    return "finished"


def check_finished(trainings: Sequence[Training], session: str) -> None:
    """Raise `TrainingFailed` if a training is not finished; its message is that of the first one."""
    unfinished = [training for training in trainings if not training.finished()]
    if not unfinished:
        return
    failures = [message for training in unfinished if (message := training.failure(session)) is not None]
    first = failures[0] if failures else f"{unfinished[0]} was ended; the same command resumes it"
    others = f"\n{len(unfinished)} of {len(trainings)} trainings are not finished" if len(unfinished) > 1 else ""
    raise TrainingFailed(f"{first}{others}")
