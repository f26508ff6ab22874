"""The command line of the sentiment task, called within the test's process or in one of its own."""

import contextlib
import io
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from tasks import cli
from tasks.sentiment.__main__ import COMMANDS

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


@pytest.fixture(scope="session")
def sentiment() -> Callable[..., Answer]:
    """Runs `python -m tasks.sentiment ARGUMENTS` within this process, which has TensorFlow loaded once."""

    def run(*arguments) -> Answer:
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = cli.main("sentiment", COMMANDS, [str(argument) for argument in arguments])
        return Answer(code, out.getvalue(), err.getvalue())

    return run


@pytest.fixture(scope="session")
def process() -> Callable[..., subprocess.Popen]:
    """Starts `python ARGUMENTS`, from any folder; the keywords are those of subprocess.Popen."""

    def start(*arguments, **options) -> subprocess.Popen:
        options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
        environment = os.environ | {"PYTHONPATH": str(ROOT)} | options.pop("env", {})
        return subprocess.Popen([sys.executable, *map(str, arguments)], env=environment, **options)

    return start


@pytest.fixture(scope="session")
def sentiment_process(process) -> Callable[..., Answer]:
    """Runs `python -m tasks.sentiment ARGUMENTS` in a process of its own; `input` is its standard input."""

    def run(*arguments, input: bytes | None = None, **options) -> Answer:
        options = ({} if input is None else {"stdin": subprocess.PIPE}) | options
        started = process("-m", "tasks.sentiment", *arguments, **options)
        out, err = started.communicate(input)
        return Answer(started.returncode, (out or b"").decode(), (err or b"").decode())

    return run
