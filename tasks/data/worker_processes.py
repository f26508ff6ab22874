"""Calls functions in separate processes, on all cores, and returns their results in order.

The processes import no TensorFlow, so each starts in a third of a second. They do not import the main module of the
program that calls, so a script needs no `if __name__ == "__main__"`, and a notebook works. They end with the program,
whatever ends it.
"""

import contextlib
import logging
import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from tasks.data import look_ahead
from tasks.errors import TrainingFailed, UserError

Item, Result = TypeVar("Item"), TypeVar("Result")

_ROOT = str(Path(__file__).parents[2])
_LENGTH = 8  # bytes of the length of a message

_processes: ContextVar["_Processes | None"] = ContextVar("processes", default=None)


@contextlib.contextmanager
def available(count: int | None = None) -> Iterator[None]:
    """Let `mapped` use processes inside the `with` block; they start when they are needed, and end with the block.

    Args:
        count: Maximum number of processes; None is the number of cores. With 1, none is started.

    Raises:
        UserError: If it is less than 1.
    """
    check(count)
    processes = _Processes(look_ahead.cores() if count is None else count)
    token = _processes.set(processes)
    try:
        yield
    finally:
        _processes.reset(token)
        processes.end()


def check(count: int | None) -> None:
    """Raise `UserError` if the number of processes is less than 1."""
    if count is not None and count < 1:
        raise UserError(f"--processes {count}: expected a whole number of at least 1")


def count() -> int:
    """Return how many processes `mapped` may use here; 1 if it calls functions in this one."""
    processes = _processes.get()
    return 1 if processes is None else processes.count


def mapped(function: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[Result]:
    """Yield the result for each item, in their order, whatever the number of processes.

    If the caller stops before the end, the calls that are running are ended.

    Args:
        function: A function of a module that imports no TensorFlow, or a `functools.partial` of one.
        items: What it is called with: like the results, what `pickle` can write.

    Raises:
        TrainingFailed: If a process was killed.
        Exception: What the function raises.
    """
    processes = _processes.get()
    if processes is None or min(processes.count, len(items)) < 2:
        yield from map(function, items)
    else:
        yield from processes.mapped(function, items)


class _Processes:
    """Processes that wait for calls.

    Args:
        count: Maximum number of them.
    """

    def __init__(self, count: int):
        self.count = count
        self._lock, self._ended = threading.Lock(), False
        self._idle: list[_Process] = []
        self._started: list[_Process] = []

    def mapped(self, function: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[Result]:
        """See the function of this name."""
        busy: list[_Process] = []
        stopped = False

        def call(item: Item) -> Result:
            process = self._process()
            with self._lock:
                if stopped:
                    self._idle.append(process)
                    raise InterruptedError
                busy.append(process)
            result = process.call(function, item)
            with self._lock:
                if not stopped:  # otherwise `stop` ends it
                    busy.remove(process)
                    self._idle.append(process)  # not after an error: it may be dead
            return result

        def stop() -> None:
            nonlocal stopped
            with self._lock:
                stopped = True
            for process in busy:
                process.end()

        threads = min(self.count, len(items))
        for _, result in look_ahead.mapped(call, items, threads, waiting=threads, stop=stop):
            yield result

    def _process(self) -> "_Process":
        """Return a process that is idle, or else a new one."""
        with self._lock:
            if self._ended:  # after an error of the caller, a thread may still be about to start one
                raise InterruptedError
            if self._idle:
                return self._idle.pop()
            process = _Process()
            self._started.append(process)
            return process

    def end(self) -> None:
        """End all processes at once."""
        with self._lock:
            self._ended = True
        for process in self._started:
            process.end()


class _Process:
    """A process that waits for calls."""

    def __init__(self):
        # Modules are found where this process finds them, and not in the folder in which it was started.
        path = [_ROOT, *map(str, sys.path)]
        command = f"import sys; sys.path[:] = {path!r}; from tasks.data.worker_processes import main; main()"
        try:
            # In a separate session, Ctrl+C reaches this process alone.
            self._process = subprocess.Popen(
                [sys.executable, "-c", command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
            )
        except OSError as error:
            raise TrainingFailed(
                f"a process that prepares the data cannot be started: {error.strerror or error}; --processes sets "
                "their maximum number, and 1 starts none"
            ) from error

    def call(self, function: Callable[[Item], Result], item: Item) -> Result:
        """Call a function in the process."""
        with contextlib.suppress(BrokenPipeError):  # it has ended: its exit code is reported
            _send(self._process.stdin, pickle.dumps((function, item)))
        answer = _received(self._process.stdout)
        if answer is None:
            raise _ended(self._process.wait())
        result, error, messages = pickle.loads(answer)
        for message in messages:
            logger = logging.getLogger(message.name)
            if logger.isEnabledFor(message.levelno):
                logger.handle(message)
        if error is not None:
            raise error
        return result

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(BrokenPipeError):
                pipe.close()


def _ended(code: int) -> TrainingFailed:
    what = f"ended with exit code {code}"
    if code == -signal.SIGKILL:
        what = "was killed: was there too little memory? --processes 1 needs least"
    elif code < 0:
        what = f"was ended by the signal {-code}"
    return TrainingFailed(f"a process that prepares the data {what}; the same command starts again")


# --- messages: their length, and what pickle writes


def _send(file: BinaryIO, message: bytes) -> None:
    file.write(len(message).to_bytes(_LENGTH))
    file.write(message)
    file.flush()


def _received(file: BinaryIO) -> bytes | None:
    """Return the next message; None if the other side has ended."""
    length = file.read(_LENGTH)
    message = file.read(int.from_bytes(length)) if len(length) == _LENGTH else b""
    return message if len(message) == int.from_bytes(length) and message else None


# --- in the process


def main() -> None:
    """Answer calls until standard input ends."""
    # A signal to all processes of a job is for the program, which ends this one.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a function prints is no answer
    calls: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def read() -> None:
        while (call := _received(sys.stdin.buffer)) is not None:
            calls.put(call)
        os._exit(1)  # nobody waits for the answer

    threading.Thread(target=read, daemon=True).start()
    messages = _Messages()
    logger = logging.getLogger("tasks")
    logger.setLevel(logging.INFO)
    logger.addHandler(messages)
    logger.propagate = False
    while True:
        try:
            function, item = pickle.loads(calls.get())
            answer = pickle.dumps((function(item), None, messages.taken()))
        except Exception as raised:  # also of what pickle cannot write
            answer = pickle.dumps((None, _sendable(raised), messages.taken()))
        with contextlib.suppress(BrokenPipeError):
            _send(answers, answer)


class _Messages(logging.Handler):
    """Keeps what is logged, for the process that called."""

    def __init__(self):
        super().__init__()
        self._kept: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        record.msg, record.args, record.exc_info = record.getMessage(), None, None
        self._kept.append(record)

    def taken(self) -> list[logging.LogRecord]:
        """Return what was logged since the last call."""
        kept, self._kept = self._kept, []
        return kept


def _sendable(error: Exception) -> Exception:
    """Return an error as another process can raise it; where it came from is in a note."""
    lines = "".join(traceback.format_tb(error.__traceback__))
    try:
        copy: Any = pickle.loads(pickle.dumps(error))
    except Exception:
        copy = RuntimeError(f"{type(error).__name__}: {error}")
    copy.add_note(f"in a process that prepares the data:\n{lines}")
    return copy
