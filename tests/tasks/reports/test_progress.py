"""Lines and bars: what a program, a terminal and a notebook get to see."""

import io
import sys

import nbclient
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from tasks.reports.progress import EpochLog

ROW = {"epoch": 2.0, "loss": 0.25, "accuracy": None, "val_loss": 0.5, "learning_rate": 0.1, "seconds": 1.26}
# Two epochs of 300 steps, in a notebook.
CELL = """
import time
from tasks.reports.progress import EpochLog
with EpochLog(2, 300) as epochs:
    for step in range(600):
        epochs.move(step // 300, step % 300 + 1)
        time.sleep(0.002)
        if step % 300 == 299:
            epochs.print_epoch({"epoch": 1 + step // 300, "loss": 0.5, "seconds": 1.0})
"""


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_an_epoch_is_a_line_of_the_metrics_that_were_measured(capsys):
    with EpochLog(3, 10) as epochs:
        epochs.move(1, 10)
        epochs.print_epoch(ROW)
    assert capsys.readouterr() == ("epoch 2 of 3: loss 0.2500, val_loss 0.5000 (1.3 s)\n", "")
    EpochLog(3, 10, verbose=0).print_epoch(ROW)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(("verbose", "bar"), [(0, False), (1, True), (2, False)])
def test_on_a_terminal_a_bar_shows_the_steps(capsys, monkeypatch, verbose, bar):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with EpochLog(3, 10, verbose) as epochs:
        epochs.move(1, 5)
        epochs.move(1, 10)
    assert ("epoch 2 of 3" in terminal.getvalue() and "15/30" in terminal.getvalue()) == bar


@pytest.mark.slow
def test_a_notebook_that_is_executed_gets_a_line_for_each_epoch_and_nothing_else(monkeypatch):
    notebook = new_notebook(cells=[new_code_cell(CELL)])
    nbclient.NotebookClient(notebook).execute()
    outputs = notebook.cells[0].outputs
    assert [(one.name, one.text) for one in outputs] == [
        ("stdout", f"epoch {epoch} of 2: loss 0.5000 (1.0 s)\n") for epoch in (1, 2)
    ]
