"""Fixtures: the command line of tasks.memory within the test's process, and results with given numbers."""

import contextlib
import io
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from tasks.cli.main import run_single
from tasks.commands import Command
from tasks.memory.settings import MemoryArguments


@pytest.fixture(scope="session")
def memory() -> Callable[..., SimpleNamespace]:
    """Runs `python -m tasks.memory ARGUMENTS` within this process; returns exit code, standard output and error."""

    def run(*arguments) -> SimpleNamespace:
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            command = Command("tasks.memory.study:main", MemoryArguments)
            code = run_single("memory", command, [str(argument) for argument in arguments])
        return SimpleNamespace(code=code, out=out.getvalue(), err=err.getvalue())

    return run


@pytest.fixture(scope="session")
def small() -> tuple[str, ...]:
    """Options of a small study, in which a training takes a second."""
    return ("--units", "16", "--symbols", "4", "--steps", "50", "--seeds", "1")


@pytest.fixture(scope="session")
def make_results() -> Callable[..., list[dict]]:
    """Makes results of a cell and a condition from {lag: accuracy of each seed}; keywords replace other values."""

    def make(cell: str, condition: str, accuracies: dict[int, list[float]], **values) -> list[dict]:
        defaults = {
            "training_lags": "log_uniform" if condition.startswith("exploding") else "uniform",
            "steps": 100,
            "solved": False,
            "diverged": False,
            "loss": [1.0] * 20,
            "gradient_norm": [1.0],
            "update_norm": [0.1],
        }
        results = []
        for lag, of_seeds in accuracies.items():
            norms = [0.5**step for step in range(lag + 1)]
            gradients = {"state_gradients_before": norms, "state_gradients_after": norms}
            for seed, accuracy in enumerate(of_seeds):
                key = {"cell": cell, "condition": condition, "lag": lag, "seed": seed, "accuracy": accuracy}
                results.append(key | gradients | defaults | values)
        return results

    return make
