"""Streaming reader of tables whose columns are separated by a character: .csv, .tsv and .txt."""

import csv
import io
import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from tasks.data import quoted_rows
from tasks.data.dialects import EXCEL_SEPARATOR, Dialect, Lines, dialect_of_file, find_dialect
from tasks.data.file_kinds import byte_order_mark
from tasks.data.piped_files import PipedFile
from tasks.data.records import REPEATED_HEADER, Record, quoted_list
from tasks.data.remote_files import AnyPath
from tasks.data.text_files import MAX_LINE_BYTES, decode_lines, endless_line, open_binary, read_lines
from tasks.errors import UserError
from tasks.file_options import FileOptions

# Rows with the numbers of their first lines; a text is what is wrong with a row.
Rows = Iterator[tuple[int, list[str] | str]]

MAX_COLUMNS = 10_000
# In a line with quoted fields, which may contain separators; a line of many short fields takes much memory.
MAX_QUOTED_DELIMITERS = 1 << 22


class Table(NamedTuple):
    """A table that is open.

    Attributes:
        names: The names of its columns; "1", "2" and so on if it has no header.
        rows: The other rows, each with the number of its first line.
    """

    names: list[str]
    rows: Rows


def open_table(path: AnyPath | PipedFile, kind: str, options: FileOptions) -> Table:
    """Open a table; it is read once, from its beginning to its end, so it may be a pipe.

    Args:
        path: The file.
        kind: "csv" or "tsv".
        options: How it is written.

    Raises:
        UserError: If it is empty or cannot be read.
    """
    if path.is_file():
        status = path.stat()
        version = (status.st_size, status.st_mtime_ns)
        dialect = dialect_of_file(path, kind, options.delimiter, options.encoding, version)
        lines = read_lines(path, options.encoding)
    else:
        lines = _piped_lines(path, options.encoding)
        beginning = next(lines)
        dialect = find_dialect(lambda: beginning, kind, options.delimiter)
    rows = without_trailing_blanks(_rows(lines, dialect, str(path)))
    # Lines without text above the header, or above the first row, are no rows.
    first = next((row for row in rows if _has_text(row[1], options.header)), None)
    if first is None:
        expected = "a first line with the columns' names" if options.header else "a row on each line"
        raise UserError(f"{path}: the file is empty; expected {expected}.")
    if isinstance(first[1], str):
        raise UserError(f"{path}:{first[0]}: {first[1]}")
    if options.header:
        return Table(first[1], rows)
    return Table([str(number) for number in range(1, len(first[1]) + 1)], itertools.chain([first], rows))


def records(path: AnyPath, kind: str, options: FileOptions) -> tuple[list[str], Iterator[Record]]:
    """Return the names of the columns, and each row with all its fields; a row of another length has a problem."""
    names, rows = open_table(path, kind, options)
    return names, _checked_rows(path, names, rows, options.header)


def _checked_rows(path: AnyPath, names: Sequence[str], rows: Rows, header: bool) -> Iterator[Record]:
    plain_names, index = _plain(names), 0
    for number, row in rows:
        if len(names) > 1 and len(row) <= 1 and not "".join(row).strip():
            continue  # a blank line, as the csv module and pandas skip them
        index += 1
        if isinstance(row, str):
            yield Record((), f"{path}:{number}", row, index)
            continue
        problem = None
        if not row and len(names) == 1:
            row = [""]  # in a table with one column an empty line is an empty text
        if len(row) != len(names):
            expected = f"{len(names)}, as in the "
            expected += f"header: {quoted_list(names)}" if header else "first row"
            problem = f"the row has {len(row)} {'column' if len(row) == 1 else 'columns'}; expected {expected}."
        elif header and len(names) > 1 and _plain(row) == plain_names:
            problem = REPEATED_HEADER
        yield Record(tuple(row), f"{path}:{number}", problem, index)


def _has_text(row: Sequence[str] | str, header: bool) -> bool:
    """Return whether a row is not a blank line; of a header, whether it names a column."""
    return isinstance(row, str) or (len(row) > 1 and not header) or any(map(str.strip, row))


def _plain(row: Sequence[str]) -> list[str]:
    return [value.strip().casefold() for value in row]


