"""Language models that a classifier begins with (`--pretrained`): checked, and copied when the training begins.

checkpoint/pretrained/
  forward/, backward/     settings.json, vocabulary/, model.keras, training_texts.npz and lsa.npz of the language model
                          of each direction

From then on the training does not depend on the other runs, which may be changed or removed. Imports no TensorFlow.
"""

import contextlib
from pathlib import Path
from typing import Any, NamedTuple

import pydantic

from models.network_settings import LanguageModelSettings
from models.recurrent_settings import RecurrentSettings, Settings
from tasks import atomic_files
from tasks.atomic_files import expanded
from tasks.comma_lists import split
from tasks.errors import UserError
from tasks.settings import VocabularySettings
from tasks.training import run_copies, source_files
from tasks.training.runs import Run

# The task whose runs are language models.
TASK = "chargen"
# What the weights of a stack need.
STRUCTURE = ("cell", "layers", "units", "activation", "recurrent_activation", "use_bias", "reset_after")
# The settings that a classifier shares with its language models.
STRUCTURE_OF = {
    "vocabulary": tuple(VocabularySettings.model_fields),
    "network": ("embedding_size", "residual"),
    "recurrent": STRUCTURE,
}
VOCABULARY_FILE = "sentencepiece.model"


class LanguageModelRun(NamedTuple):
    """The run of a language model.

    Attributes:
        name: Its folder, as it was given.
        run: The run, or the copy of it.
        direction: "forward" or "backward".
        settings: {group: {setting: value}}, of a classifier that reads with it.
    """

    name: str
    run: Run
    direction: str
    settings: dict[str, dict[str, Any]]


def names_of(settings: Settings) -> str | None:
    """Return the value of `--pretrained`; None for a task without it."""
    return getattr(settings.training, "pretrained", None)


def check(settings: Settings, path: Path | str | None = None, *, strict: bool = False) -> None:
    """Check that a training can begin with the language models that its settings name, if they name any.

    Args:
        settings: The settings of the training.
        path: The folder to train in. If an interrupted training has copied the language models, the copies count.
        strict: Whether a setting that has its default is one that was given; otherwise it becomes that of the language
            model, see `inherited`.

    Raises:
        UserError: If a run is missing, unfinished, of another task or over characters, or does not fit the settings or
            the other run. Runs that are still to be trained may be missing; see `tasks.training.unlabelled`.
    """
    names = names_of(settings)
    if names is None:
        return
    if _are_trained(settings, path):
        determined = _structure(_read(names, path))
    else:
        determined = structure_of(split_names(names), None) or {}
    for group, values in determined.items():
        given = getattr(settings, group)
        for setting, value in values.items():
            now, default = getattr(given, setting), type(given).model_fields[setting].default
            if now not in (value, "auto") and (strict or now != default):
                raise UserError(
                    f"--pretrained {names}: {setting} was {value!r} there and is now {now!r}, and its weights need the "
                    f"same; leave out --{setting.replace('_', '-')}, or train a language model with {now!r}"
                )


def defaults(names: str, path: Path | str | None) -> dict[str, dict[str, Any]]:
    """Return the settings that the language models determine: {group: {setting: value}}.

    Args:
        names: The value of `--pretrained`.
        path: The folder to train in; see `check`.

    Raises:
        UserError: As for `check`.
    """
    return {**_structure(_read(names, path)), "training": {"pretrained": names}}


def inherited(settings: Settings, run: Run) -> Settings:
    """Return settings with the values of the language models, if there are any.

    Args:
        settings: The settings of the training, which do not contradict them; see `check`.
        run: The training, with copies of the language models.
    """
    names = names_of(settings)
    if names is None:
        return settings
    dumped = settings.model_dump()
    for group, values in _structure(_read(names, run.path)).items():
        dumped[group] |= values
    try:
        return type(settings).model_validate(dumped)
    except pydantic.ValidationError as error:
        reason = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise UserError(f"--pretrained {names}: {reason}") from None


def fingerprint(settings: Settings) -> source_files.Fingerprint:
    """Return what changes when the weights of the language models change; empty if the settings name none."""
    names = names_of(settings)
    files = [] if names is None else [Run(expanded(name)).model_file for name in split_names(names)]
    return {str(file): source_files.fingerprint_of(file) for file in files}


def copy(settings: Settings, run: Run) -> None:
    """Copy the language models into the folder of the training, unless that has been done.

    Raises:
        UserError: As for `check`, or if a run is replaced while it is copied.
    """
    names = names_of(settings)
    if names is None or run.pretrained.exists():
        return
    from tasks.training import lsa  # imports NumPy

    with atomic_files.replacing_folder(run.pretrained) as temporary:
        for model in _read(names, None):
            lsa.read(run_copies.lsa_of(model.run))  # before it is copied: a damaged copy would be read again and again
            run_copies.copy(model.run, temporary / model.direction, f"--pretrained {model.name}")
    check(settings, run.path)  # they may have been replaced since they were checked


def copies(run: Run) -> dict[str, Run]:
    """Return the copy of the language model of each direction; none if the training begins with none."""
    return {name: Run(run.pretrained / name) for name in ("forward", "backward") if (run.pretrained / name).exists()}


