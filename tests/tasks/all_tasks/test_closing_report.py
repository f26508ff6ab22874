"""What is said at the end of a training, and what is not said."""

import csv
import logging
from pathlib import Path

import pytest
import tensorflow as tf

from tasks.cli.registry import all_tasks
from tasks.data.library_logs import hidden_retracing_warnings
from tasks.metrics import ACCURACY, LOSS, Metric
from tasks.training.runs import Run
from tasks.training.train import closing_report

SENTIMENT = all_tasks()[0]


def run_with(folder: Path, values, column: str = "val_loss") -> Run:
    folder.mkdir(parents=True)
    with open(folder / "history.csv", "w", newline="") as file:
        csv.writer(file).writerows([("epoch", column), *enumerate(values, start=1)])
    return Run(folder)


@pytest.mark.parametrize(
    ("monitor", "values", "line"),
    [
        (
            LOSS,
            [0.9, 0.5, 0.7],
            "kept the weights of epoch 2 of 3, with the lowest val_loss, 0.5; it had started to rise, to 0.7 at "
            "epoch 3",
        ),
        (
            LOSS,
            [0.9, 0.5, 0.25],
            "kept the weights of epoch 3 of 3, with the lowest val_loss, 0.25; it was still falling, so more epochs "
            "may help (--epochs)",
        ),
        (
            ACCURACY,
            [0.5, 0.9, 0.9],
            "kept the weights of epoch 2 of 3, with the highest val_accuracy, 0.9; it was 0.9 at epoch 3",
        ),
        (
            LOSS,
            [3.9, 3.56674, 3.56713],
            "kept the weights of epoch 2 of 3, with the lowest val_loss, 3.567; it was 3.567 at epoch 3",
        ),
        (LOSS, [0.9], "kept the weights of epoch 1 of 1, with the lowest val_loss, 0.9"),
        (
            Metric("bleu", higher_is_better=True),
            ["", 31.5, ""],
            "kept the weights of epoch 2 of 3, with the highest val_bleu, 31.5; it was still rising, so more epochs "
            "may help (--epochs)",
        ),
    ],
)
def test_the_report_names_the_epoch_and_the_reason(tmp_path, monitor, values, line):
    report = closing_report(SENTIMENT, run_with(tmp_path / "run", values, monitor.column), monitor)
    assert report.splitlines()[0] == line


@pytest.mark.parametrize("task", all_tasks(), ids=lambda task: task.name)
def test_the_next_commands_can_be_copied(tmp_path, task):
    report = closing_report(task, run_with(tmp_path / "my run", [1.0]), LOSS)
    commands = [line.split() for line in report.splitlines()[2:]]
    assert [words[3] for words in commands] == ["evaluate", task.predict_command, "export"]
    assert all(words[2] == f"tasks.{task.name}" for words in commands)
    assert report.count(f"--run '{tmp_path}/my run'") == 3


def test_tensorflow_does_not_warn_of_retracing(caplog):
    def trace(function) -> None:
        traced = tf.function(function)
        for length in range(12):
            traced(list(range(length)))  # a list is traced again for each length

    logger = logging.getLogger("tensorflow")
    trace(lambda numbers: tf.constant(len(numbers)))
    assert "retracing" in caplog.text
    caplog.clear()
    with hidden_retracing_warnings():
        trace(lambda numbers: tf.constant(len(numbers) + 1))  # TensorFlow warns twice of each function
        logger.warning("another warning")
    assert "retracing" not in caplog.text and "another warning" in caplog.text


@pytest.mark.slow
def test_a_training_ends_with_the_report(sentiment_process, tmp_path):
    tiny = ["--units", "4", "--embedding-size", "4", "--max-tokens", "20", "--vocabulary-size", "600"]
    few = ["--epochs", "2", "--steps-per-epoch", "1"]
    answer = sentiment_process("train", "--run", tmp_path / "run", *tiny, *few)
    assert (answer.code, answer.out) == (0, f"{tmp_path}/run\n"), answer.err
    lines = answer.err.splitlines()
    assert lines[-5].startswith("kept the weights of epoch ") and "val_loss" in lines[-5]
    assert lines[-3] == f"  python -m tasks.sentiment evaluate --run {tmp_path}/run"
    assert "retracing" not in answer.err
