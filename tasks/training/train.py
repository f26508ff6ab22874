"""Trains a network of any task in a run's folder, or resumes an interrupted training."""

import contextlib
import logging
import shlex
from collections.abc import Callable
from functools import partial
from pathlib import Path

from models.recurrent_settings import Settings
from tasks.atomic_files import check_is_local
from tasks.metrics import Metric
from tasks.task import Task, check_task
from tasks.task_parts import TrainingData
from tasks.training import (
    fit,
    initial_run,
    locks,
    prepared,
    pretrained,
    process_state,
    reopening,
    required_memory,
    runs,
    source_files,
    unlabelled,
)
from tasks.training.checkpoint import load_initial_weights
from tasks.training.one_process import ONE_PROCESS, OneProcess
from tasks.training.runs import Run
from tasks.training.workers import versions

log = logging.getLogger(__name__)


def train(
    task: Task,
    settings: Settings,
    run: Path | str,
    *,
    overwrite: bool = False,
    reopen: bool = False,
    verbose: int = 1,
    processes: int | None = None,
    workers: OneProcess = ONE_PROCESS,
) -> Run:
    """Train a network in the folder `run`.

    Args:
        task: The task.
        settings: Its settings.
        run: A new folder, or the folder of the same training, interrupted, which is then resumed.
        overwrite: Whether the new run replaces a finished one, which stays until the new one is finished.
        reopen: Whether a finished run of the same settings and data is returned as it is; one of others is replaced. A
            cell of a notebook then trains once, and again if its settings change.
        verbose: 0 for no output, 2 for a line for each epoch, 1 for a progress bar as well, where one can be drawn.
        processes: Maximum number of processes that prepare the data; None is the number of cores. The run does not
            depend on it.
        workers: The processes that train together, from `tasks.training.workers.connect`; all of them call this
            function with the same arguments.

    Returns:
        The finished run.

    Raises:
        UserError: If the task, the settings, the data, the folder or the initial run cannot be used, if another process
            trains in the folder, if another thread of this process trains, or if workers differ in settings or
            versions.
        TrainingFailed: If another worker was lost.
        TrainingDiverged: If the loss became NaN; the run is finished with the last good weights.

    Example:
        >>> from tasks.sentiment.settings import SentimentSettings
        >>> from tasks.sentiment.task import SENTIMENT
        >>> settings = SentimentSettings(data={"data": "reviews.csv"}, training={"epochs": 1}, recurrent={"units": 8})
        >>> run = train(SENTIMENT, settings, "runs/new", verbose=0)
        >>> run.path.name
        'new'
    """
    check_task(task, settings)
    check_is_local(run)
    if reopen and not overwrite:
        asked = unlabelled.planned(settings, run)
        files = source_files.fingerprint(task.name, asked) | reopening.weights_before(asked)
        if reopening.is_trained(Run(run), task.name, asked, files):
            if verbose:
                print(f"{run} is trained already, with the same settings and data: opened")
            return Run(run)
    with process_state.trains(run), workers.explained(run):
        workers.check_equal(
            settings={"task": task.name, "run": str(run), "overwrite": overwrite or reopen}
            | settings.model_dump(mode="json"),
            versions=versions(),
        )
        finished, monitor, settings = _train(
            task,
            settings,
            run,
            overwrite=overwrite or reopen,
            verbose=verbose,
            processes=processes,
            workers=workers,
        )
    log.info("%s", closing_report(task, finished, monitor, task.example_arguments(settings)))
    return finished


