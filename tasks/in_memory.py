"""Data that a caller in Python has in memory: a data frame, a column of one, pairs, texts. Imports no TensorFlow.

What has columns with names is recognized by what pandas, Polars, PyArrow and Hugging Face data sets have in common, so
none of these libraries is needed.
"""

import datetime
import hashlib
import numbers
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tasks.errors import UserError
from tasks.texts import is_missing

# What a source in memory is called in settings.json begins with this.
PREFIX = "memory:"
EXPECTED = (
    "a path, or in Python a data frame, a dict of columns, a column, or a list of texts or of tuples such as "
    "(text, label)"
)
# Single values, of which those in a settings file (TOML has dates) get a message with the name of their setting.
SINGLE = (str, bytes, numbers.Number, os.PathLike, datetime.date, datetime.time)
# The methods with which columns and arrays become a list.
AS_LIST = ("to_pylist", "to_list", "tolist")


class InMemory:
    """Rows in memory: of a table, whose columns have names, or of a list.

    Args:
        kind: What the caller has, for messages, such as "DataFrame".
        columns: The values of each column; all columns have as many.
        names: The names of the columns; None if they are told apart by their order.

    Raises:
        UserError: If there is no row.
    """

    def __init__(self, kind: str, columns: Sequence[Sequence[Any]], names: Sequence[str] | None = None):
        self.kind, self.columns, self.names = kind, columns, None if names is None else tuple(names)
        self._described: dict[tuple[int, ...], str] = {}
        if not columns or not len(columns[0]):
            raise UserError(f"the {kind} is empty; expected a row at least")

    def __len__(self) -> int:
        return len(self.columns[0])

    def __str__(self) -> str:
        """Return what a message calls it."""
        return f"{self.kind} of {len(self):,} {'row' if len(self) == 1 else 'rows'}"

    def __repr__(self) -> str:
        return f"<{self}>"

    def only(self, name: str) -> "InMemory":
        """Return it with one of its columns; as it is, if it has no such column."""
        if self.names is None or name not in self.names:
            return self
        return InMemory(self.kind, [self.columns[self.names.index(name)]], [name])

    def described(self, names: Sequence[str]) -> str:
        """Return what settings.json says of it: its form, and a digest of the columns that are read.

        Args:
            names: The names of these columns. One that does not exist is left out.
        """
        if self.names is None:
            positions = tuple(range(len(self.columns)))
        else:
            positions = tuple(self.names.index(name) for name in names if name in self.names)
        if positions not in self._described:
            columns = "".join(f", {self.names[position]}" for position in positions if self.names is not None)
            self._described[positions] = f"{PREFIX}{self}{columns}, digest {self._digest(positions)}"
        return self._described[positions]

    def _digest(self, positions: Sequence[int]) -> str:
        digest = hashlib.blake2b(digest_size=8)
        for position in positions:
            for value in self.columns[position]:
                text = "" if is_missing(value) else value if isinstance(value, str) else str(value)
                content = text.encode("utf-8", "surrogatepass")
                digest.update(len(content).to_bytes(8, "little") + content)
        return digest.hexdigest()


def is_in_memory(location: Any) -> bool:
    """Return whether a location is data in memory, or what settings.json says of them."""
    return isinstance(location, InMemory) or (isinstance(location, str) and location.startswith(PREFIX))


def in_memory(value: Any) -> InMemory | None:
    """Return what a caller has in memory as rows; None if it is something else, such as a path or several.

    A list of texts counts as several paths if each of them looks like one.

    Raises:
        UserError: If it has no row, rows of different lengths, or two columns with one name.
    """
    if value is None or isinstance(value, InMemory):
        return value
    if isinstance(value, SINGLE):
        return None
    kind, names = type(value).__name__, _column_names(value)
    if names is not None:
        repeated = next((name for name in names if names.count(name) > 1), None)
        if repeated is not None:
            raise UserError(f"the {kind} has two columns with the name {repeated!r}; rename one of them")
        if any(_column_names(value[name]) is not None for name in names):
            raise UserError(
                f"the {kind} has a table for each of {', '.join(map(repr, names[:5]))}; give these as train_files, "
                "validation_files and test_files"
            )
        columns = [_values(value[name]) for name in names]
        if len({*map(len, columns)}) > 1:
            lengths = ", ".join(f"{name} {len(column):,}" for name, column in zip(names, columns, strict=True))
            raise UserError(f"the columns of the {kind} have different lengths: {lengths}; expected one length")
        return InMemory(kind, columns, [*map(str, names)])
    if isinstance(value, Iterator):
        return in_memory([*value])
    if getattr(value, "ndim", 1) and any(hasattr(value, method) for method in AS_LIST):  # a Series, an array
        return _of_rows(kind, _values(value))
    if isinstance(value, list):
        _check_no_tables(kind, value)
    if isinstance(value, list) and not (value and all(map(_looks_like_path, value))):
        return _of_rows(kind, value)
    if isinstance(value, tuple) and any(isinstance(row, (tuple, list)) for row in value):
        return _of_rows(kind, [*value])
    if isinstance(value, (list, tuple)):
        _check_no_tables(kind, value)
        return None
    raise UserError(f"a {kind} is no source of data; expected {EXPECTED}")


