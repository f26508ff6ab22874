"""Trainings killed at random moments end with the weights of one that nobody disturbed, bit for bit.

KILLS in the environment repeats the kills; KILLS_SEED chooses other moments.
"""

import os
import shutil
import signal
from typing import NamedTuple

import pytest

from tasks.training.runs import Run
from tests.tasks.disturbance import Disturbance, assert_same
from tests.tasks.interruptions import interrupt_at

pytestmark = pytest.mark.slow


class Training(NamedTuple):
    """A training in which everything that has a state occurs.

    Attributes:
        task: The task.
        moments: When it is killed, one moment after the other.
        parts: Files and folders that its preparation writes, at whose writing it is killed.
        options: Of `train`.
    """

    task: str
    moments: tuple[str, ...]
    parts: tuple[str, ...]
    options: tuple[str, ...]


DROPOUTS = ("--recurrent-dropout", "0.2", "--embedding-dropout", "0.2", "--output-dropout", "0.2")
ALWAYS = (*DROPOUTS, "--ema-momentum", "0.9", "--checkpoint-minutes", "0.005")
CHARGEN = (
    *("--epochs", "3", "--steps-per-epoch", "60", "--batch-size", "4", "--window", "10", "--units", "16"),
    *("--layers", "2", "--layer-dropout", "0.2", "--sample-lines", "1", "--unroll", *ALWAYS),
)
TRAININGS = {
    # N-gram vocabularies, their dropout, momentum, adversarial training.
    "sentiment": Training(
        "sentiment",
        ("set-up", "in an epoch", "while writing"),
        ("settings.json", "vocabulary", "train", "wide_ngrams*"),
        (
            *("--epochs", "3", "--steps-per-epoch", "15", "--tokens-per-batch", "256", "--units", "16"),
            *("--bidirectional", "--embedding-size", "16", "--wide-ngrams", "2", "--wide-features", "log_count_ratios"),
            *("--ngrams", "2", "--ngram-dropout", "0.2", "--schedule", "cosine", "--dropout", "0.2", *ALWAYS),
            *("--adversarial-epsilon", "0.02"),
        ),
    ),
    # The state is carried from batch to batch.
    "chargen": Training(
        "chargen",
        ("set-up", "in an epoch"),
        ("settings.json", "vocabulary", "train.npy"),
        (*CHARGEN, "--stateful"),
    ),
    # Sampled segmentation, and BLEU in some epochs.
    "translation": Training(
        "translation",
        ("set-up", "while writing", "any time"),
        ("settings.json", "vocabulary", "train", "words", "*_segmentations.npz", "prepared"),
        (
            *("--bidirectional", "--epochs", "4", "--steps-per-epoch", "12", "--subword-regularization", "0.3"),
            *("--bleu-epochs", "3", "--bleu-pairs", "20", "--dropout", "0.2", *ALWAYS),
        ),
    ),
}


@pytest.fixture(scope="module", params=TRAININGS)
def training(request) -> Training:
    return TRAININGS[request.param]


@pytest.fixture(scope="module")
def disturbed(training, process, small_tasks, tmp_path_factory) -> Disturbance:
    small = small_tasks[training.task]
    arguments = ["--data", small.data, *small.options, *training.options]
    return Disturbance(process, small, arguments, tmp_path_factory.mktemp("undisturbed") / "run", training.parts)


def test_killed_again_and_again_it_ends_with_the_same_weights(training, disturbed, tmp_path):
    run = disturbed.train_killed(tmp_path / "run", training.moments * int(os.environ.get("KILLS", 1)))
    disturbed.assert_same(run)
    assert not list(run.path.rglob(".*"))


@pytest.mark.parametrize("options", [("--no-stateful",), ("--records", "lines")], ids=["windows", "records"])
def test_interrupted_in_an_epoch_it_ends_with_the_same_weights(small_tasks, tmp_path, monkeypatch, options):
    small, options = small_tasks["chargen"], (*CHARGEN, "--steps-per-epoch", "8", *options)
    assert small.train(tmp_path / "undisturbed", *options).code == 0
    with monkeypatch.context() as patched:
        interrupt_at(patched, "on_train_batch_end", 1, 5, signal.SIGTERM)
        small.train(tmp_path / "run", *options).error(143)
    assert small.train(tmp_path / "run", *options).code == 0
    assert_same(Run(tmp_path / "run"), Run(tmp_path / "undisturbed"))


@pytest.mark.parametrize("training", ["sentiment"], indirect=True)
def test_killed_with_overwrite_the_old_run_stays_until_the_new_one_is_finished(small_tasks, disturbed, tmp_path):
    small = small_tasks["sentiment"]
    folder = shutil.copytree(small.untrained_run, tmp_path / "run")
    before = Run(folder).model_file.read_bytes()
    training = disturbed.start(folder, "--overwrite")
    state = Run(tmp_path / ".overwriting-run").state_file
    assert disturbed.wait_for(state.exists, training)
    training.kill()
    training.communicate()
    assert Run(folder).finished and Run(folder).model_file.read_bytes() == before
    assert small.command("predict", "--run", folder, "A good film.").code == 0
    assert "resuming at epoch" in disturbed.finish(folder, "--overwrite")
    disturbed.assert_same(Run(folder))
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
