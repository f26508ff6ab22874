"""One training of a comparison: what is stored of it, and what remains to be done for it."""

import dataclasses
import logging
import math
import shutil
import socket
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path

from models.recurrent_settings import Settings
from tasks import atomic_files
from tasks.comparison.settings import Comparison
from tasks.comparison.worker_process import answers
from tasks.data.stored_files import read_json
from tasks.errors import UserError
from tasks.training import locks, runs, stored_settings

log = logging.getLogger(__name__)

# With --minutes, steps over which a step is timed, after the same number of warm-up steps.
TIMED_STEPS = 50
# With --minutes, validations of a training.
VALIDATIONS = 6


@dataclasses.dataclass(frozen=True)
class Training:
    """A variation with a seed.

    Attributes:
        comparison: The comparison.
        name: The name of the variation.
        settings: Its settings, with the seed.
        number: Its number in the comparison, for the log.
        sources: Its data and initial weights, as `tasks.training.source_files` describes them.
    """

    comparison: Comparison
    name: str
    settings: Settings
    number: str = ""
    sources: dict | None = None

    def __str__(self) -> str:
        return f"{self.number}: {self.name}, seed {self.settings.training.seed}"

    @property
    def file(self) -> Path:
        """The file of its figures, which is locked by the process that trains."""
        return Path(self.comparison.path) / self.name / f"seed-{self.settings.training.seed}.json"

    @property
    def run(self) -> Path:
        """The folder of its run."""
        return self.file.with_suffix("")

    @property
    def log_file(self) -> Path:
        """The file of its messages, unless they go to standard error."""
        return self.file.with_suffix(".log")

    @property
    def shared_mark(self) -> Path:
        """A file that exists if another training ran on the same machine at the same time."""
        return self.file.with_name(f".shared-{self.run.name}")

    @property
    def failed_mark(self) -> Path:
        """A file that exists if the training failed; see `failure`."""
        return self.file.with_name(f".failed-{self.run.name}.json")

    @property
    def asked(self) -> dict:
        """What is stored of its settings."""
        return {"minutes": self.comparison.arguments.minutes, **self.settings.model_dump(mode="json")}

    def stored(self) -> dict:
        """Return what is stored: what was asked for, and the figures as far as they are known.

        Raises:
            UserError: If they are those of other settings.
        """
        result = _stored(self.file, {"asked": self.asked})
        difference = stored_settings.first_difference(result["asked"], self.asked)
        if difference:
            raise UserError(
                f"{self.comparison.path} holds a comparison with other settings: {difference}. "
                "Name another folder with --run, or add --overwrite"
            )
        return result

    def finished(self) -> dict | None:
        """Return the figures; None if they are not complete."""
        result = self.stored()
        return (
            result if "trained" in result and self.comparison.arguments.split in result.get("evaluated", {}) else None
        )

    def do(self, claim: locks.Lock, *, to_file: bool, stop: threading.Event | None = None) -> None:
        """Train or resume, evaluate, and store the figures; the caller has claimed `file`.

        Args:
            claim: The lock of `file`.
            to_file: Whether messages of the training go to a file beside the run, and not to standard error.
            stop: See `tasks.comparison.worker_process.answers`.
        """
        self.file.parent.mkdir(parents=True, exist_ok=True)
        result = self.stored()
        result.setdefault("sources", self.sources)
        settings, split = self.settings, self.comparison.arguments.split
        if self.comparison.arguments.minutes is not None:
            settings = within(self.comparison, self.comparison.arguments.minutes, settings, self.file.parent)
        task = self.comparison.task.reference
        job = {"task": task, "settings": settings, "run": str(self.run), "evaluate": split}
        job["processes"] = self.comparison.processes
        if "trained" not in result and runs.Run(self.run).finished:
            shutil.rmtree(self.run)  # killed between training and answer: its cost is not known
        for answer in answers(job, log=self.log_file if to_file else None, stop=stop, descriptors=claim.descriptors):
            if "trained" in answer:
                result["trained"] = answer["trained"] | {"shared_machine": self.shared_mark.exists()}
            else:
                result.setdefault("evaluated", {})[split] = answer["evaluated"]
            atomic_files.write_json(self.file, result)
        for mark in (self.shared_mark, self.failed_mark):
            mark.unlink(missing_ok=True)

    def mark_failed(self, session: str, message: str) -> None:
        """Store that the training failed in a session, so that no other process of the session tries it again."""
        atomic_files.write_json(self.failed_mark, {"session": session, "message": message})

    def failure(self, session: str) -> str | None:
        """Return the message of `mark_failed`; None if the training did not fail in this session."""
        if not self.failed_mark.exists():
            return None
        mark = read_json(self.failed_mark, "remove it")
        return mark["message"] if mark.get("session") == session else None

    def mark_shared(self, others: Iterable["Training"]) -> None:
        """Mark this training, and each of the others that runs on this machine, as trainings that share it."""
        for other in others:
            if other.file != self.file and locks.machine_of(other.file) in (socket.gethostname(), ""):
                for training in (self, other):
                    training.shared_mark.parent.mkdir(parents=True, exist_ok=True)
                    training.shared_mark.touch()


