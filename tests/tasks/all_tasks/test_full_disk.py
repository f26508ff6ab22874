"""Places that cannot be written, full disks and Ctrl-C: nothing which was there before is lost."""

import os
import resource
import shutil
import signal
import time

import pytest

from tasks.training.runs import Run

TEXT = "A good film."

# --- places that cannot be written, and full disks --------------------------------------------------------------------


def test_a_place_that_cannot_be_written_is_named(small):
    # Not even an administrator makes a file in /proc.
    assert "/proc/" in small.train("/proc/run").error()
    assert "/proc/" in small.command("export", "--run", small.untrained_run, "--to", "/proc/saved_models").error()
    answer = small.command(small.predict_command, "--run", small.untrained_run, "--output", "/proc/answers", TEXT)
    assert "/proc/" in answer.error()


def limited(size):
    """No file may grow beyond this number of bytes: a write then fails as on a full disk, also an administrator's."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


@pytest.mark.slow
def test_a_full_disk_in_a_training_leaves_the_old_run_and_one_to_go_on_with(small_tasks, contents, tmp_path):
    small = small_tasks["sentiment"]
    shutil.copytree(small.untrained_run, tmp_path / "run")
    before = contents(tmp_path / "run")
    # The vocabulary (a quarter of a megabyte) still fits, the checkpoint (three quarters) does not.
    options = ["--embedding-size", "256", "--epochs", "1", "--overwrite"]
    command = ["train", "--data", small.data, "--run", tmp_path / "run", *small.options, *options]
    message = small.in_a_process(*command, preexec_fn=limited(300_000)).error(code=1)
    assert "File too large" in message and "what was there before is kept" in message
    assert contents(tmp_path / "run") == before
    answer = small.command(*command)
    assert answer.code == 0, answer.err
    assert contents(tmp_path / "run") != before
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


@pytest.mark.slow
def test_a_full_disk_in_an_export_leaves_the_versions_there_are(small_tasks, contents, tmp_path):
    small, folder = small_tasks["sentiment"], tmp_path / "model"
    command = ["export", "--run", small.run(), "--to", folder]
    assert small.command(*command).code == 0
    before = contents(folder)
    assert "File too large" in small.in_a_process(*command, preexec_fn=limited(20_000)).error(code=1)
    assert contents(folder) == before and [path.name for path in folder.iterdir()] == ["1"]


# --- Ctrl-C -----------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["set-up", "in an epoch"])
def test_ctrl_c_ends_a_training_that_then_goes_on(process, small_tasks, tmp_path, moment):
    run, small = Run(tmp_path / "run"), small_tasks["sentiment"]
    options = ["--epochs", "2000" if moment == "in an epoch" else "1", "--checkpoint-minutes", "0.001"]
    command = ["train", "--data", small.data, "--run", run.path, *small.options, *options]
    training = process("-m", "tasks.sentiment", *command, start_new_session=True)
    awaited = run.state_file if moment == "in an epoch" else run.settings_file
    end = time.monotonic() + 120
    while not awaited.exists() and training.poll() is None and time.monotonic() < end:
        time.sleep(0.01)
    os.killpg(training.pid, signal.SIGINT)
    out, err = training.communicate(timeout=120)
    assert training.returncode == 130 and not out, err.decode()
    lines = err.decode().splitlines()
    assert lines[-1].startswith("error: interrupted;") and "Traceback" not in err.decode()
    assert not run.finished
    if moment == "in an epoch":
        assert run.state_file.exists()
        return
    answer = small.in_a_process(*command)
    assert (answer.code, answer.out) == (0, f"{run.path}\n")
    # What the whole of a training writes to standard error: nothing of TensorFlow's.
    lines = answer.err.splitlines()
    beginnings = ["chosen for about 400 training texts", "test split", "train split", "validation split", "class "]
    beginnings += ["negative ", "positive ", "the largest class", "left out", "203 of 500 texts (40.6%) have more"]
    beginnings += ["400 texts to train on, 100 to validate on; classes: negative, positive", "2,"]
    assert [line[: len(beginning)] for line, beginning in zip(lines, beginnings, strict=False)] == beginnings
    rest = lines[len(beginnings) - 1 :]
    assert (
        "parameters" in rest[0] and rest[1].startswith("epoch 1 of 1: ") and rest[2].startswith("kept the weights")
    ), answer.err
    assert rest[3] == "next:" and len(rest) == 7, answer.err
