"""The command line of each task, called within the test's process or in a separate one."""

import contextlib
import fcntl
import io
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from tasks.cli.main import main, main_of_group
from tasks.cli.parsing import train_arguments
from tasks.commands import CommandGroup
from tasks.task import Task
from tasks.training import prepared, runs
from tasks.vectors.commands import VECTORS
from tests.tasks.examples import EXAMPLES, QUICKLY, Example

ROOT = Path(__file__).parents[2]


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


def in_this_process(task: Task | CommandGroup) -> Callable[..., Answer]:
    """Runs `python -m tasks.TASK ARGUMENTS` within this process, which has TensorFlow loaded once."""
    start = main_of_group if isinstance(task, CommandGroup) else main

    def run(*arguments) -> Answer:
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = start(task, [str(argument) for argument in arguments])
        return Answer(code, out.getvalue(), err.getvalue())

    return run


@pytest.fixture(scope="session")
def command() -> Callable[[Task], Callable[..., Answer]]:
    """The commands of a task, within this process."""
    return in_this_process


@pytest.fixture(scope="session")
def process() -> Callable[..., subprocess.Popen]:
    """Starts `python ARGUMENTS`, from any folder; the keywords are those of subprocess.Popen."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        # A shell starts jobs in the background like that, and their processes would ignore Ctrl-C as well.
        signal.signal(signal.SIGINT, signal.default_int_handler)

    def start(*arguments, **options) -> subprocess.Popen:
        options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
        environment = os.environ | {"PYTHONPATH": str(ROOT)} | options.pop("env", {})
        return subprocess.Popen([sys.executable, *map(str, arguments)], env=environment, **options)

    return start


def in_a_process(process, task: str) -> Callable[..., Answer]:
    """Runs `python -m tasks.TASK ARGUMENTS` in a separate process; `input` is its standard input."""

    def run(*arguments, input: bytes | None = None, **options) -> Answer:
        options = ({} if input is None else {"stdin": subprocess.PIPE}) | options
        started = process("-m", f"tasks.{task}", *arguments, **options)
        out, err = started.communicate(input)
        return Answer(started.returncode, (out or b"").decode(), (err or b"").decode())

    return run


class SmallTask:
    """A task with its example: small data, and finished runs, for reading only. See `examples.Example`.

    Args:
        example: The example.
        folder: Where its data and runs are, or will be.
        process: Starts `python ARGUMENTS`.
    """

    def __init__(self, example: Example, folder: Path, process):
        self.example, self.task, self.name, self.options = example, example.task, example.task.name, example.options
        self._folder = folder
        self.command, self.in_a_process = in_this_process(self.task), in_a_process(process, self.name)
        self.predict_command = self.task.predict_command

    @property
    def data(self) -> Path:
        """The small data."""
        return self._data() / self.example.data

    @property
    def run_data(self) -> Path:
        """The data of the finished runs."""
        return self._data() / self.example.run_data

    def _data(self) -> Path:
        return written_once(self._folder / "data", self.example.write)

    def train(self, folder: Path, *options, data: Path | str | None = None) -> Answer:
        """Trains the small network within this process; later options override earlier ones."""
        return self.command("train", "--data", data or self.data, "--run", folder, *self.options, *options)

    def run(self, name: str = "tiny") -> Path:
        """A finished run, shared by all processes; `tiny` is the one of every task. Commands that write need a copy."""

        def train(folder: Path) -> None:
            answer = self.train(folder, *self.example.runs[name], data=self.run_data)
            assert answer.code == 0, answer.err

        return written_once(self._folder / name, train)

    @property
    def untrained_run(self) -> Path:
        """A run of the small data that has everything of a finished one but training: it takes a second to make."""

        def write(folder: Path) -> None:
            arguments = ["--data", self.data, "--run", folder, *self.options]
            settings = train_arguments(self.task, "train", list(map(str, arguments))).settings
            run = runs.begin(folder, self.name, settings)
            settings = prepared.prepare(self.task, settings, run)
            network = self.task.build(settings, self.task.open_data(settings, run), run)
            network.model.save(run.model_file)
            runs.finish(run, folder)

        return written_once(self._folder / "untrained", write)

    def model(self, name: str = "tiny") -> Path:
        """The exported model of a finished run: the folder of its version."""

        def export(folder: Path) -> None:
            answer = self.command("export", "--run", self.run(name), "--to", folder)
            assert (answer.code, answer.out) == (0, f"{folder}/1\n"), answer.err

        return written_once(self._folder / "saved_models" / name, export) / "1"


def written_once(folder: Path, write: Callable[[Path], None]) -> Path:
    """Returns the folder; the first of the processes that run tests side by side writes it, and the others wait."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    done = folder.with_name(f"{folder.name}.done")
    with open(folder.with_name(f"{folder.name}.lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            write(folder)
            done.touch()
    return folder


@pytest.fixture(scope="session")
def small_tasks(tmp_path_factory, process) -> dict[str, SmallTask]:
    """The tasks by name, each with small data and finished runs."""
    folder = tmp_path_factory.getbasetemp()
    folder = (folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder) / "small_tasks"
    return {name: SmallTask(example, folder / name, process) for name, example in EXAMPLES.items()}


def _command(name: str):
    return pytest.fixture(scope="session", name=name)(lambda small_tasks: small_tasks[name].command)


def _process(name: str):
    return pytest.fixture(scope="session", name=f"{name}_process")(lambda small_tasks: small_tasks[name].in_a_process)


# `sentiment("train", ...)` runs a command within this process, `sentiment_process("train", ...)` in a separate one.
sentiment, chargen, translation = map(_command, ("sentiment", "chargen", "translation"))
sentiment_process, chargen_process, translation_process = map(_process, ("sentiment", "chargen", "translation"))


@pytest.fixture(scope="session")
def vectors() -> Callable[..., Answer]:
    """Runs `python -m tasks.vectors ARGUMENTS` within this process."""
    return in_this_process(VECTORS)


def contents(folder: Path) -> dict[Path, bytes]:
    """The files below a folder, which may not exist."""
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="session", name="contents")
def contents_fixture() -> Callable[[Path], dict[Path, bytes]]:
    """The files below a folder: their names and their bytes."""
    return contents


# --- programs that know an exported model, and nothing of this project ----------------------------------------------

# The tool that TensorFlow brings; models with a SentencePiece vocabulary need the ops of tensorflow_text.
SAVED_MODEL_CLI = """
import sys
from tensorflow.python.tools import saved_model_cli
if sys.argv.pop(1) == "text_ops":
    import tensorflow_text
sys.argv[0] = "saved_model_cli"
saved_model_cli.main()
"""


@pytest.fixture(scope="session")
def saved_model_cli(process) -> Callable[..., str]:
    """Runs `saved_model_cli COMMAND` on a signature of a model; returns what it prints."""

    def run(command: str, model: Path, *arguments, signature: str = "serving_default", text_ops: bool = True) -> str:
        fixed = ["--dir", model, "--tag_set", "serve", "--signature_def", signature]
        ops = "text_ops" if text_ops else "core_ops"
        started = process("-c", QUICKLY + SAVED_MODEL_CLI, ops, command, *fixed, *arguments)
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
