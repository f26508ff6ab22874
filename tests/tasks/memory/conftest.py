"""The command line of recall within the test's process, settings of a small study, and results with made numbers."""

import contextlib
import io
from collections.abc import Callable
from typing import NamedTuple

import pytest

from tasks.cli.main import Command, run_single
from tasks.memory.settings import RecallArguments

# A training of a second.
SMALL = ("--units", "16", "--symbols", "4", "--steps", "50", "--seeds", "1")


class Answer(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture(scope="session")
def recall() -> Callable[..., Answer]:
    """Runs `python -m tasks.memory ARGUMENTS` within this process."""

    def run(*arguments) -> Answer:
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            command = Command("tasks.memory.recall:main", RecallArguments)
            code = run_single("recall", command, [str(argument) for argument in arguments])
        return Answer(code, out.getvalue(), err.getvalue())

    return run


@pytest.fixture(scope="session")
def small() -> tuple[str, ...]:
    """The options of a small study."""
    return SMALL


@pytest.fixture(scope="session")
def made() -> Callable[..., list[dict]]:
    """Results with such accuracies: cell, condition, {lag: accuracy of each seed}, and other figures of them all."""

    def make(cell: str, condition: str, accuracies: dict[int, list[float]], **figures) -> list[dict]:
        exploding = condition.startswith("exploding")
        usual = {
            "training_lags": "log_uniform" if exploding else "uniform",
            "steps": 100,
            "solved": False,
            "diverged": False,
            "loss": [1.0] * 20,
            "gradient_norm": [1.0],
            "update_norm": [0.1],
        }
        return [
            {"cell": cell, "condition": condition, "lag": lag, "seed": seed, "accuracy": accuracy}
            | {
                f"state_gradients_{when}": [0.5**distance for distance in range(lag + 1)]
                for when in ("before", "after")
            }
            | usual
            | figures
            for lag, values in accuracies.items()
            for seed, accuracy in enumerate(values)
        ]

    return make
