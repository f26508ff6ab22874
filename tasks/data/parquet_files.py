"""Streaming readers of Parquet files; memory holds one small batch of rows."""

import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tasks.data.records import Record, check_names, typed_record
from tasks.errors import UserError

BATCH_ROWS = 256


def column_names(path: Path) -> list[str]:
    """Return the names of the columns."""
    with open_parquet(path) as file:
        return file.schema_arrow.names


def open_parquet(path: Path) -> Any:
    """Open a file; raise `UserError` if it is no Parquet file."""
    import pyarrow  # imported here because it takes a third of a second
    import pyarrow.parquet

    try:
        # Without pre-buffering, pages are read when they are needed; with it, whole row groups are read ahead.
        return pyarrow.parquet.ParquetFile(path, pre_buffer=False, buffer_size=1 << 20)
    except (pyarrow.ArrowException, OSError) as error:
        raise UserError(f"{path}: not a readable Parquet file: {_one_line(error)}") from error


def read_records(path: Path, names: Sequence[str]) -> Iterator[Record]:
    """Yield a record of the named columns for each row; see `table_files.read_table`."""
    import pyarrow

    with open_parquet(path) as file:
        number = 0
        try:
            for batch in file.iter_batches(BATCH_ROWS, columns=list(names), use_threads=False):
                for scalars in zip(*(batch.column(name) for name in names), strict=True):
                    number += 1
                    yield typed_record([*map(_python_value, scalars)], names, f"{path}, row {number}", None)
        except (pyarrow.ArrowException, OSError) as error:
            raise UserError(f"{path}: cannot be read after row {number}: {_one_line(error)}") from error


def read_rows(path: Path) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield all columns of each row by name, and its place; see `table_files.read_rows`."""
    import pyarrow

    with open_parquet(path) as file:
        names, number = file.schema_arrow.names, 0
        check_names(names, str(path))
        try:
            for batch in file.iter_batches(BATCH_ROWS, use_threads=False):
                for scalars in zip(*batch.columns, strict=True):
                    number += 1
                    yield dict(zip(names, map(_json_value, scalars), strict=True)), f"{path}, row {number}"
        except UnicodeDecodeError as error:
            raise UserError(f"{path}, row {number}: not valid UTF-8; save the data as UTF-8.") from error
        except (pyarrow.ArrowException, OSError) as error:
            raise UserError(f"{path}: cannot be read after row {number}: {_one_line(error)}") from error


def _json_value(scalar: Any) -> Any:
    """Return a value that JSON can represent: what it cannot, such as a date, as text."""
    try:
        value = scalar.as_py()
    except UnicodeDecodeError:
        raise
    except (ValueError, OverflowError):  # Python has no dates before the year 1, and no nanoseconds
        value = scalar.cast("string").as_py()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if isinstance(value, (str, int, float, type(None))) else json.loads(json.dumps(value, default=str))


def _python_value(scalar: Any) -> Any:
    try:
        return scalar.as_py()
    except UnicodeDecodeError as error:
        return error.object  # the bytes: `as_text` reports the position of the invalid one


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
