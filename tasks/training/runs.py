"""One folder for each training run: created, resumed, and read back.

runs/NAME/
  settings.json      every setting in force, and the task
  vocabulary/        the SentencePiece model, and what else turns text into ids
  training_texts.npz hashes of the training texts, see tasks.data.overlap
  model.keras        the best weights by validation
  history.csv        one row per epoch
  evaluation.json    written by evaluate, next to the files of the task
  checkpoint/        needed to resume an interrupted training; a finished run has none
"""

import contextlib
import csv
import logging
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar, Self

from models.recurrent_settings import Settings
from tasks import atomic_files
from tasks.data.stored_files import read_sealed, reading, sealed
from tasks.errors import TrainingDiverged, UserError
from tasks.training import locks, stored_settings
from tasks.training.stored_settings import SettingsOfTask

log = logging.getLogger(__name__)

OLD_CHECKPOINT = ".old-checkpoint"


class Run:
    """The folder of one run. It names and reads the files that all tasks have.

    Args:
        path: The folder.

    Attributes:
        model_name: The name of the file that a finished run has.
        trains_on: Whether another run can begin with its weights.
    """

    model_name: ClassVar[str] = "model.keras"
    trains_on: ClassVar[bool] = True

    def __init__(self, path: os.PathLike | str):
        self.path = atomic_files.check_is_local(path)
        self.settings_file = self.path / "settings.json"
        self.vocabulary = self.path / "vocabulary"
        self.model_file = self.path / self.model_name
        self.history_file = self.path / "history.csv"
        self.evaluation_file = self.path / "evaluation.json"
        self.checkpoint = self.path / "checkpoint"
        self.state_file = self.checkpoint / "state.npz"
        self.pretrained = self.checkpoint / "pretrained"  # copies of language models: see `tasks.training.pretrained`
        self.tensorboard = self.path / "tensorboard"
        self.plots = self.path / "plots"
        self.training_texts = self.path / "training_texts.npz"

    def __fspath__(self) -> str:
        """Return the folder, so that a run goes where its path is expected."""
        return str(self.path)

    @property
    def initial(self) -> Self:
        """The copy of the run that this one trains on from; see `tasks.training.initial_run`."""
        return type(self)(self.checkpoint / "initial")

    @property
    def replacement(self) -> Self:
        """The unfinished run that is to replace this one; see `begin`."""
        return type(self)(self.path.with_name(f".overwriting-{self.path.name}") if self.path.name else self.path)

    @property
    def finished(self) -> bool:
        """Whether the training has ended."""
        return self.model_file.exists() and not self.checkpoint.exists()

    @property
    def prepared(self) -> bool:
        """Whether the vocabulary and the ids of the training data are complete."""
        return self.prepared_marker.exists() and self.vocabulary.exists()

    def mark_prepared(self, record: dict[str, Any] | None = None) -> None:
        """Record that the vocabulary and the ids of the training data are complete.

        Args:
            record: What they were made from; see `tasks.training.prepared`.
        """
        atomic_files.write_json(self.prepared_marker, sealed(record or {}))

    def prepared_record(self) -> dict[str, Any]:
        """Return the record of `mark_prepared`; raise `UserError` if it cannot be read."""
        return read_sealed(self.prepared_marker, "add --overwrite to prepare the data again")

    @property
    def prepared_marker(self) -> Path:
        """The file that exists when the data are prepared."""
        return self.checkpoint / "prepared"

    def start_again(self) -> None:
        """Remove everything that a training has left but its settings and what it began with; the marker last."""
        self.state_file.unlink(missing_ok=True)
        kept = (self.settings_file, self.checkpoint, self.initial.path, self.pretrained)
        for entry in [*self.path.iterdir(), *self.checkpoint.iterdir()]:
            if entry in kept or entry == self.prepared_marker or entry.name.startswith("."):
                continue
            if entry == self.plots:  # an evaluation may be writing there
                for plot in entry.glob("[!.]*"):
                    plot.unlink()
            elif entry.is_dir():
                shutil.rmtree(entry)
            else:
                entry.unlink()
        self.prepared_marker.unlink(missing_ok=True)

    def history(self) -> list[dict[str, float | None]]:
        """Return the rows of the history; none if the training diverged in its first epoch."""
        if not self.history_file.exists():
            return []
        with (
            reading(self.history_file, "train the run again with --overwrite"),
            open(self.history_file, encoding="utf-8", newline="") as file,
        ):
            return [
                {name: float(value) if value else None for name, value in row.items()} for row in csv.DictReader(file)
            ]

    def stored(self) -> dict[str, Any]:
        """Return the content of settings.json: {"task": NAME, group: {setting: value}}.

        Raises:
            UserError: If there is no such run, or the file is not the settings of a run.
        """
        if not self.path.is_dir():
            missing = f"no such run; train one with: train --run {self.path}"
            raise UserError(f"{self.path}: {'a file, not the folder of a run' if self.path.exists() else missing}")
        if not self.settings_file.exists():
            raise UserError(f"{self.path} is not a run: it has no settings.json; name a folder that train has written")
        return stored_settings.read(self.settings_file, "train the run again with --overwrite")

    def settings(self, settings_class: type[SettingsOfTask]) -> SettingsOfTask:
        """Return the settings in force.

        Raises:
            UserError: If the file is damaged, or has settings that no longer exist.
        """
        return stored_settings.validated(self.settings_file, self.stored(), settings_class, "Train it again")

    def write_settings(self, task: str, settings: Settings) -> None:
        """Write settings.json."""
        atomic_files.write_json(self.settings_file, stored_settings.dumped(task, settings))

    def _complete_replacement(self) -> None:
        """Complete the end of a training that was killed in it, unless another process still is in it."""
        if atomic_files.swap_killed(self.path) or (self.path / OLD_CHECKPOINT).exists():
            with contextlib.suppress(UserError, OSError), locks.locked(self.path):
                atomic_files.finish_swap(self.path)
                shutil.rmtree(self.path / OLD_CHECKPOINT, ignore_errors=True)

    def open_finished(self, task: str, settings_class: type[SettingsOfTask]) -> SettingsOfTask:
        """Return the settings of a finished run of `task`.

        Raises:
            UserError: If the run is missing, of another task, not finished, or has settings that no longer exist.
        """
        self._check(task)
        self.check_finished()
        return self.settings(settings_class)

    def check_finished(self) -> None:
        """Raise `UserError` if the run is not finished, or incomplete."""
        self._complete_replacement()
        if not self.finished:
            raise UserError(f"{self.path} is not finished: repeat its train command to resume it")
        self._check_complete()

    def open_settings(self, task: str, settings_class: type[SettingsOfTask]) -> SettingsOfTask:
        """Return the settings of a run of `task`, whether or not it has weights.

        Raises:
            UserError: If the run is missing, of another task, or has settings that no longer exist.
        """
        self._check(task)
        return self.settings(settings_class)

    def open_trained(self, task: str, settings_class: type[SettingsOfTask]) -> SettingsOfTask:
        """Return the settings of a run of `task` that has weights; warn if its training has not ended.

        Raises:
            UserError: If the run is missing, of another task, has no weights yet, or settings that no longer exist.
        """
        self._check(task)
        if not self.finished:
            if not (self.model_file.exists() and self.vocabulary.exists()):
                raise UserError(
                    f"{self.path} is not finished, and has no weights yet: the first are saved after an epoch. Wait "
                    "for them if the run is still training; otherwise repeat its train command"
                )
            epochs = int(max((row["epoch"] for row in self.history()), default=0))
            after = f"{epochs} {'epoch' if epochs == 1 else 'epochs'}"
            log.warning("%s is not finished: its best weights so far are used, after %s", self.path, after)
        self._check_complete()
        return self.settings(settings_class)

    def _check(self, task: str) -> None:
        """Raise `UserError` if this is no run of the task."""
        self._complete_replacement()
        other = self.stored()["task"]
        if other != task:
            raise UserError(f"{self.path} is a run of {stored_settings.instead_of(task, other)}")

    def _check_complete(self) -> None:
        """Raise `UserError` if a file of a run with weights is missing."""
        missing = [path.name for path in (self.vocabulary, self.model_file) if not path.exists()]
        if missing:
            names = ", ".join(missing)
            raise UserError(f"{self.path} is incomplete: {names} is missing; train it again with --overwrite")


