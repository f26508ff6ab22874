"""Sources that are opened, read and expected to fail, and the files that they read."""

import csv
import gzip
import io
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from tasks.data.sources import Column, Source, open_source
from tasks.errors import UserError

TEXT_AND_LABEL = (Column("text"), Column("label"))


def _opened(location, columns: Sequence[Column] = TEXT_AND_LABEL, **options) -> Source:
    return open_source(str(location), columns, sample=Path("there-is-no-sample"), **options)


def _values(location, split: str = "all", columns: Sequence[Column] = TEXT_AND_LABEL, **options) -> list[tuple]:
    return [record.values for record in _opened(location, columns, **options).records(split)]


def _error_of(location, columns: Sequence[Column] = TEXT_AND_LABEL, split: str = "all", **options) -> str:
    with pytest.raises(UserError) as caught:
        _values(location, split, columns, **options)
    message = str(caught.value)
    assert len(message.splitlines()) <= 2
    return message


def _write(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    content = content.encode("utf-8") if isinstance(content, str) else content
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def _write_table(path: Path, rows: Sequence[Sequence[str]], header: Sequence[str] = ("text", "label")) -> Path:
    match path.name.lower().split(".")[1]:
        case "csv":
            content = io.StringIO(newline="")
            csv.writer(content, lineterminator="\n").writerows([header, *rows])
            return _write(path, content.getvalue())
        case "tsv" | "txt":
            return _write(path, "".join("\t".join(row) + "\n" for row in [header, *rows]))
        case "jsonl":
            objects = [dict(zip(header, row, strict=True)) for row in rows]
            objects[1:] = [dict(reversed(one.items())) for one in objects[1:]]  # the order of the keys is free
            return _write(path, "".join(json.dumps(one) + "\n" for one in objects))
        case "parquet":
            columns = zip(*rows, strict=True)
            pyarrow.parquet.write_table(pyarrow.table(dict(zip(header, map(list, columns), strict=True))), path)
            return path
    raise ValueError(path)


@pytest.fixture(scope="session")
def opened() -> Callable[..., Source]:
    """Opens a source: location, columns (text and label), options of `open_source`."""
    return _opened


@pytest.fixture(scope="session")
def values() -> Callable[..., list[tuple]]:
    """Opens a source and returns the values of all records: location, split ("all"), columns, options."""
    return _values


@pytest.fixture(scope="session")
def error_of() -> Callable[..., str]:
    """Opens and reads a whole split, and returns the message of the error that this must raise, at most two lines."""
    return _error_of


@pytest.fixture(scope="session")
def write() -> Callable[[Path, str | bytes], Path]:
    """Writes a file, gzip-compressed if its name ends in .gz."""
    return _write


@pytest.fixture(scope="session")
def write_table() -> Callable[..., Path]:
    """Writes a table in the format of its name: path, rows, header (text, label)."""
    return _write_table
