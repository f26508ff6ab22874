"""What is checked before TensorFlow is imported, which takes seconds: the files and columns that a command reads."""

import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path

from tasks.arguments import EvaluateArguments, PredictArguments
from tasks.comparison.settings import Comparison
from tasks.data.locations import shown
from tasks.serving import text_io
from tasks.serving.shards import output_folder
from tasks.task import Task
from tasks.training import unlabelled
from tasks.training.runs import Run


def check_files(task: Task, arguments: object, folder: Path | None = None) -> None:
    """Check that the files of a command exist and have the columns that it reads.

    Args:
        task: The task.
        arguments: Those of the command, or the settings of a training.
        folder: The folder of the training.

    Raises:
        UserError: If they do not.
    """
    with _without_messages():  # the command opens the same files again, and reports what it finds
        _check(task, arguments, folder)


def _check(task: Task, arguments: object, folder: Path | None) -> None:
    match arguments:
        case task.settings_class():
            task.check_source(arguments)
            if folder is not None:
                unlabelled.check(task, arguments, folder)
        case Comparison():
            checked = []
            for settings in arguments.settings.values():
                if settings.data not in checked:  # most variations read the same data
                    task.check_source(settings)
                    checked.append(settings.data)
        case EvaluateArguments(data=str() | tuple() as location) if not shown(location).startswith("tfds:"):
            settings = Run(arguments.run).open_settings(task.name, task.settings_class)
            task.open_evaluation_source(settings, arguments)
        case PredictArguments(sharded=True):
            output_folder.check(arguments)
        case PredictArguments(input=str()):
            location, columns = arguments.input, arguments.kept
            kind = text_io.kind_of_input(arguments, location)
            text_io.check_input(location, kind, arguments.text_column, arguments, columns)


@contextlib.contextmanager
def _without_messages() -> Iterator[None]:
    disabled = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(disabled)
