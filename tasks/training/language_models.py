"""The settings of the language models that a classifier begins with, if they are trained with it; see `unlabelled`.

They are those of a recipe; what determines the shapes of the weights, such as `units`, is that of the classifier.
Imports no TensorFlow.
"""

import contextlib
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pydantic

from models.recurrent_settings import Settings
from tasks.atomic_files import expanded
from tasks.data import locations
from tasks.errors import UserError
from tasks.file_options import DELIMITED
from tasks.in_memory import InMemory
from tasks.references import find
from tasks.task import Task
from tasks.training import pretrained
from tasks.training.runs import Run
from tasks.training.source_files import SAMPLES

# By name: the shared rooms import no task.
LANGUAGE_MODELS = "tasks.chargen.task:CHARGEN"
RECIPE = Path(__file__).parents[1] / "chargen" / "recipes" / "pieces.toml"
# Splits that are trained on if none are named: these, where a source has them.
SPLITS = ("train", "unsupervised")
# Options of the language model -> those of the classifier that stand for them, in messages.
OPTIONS = {
    "--text-column": "--unlabelled-column",
    "text_column": "unlabelled_column",
    "--splits": "--unlabelled-splits",
    "--data": "--unlabelled",
}


class PlannedModel(NamedTuple):
    """A language model that a classifier begins with.

    Attributes:
        name: Its folder.
        run: Its run, which may not exist yet.
        settings: The settings that it is trained with.
    """

    name: str
    run: Run
    settings: Settings


def names_of(settings: Settings) -> list[str]:
    """Return the names of the language models; the settings are from `planned`."""
    return pretrained.split_names(settings.training.pretrained)


def planned_models(task: Task, settings: Settings, *, with_splits: bool) -> list[PlannedModel]:
    """Return the language models of a classifier, the forward one first.

    Args:
        task: The task of the classifier.
        settings: Its settings, from `planned`.
        with_splits: Whether a data set of TensorFlow Datasets is opened for the names of its splits.
    """
    names = names_of(settings)
    directions = [False, True] if len(names) == 2 else [settings.recurrent.go_backwards]
    runs = [Run(expanded(name)) for name in names]
    data = {"data": settings.training.unlabelled}
    if isinstance(settings.training.unlabelled, InMemory) or not all(run.finished for run in runs):
        data = _data(task, settings, with_splits=with_splits)
    return [
        PlannedModel(name, run, _language_model(settings, data, backwards))
        for name, run, backwards in zip(names, runs, directions, strict=True)
    ]


def _language_model(settings: Settings, data: dict[str, Any], go_backwards: bool) -> Settings:
    """Return the settings of a language model with the structure of a classifier."""
    groups, training = _recipe(), settings.training
    groups["data"] = data
    for group, names in pretrained.STRUCTURE_OF.items():
        groups[group] = groups.get(group, {}) | {name: getattr(getattr(settings, group), name) for name in names}
    groups["recurrent"]["go_backwards"] = go_backwards
    of_training = {name: getattr(training, name) for name in ("seed", "precision", "checkpoint_minutes")}
    groups["training"] |= of_training | {"epochs": training.lm_epochs or "auto"}
    try:
        return find(LANGUAGE_MODELS).settings_class.model_validate(groups)
    except pydantic.ValidationError as error:
        reason = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise UserError(f"--unlabelled {locations.shown(training.unlabelled)}: {reason}") from None


def _recipe() -> dict[str, Any]:
    return tomllib.loads(RECIPE.read_text(encoding="utf-8"))


def structure_of_recipe() -> dict[str, dict[str, Any]]:
    """Return the settings that a language model of the recipe determines: {group: {setting: value}}."""
    task = find(LANGUAGE_MODELS)
    settings, _ = task.resolve(task.settings_class.model_validate(_recipe()))
    return pretrained.settings_of(settings.model_dump())[1]


def _data(task: Task, settings: Settings, *, with_splits: bool) -> dict[str, Any]:
    """Return where a language model finds the texts: the settings of its group `data`.

    Each row of a table or of a data set is a text, and each line of another file. The column is the one that is named,
    or that of the labelled texts, or `text`.

    Args:
        task: The task of the classifier.
        settings: Its settings.
        with_splits: Whether a data set of TensorFlow Datasets is opened for the names of its splits.
    """
    from tasks.data.documents import open_documents  # imports NumPy

    training, labelled = settings.training, settings.data
    location, splits, column = training.unlabelled, training.unlabelled_splits, training.unlabelled_column
    sample = SAMPLES / task.name
    found = {"data": str(sample) if location == "sample" else location, "skip_bad_rows": labelled.skip_bad_rows}
    of_files = location != "sample" and not isinstance(location, InMemory)
    found |= {"test_fraction": 0.0, "encoding": labelled.encoding if of_files else None}
    is_data_set = isinstance(location, str) and location.startswith("tfds:")
    if is_data_set:
        if column is None and isinstance(labelled.data, str) and labelled.data.startswith("tfds:"):
            column = labelled.text_column
        if not with_splits:
            return found | {"text_column": column}
        candidates = [column]
    else:
        with own_options():
            files = [] if isinstance(location, InMemory) else locations.expand(location)
        files = [name.lower().removesuffix(".gz") for name in files]
        if files and all(name.endswith((*(f".{kind}" for kind in DELIMITED), ".txt")) for name in files):
            found |= {"delimiter": labelled.delimiter, "header": labelled.header}
        candidates = _columns(settings)
    options = type(labelled).model_validate({name: found[name] for name in found if name != "test_fraction"})
    with own_options():
        for number, column in enumerate(candidates):
            try:
                documents = open_documents(location, column, sample=sample, options=options)
                break
            except UserError:
                if number == len(candidates) - 1:
                    raise
    if not documents.has_rows:
        lines = {name: value for name, value in found.items() if name not in ("delimiter", "header")}
        return lines | {"records": "lines"}
    if splits is None:
        splits = "+".join(name for name in SPLITS if name in documents.readers) or SPLITS[0]
    return found | {"text_column": column or (None if is_data_set else "text"), "splits": splits}


def _columns(settings: Settings) -> list[str | None]:
    """Return the columns of a table that may have the texts, the first one first; None if each line may be one."""
    column = settings.training.unlabelled_column
    return [column] if column is not None else [settings.data.text_column or "text", None]


def column_in_memory(settings: Settings) -> InMemory:
    """Return texts in memory without the columns that are not read, so that these may change."""
    texts = settings.training.unlabelled
    column = next((name for name in _columns(settings) if name in (texts.names or ())), "text")
    return texts.only(column)


@contextlib.contextmanager
def own_options() -> Iterator[None]:
    """Name the options of the classifier in messages about the texts without labels."""
    try:
        yield
    except UserError as error:
        message = str(error)
        for option, own in OPTIONS.items():
            message = re.sub(rf"{option}(?![\w-])", own, message)
        raise UserError(message if "--unlabelled" in message else f"--unlabelled: {message}") from None
