"""A small corpus, the settings of a small training, and one finished run that the tests share."""

import csv
import itertools
from collections.abc import Callable
from pathlib import Path

import pytest

from tasks.sentiment.data import SAMPLE

# A network so small that an epoch of the small corpus takes a fraction of a second.
TINY = (
    *("--units", "8", "--embedding-size", "8", "--max-tokens", "40", "--vocabulary-size", "300"),
    *("--epochs", "2", "--tokens-per-batch", "2048", "--learning-rate", "0.01"),
)


@pytest.fixture(scope="session")
def tiny() -> tuple[str, ...]:
    """The options of the small network."""
    return TINY


@pytest.fixture(scope="session")
def write_csv() -> Callable[..., Path]:
    def write(path: Path, rows, header=("text", "label")) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([header, *rows])
        return path

    return write


def read_csv(path: Path) -> list[tuple[str, str]]:
    with open(path, encoding="utf-8", newline="") as file:
        return [(row["text"], row["label"]) for row in csv.DictReader(file)]


@pytest.fixture(scope="session")
def corpus(tmp_path_factory, write_csv) -> Path:
    """A folder with 400 reviews of the sample to train on, 100 to validate on, and its 1,000 test reviews."""
    folder = tmp_path_factory.mktemp("corpus")
    for split, number in (("train", 400), ("validation", 100), ("test", 1000)):
        rows = itertools.islice(read_csv(SAMPLE / f"{split}.csv"), number)
        write_csv(folder / f"{split}.csv", rows)
    return folder


@pytest.fixture(scope="session")
def reviews(corpus) -> list[tuple[str, str]]:
    """The test split: (text, label)."""
    return read_csv(corpus / "test.csv")


@pytest.fixture(scope="session")
def train(sentiment, corpus) -> Callable:
    """Trains the small network on the small corpus, within this process; later options beat earlier ones."""

    def run(folder: Path, *options, data: Path = corpus):
        return sentiment("train", "--data", data, "--run", folder, *TINY, *options)

    return run


@pytest.fixture(scope="session")
def finished_run(train, tmp_path_factory) -> Path:
    """A finished run, for reading only: with both paths, so that its answers differ from text to text."""
    folder = tmp_path_factory.mktemp("runs") / "tiny"
    answer = train(folder, "--wide-ngrams", "2", "--epochs", "3")
    assert answer.code == 0, answer.err
    return folder
