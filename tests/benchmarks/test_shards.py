"""Texts per processor second of an exported classifier: one file, shards by one process, and shards by engines.

200,000 texts of the bundled sample in 40 shards; `--shard-texts` sets another number. Every way must write the same
bytes. The processor seconds are those of all processes of a way, with their starts. Ray is measured if it is installed,
Beam if `--beam-python` names the Python of an environment with the extra `beam`.
"""

import contextlib
import importlib.util
import itertools
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import psutil
import pytest

from tasks.cli.main import main
from tasks.sentiment.task import SENTIMENT
from tests.benchmarks.processes import ROOT
from tests.tasks.examples import reviews

SHARDS = 40


class Measured(NamedTuple):
    """Seconds of one or several commands: on the clock, and of the processors."""

    seconds: float
    processor: float


def measured(*commands: Sequence, codes: tuple[int, ...] = (0,)) -> Measured:
    """Runs commands side by side, each `[python, argument, ...]`; waits for their processes and those below them.

    The system adds up the seconds of processes whose parents wait for them. Those of Ray do not, so the seconds of each
    process are looked at meanwhile as well, and the larger sum counts.
    """
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    began, before = time.monotonic(), os.times()
    processes = [
        subprocess.Popen([*map(str, command)], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        for command in commands
    ]
    seen: dict[int, float] = {}
    ended = threading.Event()
    looking = threading.Thread(target=look, args=(seen, ended))
    looking.start()
    try:
        for process in processes:
            _, messages = process.communicate()
            assert process.returncode in codes, messages.decode()[-3000:]
    finally:
        ended.set()
        looking.join()
    after = os.times()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return Measured(time.monotonic() - began, max(used, sum(seen.values())))


def look(seen: dict[int, float], ended: threading.Event) -> None:
    """Stores the processor seconds of every process below this one, until the event is set."""
    while not ended.wait(0.2):
        for process in psutil.Process().children(recursive=True):
            with contextlib.suppress(psutil.Error):
                times = process.cpu_times()
                seen[process.pid] = times.user + times.system


@pytest.fixture(scope="module")
def model(request, tmp_path_factory) -> Path:
    """The model of `--serving-model`; otherwise one trained on the sample for an epoch."""
    given = request.config.getoption("--serving-model")
    if given is not None:
        return given
    folder = tmp_path_factory.mktemp("model")
    assert main(SENTIMENT, ["train", "--epochs", "1", "--run", str(folder / "run")]) == 0
    assert main(SENTIMENT, ["export", "--run", str(folder / "run"), "--to", str(folder / "model")]) == 0
    return folder / "model"


@pytest.fixture(scope="module")
def texts(request, tmp_path_factory) -> Path:
    """A folder with `all.txt`, and the same texts in the shards of `shards/`."""
    folder, count = tmp_path_factory.mktemp("texts"), request.config.getoption("--shard-texts")
    (folder / "shards").mkdir()
    lines = itertools.cycle([" ".join(text.split()) for text, _ in reviews("train", None)])
    with open(folder / "all.txt", "w", encoding="utf-8") as every:
        for number in range(SHARDS):
            chosen = [f"{line}\n" for line in itertools.islice(lines, count // SHARDS)]
            (folder / "shards" / f"{number:02}.txt").write_text("".join(chosen), encoding="utf-8")
            every.writelines(chosen)
    return folder


def killed(command: Sequence, output: Path, word: str, again: bool = True) -> Measured:
    """Kills a worker of a command when shards are finished, and runs the command again; measures both.

    Args:
        command: The command.
        output: The folder that it writes.
        word: A part of the command line of a worker.
        again: Whether the command is run again.
    """
    found = []

    def kill() -> None:
        while len([*output.glob("*.txt")]) < SHARDS // 8:
            time.sleep(0.05)
        for process in psutil.Process().children(recursive=True):
            line = " ".join(process.cmdline())
            if word in line and ("python" in process.name() or line.startswith("ray::")):
                found.append(process.pid)
                process.kill()
                return

    threading.Thread(target=kill, daemon=True).start()
    first = measured(command, codes=(0, 1) if again else (0,))
    assert found, f"no process with {word} was there to be killed"
    if not again:
        return first
    return Measured(*map(sum, zip(first, measured(command), strict=True)))


def ways(model: Path, texts: Path, output: Path, beam: Path | None) -> dict[str, Callable[[], Measured]]:
    """What is measured: a name -> a function that writes the folder `output / name`."""

    def command(name: str, *module: str, python: str | Path = sys.executable) -> list:
        return [python, "-m", *module, "--model", model, "--input", texts / "shards", "--output", output / name]

    def side_by_side(name: str) -> Measured:
        of_one = command(name, "tasks.sentiment", "predict")
        return measured(*([*of_one, "--shard", f"{number}/2"] for number in (1, 2)))

    def with_beam(name: str, *options: str) -> list:
        return [*command(name, "tasks.serving.beam", "sentiment", python=beam), *options]

    one, two, workers = "one process", "two processes", ["Beam, one worker", "Beam, one of two workers killed"]
    found = {one: lambda: measured(command(one, "tasks.sentiment", "predict")), two: lambda: side_by_side(two)}
    if importlib.util.find_spec("ray") is not None:
        actors = ["Ray, two workers", "Ray, one of two workers killed"]
        with_ray = [command(name, "tasks.cluster", "predict") for name in actors]
        found[actors[0]] = lambda: measured(with_ray[0])
        # Ray starts another worker: the command is not run again.
        found[actors[1]] = lambda: killed(with_ray[1], output / actors[1], "ray::_Actor.answer", again=False)
    if beam is not None:
        several = ("--", "--direct_running_mode=multi_processing", "--direct_num_workers=2")
        found[workers[0]] = lambda: measured(with_beam(workers[0]))
        found[workers[1]] = lambda: killed(with_beam(workers[1], *several), output / workers[1], "sdk_worker_main")
    return found


def test_texts_per_processor_second(request, model, texts, tmp_path, report):
    count = request.config.getoption("--shard-texts") // SHARDS * SHARDS
    line = "{:<32}{:>12}{:>12}{:>22}"
    report(f"\n{count:,} texts, {SHARDS} shards")
    report(line.format("", "seconds", "processor", "texts per processor s"))
    whole = tmp_path / "whole.txt"
    options = ("--model", model, "--input", texts / "all.txt", "--output", whole)
    alone = measured([sys.executable, "-m", "tasks.sentiment", "predict", *options])
    results = {"predict --input FILE": alone}
    for name, measure in ways(model, texts, tmp_path, request.config.getoption("--beam-python")).items():
        results[name] = measure()
        joined = b"".join(path.read_bytes() for path in sorted((tmp_path / name).glob("*.txt")))
        assert joined == whole.read_bytes(), name
    for name, (seconds, processor) in results.items():
        report(line.format(name, f"{seconds:.1f}", f"{processor:.1f}", f"{count / processor:,.0f}"))
