"""Training: what the lecture notes' example learns, what a run contains, and that each option has its effect."""

import json
import shutil

import numpy as np
import pytest

from tasks.chargen.settings import ChargenSettings
from tasks.chargen.task import CHARGEN
from tasks.serving import inference
from tasks.training import runs
from tasks.training.runs import Run
from tasks.training.train import train as train_run

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("cell", ["lstm", "gru", "simple_rnn"])
def test_each_cell_learns_to_write_hello(chargen, train, tmp_path, cell):
    """After h comes e, after e l; after the first l another, and after the second o: that takes a memory."""
    (tmp_path / "hello.txt").write_text("hello" * 400)
    options = ("--cell", cell, "--epochs", "3", "--steps-per-epoch", "90", "--units", "32")
    assert train(tmp_path / "run", *options, data=tmp_path / "hello.txt").code == 0
    answer = chargen("generate", "--run", tmp_path / "run", "h", "--length", "4", "--temperature", "0")
    assert answer.out == "hello\n"


def test_a_finished_run_is_complete(finished_run):
    run = Run(finished_run)
    assert run.finished
    assert {path.name for path in finished_run.iterdir()} >= {
        *("settings.json", "vocabulary", "model.keras", "history.csv", "plots", "tensorboard")
    }
    history = run.history()
    assert len(history) == 6 and history[-1]["val_loss"] < history[0]["val_loss"]
    assert {"loss", "accuracy", "val_loss", "val_accuracy", "learning_rate", "seconds"} <= {*history[0]}


def test_the_validation_loss_is_that_of_evaluate(chargen, train, tmp_path):
    """Read at one place, from its beginning: the same characters, but for the first, which no window has."""
    assert train(tmp_path / "run", "--batch-size", "1", "--window", "50", "--epochs", "1").code == 0
    answer = chargen("evaluate", "--run", tmp_path / "run", "--split", "validation", "--json")
    found = json.loads(answer.out)
    [row] = Run(tmp_path / "run").history()
    # The mean over windows takes each as equal; they differ by one character at most.
    assert found["loss"] == pytest.approx(row["val_loss"], abs=0.02)


@pytest.mark.parametrize(
    "options",
    [
        ("--no-stateful",),
        ("--no-stateful", "--no-return-sequences", "--window-step", "3"),
        ("--no-return-sequences",),
        ("--tied-embeddings", "--layers", "2", "--residual", "--layer-dropout", "0.1", "--output-dropout", "0.1"),
        ("--dropout", "0.1", "--recurrent-dropout", "0.1", "--embedding-dropout", "0.1"),
        ("--ema-momentum", "0.9"),
        ("--unroll",),
        ("--cell", "gru", "--reset-after", "False", "--recurrent-initializer", "glorot_uniform"),
        ("--cell", "simple_rnn", "--activation", "relu", "--kernel-regularizer", "l2(0.0001)"),
        ("--min-count", "5", "--normalization", "identity"),
    ],
    ids=" ".join,
)
def test_a_training_with_options_lowers_the_loss(train, tmp_path, options):
    answer = train(tmp_path / "run", "--epochs", "3", *options)
    assert answer.code == 0, answer.err
    history = Run(tmp_path / "run").history()
    assert history[-1]["val_loss"] < history[0]["val_loss"]


def test_the_state_is_carried_if_stateful(train, tmp_path):
    """Each line says at its end what stood at its beginning, further back than a window."""
    chance = np.random.default_rng(0)
    lines = [f"{key}{'.' * 24}{key}\n" for key in chance.choice([*"abcdefgh"], 800)]
    (tmp_path / "keys.txt").write_text("".join(lines))
    loss = {}
    for option in ("--stateful", "--no-stateful"):
        # Windows of 54 characters hold two lines to train on; with the state carried all of them are seen in order.
        arguments = (option, "--unroll", "--window", "14", "--batch-size", "16", "--units", "32")
        arguments += ("--epochs", "4", "--steps-per-epoch", "380")
        assert train(tmp_path / option, *arguments, data=tmp_path / "keys.txt").code == 0
        loss[option] = min(row["val_loss"] for row in Run(tmp_path / option).history())
    # Without it the two keys of a line are predicted with probability 1/8 each: 2 ln 8 / 27 nats.
    assert loss["--no-stateful"] > 1.8 * np.log(8) / 27
    assert loss["--stateful"] < 0.95 * loss["--no-stateful"]


def test_a_training_whose_data_is_prepared_needs_the_source_no_more(text_file, tmp_path):
    source = tmp_path / "lines.txt"
    shutil.copy(text_file, source)
    settings = ChargenSettings(data={"data": str(source)}, recurrent={"units": 8}, training={"epochs": 1})
    run = runs.begin(tmp_path / "run", CHARGEN.name, settings)
    CHARGEN.prepare(settings, run)
    run.mark_prepared()
    source.unlink()
    characters = (run.vocabulary / "characters.json").read_bytes()
    run = train_run(CHARGEN, settings, run.path, verbose=0)
    assert run.finished and (run.vocabulary / "characters.json").read_bytes() == characters


def test_in_python_it_takes_two_calls(text_file, tmp_path):
    settings = ChargenSettings(
        data={"data": str(text_file)},
        recurrent={"cell": "gru", "units": 8, "return_sequences": True, "stateful": True},
        training={"epochs": 1, "batch_size": 4, "window": 20},
    )
    run = train_run(CHARGEN, settings, tmp_path / "run", verbose=0)
    [answer] = inference.load(CHARGEN, run.path).predict(["The "], length=9)
    assert answer["text"] == "The " + answer["continuation"] and len(answer["continuation"]) == 9


def test_a_run_of_another_task_is_refused(chargen, sentiment, finished_run, tmp_path):
    message = sentiment("predict", "--run", finished_run, "text").error()
    assert "is a run of the task chargen, not of sentiment" in message
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "settings.json").write_text('{"task": "sentiment"}')
    message = chargen("generate", "--run", tmp_path / "other", "text").error()
    assert "is a run of the task sentiment, not of chargen: python -m tasks.sentiment" in message
