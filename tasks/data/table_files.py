"""Streaming readers of table files: CSV, tab-separated text, JSON Lines and Parquet.

Memory holds one row at a time (Parquet: one small batch of rows), so a file may be larger than memory.
"""

import codecs
import csv
import gzip
import json
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from tasks.data import parquet_files
from tasks.data.records import REPEATED_HEADER, Column, Record, check_names, find_column, quoted_list, typed_record
from tasks.errors import UserError

TABLE_SUFFIXES = (".csv", ".tsv", ".txt", ".jsonl", ".parquet")

# The default limit of the csv module is 131,072 characters, and a review may be longer. Some limit is kept, because
# after an unclosed quotation mark the whole rest of a file is one field.
csv.field_size_limit(2**26)


def table_format(path: Path) -> str | None:
    """Return the format of a table by its file name ("csv", "tsv", "jsonl" or "parquet"), or None."""
    name = path.name.lower()
    compressed = name.endswith(".gz")
    suffix = Path(name.removesuffix(".gz")).suffix
    if suffix not in TABLE_SUFFIXES or (compressed and suffix == ".parquet"):
        return None
    return "tsv" if suffix == ".txt" else suffix[1:]


def column_names(path: Path) -> list[str]:
    """Return the names of a table's columns: the header, the schema, or the keys of the first JSON object.

    Raises:
        UserError: If the file cannot be read, is empty or has an unknown format.
    """
    match _known_format(path):
        case "parquet":
            return parquet_files.column_names(path)
        case "jsonl":
            return list(_first(path, _json_objects(path), "a JSON object on each line"))
        case kind:
            return _first(path, _table_rows(path, kind), "a first line with the columns' names")


def find_columns(path: Path, columns: Sequence[Column]) -> list[str]:
    """Return the names of the requested columns in a table.

    Raises:
        UserError: If the file cannot be read or lacks a column; the message lists the available ones.
    """
    available = column_names(path)
    return [find_column(column, available, str(path)) for column in columns]


def read_table(path: Path, names: Sequence[str]) -> Iterator[Record]:
    """Yield a record for each row of a table.

    Args:
        path: The table file.
        names: The columns to read, in the order of the record's values.

    Raises:
        UserError: If the file or a row cannot be read; the message names the file and the line.
    """
    for record in _records(path, names):
        if record.problem and record.problem != REPEATED_HEADER:
            raise UserError(f"{record.location}: {record.problem}")
        if not record.problem:
            yield record


def _records(path: Path, names: Sequence[str]) -> Iterator[Record]:
    """Yield a record for each row; one that cannot be used has a problem."""
    match _known_format(path):
        case "parquet":
            return parquet_files.read_records(path, names)
        case "jsonl":
            return _json_records(path, names)
        case kind:
            return _delimited_records(path, names, kind)


def read_rows(path: Path, kind: str) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield all columns of each row of a table by name, and the row's place.

    The file is read once, from its beginning to its end, so it may be a pipe.

    Args:
        path: The table file, whatever its name.
        kind: Its format, as `table_format` returns it.

    Raises:
        UserError: If the file or a row cannot be read, or two columns have the same name.
    """
    match kind:
        case "parquet":
            return parquet_files.read_rows(path)
        case "jsonl":
            return ((row, f"{path}:{number}") for number, row in _json_objects(path))
        case _:
            return _delimited_rows(path, kind)


def read_tables(paths: Sequence[Path], columns: Sequence[Column]) -> Iterator[Record]:
    """Yield a record for each row of several tables, one table after the other.

    Yields:
        The records. One that cannot be used has a problem; see `tasks.data.records.Record`.

    Raises:
        UserError: If a file cannot be read or lacks a column.
    """
    for path in paths:
        yield from _records(path, find_columns(path, columns))


def read_lines(path: Path) -> Iterator[tuple[int, str]]:
    r"""Yield the number and the text of each line of a UTF-8 file, which may be gzip-compressed.

    Lines end at "\n" only: a text may contain the other characters that Unicode counts as line breaks. The text
    includes its line ending; a byte order mark at the start of the file is removed.

    Raises:
        UserError: If the file cannot be opened or decompressed, or a line is not UTF-8.
    """
    opener = gzip.open if path.suffix.lower() == ".gz" else open
    try:
        with opener(path, "rb") as file:
            yield from decode_lines(file, str(path))
    except (OSError, EOFError, zlib.error) as error:
        raise UserError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from error


def decode_lines(lines: Iterable[bytes], location: str) -> Iterator[tuple[int, str]]:
    """Yield the number and the text of each UTF-8 line; a byte order mark at the start is removed.

    Args:
        lines: The lines, with their line endings.
        location: Where they are from, for error messages.

    Raises:
        UserError: If a line is not UTF-8.
    """
    for number, line in enumerate(lines, start=1):
        if number == 1:
            line = line.removeprefix(codecs.BOM_UTF8)
        try:
            yield number, line.decode("utf-8")
        except UnicodeDecodeError as error:
            raise UserError(
                f"{location}:{number}: not valid UTF-8 at byte {error.start + 1} of the line; save the file as UTF-8."
            ) from error


def _known_format(path: Path) -> str:
    kind = table_format(path)
    if kind is None:
        raise UserError(
            f"{path}: not the name of a table; expected one that ends in {', '.join(TABLE_SUFFIXES)}, all but "
            f".parquet also with .gz.\nIf it is one file of a parallel corpus, such as train.en beside train.de, name "
            f"the folder: {path.parent}"
        )
    return kind


def _first(path: Path, rows: Iterator[tuple[int, Any]], expected: str) -> Any:
    """Return the first row; raise `UserError` if the file has none."""
    for _, row in rows:
        return row
    raise UserError(f"{path}: the file is empty; expected {expected}.")


def _without_trailing_blanks(rows: Iterable[tuple[int, Any]]) -> Iterator[tuple[int, Any]]:
    """Drop the blank rows at the end of a file; a blank row between others is kept, since it may be a mistake."""
    blanks: list[tuple[int, Any]] = []
    for line, row in rows:
        if not row:
            blanks.append((line, row))
            continue
        yield from blanks
        blanks.clear()
        yield line, row


# --- CSV and tab-separated text -------------------------------------------------------------------------------------


def _table_rows(path: Path, kind: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the number of the first line and the fields of each row, header included."""
    return _without_trailing_blanks(_csv_rows(path) if kind == "csv" else _tab_separated_rows(path))


