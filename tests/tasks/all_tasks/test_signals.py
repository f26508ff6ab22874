"""Signals: a training saves the step that it has reached, and the same command continues there."""

import contextlib
import json
import os
import signal
import sys
import threading
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from tasks.cli.exit_codes import guarded
from tasks.data.stored_files import SEAL
from tasks.serving import weights
from tasks.training.checkpoint import load_model
from tasks.training.runs import Run
from tests.tasks.interruptions import interrupt_at

SIGNALS = [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]


def place(run: Run) -> tuple[int, int]:
    """Epoch and step of the checkpoint."""
    with np.load(run.state_file) as stored:
        progress = json.loads(str(stored["place"]))
    return progress["epoch"], progress["step"]


def config(run: Path) -> bytes:
    with zipfile.ZipFile(Run(run).model_file) as archive:
        return archive.read("config.json")


def handlers() -> list:
    return [signal.getsignal(number) for number, _ in SIGNALS]


@pytest.mark.slow
def test_the_same_command_continues_after_sigterm_and_ends_with_the_same_weights(small, tmp_path, monkeypatch, caplog):
    options, before = ("--epochs", "2", "--steps-per-epoch", "4", "--learning-rate", "0.001"), handlers()
    with monkeypatch.context() as patched:
        interrupt_at(patched, "on_train_batch_end", 1, 1, signal.SIGTERM)
        answer = small.train(tmp_path / "run", *options)
    assert answer.error(143) == "error: interrupted; the same command resumes it"
    assert "saved at epoch 2, step 2 of 4" in caplog.text
    assert place(Run(tmp_path / "run")) == (1, 2)
    assert handlers() == before
    assert small.train(tmp_path / "run", *options).code == 0
    assert small.train(tmp_path / "undisturbed", *options).code == 0
    ours, undisturbed = (load_model(Run(tmp_path / name)).get_weights() for name in ("run", "undisturbed"))
    for one, two in zip(ours, undisturbed, strict=True):
        assert np.array_equal(one, two)
    assert Run(tmp_path / "run").history()[1]["val_loss"] < Run(tmp_path / "run").history()[0]["val_loss"]
    assert config(tmp_path / "run") == config(tmp_path / "undisturbed")  # saved after the interruption


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), SIGNALS)
def test_the_exit_code_names_the_signal(small_tasks, tmp_path, monkeypatch, number, code):
    interrupt_at(monkeypatch, "on_train_batch_end", 0, 1, number)
    ignored = signal.getsignal(number) == signal.SIG_IGN  # where the tests were started by nohup
    if ignored:
        signal.signal(number, signal.SIG_DFL)
    try:
        message = small_tasks["sentiment"].train(tmp_path / "run").error(code)
    finally:
        if ignored:
            signal.signal(number, signal.SIG_IGN)
    assert message == "error: interrupted; the same command resumes it"
    assert place(Run(tmp_path / "run")) == (0, 2)


@pytest.mark.slow
def test_a_signal_during_validation_ends_the_training_after_it(small_tasks, tmp_path, monkeypatch):
    small = small_tasks["sentiment"]
    interrupt_at(monkeypatch, "on_test_begin", 0, 1, signal.SIGTERM)
    small.train(tmp_path / "run", "--epochs", "3").error(143)
    assert place(Run(tmp_path / "run")) == (1, 0)
    assert len(Run(tmp_path / "run").history()) == 1


@pytest.mark.slow
def test_the_second_ctrl_c_ends_at_once(small_tasks, tmp_path, monkeypatch):
    interrupt_at(monkeypatch, "on_train_batch_end", 0, 0, signal.SIGINT, signal.SIGINT)
    small_tasks["sentiment"].train(tmp_path / "run").error(130)
    assert not Run(tmp_path / "run").state_file.exists()


