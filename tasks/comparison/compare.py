"""Trains the variations of a comparison, one after the other or side by side, and writes a table and plots.

runs/compare-TASK/
  comparison.json          marks the folder as a comparison
  VARIATION/seed-N/        the run
  VARIATION/seed-N.json    its figures
  VARIATION/seed-N.log     with --jobs or --on: the messages of its training
  VARIATION/budget.json    with --minutes: the number of steps that fit into them
  table.txt .csv .json     mean and spread of each variation
  plots/*.png              quality against time, and against the number of parameters
"""

import contextlib
import dataclasses
import hashlib
import json
import logging
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

from models.recurrent_settings import changed_keras_values
from tasks import atomic_files
from tasks.cluster.extra import imported
from tasks.comparison import engines, plots, table
from tasks.comparison.claims import check_finished, train_unclaimed
from tasks.comparison.settings import Comparison
from tasks.comparison.trainings import Training, planned
from tasks.comparison.worker_process import answers
from tasks.errors import UserError
from tasks.training import initial_run, locks, pretrained, required_memory, source_files

log = logging.getLogger(__name__)

# What the engines need.
PACKAGES = {"slurm": "submitit", "ray": "ray"}
# Arguments that do not change what is trained, or what the table says.
NOT_COMPARED = {"run", "jobs", "on", "resources", "overwrite", "json_"}


def main(comparison: Comparison) -> None:
    """Run the command `compare`."""
    rows = compare(comparison)
    folder = Path(comparison.path)
    print((folder / ("table.json" if comparison.arguments.json_ else "table.txt")).read_text(encoding="utf-8"))
    if comparison.arguments.json_:
        return
    if any(row["diverged"] for row in rows):
        print("diverged: trainings whose loss became NaN; their last good weights were evaluated\n")
    for file in [folder / "table.csv", folder / "table.json", *sorted((folder / "plots").glob("*.png"))]:
        print(file)


def compare(comparison: Comparison) -> list[dict]:
    """Train and evaluate every variation with every seed, except those that are finished already.

    Processes with the same comparison, on one machine or several, share the work: see `tasks.comparison.claims`.

    Returns:
        The table, a row for each variation; see `table.rows`.

    Raises:
        UserError: If the data cannot be used, or the folder contains something else, or a comparison with other
            settings, or another process writes to it.
        TrainingFailed: If the process of a training ended early; finished trainings are kept.
    """
    if comparison.arguments.on != "local":
        imported(PACKAGES[comparison.arguments.on])
    with _locked(comparison):
        return _compare(comparison)


@contextlib.contextmanager
def _locked(comparison: Comparison) -> Iterator[None]:
    """Prepare the folder and lock it: for this process alone, or for all that compare the same."""
    path, arguments = comparison.path, comparison.arguments
    if not _is_alone(comparison):
        with locks.shared(path, lambda: _prepare(Path(path)), _plan(comparison)):
            yield
        return
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(locks.locked(path))
        except UserError as error:
            if arguments.minutes is None:
                raise
            raise UserError(
                f"{error}\n--minutes is for one process: the number of steps follows from the seconds that a step "
                "takes on its machine; give --epochs to share the work"
            ) from None
        _prepare(Path(path))
        yield


def _is_alone(comparison: Comparison) -> bool:
    return comparison.arguments.overwrite or comparison.arguments.minutes is not None


def _prepare(folder: Path) -> None:
    """Clear up what killed processes left; called while no other process writes to the folder."""
    if atomic_files.swap_killed(folder) and not any(folder.glob("*/seed-*.json")):
        shutil.rmtree(folder, ignore_errors=True)  # killed before the first result: the old comparison comes back
    atomic_files.finish_swap(folder)
    atomic_files.remove_temporary(folder)
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir()) and not (folder / "comparison.json").exists()):
        raise UserError(f"{folder} is no comparison; name another folder with --run")


def _compare(comparison: Comparison) -> list[dict]:
    folder, session = Path(comparison.path), secrets.token_hex(8)
    trainings = planned(comparison)
    with contextlib.ExitStack() as before_first:
        if comparison.arguments.overwrite:
            before_first.enter_context(atomic_files.put_aside(folder))
        # All are checked before the first training, which may take hours.
        stored = [training.stored() for training in trainings]
        for training in trainings:
            initial_run.check(comparison.task, training.settings)
            pretrained.check(training.settings)
        trainings = _with_sources(comparison, trainings, stored)
        _check_values(comparison)
        folder.mkdir(parents=True, exist_ok=True)
        atomic_files.write_json(folder / "comparison.json", {"task": comparison.task.name})

        def finished(training: Training, how: str) -> None:
            before_first.close()  # the old comparison is no longer needed
            if how != "finished" or side_by_side:
                log.info("%s: %s", training, how)

        arguments = comparison.arguments
        side_by_side = arguments.jobs > 1 or arguments.on != "local"
        if arguments.on != "local":
            engines.on_engine(trainings, session, finished, None if _is_alone(comparison) else _plan(comparison))
        elif side_by_side:
            engines.in_threads(trainings, session, finished, arguments.jobs)
        else:
            train_unclaimed(trainings, session, finished=finished)
        check_finished(trainings, session)
    results: dict[str, list[dict]] = {}
    for training in trainings:
        results.setdefault(training.name, []).append(training.finished())
    rows = table.rows(comparison, results)
    table.write(rows, folder)
    (folder / "plots").mkdir(exist_ok=True)
    plots.quality_against_time(
        results, comparison.task.compared_metric.column, folder / "plots" / "quality_against_time.png"
    )
    plots.quality_against_parameters(rows, comparison.metric.name, folder / "plots" / "quality_against_parameters.png")
    return rows


def _with_sources(comparison: Comparison, trainings: list[Training], stored: list[dict]) -> list[Training]:
    """Check that all results are of the same data and initial weights; return the trainings with what these are."""
    sources: dict[tuple, dict] = {}
    known = []
    for training, result in zip(trainings, stored, strict=True):
        settings = training.settings
        group = (settings.data.model_dump_json(), settings.training.initial_run, pretrained.names_of(settings))
        if group not in sources:
            of_data = source_files.fingerprint(comparison.task.name, settings)
            sources[group] = of_data | initial_run.fingerprint(settings) | pretrained.fingerprint(settings)
        changed = source_files.changed(result.get("sources", sources[group]), sources[group])
        if changed is not None:
            raise UserError(
                f"{changed} has changed since {comparison.path} was trained on it. "
                "Name another folder with --run, or add --overwrite"
            )
        known.append(dataclasses.replace(training, sources=sources[group]))
    return known


def _check_values(comparison: Comparison) -> None:
    """Check that every network fits into the memory, and that every Keras value can be used."""
    unusual = []
    for settings in comparison.settings.values():
        if comparison.arguments.on == "local":  # other machines have another memory, and check it themselves
            required_memory.check(comparison.task, settings)
        if any([*changed_keras_values(settings.recurrent), *changed_keras_values(settings.network)]):
            unusual.append(settings.model_dump(mode="json"))
    if unusual:
        list(answers({"task": comparison.task.reference, "check": unusual}))


def _plan(comparison: Comparison) -> str:
    """Return a digest of what is compared, and how."""
    arguments = comparison.arguments.model_dump(mode="json", exclude=NOT_COMPARED)
    settings = {name: settings.model_dump(mode="json") for name, settings in comparison.settings.items()}
    return hashlib.sha256(json.dumps([arguments, settings]).encode()).hexdigest()
