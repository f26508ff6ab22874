"""Streams of texts, from lines or the rows of a table: from a file or pipe; streams to write to."""

import collections
import contextlib
import json
import logging
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TextIO

from tasks.arguments import PredictArguments
from tasks.data import json_lines, locations, part_files
from tasks.data.piped_files import PipedFile
from tasks.data.records import Column, as_text, check_kept, quoted_list
from tasks.data.table_files import find_columns_of_kind, read_rows, table_format
from tasks.data.text_files import decode_lines, read_lines
from tasks.errors import UserError
from tasks.file_options import FileOptions
from tasks.settings import paths_as_text

log = logging.getLogger(__name__)


class Row(NamedTuple):
    """A text of the input.

    Attributes:
        text: The text.
        fields: All columns of its row by name; empty if the input is one text per line.
        location: Its place, for messages.
    """

    text: str
    fields: dict[str, Any]
    location: str


def read(location: Path | str, key: str | None = None) -> Iterator[str]:
    """Yield the texts of a UTF-8 file or of standard input, one for each line, without line endings.

    Args:
        location: A file, which may be gzip-compressed, or "-" for standard input.
        key: If given, each line is a JSON object and the text is its value under this key.

    Raises:
        UserError: If the file does not exist, or a line is not UTF-8 or not a JSON object with a text under `key`.
    """
    location = paths_as_text(location)
    if not isinstance(location, str):
        raise UserError(f"expected the path of a file, found a {type(location).__name__}; give it as text or Path")
    return (row.text for row in read_texts(location, "text" if key is None else "jsonl", key or "text"))


def read_texts(
    location: str,
    kind: str,
    column: str | None = None,
    options: FileOptions = FileOptions(),  # noqa: B008
    *,
    columns: Sequence[str] | None = None,
    piped: PipedFile | None = None,
    as_arrays: bool = False,
    opened: Callable[[Sequence[str]], None] = lambda names: None,
) -> Iterator[Row]:
    """Yield the texts of a file or of standard input, with the other columns of their rows.

    Args:
        location: A file, which may be gzip-compressed, or "-" for standard input.
        kind: "text" for a text on each line; or the format of a table, see `tasks.data.table_files`.
        column: The column of the texts in a table; "text" if None.
        options: How the file is written.
        columns: The columns of the rows that are of use; all if None.
        piped: The location, if it is open already.
        as_arrays: Whether the values of a Parquet file are arrays; see `tasks.data.parquet_files.read_rows`.
        opened: Called with the names of the columns of the rows, before the first row; not for JSON Lines, of which
            each line has its names.

    Raises:
        UserError: If the file does not exist, or a line, a row or a column cannot be read.
    """
    check_exists(location)
    name = column or "text"
    if kind in ("text", "jsonl"):
        if kind == "text":
            opened(())
        yield from _read_lines(location, name if kind == "jsonl" else None, options, columns, piped)
        return
    path, warned = locations.to_path("/dev/stdin" if location == "-" else location), False
    if piped is not None and kind != "parquet":
        path = piped
    text_column = Column("text", column)
    rows = read_rows(path, kind, options, text_column, columns, as_arrays=as_arrays, opened=opened)
    for value, fields, place in rows:
        text = as_text(value, place, name)
        if not warned and not text.strip():
            log.warning("%s: the text is empty; it is answered like any other, and so are further ones", place)
            warned = True
        yield Row(text, fields, place)


def check_input(
    location: str, kind: str, column: str | None, options: FileOptions, columns: Sequence[str] | None = None
) -> None:
    """Check that an input can be opened and has the columns that are read; a pipe can be read only once.

    Raises:
        UserError: If it does not exist, or lacks one of them.
    """
    if location == "-":
        return
    check_exists(location)
    path = locations.to_path(location)
    if path.is_file() and kind in ("csv", "tsv", "parquet"):
        find_columns_of_kind(path, kind, [Column("text", column)], options)
    if path.is_file() and (columns is not None or kind in ("text", "jsonl")):
        next(read_texts(location, kind, column, options, columns=columns), None)


