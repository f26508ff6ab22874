"""Records of data that a caller in Python has in memory; see `tasks.in_memory`."""

import numbers
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tasks.data.records import Column, Record, find_column, typed_record
from tasks.errors import UserError
from tasks.in_memory import InMemory
from tasks.texts import is_missing

# Columns of which each value is a name; the others hold texts.
NAMES = ("label",)


@dataclass(frozen=True)
class MemoryReader:
    """A reader of rows in memory.

    Attributes:
        data: The rows.
        names: The names of the columns, for messages.
        values: The values of each column.
    """

    data: InMemory
    names: tuple[str, ...]
    values: tuple[Sequence[Any], ...]

    def __call__(self) -> Iterator[Record]:
        """Return the records."""
        for number, row in enumerate(zip(*self.values, strict=True)):
            texts = [None if is_missing(value) else value for value in row]
            yield typed_record(texts, self.names, f"{self.data.kind}[{number}]", None)


def memory_reader(data: InMemory, columns: Sequence[Column]) -> MemoryReader:
    """Return a reader of some columns.

    Raises:
        UserError: If one is missing, or has values of several types, or values that are no texts.
    """
    if data.names is None:
        if len(data.columns) != len(columns):
            roles = ", ".join(column.role for column in columns)
            expected = f"tuples ({roles}), or a table with these columns" if len(columns) > 1 else f"one {roles}"
            found = "one value" if len(data.columns) == 1 else f"{len(data.columns)} values"
            raise UserError(f"{data}: each row is {found}; expected {expected}")
        names, values = [column.role for column in columns], data.columns
    else:
        hints = [f"Choose the one to read with {column.role}_column." for column in columns]
        names = [find_column(column, data.names, str(data), hint) for column, hint in zip(columns, hints, strict=True)]
        values = [data.columns[data.names.index(name)] for name in names]
    for column, name, of_column in zip(columns, names, values, strict=True):
        _check_types(data, column, name, of_column)
    return MemoryReader(data, tuple(names), tuple(values))


def _check_types(data: InMemory, column: Column, name: str, values: Sequence[Any]) -> None:
    """Raise `UserError` if the values of a column are of several types, or should be texts and are not."""
    first: dict[str, tuple[int, str]] = {}
    for number, value in enumerate(values):
        if not is_missing(value):
            first.setdefault(_type_of(value), (number, type(value).__name__))
    (number, kind), *others = first.values() or [(0, "str")]
    method = "str.decode('utf-8')" if "bytes" in first else "astype(str)"
    remedy = f"convert it, such as with {method} of pandas"
    if others:
        raise UserError(
            f"{data}: {name!r} has values of several types: {kind} in row {number} and {others[0][1]} in row "
            f"{others[0][0]} (counted from 0); {remedy}"
        )
    if column.role not in NAMES and {*first} - {"text"}:
        raise UserError(
            f"{data}: {name!r} has values of the type {kind}, where texts are expected; name another column with "
            f"{column.role}_column, or {remedy}"
        )


def _type_of(value: Any) -> str:
    """Return what a value counts as: whole numbers and others are of one type, and a truth value is of another."""
    if isinstance(value, str):
        return "text"
    kind = type(value).__name__.rstrip("_")  # bool_ of NumPy
    return "number" if isinstance(value, numbers.Number) and kind != "bool" else kind
