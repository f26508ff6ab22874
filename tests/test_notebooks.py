"""The notebooks run from top to bottom, and each has a Korean twin with the same code."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

FOLDER = Path(__file__).parents[1] / "notebooks"
NAMES = sorted(path.stem for path in FOLDER.glob("*.ipynb") if not path.stem.endswith(".ko"))
BOTH = sorted(path.name for path in FOLDER.glob("*.ipynb"))


def read(name: str) -> nbformat.NotebookNode:
    return nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)


def code(notebook: nbformat.NotebookNode) -> list[str]:
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


def prose(notebook: nbformat.NotebookNode) -> list[str]:
    return [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]


def run(*names: str, folder: Path = FOLDER, **environment: str) -> subprocess.CompletedProcess:
    """`make notebooks`, for some of them."""
    command = [sys.executable, folder / "run.py", *names]
    return subprocess.run(command, env=os.environ | environment, capture_output=True, text=True)


@pytest.mark.parametrize("name", NAMES)
def test_runs_in_its_fast_form(name, tmp_path):
    """Its twin has the same code, so this is the twin's run, too."""
    before = (FOLDER / f"{name}.ipynb").read_bytes()
    ended = run(name, FAST="1", RUNS=str(tmp_path))
    assert ended.returncode == 0, ended.stderr  # ends with the cell and its traceback
    assert (FOLDER / f"{name}.ipynb").read_bytes() == before  # a trial keeps nothing


@pytest.fixture
def page(tmp_path):
    """A folder with a notebook of one cell, 1 + 1, its twin, and what runs them."""
    shutil.copy(FOLDER / "run.py", tmp_path)
    for name in ("page.ipynb", "page.ko.ipynb"):
        nbformat.write(new_notebook(cells=[new_code_cell("1 + 1")]), tmp_path / name)
    return tmp_path


def test_what_comes_out_is_kept_in_both_languages(page):
    ended = run(folder=page, FAST="")
    assert ended.returncode == 0, ended.stderr
    for name in ("page.ipynb", "page.ko.ipynb"):
        [cell] = nbformat.read(page / name, as_version=4).cells
        assert cell.execution_count == 1
        assert cell.outputs[0]["data"]["text/plain"] == "2"


def test_a_mistake_in_a_cell_ends_it_and_changes_nothing(page):
    for name in ("page.ipynb", "page.ko.ipynb"):
        nbformat.write(new_notebook(cells=[new_code_cell("1 + 1"), new_code_cell("1 / 0")]), page / name)
    before = (page / "page.ipynb").read_bytes()
    ended = run("page", folder=page, FAST="")
    assert ended.returncode == 1
    assert "ZeroDivisionError" in ended.stderr
    assert (page / "page.ipynb").read_bytes() == before
    assert "page" in run("none", folder=page).stderr  # says which there are


def test_a_twin_with_other_code_is_told_before_anything_runs(page):
    nbformat.write(new_notebook(cells=[new_code_cell("open('ran', 'w')")]), page / "page.ipynb")
    ended = run("page", folder=page, FAST="")
    assert ended.returncode == 1 and "page.ko.ipynb has other code" in ended.stderr
    assert not (page / "ran").exists()


@pytest.mark.parametrize("name", NAMES)
def test_has_a_korean_twin_with_the_same_code(name):
    english, korean = read(name), read(f"{name}.ko")
    assert code(korean) == code(english)
    assert [cell.cell_type for cell in korean.cells] == [cell.cell_type for cell in english.cells]
    for one, other in zip(prose(english), prose(korean), strict=True):
        assert re.search("[가-힣]", other), f"no Korean prose beside: {one[:60]}"
        # The same headings at the same places.
        assert re.findall("^#+", one, re.MULTILINE) == re.findall("^#+", other, re.MULTILINE)


@pytest.mark.parametrize("name", BOTH)
def test_its_results_are_in_it_and_it_is_small(name):
    notebook = read(name.removesuffix(".ipynb"))
    assert os.path.getsize(FOLDER / name) < 1_000_000
    counts = [cell.execution_count for cell in notebook.cells if cell.cell_type == "code"]
    assert counts == list(range(1, len(counts) + 1)), "run it from top to bottom: make notebooks"
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error"]
    assert any("image/png" in output.get("data", {}) for output in outputs)


def test_all_begin_with_the_same_cell():
    assert len({code(read(name))[0] for name in NAMES}) == 1
