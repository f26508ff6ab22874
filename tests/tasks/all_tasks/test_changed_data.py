"""Prepared data belong to their source: if it changes, they are prepared again."""

import os
import shutil
import signal
from pathlib import Path

import pytest

from tasks.comparison import trainings
from tasks.errors import TrainingFailed
from tasks.training import source_files
from tasks.training.callbacks import TrainingCallback
from tasks.training.runs import Run


def copied(small, folder: Path) -> Path:
    """A copy of the small data, to be changed."""
    if small.data.is_dir():
        return shutil.copytree(small.data, folder / "data")
    return Path(shutil.copy(small.data, folder))


@pytest.fixture
def data(small, tmp_path) -> Path:
    return copied(small, tmp_path)


def training_file(data: Path) -> Path:
    return data if data.is_file() else sorted(data.glob("train.*"))[0]


def replace_letter(path: Path) -> None:
    """Changes the content but neither size nor time."""
    before = path.stat()
    header, *lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(header + b"".join(lines).replace(b"r", b"z"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size


def interrupted(small, monkeypatch, run: Path, data: Path, *options) -> None:
    """Leaves a training after its first step."""
    called = TrainingCallback.on_train_batch_end

    def interrupt(self, *arguments, **named):
        signal.raise_signal(signal.SIGINT)
        return called(self, *arguments, **named)

    with monkeypatch.context() as patched:
        patched.setattr(TrainingCallback, "on_train_batch_end", interrupt)
        small.train(run, *options, data=data).error(130)


SHORT = ("--epochs", "1", "--steps-per-epoch", "2")


@pytest.fixture(scope="module")
def trained_on_changed_data(small, tmp_path_factory) -> Run:
    """A training of nothing but the changed data."""
    folder = tmp_path_factory.mktemp("changed")
    data = copied(small, folder)
    replace_letter(training_file(data))
    assert small.train(folder / "run", *SHORT, data=data).code == 0
    return Run(folder / "run")


@pytest.mark.slow
def test_an_interrupted_training_reads_changed_data_again(
    small, data, trained_on_changed_data, contents, tmp_path, monkeypatch, caplog
):
    run, new = Run(tmp_path / "run"), trained_on_changed_data
    overwrite = ("--overwrite",) if small.name == "chargen" else ()  # which makes no difference
    interrupted(small, monkeypatch, run.path, data, *SHORT)
    replace_letter(training_file(data))
    assert small.train(run.path, *SHORT, *overwrite, data=data).code == 0
    assert f"{training_file(data)} has changed" in caplog.text
    assert contents(run.vocabulary) == contents(new.vocabulary)
    one, two = run.history()[0], new.history()[0]
    assert one["loss"] == two["loss"] and one["val_loss"] == two["val_loss"]


@pytest.mark.slow
def test_a_file_that_was_only_touched_is_not_read_again(small, data, tmp_path, monkeypatch, caplog):
    interrupted(small, monkeypatch, tmp_path / "run", data, *SHORT)
    os.utime(training_file(data), (1, 1))
    assert small.train(tmp_path / "run", *SHORT, data=data).code == 0
    assert "has changed" not in caplog.text and "resuming at epoch 1, step 2" in caplog.text


@pytest.mark.slow
def test_an_unfinished_overwriting_training_reads_changed_data_again(small_tasks, tmp_path, monkeypatch, caplog):
    small = small_tasks["sentiment"]
    data = shutil.copytree(small.data, tmp_path / "data")
    run = shutil.copytree(small.untrained_run, tmp_path / "run")
    options = (*SHORT, "--overwrite")
    interrupted(small, monkeypatch, run, data, *options)
    replace_letter(data / "train.csv")
    assert small.train(run, *options, data=data).code == 0
    assert "train.csv has changed" in caplog.text


def test_results_of_a_comparison_are_not_mixed_with_those_of_changed_data(small, data, tmp_path, monkeypatch):
    def answers(job, **options):
        yield {"trained": {}}
        raise TrainingFailed("ended early")

    monkeypatch.setattr(trainings, "answers", answers)
    command = ("compare", "--cells", "gru", "--run", tmp_path / "cells", "--data", data, *small.options)
    assert "ended early" in small.command(*command).error(1)
    assert "ended early" in small.command(*command).error(1)
    replace_letter(training_file(data))
    message = small.command(*command).error()
    assert f"{training_file(data)} has changed since {tmp_path / 'cells'}" in message and "--overwrite" in message
    assert "ended early" in small.command(*command, "--overwrite").error(1)


# --- what counts as a change ------------------------------------------------------------------------------------------


def fingerprint(small, data: str | Path):
    settings = small.task.settings_class()
    group = settings.data.model_copy(update={"data": str(data)})
    return source_files.fingerprint(small.name, settings.model_copy(update={"data": group}))


def test_files_that_appear_and_disappear_are_changes(small_tasks, tmp_path):
    small, file = small_tasks["sentiment"], tmp_path / "train.csv"
    file.write_text("text,label\n")
    before = fingerprint(small, tmp_path)
    assert list(before) == [str(file)] and source_files.changed(before, fingerprint(small, tmp_path)) is None
    (tmp_path / "test.csv").write_text("text,label\n")
    assert source_files.changed(before, fingerprint(small, tmp_path)) == str(tmp_path / "test.csv")
    file.unlink()
    assert source_files.changed(before, fingerprint(small, tmp_path)) == str(tmp_path / "test.csv")


def test_runs_and_hidden_files_below_the_data_are_no_source(small_tasks, tmp_path):
    for name in ("runs/a/settings.json", "runs/a/plots/b.txt", ".git/c", ".hidden.csv", "train.csv"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "runs" / "a" / "settings.json").write_text('{"task": "chargen"}')
    assert list(fingerprint(small_tasks["sentiment"], tmp_path)) == [str(tmp_path / "train.csv")]


@pytest.mark.parametrize(("size", "changed"), [(3 << 20, True), (300 << 20, False)])
def test_the_time_counts_only_for_files_that_are_not_hashed_as_a_whole(small_tasks, tmp_path, size, changed):
    small, file = small_tasks["chargen"], tmp_path / "large.txt"
    with open(file, "wb") as out:
        out.truncate(size)  # sparse
    before = fingerprint(small, file)
    os.utime(file, (1, 1))
    assert (source_files.changed(before, fingerprint(small, file)) is None) == changed
    with open(file, "r+b") as out:
        out.seek(size - 1)
        out.write(b"x")
    assert source_files.changed(before, fingerprint(small, file)) == str(file)


def test_the_bundled_samples_are_sources(small):
    assert fingerprint(small, "sample")