def _train(
    task: Task,
    settings: Settings,
    run: Path | str,
    *,
    overwrite: bool,
    verbose: int,
    processes: int | None,
    workers: OneProcess,
    before_training: Callable[[Settings, TrainingData, Run], None] | None = None,
) -> tuple[Run, Metric, Settings]:
    """Train a network; see `train`. `before_training` is called when the data are prepared.

    Returns:
        The finished run, the metric that selected its weights, and the settings in force.
    """
    settings = unlabelled.planned(settings, run)
    task.check(settings)
    initial_run.check(task, settings, run)
    unlabelled.check(task, settings, run)
    pretrained.check(settings, run)
    required_memory.check(task, settings)
    fit.check_cudnn(settings.recurrent)
    fit.check_keras_values(settings.recurrent, settings.network)
    with contextlib.ExitStack() as stack:

        def begin() -> str:
            stack.enter_context(locks.locked(run))
            return str(runs.begin(run, task.name, settings, overwrite=overwrite).path)

        folder = Run(workers.first_alone(begin))
        options = {"overwrite": overwrite, "processes": processes}
        train_language_model = partial(_language_model, **options, verbose=verbose, workers=workers)
        unlabelled.train(task, settings, folder, train_language_model, is_first=workers.is_first)
        settings = _prepared(task, settings, folder, workers, **options)
        data = task.open_data(settings, folder)
        required_memory.check(task, settings, data)
        if before_training is not None:
            workers.first_alone(lambda: before_training(settings, data, folder))
        with process_state.seeding(), fit.explained_memory(settings.training):
            fit.set_up(settings.training)
            network = task.build(settings, data, folder)
        load_initial_weights(network.model, folder)
        log.info("%s", data.summary)
        fit.log_cost(network.model, settings.recurrent, data)
        monitor = next(metric for metric in task.validation_metrics if metric.name == settings.training.monitor)

        def complete() -> None:
            nonlocal settings
            settings = task.complete(settings, prepared.asked(task, folder), data, folder)
            folder.write_settings(task.name, settings)
            reopening.record(folder, reopening.weights_before(settings))

        finishing = runs.finishing(folder, run) if workers.is_first else contextlib.nullcontext()
        with finishing, fit.explained_memory(settings.training):
            fit.fit(network, data, settings.training, folder, monitor=monitor, verbose=verbose, workers=workers)
            workers.first_alone(complete)
    workers.shared(True)  # the run is finished
    return Run(run), monitor, settings


def _prepared(task: Task, settings: Settings, folder: Run, workers: OneProcess, **options) -> Settings:
    """Prepare the data in the first worker; return the settings in force."""
    in_force = []
    workers.first_alone(lambda: in_force.append(prepared.prepare(task, settings, folder, **options)))
    if in_force:
        return in_force[0]
    workers.wait_for(folder.prepared_marker)
    return folder.settings(task.settings_class)


def _language_model(*arguments, **named) -> None:
    """Train the language model that a classifier begins with; the commands that come next are of the classifier."""
    finished, monitor, _ = _train(*arguments, **named)
    log.info("%s: %s", finished.path, kept_weights(finished, monitor))


def closing_report(task: Task, run: Run, monitor: Metric, example: str = '"A TEXT"') -> str:
    """Return which epoch a finished training kept, and why, and the commands that come next.

    Args:
        task: The task.
        run: The run, with a history.
        monitor: The validation metric that selected the weights.
        example: Arguments of the command that answers texts.
    """
    command = f"  python -m tasks.{task.name}"
    place = f"--run {shlex.quote(str(run.path))}"
    commands = [f"{command} {name} {place}" for name in ("evaluate", f"{task.predict_command} {example}", "export")]
    return "\n".join([kept_weights(run, monitor), "next:", *commands])


def kept_weights(run: Run, monitor: Metric) -> str:
    """Return which epoch a finished training kept, and why; see `closing_report`."""
    column, history = monitor.column, run.history()
    epoch = monitor.best_epoch(history)
    kept = f"kept the weights of epoch {epoch} of {history[-1]['epoch']:g}"
    if not epoch:
        kept = "kept the weights that were fitted before the training"
    measured = [(int(row["epoch"]), row[column]) for row in history if row[column] is not None]
    if measured:
        best = monitor.best(value for _, value in measured)
        kept += f", with the {'highest' if monitor.higher_is_better else 'lowest'} {column}, {best:.4g}"
        better, worse = ("rising", "fall") if monitor.higher_is_better else ("falling", "rise")
        last, value = measured[-1]
        if len(history) > 1 and epoch == last:
            kept += f"; it was still {better}, so more epochs may help (--epochs)"
        elif f"{value:.4g}" != f"{best:.4g}":
            kept += f"; it had started to {worse}, to {value:.4g} at epoch {last}"
        elif len(measured) > 1:
            kept += f"; it was {value:.4g} at epoch {last}"
    return kept
