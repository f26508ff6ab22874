"""Trainings killed at random moments end with the weights of one that nobody disturbed, bit for bit.

KILLS in the environment changes how often they are killed; KILLS_SEED chooses other moments.
"""

import os
from typing import NamedTuple

import pytest

from tasks.training.runs import Run

pytestmark = pytest.mark.slow


class Training(NamedTuple):
    """A training in which everything that has a state occurs.

    Attributes:
        task: The task.
        kills: How often it is killed.
        parts: Files and folders that its preparation writes, at whose writing it is killed.
        options: Of `train`.
    """

    task: str
    kills: int
    parts: tuple[str, ...]
    options: tuple[str, ...]


DROPOUTS = ("--recurrent-dropout", "0.2", "--embedding-dropout", "0.2", "--output-dropout", "0.2")
ALWAYS = (*DROPOUTS, "--ema-momentum", "0.9", "--checkpoint-minutes", "0.005")
# The state is carried from batch to batch with --stateful.
CHARGEN = (
    *("--epochs", "4", "--batch-size", "2", "--window", "20", "--units", "16", "--layers", "2"),
    *("--layer-dropout", "0.2", "--sample-lines", "1", *ALWAYS),
)
CHARGEN_PARTS = ("settings.json", "vocabulary", "train.npy")
TRAININGS = {
    # N-gram vocabularies, their dropout, momentum.
    "sentiment": Training(
        "sentiment",
        4,
        ("settings.json", "vocabulary", "train", "wide_ngrams*"),
        (
            *("--epochs", "5", "--tokens-per-batch", "256", "--units", "16", "--embedding-size", "16"),
            *("--wide-ngrams", "2", "--wide-features", "log_count_ratios", "--ngrams", "2", "--ngram-dropout", "0.2"),
            *("--schedule", "cosine", "--dropout", "0.2", *ALWAYS),
        ),
    ),
    "chargen, stateful": Training("chargen", 4, CHARGEN_PARTS, (*CHARGEN, "--stateful")),
    "chargen, not stateful": Training("chargen", 2, CHARGEN_PARTS, (*CHARGEN, "--no-stateful")),
    "chargen, records": Training("chargen", 1, CHARGEN_PARTS, (*CHARGEN, "--records", "lines")),
    # Sampled segmentation, and BLEU in some epochs.
    "translation": Training(
        "translation",
        4,
        ("settings.json", "vocabulary", "train", "words", "*_segmentations.npz", "prepared"),
        (
            *("--epochs", "6", "--subword-regularization", "0.3", "--bleu-epochs", "3", "--bleu-pairs", "20"),
            *("--dropout", "0.2", *ALWAYS),
        ),
    ),
}


@pytest.fixture(scope="module", params=TRAININGS)
def training(request) -> Training:
    return TRAININGS[request.param]


@pytest.fixture(scope="module")
def disturbed(training, small_tasks, disturbance, tmp_path_factory):
    small = small_tasks[training.task]
    arguments = ["-m", f"tasks.{small.name}", "train", "--data", small.data, *small.options, *training.options]
    return disturbance(arguments, tmp_path_factory.mktemp("undisturbed") / "run", training.parts)


def test_killed_again_and_again_it_ends_with_the_same_weights(training, disturbed, tmp_path):
    run = disturbed.train_killed(tmp_path / "run", int(os.environ.get("KILLS", training.kills)))
    disturbed.assert_same(run)
    assert not list(run.path.rglob(".*"))


@pytest.mark.parametrize("training", ["sentiment"], indirect=True)
def test_killed_with_overwrite_the_old_run_stays_until_the_new_one_is_finished(
    process, small_tasks, disturbed, tmp_path
):
    folder, small = tmp_path / "run", small_tasks["sentiment"]
    assert small.train(folder, "--epochs", "1").code == 0
    before = Run(folder).model_file.read_bytes()
    command = [*disturbed.arguments, "--run", folder, "--overwrite"]
    training = process(*command)
    state = Run(tmp_path / ".overwriting-run").state_file
    assert disturbed.wait_for(state.exists, training)
    training.kill()
    training.communicate()
    assert Run(folder).finished and Run(folder).model_file.read_bytes() == before
    assert small.command("predict", "--run", folder, "A good film.").code == 0
    training = process(*command)
    _, err = training.communicate()
    assert training.returncode == 0 and b"resuming at epoch" in err
    disturbed.assert_same(Run(folder))
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
