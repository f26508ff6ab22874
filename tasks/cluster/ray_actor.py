"""The actor of Ray that runs a worker of a training."""

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import BinaryIO, NamedTuple

from tasks.cluster.extra import imported

# Ends with its parent, and becomes the given program. The parent may have ended before the system knows that.
BOUND = """
import ctypes, os, signal, sys
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
if os.getppid() == int(sys.argv[1]):
    os.execvp(sys.argv[2], sys.argv[2:])
"""


class Place(NamedTuple):
    """Where an actor is.

    Attributes:
        machine: The name of its machine.
        address: HOST:PORT of its worker.
        shared: Whether it sees a file that the command has written.
    """

    machine: str
    address: str
    shared: bool


class Seen(NamedTuple):
    """The state of a worker.

    Attributes:
        code: Its exit code; None if it is running.
        texts: What is new in its standard output and its standard error.
    """

    code: int | None
    texts: tuple[bytes, bytes]


class WorkerActor:
    """Runs a worker as a child process: what ends that process does not end the actor, which reports it.

    Args:
        folder: The folder to which the names of the files are relative.
    """

    def __init__(self, folder: str):
        self._folder = folder
        self._process: subprocess.Popen | None = None
        # Files, since nobody would empty a pipe while the actor is stopped.
        self._outputs = [_Output(tempfile.TemporaryFile()) for _ in range(2)]  # noqa: SIM115
        self._reserved = socket.socket()

    def place(self, port: int | None, shown: str, seconds: float) -> Place:
        """Return where this actor is, with a port that is free here if none is given.

        The port is reserved until all actors have one, since several may be on a machine.

        Args:
            port: The port.
            shown: A file that the command has written.
            seconds: How long to wait until the file is seen.
        """
        host = _host()
        if port is None:
            self._reserved.bind(("", 0))
            port = self._reserved.getsockname()[1]
        return Place(socket.gethostname(), f"{host}:{port}", _is_shown(Path(shown), seconds))

    def begin(self, variables: list[str], command: list[str]) -> None:
        """Start the worker; it ends with this actor."""
        self._reserved.close()
        output, messages = (one.file for one in self._outputs)
        self._process = subprocess.Popen(
            # Ray lets the numeric libraries of an actor use num_cpus threads; a worker elsewhere uses all.
            [sys.executable, "-c", BOUND, str(os.getpid()), "env", "-u", "OMP_NUM_THREADS", *variables]
            + [sys.executable, *command],
            cwd=self._folder if os.path.isdir(self._folder) else None,  # needed for relative names only
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=messages,
            start_new_session=True,
        )

    def look(self) -> Seen:
        """Return the state of the worker."""
        code = None if self._process is None else self._process.poll()
        return Seen(code, tuple(one.new(last=code is not None) for one in self._outputs))

    def interrupt(self) -> None:
        """Let the worker save the step that it has reached, and end."""
        if self._process is not None:
            self._process.terminate()

    def end(self) -> None:
        """End the worker at once."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()


class _Output:
    """A file that a process writes, read line by line.

    Args:
        file: The file.
    """

    def __init__(self, file: BinaryIO):
        self.file, self._place = file, 0

    def new(self, *, last: bool) -> bytes:
        """Return the whole lines that are new; with `last`, also one without its end."""
        size = os.fstat(self.file.fileno()).st_size
        text = os.pread(self.file.fileno(), size - self._place, self._place)
        text = text if last else text[: text.rfind(b"\n") + 1]
        self._place += len(text)
        return text


def _is_shown(file: Path, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while not file.exists():
        if time.monotonic() > end:
            return False
        with contextlib.suppress(OSError):
            os.listdir(file.parent)  # a network file system then asks its server again
        time.sleep(0.2)
    return True


def _host() -> str:
    """Return the address of this machine in the cluster."""
    host = imported("ray").util.get_node_ip_address()
    return f"[{host}]" if ":" in host else host
