"""A translator's training, killed at random moments, ends with the weights of one that nobody disturbed."""

KILLS = 4

# All that has a state of its own: sampled segmentation, dropouts, averages, momentum, BLEU in some epochs.
OPTIONS = (
    *("--source-lang", "en", "--target-lang", "ko", "--epochs", "6", "--segmentation-alpha", "0.3"),
    *("--dropout", "0.2", "--recurrent-dropout", "0.2", "--embedding-dropout", "0.2", "--output-dropout", "0.2"),
    *("--average-weights", "0.9", "--bleu-epochs", "3", "--checkpoint-minutes", "0.005"),
)


def test_killed_again_and_again_it_ends_with_the_same_weights(disturbance, tiny, small_corpus, tmp_path):
    arguments = ["-m", "tasks.translation", "train", "--data", small_corpus, *tiny, *OPTIONS]
    parts = ["settings.json", "vocabulary", "train", "words", "*_ways.npz", "prepared"]
    trainings = disturbance(arguments, tmp_path / "undisturbed", parts)
    run = trainings.train_killed(tmp_path / "run", KILLS)
    trainings.assert_same(run)
    assert not list(run.path.rglob(".*"))
