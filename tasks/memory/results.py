"""The folder of the results, to which each is added as it comes.

runs/recall/
  settings.json          the settings that change a result
  results.jsonl          one result a line; see measure.measure
  accuracy.csv           mean and spread over the seeds
  state_gradients.csv    by the distance from the end
  verdicts.json          the claims, and what was measured
  plots/*.png
"""

import json
import shutil
from pathlib import Path

from tasks import atomic_files
from tasks.errors import UserError
from tasks.memory.experiments import Experiment
from tasks.memory.settings import RecallArguments
from tasks.training import runs


class Results:
    """What is measured already, and what is added to it.

    Args:
      arguments: name the folder, and the settings that its results must have.

    Raises:
      UserError: the folder is something else, or holds results of other settings and `overwrite` is not set, or they
        cannot be read.
    """

    def __init__(self, arguments: RecallArguments):
        self.path = Path(arguments.run)
        self.file = self.path / "results.jsonl"
        self.plots = self.path / "plots"
        settings = {"task": "recall", **arguments.of_the_results}
        stored = _stored_settings(self.path)
        if arguments.overwrite and stored is not None:
            shutil.rmtree(self.path)
        elif stored is not None:
            difference = runs.first_difference(stored, settings)
            if difference:
                raise UserError(
                    f"{self.path} holds results with other settings: {difference}. "
                    "Name another folder with --run, or add --overwrite"
                )
        self.plots.mkdir(parents=True, exist_ok=True)
        atomic_files.write_json(self.path / "settings.json", settings)
        self._rows = self._read() if self.file.exists() else {}

    def _read(self) -> dict[tuple, dict]:
        rows = {}
        for number, line in enumerate(self.file.read_bytes().splitlines(), start=1):
            try:
                row = json.loads(line)
                rows[_key(row)] = row
            except (ValueError, KeyError, TypeError):
                raise UserError(
                    f"{self.file}:{number} is no result; remove that line, or begin anew with --overwrite"
                ) from None
        return rows

    def get(self, experiment: Experiment) -> dict | None:
        """The result of the experiment; None if it is not there yet."""
        return self._rows.get(_key(experiment.key))

    def add(self, row: dict) -> None:
        """Adds a result of `measure`; on the disk there are all the lines before it, or these and its own."""
        self._rows[_key(row)] = row
        with atomic_files.replacing(self.file) as path, open(path, "w", encoding="utf-8") as file:
            file.writelines(json.dumps(row, allow_nan=False) + "\n" for row in self._rows.values())


def _key(row: dict) -> tuple:
    return tuple(row[name] for name in ("cell", "condition", "training_lags", "lag", "seed"))


def _stored_settings(path: Path) -> dict | None:
    """What settings.json of a folder of results holds; None where nothing is."""
    if path.is_file():
        raise UserError(f"{path} is a file; name a folder for the results with --run")
    # A command killed in its first moments leaves hidden files and empty plots.
    if not path.exists() or not any(file.name[0] != "." for file in path.rglob("*") if file.is_file()):
        return None
    if not (path / "settings.json").exists():
        raise UserError(f"{path} is not empty and holds no results of recall; name another folder with --run")
    try:
        stored = runs.Run(path).stored()
    except UserError:
        raise UserError(f"{path / 'settings.json'} cannot be read; name another folder with --run") from None
    if stored["task"] != "recall":
        raise UserError(f"{path} is a run of the task {stored['task']}; name another folder with --run")
    return stored
