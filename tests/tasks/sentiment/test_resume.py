"""Trainings killed at random moments end with the weights of one that nobody disturbed, bit for bit.

KILLS in the environment says how often it is killed, ten times by default; KILLS_SEED chooses other moments.
"""

import pytest

import models.classifier  # noqa: F401  its layers, for Keras to find them
from tasks.training.runs import Run

# All that has a state of its own: three kinds of dropout, running averages, n-gram vocabularies, momentum.
OPTIONS = (
    *("--epochs", "5", "--tokens-per-batch", "256", "--units", "16", "--embedding-size", "16"),
    *("--dropout", "0.2", "--recurrent-dropout", "0.2", "--spatial-dropout", "0.2", "--head-dropout", "0.2"),
    *("--average-weights", "0.9", "--wide-ngrams", "2", "--ngrams", "2", "--ngram-dropout", "0.2"),
    *("--schedule", "cosine", "--checkpoint-minutes", "0.005"),
)


@pytest.fixture(scope="module")
def trainings(disturbance, tiny, corpus, tmp_path_factory):
    arguments = ["-m", "tasks.sentiment", "train", "--data", corpus, *tiny, *OPTIONS]
    parts = ["settings.json", "vocabulary", "train", "wide_ngrams*"]
    return disturbance(arguments, tmp_path_factory.mktemp("undisturbed") / "run", parts)


def test_killed_again_and_again_it_ends_with_the_same_weights(trainings, tmp_path):
    run = trainings.train_killed(tmp_path / "run")
    trainings.assert_same(run)
    assert not list(run.path.rglob(".*"))


def test_killed_with_overwrite_the_old_run_stays_until_the_new_one_is_finished(
    process, train, sentiment, trainings, tmp_path
):
    folder = tmp_path / "run"
    assert train(folder, "--epochs", "1").code == 0
    before = Run(folder).model_file.read_bytes()
    command = [*trainings.arguments, "--run", folder, "--overwrite"]
    training = process(*command)
    state = Run(tmp_path / ".overwriting-run").state_file
    assert trainings.wait_for(state.exists, training)
    training.kill()
    training.communicate()
    assert Run(folder).finished and Run(folder).model_file.read_bytes() == before
    assert sentiment("predict", "--run", folder, "A good film.").code == 0
    training = process(*command)
    _, err = training.communicate()
    assert training.returncode == 0 and b"going on at epoch" in err
    trainings.assert_same(Run(folder))
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
