"""The examples in the docstrings run."""

import doctest
import importlib
import re
import shutil
from pathlib import Path

import pytest

from tests.tasks.examples import reviews, write_csv

ROOT = Path(__file__).parents[2]
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for package in ("models", "tasks")
    for path in sorted((ROOT / package).rglob("*.py"))
}
TEXTS = {name: path.read_text(encoding="utf-8") for name, path in MODULES.items()}
WITH_EXAMPLES = [name for name, text in TEXTS.items() if ">>> " in text]


@pytest.fixture(scope="module")
def folder(small_tasks, vectors, tmp_path_factory):
    """The folder that the examples run in: a run of each task, and small data."""
    folder = tmp_path_factory.mktemp("examples")
    for name, run in {"sentiment": "mine", "chargen": "verse", "translation": "en-ko"}.items():
        shutil.copytree(small_tasks[name].run(), folder / "runs" / run)
    write_csv(folder / "reviews.csv", reviews("train", 200))
    shutil.copy(small_tasks["chargen"].data, folder / "texts.txt")
    options = ("--embedding-size", "8", "--epochs", "2", "--run", folder / "runs" / "vectors")
    answer = vectors("train", "--data", folder / "texts.txt", *options)
    assert answer.code == 0, answer.err
    return folder


def run_examples(name: str, capsys) -> None:
    """Runs the examples of a module; a failure shows what it prints."""
    options = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE | doctest.IGNORE_EXCEPTION_DETAIL
    outcome = doctest.testmod(importlib.import_module(name), optionflags=options)
    assert outcome.attempted and not outcome.failed, capsys.readouterr().out


@pytest.mark.parametrize("name", [name for name in WITH_EXAMPLES if name.startswith("models.")])
def test_an_example_of_the_networks(name, capsys):
    run_examples(name, capsys)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in WITH_EXAMPLES if name.startswith("tasks.")])
def test_an_example_of_the_tasks(name, folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    run_examples(name, capsys)


def test_every_example_is_one_that_runs():
    assert not [name for name, text in TEXTS.items() if re.search(r"^ *Examples?:\n(?! *>>> )", text, re.MULTILINE)]
    assert {f"tasks.{task}" for task in ("sentiment", "chargen", "translation")} <= set(WITH_EXAMPLES)
