"""A small text, a small training, and finished runs that the tests share; see `tests.tasks.examples`."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tasks.chargen.task import CHARGEN
from tasks.serving import inference


@pytest.fixture(scope="session")
def text_file(small_tasks) -> Path:
    """A text of about 8,000 characters, English and Korean, with emoji."""
    return small_tasks["chargen"].data


@pytest.fixture(scope="session")
def train(small_tasks) -> Callable:
    """Trains the small network on the small text, within this process; later options override earlier ones."""
    return small_tasks["chargen"].train


@pytest.fixture(scope="session")
def finished_run(small_tasks, tmp_path_factory) -> Path:
    """A finished run."""
    return shutil.copytree(small_tasks["chargen"].run(), tmp_path_factory.mktemp("runs") / "tiny")


@pytest.fixture(scope="session")
def generator(finished_run):
    """The predictor of the finished run."""
    return inference.load(CHARGEN, finished_run)


@pytest.fixture(scope="session")
def jamo_run(small_tasks, tmp_path_factory) -> Path:
    """A finished run that reads Hangul as jamo."""
    return shutil.copytree(small_tasks["chargen"].run("jamo"), tmp_path_factory.mktemp("runs") / "jamo")


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
