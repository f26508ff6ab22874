"""One record of text, the columns that a task asks a source for, and the names that splits go by."""

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from tasks.errors import UserError

SPLITS = ("train", "validation", "test")
SPLIT_WORDS = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "dev": "validation",
    "test": "test",
    "testing": "test",
}


class Record(NamedTuple):
    """What one row of a table, or one file of a class folder, holds.

    Attributes:
        values: one string for each column asked for, in the order asked.
        where: the place it came from, for error messages: `reviews.csv:7`, `train.en:7, train.de:7`.
    """

    values: tuple[str, ...]
    where: str


Reader = Callable[[], Iterator[Record]]


@dataclass(frozen=True)
class Column:
    """A column that a task reads.

    Attributes:
        role: what it is to the task: "text", "label", "source", "target".
        name: what it is called in the data; among line-aligned files it is the language. None looks for a column
            called like the role, and in TensorFlow Datasets for the data set's own input and target
            (`supervised_keys`).
        required: whether an empty or blank value is an error.
    """

    role: str
    name: str | None = None
    required: bool = False

    @property
    def sought(self) -> str:
        """What to look for in the data: the name, or else the role."""
        return self.name or self.role


def find_column(column: Column, available: Sequence[str], place: str) -> str:
    """Returns the name under which `column` stands among the `available` ones.

    Raises:
        UserError: it is not there; the message names those that are.
    """
    if column.sought in available:
        return column.sought
    raise UserError(
        f"{place} has no column {column.sought!r}; its columns are: {listing(available)}.\n"
        f"Choose the one to read with --{column.role}-column."
    )


def split_in_name(path: Path) -> str | None:
    """Returns the split that a file's name speaks of ("train", "validation", "test"), or None.

    Raises:
        UserError: it speaks of two.
    """
    found = {SPLIT_WORDS[word] for word in re.findall("[a-z]+", path.name.lower()) if word in SPLIT_WORDS}
    if len(found) > 1:
        raise UserError(f"{path}: the name speaks of {' and '.join(sorted(found))}; expected one split in a file name.")
    return found.pop() if found else None


def named_splits(split: str, there: Collection[str], location: str) -> list[str]:
    """Returns the splits that are meant: one, several joined with "+", or "all": train, validation and test.

    Raises:
        UserError: one of them is not there.
    """
    names = [name for name in SPLITS if name in there] if split == "all" else split.split("+")
    for name in names:
        if name not in there:
            raise UserError(f"{location} has no split {name!r}; its splits are: {listing(list(there))}.")
    return names


def listing(names: Sequence[str], most: int = 20) -> str:
    """Returns the names, quoted and joined with commas, for an error message that stays readable."""
    shown = ", ".join(repr(name) for name in names[:most])
    return f"{shown}, and {len(names) - most} more" if len(names) > most else shown or "none"


def as_text(value: Any, where: str, name: str) -> str:
    """Returns a value of a typed format (JSON, Parquet, TensorFlow Datasets) as the text a CSV file would hold.

    Args:
        value: text, UTF-8 bytes, a number, a boolean, or None, which gives the empty string.
        where: the record's place, for errors.
        name: the column's name, for errors.

    Raises:
        UserError: the value is a list or a mapping, or not valid Unicode.
    """
    if isinstance(value, bytes):
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError as error:
            raise UserError(
                f"{where}: column {name!r} is not valid UTF-8 at its byte {error.start + 1}; save the data as UTF-8."
            ) from error
    if isinstance(value, str):
        try:
            value.encode("utf-8")
        except UnicodeEncodeError as error:  # JSON may spell half of a surrogate pair, which no encoding can write
            raise UserError(
                f"{where}: column {name!r} holds half of a surrogate pair, which is no character; mend or remove it."
            ) from error
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (list, dict)):
        raise UserError(f"{where}: column {name!r} holds a {type(value).__name__}; expected text or a number.")
    return str(value)