def _column_names(value: Any) -> list | None:
    """Return the names of the columns of a table; None if it is none."""
    if isinstance(value, Mapping):
        return [*value]
    for attribute in ("column_names", "columns"):  # PyArrow has both, and the second is without names
        names = getattr(value, attribute, None)
        if names is not None and hasattr(value, "__getitem__") and not isinstance(value, (str, type)):
            return [*names]
    return None


def _values(column: Any) -> list:
    """Return the values of a column."""
    for method in AS_LIST:
        if hasattr(column, method):
            return getattr(column, method)()
    try:
        if not isinstance(column, (str, bytes)):
            return [*column]
    except TypeError:  # a column of a table that is elsewhere, such as one of Spark
        pass
    raise UserError(f"a column of the data is a {type(column).__name__}; expected a list of values, or a pandas table")


def _of_rows(kind: str, rows: list) -> InMemory:
    """Return a list of texts, of tuples, or of dicts, as columns."""
    if rows and all(isinstance(row, Mapping) for row in rows):
        names = [*dict.fromkeys(name for row in rows for name in row)]
        return InMemory(f"{kind} of dicts", [[row.get(name) for row in rows] for name in names], [*map(str, names)])
    tuples = [row for row in rows if isinstance(row, (tuple, list))]
    if not tuples:
        return InMemory(kind, [rows])
    for number, row in enumerate(rows):
        if not isinstance(row, (tuple, list)) or len(row) != len(tuples[0]):
            found = f"{len(row)} values" if isinstance(row, (tuple, list)) else f"a {type(row).__name__}"
            raise UserError(
                f"the {kind}: row {number} (counted from 0) is {found}, and another is {len(tuples[0])} values; "
                "expected tuples of one length"
            )
    return InMemory(kind, [*zip(*rows, strict=True)])


def _check_no_tables(kind: str, values: Sequence[Any]) -> None:
    """Raise `UserError` if the first of several values is a table."""
    if values and not isinstance(values[0], Mapping) and _column_names(values[0]) is not None:
        raise UserError(
            f"a {kind} with a {type(values[0]).__name__} in it is no source of data; join the tables first, such as "
            "with pandas.concat"
        )


def _looks_like_path(value: Any) -> bool:
    """Return whether one of a list may be the name of a file: a path, or a text that is one or looks like one."""
    if isinstance(value, os.PathLike):
        return True
    if not isinstance(value, str) or "\n" in value or len(value) > 1000:
        return False
    # A "?" before a letter is part of a pattern; at the end of a word it is that of a question.
    return bool(re.search(r"[/\\*\[]|\?\w|\.\w{1,8}$|^tfds:|^sample$", value)) or os.path.exists(value)


def check_not_in_memory(location: str) -> None:
    """Raise `UserError` if a location is what settings.json says of data that a caller had in memory."""
    if is_in_memory(location):
        raise UserError(
            f"the data were in memory, and are not stored: a {location.removeprefix(PREFIX)}.\nIn Python, give them "
            "again as data, or as the files of a split; or name other data with --data"
        )


def from_file(groups: Mapping[str, Any]) -> dict[str, Any]:
    """Return groups of settings from a JSON or TOML file with tuples in place of lists, which hold no texts there."""
    return {
        name: {key: tuple(value) if isinstance(value, list) else value for key, value in group.items()}
        if isinstance(group, Mapping)
        else group
        for name, group in groups.items()
    }
