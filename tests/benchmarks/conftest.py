"""Measurements: run with `make benchmarks`. They print what they find, and nothing is asserted about it."""

from pathlib import Path

import pytest


def pytest_addoption(parser):
    parser.addoption(
        "--corpora",
        type=Path,
        default=Path(__file__).parents[2] / "corpora",
        help="the folder with nsmc/ratings_train.txt",
    )
    parser.addoption("--rounds", type=int, default=3, help="how often two ways are measured in turn")
    parser.addoption(
        "--translation-run",
        type=Path,
        default=Path(__file__).parents[2] / "runs" / "multi30k",
        help="a finished run of the translation task, with its data at hand",
    )
    parser.addoption("--steps", type=int, default=150, help="training steps of a measurement")


@pytest.fixture
def rounds(request) -> int:
    return request.config.getoption("--rounds")


@pytest.fixture
def steps(request) -> int:
    return request.config.getoption("--steps")


@pytest.fixture
def nsmc(request) -> Path:
    """Korean film reviews: tab-separated, columns id, document, label."""
    path = request.config.getoption("--corpora") / "nsmc" / "ratings_train.txt"
    if not path.exists():
        pytest.skip(f"{path} is not there; name the folder with --corpora")
    return path


@pytest.fixture
def translation_run(request) -> Path:
    """A finished run of the translation task."""
    path = request.config.getoption("--translation-run")
    if not path.exists():
        pytest.skip(f"{path} is not there; name a run with --translation-run")
    return path


@pytest.fixture
def report(capfd):
    """Prints a line past pytest's capturing."""

    def say(line: str) -> None:
        with capfd.disabled():
            print(line)

    return say
