"""A small corpus, the options of a small training, and one finished run that the tests share."""

import csv
import itertools
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from tasks.translation.data import SAMPLE

# A network so small that an epoch of the small corpus takes a second.
TINY = (
    *("--units", "32", "--embedding-size", "32", "--max-tokens", "40", "--vocabulary-size", "600"),
    *("--epochs", "2", "--tokens-per-batch", "500", "--learning-rate", "0.004", "--bleu-pairs", "20"),
)


def _write_aligned(folder: Path, split: str, pairs: Iterable[tuple[str, str]]) -> None:
    pairs = list(pairs)
    folder.mkdir(parents=True, exist_ok=True)
    for side, language in enumerate(("en", "ko")):
        text = "".join(f"{pair[side]}\n" for pair in pairs)
        (folder / f"{split}.{language}").write_text(text, encoding="utf-8")


def _sample_pairs(split: str, number: int | None = None) -> list[tuple[str, str]]:
    with open(SAMPLE / f"{split}.csv", encoding="utf-8", newline="") as file:
        return [(row["en"], row["ko"]) for row in itertools.islice(csv.DictReader(file), number)]


@pytest.fixture(scope="session")
def write_aligned() -> Callable[..., None]:
    """Writes pairs as two line-aligned files: folder, split, pairs."""
    return _write_aligned


@pytest.fixture(scope="session")
def sample_pairs() -> Callable[..., list[tuple[str, str]]]:
    """The pairs of a split of the sample, or its first ones: split, number."""
    return _sample_pairs


@pytest.fixture(scope="session")
def tiny() -> tuple[str, ...]:
    """The options of the small network."""
    return TINY


@pytest.fixture(scope="session")
def corpus(tmp_path_factory) -> Path:
    """A folder of line-aligned files: 1,500 pairs of the sample to train on, 60 to validate on, 200 to test on."""
    folder = tmp_path_factory.mktemp("corpus")
    for split, number in (("train", 1500), ("validation", 60), ("test", 200)):
        _write_aligned(folder, split, _sample_pairs(split, number))
    return folder


@pytest.fixture(scope="session")
def small_corpus(tmp_path_factory) -> Path:
    """The same with 300 pairs to train on: an epoch of it takes half a second."""
    folder = tmp_path_factory.mktemp("small_corpus")
    for split, number in (("train", 300), ("validation", 60), ("test", 20)):
        _write_aligned(folder, split, _sample_pairs(split, number))
    return folder


@pytest.fixture(scope="session")
def pairs(corpus) -> list[tuple[str, str]]:
    """The test split: (source, target)."""
    return _sample_pairs("test", 200)


@pytest.fixture(scope="session")
def train(translation, small_corpus) -> Callable:
    """Trains the small network on the small corpus, within this process; later options beat earlier ones."""

    def run(folder: Path, *options, data: Path | str = small_corpus, languages=("en", "ko")):
        names = ("--source-lang", languages[0], "--target-lang", languages[1]) if languages else ()
        return translation("train", "--data", data, *names, "--run", folder, *TINY, *options)

    return run


@pytest.fixture(scope="session")
def finished_run(train, corpus, tmp_path_factory) -> Path:
    """A finished run, for reading only: trained for long enough that its translations differ from each other."""
    folder = tmp_path_factory.mktemp("runs") / "tiny"
    options = ("--epochs", "8", "--coverage-penalty", "0.1", "--beam-size", "4")
    answer = train(folder, *options, data=corpus)
    assert answer.code == 0, answer.err
    return folder


@pytest.fixture
def finished_copy(finished_run, tmp_path) -> Path:
    """A copy of it, to be changed."""
    return shutil.copytree(finished_run, tmp_path / "copy")


@pytest.fixture(scope="session")
def plain_run(train, corpus, tmp_path_factory) -> Path:
    """A finished run without attention, for reading only."""
    folder = tmp_path_factory.mktemp("runs") / "plain"
    answer = train(folder, "--epochs", "1", "--attention", "none", "--cell", "lstm", "--bleu-epochs", "0", data=corpus)
    assert answer.code == 0, answer.err
    return folder
