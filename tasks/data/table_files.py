"""Readers of one table file: CSV, tab-separated text, JSON Lines and Parquet, row by row.

Nothing here holds more than one row (Parquet: one small batch of rows), so a file may be larger than memory.
"""

import codecs
import csv
import gzip
import json
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from tasks.data.records import Record, as_text, listing
from tasks.errors import UserError

TABLE_SUFFIXES = (".csv", ".tsv", ".txt", ".jsonl", ".parquet")
PARQUET_BATCH_ROWS = 256

# The csv module refuses fields over 131,072 characters, and a review may be longer. A bound is kept, because one
# unclosed quotation mark makes the whole rest of a file a single field.
csv.field_size_limit(2**26)


def table_format(path: Path) -> str | None:
    """Returns the table format that the file's name says ("csv", "tsv", "jsonl", "parquet"), or None."""
    name = path.name.lower()
    packed = name.endswith(".gz")
    suffix = Path(name.removesuffix(".gz")).suffix
    if suffix not in TABLE_SUFFIXES or (packed and suffix == ".parquet"):
        return None
    return "tsv" if suffix == ".txt" else suffix[1:]


def column_names(path: Path) -> list[str]:
    """Returns the names of the table's columns: the header, the schema, or the keys of the first JSON object.

    Raises:
        UserError: the file cannot be read, is empty or is of no known format.
    """
    match _known_format(path):
        case "parquet":
            with _open_parquet(path) as file:
                return file.schema_arrow.names
        case "jsonl":
            return list(_first(path, _json_objects(path), "a JSON object on each line"))
        case kind:
            return _first(path, _table_rows(path, kind), "a first line with the columns' names")


def read_table(path: Path, names: Sequence[str]) -> Iterator[Record]:
    """Yields a record for each row, with the values of the columns `names` in that order.

    Raises:
        UserError: as `column_names`; or a row cannot be read, and the message names file and line.
    """
    match _known_format(path):
        case "parquet":
            return _parquet_records(path, names)
        case "jsonl":
            return _json_records(path, names)
        case kind:
            return _delimited_records(path, names, kind)


