"""A character model's training, killed at random moments, ends with the weights of one that nobody disturbed."""

import pytest

KILLS = 4

# The state is carried from batch to batch, and all else has a state of its own: dropouts, averages, momentum.
OPTIONS = (
    *("--epochs", "4", "--batch-size", "2", "--window", "20", "--units", "16", "--layers", "2", "--stateful"),
    *("--embedding-dropout", "0.2", "--layer-dropout", "0.2", "--output-dropout", "0.2", "--recurrent-dropout", "0.2"),
    *("--average-weights", "0.9", "--checkpoint-minutes", "0.005"),
)


@pytest.mark.parametrize("carried", ["--stateful", "--no-stateful"])
def test_killed_again_and_again_it_ends_with_the_same_weights(disturbance, tiny, text_file, tmp_path, carried):
    arguments = ["-m", "tasks.chargen", "train", "--data", text_file, *tiny, *OPTIONS, carried]
    trainings = disturbance(arguments, tmp_path / "undisturbed", ["settings.json", "vocabulary", "train.npy"])
    run = trainings.train_killed(tmp_path / "run", KILLS if carried == "--stateful" else KILLS // 2)
    trainings.assert_same(run)
    assert not list(run.path.rglob(".*"))
