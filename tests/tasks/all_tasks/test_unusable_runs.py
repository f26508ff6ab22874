"""Runs and exported models that are damaged, of another task, or none: each is named, and nothing is changed."""

import itertools
import json
import shutil
from pathlib import Path

import pytest

from tasks.cli.registry import TASKS
from tasks.errors import UserError
from tasks.serving.inference import load
from tasks.training.runs import Run

TEXT = "A good film."

# --- run folders that cannot be used ----------------------------------------------------------------------------------

DAMAGES = (
    *("missing", "no settings", "half of the settings", "other settings", "other task", "not finished"),
    *("no model", "half of the model", "no vocabulary", "half of a vocabulary file", "no vocabulary file"),
)
COMMANDS = ("evaluate", "answer", "export")


def damage(run: Run, kind: str, vocabulary_file: Path, other_task: str) -> str:
    """Damages the run; returns what the message must say."""
    if kind == "missing":
        shutil.rmtree(run.path)
        return "no such run"
    if kind == "no settings":
        run.settings_file.unlink()
        return "not a run"
    if kind == "half of the settings":
        run.settings_file.write_text(run.settings_file.read_text()[:100])
        return "settings.json is not readable"
    if kind == "other settings":
        stored = json.loads(run.settings_file.read_text())
        stored["recurrent"]["unitz"] = 3
        run.settings_file.write_text(json.dumps(stored))
        return "recurrent.unitz"
    if kind == "other task":
        run.settings_file.write_text(json.dumps({"task": other_task}))
        return f"is a run of the task {other_task}, not of"
    if kind == "not finished":
        run.checkpoint.mkdir()
        run.model_file.unlink()
        return "not finished"
    if kind == "no model":
        run.model_file.unlink()
        return "not finished"
    if kind == "half of the model":
        run.model_file.write_bytes(run.model_file.read_bytes()[:5000])
        return "model.keras cannot be read"
    if kind == "no vocabulary":
        shutil.rmtree(run.vocabulary)
        return "vocabulary is missing"
    if kind == "no vocabulary file":
        vocabulary_file.unlink()
    else:
        vocabulary_file.write_bytes(vocabulary_file.read_bytes()[:15])
    return "train the run again with --overwrite"


def arguments_of(small, command: str, run: Path) -> list:
    return {
        "evaluate": ["evaluate", "--run", run],
        "answer": [small.predict_command, "--run", run, TEXT],
        "export": ["export", "--run", run, "--to", run / "export"],
    }[command]


def cases_of_damage() -> list[tuple[str, str, int]]:
    """Task, kind, and the number of the file of the vocabulary."""
    files = {"sentiment": 2, "chargen": 1, "translation": 2}
    return [
        (task, kind, number)
        for task in TASKS
        for kind in DAMAGES
        for number in range(files[task] if kind.endswith("vocabulary file") else 1)
    ]


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(("small", "kind", "number"), cases_of_damage(), indirect=["small"])
def test_a_run_that_cannot_be_used_is_named(small, copy, contents, kind, number, command):
    other_task = next(task for task in TASKS if task != small.name)
    part = damage(Run(copy), kind, copy / "vocabulary" / small.example.vocabulary[number], other_task)
    before = contents(copy)
    message = small.command(*arguments_of(small, command, copy)).error()
    assert part in message and str(copy) in message
    assert contents(copy) == before


# --- runs and exported models of another task -------------------------------------------------------------------------

PAIRS_OF_TASKS = list(itertools.permutations(TASKS, 2))


def assert_refuses_export(small, folder: Path, other: str) -> None:
    """Checks that the command and `load` name the task of an exported model."""
    message = small.command(small.predict_command, "--model", folder, TEXT).error()
    assert f"is an export of the task {other}" in message and f"python -m tasks.{other}" in message
    with pytest.raises(UserError, match=f"is an export of the task {other}, not of {small.name}: python -m tasks"):
        load(small.task, folder)


@pytest.mark.parametrize(("small", "other"), PAIRS_OF_TASKS, indirect=["small"])
def test_an_exported_model_of_another_task_is_refused(small, other, tmp_path):
    (tmp_path / "model" / "1" / "assets.extra").mkdir(parents=True)
    (tmp_path / "model" / "1" / "saved_model.pb").touch()
    (tmp_path / "model" / "1" / "assets.extra" / "settings.json").write_text(json.dumps({"task": other}))
    assert_refuses_export(small, tmp_path / "model", other)
    assert_refuses_export(small, tmp_path / "model" / "1", other)


@pytest.mark.slow
@pytest.mark.parametrize(("small", "other"), PAIRS_OF_TASKS, indirect=["small"])
def test_a_real_run_or_export_of_another_task_is_refused(small, other, small_tasks):
    assert_refuses_export(small, small_tasks[other].model(), other)
    message = small.command(small.predict_command, "--run", small_tasks[other].run(), TEXT).error()
    assert f"is a run of the task {other}, not of {small.name}: python -m tasks.{other}" in message
    with pytest.raises(UserError, match=f"is a run of the task {other}"):
        load(small.task, small_tasks[other].run())


def test_what_is_neither_a_run_nor_an_exported_model_is_named(small, tmp_path):
    assert "no such run" in small.command(small.predict_command, "--run", tmp_path / "none", TEXT).error()
    (tmp_path / "file").touch()
    assert (
        "a file, not the folder of a run"
        in small.command(small.predict_command, "--run", tmp_path / "file", TEXT).error()
    )
    (tmp_path / "model").mkdir()
    assert "is no exported model" in small.command(small.predict_command, "--model", tmp_path / "model", TEXT).error()
    (tmp_path / "model" / "saved_model.pb").touch()
    message = small.command(small.predict_command, "--model", tmp_path / "model", TEXT).error()
    assert "settings.json is missing; export the run again" in message
