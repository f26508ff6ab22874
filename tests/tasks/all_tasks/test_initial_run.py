"""Training on from another run: its weights and vocabulary, with other data, and resumed when that run is gone."""

import csv
import shutil
import signal
from pathlib import Path

import numpy as np
import pytest

from tasks.training.checkpoint import load_model
from tasks.training.runs import Run
from tests.tasks.examples import write_csv
from tests.tasks.interruptions import interrupt_at

SHORT = ("--epochs", "1", "--steps-per-epoch", "2")


@pytest.fixture
def initial(small, tmp_path) -> Path:
    """A finished run that may be changed."""
    return shutil.copytree(small.untrained_run, tmp_path / "initial")


def train(small, run: Path, *options):
    """Trains with no other options than these: the others are those of the initial run."""
    return small.command("train", "--run", run, *options)


def weights(run: Path) -> list[np.ndarray]:
    return load_model(Run(run)).get_weights()


def assert_same_weights(one: Path, two: Path) -> None:
    for ours, theirs in zip(weights(one), weights(two), strict=True):
        assert np.array_equal(ours, theirs)


@pytest.mark.slow
def test_it_begins_with_the_weights_the_vocabulary_and_the_settings_of_the_other_run(
    small, initial, contents, tmp_path, caplog
):
    answer = train(small, tmp_path / "run", "--initial-run", initial, *SHORT, "--seed", "7", "--learning-rate", "1e-9")
    assert answer.code == 0, answer.err
    assert f"trained on from the weights of {initial}" in caplog.text
    for ours, theirs in zip(weights(tmp_path / "run"), weights(initial), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)
    assert contents(tmp_path / "run" / "vocabulary") == contents(initial / "vocabulary")
    stored, before = Run(tmp_path / "run").stored(), Run(initial).stored()
    assert stored["training"].pop("initial_run") == str(initial)
    assert {**stored, "training": {}} == {**before, "training": {}}
    changed = {name for name, value in stored["training"].items() if value != before["training"][name]}
    assert changed == {"epochs", "steps_per_epoch", "seed", "learning_rate"}
    assert not (tmp_path / "run" / "checkpoint").exists()


@pytest.mark.slow
def test_interrupted_it_goes_on_without_the_other_run(small, initial, tmp_path, monkeypatch):
    options = ("--initial-run", initial, "--epochs", "2", "--steps-per-epoch", "2", "--dropout", "0.2", "--seed", "7")
    if small.name == "translation":
        options += ("--bleu-epochs", "0")
    assert train(small, tmp_path / "undisturbed", *options).code == 0
    interrupt_at(monkeypatch, "on_train_batch_end", 1, 0, signal.SIGINT)
    train(small, tmp_path / "run", *options).error(130)
    shutil.rmtree(initial)
    if small.name == "chargen":  # another run has taken its name
        assert small.train(initial, *SHORT, "--units", "4").code == 0
    answer = train(small, tmp_path / "run", *options)
    assert answer.code == 0, answer.err
    assert_same_weights(tmp_path / "run", tmp_path / "undisturbed")


@pytest.mark.slow
def test_a_run_can_train_on_from_itself(small_tasks, tmp_path):
    small = small_tasks["chargen"]
    run = shutil.copytree(small.untrained_run, tmp_path / "run")
    assert train(small, tmp_path / "other", "--initial-run", run, *SHORT).code == 0
    answer = train(small, run, "--initial-run", run, *SHORT, "--overwrite")
    assert answer.code == 0, answer.err
    assert_same_weights(run, tmp_path / "other")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other", "run"]


@pytest.mark.parametrize("option", ["--units", "--embedding-size"])
def test_settings_that_do_not_fit_the_weights_are_refused_with_both_values(small, initial, tmp_path, option):
    message = train(small, tmp_path / "run", "--initial-run", initial, option, "24").error()
    name = option[2:].replace("-", "_")
    before = next(group[name] for group in Run(initial).stored().values() if name in group)
    assert f"--initial-run {initial}: {name} was {before} there and is now 24" in message and option in message
    assert not (tmp_path / "run").exists()


def test_a_run_that_cannot_be_trained_on_from_is_refused(small, small_tasks, initial, tmp_path):
    other = small_tasks["sentiment" if small.name == "chargen" else "chargen"].untrained_run
    assert f"not of {small.name}" in train(small, tmp_path / "run", "--initial-run", other).error()
    assert "no such run" in train(small, tmp_path / "run", "--initial-run", tmp_path / "nowhere").error()
    several = train(small, tmp_path / "run", "--initial-run", initial, initial.with_name("other")).error()
    assert str(initial.with_name("other")) in several
    Run(initial).checkpoint.mkdir()
    message = train(small, tmp_path / "run", "--initial-run", initial).error()
    assert f"--initial-run: {initial} is not finished" in message
    assert [path.name for path in tmp_path.iterdir()] == ["initial"]


