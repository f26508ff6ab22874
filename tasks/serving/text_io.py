"""One text a line, as it is or in a JSON object, as a stream: from a file or a pipe, to a file or a pipe."""

import contextlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from tasks import atomic_files
from tasks.data.records import as_text
from tasks.data.table_files import decoded_lines, text_lines
from tasks.errors import UserError


def read(place: str, key: str | None = None) -> Iterator[str]:
    """The lines of a UTF-8 file (also .gz), or of standard input for "-", without their ends.

    Args:
      key: reads each line as a JSON object, and gives what it has under this key.

    Raises:
      UserError: no such file, invalid UTF-8, or a line that is no JSON object with a text; names the line.
    """
    if place == "-":
        numbered = decoded_lines(sys.stdin.buffer, "standard input")
    elif Path(place).exists() and not Path(place).is_dir():  # also a pipe, as of a shell's <(...)
        numbered = text_lines(Path(place))
    else:
        raise UserError(f"--input {place}: no such file")
    for number, line in numbered:
        line = line.rstrip("\r\n")
        if key is not None and not line.strip():
            continue  # JSON lines may end in a blank one; a blank text line is an empty text
        yield line if key is None else _text_of(line, key, f"{'standard input' if place == '-' else place}:{number}")


def _text_of(line: str, key: str, where: str) -> str:
    try:
        found = json.loads(line)[key]
    except (json.JSONDecodeError, TypeError, KeyError):
        found = None
    if not isinstance(found, str):
        raise UserError(f'{where}: expected a JSON object with a text under "{key}"; name another with --text-column')
    return as_text(found, where, key)


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
