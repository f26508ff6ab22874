"""Measurements: run with `make benchmarks`. They print what they measure, and assert nothing about it."""

from pathlib import Path

import pytest


def pytest_addoption(parser):
    parser.addoption(
        "--corpora",
        type=Path,
        default=Path(__file__).parents[2] / "corpora",
        help="the folder with nsmc/ratings_train.txt",
    )
    parser.addoption("--rounds", type=int, default=3, help="number of rounds in which the alternatives take turns")
    parser.addoption(
        "--translation-run",
        type=Path,
        default=Path(__file__).parents[2] / "runs" / "multi30k",
        help="a finished run of the translation task whose data can be read",
    )
    parser.addoption("--former", type=Path, help="another checkout of this project, whose commands are measured too")
    parser.addoption("--serving-model", type=Path, help="an exported classifier of sentiment that is served")
    parser.addoption("--serving-chargen", type=Path, help="an exported character model that is served")
    parser.addoption("--serving-translation", type=Path, help="an exported translation model that is served")
    parser.addoption("--load-seconds", type=float, default=5.0, help="seconds of each measurement under load")
    parser.addoption("--load-requests", type=int, default=100_000, help="requests until the memory is measured last")
    parser.addoption("--shard-texts", type=int, default=200_000, help="texts that are answered in 40 shards")
    parser.addoption("--beam-python", type=Path, help="the Python of an environment with the extra beam")
    parser.addoption("--steps", type=int, default=150, help="training steps of each measurement")


@pytest.fixture
def rounds(request) -> int:
    return request.config.getoption("--rounds")


@pytest.fixture
def steps(request) -> int:
    return request.config.getoption("--steps")


@pytest.fixture
def load_seconds(request) -> float:
    return request.config.getoption("--load-seconds")


@pytest.fixture
def load_requests(request) -> int:
    return request.config.getoption("--load-requests")


@pytest.fixture
def former(request) -> Path | None:
    """Another checkout of this project."""
    return request.config.getoption("--former")


@pytest.fixture
def nsmc(request) -> Path:
    """Korean film reviews: tab-separated, columns id, document, label."""
    path = request.config.getoption("--corpora") / "nsmc" / "ratings_train.txt"
    if not path.exists():
        pytest.skip(f"{path} does not exist; name the folder with --corpora")
    return path


@pytest.fixture
def translation_run(request) -> Path:
    """A finished run of the translation task."""
    path = request.config.getoption("--translation-run")
    if not path.exists():
        pytest.skip(f"{path} does not exist; name a run with --translation-run")
    return path


@pytest.fixture
def report(capfd):
    """Prints a line although pytest captures the output."""

    def print_line(line: str) -> None:
        with capfd.disabled():
            print(line)

    return print_line