def vocabulary(run: Run) -> bytes | None:
    """Return the serialized SentencePiece model of the language models; None if the training begins with none."""
    for copied in copies(run).values():
        return (copied.vocabulary / VOCABULARY_FILE).read_bytes()
    return None


def _structure(models: list[LanguageModelRun]) -> dict[str, dict[str, Any]]:
    """Return the settings that language models determine, and check that they fit each other."""
    first = models[0]
    for other in models[1:]:
        pair = f"--pretrained {first.name},{other.name}"
        if first.direction == other.direction:
            read = "forward" if first.direction == "forward" else "backward"
            raise UserError(f"{pair}: both read {read}; train one of them with, and one without --go-backwards")
        contents = [(model.run.vocabulary / VOCABULARY_FILE).read_bytes() for model in (first, other)]
        if contents[0] != contents[1]:
            raise UserError(
                f"{pair}: their vocabularies differ; train both on the same texts with the same options, except for "
                "--go-backwards"
            )
        for group, values in first.settings.items():
            for setting, value in values.items():
                now = other.settings[group][setting]
                if now != value:
                    raise UserError(f"{pair}: {setting} is {value!r} and {now!r}; train both with the same")
    directions = [model.direction for model in models]
    both = {"bidirectional": len(models) == 2, "go_backwards": directions == ["backward"]}
    return first.settings | {"recurrent": first.settings["recurrent"] | both}


def _read(names: str, path: Path | str | None) -> list[LanguageModelRun]:
    """Read the runs, or the copies that an interrupted training has of them; the forward one first."""
    models = _copies_of(names, path) or [_language_model(name, Run(expanded(name))) for name in split_names(names)]
    return sorted(models, key=lambda model: model.direction, reverse=True)


def _copies_of(names: str, path: Path | str | None) -> list[LanguageModelRun]:
    """Return the copies of the runs that an interrupted training has; none if it has none."""
    for run in [] if path is None else [Run(path), Run(path).replacement]:
        try:
            if run.pretrained.exists() and run.stored()["training"]["pretrained"] == names:
                return [_language_model(name, copied) for name, copied in copies(run).items()]
        except (UserError, KeyError, TypeError):
            continue  # the other runs themselves are read
    return []


def copied(settings: Settings, path: Path | str) -> bool:
    """Return whether an interrupted training has copies of the language models, and does not need the runs."""
    names = names_of(settings)
    return names is not None and bool(_copies_of(names, path))


def _are_trained(settings: Settings, path: Path | str | None) -> bool:
    """Return whether the language models exist; without texts to train them on they have to."""
    if getattr(settings.training, "unlabelled", None) is None or (path is not None and copied(settings, path)):
        return True
    return all(Run(expanded(name)).finished for name in split_names(names_of(settings)))


def structure_of(names: list[str], path: Path | str | None) -> dict[str, dict[str, Any]] | None:
    """Return the settings that the first language model determines that is finished, or of which there is a copy.

    Args:
        names: The runs.
        path: The folder of the classifier, which may have copies.
    """
    runs = [] if path is None else [*copies(Run(path)).values(), *copies(Run(path).replacement).values()]
    for run in [*runs, *(Run(expanded(name)) for name in names)]:
        with contextlib.suppress(UserError):
            return _language_model(str(run.path), run).settings
    return None


def split_names(names: str) -> list[str]:
    """Return the runs that `--pretrained` names, one or two."""
    try:
        runs = split(names, "RUN,RUN")
    except ValueError as error:
        raise UserError(f"--pretrained: {error}") from None
    if len(runs) > 2:
        raise UserError(f"--pretrained {names}: expected one run, or two: one that reads forward, and one backward")
    return runs


def _language_model(name: str, run: Run) -> LanguageModelRun:
    place = f"--pretrained {name}"
    try:
        stored = run.stored()
        if stored["task"] != TASK:
            raise UserError(f"{name} is a run of the task {stored['task']}; expected a language model, of {TASK}")
        if (stored.get("vocabulary") or {}).get("tokenizer") != "sentencepiece":
            raise UserError(
                f"{name} reads characters; train a language model with python -m tasks.{TASK} train --tokenizer "
                "sentencepiece"
            )
        run.check_finished()
        return LanguageModelRun(name, run, *settings_of(stored))
    except UserError as error:
        raise UserError(f"{place}: {str(error).removeprefix(f'{name}: ')}") from None
    except (pydantic.ValidationError, KeyError, TypeError):
        raise UserError(
            f"{place}: {run.settings_file} is not of this version of tasks.{TASK}; train the language model again"
        ) from None


def settings_of(stored: dict[str, Any]) -> tuple[str, dict[str, dict[str, Any]]]:
    """Return the direction of a language model, and the settings of a classifier that reads with it."""
    network = LanguageModelSettings.model_validate(stored["network"])
    recurrent = RecurrentSettings.model_validate(stored["recurrent"])
    return "backward" if recurrent.go_backwards else "forward", {
        "vocabulary": {name: stored["vocabulary"][name] for name in STRUCTURE_OF["vocabulary"]},
        "network": {
            "embedding_size": network.embedding_size,
            "residual": network.residual,
            "separate_directions": True,
        },
        "recurrent": {name: getattr(recurrent, name) for name in STRUCTURE} | {"return_sequences": True},
    }
