"""Streaming readers of Parquet files; memory holds one small batch of rows."""

import json
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from tasks.data.file_kinds import PARQUET, check_format
from tasks.data.records import Record, check_kept, check_length, check_names, typed_record
from tasks.data.remote_files import AnyPath, RemotePath
from tasks.errors import UserError

# Rows that are read at once: few, since a value may be large, and a small file may hold the same one many times. No
# value is larger than its column in a row group, so of large columns fewer rows are read: BATCH_BYTES at most.
BATCH_ROWS, BATCH_BYTES = 16, 1 << 28
# The pages of a column in a row group are unpacked as wholes. It may be this large, or this many times as large as the
# file says that it is compressed.
MIN_COLUMN_BYTES, MAX_EXPANSION = 1 << 30, 50
REMEDY = "it is cut off or damaged: copy or download it again, or write it again."


def column_names(path: AnyPath) -> list[str]:
    """Return the names of the columns; those of nested fields are joined with dots, as in `translation.en`."""
    with open_parquet(path) as file:
        check_names(file.schema_arrow.names, str(path))
        return [".".join(parts) for parts in _field_paths(file.schema_arrow)]


def _field_paths(fields: Iterable[Any], prefix: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the path of each field that has no fields itself."""
    import pyarrow

    for field in fields:
        if pyarrow.types.is_struct(field.type) and field.type.num_fields:
            yield from _field_paths(field.type, (*prefix, field.name))
        else:
            yield *prefix, field.name


def open_parquet(path: AnyPath) -> Any:
    """Open a file; raise `UserError` if it is no Parquet file."""
    import pyarrow  # imported here because it takes a third of a second
    import pyarrow.parquet

    try:
        # Without pre-buffering, pages are read when they are needed; with it, whole row groups are read ahead.
        return pyarrow.parquet.ParquetFile(
            path.open("rb", buffering=0) if isinstance(path, RemotePath) else path,
            pre_buffer=False,
            buffer_size=1 << 20,
            page_checksum_verification=True,
        )
    except (pyarrow.ArrowException, OSError) as error:
        check_format(path, allowed=PARQUET)
        raise UserError(f"{path}: not a readable Parquet file ({_one_line(error)}); {REMEDY}") from error


def read_records(path: AnyPath, names: Sequence[str]) -> Iterator[Record]:
    """Yield a record of the named columns for each row; see `table_files.read_table`. No other column is read."""
    for scalars, location in _values(path, names):
        yield typed_record([*map(_python_value, scalars)], names, location, None)


def read_rows(
    path: AnyPath,
    text_column: str,
    columns: Sequence[str] | None = None,
    *,
    as_arrays: bool = False,
    opened: Callable[[Sequence[str]], None] = lambda names: None,
) -> Iterator[tuple[Any, dict[str, Any], str]]:
    """Yield the text of each row, other columns by name, and its place; see `table_files.read_rows`.

    Args:
        path: The file.
        text_column: The column of the texts.
        columns: The columns to read; all if None.
        as_arrays: Whether the value of a column is a `pyarrow.Array` of length 1, which has the type of the column,
            and not a value that JSON can represent.
        opened: Called with the names of these columns.
    """
    columns = kept_fields(path, columns).names
    opened(columns)
    for (text, *others), location in _values(path, [text_column, *columns], as_arrays=as_arrays):
        if as_arrays:
            yield _python_value(text[0]), dict(zip(columns, others, strict=True)), location
            continue
        fields = dict(zip(columns, map(_json_value, others), strict=True))
        for name, value in fields.items():
            check_length(value, location, name)
        yield _python_value(text), fields, location


def kept_fields(path: AnyPath, columns: Sequence[str] | None = None) -> Any:
    """Return the `pyarrow.Schema` of some columns, such as `id` or `meta.id`; of all if None.

    Raises:
        UserError: If the file cannot be read, or lacks one of them.
    """
    import pyarrow

    with open_parquet(path) as file:
        schema = file.schema_arrow
    if columns is None:
        check_names(schema.names, str(path))
        return schema.remove_metadata()
    paths = {".".join(parts): parts for parts in _field_paths(schema)} | {name: (name,) for name in schema.names}
    check_kept(columns, [*paths], str(path))
    fields = []
    for name in columns:
        first, *rest = paths[name]
        field = schema.field(first)
        for part in rest:
            field = field.type.field(part)
        fields.append(field.with_name(name).with_nullable(True))
    return pyarrow.schema(fields)


def _values(path: AnyPath, names: Sequence[str], *, as_arrays: bool = False) -> Iterator[tuple[tuple[Any, ...], str]]:
    """Yield the values of the named columns in each row, as scalars or as arrays of length 1, and its place."""
    import pyarrow
    import pyarrow.compute

    with open_parquet(path) as file:
        number = 0
        top = file.schema_arrow.names
        paths = [(name,) if name in top else _path(file.schema_arrow, name) for name in names]
        columns = list(dict.fromkeys(".".join(parts) for parts in paths))
        try:
            for batch in file.iter_batches(
                _batch_rows(path, file.metadata, columns), columns=columns, use_threads=False
            ):
                arrays = [batch.column(first) for first, *_ in paths]
                arrays = [
                    pyarrow.compute.struct_field(array, rest) if rest else array
                    for array, (_, *rest) in zip(arrays, paths, strict=True)
                ]
                if as_arrays:
                    arrays = [[array.slice(row, 1) for row in range(len(batch))] for array in arrays]
                for values in zip(*arrays, strict=True):
                    number += 1
                    yield values, f"{path}, row {number}"
        except (pyarrow.ArrowException, OSError) as error:
            raise UserError(f"{path}: cannot be read after row {number:,} ({_one_line(error)}); {REMEDY}") from error


def _batch_rows(path: AnyPath, metadata: Any, names: Sequence[str]) -> int:
    """Return how many rows of some columns to read at once; raise `UserError` if a column expands too much."""
    prefixes, largest = tuple(f"{name}." for name in names), 1
    for group in map(metadata.row_group, range(metadata.num_row_groups)):
        for column in map(group.column, range(group.num_columns)):
            if f"{column.path_in_schema}.".startswith(prefixes):
                size = column.total_uncompressed_size
                if size > max(MIN_COLUMN_BYTES, MAX_EXPANSION * column.total_compressed_size):
                    raise UserError(
                        f"{path}: its column {column.path_in_schema!r} expands to {size >> 20:,} MB in a row group, "
                        f"more than {MAX_EXPANSION} times its size in the file; write it with smaller row groups."
                    )
                largest = max(largest, size)
    return min(max(BATCH_BYTES // largest, 1), BATCH_ROWS)


def _path(schema: Any, name: str) -> tuple[str, ...]:
    return next(parts for parts in _field_paths(schema) if ".".join(parts) == name)


def _json_value(scalar: Any) -> Any:
    """Return a value that JSON can represent: what it cannot, such as a date, as text."""
    value = _python_value(scalar)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if isinstance(value, (str, int, float, type(None))) else json.loads(json.dumps(value, default=_text))


def _text(value: Any) -> str:
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)


def _python_value(scalar: Any) -> Any:
    """Return a value as Python has it; a date that Python does not have as text, and text that is not UTF-8 as bytes.

    Python's dates are those of the years 1 to 9999, in microseconds.
    """
    import pyarrow

    try:
        return scalar.as_py()
    except UnicodeDecodeError as error:
        return error.object  # the bytes: `as_text` reports the position of the invalid one
    except (ValueError, OverflowError):
        kind = scalar.type
    if pyarrow.types.is_struct(kind):
        return {name: _python_value(value) for name, value in scalar.items()}
    if pyarrow.types.is_list(kind) or pyarrow.types.is_large_list(kind) or pyarrow.types.is_fixed_size_list(kind):
        return [*map(_python_value, scalar.values)]
    try:
        return scalar.cast("string").as_py()
    except pyarrow.ArrowException:
        return str(getattr(scalar, "value", None))


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
