"""Runs notebooks from top to bottom, and keeps what comes out: in each and in its Korean twin, whose code is the same.

    python notebooks/run.py [NAME ...]

With FAST=1 in the environment it is a trial, and nothing is kept.
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
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def code(notebook: nbformat.NotebookNode) -> list[str]:
    return [cell.source for cell in code_cells(notebook)]


def run(name: str) -> None:
    """Executes one; raises `nbclient.exceptions.CellExecutionError` with the cell and its traceback."""
    notebook = nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)
    # One after the other makes a single output of what is printed, as a notebook that is open shows it.
    client = nbclient.NotebookClient(
        notebook, timeout=1200, record_timing=False, coalesce_streams=True, resources={"metadata": {"path": FOLDER}}
    )
    twin = nbformat.read(FOLDER / f"{name}.ko.ipynb", as_version=4)
    if code(twin) != code(notebook):
        sys.exit(f"{name}.ko.ipynb has other code than {name}.ipynb: make it the same, and run them again")
    client.execute()
    if os.environ.get("FAST") == "1":
        return
    for cell, korean in zip(code_cells(notebook), code_cells(twin), strict=True):
        korean.outputs, korean.execution_count = copy.deepcopy(cell.outputs), cell.execution_count
    for path, done in ((FOLDER / f"{name}.ipynb", notebook), (FOLDER / f"{name}.ko.ipynb", twin)):
        part = path.with_suffix(".part")
        nbformat.write(done, part)
        part.replace(path)


def main(names: list[str]) -> None:
    all_names = sorted(path.stem for path in FOLDER.glob("*.ipynb") if not path.stem.endswith(".ko"))
    for name in names or all_names:
        if name not in all_names:
            sys.exit(f"no notebook {name!r} in {FOLDER}: there are {', '.join(all_names)}")
        began = time.monotonic()
        print(f"{name} ...", end=" ", flush=True)
        run(name)
        print(f"{time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main(sys.argv[1:])
