"""A small corpus, a small training, and one finished run that the tests share; see `tests.tasks.examples`."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tasks.sentiment.task import SENTIMENT
from tasks.serving import inference
from tests.tasks import examples
from tests.tasks.conftest import written_once

# Of the language models.
UNITS = 12


@pytest.fixture(scope="session")
def write_csv() -> Callable[..., Path]:
    """Writes a table: path, rows, header."""
    return examples.write_csv


@pytest.fixture(scope="session")
def corpus(small_tasks) -> Path:
    """A folder with 400 reviews of the sample to train on, 100 to validate on, and its 1,000 test reviews."""
    return small_tasks["sentiment"].data


WORDS = {"bad": "no", "awful": "no", "good": "yes", "lovely": "yes"}


@pytest.fixture(scope="session")
def easy(tmp_path_factory, write_csv) -> Path:
    """A folder of reviews whose label follows from one word."""
    folder = tmp_path_factory.mktemp("easy")
    for split, number in (("train", 160), ("validation", 40)):
        words = [list(WORDS)[index % 4] for index in range(number)]
        write_csv(folder / f"{split}.csv", [(f"a {word} film", WORDS[word]) for word in words])
    return folder


@pytest.fixture(scope="session")
def reviews() -> list[tuple[str, str]]:
    """The test split: (text, label)."""
    return examples.reviews("test", 1000)


@pytest.fixture(scope="session")
def train(small_tasks) -> Callable:
    """Trains the small network on the small corpus, within this process; later options override earlier ones."""
    return small_tasks["sentiment"].train


@pytest.fixture(scope="session")
def finished_run(small_tasks, tmp_path_factory) -> Path:
    """A finished run: with both paths, so that its answers differ from text to text."""
    return shutil.copytree(small_tasks["sentiment"].run(), tmp_path_factory.mktemp("runs") / "tiny")


@pytest.fixture(scope="module")
def classifier(finished_run):
    """The predictor of the finished run, for tests that train nothing: a training ends its tokenizer."""
    return inference.load(SENTIMENT, finished_run)


@pytest.fixture(scope="module")
def answers(classifier, reviews) -> list[dict]:
    """Its answers to the test split."""
    return list(classifier.predict([text for text, _ in reviews]))


@pytest.fixture(scope="session")
def language_model(small_tasks):
    """Trains a small language model on the reviews of the corpus, once for each name; returns its run."""
    chargen, data = small_tasks["chargen"].command, small_tasks["sentiment"].data / "train.csv"

    def train(name: str, *options) -> Path:
        def write(folder: Path) -> None:
            answer = chargen(
                *("train", "--data", data, "--text-column", "text", "--run", folder, "--tokenizer", "sentencepiece"),
                *("--vocabulary-size", "300", "--units", UNITS, "--embedding-size", "8", "--tied-embeddings"),
                *("--epochs", "1", "--steps-per-epoch", "4", "--validation-steps", "1", "--batch-size", "16"),
                *("--sample-lines", "0", *options),
            )
            assert answer.code == 0, answer.err

        return written_once(small_tasks["sentiment"]._folder / f"lm-{name}", write)

    return train