def begin(
    path: Path | str, task: str, settings: Settings, *, overwrite: bool = False, run_class: type[Run] = Run
) -> Run:
    """Return the run to train in: a new folder, or the folder of the same training, interrupted.

    With `overwrite` a run stays as it is until the new one, written beside it, is finished; `finish` swaps the two.

    Raises:
        UserError: If `overwrite` is not set and the run is finished or of another task, if it was interrupted with
            other settings, or if the folder is something else.
    """
    path = Path(path)
    run = run_class(path)
    if path.exists() and not path.is_dir():
        raise UserError(f"{path} is a file; name a folder for the run")
    # An interrupted swap or a training killed in its first moments leave a folder without settings.json.
    atomic_files.finish_swap(path)
    strangers = path.is_dir() and any(entry != run.checkpoint and entry.name[0] != "." for entry in path.iterdir())
    if strangers and not run.settings_file.exists():
        raise UserError(f"{path} is not empty and not a run; name another folder with --run")
    shutil.rmtree(path / OLD_CHECKPOINT, ignore_errors=True)  # `finish` was killed while it removed it
    beside = run.replacement.path
    if run.settings_file.exists():
        if not overwrite:
            stored_settings.check_task(run, task)
        if overwrite and (run.finished or not stored_settings.continues(run, task, settings)):
            run = run_class(beside)
            if run.path.exists() and not stored_settings.continues(run, task, settings):
                shutil.rmtree(run.path)  # an earlier, unfinished attempt with other settings
        elif run.finished:
            message = f"{path} is finished already; name another folder with --run, or add --overwrite"
            if run.trains_on:
                how = f"name another folder and add --initial-run {path}; --epochs are then further epochs"
                message += f".\nTo train on from its weights, {how}"
            raise UserError(message)
    if beside not in (run.path, path):
        shutil.rmtree(beside, ignore_errors=True)  # the run that it was to replace no longer exists
    atomic_files.remove_temporary(run.path)
    if run.settings_file.exists():
        difference = stored_settings.difference(run, task, settings)
        if difference and not (run.model_file.exists() or run.state_file.exists()):
            # Nothing is trained yet (the data or an option had a mistake), so nothing is lost by beginning anew.
            shutil.rmtree(run.checkpoint, ignore_errors=True)
            shutil.rmtree(run.vocabulary, ignore_errors=True)
        elif difference:
            raise UserError(
                f"{path} was interrupted, and its settings were others: {difference}. "
                "Give the same settings to resume it, or --overwrite to start again"
            )
    run.checkpoint.mkdir(parents=True, exist_ok=True)
    if not run.prepared:  # otherwise it holds the values of settings that are "auto"
        run.write_settings(task, settings)
    return run


def finish(run: Run, path: Path | str) -> Run:
    """Mark the run as finished, and move it to `path` if it was written beside an older one; return it."""
    run.evaluation_file.unlink(missing_ok=True)  # of weights that were the best before the training ended
    if run.path != Path(path):
        # Still with its checkpoint: killed from here on, the same command finds it at `path` and has no more to do.
        atomic_files.swap_folder(run.path, Path(path))
        run = type(run)(path)
    gone = run.path / OLD_CHECKPOINT
    shutil.rmtree(gone, ignore_errors=True)
    run.checkpoint.rename(gone)  # at one moment: half a checkpoint would be taken for an unfinished training
    shutil.rmtree(gone, ignore_errors=True)
    return run


@contextlib.contextmanager
def finishing(run: Run, path: Path | str) -> Iterator[None]:
    """Finish the run when the block ends. A run that diverged is finished too, but does not replace an older one."""
    try:
        yield
    except TrainingDiverged:
        finish(run, run.path)
        raise
    finish(run, path)
