"""What a training prepares does not depend on the number of processes that prepare it, and an interrupt ends them."""

import os
import shutil
import signal
import time

import pytest

from models.recurrent_settings import Settings
from tasks.cli.parsing import train_arguments
from tasks.data import record_cache
from tasks.sentiment import ngram_parts
from tasks.training import prepared, runs
from tasks.training.runs import Run
from tests.tasks.examples import LINES, TRAINED_WIDE_PATH, reviews, sentence_pairs, write_aligned, write_csv
from tests.tasks.processes import children, wait_until_ended

PIECES = ("--tokenizer", "sentencepiece", "--text-column", "text", "--vocabulary-size", "60", "--batch-size", "4")


def write_shards(task: str, folder) -> tuple[str, ...]:
    """Writes five shards without splits; returns further options."""
    if task == "translation":
        for number in range(5):
            write_aligned(folder, f"train-{number}", sentence_pairs("train", 400)[number::5])
        return ("--source-lang", "en", "--target-lang", "ko", "--subword-regularization", "0.1")
    rows = reviews("train", 500) if task == "sentiment" else [(line.strip(), "") for line in LINES]
    for number in range(5):
        write_csv(folder / f"part-{number}.csv", rows[number::5])
    return TRAINED_WIDE_PATH + ("--ngrams", "2", "--ngram-min-texts", "1") if task == "sentiment" else PIECES


def prepare(small, run, *options, processes: int | None = None) -> tuple[Settings, Run]:
    arguments = ["--run", run, *small.options, *options]
    settings = train_arguments(small.task, "train", list(map(str, arguments))).settings
    begun = runs.begin(run, small.name, settings)
    return prepared.prepare(small.task, settings, begun, processes=processes), begun


@pytest.mark.parametrize("task", ["sentiment", "chargen", "translation"])
def test_preparation_does_not_depend_on_the_number_of_processes(small_tasks, tmp_path, monkeypatch, contents, task):
    small, options = small_tasks[task], write_shards(task, tmp_path / "data")
    options = ("--data", tmp_path / "data", *options)
    prepare(small, tmp_path / "plain", *options, processes=1)
    monkeypatch.setattr(record_cache, "MIN_BYTES", 1)
    monkeypatch.setattr(ngram_parts, "MIN_TOKENS", 1)
    expected = contents(tmp_path / "plain")
    assert any(path.name == "training_texts.npz" for path in expected)
    for processes in (1, 3):
        prepare(small, tmp_path / str(processes), *options, processes=processes)
        assert contents(tmp_path / str(processes)) == expected
    assert not children(os.getpid())


@pytest.mark.parametrize("task", ["sentiment", "chargen", "translation"])
def test_what_is_prepared_is_all_that_a_training_needs_of_the_data(small_tasks, tmp_path, task):
    small, options = small_tasks[task], write_shards(task, tmp_path / "data")
    options += ("--bleu-epochs", "1", "--bleu-pairs", "4") if task == "translation" else ()
    settings, run = prepare(small, tmp_path / "run", "--data", tmp_path / "data", *options)
    shutil.rmtree(tmp_path / "data")
    network = small.task.build(settings, small.task.open_data(settings, run), run)
    assert (network.validation_metrics is not None) == (task == "translation")
    if network.validation_metrics:
        assert 0 <= network.validation_metrics(1)["bleu"] <= 100


@pytest.mark.slow
def test_an_interrupt_ends_the_preparation_and_leaves_nothing(process, small_tasks, tmp_path):
    text = "a review of many words " * 40
    for shard in range(4):
        write_csv(tmp_path / "data" / f"part-{shard}.csv", [(f"{row} {text}", row % 2) for row in range(8000)])
    run = tmp_path / "run"
    command = ("-m", "tasks.sentiment", "train", "--data", tmp_path / "data", "--run", run, "--processes", "2")
    started = process(*command, *small_tasks["sentiment"].options)
    while not (working := children(started.pid)) and started.poll() is None:
        time.sleep(0.05)
    started.send_signal(signal.SIGINT)
    _, err = started.communicate()
    assert started.returncode == 130
    assert err.decode().strip().endswith("error: interrupted; the same command resumes it")
    wait_until_ended(working)
    assert not [*run.rglob(".writing-*")]
