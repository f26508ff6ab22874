"""Streaming reader of JSON Lines: an object on each line, whose values may be nested in other objects."""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from tasks.data.records import Record, quoted_list, typed_record
from tasks.data.remote_files import AnyPath
from tasks.data.text_files import read_lines
from tasks.errors import UserError
from tasks.file_options import FileOptions

# A line of many small values takes twenty times its size in memory.
MAX_VALUES = 1 << 22
MAX_DEPTH = 8  # of the names in messages
MAX_QUOTED = 60  # characters of a line in messages
ABSENT = object()  # what `lookup` returns for a value that an object does not have


class InvalidLine(ValueError):
    """A line that holds no object; the message says why."""


class RepeatedKey(InvalidLine):
    """A line with an object that has a key twice."""


def parse(line: str) -> dict[str, Any]:
    """Return the object on a line; NaN, which is no JSON, is None in it: a missing value.

    Raises:
        InvalidLine: If there is none, or it has a key twice.
    """
    if len(line) > MAX_VALUES and sum(map(line.count, ",[{")) > MAX_VALUES:
        raise InvalidLine(f"the line has more than {MAX_VALUES:,} values")
    try:
        row = json.loads(line, object_pairs_hook=_unique_keys, parse_constant=_missing)
    except InvalidLine:
        raise
    except json.JSONDecodeError as error:
        # The number of the line in the message of the error is that within the line.
        found = f"{quoted(line[error.pos :] or line)}{_hint(line)}"
        raise InvalidLine(f"not valid JSON: {error.msg} at character {error.pos + 1}, found {found}") from None
    except ValueError:
        raise InvalidLine("not valid JSON that can be read: a number has too many digits") from None
    except RecursionError:
        raise InvalidLine("not valid JSON that can be read: it is nested too deeply") from None
    if not isinstance(row, dict):
        raise InvalidLine(f'expected a JSON object such as {{"text": "..."}}; found {quoted(line)}{_hint(line)}')
    return row


def quoted(text: str) -> str:
    """Return the beginning of a text, quoted, for a message."""
    text = text.strip()
    return repr(text if len(text) <= MAX_QUOTED else f"{text[:MAX_QUOTED]}...")


def _hint(line: str) -> str:
    """Return what to do about the first line of a JSON file that does not have an object on each line."""
    if re.fullmatch(r"\[(\s*\{.*)?", line.strip(), re.DOTALL):
        return "; jq -c '.[]' FILE writes each object of a list on a line"
    return "; jq -c . FILE writes an object on a line" if line.strip() == "{" else ""


def _missing(_: str) -> None:
    """Return the value of NaN and of infinite numbers."""


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in found if names.count(name) > 1)
        raise RepeatedKey(f"two columns have the name {twice!r}; rename one of them")
    return found


def lookup(row: dict[str, Any], name: str) -> Any:
    """Return a value of an object: that of the key `name`, or else, for `a.b`, the value of "b" in that of "a".

    Returns:
        The value; `ABSENT` if there is none.
    """
    if name in row:
        return row[name]
    for start in [position for position, character in enumerate(name) if character == "."]:
        inner = row.get(name[:start])
        if isinstance(inner, dict) and (value := lookup(inner, name[start + 1 :])) is not ABSENT:
            return value
    return ABSENT


def value_names(row: dict[str, Any], prefix: str = "") -> list[str]:
    """Return the names under which `lookup` finds the values of an object that are no objects themselves."""
    found = []
    for name, value in row.items():
        inner = isinstance(value, dict) and value and prefix.count(".") < MAX_DEPTH
        found += value_names(value, f"{prefix}{name}.") if inner else [prefix + name]
    return found


def column_names(path: AnyPath, options: FileOptions) -> list[str]:
    """Return the names of the values in the first object.

    Raises:
        UserError: If the file is empty, or its first line is no object.
    """
    for number, row in _rows(path, options):
        if isinstance(row, str):
            raise UserError(f"{path}:{number}: {row}")
        return value_names(row)
    raise UserError(f"{path}: the file is empty; expected a JSON object on each line.")


def _rows(path: AnyPath, options: FileOptions) -> Iterator[tuple[int, dict[str, Any] | str]]:
    """Yield the object on each line, or what is wrong with the line."""
    for number, line in read_lines(path, options.encoding):
        try:
            if line.strip():  # JSON Lines may contain blank lines
                yield number, parse(line.strip())
        except InvalidLine as error:
            yield number, f"{error}."


def read_records(path: AnyPath, names: Sequence[str], options: FileOptions) -> Iterator[Record]:
    """Yield a record for each line; one that cannot be used has a problem."""
    for index, (number, row) in enumerate(_rows(path, options), start=1):
        location = f"{path}:{number}"
        if isinstance(row, str):
            yield Record((), location, row, index)
            continue
        values = [lookup(row, name) for name in names]
        if ABSENT in values:
            problem = (
                f"the object has no {names[values.index(ABSENT)]!r}; its keys are: {quoted_list(value_names(row))}."
            )
            yield Record((), location, problem, index)
        else:
            yield typed_record(values, names, location, index)
