"""Files of settings, and what to say of settings that are wrong."""

import difflib
import json
import tomllib
from pathlib import Path

import pydantic

from models.recurrent_settings import Settings
from tasks.errors import UserError


def read_settings(path: Path, task: str, settings_class: type[Settings]) -> Settings:
    """Reads a TOML or JSON file of settings, or the settings.json of a run.

    Raises:
      UserError: the file is missing, not TOML or JSON, of another task, or has a setting that is unknown or wrong.
    """
    if path.suffix not in (".toml", ".json"):
        raise UserError(f"--settings {path}: expected a .toml or a .json file")
    try:
        text = path.read_text(encoding="utf-8")
        stored = tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
    except FileNotFoundError:
        raise UserError(f"--settings {path}: no such file") from None
    except (tomllib.TOMLDecodeError, json.JSONDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: {error}") from None
    if not isinstance(stored, dict):
        raise UserError(f"{path}: expected groups of settings: {', '.join(settings_class.model_fields)}")
    other = stored.pop("task", task)
    if other != task:
        raise UserError(f"{path} is of the task {other}, not of {task}")
    # A file changes what it names; the rest of a group keeps the task's own defaults.
    merged = settings_class().model_dump()
    for group, values in stored.items():
        if isinstance(merged.get(group), dict) and isinstance(values, dict):
            merged[group].update(values)
        else:
            merged[group] = values
    try:
        return settings_class.model_validate(merged)
    except pydantic.ValidationError as error:
        raise UserError(f"{path}: {explain(error, settings_class=settings_class)}") from None


def explain(error: pydantic.ValidationError, option: bool = False, settings_class: type[Settings] | None = None) -> str:
    """The first mistake of a validation error in a line: where, what was given, what was expected."""
    detail = error.errors(include_url=False)[0]
    place = [str(part) for part in detail["loc"]]
    message = detail["msg"].removeprefix("Value error, ")
    if detail["type"] == "extra_forbidden":
        group = settings_class
        for part in place[:-1] if group is not None else []:
            group = group.model_fields[part].annotation
        known = group.model_fields if group is not None else {}
        return f"{'.'.join(place)} is no setting{did_you_mean(place[-1], known)}"
    if not place:
        return message
    name = f"--{place[-1].replace('_', '-')}" if option else ".".join(place)
    given = detail["input"]
    return (
        f"{name} {given!r}: {message[0].lower()}{message[1:]}"
        if detail["type"] != "value_error"
        else f"{name}: {message}"
    )


def did_you_mean(given: str, known) -> str:
    """A hint at the nearest of the known names, or nothing."""
    close = difflib.get_close_matches(given, list(known), n=1)
    return f"; did you mean {close[0]}?" if close else ""
