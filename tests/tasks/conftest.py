"""The command line of each task, called within the test's process or in one of its own, and killed there."""

import contextlib
import csv
import importlib
import io
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
import pytest

from tasks.cli import main as cli
from tasks.training.runs import Run

ROOT = Path(__file__).parents[2]
# How often a training is killed, and what decides the moments.
KILLS = int(os.environ.get("KILLS", "10"))
SEED = int(os.environ.get("KILLS_SEED", "0"))
# Columns of a history that are not the same in two equal trainings.
TIMINGS = ("seconds", "tokens_per_second")


class Answer(NamedTuple):
    code: int
    out: str
    err: str

    def error(self, code: int = 2) -> str:
        """The message of a command that failed as it should: one or two lines, without a traceback."""
        assert self.code == code, self
        assert self.err.startswith("error: ") or "\nerror: " in self.err, self.err
        message = self.err[self.err.index("error: ") :].strip()
        assert len(message.splitlines()) <= 2, message
        assert "Traceback" not in self.err
        return message


def in_this_process(task: str) -> Callable[..., Answer]:
    """Runs `python -m tasks.TASK ARGUMENTS` within this process, which has TensorFlow loaded once."""
    commands = importlib.import_module(f"tasks.{task}.__main__").COMMANDS

    def run(*arguments) -> Answer:
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = cli.main(task, commands, [str(argument) for argument in arguments])
        return Answer(code, out.getvalue(), err.getvalue())

    return run


@pytest.fixture(scope="session")
def sentiment() -> Callable[..., Answer]:
    return in_this_process("sentiment")


@pytest.fixture(scope="session")
def chargen() -> Callable[..., Answer]:
    return in_this_process("chargen")


@pytest.fixture(scope="session")
def process() -> Callable[..., subprocess.Popen]:
    """Starts `python ARGUMENTS`, from any folder; the keywords are those of subprocess.Popen."""

    def start(*arguments, **options) -> subprocess.Popen:
        options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
        environment = os.environ | {"PYTHONPATH": str(ROOT)} | options.pop("env", {})
        return subprocess.Popen([sys.executable, *map(str, arguments)], env=environment, **options)

    return start


def in_a_process(process, task: str) -> Callable[..., Answer]:
    """Runs `python -m tasks.TASK ARGUMENTS` in a process of its own; `input` is its standard input."""

    def run(*arguments, input: bytes | None = None, **options) -> Answer:
        options = ({} if input is None else {"stdin": subprocess.PIPE}) | options
        started = process("-m", f"tasks.{task}", *arguments, **options)
        out, err = started.communicate(input)
        return Answer(started.returncode, (out or b"").decode(), (err or b"").decode())

    return run


@pytest.fixture(scope="session")
def sentiment_process(process) -> Callable[..., Answer]:
    return in_a_process(process, "sentiment")


@pytest.fixture(scope="session")
def chargen_process(process) -> Callable[..., Answer]:
    return in_a_process(process, "chargen")


@pytest.fixture(scope="session")
def translation() -> Callable[..., Answer]:
    return in_this_process("translation")


@pytest.fixture(scope="session")
def translation_process(process) -> Callable[..., Answer]:
    return in_a_process(process, "translation")


# --- programs that know an exported model, and nothing of this project ----------------------------------------------

# The tool that TensorFlow brings, with the ops of tensorflow_text.
SAVED_MODEL_CLI = """
import sys
import tensorflow_text
from tensorflow.python.tools import saved_model_cli
sys.argv[0] = "saved_model_cli"
saved_model_cli.main()
"""


@pytest.fixture(scope="session")
def saved_model_cli(process) -> Callable[..., str]:
    """Runs `saved_model_cli COMMAND` on a signature of a model; gives what it prints."""

    def run(command: str, model: Path, *arguments, signature: str = "serving_default") -> str:
        fixed = ["--dir", model, "--tag_set", "serve", "--signature_def", signature]
        started = process("-c", SAVED_MODEL_CLI, command, *fixed, *arguments)
        out, err = started.communicate()
        assert started.returncode == 0, err.decode()
        return out.decode()

    return run


