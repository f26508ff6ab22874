"""One folder for each training run: made, found again, read back whole.

runs/NAME/
  settings.json      every setting in force, and the task
  vocabulary/        the SentencePiece model, and what else turns text into ids
  model.keras        the best weights by validation
  history.csv        one row per epoch
  checkpoint/        what an interrupted training needs to go on; a finished run has none
"""

import json
import shutil
from pathlib import Path
from typing import Any

from models.settings import Settings
from tasks import files
from tasks.errors import UserError


class Run:
    """The folder of one run. Only names and reads files; what is in them is the task's business."""

    def __init__(self, path: Path | str):
        self.path = Path(path)
        self.settings_file = self.path / "settings.json"
        self.vocabulary = self.path / "vocabulary"
        self.model_file = self.path / "model.keras"
        self.history_file = self.path / "history.csv"
        self.evaluation_file = self.path / "evaluation.json"
        self.checkpoint = self.path / "checkpoint"
        self.tensorboard = self.path / "tensorboard"
        self.plots = self.path / "plots"

    @property
    def finished(self) -> bool:
        return self.model_file.exists() and not self.checkpoint.exists()

    def stored(self) -> dict[str, Any]:
        """What settings.json holds: {"task": NAME, group: {setting: value}}.

        Raises:
          UserError: no such run, or a file that is not a run's settings.
        """
        if not self.path.is_dir():
            raise UserError(f"{self.path}: no such run; train one with: train --run {self.path}")
        try:
            stored = json.loads(self.settings_file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise UserError(
                f"{self.path} is not a run: it has no settings.json; name a folder that train has written"
            ) from None
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise UserError(f"{self.settings_file} is not readable as JSON ({error}); train the run again") from None
        if not isinstance(stored, dict) or "task" not in stored:
            raise UserError(f"{self.settings_file} is not the settings of a run: it names no task")
        return stored

    def open_finished(self, task: str) -> dict[str, Any]:
        """The stored settings of a finished run of `task`, without the task's name.

        Raises:
          UserError: the run is missing, of another task, or not finished.
        """
        stored = self.stored()
        if stored["task"] != task:
            raise UserError(
                f"{self.path} is a run of the task {stored['task']}, not of {task}: python -m tasks.{stored['task']}"
            )
        if not self.finished:
            raise UserError(f"{self.path} is not finished: repeat the train command that began it, and it goes on")
        missing = [path.name for path in (self.vocabulary, self.model_file) if not path.exists()]
        if missing:
            raise UserError(
                f"{self.path} is incomplete: {', '.join(missing)} is missing; train it again with --overwrite"
            )
        return {name: group for name, group in stored.items() if name != "task"}


def _write_settings(run: Run, task: str, settings: Settings) -> None:
    with files.replacing(run.settings_file) as path:
        path.write_text(
            json.dumps({"task": task, **settings.model_dump(mode="json")}, indent=2) + "\n", encoding="utf-8"
        )


def _first_difference(old: dict, new: dict, prefix: str = "") -> str | None:
    for name in [*new, *(name for name in old if name not in new)]:
        if isinstance(old.get(name), dict) and isinstance(new.get(name), dict):
            difference = _first_difference(old[name], new[name])
            if difference:
                return difference
        elif old.get(name) != new.get(name):
            return f"{name} was {old.get(name)!r} and is now {new.get(name)!r}"
    return None


def begin(path: Path | str, task: str, settings: Settings, *, overwrite: bool = False) -> Run:
    """The folder to train in: new, or that of the same training, interrupted.

    With `overwrite` a finished run stays as it is until the new one is finished: the new one grows beside it, and
    `finish` swaps the two.

    Raises:
      UserError: a finished run without `overwrite`, an interrupted one with other settings, or a folder that is
        something else.
    """
    path = Path(path)
    run = Run(path)
    if path.exists() and not path.is_dir():
        raise UserError(f"{path} is a file; name a folder for the run")
    if path.is_dir() and any(path.iterdir()) and not run.settings_file.exists():
        raise UserError(f"{path} is not empty and not a run; name another folder with --run")
    if run.settings_file.exists():
        if overwrite and (run.finished or _first_difference(run.stored(), _dumped(task, settings))):
            run = Run(path.with_name(f".overwriting-{path.name}"))
            if run.settings_file.exists() and _first_difference(run.stored(), _dumped(task, settings)):
                shutil.rmtree(run.path)  # an earlier, unfinished attempt with other settings
        elif run.finished:
            raise UserError(f"{path} is finished already; name another folder with --run, or add --overwrite")
    if run.settings_file.exists():
        difference = _first_difference(run.stored(), _dumped(task, settings))
        if difference:
            raise UserError(
                f"{path} was interrupted, and its settings were others: {difference}. "
                "Give the same settings to go on, or --overwrite to begin anew"
            )
    run.checkpoint.mkdir(parents=True, exist_ok=True)
    _write_settings(run, task, settings)
    return run


def _dumped(task: str, settings: Settings) -> dict:
    return json.loads(json.dumps({"task": task, **settings.model_dump(mode="json")}))


def finish(run: Run, path: Path | str) -> Run:
    """Marks the run as finished, and puts it at `path` if it grew beside an older one. Gives the run at `path`."""
    shutil.rmtree(run.checkpoint, ignore_errors=True)
    if run.path != Path(path):
        files.swap_folder(run.path, Path(path))
    return Run(path)
