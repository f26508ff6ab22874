"""What is checked before TensorFlow is imported, which takes seconds: the files and columns that a command reads."""

import contextlib
import logging
import os
import socket
from collections.abc import Iterator
from pathlib import Path

from tasks.arguments import EvaluateArguments, PredictArguments
from tasks.comparison.settings import Comparison
from tasks.data.locations import shown
from tasks.errors import UserError
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


def check_ray() -> None:
    """Check that the cluster of RAY_ADDRESS answers, if it names one: Ray itself tries for many minutes.

    Raises:
        UserError: If it does not.
    """
    address = os.environ.get("RAY_ADDRESS", "")
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host or not port.isdigit():
        return  # such as "auto" and "local"
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=10.0).close()
    except (OSError, OverflowError) as error:
        raise UserError(
            f"RAY_ADDRESS is {address}, and no cluster of Ray answers there ({error}); start one with "
            "ray start --head, or unset RAY_ADDRESS to use this machine"
        ) from None


def _check(task: Task, arguments: object, folder: Path | None) -> None:
    match arguments:
        case task.settings_class():
            task.check_source(arguments)
            if folder is not None:
                unlabelled.check(task, arguments, folder)
        case Comparison():
            if arguments.arguments.on == "ray":
                check_ray()
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
