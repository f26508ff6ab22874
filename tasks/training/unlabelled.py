"""Texts without labels (`--unlabelled`): language models are trained on them, and a classifier begins with these.

RUN-lm/, RUN-lm-backward/     the language models of a run, unless `--pretrained` names others

Each is an ordinary run, with which other classifiers can begin too. A finished one is not trained again. Imports no
TensorFlow.
"""

import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from models.network_sizes import stack_parameters
from models.recurrent_settings import Settings
from tasks.atomic_files import expanded
from tasks.data import locations
from tasks.errors import TrainingDiverged, TrainingFailed, UserError
from tasks.in_memory import InMemory
from tasks.references import find
from tasks.task import Task
from tasks.training import pretrained, reopening, source_files
from tasks.training.language_models import (
    LANGUAGE_MODELS,
    PlannedModel,
    column_in_memory,
    names_of,
    own_options,
    planned_models,
    structure_of_recipe,
)
from tasks.training.runs import Run

log = logging.getLogger(__name__)

# Weights that two CPU cores train per second: with the settings of the recipe, 13,000 pieces of 2.0 million weights.
WEIGHTS_PER_SECOND = 26e9


def is_asked(settings: Settings) -> bool:
    """Return whether the settings of a training name texts without labels."""
    return getattr(settings.training, "unlabelled", None) is not None


def defaults(names: str | None, path: Path | str | None) -> dict[str, dict[str, Any]]:
    """Return the settings that a classifier has unless others are given: {group: {setting: value}}.

    Args:
        names: The value of `--pretrained`; None if it is not given.
        path: The folder to train in.
    """
    runs = pretrained.split_names(names) if names else _default_names(path)
    structure = pretrained.structure_of(runs, path) or structure_of_recipe()
    directions = {"bidirectional": names is not None and len(runs) == 2, "go_backwards": False}
    training = {} if names is None else {"training": {"pretrained": names}}
    return {**structure, "recurrent": structure["recurrent"] | directions, **training}


def planned(settings: Settings, path: Path | str) -> Settings:
    """Return settings that name the language models, and have their units and other sizes.

    Args:
        settings: The settings of the classifier, as they are given.
        path: The folder to train in.

    Raises:
        UserError: If the names do not fit the directions.
    """
    if not is_asked(settings):
        return settings
    if isinstance(settings.training.unlabelled, InMemory):
        training = settings.training.model_copy(update={"unlabelled": column_in_memory(settings)})
        settings = settings.model_copy(update={"training": training})
    if not settings.network.separate_directions:  # not from the command line, where the defaults are others
        dumped = settings.model_dump()
        for group, values in defaults(settings.training.pretrained, path).items():
            asked = getattr(settings, group)
            given = {name for name in asked.model_fields_set if getattr(asked, name) != "auto"}
            dumped[group] |= {name: value for name, value in values.items() if name not in given}
        settings = type(settings).model_validate(dumped)
    count, names = 1 + settings.recurrent.bidirectional, settings.training.pretrained
    if names is None:
        default = _default_names(path)
        names = ",".join(default if count == 2 else default[1:] if settings.recurrent.go_backwards else default[:1])
        if names.count(",") >= count:
            raise UserError(f"--run {path}: names of language models have no comma in them; name another folder")
        training = settings.training.model_copy(update={"pretrained": names})
        return settings.model_copy(update={"training": training})
    if len(pretrained.split_names(names)) != count:
        raise UserError(
            f"--pretrained {names}: name {'two runs, RUN,RUN' if count == 2 else 'one run'}, or "
            f"{'leave out --bidirectional' if count == 2 else 'add --bidirectional'}"
        )
    return settings


def check(task: Task, settings: Settings, path: Path | str) -> None:
    """Check the texts without labels, as far as that is possible without reading them.

    Args:
        task: The task of the classifier.
        settings: Its settings, from `planned`.
        path: The folder to train in.

    Raises:
        UserError: If they do not exist or cannot be read, or a finished language model was trained on others.
    """
    if not is_asked(settings):
        return
    if pretrained.copied(settings, path):
        copies = pretrained.copies(Run(path)) or pretrained.copies(Run(path).replacement)
        for name, copied in zip(names_of(settings), copies.values(), strict=False):
            remedy = f"to train on the texts as they are now, remove {path} and {name}"
            _check_unchanged(settings, copied, name, remedy)
        return
    for model in planned_models(task, settings, with_splits=False):
        if model.run.finished:
            _check_texts(model, settings)
        else:
            with own_options():
                find(LANGUAGE_MODELS).check_source(model.settings)


def check_trained(settings: Settings) -> None:
    """Raise `UserError` if a language model is still to be trained: a comparison trains none."""
    if is_asked(settings) and not all(Run(expanded(name)).finished for name in names_of(settings)):
        raise UserError(
            f"--unlabelled {locations.shown(settings.training.unlabelled)}: a comparison trains no language model; "
            f"train one with python -m tasks.{pretrained.TASK} train, and name it with --pretrained"
        )


