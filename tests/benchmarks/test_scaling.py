"""Seconds of a training step on one, two and four workers, next to what `tasks.cluster scaling` predicts.

Each process has one processor, as if it were a machine with one: worker i has processor i, or shares it when there are
fewer. The sample of sentiment with the defaults; the first epoch, in which graphs are made, does not count.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tasks.training.runs import Run
from tests.benchmarks.processes import ROOT
from tests.tasks.training.worker_cases import free_ports

WORKERS = (1, 2, 4)
EPOCHS = 6


def started(command: list, processor: int, **variables: str) -> subprocess.Popen:
    """Starts `python ARGUMENT ...` on one processor."""
    return subprocess.Popen(
        [sys.executable, *map(str, command)],
        env=os.environ | {"PYTHONPATH": str(ROOT)} | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: os.sched_setaffinity(0, {processor}),
    )


def finished(process: subprocess.Popen) -> tuple[str, str]:
    """Waits for a process; returns its output and its messages."""
    out, messages = process.communicate()
    assert process.returncode == 0, messages[-3000:]
    return out, messages


def predicted(processor: int) -> dict[int, float]:
    """The number of workers -> seconds of a step on separate machines, by the default link."""
    command = ["-m", "tasks.cluster", "scaling", "sentiment", "--data", "sample", "--workers", *WORKERS]
    out, _ = finished(started(command, processor))
    rows = [line.split() for line in out.splitlines()[-len(WORKERS) :]]
    return {int(count): float(seconds) for count, _, seconds, *_ in rows}


def measured(count: int, processors: list[int], run: Path) -> list[float]:
    """Seconds of a step in each epoch but the first."""
    addresses = [f"127.0.0.1:{port}" for port in free_ports(count)]
    command = ["-m", "tasks.sentiment", "train", "--data", "sample", "--epochs", EPOCHS, "--run", run]
    workers = []
    for index in range(count):
        config = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}}
        workers.append(started(command, processors[index % len(processors)], TF_CONFIG=json.dumps(config)))
    (_, messages), *_ = [finished(worker) for worker in workers]
    steps = int(re.search(r"([0-9,]+) steps in a pass", messages)[1].replace(",", ""))
    return [row["seconds"] / steps for row in Run(run).history()[1:]]


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system does not bind processes to processors")
def test_seconds_of_a_step_on_several_workers(tmp_path, report):
    processors = sorted(os.sched_getaffinity(0))
    seconds = predicted(processors[0])
    report(f"\n{len(processors)} processors, load {os.getloadavg()[0]:.1f}; seconds of a step")
    report("| workers | predicted for separate machines | measured here, shortest and longest epoch |")
    report("|---|---|---|")
    for count in WORKERS:
        found = measured(count, processors, tmp_path / f"{count}-workers")
        report(f"| {count} | {seconds[count]:.3f} | {min(found):.3f} to {max(found):.3f} |")
