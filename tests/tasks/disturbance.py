"""Trainings that are killed in a separate process, next to the same training that nobody disturbs."""

import contextlib
import csv
import os
import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from tasks.training.checkpoint import load_model
from tasks.training.runs import Run

# What decides the moments at which a training is killed.
SEED = int(os.environ.get("KILLS_SEED", "0"))
# Columns of a history that are not the same in two equal trainings.
TIMINGS = ("seconds", "tokens_per_second")


class Disturbance:
    """Trains the same twice: undisturbed, and killed at some moments and trained to its end.

    Args:
        process: Starts `python ARGUMENTS`.
        small: The task; see `tests.tasks.conftest.SmallTask`.
        arguments: Of `train`, all but --run.
        folder: Where it trains undisturbed.
        parts: Files and folders that its set-up writes, at whose writing it is killed.
    """

    def __init__(self, process, small, arguments: Sequence, folder: Path, parts: Sequence[str]):
        self.small, self.arguments, self.parts = small, ("train", *arguments), parts
        self.undisturbed = Run(folder)
        self._process = process
        began = time.monotonic()
        self.finish(folder)
        self.seconds = time.monotonic() - began

    def start(self, folder: Path, *options):
        """Starts the training in a separate process."""
        return self._process("-m", f"tasks.{self.small.name}", *self.arguments, "--run", folder, *options)

    def finish(self, folder: Path, *options) -> str:
        """Trains to the end; returns what is on standard error."""
        training = self.start(folder, *options)
        err = training.communicate()[1].decode()
        assert training.returncode == 0 or "finished already" in err, err
        return err

    def wait_for(self, condition: Callable[[], bool], training) -> bool:
        """Waits until the condition holds; False if the training ends or patience does."""
        end = time.monotonic() + 3 * self.seconds
        while time.monotonic() < end and training.poll() is None:
            with contextlib.suppress(FileNotFoundError):  # a folder that is removed while it is searched
                if condition():
                    return True
            time.sleep(0.0005)
        return False

    def kill_at(self, moment: str, training, folder: Path, chance: random.Random) -> str:
        """Sends SIGKILL at such a moment; says what was found there."""
        run = Run(folder)
        if moment == "any time":
            time.sleep(chance.uniform(0.0, self.seconds))
        elif moment == "set-up":
            name = chance.choice(self.parts)
            self.wait_for(lambda: any(folder.rglob(f".writing-{name}")) or run.state_file.exists(), training)
        elif moment == "in an epoch":
            before = run.state_file.stat().st_mtime_ns if run.state_file.exists() else 0
            self.wait_for(lambda: run.state_file.exists() and run.state_file.stat().st_mtime_ns != before, training)
            time.sleep(chance.uniform(0.0, 0.2))
        else:
            name = chance.choice([".writing-state.npz", ".writing-model.keras"])
            self.wait_for(lambda: any(folder.rglob(name)), training)
        training.kill()
        training.communicate()
        return "finished already" if training.returncode == 0 else f"left {sorted(map(str, left(folder)))}"

    def train_killed(self, folder: Path, moments: Sequence[str]) -> Run:
        """Returns the run of a training that was killed at these moments, or until it was finished."""
        chance, killed = random.Random(SEED), 0
        for number, moment in enumerate(moments, start=1):
            found = self.kill_at(moment, self.start(folder), folder, chance)
            killed += "finished" not in found
            print(f"kill {number}: {moment}, {found}")
            if not killed or Run(folder).finished:
                break
        assert killed, "the training ended before it was killed"
        self.finish(folder)
        return Run(folder)

    def assert_same(self, run: Run) -> None:
        """The model's file, weights, history and vocabulary are those of the undisturbed training, bit for bit."""
        assert_same(run, self.undisturbed)
        assert run.model_file.read_bytes() == self.undisturbed.model_file.read_bytes()


def assert_same(run: Run, undisturbed: Run) -> None:
    """Weights, history and vocabulary are the same, bit for bit."""
    for one, two in zip(weights(run), weights(undisturbed), strict=True):
        assert one.dtype == two.dtype and np.array_equal(one, two)
    assert history(run) == history(undisturbed)
    for path in undisturbed.vocabulary.iterdir():
        assert (run.vocabulary / path.name).read_bytes() == path.read_bytes()


def weights(run: Run) -> list[np.ndarray]:
    return load_model(run).get_weights()


def history(run: Run) -> list[dict[str, str]]:
    with open(run.history_file, newline="") as file:
        return [{name: row[name] for name in row if name not in TIMINGS} for row in csv.DictReader(file)]


def left(folder: Path) -> list[Path]:
    return [path.relative_to(folder) for path in folder.rglob(".*")]
