"""Streams of texts, one on each line, plain or in JSON objects: from a file or pipe, to a file or pipe."""

import contextlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from tasks import atomic_files
from tasks.data.records import as_text
from tasks.data.table_files import decode_lines, read_lines
from tasks.errors import UserError


def read(location: str, key: str | None = None) -> Iterator[str]:
    """Yield the texts of a UTF-8 file or of standard input, one for each line, without line endings.

    Args:
        location: A file, which may be gzip-compressed, or "-" for standard input.
        key: If given, each line is a JSON object and the text is its value under this key.

    Raises:
        UserError: If the file does not exist, or a line is not UTF-8 or not a JSON object with a text under `key`.
    """
    if location == "-":
        name, numbered = "standard input", decode_lines(sys.stdin.buffer, "standard input")
    elif Path(location).exists() and not Path(location).is_dir():  # also a named pipe, such as a shell's <(...)
        name, numbered = location, read_lines(Path(location))
    else:
        raise UserError(f"--input {location}: no such file")
    for number, line in numbered:
        line = line.rstrip("\r\n")
        if key is not None and not line.strip():
            continue  # JSON Lines may contain blank lines; a blank line of plain text is an empty text
        yield line if key is None else _text_of(line, key, f"{name}:{number}")


def _text_of(line: str, key: str, location: str) -> str:
    try:
        text = json.loads(line)[key]
    except (ValueError, RecursionError, TypeError, KeyError):
        text = None
    if not isinstance(text, str):
        raise UserError(
            f'{location}: expected a JSON object with a text under "{key}"; name another with --text-column'
        )
    return as_text(text, location, key)


@contextlib.contextmanager
def open_output(location: str | None) -> Iterator[TextIO]:
    """Open a stream for results.

    Args:
        location: A file, which is replaced when all of it has been written; a device or pipe, which is written to
            directly; or None for standard output.

    Yields:
        The stream.
    """
    if location is None:
        yield sys.stdout
        return
    path = Path(location)
    if path.exists() and not path.is_file():  # a device or a pipe has no old content to keep
        with path.open("w", encoding="utf-8") as file:
            yield file
        return
    with atomic_files.replacing(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        yield file
