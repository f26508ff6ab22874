"""Runs notebooks from top to bottom, and stores the outputs in both languages; the code of both is the same.

    python notebooks/run.py [NAME ...]

Cells with the tag `texts` may differ: they contain texts of one language. Such a notebook is run in both languages.
With FAST=1 in the environment it is a trial of the English ones, and nothing is stored. A cell with many outputs, or
with one on standard error, is an error: so it would appear to everybody who executes the notebook.
"""

import copy
import os
import sys
import time
from pathlib import Path

import nbclient
import nbformat

FOLDER = Path(__file__).parent
MAX_OUTPUTS = 20


def code_cells(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    """Returns the code cells."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def code(notebook: nbformat.NotebookNode) -> list[str]:
    """Returns the code of each code cell, without those that contain texts of one language."""
    return [cell.source for cell in code_cells(notebook) if not has_texts(cell)]


def has_texts(cell: nbformat.NotebookNode) -> bool:
    """Whether a cell contains texts of one language, and so may differ from that of the other language."""
    return "texts" in cell.metadata.get("tags", ())


def check_outputs(name: str, notebook: nbformat.NotebookNode) -> int:
    """Returns the largest number of outputs of a cell; ends the program if it is too large, or standard error is used.

    What a cell prints in several moments is several outputs, as with `jupyter nbconvert --execute`.
    """
    most = 0
    for number, cell in enumerate(code_cells(notebook), start=1):
        errors = "".join(output.text for output in cell.outputs if output.get("name") == "stderr")
        if errors:
            sys.exit(f"{name}.ipynb, code cell {number} writes to standard error: {errors[:500]}")
        if len(cell.outputs) > MAX_OUTPUTS:
            sys.exit(f"{name}.ipynb, code cell {number} has {len(cell.outputs)} outputs, more than {MAX_OUTPUTS}")
        most = max(most, len(cell.outputs))
    return most


def run(name: str) -> int:
    """Runs one notebook, and stores its outputs; returns the largest number of outputs of a cell.

    Raises:
        nbclient.exceptions.CellExecutionError: If a cell fails; contains the cell and the traceback.
    """
    notebook = nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)
    korean_notebook = nbformat.read(FOLDER / f"{name}.ko.ipynb", as_version=4)
    if code(korean_notebook) != code(notebook):
        sys.exit(f"{name}.ko.ipynb has other code than {name}.ipynb: make it the same, and run it again")
    most = execute(name, notebook)
    if os.environ.get("FAST") == "1":
        return most
    if any(map(has_texts, code_cells(notebook))):
        most = max(most, execute(f"{name}.ko", korean_notebook))
    else:
        for cell, korean in zip(code_cells(notebook), code_cells(korean_notebook), strict=True):
            korean.outputs, korean.execution_count = copy.deepcopy(cell.outputs), cell.execution_count
    for path, done in ((FOLDER / f"{name}.ipynb", notebook), (FOLDER / f"{name}.ko.ipynb", korean_notebook)):
        part = path.with_suffix(".part")
        nbformat.write(done, part)
        part.replace(path)
    return most


def execute(name: str, notebook: nbformat.NotebookNode) -> int:
    """Runs all cells of a notebook, which gets their outputs; returns the largest number of outputs of a cell.

    Raises:
        nbclient.exceptions.CellExecutionError: If a cell fails; contains the cell and the traceback.
    """
    client = nbclient.NotebookClient(
        notebook, timeout=1200, record_timing=False, resources={"metadata": {"path": FOLDER}}
    )
    client.execute()
    return check_outputs(name, notebook)


def main(names: list[str]) -> None:
    """Runs the named notebooks, or all of them."""
    all_names = sorted(path.stem for path in FOLDER.glob("*.ipynb") if not path.stem.endswith(".ko"))
    for name in names or all_names:
        if name not in all_names:
            sys.exit(f"no notebook {name!r} in {FOLDER}; the notebooks: {', '.join(all_names)}")
        start = time.monotonic()
        print(f"{name} ...", end=" ", flush=True)
        most = run(name)
        print(f"{time.monotonic() - start:.0f} s, at most {most} outputs in a cell")


if __name__ == "__main__":
    main(sys.argv[1:])