def text_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yields each line of a UTF-8 file, also a gzip-compressed one, with its number and its line ending.

    Lines end where "\\n" stands and nowhere else: texts may hold the other characters that Unicode counts as breaks.

    Raises:
        UserError: the file cannot be opened or unpacked, or a line is not UTF-8.
    """
    opener = gzip.open if path.suffix.lower() == ".gz" else open
    try:
        with opener(path, "rb") as file:
            yield from decoded_lines(file, str(path))
    except (OSError, EOFError, zlib.error) as error:
        raise UserError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from error


def decoded_lines(lines: Iterable[bytes], name: str) -> Iterator[tuple[int, str]]:
    """Yields the number and the text of each line; a byte order mark at the beginning is left out.

    Raises:
        UserError: a line is not UTF-8; the message names the place by `name`.
    """
    for number, line in enumerate(lines, start=1):
        if number == 1:
            line = line.removeprefix(codecs.BOM_UTF8)
        try:
            yield number, line.decode("utf-8")
        except UnicodeDecodeError as error:
            raise UserError(
                f"{name}:{number}: not valid UTF-8 at byte {error.start + 1} of the line; save the file as UTF-8."
            ) from error


def _known_format(path: Path) -> str:
    kind = table_format(path)
    if kind is None:
        raise UserError(
            f"{path}: not a table by its name; expected one that ends in {', '.join(TABLE_SUFFIXES)}, all but "
            f".parquet also with .gz.\nIf it is one of two line-aligned files, such as train.en and train.de, name the "
            f"folder: {path.parent}"
        )
    return kind


def _first(path: Path, rows: Iterator[tuple[int, Any]], expected: str) -> Any:
    """Returns the first row, or raises `UserError` when there is none."""
    for _, row in rows:
        return row
    raise UserError(f"{path}: the file is empty; expected {expected}.")


def _without_trailing_blanks(rows: Iterable[tuple[int, Any]]) -> Iterator[tuple[int, Any]]:
    """Drops the blank rows at the end of a file; a blank row between others is a row, and may be a mistake."""
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
    """Yields each row, header included, with the number of the line that it begins on."""
    return _without_trailing_blanks(_csv_rows(path) if kind == "csv" else _tab_separated_rows(path))


def _tab_separated_rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    for number, line in text_lines(path):
        line = line.removesuffix("\n").removesuffix("\r")
        yield number, line.split("\t") if line else []


def _csv_rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader((line for _, line in text_lines(path)), strict=True)
    while True:
        number = reader.line_num + 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise UserError(
                f"{path}:{number}: the row that begins here is not valid CSV: {error}.\n"
                "A field with a comma, a quotation mark or a line break stands in quotation marks, and a quotation "
                "mark inside it is doubled."
            ) from error
        yield number, row


def _delimited_records(path: Path, names: Sequence[str], kind: str) -> Iterator[Record]:
    rows = _table_rows(path, kind)
    header = _first(path, rows, "a first line with the columns' names")
    positions = [header.index(name) for name in names]
    for number, row in rows:
        where = f"{path}:{number}"
        if not row and len(header) == 1:
            row = [""]  # in a table of one column an empty line is an empty text
        if len(row) != len(header):
            raise UserError(
                f"{where}: the row has {len(row)} {'column' if len(row) == 1 else 'columns'}; "
                f"expected {len(header)}, as in the header: {listing(header)}."
            )
        yield Record(tuple([row[position] for position in positions]), where)


# --- JSON Lines -----------------------------------------------------------------------------------------------------


def _json_objects(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in _without_trailing_blanks((number, line.strip()) for number, line in text_lines(path)):
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise UserError(f"{path}:{number}: not valid JSON: {error}.") from error
        if not isinstance(row, dict):
            raise UserError(
                f'{path}:{number}: expected a JSON object such as {{"text": "..."}}; found a {type(row).__name__}.'
            )
        yield number, row


def _json_records(path: Path, names: Sequence[str]) -> Iterator[Record]:
    for number, row in _json_objects(path):
        where = f"{path}:{number}"
        for name in names:
            if name not in row:
                raise UserError(f"{where}: the object has no {name!r}; its keys are: {listing(list(row))}.")
        yield Record(tuple([as_text(row[name], where, name) for name in names]), where)


# --- Parquet --------------------------------------------------------------------------------------------------------


def _open_parquet(path: Path) -> Any:
    import pyarrow  # only here: it takes a third of a second to import
    import pyarrow.parquet

    try:
        # Without pre-buffering, pages are read as they are needed, not whole row groups ahead.
        return pyarrow.parquet.ParquetFile(path, pre_buffer=False, buffer_size=1 << 20)
    except (pyarrow.ArrowException, OSError) as error:
        raise UserError(f"{path}: not a Parquet file that can be read: {_one_line(error)}") from error


def _parquet_records(path: Path, names: Sequence[str]) -> Iterator[Record]:
    import pyarrow

    with _open_parquet(path) as file:
        number = 0
        try:
            for batch in file.iter_batches(PARQUET_BATCH_ROWS, columns=list(names), use_threads=False):
                for scalars in zip(*(batch.column(name) for name in names), strict=True):
                    number += 1
                    where = f"{path}, row {number}"
                    values = map(_python_value, scalars)
                    yield Record(tuple(map(as_text, values, [where] * len(names), names)), where)
        except (pyarrow.ArrowException, OSError) as error:
            raise UserError(f"{path}: cannot be read after row {number}: {_one_line(error)}") from error


def _python_value(scalar: Any) -> Any:
    try:
        return scalar.as_py()
    except UnicodeDecodeError as error:
        return error.object  # the bytes themselves: `as_text` says where they stand


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
