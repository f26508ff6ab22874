"""Records of text, the columns that a task reads, and the names of splits."""

import itertools
import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

from tasks.data.remote_files import AnyPath
from tasks.errors import UserError, did_you_mean

SPLITS = ("train", "validation", "test")
SPLIT_ALIASES = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "dev": "validation",
    "test": "test",
    "testing": "test",
    # As the data of IWSLT and WMT are called: tst2012, newsdev2016, newstest2016.
    "tst": "test",
    "newsdev": "validation",
    "newstest": "test",
}


class Record(NamedTuple):
    """One row of a table, one pair of lines, or one file of a class folder.

    Attributes:
        values: One string for each requested column, in the requested order.
        location: Where the record was read, for error messages: `reviews.csv:7`, `train.en:7, train.de:7`.
        problem: Why the row cannot be used; it may then have no values. None if it can.
        row: The number of the row in its table, counted from 1 without the header.
        compared: `tasks.data.hashes.comparison_hashes` of the values that link records; None if not computed yet.
    """

    values: tuple[str, ...]
    location: str
    problem: str | None = None
    row: int | None = None
    compared: tuple[int, ...] | None = None


Reader = Callable[[], Iterator[Record]]


@dataclass(frozen=True)
class FileReader:
    """A reader of files.

    Attributes:
        files: The files, or the folders whose .txt files are read.
        parts: Return the records of one part of the files each, in their order: a `functools.partial` of a function of
            a module, which a separate process can call too.
        linked: The positions of the values that link records; see `tasks.data.drawing`.
    """

    files: tuple[AnyPath, ...]
    parts: tuple[partial, ...]
    linked: tuple[int, ...] = (0,)

    def __call__(self) -> Iterator[Record]:
        """Return the records."""
        read = read_through.get()
        return self.directly() if read is None else read(self)

    def directly(self) -> Iterator[Record]:
        """Return the records, read from the files."""
        return itertools.chain.from_iterable(part() for part in self.parts)


# How the records of a `FileReader` are read instead of from its files; see `tasks.data.record_cache`.
read_through: ContextVar[Callable[[FileReader], Iterator[Record]] | None] = ContextVar("read_through", default=None)
# The problem of a row that repeats the header, as files have that were joined; such rows are left out.
REPEATED_HEADER = "the row repeats the header"
# Characters without a width that Unicode counts as letters or marks: fillers, joiners, variation selectors.
IGNORABLE = frozenset(
    map(chr, [0x34F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFFA0, *range(0x180B, 0x1810), *range(0xFE00, 0xFE10)])
)
# A longer value is an error, in files of lines as in others: a small file may expand to one that fills the memory.
MAX_VALUE_BYTES = 1 << 26
# What programs write where a value is missing. Words that may be a class, such as None, are not among them.
MISSING = ("nan", "-nan", "<na>", "#n/a", "nat", "\\n")


@dataclass(frozen=True)
class Column:
    """A column that a task reads.

    Attributes:
        role: Its meaning for the task: "text", "label", "source", "target".
        name: Its name in the data; in a parallel corpus, the language. If None, the column with the name of the role
            is read, and in TensorFlow Datasets the input or target of the data set (`supervised_keys`).
        required: Whether an empty or blank value is an error.
    """

    role: str
    name: str | None = None
    required: bool = False

    @property
    def lookup_name(self) -> str:
        """The name to look up in the data: `name`, or `role` if it is None."""
        return self.name or self.role


def find_column(column: Column, available: Sequence[str], location: str, hint: str | None = None) -> str:
    """Return the name of `column` in the data.

    Args:
        column: The requested column.
        available: The names of the columns in the data.
        location: The file or data set, for error messages.
        hint: What to do if the column is missing; by default, to choose one.

    Raises:
        UserError: If the column is missing; the message lists the available ones.
    """
    if column.lookup_name in available:
        return column.lookup_name
    raise UserError(
        f"{location} has no column {column.lookup_name!r}; its columns are: {quoted_list(available)}.\n"
        + (hint or f"Choose the one to read with --{column.role}-column.")
    )


def check_kept(columns: Sequence[str], available: Sequence[str], location: str) -> None:
    """Raise `UserError` if one of the columns to keep is missing; the message lists the available ones."""
    for name in columns:
        if name not in available:
            raise UserError(
                f"{location} has no column {name!r}; its columns are: {quoted_list(available)}.\n"
                f"Choose those to keep with --keep{did_you_mean(name, available)}"
            )


def check_names(names: Sequence[str], location: str) -> None:
    """Raise `UserError` if two columns have the same name."""
    if len({*names}) < len(names):
        name = next(name for name in names if list(names).count(name) > 1)
        raise UserError(f"{location}: two columns have the name {name!r}; rename one of them.")


def split_in_file_name(path: AnyPath) -> str | None:
    """Return the split that a file name contains ("train", "validation" or "test"), or None.

    Raises:
        UserError: If the name contains two splits.
    """
    words = re.findall("[a-z]+", path.name.lower())
    found = {SPLIT_ALIASES[word] for word in words if word in SPLIT_ALIASES}
    if len(found) > 1:
        raise UserError(f"{path}: the name contains {' and '.join(sorted(found))}; expected one split in a file name.")
    return found.pop() if found else None


