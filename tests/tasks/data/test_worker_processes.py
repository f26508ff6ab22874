"""Functions are called in separate processes, which end with the program that called, whatever ends it."""

import logging
import math
import operator
import os
import signal
import sys
import time
from pathlib import Path

import pytest

from tasks.data import worker_processes
from tasks.errors import TrainingFailed, UserError
from tests.tasks.processes import children, wait_until_ended

PROGRAM = """
import time
from tasks.data import worker_processes
with worker_processes.available(2):
    print(list(worker_processes.mapped(abs, [-1, -2, -3])), flush=True)
    list(worker_processes.mapped(time.sleep, [60, 60]))
"""

MODULES = """
import sys
from tasks.data import worker_processes
sys.path.append(f"{__file__.rpartition('/')[0]}/added")
from double import double
with worker_processes.available(2):
    print([*worker_processes.mapped(double, [1, 2])])
"""


def of_process(number: int) -> tuple[int, bool]:
    logging.getLogger("tasks.data").warning("read %d", number)
    return os.getpid(), "tensorflow" in sys.modules


@pytest.mark.parametrize("count", [1, 2, 3])
def test_results_come_in_order_whatever_the_number_of_processes(count):
    with worker_processes.available(count):
        assert worker_processes.count() == count
        assert [*worker_processes.mapped(math.sqrt, [n * n for n in range(20)])] == list(range(20))
        assert [*worker_processes.mapped(operator.neg, [])] == []
    assert worker_processes.count() == 1


def test_the_processes_import_no_tensorflow_and_what_they_log_is_logged_here(caplog):
    with worker_processes.available(2):
        results = [*worker_processes.mapped(of_process, range(6))]
    processes = {process for process, _ in results}
    assert 1 <= len(processes) <= 2 and os.getpid() not in processes
    assert not any(tensorflow for _, tensorflow in results)
    assert sorted(record.getMessage() for record in caplog.records) == [f"read {number}" for number in range(6)]


def test_what_they_log_is_left_out_where_the_level_here_is_higher(caplog):
    caplog.set_level(logging.ERROR, logger="tasks")  # as in all workers of a training but the first
    caplog.handler.setLevel(logging.NOTSET)
    with worker_processes.available(2):
        assert len([*worker_processes.mapped(of_process, range(2))]) == 2
    assert not caplog.records


def test_modules_are_found_where_the_program_finds_them(process, tmp_path):
    for name in ("queue.py", "tasks.py"):  # of the user, in the folder where the program is started
        (tmp_path / "work" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "work" / name).write_text("raise SystemExit('not this one')")
    (tmp_path / "added").mkdir()
    (tmp_path / "added" / "double.py").write_text("def double(number):\n    return 2 * number\n")
    script = tmp_path / "program.py"
    script.write_text(MODULES)
    out, err = process(script, cwd=tmp_path / "work").communicate()
    assert (out, err) == (b"[2, 4]\n", b"")


def test_a_signal_to_all_processes_is_for_the_program():
    signals = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]
    with worker_processes.available(2):
        assert [*worker_processes.mapped(signal.raise_signal, signals)] == [None] * 3


def test_an_error_is_raised_here_and_says_where_it_came_from():
    with worker_processes.available(2), pytest.raises(ValueError, match="math domain error") as caught:
        [*worker_processes.mapped(math.sqrt, [1, -1, 4])]
    assert "in a process that prepares the data" in caught.value.__notes__[0]
    assert not children(os.getpid())


def test_a_result_that_cannot_be_sent_is_an_error():
    with worker_processes.available(2), pytest.raises(TypeError, match="cannot pickle"):
        [*worker_processes.mapped(open, [os.devnull] * 2)]


def test_a_process_that_cannot_be_started_is_one_line(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    expected = "cannot be started: No such file or directory; --processes sets their maximum number, and 1 starts none"
    with worker_processes.available(2), pytest.raises(TrainingFailed, match=expected):
        [*worker_processes.mapped(abs, [1, 2])]


def test_a_killed_process_is_one_line():
    with worker_processes.available(2), pytest.raises(TrainingFailed) as caught:
        [*worker_processes.mapped(signal.raise_signal, [signal.SIGKILL] * 2)]
    assert str(caught.value) == (
        "a process that prepares the data was killed: was there too little memory? --processes 1 needs least; the same "
        "command starts again"
    )
    assert not children(os.getpid())


def test_calls_end_when_the_caller_stops():
    with worker_processes.available(2):
        results = worker_processes.mapped(time.sleep, [0, 600, 600])
        next(results)
        results.close()
        assert not children(os.getpid())
        assert [*worker_processes.mapped(abs, [-1, -2])] == [1, 2]  # others start when they are needed


def test_a_process_that_ends_its_call_when_the_caller_stops_is_not_used_again():
    with worker_processes.available(2):
        for _ in range(200):
            results = worker_processes.mapped(abs, [-1, -2])
            assert next(results) == 1
            results.close()  # the second call is about to end


def test_there_is_at_least_one_process():
    expected = "--processes 0: expected a whole number of at least 1"
    with pytest.raises(UserError, match=expected), worker_processes.available(0):
        pass


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_process_is_left_whatever_ends_the_program(process, tmp_path, number):
    script = tmp_path / "program.py"
    script.write_text(PROGRAM)  # without a guard of its main module
    started = process(script, cwd=tmp_path)
    assert started.stdout.readline() == b"[1, 2, 3]\n"
    working = children(started.pid)
    assert len(working) == 2
    started.send_signal(number)
    started.communicate()
    assert started.returncode in (-number, 1)
    wait_until_ended(working)
    assert [path.name for path in Path(tmp_path).iterdir()] == ["program.py"]
