"""The folder of a study, to which each result is added when its experiment ends.

runs/memory/
  settings.json          settings that change the result of an experiment
  results.jsonl          one result per line; see training.ExperimentRunner.run
  accuracy.csv           mean and standard deviation over the seeds
  state_gradients.csv    gradient norms by the number of steps before the end
  claims.json            the claims, with what was measured
  plots/*.png
"""

import json
import shutil
from pathlib import Path

from tasks import atomic_files
from tasks.errors import UserError
from tasks.memory.experiments import KEY_FIELDS, Experiment
from tasks.memory.settings import MemoryArguments
from tasks.training import runs, stored_settings


class ResultsFolder:
    """Results that are stored already, and new ones that are added.

    Args:
        arguments: The path of the folder, and the settings that its results must have.
        replace: Whether results of other settings are removed.

    Raises:
        UserError: If the folder contains something else, unreadable results, or results of other settings while
            neither `overwrite` nor `replace` is set.
    """

    def __init__(self, arguments: MemoryArguments, *, replace: bool = False):
        self.path = Path(arguments.run)
        self.file = self.path / "results.jsonl"
        self.plots = self.path / "plots"
        settings = {"task": "memory", **arguments.result_settings}
        stored = _stored_settings(self.path)
        difference = None if stored is None else stored_settings.first_difference(stored, settings)
        if stored is not None and (arguments.overwrite or (replace and difference)):
            shutil.rmtree(self.path)
        elif difference:
            raise UserError(
                f"{self.path} contains results of other settings: {difference}. "
                "Name another folder with --run, or add --overwrite"
            )
        self.plots.mkdir(parents=True, exist_ok=True)
        atomic_files.write_json(self.path / "settings.json", settings)
        self._results = self._read() if self.file.exists() else {}

    def _read(self) -> dict[tuple, dict]:
        results = {}
        for number, line in enumerate(self.file.read_bytes().splitlines(), start=1):
            try:
                result = json.loads(line)
                results[_key(result)] = result
            except (ValueError, KeyError, TypeError):
                raise UserError(
                    f"{self.file}:{number} is not a result; remove that line, or start again with --overwrite"
                ) from None
        return results

    def get(self, experiment: Experiment) -> dict | None:
        """Return the stored result of the experiment, or None."""
        return self._results.get(_key(experiment.key))

    def add(self, result: dict) -> None:
        """Add a result. The file is replaced atomically: an interruption leaves the old or the new content."""
        self._results[_key(result)] = result
        with atomic_files.replacing(self.file) as path, open(path, "w", encoding="utf-8") as file:
            file.writelines(json.dumps(result, allow_nan=False) + "\n" for result in self._results.values())


def _key(result: dict) -> tuple:
    return tuple(result[name] for name in KEY_FIELDS)


def _stored_settings(path: Path) -> dict | None:
    """Return the content of settings.json of a folder of results; None if the folder is empty or does not exist."""
    if path.is_file():
        raise UserError(f"{path} is a file; name a folder for the results with --run")
    # A command that is killed while it starts leaves hidden files and an empty folder of plots.
    if not path.exists() or not any(file.name[0] != "." for file in path.rglob("*") if file.is_file()):
        return None
    if not (path / "settings.json").exists():
        raise UserError(f"{path} is not empty and contains no results of tasks.memory; name another folder with --run")
    try:
        stored = runs.Run(path).stored()
    except UserError:
        raise UserError(f"{path / 'settings.json'} cannot be read; name another folder with --run") from None
    if stored["task"] != "memory":
        raise UserError(f"{path} is a run of the task {stored['task']}; name another folder with --run")
    return stored
