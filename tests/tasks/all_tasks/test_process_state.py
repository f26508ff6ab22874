"""A kernel or a program that calls the project keeps its random numbers, precision and settings of libraries."""

import csv
import importlib
import logging
import os
import random
import signal
import threading
import warnings
from collections.abc import Callable

import keras
import matplotlib
import numpy as np
import pytest
import tensorflow as tf
from matplotlib import font_manager
from tensorflow.python.framework import config

from tasks.cli.parsing import train_arguments
from tasks.errors import UserError
from tasks.serving.evaluate import evaluate
from tasks.serving.export import export
from tasks.serving.inference import load
from tasks.training import fit
from tasks.training.checkpoint import load_model
from tasks.training.runs import Run
from tasks.training.train import train
from tests.tasks.interruptions import interrupt_at

# Imports all modules but the samples, after the libraries; prints what that has changed.
IMPORTS = """
import csv, importlib, logging, os, pkgutil, random, signal, sys, warnings
import gensim.models, keras, matplotlib.pyplot, sacrebleu, sklearn.linear_model, tensorflow_datasets, tensorflow_text
import tyro
from matplotlib import font_manager

def state():
    return {
        "rcParams": {name: str(value) for name, value in dict.items(matplotlib.rcParams)},
        "fonts": len(font_manager.fontManager.ttflist), "csv": csv.field_size_limit(), "environment": dict(os.environ),
        "filters": list(map(str, warnings.filters)), "random": random.getstate(), "path": list(sys.path),
        "signals": [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)],
        "root": (logging.root.level, list(logging.root.handlers)),
        "levels": {name: logging.getLogger(name).level for name in ("tensorflow", "absl", "gensim", "matplotlib")},
    }

import models, tasks
before = state()
for package in (models, tasks):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if "__main__" not in module.name and ".samples" not in module.name:
            importlib.import_module(module.name)
print("changed:", [name for name, value in state().items() if value != before[name]])
"""
LOGGERS = ("", "tensorflow", "absl", "gensim")


def drawn() -> list:
    """Draw from every global random generator."""
    return [random.random(), np.random.random(), float(tf.random.uniform(())), float(keras.random.uniform(()))]


def state() -> dict:
    """Settings that hold for the whole process."""
    loggers = [logging.getLogger(name) for name in LOGGERS]
    return {
        "policy": keras.mixed_precision.global_policy().name,
        "rcParams": {name: str(value) for name, value in dict.items(matplotlib.rcParams)},
        "fonts": len(font_manager.fontManager.ttflist),
        "csv": csv.field_size_limit(),
        "signals": [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)],
        "loggers": [(one.level, list(one.filters), list(one.handlers)) for one in loggers],
        "warnings": list(map(str, warnings.filters)),
        "environment": dict(os.environ),
        "threads": [tf.config.threading.get_intra_op_parallelism_threads(), threading.active_count()],
    }


@pytest.fixture
def unchanged():
    """Calls a function, and checks that the state of the process is the same afterwards."""
    policy = keras.mixed_precision.global_policy()

    def check(function: Callable[[], object], raises: type[BaseException] | None = None) -> None:
        config.disable_op_determinism()  # another test may have left it on
        tf.get_logger()  # TensorFlow sets the logger up when it is first used
        keras.mixed_precision.set_global_policy("mixed_bfloat16")
        keras.utils.set_random_seed(7)
        expected = [drawn(), drawn()]
        keras.utils.set_random_seed(7)
        assert drawn() == expected[0]
        before = state()
        if raises is None:
            function()
        else:
            with pytest.raises(raises):
                function()
        assert state() == before
        assert drawn() == expected[1]
        # With op determinism, TensorFlow refuses a random number without a seed.
        tf.random.set_seed(None)
        tf.random.uniform(())

    yield check
    keras.mixed_precision.set_global_policy(policy)


def small_settings(small, *options):
    arguments = ["--data", small.data, "--run", "r", *small.options, "--steps-per-epoch", "2", *options]
    return train_arguments(small.task, "train", list(map(str, arguments))).settings


@pytest.mark.slow
def test_importing_everything_changes_nothing(process):
    out, err = process("-c", IMPORTS).communicate()
    assert out.decode().splitlines()[-1:] == ["changed: []"], err.decode()


@pytest.mark.slow
def test_the_process_is_as_it_was_after_each_call(small, unchanged, tmp_path):
    run, settings = tmp_path / "run", small_settings(small)
    unchanged(lambda: train(small.task, settings, run, verbose=0))
    unchanged(lambda: list(load(small.task, run).predict(["A fine film."])))
    unchanged(lambda: evaluate(small.task, run, split="validation"))
    unchanged(lambda: export(small.task, run, tmp_path / "exported"))
    unchanged(lambda: list(load(small.task, tmp_path / "exported").predict(["A fine film."])))
    explain = importlib.import_module(f"tasks.{small.name}.explain").explain
    unchanged(lambda: explain(run, "A fine film.", picture=tmp_path / "picture.png"))


@pytest.mark.slow
def test_repeated_explanations_write_no_warning_of_tensorflow(small_tasks, caplog):
    run = small_tasks["sentiment"].untrained_run
    for _ in range(6):  # after five, it warns that a function was traced again
        importlib.import_module("tasks.sentiment.explain").explain(run, "A fine film.")
    assert "retracing" not in caplog.text


@pytest.mark.slow
def test_the_process_is_as_it_was_after_a_training_that_fails_or_is_interrupted(
    small_tasks, unchanged, tmp_path, monkeypatch
):
    small = small_tasks["sentiment"]
    settings = small_settings(small, "--precision", "mixed_float16")
    with monkeypatch.context() as patched:
        interrupt_at(patched, "on_train_batch_end", 0, 1, signal.SIGINT)
        unchanged(lambda: train(small.task, settings, tmp_path / "run", verbose=0), KeyboardInterrupt)
    finished = small.untrained_run
    unchanged(lambda: train(small.task, settings, finished, verbose=0), UserError)
    with monkeypatch.context() as patched:
        patched.setattr(small.task, "build", lambda *arguments: 1 / 0, raising=False)
        unchanged(lambda: train(small.task, settings, tmp_path / "other", verbose=0), ZeroDivisionError)


@pytest.mark.slow
def test_a_second_training_in_another_thread_is_refused_and_leaves_the_first_alone(small_tasks, tmp_path, monkeypatch):
    small = small_tasks["sentiment"]
    train(small.task, small_settings(small), tmp_path / "alone", verbose=0)
    called, refused = fit.fit, []

    def second() -> None:
        settings = small_settings(small, "--seed", "5", "--precision", "mixed_bfloat16")
        try:
            train(small.task, settings, tmp_path / "second", verbose=0)
        except UserError as error:
            refused.append(str(error))
        load(small.task, small.untrained_run)  # which changes no seed of the training

    def meanwhile(*arguments, **named):
        thread = threading.Thread(target=second)
        thread.start()
        thread.join()
        return called(*arguments, **named)

    monkeypatch.setattr(fit, "fit", meanwhile)
    train(small.task, small_settings(small), tmp_path / "first", verbose=0)
    [message] = refused
    assert f"training in {tmp_path}/first already" in message and "separate process" in message
    assert not (tmp_path / "second").exists()
    alone, first = (load_model(Run(tmp_path / name)).get_weights() for name in ("alone", "first"))
    for one, other in zip(alone, first, strict=True):
        assert np.array_equal(one, other)
    monkeypatch.undo()
    train(small.task, small_settings(small), tmp_path / "second", verbose=0)  # the lock is free again
