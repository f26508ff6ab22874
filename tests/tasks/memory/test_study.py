"""The whole command: tables, claims and files, resuming, errors, and the documentation of its options."""

import csv
import json
import logging
import random
import re
import signal
import time
from pathlib import Path

import keras
import pytest
import tensorflow as tf
from tensorflow.python.framework import config

import tasks.memory
from tasks.memory.experiments import STANDARD, Experiment, make_condition
from tasks.memory.settings import MemoryArguments
from tasks.memory.study import run_study
from tasks.memory.training import ExperimentRunner


def lines(folder) -> list[bytes]:
    """The lines of results.jsonl."""
    file = folder / "results.jsonl"
    return file.read_bytes().splitlines() if file.exists() else []


@pytest.fixture(scope="module")
def study(memory, small, tmp_path_factory):
    """A finished study of all claims: its folder, its options, and the answer of the command."""
    folder = tmp_path_factory.mktemp("memory") / "run"
    options = ("--run", folder, "--cells", "lstm,simple_rnn", "--lags", "2", "--explosion-lag", "20", *small)
    options += ("--training-lags", "uniform")
    return folder, options, memory(*options)


@pytest.mark.slow
def test_the_command_prints_and_stores_what_it_measures(study):
    folder, _, answer = study
    assert answer.code == 0
    for part in (
        "Accuracy",
        "chance level 0.250",
        "d loss / d state",
        "Exploding gradients",
        "An LSTM's forget gate bias of 1 helps",
    ):
        assert part in answer.out
    with open(folder / "accuracy.csv", newline="") as file:
        table = {(row["cell"], row["condition"]): float(row["accuracy"]) for row in csv.DictReader(file)}
    assert len(table) == len(lines(folder)) == 9
    for result in map(json.loads, lines(folder)):
        assert table[result["cell"], result["condition"]] == result["accuracy"]
    plots = {path.name for path in (folder / "plots").iterdir()}
    assert {"accuracy.png", "state_gradients.png", "clipping_accuracy.png", "explosion.png"} <= plots
    assert all(str(folder / "plots" / name) in answer.out for name in plots)


@pytest.mark.slow
def test_a_repeated_command_measures_nothing_and_can_answer_in_json(memory, study):
    folder, options, _ = study
    before = lines(folder)
    answer = memory(*options, "--json")
    assert lines(folder) == before
    printed = json.loads(answer.out)
    assert len(printed["accuracy"]) == 9 and len(printed["explosion"]) == 2
    assert set(printed["claims"]) == {"memory", "clipping", "initializer", "forget_bias"}
    assert json.loads((folder / "claims.json").read_text()) == printed["claims"]


@pytest.mark.slow
def test_experiments_can_be_added_and_other_settings_are_refused(memory, study):
    folder, options, _ = study
    before = lines(folder)
    refused = memory(*options, "--learning-rate", "0.001")
    assert refused.code == 2 and lines(folder) == before
    for part in ("learning_rate was 0.01 and is now 0.001", "--run", "--overwrite"):
        assert part in refused.err
    more = ("--cells", "simple_rnn", "--studies", "memory", "--lags", "2,3", "--training-lags", "uniform,fixed")
    assert memory(*options, *more).code == 0 and lines(folder)[: len(before)] == before
    added = [json.loads(line) for line in lines(folder)[len(before) :]]
    assert [(row["training_lags"], row["lag"]) for row in added] == [("uniform", 3), ("fixed", 2), ("fixed", 3)]
    other = ("--cells", "simple_rnn", "--studies", "memory", "--lags", "1", "--overwrite", "--steps", "1")
    assert memory(*options, *other).code == 0
    assert [json.loads(line)["steps"] for line in lines(folder)] == [1]
    assert not (folder / "plots" / "explosion.png").exists()


@pytest.mark.slow
def test_a_killed_study_continues_with_the_stored_results(memory, process, small, tmp_path, caplog):
    options = ("--run", tmp_path / "run", "--cells", "simple_rnn", "--lags", "2,3,4,5,6", "--studies", "memory", *small)
    options += ("--training-lags", "uniform")
    killed = process("-m", "tasks.memory", *options)
    deadline = time.monotonic() + 120
    while len(lines(tmp_path / "run")) < 2 and killed.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert killed.returncode == -signal.SIGKILL
    finished = lines(tmp_path / "run")
    assert 2 <= len(finished) < 5
    with caplog.at_level(logging.INFO):
        assert memory(*options).code == 0
    assert lines(tmp_path / "run")[: len(finished)] == finished  # also their seconds
    assert sum("stored result" in message for message in caplog.messages) == len(finished)
    assert sorted(json.loads(line)["lag"] for line in lines(tmp_path / "run")) == [2, 3, 4, 5, 6]
    # The killed process measured the same as this one does.
    first = json.loads(finished[0])
    arguments = MemoryArguments(units=16, symbols=4, steps=50)
    runner, standard = ExperimentRunner(arguments), make_condition(STANDARD, "uniform", arguments)
    runner.run(Experiment("simple_rnn", standard, 3, 1))  # does not change the result of the next experiment
    again = runner.run(Experiment("simple_rnn", standard, 2, 0))
    assert first | {"seconds": 0} == again | {"seconds": 0}


