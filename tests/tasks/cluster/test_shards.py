"""Shards that Ray answers: as one process does, also when a worker is killed, and when one dies each time."""

import os
import signal
import time
from pathlib import Path

import pytest

from tasks.cluster import shards
from tasks.data.locations import MANIFEST
from tasks.serving.shards.listing import Shard

# Answers three shards, of which one kills its worker each time.
DYING = """
import os, signal
from tasks.cluster import ray_session, shards
from tasks.cluster.settings import ShardArguments
from tasks.serving.shards.listing import Shard
from tasks.serving.shards.progress import ShardResult
from tasks.sentiment.task import SENTIMENT
class Dying(shards._Actor):
    def answer(self, shard):
        if shard.name == "b":
            os.kill(os.getpid(), signal.SIGKILL)
        return ShardResult(shard.name, 1), []
shards._Actor = Dying
with ray_session.started() as ray:
    named = [Shard(name, name) for name in "abc"]
    results = sorted(shards._results(ray, SENTIMENT, SENTIMENT.predict_arguments(run="r", texts=("a",)),
                                     ShardArguments(workers=1), named))
for result, _ in results:
    print(*result)
"""
# Starts tasks.cluster without Ray, as if it were not installed.
WITHOUT_RAY = """
import sys
sys.modules["ray"] = None
from tasks.cli.cluster import main
sys.exit(main())
"""


@pytest.fixture(scope="module")
def texts(tmp_path_factory) -> Path:
    """A folder of four shards, of which one is not in UTF-8."""
    folder = tmp_path_factory.mktemp("texts")
    for number in range(3):
        lines = [f"visit {line}: the soup was number {number}\n" for line in range(50)]
        (folder / f"part-{number}.txt").write_text("".join([*lines, "漢字漢字\n"]), encoding="utf-8")
    (folder / "part-3.txt").write_bytes(b"\xff\xfe\x00")
    return folder


def answers(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != MANIFEST}


def descendants(process: int) -> dict[int, str]:
    """The processes below a process -> their command lines."""
    parents, commands = {}, {}
    for entry in os.listdir("/proc"):
        try:
            if entry.isdigit():
                commands[int(entry)] = Path(f"/proc/{entry}/cmdline").read_bytes().decode().replace("\0", " ")
                parents[int(entry)] = int(Path(f"/proc/{entry}/stat").read_text().rpartition(")")[2].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
    found = {process}
    for _ in range(5):
        found |= {child for child, parent in parents.items() if parent in found}
    return {child: commands[child] for child in found - {process}}


@pytest.mark.slow
@pytest.mark.skipif(not os.path.isdir("/proc"), reason="finds the workers in /proc, which does not exist here")
def test_ray_answers_shards_as_one_process_does_and_replaces_a_killed_worker(small_tasks, texts, tmp_path, process):
    small = small_tasks["sentiment"]
    command = ("predict", "--run", small.untrained_run, "--input", texts, "--output")
    assert "part-3.txt" in small.command(*command, tmp_path / "one").error(1)

    started = process("-m", "tasks.cluster", *command, tmp_path / "ray", "--workers", "2")
    worker, end = None, time.monotonic() + 600  # a deadline, in case something is wrong
    while worker is None and started.poll() is None and time.monotonic() < end:
        found = descendants(started.pid).items()
        worker = next((child for child, line in found if line.startswith("ray::_Actor.answer")), None)
        time.sleep(0.05)
    assert worker is not None, started.communicate()
    os.kill(worker, signal.SIGKILL)
    _, err = started.communicate()
    assert started.returncode == 1, err.decode()
    assert b"error: 1 of 4 shards could not be answered: 'part-3.txt'" in err and b"Traceback" not in err
    assert err.decode().count("characters that the vocabulary does not have") == 1  # the warning of a worker
    assert answers(tmp_path / "ray") == answers(tmp_path / "one") and len(answers(tmp_path / "one")) == 3
    # What is finished is skipped, by either command.
    assert "1 of 1 shards could not be answered" in small.command(*command, tmp_path / "ray").error(1)


@pytest.mark.slow
def test_a_shard_whose_worker_dies_each_time_is_reported_and_the_others_are_answered(process):
    started = process("-c", DYING)
    out, err = started.communicate()
    assert started.returncode == 0, err.decode()
    one, two, three = out.decode().splitlines()
    assert (one, three) == ("a 1 None", "c 1 None")
    assert two == "b 0 b: its worker died 3 times; was there too little memory?"


def test_a_worker_that_is_ended_for_its_memory_is_reported_too():
    ray = pytest.importorskip("ray")

    def ended():
        raise ray.exceptions.OutOfMemoryError("the node ran out of memory")

    result, warnings = shards._result(ray, Shard("a.csv", "in/a.csv"), ended)
    assert "in/a.csv: its worker died" in result.problem and "too little memory" in result.problem and not warnings


@pytest.mark.parametrize("command", ["predict", "train"])
def test_without_ray_the_error_has_the_command_that_installs_it(small_tasks, texts, tmp_path, process, command):
    small, new = small_tasks["sentiment"], tmp_path / "new"
    options = {
        "predict": ("--run", small.untrained_run, "--input", texts, "--output", new),
        "train": ("sentiment", "--data", small.data, "--run", new, "--on", "ray"),
    }
    started = process("-c", WITHOUT_RAY, command, *options[command])
    _, err = started.communicate()
    assert started.returncode == 2 and len(err.splitlines()) == 1
    assert b"needs the package ray, which is not installed: pip install -e '.[cluster]'" in err
    assert not [*tmp_path.iterdir()]
