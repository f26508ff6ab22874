"""One text a line: from a file or standard input, to a file or standard output, as a stream."""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from tasks import atomic_files
from tasks.errors import UserError
from tasks.table_files import decoded_lines, text_lines


def read(place: str) -> Iterator[str]:
    """The lines of a UTF-8 file (also .gz), or of standard input for "-", without their ends.

    Raises:
      UserError: no such file, or invalid UTF-8; names the line.
    """
    if place == "-":
        numbered = decoded_lines(sys.stdin.buffer, "standard input")
    elif Path(place).is_file():
        numbered = text_lines(Path(place))
    else:
        raise UserError(f"--input {place}: no such file")
    for _, line in numbered:
        yield line.rstrip("\r\n")


@contextlib.contextmanager
def writer(place: str | None) -> Iterator[TextIO]:
    """Standard output for None; else a file that appears under its name when all of it is written."""
    if place is None:
        yield sys.stdout
        return
    path = Path(place)
    if path.exists() and not path.is_file():  # a device or a pipe, which has no old content to keep
        with path.open("w", encoding="utf-8") as file:
            yield file
        return
    with atomic_files.replacing(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        yield file