# --- errors

ERRORS = {
    "an unknown cell": (["--cells", "lstm,rnn"], ["--cells", "'rnn'", "lstm, gru, simple_rnn"]),
    "no cell": (["--cells", ""], ["--cells", "empty"]),
    "an unknown study": (["--studies", "clip"], ["--studies", "'clip'", "did you mean clipping"]),
    "an unknown distribution": (["--training-lags", "uniform,log"], ["--training-lags", "'log'", "log_uniform"]),
    "no seeds": (["--seeds", "0"], ["--seeds", "0", "greater than or equal to 1"]),
    "a lag twice, written in two ways": (["--lags", "2,02"], ["--lags", "names 2 twice"]),
    "a lag of zero": (["--lags", "5,0"], ["--lags", "0 is not a valid lag", "minimum is 1"]),
    "a negative lag": (["--lags", "-5,10"], ["--lags", "-5 is not a valid lag"]),
    "lags that are not numbers": (["--lags", "5,ten"], ["--lags", "'ten' is not an integer"]),
    "a lag that is not an integer": (["--lags", "2.5"], ["--lags", "'2.5' is not an integer"]),
    "no lags": (["--lags", ""], ["--lags", "empty"]),
    "an empty lag": (["--lags", "5,,10"], ["--lags", "'5,,10' has an empty part"]),
    "a lag twice": (["--lags", "5,5"], ["--lags", "names 5 twice"]),
    "one symbol": (["--symbols", "1"], ["--symbols", "greater than or equal to 2"]),
    "an unknown initializer": (["--random-initializers", "zeros,gauss"], ["--random-initializers", "gauss"]),
}


@pytest.mark.parametrize("name", ERRORS)
def test_the_message_names_the_wrong_option(memory, tmp_path, name):
    options, parts = ERRORS[name]
    answer = memory("--run", tmp_path / "run", *options)
    assert answer.code == 2 and answer.err.startswith("error: ") and "Traceback" not in answer.err
    for part in parts:
        assert part in answer.err
    assert not (tmp_path / "run").exists()


def test_a_folder_of_something_else_is_not_changed(memory, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    for options in ((), ("--overwrite",)):
        answer = memory("--run", tmp_path, *options)
        assert answer.code == 2 and "name another folder with --run" in answer.err
    assert "is a file" in memory("--run", tmp_path / "notes.txt", "--overwrite").err
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "settings.json").write_text('{"task": "sentiment"}')
    assert "is a run of the task sentiment" in memory("--run", tmp_path / "run", "--overwrite").err
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["settings.json"]


def test_damaged_results_are_reported(memory, small, tmp_path):
    settings = {"task": "memory", **MemoryArguments(units=16, symbols=4, steps=50).result_settings}
    (tmp_path / "settings.json").write_text(json.dumps(settings))
    (tmp_path / "results.jsonl").write_text('{"cell": "lstm"\n')
    answer = memory("--run", tmp_path, *small)
    assert answer.code == 2 and "results.jsonl:1 is not a result" in answer.err and "--overwrite" in answer.err


@pytest.mark.slow
def test_in_python_a_study_leaves_the_process_as_it_was_and_is_opened_when_it_is_run_again(tmp_path):
    config.disable_op_determinism()  # another test may have left it on
    random.seed(1)
    before, policy = random.getstate(), keras.mixed_precision.global_policy()
    options = {"run": str(tmp_path), "studies": "memory", "cells": "gru", "lags": "2", "training_lags": "fixed"}
    arguments = MemoryArguments(**options, units=4, symbols=3, steps=2)
    run_study(arguments, reopen=True)
    assert random.getstate() == before and keras.mixed_precision.global_policy() == policy
    tf.random.set_seed(None)
    tf.random.uniform(())  # with op determinism an error: there is no seed
    results = lines(tmp_path)
    run_study(arguments, reopen=True)
    assert lines(tmp_path) == results
    run_study(arguments.model_copy(update={"units": 5}), reopen=True)
    assert len(lines(tmp_path)) == 1 and lines(tmp_path) != results


# --- documentation


def test_the_readme_lists_each_option_as_its_docstring_does():
    readme = Path(tasks.memory.__file__).with_name("README.md").read_text(encoding="utf-8")
    expected = []
    for name, field in MemoryArguments.model_fields.items():
        default = "no" if field.default is False else str(field.default)
        option = name.strip("_").replace("_", "-")
        expected.append(f"| `--{option}` | {default} | {' '.join(field.description.split())} |")
    assert re.findall(r"^\| `--.*\|$", readme, re.MULTILINE) == expected
