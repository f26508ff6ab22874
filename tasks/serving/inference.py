"""Opens a run or an exported model of any task for inference."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pydantic
import tensorflow as tf

from models.recurrent_settings import Settings
from tasks.arguments import PredictArguments
from tasks.atomic_files import expanded
from tasks.data.stored_files import Checksum, checksums, read_json, reading, verify
from tasks.errors import UserError
from tasks.predictor import Predictor
from tasks.serving import file_operations
from tasks.serving.export import CHECKSUMS, is_exported, version_folder
from tasks.serving.weights import load_weights, uninterrupted
from tasks.task import Task
from tasks.training.runs import Run
from tasks.training.stored_settings import read_exported_settings
from tasks.validation import describe_validation_error


def load(task: Task, path: Path | str, *, trust: bool = False, **overrides: Any) -> Predictor:
    """Open a run or an exported model; `load` of `tasks.sentiment`, `tasks.chargen` and `tasks.translation` calls it.

    Args:
        task: The task.
        path: The folder of a run, whose best weights so far are used while it is training; or saved_models/NAME for
            the newest version of an export, or a version's folder.
        trust: Whether to load an exported model whose graph has operations on files; see `file_operations`.
        **overrides: Settings of inference that differ from those of the run, such as `beam_size`.

    Raises:
        UserError: If the folder is neither, or belongs to another task, or a setting is invalid.

    Example:
        >>> from tasks.sentiment.task import SENTIMENT
        >>> classify = load(SENTIMENT, "runs/mine")
        >>> 0.5 <= classify("The plot was dull.")["probability"] <= 1.0
        True
    """
    folder = expanded(path)
    if Run(folder).settings_file.exists() or not folder.is_dir():
        return load_run(task, folder, overrides)
    if not is_exported(folder):
        raise UserError(
            f"{folder} is neither a run nor an exported model; name a folder that train has written, or "
            "saved_models/NAME"
        )
    return load_export(task, folder, overrides, trust)


def load_named(task: Task, arguments: PredictArguments) -> Predictor:
    """Open the run or the exported model that a command names; see `load`."""
    if arguments.run is not None:
        return load_run(task, arguments.run, arguments.overrides)
    return load_export(task, arguments.model, arguments.overrides, arguments.trust)


def dependencies(arguments: PredictArguments) -> dict[str, Checksum]:
    """Return the checksums of the files of the run or the exported model that a command names."""
    if arguments.run is not None:
        run = Run(arguments.run)
        return checksums(run.path, [run.settings_file, run.model_file, *run.vocabulary.glob("*")])
    folder = version_folder(Path(arguments.model))
    return checksums(folder, [path for path in folder.rglob("*") if path.name != "evaluation.json"])


def load_run(task: Task, run: Path | str, overrides: Mapping[str, Any] | None = None) -> Predictor:
    """Open a run, which may still be training; see `load`."""
    folder = Run(run)
    return load_weights(task, folder, folder.open_trained(task.name, task.settings_class), overrides)


def load_export(
    task: Task, path: Path | str, overrides: Mapping[str, Any] | None = None, trust: bool = False
) -> Predictor:
    """Open an exported model; see `load`."""
    folder = version_folder(Path(path))
    extra = folder / "assets.extra"
    settings = read_exported_settings(extra / "settings.json", task.name, task.settings_class)
    remedy = "export the run again"
    if (folder / CHECKSUMS).exists():  # earlier versions of this project did not write it
        expected = read_json(folder / CHECKSUMS, remedy)
        if not isinstance(expected, dict) or not expected:
            raise UserError(f"{folder / CHECKSUMS} is damaged: it names no files; {remedy}")
        verify(folder, expected, remedy)
    if not trust:
        file_operations.check(folder)
    with uninterrupted(), reading(folder, remedy):
        return task.from_export(tf.saved_model.load(folder), settings, extra, overrides or {})


def override_groups(
    settings: Settings, changes: Mapping[str, Any], group: str, other: str
) -> tuple[Settings, Settings]:
    """Return two groups of settings, each with the changes that belong to it.

    Raises:
        UserError: If a change is invalid or belongs to neither; names the option.
    """
    first, second = getattr(settings, group), getattr(settings, other)
    of_second = {name: value for name, value in changes.items() if name in type(second).model_fields}
    of_first = {name: value for name, value in changes.items() if name not in of_second}
    return override(first, of_first), override(second, of_second)


def override(settings: Settings, changes: Mapping[str, Any]) -> Settings:
    """Return a group of settings with some of them changed.

    Raises:
        UserError: If a change is invalid; names the option.
    """
    try:
        return type(settings).model_validate(settings.model_dump() | dict(changes))
    except pydantic.ValidationError as error:
        raise UserError(describe_validation_error(error, option=True)) from None