def test_a_finished_run_says_how_to_train_on(small, initial):
    assert f"add --initial-run {initial}; --epochs are then further epochs" in small.train(initial).error()


def test_a_comparison_is_refused_before_its_first_training(small, initial, tmp_path):
    command = (
        "compare",
        "--run",
        tmp_path / "sizes",
        "--initial-run",
        initial,
        "--cells",
        "lstm,gru",
        "--units",
        "8,24",
    )
    assert "--initial-run" in small.command(*command).error()
    assert not (tmp_path / "sizes").exists()


# --- other data ------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_changed_data_are_prepared_again_with_the_vocabulary_of_the_run_that_is_gone(
    small_tasks, contents, tmp_path, monkeypatch, caplog
):
    small = small_tasks["sentiment"]
    initial = shutil.copytree(small.untrained_run, tmp_path / "initial")
    vocabulary, data = contents(initial / "vocabulary"), shutil.copytree(small.data, tmp_path / "data")
    interrupt_at(monkeypatch, "on_train_batch_end", 0, 0, signal.SIGINT)
    options = ("--initial-run", initial, "--data", data, *SHORT)
    train(small, tmp_path / "run", *options).error(130)
    shutil.rmtree(initial)
    with open(data / "train.csv", "a") as file:
        file.write("quite new words,positive\n")
    answer = train(small, tmp_path / "run", *options)
    assert answer.code == 0 and "train.csv has changed" in caplog.text, answer.err
    assert contents(tmp_path / "run" / "vocabulary") == vocabulary


@pytest.mark.slow
def test_a_class_that_the_other_run_lacks_is_an_error_and_one_without_texts_is_none(small_tasks, tmp_path):
    small = small_tasks["sentiment"]
    rows = [(f"text {number}", "positive") for number in range(40)]
    write_csv(tmp_path / "one.csv", rows)
    options = ("--initial-run", small.untrained_run, *SHORT, "--class-weight", "balanced")
    answer = train(small, tmp_path / "one", *options, "--data", tmp_path / "one.csv")
    assert answer.code == 0, answer.err
    write_csv(tmp_path / "new.csv", [*rows, *((f"more {number}", "lukewarm") for number in range(40))])
    message = train(small, tmp_path / "new", *options, "--data", tmp_path / "new.csv").error()
    assert "lukewarm" in message and "negative" in message


@pytest.mark.slow
def test_n_grams_of_other_data_are_those_of_the_other_run(small_tasks, tmp_path):
    small = small_tasks["sentiment"]
    answer = train(small, tmp_path / "run", "--initial-run", small.run("tiny"), "--data", "sample", *SHORT)
    assert answer.code == 0, answer.err
    ours, theirs = (load_model(Run(run)).wide for run in (tmp_path / "run", small.run("tiny")))
    assert ours.size == theirs.size > 0 and np.array_equal(ours.keys, theirs.keys)
    assert np.array_equal(ours.counts, theirs.counts)


def test_word_vectors_and_the_weights_of_a_run_exclude_each_other(small_tasks, tmp_path):
    small = small_tasks["sentiment"]
    options = ("--initial-run", small.untrained_run, "--vectors", "words.vec")
    assert "vectors=words.vec does not go with initial_run" in train(small, tmp_path / "run", *options).error()


@pytest.mark.slow
def test_characters_that_the_other_run_does_not_know_are_reported(small_tasks, tmp_path, caplog):
    small = small_tasks["chargen"]
    (tmp_path / "greek.txt").write_text("The queen ate the αβγ\n" * 100)
    options = ("--initial-run", small.untrained_run, "--data", tmp_path / "greek.txt", *SHORT)
    assert train(small, tmp_path / "run", *options).code == 0
    assert "does not know 3 of the characters of the training text, 14% of it" in caplog.text


def test_a_translator_is_not_trained_on_in_the_other_direction(small_tasks, tmp_path):
    small = small_tasks["translation"]
    options = ("--initial-run", small.untrained_run, "--source-lang", "ko", "--target-lang", "en")
    assert "translates en to ko, not ko to en" in train(small, tmp_path / "run", *options).error()


@pytest.mark.slow
def test_the_larger_limit_of_the_length_is_kept(small_tasks, tmp_path):
    small = small_tasks["translation"]
    initial = shutil.copytree(small.untrained_run, tmp_path / "initial")
    (initial / "vocabulary" / "length_ratio.json").write_text('{"max_length_ratio": 77.0}')
    rows = [(f"{number}.", f"{number}.") for number in range(200)]
    with open(tmp_path / "pairs.csv", "w", newline="") as file:
        csv.writer(file).writerows([("en", "ko"), *rows])
    answer = train(
        small,
        tmp_path / "run",
        "--initial-run",
        initial,
        "--data",
        tmp_path / "pairs.csv",
        *SHORT,
        "--bleu-epochs",
        "0",
    )
    assert answer.code == 0, answer.err
    assert "77.0" in (tmp_path / "run" / "vocabulary" / "length_ratio.json").read_text()