def resolve_splits(split: str, available: Collection[str], location: str) -> list[str]:
    """Return the names of the requested splits.

    Args:
        split: One split, several joined with "+", or "all" for those of train, validation and test that exist.
        available: The splits in the data.
        location: The data, for error messages.

    Raises:
        UserError: If a requested split does not exist.
    """
    names = [name for name in SPLITS if name in available] if split == "all" else split.split("+")
    for name in names:
        if name not in available:
            raise UserError(f"{location} has no split {name!r}; its splits are: {quoted_list(list(available))}.")
    return names


def quoted_list(names: Sequence[str], max_count: int = 20) -> str:
    """Return at most `max_count` names, quoted and joined with commas, for an error message."""
    shown = ", ".join(repr(name if len(name) <= 60 else f"{name[:60]}...") for name in names[:max_count])
    return f"{shown}, and {len(names) - max_count} more" if len(names) > max_count else shown or "none"


def without_invisible(text: str) -> str:
    """Return a text without characters that show nothing, such as zero-width spaces and byte order marks.

    The joiners of emoji and of Indic and Persian letters are removed as well. Blanks and line breaks stay.
    """
    if text.isprintable() and IGNORABLE.isdisjoint(text):  # nearly all texts, and in a fraction of the time
        return text
    return "".join(
        one for one in text if (unicodedata.category(one) not in ("Cf", "Cc") and one not in IGNORABLE) or one.isspace()
    )


def normalize_for_comparison(text: str) -> str:
    """Return a text as it is compared with others: texts with an equal result count as the same text.

    Compatibility forms (NFKC), case, blanks and invisible characters make no difference.
    """
    return " ".join(without_invisible(unicodedata.normalize("NFKC", text)).casefold().split())


def is_blank(text: str) -> bool:
    """Return whether a text has no visible character."""
    stripped = text.strip()
    if not stripped:
        return True
    if stripped[0].isprintable() and stripped[0] not in IGNORABLE:  # nearly all texts, and in a fraction of the time
        return False
    return len(text) < 100 and not without_invisible(text).strip()


def is_missing(value: str) -> bool:
    """Return whether a value stands for a missing one: blank, or what programs write for it."""
    return is_blank(value) or without_invisible(value).strip().lower() in MISSING


def problem_of(record: Record, columns: Sequence[Column]) -> str | None:
    """Return why a record cannot be used; None if it can."""
    if record.problem:
        return record.problem
    for value, column in zip(record.values, columns, strict=True):
        if column.required and is_missing(value):
            found = f"is missing: it is {value.strip()!r}" if value.strip() else "is empty"
            return f"the {column.role} {found}; expected a value in each row."
    return None


def typed_record(values: Sequence[Any], names: Sequence[str], location: str, row: int | None) -> Record:
    """Return the record of values of a typed format, with its problem if one of them is no text."""
    try:
        texts = [as_text(value, location, name) for value, name in zip(values, names, strict=True)]
        return Record(tuple(texts), location, row=row)
    except UserError as error:
        return Record((), location, str(error).removeprefix(f"{location}: "), row)


def check_length(value: Any, location: str, column: str) -> None:
    """Raise `UserError` if a value is longer than `MAX_VALUE_BYTES`; see `as_text`."""
    if isinstance(value, (bytes, str)) and len(value) > MAX_VALUE_BYTES:
        raise UserError(f"{location}: the value of {column!r} is longer than {MAX_VALUE_BYTES >> 20} MB; shorten it.")


def as_text(value: Any, location: str, column: str) -> str:
    """Convert a value of a typed format (JSON, Parquet, TensorFlow Datasets) to the text of a CSV file.

    Args:
        value: Text, UTF-8 bytes, a number, a boolean, or None or NaN, which become the empty string.
        location: Where the record was read, for error messages.
        column: The name of the column, for error messages.

    Raises:
        UserError: If the value is a list or a mapping, not valid Unicode, or too long.
    """
    check_length(value, location, column)
    if isinstance(value, bytes):
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError as error:
            raise UserError(
                f"{location}: column {column!r} is not valid UTF-8 at byte {error.start + 1} of the value; "
                "save the data as UTF-8."
            ) from error
    if isinstance(value, str):
        try:
            value.encode("utf-8")
        except UnicodeEncodeError as error:  # JSON can escape half of a surrogate pair, which UTF-8 cannot encode
            raise UserError(
                f"{location}: column {column!r} contains an unpaired surrogate, which is not a character; "
                "correct or remove it."
            ) from error
        return value
    if isinstance(value, Iterable) and getattr(value, "ndim", 1):  # also an array, which compares value by value
        raise UserError(f"{location}: column {column!r} holds a {type(value).__name__}; expected text or a number.")
    if value is None or value != value:  # NaN differs from itself
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)
