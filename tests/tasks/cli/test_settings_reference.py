"""The generated reference of each task's settings: up to date, and complete."""

import re
from pathlib import Path

import pytest

from tasks.cli import settings_reference
from tasks.cli.main import commands_of
from tasks.cli.registry import all_groups, all_tasks

TASKS = pytest.mark.parametrize("task", [*all_tasks(), *all_groups()], ids=lambda task: task.name)


def rows(page: str) -> dict[str, dict[str, tuple[str, str]]]:
    """The tables of a page: its heading -> option -> (default, meaning)."""
    tables: dict[str, dict[str, tuple[str, str]]] = {}
    for heading, text in re.findall(r"^##+ (.*?)\n(.*?)(?=^##|\Z)", page, re.MULTILINE | re.DOTALL):
        cells = re.findall(r"^\| `(.*?)` \| (.*?) \| (.*?) \|$", text, re.MULTILINE)
        tables[heading] = {option: (default, meaning) for option, default, meaning in cells}
    return tables


def shown(value) -> str:
    """A default as the page shows it."""
    if value is None or value == ():
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return " ".join(map(str, value)) if isinstance(value, tuple) else str(value)


@TASKS
def test_the_page_is_up_to_date(task):
    path = Path(settings_reference.FOLDER) / task.name / "SETTINGS.md"
    assert path.exists(), f"{path} is missing: make settings"
    assert path.read_text(encoding="utf-8") == settings_reference.reference(task), f"{path} is stale: make settings"


@TASKS
def test_the_page_has_every_setting_with_its_default_and_description(task):
    tables = rows(settings_reference.reference(task))
    for group, settings in task.settings_class():
        table = tables[f"[{group}]"]
        assert len(table) == len(type(settings).model_fields)
        for name, field in type(settings).model_fields.items():
            option = "recurrent-seed" if (group, name) == ("recurrent", "seed") else name.replace("_", "-")
            default, meaning = table[f"--{option}"]
            assert default.replace("`", "") == shown(getattr(settings, name))
            assert meaning.startswith(" ".join(field.description.split()).replace("|", "\\|"))


@TASKS
def test_the_page_has_every_argument_of_every_command(task):
    tables = rows(settings_reference.reference(task))
    for name, command in commands_of(task).items():
        if name == "train":
            assert list(tables[name]) == ["--run", "--settings", "--overwrite", "--processes"]
            continue
        assert len(tables[name]) == len(command.arguments.model_fields)
        for argument, field in command.arguments.model_fields.items():
            option = argument.strip("_").replace("_", "-")
            _, meaning = tables[name].get(f"--{option}") or tables[name][argument.upper()]  # a positional argument
            assert meaning.startswith(" ".join(field.description.split()).replace("|", "\\|"))


@TASKS
def test_the_page_has_the_same_options_as_the_help(request, task):
    tables = rows(settings_reference.reference(task))
    groups = {option for heading, table in tables.items() if heading.startswith("[") for option in table}
    for name in commands_of(task):
        answer = request.getfixturevalue(task.name)(name, "--help")
        listed = set(re.findall(r"^[│ ] ?(--[a-z][\w-]*)", answer.out, re.MULTILINE)) - {"--help"}
        options = {option for option in tables[name] if option.startswith("--")}
        assert listed == options | (groups if name == "train" else set())


def test_make_settings_writes_the_page_of_every_task(tmp_path, monkeypatch):
    monkeypatch.setattr(settings_reference, "FOLDER", tmp_path)
    for task in (*all_tasks(), *all_groups()):
        (tmp_path / task.name).mkdir()
    assert settings_reference.main() == 0
    for task in all_tasks():
        page = (tmp_path / task.name / "SETTINGS.md").read_text(encoding="utf-8")
        assert page == settings_reference.reference(task)
