"""Streaming readers of table files: CSV, tab-separated text, JSON Lines and Parquet.

Memory holds one row at a time (Parquet: one small batch of rows), so a file may be larger than memory.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import PurePath
from typing import Any

from tasks.data import delimited_files, json_lines, parquet_files, part_files
from tasks.data.file_kinds import check_format
from tasks.data.records import REPEATED_HEADER, Column, FileReader, Record, check_kept, check_names, find_column
from tasks.data.remote_files import AnyPath
from tasks.errors import UserError
from tasks.file_options import FileOptions

TABLE_SUFFIXES = (".csv", ".tsv", ".txt", ".jsonl", ".parquet")


def table_format(path: AnyPath) -> str | None:
    """Return the format of a table by its file name ("csv", "tsv", "jsonl" or "parquet"), or None.

    Of a part file without a suffix, as Spark and Hadoop write them, the format is found in the file.
    """
    name = path.name.lower()
    compressed = name.endswith(".gz")
    suffix = PurePath(name.removesuffix(".gz")).suffix
    if part_files.is_part(path):
        if not suffix:
            return part_files.format_of(path)
        suffix = ".jsonl" if suffix == ".json" else suffix
    if suffix not in TABLE_SUFFIXES or (compressed and suffix == ".parquet"):
        return None
    return "tsv" if suffix == ".txt" else suffix[1:]


def find_columns(path: AnyPath, columns: Sequence[Column], options: FileOptions = FileOptions()) -> list[str]:  # noqa: B008
    """Return the names of the requested columns in a table: in its header, its schema, or its first JSON object.

    Raises:
        UserError: If the file cannot be read, is empty or has an unknown format; if it lacks a column, with the
            available ones; or if two columns have the same name.
    """
    return find_columns_of_kind(path, _known_format(path), columns, options)


def find_columns_of_kind(path: AnyPath, kind: str, columns: Sequence[Column], options: FileOptions) -> list[str]:
    """Return the names of the requested columns in a table of the format `kind`, whatever its name."""
    match kind:
        case "parquet":
            available = parquet_files.column_names(path)
        case "jsonl":
            available = json_lines.column_names(path, options)
        case _:
            available = delimited_files.open_table(path, kind, options).names
            return [available[position] for position in _positions(path, available, columns, options)]
    return [find_column(column, available, str(path)) for column in columns]


def _positions(path: AnyPath, names: Sequence[str], columns: Sequence[Column], options: FileOptions) -> list[int]:
    """Return where the columns are among those of a delimited table; see `find_columns`."""
    found = []
    for column in columns:
        hint = delimited_files.missing_header_hint(names, options, column.role)
        found.append(names.index(find_column(column, names, str(path), hint)))
    check_names([name for name in names if name.strip()], str(path))
    return found


def read_table(path: AnyPath, names: Sequence[str], options: FileOptions = FileOptions()) -> Iterator[Record]:  # noqa: B008
    """Yield a record for each row of a table.

    Args:
        path: The table file.
        names: The columns to read, in the order of the record's values.
        options: How it is written.

    Raises:
        UserError: If the file or a row cannot be read; the message names the file and the line.
    """
    for record in _records(path, names, options):
        if record.problem and record.problem != REPEATED_HEADER:
            raise UserError(f"{record.location}: {record.problem}")
        if not record.problem:
            yield record


def _records(path: AnyPath, names: Sequence[str], options: FileOptions) -> Iterator[Record]:
    """Yield a record for each row; one that cannot be used has a problem."""
    match _known_format(path):
        case "parquet":
            return parquet_files.read_records(path, names)
        case "jsonl":
            return json_lines.read_records(path, names, options)
        case kind:
            return _delimited_records(path, names, kind, options)


def _delimited_records(path: AnyPath, names: Sequence[str], kind: str, options: FileOptions) -> Iterator[Record]:
    header, records = delimited_files.records(path, kind, options)
    positions = [header.index(name) for name in names]
    for record in records:
        yield record if record.problem else record._replace(values=tuple([record.values[at] for at in positions]))


def read_tables(
    paths: Sequence[AnyPath],
    columns: Sequence[Column],
    options: FileOptions = FileOptions(),  # noqa: B008
) -> Iterator[Record]:
    """Yield a record for each row of several tables, one table after the other.

    Yields:
        The records. One that cannot be used has a problem; see `tasks.data.records.Record`.

    Raises:
        UserError: If a file cannot be read or lacks a column.
    """
    for path in paths:
        yield from _records(path, find_columns(path, columns, options), options)


def table_reader(paths: Sequence[AnyPath], columns: Sequence[Column], options: FileOptions) -> FileReader:
    """Return a reader of several tables, one after the other; see `read_tables`."""
    return FileReader(tuple(paths), tuple(partial(read_tables, [path], columns, options) for path in paths))


def read_rows(
    path: AnyPath,
    kind: str,
    options: FileOptions,
    text: Column,
    columns: Sequence[str] | None = None,
    *,
    as_arrays: bool = False,
    opened: Callable[[Sequence[str]], None] = lambda names: None,
) -> Iterator[tuple[Any, dict[str, Any], str]]:
    """Yield the text in each row of a table, its columns by name, and its place.

    The file is read once, from its beginning to its end, so it may be a pipe.

    Args:
        path: The table file, whatever its name.
        kind: "csv", "tsv" or "parquet".
        options: How it is written.
        text: The column of the texts.
        columns: The columns that are of use; all if None. Others of a Parquet file are not read.
        as_arrays: Whether the values of a Parquet file are arrays; see `parquet_files.read_rows`.
        opened: Called with the names of the columns that are of use, before the first row.

    Raises:
        UserError: If the file or a row cannot be read, lacks the column, or two columns have the same name.
    """
    if kind == "parquet":
        [name] = find_columns_of_kind(path, kind, [text], options)
        yield from parquet_files.read_rows(path, name, columns, as_arrays=as_arrays, opened=opened)
        return
    names, records = delimited_files.records(path, kind, options)
    [position] = _positions(path, names, [text], options)
    # Spreadsheets write columns without a name; each keeps its place.
    names = [
        name or f"column {number}" if names.count(name) > 1 else name for number, name in enumerate(names, start=1)
    ]
    check_kept(columns or (), names, str(path))
    kept = [names.index(name) for name in (names if columns is None else columns)]
    opened([names[at] for at in kept])
    for record in records:
        if record.problem == REPEATED_HEADER:
            continue
        if record.problem:
            raise UserError(f"{record.location}: {record.problem}")
        fields = {names[at]: record.values[at] for at in kept}
        yield record.values[position], fields, record.location


def _known_format(path: AnyPath) -> str:
    kind = table_format(path)
    if kind is None:
        check_format(path)
        raise UserError(
            f"{path}: not the name of a table; expected one that ends in {', '.join(TABLE_SUFFIXES)}, all but "
            ".parquet also with .gz.\nIf it is one of two files of a parallel corpus, their endings are "
            "--source-lang and --target-lang."
        )
    return kind
