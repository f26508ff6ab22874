"""The settings that a run or an exported model was stored with: read, validated and compared."""

import contextlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pydantic

from models.recurrent_settings import Settings
from tasks.data.bounded_files import MAX_SETTINGS_BYTES
from tasks.data.stored_files import read_json
from tasks.errors import UserError
from tasks.in_memory import from_file
from tasks.validation import first_problem

if TYPE_CHECKING:
    from tasks.training.runs import Run

SettingsOfTask = TypeVar("SettingsOfTask", bound=Settings)


def read_exported_settings(file: Path, task: str, settings_class: type[SettingsOfTask]) -> SettingsOfTask:
    """Return the settings that an exported model has in its assets.extra.

    Raises:
        UserError: If the file is missing or damaged, of another task, or has settings that no longer exist.
    """
    if not file.exists():
        raise UserError(f"{file} is missing; export the run again")
    stored = read(file, "export the run again")
    if stored["task"] != task:
        raise UserError(f"{file.parents[1]} is an export of {instead_of(task, stored['task'])}")
    return validated(file, stored, settings_class, "Export the run again")


def instead_of(task: str, other: str) -> str:
    """Return what is said of a run or an export of another task than the one that is asked for."""
    return f"the task {other}, not of {task}: python -m tasks.{other}, or the package tasks.{other} in Python"


def read(file: Path, remedy: str) -> dict[str, Any]:
    """Return the content of settings.json: {"task": NAME, group: {setting: value}}.

    Raises:
        UserError: If the file is damaged or names no task; the message ends with the remedy.
    """
    stored = read_json(file, remedy, MAX_SETTINGS_BYTES)
    if not isinstance(stored, dict) or not isinstance(stored.get("task"), str):
        raise UserError(f"{file} is not the settings of a run: it names no task; {remedy}")
    return stored


def validated(file: Path, stored: dict, settings_class: type[SettingsOfTask], remedy: str) -> SettingsOfTask:
    """Return stored settings as those of the task.

    Raises:
        UserError: If they have settings that no longer exist; the message ends with the remedy.
    """
    try:
        return settings_class.model_validate(
            from_file({name: group for name, group in stored.items() if name != "task"})
        )
    except pydantic.ValidationError as error:
        mistake, _ = first_problem(error)
        place = ".".join(map(str, mistake["loc"]))
        raise UserError(f"{file}: {place}: {mistake['msg']}; was the run made by another version? {remedy}") from None


def dumped(task: str, settings: Settings) -> dict[str, Any]:
    """Return settings as settings.json holds them."""
    return json.loads(json.dumps({"task": task, **settings.model_dump(mode="json")}))


def first_difference(old: dict, new: dict) -> str | None:
    """Describe the first setting that differs, with both values; None if none does."""
    for name in [*new, *(name for name in old if name not in new)]:
        if isinstance(old.get(name), dict) and isinstance(new.get(name), dict):
            difference = first_difference(old[name], new[name])
            if difference:
                return difference
        elif old.get(name) != new.get(name):
            return f"{name} was {old.get(name)!r} and is now {new.get(name)!r}"
    return None


def with_defaults(stored: dict | None, settings: Settings) -> dict | None:
    """Return stored settings with the defaults of those that the version lacked which stored them."""
    if not stored:
        return stored
    filled = dict(stored)
    for name, group in settings:
        if isinstance(group, Settings) and isinstance(stored.get(name), dict):
            fields = type(group).model_fields.items()
            lacking = {field: one.get_default() for field, one in fields if field not in stored[name]}
            defaults = type(group).model_construct(**lacking).model_dump(mode="json", include={*lacking})
            filled[name] = stored[name] | json.loads(json.dumps(defaults))
    return filled


def difference(run: "Run", task: str, settings: Settings) -> str | None:
    """Describe the first setting that differs from those that a run was started with; None if none does.

    Raises:
        UserError: If its settings cannot be read.
    """
    new, stored, asked = dumped(task, settings), with_defaults(run.stored(), settings), None
    with contextlib.suppress(UserError):  # a damaged record is reported before it is needed
        asked = with_defaults(run.prepared_record().get("asked"), settings)
    if not asked:
        return first_difference(stored, _resolved_as(stored, new))
    found = first_difference(asked, new)
    # `--settings` with the settings.json of the run asks for the values that were resolved.
    if found is None or first_difference(stored, new) is None:
        return None
    return first_difference(stored, _resolved_as(stored, new)) or found


def _resolved_as(stored: dict, new: dict) -> dict:
    """Return settings with the stored values in place of "auto"."""
    return {
        name: _resolved_as(stored.get(name) or {}, value)
        if isinstance(value, dict)
        else (stored.get(name, value) if value == "auto" else value)
        for name, value in new.items()
    }


def check_task(run: "Run", task: str) -> None:
    """Raise `UserError` if a run is of another task, also if its settings cannot be read."""
    other = run.stored()["task"]
    if other != task:
        raise UserError(f"{run.path} is a run of the task {other}; name another folder with --run")


def continues(run: "Run", task: str, settings: Settings) -> bool:
    """Return whether the folder of a run holds a training with these settings."""
    try:
        return difference(run, task, settings) is None
    except UserError:  # its settings cannot be read
        return False
