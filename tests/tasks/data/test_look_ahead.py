"""Chunks are computed in threads, and come in their order."""

import os
import threading
import time

import pytest

from tasks.data import look_ahead


@pytest.mark.parametrize("threads", [None, 1, 2, 7])
def test_results_come_in_order_whatever_the_number_of_threads(threads):
    def square(number: int) -> int:
        time.sleep(0.01 * (number % 3 == 0))  # the first ones take longest
        return number**2

    assert [*look_ahead.mapped(square, range(20), threads)] == [(number, number**2) for number in range(20)]
    assert [*look_ahead.mapped(square, [], threads)] == []


@pytest.mark.parametrize(
    ("files", "expected"),
    [(["150000 100000"], 2), (["max 100000"], 7), (["100000", "100000"], 1), (["-1", "100000"], 7), ([], 7)],
)
def test_a_container_has_the_cores_of_its_limit(tmp_path, monkeypatch, files, expected):
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: range(7), raising=False)
    paths = [tmp_path / str(number) for number in range(len(files) or 1)]
    for path, content in zip(paths, files, strict=False):
        path.write_text(f"{content}\n")
    monkeypatch.setattr(look_ahead, "CONTAINER_CORES", (paths,))
    assert look_ahead.cores() == expected


def test_no_more_is_read_than_memory_may_hold():
    read = []
    results = look_ahead.mapped(lambda number: number, (read.append(number) or number for number in range(100)), 2)
    next(results)
    assert len(read) <= look_ahead.MAX_THREADS + 1
    results.close()
    assert len(read) <= look_ahead.MAX_THREADS + 1
    assert not [one for one in threading.enumerate() if one.name.startswith("look-ahead")]


def test_errors_of_reader_and_threads_are_raised():
    with pytest.raises(ZeroDivisionError):
        [*look_ahead.mapped(lambda number: 1 // number, range(3, -1, -1))]

    def numbers():
        yield 1
        raise OSError("the file is gone")

    with pytest.raises(OSError, match="gone"):
        [*look_ahead.mapped(lambda number: number, numbers())]


def test_a_mac_does_not_say_which_cores_a_process_may_use(monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity")
    assert [*look_ahead.mapped(abs, [-1])] == [(-1, 1)]
