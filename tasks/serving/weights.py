"""Opens the network of a run, whatever signal comes meanwhile."""

import contextlib
from collections.abc import Mapping
from typing import Any

from models.recurrent_settings import Settings
from tasks.data.stored_files import reading
from tasks.predictor import Predictor
from tasks.task import Task
from tasks.training.checkpoint import load_model
from tasks.training.runs import Run
from tasks.training.signals import DeferredSignals


def load_weights(task: Task, folder: Run, settings: Settings, overrides: Mapping[str, Any] | None = None) -> Predictor:
    """Load the weights of a run that was opened with these settings.

    Args:
        task: The task.
        folder: The run.
        settings: Its settings.
        overrides: Settings of inference that differ from those of the run.

    Raises:
        UserError: If files of the run are damaged or do not fit each other, or an override is invalid.
    """
    with uninterrupted():
        model = load_model(folder)
        with reading(folder.path, "train the run again with --overwrite", "has files that do not fit each other"):
            return task.from_run(folder, settings, model, overrides or {})


def uninterrupted(until: str = "the model is open") -> contextlib.AbstractContextManager:
    """Keep an interrupt while graphs are built.

    TensorFlow's C++ code calls Python code then, and drops its exceptions or replaces them.

    Args:
        until: When the interrupt takes effect, for the message on standard error.
    """
    return DeferredSignals(f"this ends when {until}").deferred()
