"""Trainings killed at random moments end with the weights of one that nobody disturbed, bit for bit.

KILLS in the environment says how often it is killed, twenty times by default; KILLS_SEED chooses other moments.
"""

import csv
import os
import random
import time
from pathlib import Path

import keras
import numpy as np
import pytest

import models.classifier  # noqa: F401  its layers, for Keras to find them
from tasks.runs import Run

KILLS = int(os.environ.get("KILLS", "20"))
SEED = int(os.environ.get("KILLS_SEED", "0"))

# All that has a state of its own: three kinds of dropout, running averages, n-gram vocabularies, momentum.
OPTIONS = (
    *("--epochs", "5", "--tokens-per-batch", "256", "--units", "16", "--embedding-size", "16"),
    *("--dropout", "0.2", "--recurrent-dropout", "0.2", "--spatial-dropout", "0.2", "--head-dropout", "0.2"),
    *("--average-weights", "0.9", "--wide-ngrams", "2", "--ngrams", "2", "--ngram-dropout", "0.2"),
    *("--schedule", "cosine", "--checkpoint-minutes", "0.005"),
)


@pytest.fixture(scope="module")
def arguments(tiny, corpus):
    return ["-m", "tasks.sentiment", "train", "--data", corpus, *tiny, *OPTIONS]


@pytest.fixture(scope="module")
def undisturbed(process, arguments, tmp_path_factory):
    """The run of a training that nobody disturbed, and the seconds it took."""
    folder = tmp_path_factory.mktemp("undisturbed") / "run"
    began = time.monotonic()
    training = process(*arguments, "--run", folder)
    _, err = training.communicate()
    assert training.returncode == 0, err.decode()
    return Run(folder), time.monotonic() - began


def weights(run: Run):
    return keras.saving.load_model(run.model_file, compile=False).get_weights()


def history(run: Run):
    with open(run.history_file, newline="") as file:
        return [{name: value for name, value in row.items() if name != "seconds"} for row in csv.DictReader(file)]


def assert_same(run: Run, other: Run):
    for one, two in zip(weights(run), weights(other), strict=True):
        assert one.dtype == two.dtype and np.array_equal(one, two)
    assert history(run) == history(other)
    for name in ("sentencepiece.model", "labels.json"):
        assert (run.vocabulary / name).read_bytes() == (other.vocabulary / name).read_bytes()


def wait_for(condition, training, patience):
    """Waits until the condition holds; False if the training ends or patience does."""
    end = time.monotonic() + patience
    while time.monotonic() < end and training.poll() is None:
        if condition():
            return True
        time.sleep(0.0005)
    return False


def kill_at(moment: str, training, folder: Path, chance: random.Random, seconds: float) -> str:
    """Sends SIGKILL at such a moment; says what was found there."""
    run = Run(folder)
    if moment == "any time":
        time.sleep(chance.uniform(0.0, seconds))
    elif moment == "set-up":
        name = chance.choice(["settings.json", "vocabulary", "train", "wide_ngrams*"])
        wait_for(lambda: any(folder.rglob(f".writing-{name}")), training, seconds)
    elif moment == "in an epoch":
        before = run.state_file.stat().st_mtime_ns if run.state_file.exists() else 0
        wait_for(lambda: run.state_file.exists() and run.state_file.stat().st_mtime_ns != before, training, 3 * seconds)
        time.sleep(chance.uniform(0.0, 0.5))
    else:
        name = chance.choice([".writing-state.npz", ".writing-model.keras"])
        wait_for(lambda: any(folder.rglob(name)), training, 3 * seconds)
    training.kill()
    training.communicate()
    return "finished already" if training.returncode == 0 else f"left {sorted(map(str, left(folder)))}"


def left(folder: Path):
    return [path.relative_to(folder) for path in folder.rglob(".*")]


def test_killed_again_and_again_it_ends_with_the_same_weights(process, arguments, undisturbed, tmp_path):
    whole, seconds = undisturbed
    chance, folder = random.Random(SEED), tmp_path / "run"
    moments = ["set-up", "in an epoch", "while writing", "any time"]
    killed = 0
    for number in range(KILLS):
        moment = moments[number % len(moments)]
        found = kill_at(moment, process(*arguments, "--run", folder), folder, chance, seconds)
        killed += "finished" not in found
        print(f"kill {number + 1}: {moment}, {found}")
        if not killed or Run(folder).finished:
            break
    assert killed, "the training ended before it was killed"
    training = process(*arguments, "--run", folder)
    _, err = training.communicate()
    assert training.returncode == 0 or b"finished already" in err, err.decode()
    print(f"{killed} kills; then: {err.decode().splitlines()[2:3]}")
    assert_same(Run(folder), whole)
    assert not left(folder)


def test_killed_with_overwrite_the_old_run_stays_until_the_new_one_is_finished(
    process, train, sentiment, arguments, undisturbed, tmp_path
):
    whole, seconds = undisturbed
    folder = tmp_path / "run"
    assert train(folder, "--epochs", "1").code == 0
    before = Run(folder).model_file.read_bytes()
    command = [*arguments, "--run", folder, "--overwrite"]
    training = process(*command)
    state = Run(tmp_path / ".overwriting-run").state_file
    assert wait_for(state.exists, training, 3 * seconds)
    training.kill()
    training.communicate()
    assert Run(folder).finished and Run(folder).model_file.read_bytes() == before
    assert sentiment("predict", "--run", folder, "A good film.").code == 0
    training = process(*command)
    _, err = training.communicate()
    assert training.returncode == 0 and b"going on at epoch" in err
    assert_same(Run(folder), whole)
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