@pytest.fixture(scope="session")
def c_program(tmp_path_factory) -> Callable[..., list[list[str]]]:
    """Runs serve.c on a model: the names of its tensors and texts -> [answer, number] for each text."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        pytest.skip("no C compiler (cc, gcc or clang) on the path")
    import tensorflow
    import tensorflow_text

    libraries = Path(tensorflow.__file__).parent
    if not (libraries / "libtensorflow_cc.so.2").exists():
        pytest.skip(f"this TensorFlow has no {libraries / 'libtensorflow_cc.so.2'}")
    program = tmp_path_factory.mktemp("c") / "serve"
    subprocess.run(
        [
            *(compiler, "-o", program, Path(__file__).with_name("serve.c"), "-I", libraries / "include"),
            *("-L", libraries, "-l:libtensorflow_cc.so.2", "-l:libtensorflow_framework.so.2"),
            f"-Wl,-rpath,{libraries}",
        ],
        check=True,
    )
    operations = Path(tensorflow_text.__file__).parent / "python" / "ops" / "_sentencepiece_tokenizer.so"

    def run(model: Path, names: Sequence[str], texts: Sequence[str]) -> list[list[str]]:
        answered = subprocess.run(
            [program, operations, model, *names],
            input="".join(f"{text}\n" for text in texts).encode(),
            capture_output=True,
        )
        assert answered.returncode == 0, answered.stderr.decode()
        return [line.split("\t") for line in answered.stdout.decode().splitlines()]

    return run


# --- trainings that are killed --------------------------------------------------------------------------------------


class Disturbance:
    """Trains the same twice: undisturbed, and killed at random moments until it is finished.

    Args:
      process: starts `python ARGUMENTS`.
      arguments: of the training, all but --run.
      folder: where it trains undisturbed.
      parts: files and folders that its set-up writes, at whose writing it is killed.
    """

    def __init__(self, process, arguments: Sequence, folder: Path, parts: Sequence[str]):
        self.process, self.arguments, self.parts = process, arguments, parts
        self.undisturbed = Run(folder)
        began = time.monotonic()
        training = process(*arguments, "--run", folder)
        _, err = training.communicate()
        assert training.returncode == 0, err.decode()
        self.seconds = time.monotonic() - began

    def wait_for(self, condition: Callable[[], bool], training) -> bool:
        """Waits until the condition holds; False if the training ends or patience does."""
        end = time.monotonic() + 3 * self.seconds
        while time.monotonic() < end and training.poll() is None:
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
            time.sleep(chance.uniform(0.0, 0.5))
        else:
            name = chance.choice([".writing-state.npz", ".writing-model.keras"])
            self.wait_for(lambda: any(folder.rglob(name)), training)
        training.kill()
        training.communicate()
        return "finished already" if training.returncode == 0 else f"left {sorted(map(str, left(folder)))}"

    def train_killed(self, folder: Path, kills: int = KILLS) -> Run:
        """The run of a training that was killed so often, or until it was finished."""
        chance, killed = random.Random(SEED), 0
        moments = ["set-up", "in an epoch", "while writing", "any time"]
        for number in range(kills):
            moment = moments[number % len(moments)]
            found = self.kill_at(moment, self.process(*self.arguments, "--run", folder), folder, chance)
            killed += "finished" not in found
            print(f"kill {number + 1}: {moment}, {found}")
            if not killed or Run(folder).finished:
                break
        assert killed, "the training ended before it was killed"
        training = self.process(*self.arguments, "--run", folder)
        _, err = training.communicate()
        assert training.returncode == 0 or b"finished already" in err, err.decode()
        print(f"{killed} kills; then: {err.decode().splitlines()[2:3]}")
        return Run(folder)

    def assert_same(self, run: Run) -> None:
        """Weights, history and vocabulary are those of the undisturbed training, bit for bit."""
        for one, two in zip(weights(run), weights(self.undisturbed), strict=True):
            assert one.dtype == two.dtype and np.array_equal(one, two)
        assert history(run) == history(self.undisturbed)
        for path in self.undisturbed.vocabulary.iterdir():
            assert (run.vocabulary / path.name).read_bytes() == path.read_bytes()


def weights(run: Run) -> list[np.ndarray]:
    importlib.import_module(f"tasks.{run.stored()['task']}.train")  # Keras finds the layers of what is imported
    return keras.saving.load_model(run.model_file, compile=False).get_weights()


def history(run: Run) -> list[dict[str, str]]:
    with open(run.history_file, newline="") as file:
        return [{name: row[name] for name in row if name not in TIMINGS} for row in csv.DictReader(file)]


def left(folder: Path) -> list[Path]:
    return [path.relative_to(folder) for path in folder.rglob(".*")]


@pytest.fixture(scope="session")
def disturbance(process) -> Callable[..., Disturbance]:
    def make(arguments: Sequence, folder: Path, parts: Sequence[str]) -> Disturbance:
        return Disturbance(process, arguments, folder, parts)

    return make
