"""Trains a network of any task in a run's folder, or resumes an interrupted training."""

import logging
from pathlib import Path

from models.recurrent_settings import Settings
from tasks.task import Task
from tasks.training import fit, runs
from tasks.training.runs import Run

log = logging.getLogger(__name__)


def train(task: Task, settings: Settings, run: Path | str, *, overwrite: bool = False, verbose: int = 1) -> Run:
    """Train a network in the folder `run`.

    Args:
        task: The task.
        settings: Its settings.
        run: A new folder, or the folder of the same training, interrupted, which is then resumed.
        overwrite: Whether the new run replaces a finished one, which stays until the new one is finished.
        verbose: As for Keras: 0 silent, 1 a progress bar, 2 a line per epoch.

    Returns:
        The finished run.

    Raises:
        UserError: If the data or the folder cannot be used.
        TrainingDiverged: If the loss became NaN; the run is finished with the last good weights.

    Example:
        ```python
        from tasks.sentiment.settings import SentimentSettings
        from tasks.sentiment.task import SENTIMENT

        run = train(SENTIMENT, SentimentSettings(training={"epochs": 3}), "runs/mine")
        ```
    """
    task.check(settings)
    folder = runs.begin(run, task.name, settings, overwrite=overwrite)
    if not folder.prepared:
        task.prepare(settings, folder)
        folder.mark_prepared()
    data = task.open_data(settings, folder)
    fit.set_up(settings.training)
    with fit.explained_cudnn():
        network = task.build(settings, data, folder)
    log.info("%s", data.summary)
    fit.log_cost(network.model, settings.recurrent, data)
    monitor = next(metric for metric in task.validation_metrics if metric.name == settings.training.monitor)
    with runs.finishing(folder, run):
        fit.fit(network, data, settings.training, folder, monitor=monitor, verbose=verbose)
    return Run(run)
