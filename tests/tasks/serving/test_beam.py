"""How a dead worker ends a pipeline of Apache Beam. What needs Beam itself is in tests/environments."""

import threading
import time

import pytest

from tasks.arguments import PredictArguments
from tasks.errors import ShardsFailed
from tasks.serving import beam


def test_a_dead_worker_ends_the_pipeline_though_an_interrupt_is_dropped(monkeypatch, tmp_path):
    monkeypatch.setattr(beam, "AGAIN", 0.2)
    arguments = PredictArguments(run="run", input=tmp_path, output=str(tmp_path / "answers"))
    waiting = threading.Event()

    def worker() -> None:
        waiting.wait()
        raise RuntimeError("Worker subprocess exited with return code -9")

    dropped = []
    thread = threading.Thread(target=worker)
    thread.start()
    with (
        pytest.raises(ShardsFailed, match=r"return code -9.*continues with the shards that are missing"),
        beam._ended_with_its_workers(arguments),
    ):
        try:
            waiting.set()
            time.sleep(10)
        except KeyboardInterrupt:  # as a finalizer does, or code in C that calls Python code
            dropped.append(True)
        time.sleep(10)
    assert dropped == [True]
    thread.join()
    time.sleep(0.5)  # no interrupt comes later
