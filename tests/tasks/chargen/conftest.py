"""A small text, the options of a small training, and one finished run that the tests share."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

# A network so small that an epoch of the small text takes a fraction of a second.
TINY = (
    *("--units", "16", "--embedding-size", "8", "--epochs", "2", "--batch-size", "8", "--window", "20"),
    *("--learning-rate", "0.01", "--length", "30", "--evaluation-length", "40", "--temperatures", "0", "1"),
)
LINES = [
    f"{person} {verb} the {thing}{end}\n"
    for end in ".!?"
    for person in ("A miller", "The queen", "Old Tom", "나그네가", "My café")
    for verb in ("saw", "sold", "ate", "찾은")
    for thing in ("bread", "moon", "mill", "책을 값비싼", "naïve fox 😀")
]


@pytest.fixture(scope="session")
def tiny() -> tuple[str, ...]:
    """The options of the small network."""
    return TINY


@pytest.fixture(scope="session")
def text_file(tmp_path_factory) -> Path:
    """A text of some 8,000 characters, English and Korean, with emoji."""
    path = tmp_path_factory.mktemp("text") / "lines.txt"
    path.write_text("".join(LINES), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def train(chargen, text_file) -> Callable:
    """Trains the small network on the small text, within this process; later options beat earlier ones."""

    def run(folder: Path, *options, data: Path | str = text_file):
        return chargen("train", "--data", data, "--run", folder, *TINY, *options)

    return run


@pytest.fixture(scope="session")
def finished_run(train, tmp_path_factory) -> Path:
    """A finished run, for reading only."""
    folder = tmp_path_factory.mktemp("runs") / "tiny"
    answer = train(folder, "--epochs", "6", "--layers", "2", "--prompts", "The queen", "My ")
    assert answer.code == 0, answer.err
    return folder


@pytest.fixture(scope="session")
def jamo_run(train, tmp_path_factory) -> Path:
    """A finished run that reads Hangul as jamo, for reading only."""
    folder = tmp_path_factory.mktemp("runs") / "jamo"
    answer = train(folder, "--hangul", "jamo", "--cell", "gru", "--epochs", "6")
    assert answer.code == 0, answer.err
    return folder


@pytest.fixture(scope="session")
def shakespeare() -> str:
    """The source of Tiny Shakespeare."""
    folder = os.environ.get("TFDS_DATA_DIR")
    if not folder or not (Path(folder) / "tiny_shakespeare").is_dir():
        pytest.skip("needs tiny_shakespeare, prepared in the folder that TFDS_DATA_DIR names")
    return "tfds:tiny_shakespeare"


@pytest.fixture(scope="session")
def downloads(shakespeare) -> Path:
    """A download cache of TensorFlow Datasets with the original file."""
    folder = Path(os.environ["TFDS_DATA_DIR"]) / "downloads"
    if not list(folder.glob("tiny_shakespeare/*.txt")):
        pytest.skip("needs the file of tiny_shakespeare in `downloads` of the folder that TFDS_DATA_DIR names")
    return folder
