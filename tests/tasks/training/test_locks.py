"""Two processes never write one folder: the second one is told which process does."""

import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

from tasks import atomic_files
from tasks.errors import UserError
from tasks.memory import study
from tasks.memory.settings import MemoryArguments
from tasks.training import locks
from tasks.training.runs import Run

# Locks a folder until it is ended.
HOLDER = """
import sys, time
from tasks.training.locks import locked
with locked(sys.argv[1]):
    print("locked", flush=True)
    time.sleep(600)
"""
# Shares the lock of a folder with processes that do the same work.
SHARER = """
import sys, time
from tasks.training.locks import shared
with shared(sys.argv[1], lambda: print("prepared", flush=True), sys.argv[2]):
    print("locked", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def hold(process):
    """Starts a process that locks a folder; returns it when it prints `expected`."""
    started = []

    def start(folder: Path, *arguments, script: str = HOLDER, expected: bytes = b"locked\n") -> subprocess.Popen:
        holder = process("-c", script, folder, *arguments)
        started.append(holder)
        assert b"".join(holder.stdout.readline() for _ in expected.splitlines()) == expected
        return holder

    yield start
    for holder in started:
        holder.kill()
        holder.communicate()


def test_the_second_process_is_told_the_first_and_a_killed_one_leaves_no_lock(hold, tmp_path):
    holder = hold(tmp_path / "run")
    with (
        pytest.raises(UserError, match=rf"run is being written by process {holder.pid}; wait"),
        locks.locked(tmp_path / "run"),
    ):
        pass
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert (tmp_path / ".lock-run").exists()
    with locks.locked(tmp_path / "run"):
        assert (tmp_path / ".lock-run").read_text() == f"{os.getpid()} {socket.gethostname()}\n"
    assert not list(tmp_path.iterdir())


def test_processes_with_the_same_work_share_a_folder_which_the_first_of_them_prepares(hold, tmp_path):
    sharers = [hold(tmp_path / "cells", "work", script=SHARER, expected=b"prepared\nlocked\n")]
    sharers.append(hold(tmp_path / "cells", "work", script=SHARER))
    for holder in sharers:  # the second one alone keeps the others out as well
        with pytest.raises(UserError, match="by other processes"), locks.locked(tmp_path / "cells"):
            pass
        with pytest.raises(UserError, match="other options"), locks.shared(tmp_path / "cells", pytest.fail, "other"):
            pass
        holder.kill()
        holder.communicate()
    prepared = []
    with locks.shared(tmp_path / "cells", lambda: prepared.append(1), "other"):
        assert prepared
    assert not [*tmp_path.iterdir()]


def test_what_another_process_has_claimed_is_free_when_that_process_is_killed(hold, tmp_path):
    holder = hold(tmp_path / "result.json")
    with locks.claimed(tmp_path / "result.json") as claim:
        assert claim is None and locks.machine_of(tmp_path / "result.json") == socket.gethostname()
    holder.kill()
    holder.communicate()
    assert locks.machine_of(tmp_path / "result.json") is None
    with locks.claimed(tmp_path / "result.json") as claim:
        assert claim is not None and len(claim.descriptors) == 1
        with locks.claimed(tmp_path / "result.json") as second:
            assert second is None
    assert not [*tmp_path.iterdir()]


def test_a_link_to_a_folder_and_a_relative_path_are_the_same_folder(tmp_path, monkeypatch):
    (tmp_path / "run").mkdir()
    (tmp_path / "link").symlink_to("run")
    monkeypatch.chdir(tmp_path / "run")
    with locks.locked(tmp_path / "run"):
        for other in (tmp_path / "link", ".", "../run"):
            with pytest.raises(UserError, match=f"process {os.getpid()}"), locks.locked(other):
                pass


def test_an_error_in_the_block_ends_the_lock(tmp_path):
    with pytest.raises(ZeroDivisionError), locks.locked(tmp_path / "a"):
        raise ZeroDivisionError
    with locks.locked(tmp_path / "a"), locks.locked(tmp_path / "b"):
        pass


@pytest.mark.parametrize("name", ["run", "missing"])
def test_a_folder_in_a_place_that_cannot_be_written_is_locked_itself_or_left_to_its_writer(tmp_path, monkeypatch, name):
    (tmp_path / "run").mkdir()
    opened = os.open

    def refused(path, flags, *mode, **named):
        if Path(path).name.startswith(".lock-"):
            raise PermissionError
        return opened(path, flags, *mode, **named)

    monkeypatch.setattr(os, "open", refused)
    with locks.locked(tmp_path / name):
        if name == "run":
            with pytest.raises(UserError, match="another process"), locks.locked(tmp_path / name):
                pass


def test_training_in_a_locked_folder_is_refused(hold, small_tasks, contents, tmp_path):
    small = small_tasks["chargen"]
    holder = hold(tmp_path / "run")
    for options in ((), ("--overwrite",)):
        assert f"process {holder.pid}" in small.train(tmp_path / "run", *options).error()
    assert not (tmp_path / "run").exists()


def test_exporting_to_a_locked_folder_is_refused(hold, small_tasks, tmp_path):
    small = small_tasks["chargen"]
    holder = hold(tmp_path / "models")
    answer = small.command("export", "--run", small.untrained_run, "--to", tmp_path / "models")
    assert f"process {holder.pid}" in answer.error()


def test_comparing_in_a_locked_folder_is_refused(hold, small_tasks, tmp_path):
    holder = hold(tmp_path / "cells")
    answer = small_tasks["chargen"].command("compare", "--cells", "gru,lstm", "--run", tmp_path / "cells")
    assert f"process {holder.pid}" in answer.error()


@pytest.mark.parametrize("name", ["sentiment", "chargen", "translation"])
def test_a_second_evaluation_of_a_run_is_refused_and_writes_nothing(hold, small_tasks, contents, tmp_path, name):
    small = small_tasks[name]
    run = Run(shutil.copytree(small.untrained_run, tmp_path / "run"))
    holder, before = hold(run.evaluation_file), contents(run.path)
    assert f"process {holder.pid}" in small.command("evaluate", "--run", run.path).error()
    assert contents(run.path) == before


def test_an_evaluation_of_weights_that_are_replaced_meanwhile_is_not_stored(small_tasks, tmp_path, monkeypatch):
    small = small_tasks["chargen"]
    run = Run(shutil.copytree(small.untrained_run, tmp_path / "run"))
    run_inference = type(small.task).run_inference

    def replaced(self, *arguments):
        outcome = run_inference(self, *arguments)
        shutil.copytree(small.untrained_run, tmp_path / "new")
        atomic_files.swap_folder(tmp_path / "new", run.path)
        return outcome

    monkeypatch.setattr(type(small.task), "run_inference", replaced)
    assert "was replaced by another training" in small.command("evaluate", "--run", run.path).error()
    assert not run.evaluation_file.exists() and not (run.path / "samples.md").exists()


def test_evaluating_what_is_no_run_leaves_no_folder_for_its_lock(small_tasks, tmp_path):
    assert "no such run" in small_tasks["chargen"].command("evaluate", "--run", tmp_path / "a" / "run").error()
    assert not list(tmp_path.iterdir())


def test_a_study_of_memory_in_a_locked_folder_is_refused(hold, tmp_path):
    results = tmp_path / "memory" / "results.jsonl"
    results.parent.mkdir()
    results.write_text("results of the first")
    holder = hold(tmp_path / "memory")
    with pytest.raises(UserError, match=f"process {holder.pid}"):
        study.run_study(MemoryArguments(run=str(tmp_path / "memory"), overwrite=True))
    assert results.read_text() == "results of the first"


@pytest.mark.slow
def test_two_explanations_of_one_run_at_once_end_well(process, small_tasks, tmp_path):
    small = small_tasks["chargen"]
    run = Run(shutil.copytree(small.untrained_run, tmp_path / "run"))
    run.plots.mkdir()
    command = ("-m", "tasks.chargen", "explain", "--run", run.path)
    both = [process(*command, text) for text in ("The queen", "A miller")]
    for one in both:
        _, err = one.communicate()
        assert one.returncode == 0, err.decode()
    assert [path.name for path in run.plots.iterdir()] == ["explanation.png"]


@pytest.mark.slow
def test_a_second_training_with_overwrite_does_not_disturb_the_first(process, small_tasks, tmp_path):
    small, run = small_tasks["chargen"], Run(tmp_path / "run")
    options = ("train", "--data", small.data, "--run", run.path, *small.options, "--epochs", "3")
    first = process("-m", "tasks.chargen", *options)
    while not run.settings_file.exists() and first.poll() is None:
        time.sleep(0.01)
    message = small.train(run.path, "--overwrite", "--epochs", "3").error()
    assert f"is being written by process {first.pid}" in message
    _, err = first.communicate()
    assert first.returncode == 0, err.decode()
    assert run.finished and len(run.history()) == 3
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