def missing_header_hint(names: Sequence[str], options: FileOptions, role: str) -> str:
    """Return what to do if a table lacks a column: whether a header seems to be missing."""
    option = f"--{role}-column"
    if not options.header:
        return (
            f"Without a header, columns are named by number: choose the one to read with {option}, such as {option} 1."
        )
    if names[0].lstrip().lower().startswith(("<!doctype html", "<html")):
        return "It looks like a web page (HTML); download the file itself."
    if any(map(_is_no_name, names)) or len({*names}) < len(names):
        return f"A header seems to be missing: add --no-header, and name columns by number, such as {option} 1."
    return (
        f"Choose the one to read with {option}; or, if the first line is no header, add --no-header and give a number, "
        f"such as {option} 1{'; or name the separator with --delimiter' * (len(names) == 1)}."
    )


def _is_no_name(value: str) -> bool:
    """Return whether a value is more likely a text or a number than the name of a column."""
    value = value.strip()
    words = len(value.split())
    sentence = len(value) > 40 or words > 2 or (words > 1 and value.endswith((".", "!", "?", "\u3002")))
    return sentence or value.replace(".", "").replace("-", "").isdecimal()


# --- Lines ----------------------------------------------------------------------------------------------------------


def _piped_lines(path: AnyPath | PipedFile, encoding: str | None) -> Iterator[Any]:
    """Yield the lines of a pipe that can be read without waiting, as a list; then each line, those included."""
    with open_binary(path) as file:
        head = file.peek(1)
        complete = head[: head.rfind(b"\n") + 1]
        if complete and (byte_order_mark(head) or encoding or "utf-8") == "utf-8":
            # The lines stay in the buffer, where others can see that they are there.
            yield list(decode_lines(io.BytesIO(complete), str(path), encoding))
            yield from decode_lines(file, str(path), encoding)
            return
        lines = decode_lines(file, str(path), encoding)
        waiting = head.count(b"\n") or head.count(b"\r") or 1
        beginning = list(itertools.islice(lines, waiting))
        yield beginning
        yield from beginning
        yield from lines


def without_trailing_blanks(rows: Iterable[tuple[int, Any]]) -> Iterator[tuple[int, Any]]:
    """Drop the blank rows at the end of a file; a blank row between others is kept, since it may be a mistake."""
    first, count, blank = 0, 0, None
    for line, row in rows:
        if not row:
            first, count, blank = first if count else line, count + 1, row
            continue
        for number in range(first, first + count):  # not a list of them: a small compressed file may hold millions
            yield number, blank
        count = 0
        yield line, row


def _rows(lines: Lines, dialect: Dialect, location: str) -> Rows:
    """Yield the number of the first line and the fields of each row, header included."""
    lines = iter(lines)
    first = next(lines, None)
    if first is None:
        return
    if not EXCEL_SEPARATOR.fullmatch(first[1]):
        lines = itertools.chain([first], lines)
    yield from (_quoted_rows if dialect.quoted else _plain_rows)(lines, dialect.delimiter, location)


def _plain_rows(lines: Lines, delimiter: str, location: str) -> Rows:
    for number, line in lines:
        line = line.removesuffix("\n").removesuffix("\r")
        row = line.split(delimiter, MAX_COLUMNS) if line else []
        yield number, _checked(row, location, number)


def _quoted_rows(lines: Lines, delimiter: str, location: str) -> Rows:
    start = length = 0

    def bounded() -> Iterator[tuple[int, str]]:
        nonlocal start, length
        for number, line in lines:
            start, length = number if not length else start, length + len(line)
            if length > MAX_LINE_BYTES:
                raise endless_line(location, start)
            if line.count(delimiter) > (MAX_COLUMNS if '"' not in line else MAX_QUOTED_DELIMITERS):
                raise _too_many_columns(location, number)
            yield number, line

    for number, row in quoted_rows.read(bounded(), delimiter):
        length = 0
        yield number, _malformed(row, delimiter) if isinstance(row, csv.Error) else _checked(row, location, number)


def _malformed(error: csv.Error, delimiter: str) -> str:
    name = {",": "a comma", ";": "a semicolon", "\t": "a tab"}.get(delimiter, f"the separator {delimiter!r}")
    reason = str(error).replace("\t", "\\t")
    if reason.startswith("new-line character"):
        reason = "a carriage return in a field that is not quoted"
    return (
        f"the row that starts here is not valid CSV: {reason}; quote a field that contains {name}, a quotation mark or "
        "a line break, and double each quotation mark inside it."
    )


def _checked(row: list[str], location: str, number: int) -> list[str]:
    if len(row) > MAX_COLUMNS:
        raise _too_many_columns(location, number)
    return row


def _too_many_columns(location: str, number: int) -> UserError:
    return UserError(f"{location}:{number}: the row has more than {MAX_COLUMNS:,} columns; is the separator right?")
