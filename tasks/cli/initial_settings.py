"""The settings that take the place of the defaults where a training begins with the weights of other runs."""

from typing import Any

from tasks.commands import CommandGroup
from tasks.task import Task
from tasks.training import initial_run, pretrained, unlabelled


def initial_settings(task: Task | CommandGroup, argv: list[str], stored: dict, folder: str | None) -> dict[str, Any]:
    """Return the settings that a training has unless others are given: {group: {setting: value}}.

    With `--initial-run`, these are those of that run. With `--pretrained` or `--unlabelled`, those that the language
    models determine are theirs.

    Args:
        task: The task, or another package that trains.
        argv: The command line of `train`.
        stored: The groups of a file of settings.
        folder: The folder to train in; None if it is not given.
    """
    base = task.settings_class().model_dump()
    initial, names, texts = (
        _given(setting, argv, stored, base) for setting in ("initial_run", "pretrained", "unlabelled")
    )
    if isinstance(initial, str):
        base = initial_run.defaults(task, initial, folder)
    determined: dict[str, dict] = {}
    names = names if isinstance(names, str) else None
    if texts is not None:
        determined = unlabelled.defaults(names, folder)
        base["training"]["unlabelled"] = texts  # a file of settings may have some that need them
    elif names is not None:
        determined = pretrained.defaults(names, folder)
    for group, values in determined.items():
        base[group] |= values
    return base


def _given(setting: str, argv: list[str], stored: dict, defaults: dict) -> Any:
    """Return the value that an option of the training, or a file of settings, has for a setting; None without one."""
    if setting not in defaults["training"]:
        return None
    value = value_of(f"--{setting.replace('_', '-')}", argv)
    if value is None and isinstance(stored.get("training"), dict):
        value = stored["training"].get(setting)
    return None if not value or str(value).lower() == "none" else value


def value_of(option: str, argv: list[str]) -> str | None:
    """Return the value of an option, such as `--initial-run`, on a command line; None if it is not given."""
    for index, word in enumerate(argv):
        name, equals, value = word.partition("=")
        if name.replace("_", "-") != option:
            continue
        if equals:
            return value
        if index + 1 < len(argv):
            return argv[index + 1]
    return None
