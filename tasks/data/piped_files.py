"""Files whose bytes arrive over time: pipes, terminals and devices."""

import contextlib
import io
import os
import select
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

from tasks.data.locations import to_path

# Seconds without input after which it has paused; after which a signal is noticed that came just before the waiting
# began, or to another thread, and so does not end it.
PAUSE, SIGNALS = 0.1, 0.5
BYTES = 1 << 16


class PipedFile:
    """An open file that knows whether another line is there. It is read like a binary file of Python with a buffer.

    Args:
        descriptor: Of the file.
        name: The name of the file in messages.

    Attributes:
        suffix: As of a `Path` without one.
    """

    suffix = ""

    def __init__(self, descriptor: int, name: str):
        self._descriptor, self._name = descriptor, name
        self._buffer, self._ended = b"", False

    def __str__(self) -> str:
        return self._name

    def is_file(self) -> bool:
        """Return that this is no regular file, as `Path.is_file` does."""
        return False

    def more(self) -> bool:
        """Return whether another line, or the end, arrives before the input pauses."""
        while not (self._ended or b"\n" in self._buffer):
            if not select.select([self._descriptor], [], [], PAUSE)[0]:
                return False
            self._fill()
        return True

    def peek(self, size: int = 0) -> bytes:
        """Return what is in the buffer; wait for input if it is empty."""
        if not (self._buffer or self._ended):
            self._fill()
        return self._buffer

    def read1(self, size: int = -1) -> bytes:
        """Return what is in the buffer, up to a number of bytes; wait for input if it is empty."""
        self.peek()
        return self._take(len(self._buffer) if size < 0 else size)

    def read(self, size: int = -1) -> bytes:
        """Return a number of bytes, or all; fewer at the end."""
        parts, missing = [], size
        while missing and (part := self.read1(missing)):
            parts.append(part)
            missing -= len(part) if size >= 0 else 0
        return b"".join(parts)

    def readline(self, size: int = -1) -> bytes:
        """Return the next line with its end, up to a number of bytes; wait for it."""
        parts, length = [], 0
        while part := self.peek():
            end = part.find(b"\n") + 1 or len(part)
            if size >= 0:
                end = min(end, size - length)
            parts.append(self._take(end))
            length += end
            if parts[-1].endswith(b"\n") or length == size:
                break
        return b"".join(parts)

    def _take(self, size: int) -> bytes:
        part, self._buffer = self._buffer[:size], self._buffer[size:]
        return part

    def _fill(self) -> None:
        while not select.select([self._descriptor], [], [], SIGNALS)[0]:
            pass  # Python calls the handlers of signals here
        part = os.read(self._descriptor, BYTES)
        self._buffer += part
        self._ended = not part


@contextlib.contextmanager
def opened(location: str) -> Iterator[PipedFile | None]:
    """Open a location if its bytes arrive over time.

    Args:
        location: A file, or "-" for standard input.

    Yields:
        The file; None for a regular one, and for what cannot be opened.
    """
    if location == "-":
        file = None
        with contextlib.suppress(AttributeError, OSError, io.UnsupportedOperation):  # a caller has replaced it
            descriptor = sys.stdin.fileno()
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                file = PipedFile(descriptor, "standard input")
        yield file
        return
    path = to_path(location)
    if isinstance(path, Path) and path.exists() and not (path.is_dir() or path.is_file()):
        with open(path, "rb", buffering=0) as file:
            yield PipedFile(file.fileno(), location)
    else:
        yield None
