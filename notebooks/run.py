"""Runs notebooks from top to bottom, and stores the outputs in both languages; the code of both is the same.

    python notebooks/run.py [NAME ...]

With FAST=1 in the environment it is a trial, and nothing is stored.
"""

import copy
import os
import sys
import time
from pathlib import Path

import nbclient
import nbformat

FOLDER = Path(__file__).parent


def code_cells(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    """Returns the code cells."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def code(notebook: nbformat.NotebookNode) -> list[str]:
    """Returns the code of each code cell."""
    return [cell.source for cell in code_cells(notebook)]


def run(name: str) -> None:
    """Runs one notebook, and stores its outputs.

    Raises:
        nbclient.exceptions.CellExecutionError: If a cell fails; contains the cell and the traceback.
    """
    notebook = nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)
    # `coalesce_streams` makes one output of everything that a cell prints, as an open notebook does.
    client = nbclient.NotebookClient(
        notebook, timeout=1200, record_timing=False, coalesce_streams=True, resources={"metadata": {"path": FOLDER}}
    )
    korean_notebook = nbformat.read(FOLDER / f"{name}.ko.ipynb", as_version=4)
    if code(korean_notebook) != code(notebook):
        sys.exit(f"{name}.ko.ipynb has other code than {name}.ipynb: make it the same, and run it again")
    client.execute()
    if os.environ.get("FAST") == "1":
        return
    for cell, korean in zip(code_cells(notebook), code_cells(korean_notebook), strict=True):
        korean.outputs, korean.execution_count = copy.deepcopy(cell.outputs), cell.execution_count
    for path, done in ((FOLDER / f"{name}.ipynb", notebook), (FOLDER / f"{name}.ko.ipynb", korean_notebook)):
        part = path.with_suffix(".part")
        nbformat.write(done, part)
        part.replace(path)


def main(names: list[str]) -> None:
    """Runs the named notebooks, or all of them."""
    all_names = sorted(path.stem for path in FOLDER.glob("*.ipynb") if not path.stem.endswith(".ko"))
    for name in names or all_names:
        if name not in all_names:
            sys.exit(f"no notebook {name!r} in {FOLDER}; the notebooks: {', '.join(all_names)}")
        start = time.monotonic()
        print(f"{name} ...", end=" ", flush=True)
        run(name)
        print(f"{time.monotonic() - start:.0f} s")


if __name__ == "__main__":
    main(sys.argv[1:])