def train(task: Task, settings: Settings, run: Run, train_model: Callable, *, is_first: bool = True) -> None:
    """Train the language models that are not finished.

    Args:
        task: The task of the classifier.
        settings: Its settings, from `planned`.
        run: Its run, which may have copies of the language models already.
        train_model: Trains one: a function of task, settings, folder and `before_training`, which is a function of
            settings, data and run, called when the data are prepared.
        is_first: Whether this process writes the runs, if several workers train them.

    Raises:
        UserError: If the texts cannot be used.
        TrainingFailed: If the loss of a language model became NaN.
    """
    if not is_asked(settings) or pretrained.copied(settings, run.path):
        return
    warned = False  # the texts of both directions are the same
    models = planned_models(task, settings, with_splits=True)
    for number, model in enumerate(models):
        for other in models[:number]:  # its training may have taken hours
            _check_texts(other, settings)
        if model.run.finished:
            _check_texts(model, settings)
            log.info("the language model %s is finished, and is used as it is", model.name)
            _warn_of_epochs(model, settings)
            continue

        def announce(lm_settings: Settings, data, lm_run: Run, model=model, warned=warned) -> None:
            log.info("%s", _cost(model.name, lm_settings, data))
            if not warned:
                _warn(task, settings, model.name, lm_run)

        try:
            with own_options():
                train_model(find(LANGUAGE_MODELS), model.settings, model.run.path, before_training=announce)
            warned = True
        except TrainingDiverged:
            if is_first:
                shutil.rmtree(model.run.path)  # it counts as finished, and would be used by the same command
            raise TrainingFailed(
                f"the loss of the language model {model.name} became NaN, so it is removed; train one by itself with a "
                f"lower --learning-rate, python -m tasks.{pretrained.TASK} train, and name it with --pretrained"
            ) from None


def _warn(task: Task, settings: Settings, name: str, run: Run) -> None:
    """Warn, before a long training, of texts that do not fit."""
    from tasks.training import pretrained_texts  # imports NumPy

    pretrained_texts.warn_of_test_texts(task, settings, {name: run})
    pretrained_texts.warn_of_unknown_pieces(task, settings, name, run)


def _cost(name: str, settings: Settings, data) -> str:
    """Return a line: what is trained, and what it costs."""
    recurrent, training, size = settings.recurrent, settings.training, settings.network.embedding_size
    epoch = training.steps_per_epoch or data.steps_per_pass
    pieces = round(data.tokens_per_pass * training.epochs * epoch / data.steps_per_pass)
    vocabulary = len(data.characters)
    projection = 0 if recurrent.units == size else recurrent.units * size
    weights = stack_parameters(recurrent, size) + projection + (training.softmax_samples or vocabulary) * size
    minutes = max(1, round(pieces * weights / WEIGHTS_PER_SECOND / 60))
    layers = f"{recurrent.layers} layers of " * (recurrent.layers > 1)
    return (
        f"first a language model is trained on texts without labels, {name}: {recurrent.cell}, {layers}"
        f"{recurrent.units} units, {'backward' if recurrent.go_backwards else 'forward'}, {vocabulary:,} pieces; it "
        f"reads {pieces:,} pieces in {training.epochs * epoch:,} steps, about {minutes:,} min on two CPU cores"
    )


def _default_names(path: Path | str | None) -> list[str]:
    """Return the names of the language models of a run, the forward one first."""
    return [] if path is None else [f"{Path(path)}-lm", f"{Path(path)}-lm-backward"]


def _check_texts(model: PlannedModel, settings: Settings) -> None:
    """Raise `UserError` if a finished language model was trained on other texts."""
    stored, training = model.run.stored().get("data", {}), settings.training
    for option, now, before in (
        ("unlabelled-column", training.unlabelled_column, stored.get("text_column")),
        ("unlabelled-splits", training.unlabelled_splits, stored.get("splits")),
    ):
        if now not in (None, before) and stored.get("records") != "lines":
            raise UserError(
                f"--{option} {now}: the language model {model.name} is finished, and was trained on {before}; "
                f"leave out --{option}, or name another folder with --pretrained"
            )
    before, now = stored.get("data"), model.settings.data.model_dump(mode="json")["data"]
    if before != now and settings.training.unlabelled != "sample":
        raise UserError(
            f"--unlabelled {locations.shown(now)}: the language model {model.name} is finished, and was trained on "
            f"{locations.shown(before or 'other texts')}; leave out --unlabelled, or name another folder with "
            "--pretrained"
        )

    if before == now:
        use = f"leave out --unlabelled and name it with --pretrained {settings.training.pretrained}"
        remedy = f"to train on the texts as they are now, remove {model.name}; to begin with it as it is, {use}"
        _check_unchanged(settings, model.run, model.name, remedy)


def _check_unchanged(settings: Settings, run: Run, name: str, remedy: str) -> None:
    """Raise `UserError` if a file of the texts has changed since a finished language model was trained on them."""
    texts = settings.training.unlabelled
    if isinstance(texts, InMemory) or texts == "sample":
        return
    files = source_files.fingerprint_of_data(pretrained.TASK, {"data": texts})
    changed = reopening.changed_file(run, files) if files else None  # texts that are gone are not needed any more
    if changed is not None:
        raise UserError(
            f"--unlabelled {locations.shown(texts)}: {changed} has changed since the language model {name} was "
            f"trained;\n{remedy}"
        )


def _warn_of_epochs(model: PlannedModel, settings: Settings) -> None:
    """Warn if a finished language model was trained for another number of epochs than is asked for."""
    now, before = settings.training.lm_epochs, model.run.stored().get("training", {}).get("epochs")
    if now not in (None, before):
        log.warning(
            "--lm-epochs %s has no effect: the language model %s was trained with --epochs %s; to train another one, "
            "name another folder with --pretrained",
            *(now, model.name, before),
        )
