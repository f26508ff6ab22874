"""A small corpus, a small training, and finished runs that the tests share; see `tests.tasks.examples`."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tasks.serving import inference
from tasks.training.runs import Run
from tasks.translation import data
from tasks.translation.settings import TranslationSettings
from tasks.translation.task import TRANSLATION
from tests.tasks import examples


@pytest.fixture(scope="session")
def write_aligned() -> Callable[..., None]:
    """Writes pairs as two line-aligned files: folder, split, pairs."""
    return examples.write_aligned


@pytest.fixture(scope="session")
def sample_pairs() -> Callable[..., list[tuple[str, str]]]:
    """The pairs of a split of the sample, or its first ones: split, number."""
    return examples.sentence_pairs


@pytest.fixture(scope="session")
def corpus(small_tasks) -> Path:
    """A folder of line-aligned files: 1,500 pairs of the sample to train on, 60 to validate on, 200 to test on."""
    return small_tasks["translation"].run_data


@pytest.fixture(scope="session")
def prepared(corpus, tmp_path_factory) -> Callable[..., tuple[TranslationSettings, Run]]:
    """Prepares the corpus for training with groups of settings, once for each: -> settings and run, for reading."""
    found = {}

    def prepare(*, vocabulary: dict | None = None, training: dict | None = None) -> tuple[TranslationSettings, Run]:
        settings = TranslationSettings(
            data={"data": str(corpus), "source_lang": "en", "target_lang": "ko"},
            vocabulary={"vocabulary_size": 600, **(vocabulary or {})},
            training={"tokens_per_batch": 1000, **(training or {})},
        )
        key = json.dumps(vocabulary, sort_keys=True)
        if key not in found:
            found[key] = Run(tmp_path_factory.mktemp("prepared"))
            found[key].checkpoint.mkdir()
            data.prepare(settings, found[key])
        return settings, found[key]

    return prepare


@pytest.fixture(scope="session")
def train_pairs() -> list[tuple[str, str]]:
    """The training split: (source, target)."""
    return examples.sentence_pairs("train", 1500)


@pytest.fixture(scope="session")
def pairs() -> list[tuple[str, str]]:
    """The test split: (source, target)."""
    return examples.sentence_pairs("test", 200)


@pytest.fixture(scope="session")
def train(small_tasks) -> Callable:
    """Trains the small network on the small corpus, within this process; later options override earlier ones."""
    small = small_tasks["translation"]

    def run(folder: Path, *options, data: Path | str = small.data, languages=examples.LANGUAGES):
        network = small.options[len(examples.LANGUAGES) :]
        return small.command("train", "--data", data, *(languages or ()), "--run", folder, *network, *options)

    return run


@pytest.fixture(scope="session")
def finished_run(small_tasks, tmp_path_factory) -> Path:
    """A finished run, trained for long enough that its translations differ from each other."""
    return shutil.copytree(small_tasks["translation"].run(), tmp_path_factory.mktemp("runs") / "tiny")


@pytest.fixture(scope="module")
def translator(finished_run):
    """The predictor of the finished run, for tests that train nothing: a training ends its tokenizer."""
    return inference.load(TRANSLATION, finished_run)


@pytest.fixture(scope="module")
def answers(translator, pairs) -> list[dict]:
    """Its answers to the sources of the test split."""
    return list(translator.predict([source for source, _ in pairs]))


@pytest.fixture
def finished_copy(finished_run, tmp_path) -> Path:
    """A copy of it, to be changed."""
    return shutil.copytree(finished_run, tmp_path / "copy")


@pytest.fixture(scope="session")
def plain_run(small_tasks, tmp_path_factory) -> Path:
    """A finished run without attention."""
    return shutil.copytree(small_tasks["translation"].run("plain"), tmp_path_factory.mktemp("runs") / "plain")
