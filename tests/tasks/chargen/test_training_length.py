"""The default amount of training fits the text, and after each epoch some lines show what the model has learned."""

import itertools
import json
import math
import signal
from types import SimpleNamespace

import numpy as np
import pytest

from tasks.chargen.settings import ChargenSettings
from tasks.chargen.training_length import passes, resolve_epochs
from tasks.training.callbacks import TrainingCallback
from tasks.training.checkpoint import load_model
from tasks.training.runs import Run

CHARACTERS_PER_STEP = 32 * 32


def resolved(characters: int, **training):
    steps = characters // CHARACTERS_PER_STEP
    data = SimpleNamespace(steps_per_pass=steps, tokens_per_pass=steps * CHARACTERS_PER_STEP)
    settings, reason = resolve_epochs(ChargenSettings(training=training), data)
    assert bool(reason) == (training.get("epochs") is None)
    return settings.training


def steps_of(characters: int) -> int:
    training = resolved(characters)
    return training.epochs * (training.steps_per_epoch or characters // CHARACTERS_PER_STEP)


def test_a_longer_text_is_read_less_often_and_in_more_steps():
    lengths = [10_000, 15_000, 75_000, 100_000, 200_000, 320_000, 400_000, 1_000_000, 10_000_000, 100_000_000]
    found = [passes(length)[0] for length in lengths]
    assert found == sorted(found, reverse=True) and (found[0], found[-1]) == (30, pytest.approx(1.18, abs=0.01))
    steps = list(map(steps_of, lengths))
    assert all(one <= 1.15 * more for one, more in itertools.pairwise(steps)), steps
    # 15 KB of text got 104 steps, and 200 KB of Korean 576, when there were always eight passes.
    assert steps[1] >= 400 and steps[2] >= 1500
    assert passes(10**12)[0] == 1


def test_the_bundled_sample_is_read_eight_times_with_a_validation_after_each():
    training = resolved(318_500)
    assert (training.epochs, training.steps_per_epoch) == (8, None)


def test_what_is_asked_for_is_kept():
    assert resolved(15_000, epochs=3).epochs == 3
    part = resolved(15_000, steps_per_epoch=50)
    assert part.steps_per_epoch == 50 and part.epochs == math.floor(30 * 14 / 50 + 0.5)


@pytest.fixture
def train_auto(chargen, text_file):
    def train(run, *options):
        small = ("--units", "8", "--embedding-size", "8", "--batch-size", "64", "--window", "20", "--dropout", "0.2")
        small += ("--no-unroll",)
        return chargen("train", "--data", text_file, "--run", run, *small, *options)

    return train


@pytest.mark.slow
def test_a_resolved_training_is_stored_and_continues_after_an_interruption(train_auto, tmp_path, monkeypatch, caplog):
    called, left = TrainingCallback.on_train_batch_end, [1, 1]

    def interrupt(self, *arguments, **named):
        if left and self.progress.epoch >= 3 - len(left):
            left.pop()
            signal.raise_signal(signal.SIGINT)
        return called(self, *arguments, **named)

    assert train_auto(tmp_path / "undisturbed", "--sample-lines", "0").code == 0
    assert (
        "--epochs auto: 10 epochs of 24 steps, 30 passes over the text; a text this short is then known" in caplog.text
    )
    assert "samples after" not in caplog.text
    run = Run(tmp_path / "run")
    monkeypatch.setattr(TrainingCallback, "on_train_batch_end", interrupt)
    train_auto(run.path, "--sample-lines", "0").error(130)
    stored = json.loads(run.settings_file.read_text())["training"]
    assert (stored["epochs"], stored["steps_per_epoch"]) == (10, 24)
    assert "epochs was 10 and is now 4" in train_auto(run.path, "--sample-lines", "0", "--epochs", "4").error()
    train_auto(run.path, "--sample-lines", "0", "--settings", run.settings_file).error(130)
    assert train_auto(run.path, "--sample-lines", "0").code == 0
    assert len(run.history()) == 10
    for one, two in zip(*(load_model(r).get_weights() for r in (run, Run(tmp_path / "undisturbed"))), strict=True):
        assert np.array_equal(one, two)


@pytest.mark.slow
def test_lines_are_logged_after_each_epoch_and_change_nothing(train_auto, tmp_path, caplog):
    few = ("--epochs", "3", "--steps-per-epoch", "30", "--learning-rate", "0.02")
    assert train_auto(tmp_path / "a", *few, "--sample-lines", "2").code == 0
    samples = [message.splitlines() for message in caplog.messages if message.startswith("samples after")]
    assert [lines[0] for lines in samples] == [f"samples after epoch {epoch}:" for epoch in (1, 2, 3)]
    assert all(1 <= len(lines) - 1 <= 2 and len(line) <= 84 for lines in samples for line in lines)
    assert samples[0] != samples[2]
    assert train_auto(tmp_path / "b", *few, "--sample-lines", "0").code == 0
    for one, two in zip(*(load_model(Run(tmp_path / name)).get_weights() for name in "ab"), strict=True):
        assert np.array_equal(one, two)