def kind_of_input(arguments: PredictArguments, location: str) -> str:
    """Return the format of an input; that of a part file without a suffix, as Spark writes them, is found in it."""
    kind = arguments.kind_of_input(location)
    if kind == "text" and location != "-" and arguments.input_format is None:
        path = locations.to_path(location)
        found = table_format(path) if part_files.is_part(path) else kind
        return found if found in ("jsonl", "parquet") else kind
    return kind


def check_exists(location: str) -> None:
    """Raise `UserError` if an input does not exist or is a folder."""
    path = locations.to_path(location)
    if location != "-" and not path.exists():  # a named pipe is no file
        raise UserError(f"--input {location}: no such file")
    if location != "-" and path.is_dir():
        files, _ = locations.list_folder(path)
        example = f", such as {files[0]}" if files else ""
        also = "; with / at its end and a folder with --output, its files are answered" if location[-1] != "/" else ""
        raise UserError(f"--input {location} is a folder; name one file{example}, or - for standard input{also}")


def _read_lines(
    location: str,
    key: str | None,
    options: FileOptions,
    columns: Sequence[str] | None = None,
    piped: PipedFile | None = None,
) -> Iterator[Row]:
    if piped is not None:
        name, numbered = str(piped), decode_lines(piped, str(piped), options.encoding)
    elif location == "-":
        name, numbered = "standard input", decode_lines(sys.stdin.buffer, "standard input", options.encoding)
    else:
        name, numbered = location, read_lines(locations.to_path(location), options.encoding)
    checked = False
    for number, line in numbered:
        line, place = line.rstrip("\r\n"), f"{name}:{number}"
        if key is None:
            yield Row(line, {}, place)
        elif line.strip():  # JSON Lines may contain blank lines; a blank line of plain text is an empty text
            row = _json_row(line, key, place)
            if columns is not None:
                if not checked:  # a value may be missing in others
                    check_kept(columns, [*row.fields, *json_lines.value_names(row.fields)], place)
                    checked = True
                found = {column: json_lines.lookup(row.fields, column) for column in columns}
                found = {column: None if value is json_lines.ABSENT else value for column, value in found.items()}
                row = row._replace(fields=found)
            yield row


def _json_row(line: str, key: str, location: str) -> Row:
    try:
        fields = json_lines.parse(line)
    except json_lines.InvalidLine as error:
        raise UserError(f"{location}: {error}.") from None
    text = json_lines.lookup(fields, key)
    if text is json_lines.ABSENT:
        keys = quoted_list(json_lines.value_names(fields))
        raise UserError(
            f"{location}: the object has no {key!r}; its keys are: {keys}. Name the one to read with --text-column"
        )
    if not isinstance(text, str):
        found = json_lines.quoted(json.dumps(text, ensure_ascii=False))
        raise UserError(
            f'{location}: expected a text under "{key}", and found {found}; name another with --text-column'
        )
    return Row(as_text(text, location, key), fields, location)


class Rows:
    """The rows of the input; they wait for the answers to their texts.

    Args:
        rows: The rows, streamed.

    Attributes:
        taken: Number of rows whose texts were taken.
    """

    def __init__(self, rows: Iterable[Row]):
        self._rows = rows
        self._waiting: collections.deque[Row] = collections.deque()
        self.taken = 0

    def texts(self) -> Iterator[str]:
        """Yield the texts."""
        for row in self._rows:
            self._waiting.append(row)
            self.taken += 1
            yield row.text

    @property
    def first(self) -> Row:
        """The first row that waits for an answer."""
        return self._waiting[0]

    @property
    def all_answered(self) -> bool:
        """Whether no row waits for an answer."""
        return not self._waiting

    def of_answer(self, number: int, answers_per_text: int = 1) -> Row:
        """Return the row of the next answer.

        Args:
            number: Of the answer, counted from 1; answers come in the order of the texts.
            answers_per_text: How many answers follow one another for each text.
        """
        return self._waiting[0] if number % answers_per_text else self._waiting.popleft()


@contextlib.contextmanager
def open_stream(location: str | None) -> Iterator[TextIO]:
    """Open standard output if the location is None; else a device or a pipe, which is written to directly."""
    if location is None:
        yield sys.stdout
        return
    with open(location, "w", encoding="utf-8", newline="") as file:
        yield file
