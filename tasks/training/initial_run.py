"""Training on from another run (`--initial-run`): its files are copied when the training begins. Imports no TensorFlow.

checkpoint/initial/
  settings.json, vocabulary/, model.keras, training_texts.npz and others     as the other run had them

From then on the training does not depend on the other run, which may be changed or removed.
"""

import shutil
from pathlib import Path

from models.recurrent_settings import Settings
from tasks import atomic_files
from tasks.errors import UserError
from tasks.task import Task
from tasks.training import run_copies, source_files, stored_settings
from tasks.training.runs import Run

# The groups of settings that determine the shapes of the weights, and what the weights mean.
GROUPS = ("vocabulary", "network", "recurrent")
# Settings of these groups that may differ: they change how the weights are trained, or where a text is cut.
FREE = {
    *("dropout", "recurrent_dropout", "layer_dropout", "embedding_dropout", "output_dropout", "ngram_dropout"),
    *("kernel_regularizer", "recurrent_regularizer", "bias_regularizer", "activity_regularizer"),
    *("kernel_constraint", "recurrent_constraint", "bias_constraint"),
    *("output_bias", "stateful", "unroll", "use_cudnn", "seed", "max_tokens", "subword_regularization", "lsa_size"),
}
# Settings of the training that say what the weights begin with; they are not taken from the other run.
BEGINNING = {
    **dict.fromkeys(("initial_run", "vectors", "pretrained")),
    **dict.fromkeys(("unlabelled", "unlabelled_column", "unlabelled_splits", "lm_epochs")),
    "fine_tuning": "auto",
    "lm_loss_weight": 0.0,
}


def check(task: Task, settings: Settings, path: Path | str | None = None) -> None:
    """Check that a training can begin with the weights of the run that its settings name, if they name one.

    Args:
        task: The task.
        settings: The settings of the training.
        path: The folder to train in. If an interrupted training has copied the other run, the copy counts.

    Raises:
        UserError: If that run is missing, unfinished or of another task, or its weights do not fit the settings.
    """
    name = settings.training.initial_run
    if name is None:
        return
    initial = _read(task, name, path)
    for group in GROUPS:
        before, now = getattr(initial, group, None), getattr(settings, group, None)
        for setting in type(now).model_fields if now is not None and before is not None else ():
            old, new = getattr(before, setting), getattr(now, setting)
            if old != new and new != "auto" and setting not in FREE:  # "auto" becomes the same; see `inherited`
                option = setting.replace("_", "-")
                raise UserError(
                    f"--initial-run {name}: {setting} was {old!r} there and is now {new!r}, and its weights need the "
                    f"same; leave out --{option}, or train a new run without --initial-run"
                )
    task.check_initial_run(settings, initial)


def defaults(task: Task, name: str, path: Path | str | None) -> dict:
    """Return the settings that a training begins with: those of the other run.

    Args:
        task: The task.
        name: The folder of the other run.
        path: The folder to train in; see `check`.

    Returns:
        {group: {setting: value}}.

    Raises:
        UserError: As for `check`.
    """
    settings = _read(task, name, path).model_dump()
    beginning = {setting: value for setting, value in BEGINNING.items() if setting in settings["training"]}
    settings["training"] |= beginning | {"initial_run": name}
    return settings


def inherited(settings: Settings, run: Run) -> Settings:
    """Return settings whose vocabulary and network have the values of the other run where they are "auto".

    Args:
        settings: The settings of the training.
        run: The training, with a copy of the other run if it trains on from one.
    """
    if not run.initial.path.exists():
        return settings
    initial = run.initial.settings(type(settings))
    groups = {}
    for name in GROUPS[:-1]:  # of the recurrent layers, "auto" is a value of Keras
        group, before = getattr(settings, name, None), getattr(initial, name, None)
        values = {setting: getattr(before, setting) for setting, value in group or () if value == "auto"}
        if values:
            groups[name] = group.model_copy(update=values)
    return settings.model_copy(update=groups)


def fingerprint(settings: Settings) -> source_files.Fingerprint:
    """Return what changes when the weights of the other run change; empty if the settings name none."""
    if settings.training.initial_run is None:
        return {}
    file = Run(settings.training.initial_run).model_file
    return {str(file): source_files.fingerprint_of(file)}


def copy(task: Task, settings: Settings, run: Run) -> None:
    """Copy the other run into the folder of the training, unless that has been done.

    Raises:
        UserError: As for `check`, or if the other run is replaced while it is copied.
    """
    if settings.training.initial_run is None or run.initial.path.exists():
        return
    source = Run(settings.training.initial_run)
    with atomic_files.replacing_folder(run.initial.path) as temporary:
        run_copies.copy(source, temporary, f"--initial-run {source.path}")
    check(task, settings, run.path)  # it may have been replaced since it was checked


def copy_vocabulary(run: Run) -> None:
    """Give a run the vocabulary of the run that it trains on from, if there is one."""
    if run.initial.path.exists():
        with atomic_files.replacing_folder(run.vocabulary) as temporary:
            shutil.copytree(run.initial.vocabulary, temporary, dirs_exist_ok=True)


def _read(task: Task, name: str, path: Path | str | None) -> Settings:
    """Return the settings of the other run, or of the copy that an interrupted training has of it."""
    for run in [] if path is None else [Run(path), Run(path).replacement]:
        try:
            if run.initial.settings_file.exists() and run.stored()["training"]["initial_run"] == name:
                file = run.initial.settings_file
                stored = stored_settings.read(file, "add --overwrite")
                return stored_settings.validated(file, stored, task.settings_class, "Add --overwrite")
        except (UserError, KeyError, TypeError):
            continue  # the other run itself is read
    try:
        return Run(name).open_finished(task.name, task.settings_class)
    except UserError as error:
        raise UserError(f"--initial-run: {error}") from None
