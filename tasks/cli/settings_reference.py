"""Writes tasks/NAME/SETTINGS.md, the complete reference of a task's settings, from the settings classes.

    python -m tasks.cli.settings_reference

Imports no TensorFlow.
"""

import sys
import typing
from pathlib import Path

from pydantic.fields import FieldInfo

from models.recurrent_settings import Settings
from tasks import atomic_files
from tasks.cli.main import commands_of
from tasks.cli.none_values import option_name
from tasks.cli.registry import all_groups, all_tasks
from tasks.commands import CommandGroup
from tasks.task import Task

FOLDER = Path(__file__).parents[1]


def reference(task: Task | CommandGroup) -> str:
    """Return the page of a task, or of another package with commands, in Markdown."""
    name = f"python -m tasks.{task.name}"
    group = "recurrent" if "recurrent" in task.settings_class.model_fields else "training"
    option = {"recurrent": "units", "training": "window"}[group]
    lines = [
        f"# Settings of {task.name}",
        "",
        "<!-- Generated from the settings classes by `make settings`. Do not edit. -->",
        "",
        f"Every option of `{name} train`, by its group in a settings file",
        f"(`--settings FILE`, .toml or .json): the option `--{option} 64` is `{option} = 64` below `[{group}]`. "
        "Options",
        "override the file, and the file overrides the defaults. An option that is on or off is written `--NAME` or",
        "`--no-NAME`; `none` stands for no value, and for the empty list.",
        "",
    ]
    for group, settings in task.settings_class():
        lines += [f"## [{group}]", "", _summary(type(settings)), "", *_table(type(settings), settings), ""]
    lines += [
        "## Options of the commands",
        "",
        f"Options that are not settings of a training. `{name} COMMAND --help` lists them too.",
        "",
    ]
    for command, spec in commands_of(task).items():
        if command == "train":
            rows = [
                "| `--run` | required | The folder to train in, such as runs/NAME. |",
                "| `--settings` | none | A .toml or .json file of settings; options override it. |",
                "| `--overwrite` | no | Replaces a finished run, which stays until the new one is finished. |",
                "| `--processes` | none | Maximum number of processes that prepare the data; one for each core if not "
                "given. |",
            ]
            lines += [f"### {command}", "", _summary(spec.arguments), "", *_HEADER, *rows, ""]
        else:
            lines += [f"### {command}", "", _summary(spec.arguments), "", *_table(spec.arguments), ""]
    return "\n".join(lines).rstrip() + "\n"


_HEADER = ["| option | default | meaning |", "|---|---|---|"]


def _summary(settings_class: type[Settings]) -> str:
    return " ".join((settings_class.__doc__ or "").split())


def _table(settings_class: type[Settings], settings: Settings | None = None) -> list[str]:
    rows = [
        f"| `{_option(name, field)}` | {_default(name, field, settings)} | {_meaning(field)} |"
        for name, field in settings_class.model_fields.items()
    ]
    return [*_HEADER, *rows]


def _option(name: str, field: FieldInfo) -> str:
    """Return the option on the command line; a positional argument is written in capitals."""
    if any("Positional" in repr(mark) for mark in field.metadata):
        return name.upper()
    return option_name(name, field)


def _default(name: str, field: FieldInfo, settings: Settings | None) -> str:
    if settings is None and field.is_required():
        return "required"
    value = getattr(settings, name) if settings is not None else field.default
    if value is None or value == ():
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return " ".join(f"`{part}`" for part in value) if isinstance(value, tuple) else f"`{value}`"


def _meaning(field: FieldInfo) -> str:
    """Return the description, and the choices if the type has some."""
    described = " ".join((field.description or "").split()).replace("|", "\\|")
    parts = [field.annotation, *typing.get_args(field.annotation)]
    choices = [name for part in parts if typing.get_origin(part) is typing.Literal for name in typing.get_args(part)]
    if not choices or choices == ["auto"] or bool in parts:  # or on or off: the description says so
        return described
    if type(None) in parts and "none" not in choices:
        choices.append("none")
    return f"{described} One of {', '.join(map(str, choices))}."


def main() -> int:
    """Write every page; return the exit code."""
    for task in (*all_tasks(), *all_groups()):
        path = FOLDER / task.name / "SETTINGS.md"
        with atomic_files.replacing(path) as temporary:
            temporary.write_text(reference(task), encoding="utf-8")
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