def planned(comparison: Comparison, sources: Sequence[dict | None] | None = None) -> list[Training]:
    """Return every training of a comparison, with what its data and initial weights are, if that is known."""
    seeds = range(comparison.arguments.seeds)
    pairs = [(name, number) for name in comparison.settings for number in seeds]
    trainings = []
    for index, (name, number) in enumerate(pairs):
        settings = comparison.settings[name]
        settings = with_training(settings, seed=settings.training.seed + number)
        which = f"run {index + 1} of {len(pairs)}"
        trainings.append(Training(comparison, name, settings, which, sources[index] if sources else None))
    return trainings


def with_training(settings: Settings, **changes) -> Settings:
    """Return the settings with other values of the group `training`."""
    dumped = settings.model_dump()
    dumped["training"] |= changes
    return type(settings).model_validate(dumped)


def within(comparison: Comparison, minutes: float, settings: Settings, folder: Path) -> Settings:
    """Return the settings with as many steps as fit into the minutes; timed once, and the same for each seed."""
    file = folder / "budget.json"
    asked = {"minutes": minutes, **with_training(settings, seed=0).model_dump(mode="json")}
    budget = _stored(file, {})
    if budget.get("asked") != asked:
        log.info("timing %d steps", TIMED_STEPS)
        trial = folder / ".timing"
        shutil.rmtree(trial, ignore_errors=True)
        timed = with_training(settings, epochs=2, steps_per_epoch=TIMED_STEPS, patience=None)
        job = {"task": comparison.task.reference, "settings": timed, "run": str(trial), "evaluate": None}
        (answer,) = answers(job)
        shutil.rmtree(trial)
        # Epoch 0 is the validation of a network that was fitted before: see `tasks.task_parts.Network.is_fitted`.
        epochs = [row for row in answer["trained"]["history"] if row["epoch"]]
        steps = None
        if answer["trained"]["diverged"]:
            # It will diverge again; another seed may not, and gets as few steps.
            steps = 2 * TIMED_STEPS
            log.warning("%s: its loss becomes NaN within %d steps, so it gets no more steps", folder.name, steps)
        elif not epochs:
            log.info("%s: it is fitted before the training, which has no step", folder.name)
        else:
            steps = max(VALIDATIONS, round(60.0 * minutes * TIMED_STEPS / epochs[1]["seconds"]))
        budget = {"asked": asked, "steps": steps}
        atomic_files.write_json(file, budget)
    if budget["steps"] is None:
        return settings
    return with_training(settings, epochs=VALIDATIONS, steps_per_epoch=math.ceil(budget["steps"] / VALIDATIONS))


def _stored(file: Path, otherwise: dict) -> dict:
    if not file.exists():
        return otherwise
    remedy = "remove it to measure it again"
    stored = read_json(file, remedy)
    if not isinstance(stored, dict) or not isinstance(stored.get("asked"), dict):
        raise UserError(f"{file} is no result of a comparison; {remedy}")
    return stored