def _tab_separated_rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    for number, line in read_lines(path):
        line = line.removesuffix("\n").removesuffix("\r")
        yield number, line.split("\t") if line else []


def _csv_rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader((line for _, line in read_lines(path)), strict=True)
    while True:
        number = reader.line_num + 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise UserError(
                f"{path}:{number}: the row that starts here is not valid CSV: {error}.\n"
                "Quote a field that contains a comma, a quotation mark or a line break, and double each quotation mark "
                "inside it."
            ) from error
        yield number, row


def _delimited_records(path: Path, names: Sequence[str], kind: str) -> Iterator[Record]:
    rows = _table_rows(path, kind)
    header = _first(path, rows, "a first line with the columns' names")
    positions = [header.index(name) for name in names]
    for record in _checked_rows(path, header, rows):
        yield record if record.problem else record._replace(values=tuple([record.values[at] for at in positions]))


def _delimited_rows(path: Path, kind: str) -> Iterator[tuple[dict[str, str], str]]:
    rows = _table_rows(path, kind)
    header = _first(path, rows, "a first line with the columns' names")
    check_names(header, str(path))
    for record in _checked_rows(path, header, rows):
        if record.problem == REPEATED_HEADER:
            continue
        if record.problem:
            raise UserError(f"{record.location}: {record.problem}")
        yield dict(zip(header, record.values, strict=True)), record.location


def _checked_rows(path: Path, header: Sequence[str], rows: Iterable[tuple[int, list[str]]]) -> Iterator[Record]:
    """Yield each row with all its fields, and with its problem if it has more or fewer than the header."""
    for index, (number, row) in enumerate(rows, start=1):
        problem = None
        if not row and len(header) == 1:
            row = [""]  # in a table with one column an empty line is an empty text
        if len(row) != len(header):
            problem = (
                f"the row has {len(row)} {'column' if len(row) == 1 else 'columns'}; "
                f"expected {len(header)}, as in the header: {quoted_list(header)}."
            )
        elif row == header and len(header) > 1:
            problem = REPEATED_HEADER
        yield Record(tuple(row), f"{path}:{number}", problem, index)


# --- JSON Lines -----------------------------------------------------------------------------------------------------


def _json_objects(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, row in _json_rows(path):
        if isinstance(row, str):
            raise UserError(f"{path}:{number}: {row}")
        yield number, row


def _json_rows(path: Path) -> Iterator[tuple[int, dict[str, Any] | str]]:
    """Yield the object on each line, or what is wrong with the line."""
    for number, line in _without_trailing_blanks((number, line.strip()) for number, line in read_lines(path)):
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            yield number, f"not valid JSON: {error}."
            continue
        kind = type(row).__name__
        yield (
            number,
            row if isinstance(row, dict) else f'expected a JSON object such as {{"text": "..."}}; found a {kind}.',
        )


def _json_records(path: Path, names: Sequence[str]) -> Iterator[Record]:
    for index, (number, row) in enumerate(_json_rows(path), start=1):
        location = f"{path}:{number}"
        problem = row if isinstance(row, str) else None
        missing = [] if problem else [name for name in names if name not in row]
        if missing:
            problem = f"the object has no {missing[0]!r}; its keys are: {quoted_list(list(row))}."
        if problem:
            yield Record((), location, problem, index)
        else:
            yield typed_record([row[name] for name in names], names, location, index)