@pytest.mark.slow
def test_training_in_another_thread_leaves_signals_alone(small_tasks, tmp_path):
    codes = []
    thread = threading.Thread(target=lambda: codes.append(small_tasks["sentiment"].train(tmp_path / "run").code))
    thread.start()
    thread.join()
    assert codes == [0]


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_answers_to_a_file_leave_no_temporary_file(small, process, tmp_path, number):
    run = small.untrained_run
    output = tmp_path / "answers.txt"
    output.write_text("old\n")
    reading, writing = os.pipe()
    command = ("-m", f"tasks.{small.name}", small.predict_command, "--run", run, "--input", "-", "--output", output)
    started = process(*command, stdin=reading)
    os.close(reading)
    while not (tmp_path / "answers.txt.part").exists() and started.poll() is None:
        threading.Event().wait(0.05)
    started.send_signal(number)
    _, err = started.communicate(timeout=60)
    os.close(writing)
    assert started.returncode == 128 + number
    assert err.decode().strip().endswith("error: interrupted; the same command starts from the beginning")
    assert [path.name for path in tmp_path.iterdir()] == ["answers.txt"] and output.read_text() == "old\n"


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="reads /proc to see what a process has loaded")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_tensorflow_is_imported_ends_at_once(small_tasks, process, number):
    small = small_tasks["sentiment"]
    started = process("-m", "tasks.sentiment", "predict", "a text", "--run", small.untrained_run)
    while "tensorflow" not in Path(f"/proc/{started.pid}/maps").read_text() and started.poll() is None:
        threading.Event().wait(0.01)
    started.send_signal(number)
    begin = time.monotonic()
    out, err = started.communicate(timeout=60)
    assert time.monotonic() - begin < 1
    assert started.returncode == 128 + number and not out
    assert err.decode().strip() == "error: interrupted; the same command starts from the beginning"


@pytest.mark.parametrize("command", ["predict", "explain", "export"])
def test_an_interrupt_while_a_model_is_opened_is_not_lost(small_tasks, tmp_path, monkeypatch, command):
    def dropping(run: Run):
        with contextlib.suppress(KeyboardInterrupt):  # as TensorFlow's C++ code does while graphs are built
            signal.raise_signal(signal.SIGINT)
        return load_model(run)

    monkeypatch.setattr(weights, "load_model", dropping)
    small = small_tasks["sentiment"]
    given = ["--to", tmp_path / "model"] if command == "export" else ["a text"]
    small.command(command, *given, "--run", small.untrained_run).error(130)
    assert not (tmp_path / "model").exists()


@pytest.fixture
def not_ignored():
    """SIGHUP has an effect, also where the tests run below nohup."""
    before = signal.getsignal(signal.SIGHUP)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.usefixtures("not_ignored")
@pytest.mark.parametrize("number, code", SIGNALS)
def test_a_signal_while_an_object_is_finalized_is_not_lost(capfd, number, code):
    finalized = []

    class File:
        def __del__(self):
            finalized.append(True)
            signal.raise_signal(number)  # Python drops what is raised here

    def run(argv):
        File()
        assert finalized
        time.sleep(10)
        return 0

    begin, before = time.monotonic(), (sys.unraisablehook, signal.getsignal(number))
    assert guarded(run, []) == code
    assert time.monotonic() - begin < 5
    assert capfd.readouterr().err == "error: interrupted; the same command resumes it\n"
    assert (sys.unraisablehook, signal.getsignal(number)) == before


def test_an_interrupt_while_an_export_is_written_leaves_no_version(small_tasks, tmp_path, monkeypatch):
    def dropping(*given):
        with contextlib.suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        return save(*given)

    save = tf.saved_model.save
    monkeypatch.setattr(tf.saved_model, "save", dropping)
    small = small_tasks["sentiment"]
    small.command("export", "--run", small.untrained_run, "--to", tmp_path / "model").error(130)
    assert [*(tmp_path / "model").iterdir()] == []


@pytest.mark.slow
def test_a_training_of_a_version_that_lacked_a_setting_is_resumed(small, tmp_path, monkeypatch):
    run = Run(tmp_path / "run")
    with monkeypatch.context() as patched:
        interrupt_at(patched, "on_train_batch_end", 0, 1, signal.SIGINT)
        small.train(run.path).error(130)
    stored, prepared = run.stored(), run.prepared_record()
    for settings in (stored, prepared["asked"]):
        del settings["training"]["beta_2"]
    run.settings_file.write_text(json.dumps(stored))
    run.mark_prepared({name: value for name, value in prepared.items() if name != SEAL})
    message = small.train(run.path, "--beta-2", "0.5").error()
    assert "beta_2 was" in message and "and is now 0.5" in message
    assert small.train(run.path).code == 0
    assert run.finished
