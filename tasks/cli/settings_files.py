"""Files of settings, as `train --settings FILE` reads them."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pydantic

from models.recurrent_settings import Settings
from tasks.cli.renamed import check_settings
from tasks.data.bounded_files import MAX_SETTINGS_BYTES, read_limited
from tasks.errors import UserError
from tasks.in_memory import from_file
from tasks.validation import describe_validation_error

# Parts of a dotted key. Settings have two; the memory that the reader of TOML takes grows with the square of the parts.
MAX_KEY_PARTS = 16
TOML_STRINGS = re.compile(
    r'"""(?:\\.|[^\\])*?"""|' r"'''.*?'''|" r'"(?:\\.|[^"\\\n])*"|' r"'[^'\n]*'|#[^\n]*", re.DOTALL
)


def read_groups(path: Path, task: str, settings_class: type[Settings]) -> dict[str, Any]:
    """Read a TOML or JSON file of settings, or the settings.json of a run, as groups of settings.

    Args:
        path: The file.
        task: The name of the task.
        settings_class: The class of its settings.

    Raises:
        UserError: If the file is missing, not TOML or JSON, of another task, or has a setting with an old name.
    """
    if path.suffix not in (".toml", ".json"):
        raise UserError(f"--settings {path}: expected a .toml or a .json file")
    try:
        text = read_limited(path, MAX_SETTINGS_BYTES)
        stored = _read_toml(text) if path.suffix == ".toml" else json.loads(text, object_pairs_hook=_unique_keys)
    except FileNotFoundError:
        raise UserError(f"--settings {path}: no such file") from None
    except OSError as error:
        raise UserError(f"--settings {path}: cannot be read: {error.strerror or error}") from None
    except (ValueError, RecursionError) as error:  # also numbers of too many digits, and text that is not UTF-8
        raise UserError(f"{path}: {error}") from None
    if not isinstance(stored, dict):
        raise UserError(f"{path}: expected groups of settings: {', '.join(settings_class.model_fields)}")
    other = stored.pop("task", task)
    if other != task:
        raise UserError(f"{path} is of the task {other}, not of {task}")
    check_settings(path, stored)
    return stored


def read_settings(path: Path, task: str, settings_class: type[Settings]) -> Settings:
    """Read a file as `read_groups` does; settings that it does not name have the task's defaults."""
    groups = read_groups(path, task, settings_class)
    return with_groups(settings_class().model_dump(), groups, settings_class, path)


def with_groups(base: dict[str, Any], stored: dict[str, Any], settings_class: type[Settings], path: object) -> Settings:
    """Return settings, changed by a file: the settings that it does not name stay as they are.

    Args:
        base: The settings, by group.
        stored: From `read_groups`; empty without a file.
        settings_class: The class of the settings.
        path: The file, for messages; None if there is none, and the settings are those of other runs.

    Raises:
        UserError: If the file has an unknown or invalid setting.
    """
    merged = dict(base)
    for group, values in from_file(stored).items():
        if isinstance(merged.get(group), dict) and isinstance(values, dict):
            merged[group] = merged[group] | values
        else:
            merged[group] = values
    try:
        return settings_class.model_validate(merged)
    except pydantic.ValidationError as error:
        place = "" if path is None else f"{path}: "
        raise UserError(place + describe_validation_error(error, settings_class=settings_class)) from None


def _read_toml(text: str) -> dict[str, Any]:
    """Return the content of a TOML file.

    Raises:
        ValueError: If it is not TOML, or a key has too many parts.
    """
    text = re.sub("\r\n?", "\n", text)  # old programs of the Mac end lines with a return
    for number, line in enumerate(TOML_STRINGS.sub(_as_word, text).split("\n"), start=1):
        parts = max(key.count(".") for key in re.split(r"[=\[\]{},]", line)) + 1
        if parts > MAX_KEY_PARTS:
            raise ValueError(f"line {number}: a key of {parts:,} parts; settings are named group.setting")
    return tomllib.loads(text)


def _as_word(match: re.Match) -> str:
    """Return what stands for a string: a word, and its line breaks."""
    return "x" + "\n" * match[0].count("\n")


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError(f"a setting occurs twice among {', '.join(name for name, _ in pairs[:20])}")
    return found
