"""The notebooks run from top to bottom, and each has a Korean version with the same code."""

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
    """The code of the code cells, without those whose texts are of one language."""
    cells = (cell for cell in notebook.cells if cell.cell_type == "code")
    return [cell.source for cell in cells if "texts" not in cell.metadata.get("tags", ())]


def prose(notebook: nbformat.NotebookNode) -> list[str]:
    return [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]


def run(*names: str, folder: Path = FOLDER, **environment: str) -> subprocess.CompletedProcess:
    """Runs `make notebooks` for some of them."""
    command = [sys.executable, folder / "run.py", *names]
    return subprocess.run(command, env=os.environ | environment, capture_output=True, text=True)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_runs_in_its_fast_form(name, tmp_path):
    """The Korean version has the same code, and so need not be run. Outputs are counted; see `run.check_outputs`."""
    before = (FOLDER / f"{name}.ipynb").read_bytes()
    ended = run(name, FAST="1", RUNS=str(tmp_path))
    assert ended.returncode == 0, ended.stderr  # contains the cell and its traceback
    assert (FOLDER / f"{name}.ipynb").read_bytes() == before  # a trial changes nothing


@pytest.fixture
def page(tmp_path):
    """A folder with run.py and a notebook of one cell, 1 + 1, in both languages."""
    shutil.copy(FOLDER / "run.py", tmp_path)
    for name in ("page.ipynb", "page.ko.ipynb"):
        nbformat.write(new_notebook(cells=[new_code_cell("1 + 1")]), tmp_path / name)
    return tmp_path


@pytest.mark.slow
def test_the_outputs_are_stored_in_both_languages(page):
    ended = run(folder=page, FAST="")
    assert ended.returncode == 0, ended.stderr
    for name in ("page.ipynb", "page.ko.ipynb"):
        [cell] = nbformat.read(page / name, as_version=4).cells
        assert cell.execution_count == 1
        assert cell.outputs[0]["data"]["text/plain"] == "2"


@pytest.mark.slow
def test_a_notebook_with_texts_of_its_language_is_run_in_both(page):
    for name, text in (("page.ipynb", "'text'"), ("page.ko.ipynb", "'글'")):
        texts = new_code_cell(f"text = {text}", metadata={"tags": ["texts"]})
        nbformat.write(new_notebook(cells=[texts, new_code_cell("text")]), page / name)
    ended = run(folder=page, FAST="")
    assert ended.returncode == 0, ended.stderr
    for name, text in (("page.ipynb", "'text'"), ("page.ko.ipynb", "'글'")):
        assert nbformat.read(page / name, as_version=4).cells[1].outputs[0]["data"]["text/plain"] == text


@pytest.mark.slow
def test_an_error_in_a_cell_is_shown_and_the_notebook_stays_as_it_was(page):
    for name in ("page.ipynb", "page.ko.ipynb"):
        nbformat.write(new_notebook(cells=[new_code_cell("1 + 1"), new_code_cell("1 / 0")]), page / name)
    before = (page / "page.ipynb").read_bytes()
    ended = run("page", folder=page, FAST="")
    assert ended.returncode == 1
    assert "ZeroDivisionError" in ended.stderr
    assert (page / "page.ipynb").read_bytes() == before
    assert "page" in run("none", folder=page).stderr  # lists the notebooks


@pytest.mark.slow
@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("import time\nfor n in range(25):\n    print(n, flush=True)\n    time.sleep(0.02)", "has 25 outputs"),
        ("import sys\nsys.stderr.write('a warning')", "code cell 2 writes to standard error: a warning"),
    ],
)
def test_many_outputs_of_a_cell_and_outputs_on_standard_error_are_reported(page, code, message):
    for name in ("page.ipynb", "page.ko.ipynb"):
        nbformat.write(new_notebook(cells=[new_code_cell("1 + 1"), new_code_cell(code)]), page / name)
    before = (page / "page.ipynb").read_bytes()
    ended = run("page", folder=page, FAST="")
    assert ended.returncode == 1 and message in ended.stderr
    assert (page / "page.ipynb").read_bytes() == before


def test_different_code_in_the_korean_version_is_reported_before_anything_runs(page):
    nbformat.write(new_notebook(cells=[new_code_cell("open('ran', 'w')")]), page / "page.ipynb")
    ended = run("page", folder=page, FAST="")
    assert ended.returncode == 1 and "page.ko.ipynb has other code" in ended.stderr
    assert not (page / "ran").exists()


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_has_a_korean_version_with_the_same_code_and_headings(name):
    english, korean = read(name), read(f"{name}.ko")
    assert code(korean) == code(english)
    assert [cell.cell_type for cell in korean.cells] == [cell.cell_type for cell in english.cells]
    for one, other in zip(prose(english), prose(korean), strict=True):
        assert re.search("[가-힣]", other), f"no Korean prose beside: {one[:60]}"
        assert re.findall("^#+", one, re.MULTILINE) == re.findall("^#+", other, re.MULTILINE)


@pytest.mark.parametrize("name", BOTH)
def test_a_notebook_is_small_and_contains_its_outputs(name):
    notebook = read(name.removesuffix(".ipynb"))
    assert os.path.getsize(FOLDER / name) < 1_000_000
    counts = [cell.execution_count for cell in notebook.cells if cell.cell_type == "code"]
    assert counts == list(range(1, len(counts) + 1)), "run it from top to bottom: make notebooks"
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error" or output.get("name") == "stderr"]
    assert all(len(cell.outputs) <= 20 for cell in notebook.cells if cell.cell_type == "code")
    assert not any("\b" in output.get("text", "") for output in outputs)  # a progress bar
    assert any("image/png" in output.get("data", {}) for output in outputs)


def test_all_notebooks_begin_with_the_same_code():
    assert len({code(read(name))[0] for name in NAMES}) == 1
