"""Trains the variations of a comparison one after the other, and writes a table and plots.

runs/compare-TASK/
  comparison.json          marks the folder as a comparison
  VARIATION/seed-N/        the run
  VARIATION/seed-N.json    its figures
  VARIATION/budget.json    with --minutes: the number of steps that fit into them
  table.txt .csv .json     mean and spread of each variation
  plots/*.png              quality against time, and against the number of parameters
"""

import contextlib
import json
import logging
import math
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from models.recurrent_settings import Settings, changed_keras_values
from tasks import atomic_files
from tasks.comparison import plots, table
from tasks.comparison.settings import Comparison
from tasks.data.stored_files import read_json
from tasks.errors import TrainingFailed, UserError
from tasks.training import initial_run, locks, pretrained, required_memory, runs, source_files, stored_settings

log = logging.getLogger(__name__)

# With --minutes, steps over which a step is timed, after the same number of warm-up steps.
TIMED_STEPS = 50
# With --minutes, validations of a training.
VALIDATIONS = 6


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

    Returns:
        The table, a row for each variation; see `table.rows`.

    Raises:
        UserError: If the data cannot be used, or the folder contains something else, or a comparison with other
            settings, or another process writes to it.
        TrainingFailed: If the process of a training ended early; finished trainings are kept.
    """
    with locks.locked(comparison.path):
        return _compare(comparison)


def _compare(comparison: Comparison) -> list[dict]:
    folder = Path(comparison.path)
    marker = folder / "comparison.json"
    if atomic_files.swap_killed(folder) and not any(folder.glob("*/seed-*.json")):
        shutil.rmtree(folder, ignore_errors=True)  # killed before the first result: the old comparison comes back
    atomic_files.finish_swap(folder)
    atomic_files.remove_temporary(folder)
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir()) and not marker.exists()):
        raise UserError(f"{folder} is no comparison; name another folder with --run")
    planned = [
        (name, _with_training(settings, seed=settings.training.seed + number))
        for name, settings in comparison.settings.items()
        for number in range(comparison.arguments.seeds)
    ]
    results: dict[str, list[dict]] = {}
    with contextlib.ExitStack() as before_first:
        if comparison.arguments.overwrite:
            before_first.enter_context(atomic_files.put_aside(folder))
        # All are checked before the first training, which may take hours.
        stored = [_stored_result(comparison, name, settings) for name, settings in planned]
        for _, settings in planned:
            initial_run.check(comparison.task, settings)
            pretrained.check(settings)
        _check_sources(comparison, planned, stored)
        _check_values(comparison)
        folder.mkdir(parents=True, exist_ok=True)
        atomic_files.write_json(marker, {"task": comparison.task.name})
        for number, ((name, settings), known) in enumerate(zip(planned, stored, strict=True), start=1):
            result = _result(comparison, name, settings, known, f"run {number} of {len(planned)}")
            before_first.close()  # the old comparison is no longer needed
            results.setdefault(name, []).append(result)
    rows = table.rows(comparison, results)
    table.write(rows, folder)
    (folder / "plots").mkdir(exist_ok=True)
    plots.quality_against_time(
        results, comparison.task.compared_metric.column, folder / "plots" / "quality_against_time.png"
    )
    plots.quality_against_parameters(rows, comparison.metric.name, folder / "plots" / "quality_against_parameters.png")
    return rows


def _with_training(settings: Settings, **changes) -> Settings:
    dumped = settings.model_dump()
    dumped["training"] |= changes
    return type(settings).model_validate(dumped)


def _file(comparison: Comparison, name: str, settings: Settings) -> Path:
    return Path(comparison.path) / name / f"seed-{settings.training.seed}.json"


def _stored_result(comparison: Comparison, name: str, settings: Settings) -> dict:
    """Return what is stored of one run: what was asked for, and its figures as far as they are known."""
    asked = {"minutes": comparison.arguments.minutes, **settings.model_dump(mode="json")}
    result = _stored(_file(comparison, name, settings), {"asked": asked})
    difference = stored_settings.first_difference(result["asked"], asked)
    if difference:
        raise UserError(
            f"{comparison.path} holds a comparison with other settings: {difference}. "
            "Name another folder with --run, or add --overwrite"
        )
    return result


def _check_sources(comparison: Comparison, planned: list[tuple[str, Settings]], stored: list[dict]) -> None:
    """Check that all results are of the same data and initial weights; store with new ones what these are."""
    sources: dict[tuple, dict] = {}
    for (_, settings), result in zip(planned, stored, strict=True):
        group = (settings.data.model_dump_json(), settings.training.initial_run, pretrained.names_of(settings))
        if group not in sources:
            of_data = source_files.fingerprint(comparison.task.name, settings)
            sources[group] = of_data | initial_run.fingerprint(settings) | pretrained.fingerprint(settings)
        changed = source_files.changed(result.setdefault("sources", sources[group]), sources[group])
        if changed is not None:
            raise UserError(
                f"{changed} has changed since {comparison.path} was trained on it. "
                "Name another folder with --run, or add --overwrite"
            )


def _check_values(comparison: Comparison) -> None:
    """Check that every network fits into the memory, and that every Keras value can be used."""
    unusual = []
    for settings in comparison.settings.values():
        required_memory.check(comparison.task, settings)
        if any([*changed_keras_values(settings.recurrent), *changed_keras_values(settings.network)]):
            unusual.append(settings.model_dump(mode="json"))
    if unusual:
        list(_answers({"task": comparison.task.reference, "check": unusual}))


def _result(comparison: Comparison, name: str, settings: Settings, result: dict, which: str) -> dict:
    """Return the figures of one run; train or resume and evaluate it, unless they are complete.

    Args:
        comparison: The comparison.
        name: The name of the variation.
        settings: Its settings, with the seed of the run.
        result: From `_stored_result`.
        which: The number of the run, for the log.
    """
    file = _file(comparison, name, settings)
    minutes, split = comparison.arguments.minutes, comparison.arguments.split
    if "trained" in result and split in result.get("evaluated", {}):
        log.info("%s: %s, seed %d: finished before", which, name, settings.training.seed)
        return result
    log.info("%s: %s, seed %d", which, name, settings.training.seed)
    file.parent.mkdir(parents=True, exist_ok=True)
    if minutes is not None:
        settings = _within(comparison, minutes, settings, file.parent)
    job = {"task": comparison.task.reference, "settings": settings, "run": str(file.with_suffix("")), "evaluate": split}
    if "trained" not in result and runs.Run(job["run"]).finished:
        shutil.rmtree(job["run"])  # killed between training and answer: its cost is not known
    for answer in _answers(job):
        if "trained" in answer:
            result["trained"] = answer["trained"]
        else:
            result.setdefault("evaluated", {})[split] = answer["evaluated"]
        atomic_files.write_json(file, result)
    return result


def _within(comparison: Comparison, minutes: float, settings: Settings, folder: Path) -> Settings:
    """Return the settings with as many steps as fit into the minutes; timed once, and the same for each seed."""
    file = folder / "budget.json"
    asked = {"minutes": minutes, **_with_training(settings, seed=0).model_dump(mode="json")}
    budget = _stored(file, {})
    if budget.get("asked") != asked:
        log.info("timing %d steps", TIMED_STEPS)
        trial = folder / ".timing"
        shutil.rmtree(trial, ignore_errors=True)
        timed = _with_training(settings, epochs=2, steps_per_epoch=TIMED_STEPS)
        job = {"task": comparison.task.reference, "settings": timed, "run": str(trial), "evaluate": None}
        (answer,) = _answers(job)
        shutil.rmtree(trial)
        # Epoch 0 is the validation of a network that was fitted before: see `tasks.task_parts.Network.is_fitted`.
        epochs = [row for row in answer["trained"]["history"] if row["epoch"]]
        steps = None
        if not epochs and not answer["trained"]["diverged"]:
            log.info("%s: it is fitted before the training, which has no step", folder.name)
        elif len(epochs) < 2:
            # It will diverge again; another seed may not, and gets as few steps.
            steps = 2 * TIMED_STEPS
            log.warning("%s: its loss becomes NaN within %d steps, so it gets no more steps", folder.name, steps)
        else:
            steps = max(VALIDATIONS, round(60.0 * minutes * TIMED_STEPS / epochs[1]["seconds"]))
        budget = {"asked": asked, "steps": steps}
        atomic_files.write_json(file, budget)
    if budget["steps"] is None:
        return settings
    return _with_training(settings, epochs=VALIDATIONS, steps_per_epoch=math.ceil(budget["steps"] / VALIDATIONS))


def _answers(job: dict):
    """Yield the answers of the worker as they arrive."""
    sent = job | ({"settings": job["settings"].model_dump(mode="json")} if "settings" in job else {})
    command = [sys.executable, "-m", "tasks.comparison.worker"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8") as worker:
        worker.stdin.write(json.dumps(sent) + "\n")
        worker.stdin.flush()
        try:
            for line in worker.stdout:
                answer = json.loads(line)
                if "error" in answer:
                    raise UserError(answer["error"])
                if "failed" in answer:
                    raise TrainingFailed(answer["failed"])
                yield answer
        except KeyboardInterrupt:
            worker.terminate()  # it saves the step that it has reached
            worker.wait()
            raise
    if worker.returncode:
        why = ", killed by the system: was there too little memory?" if worker.returncode == -signal.SIGKILL else ""
        what = f"the training of {job['run']}" if "run" in job else "the check of the settings"
        raise TrainingFailed(
            f"{what} ended with exit code {worker.returncode}{why}; what is finished is kept, and the same command "
            "resumes"
        )


def _stored(file: Path, otherwise: dict) -> dict:
    if not file.exists():
        return otherwise
    remedy = "remove it to measure it again"
    stored = read_json(file, remedy)
    if not isinstance(stored, dict) or not isinstance(stored.get("asked"), dict):
        raise UserError(f"{file} is no result of a comparison; {remedy}")
    return stored
