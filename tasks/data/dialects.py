"""Finds out how the fields of a delimited table are written: the separator, and whether fields are quoted."""

import contextlib
import csv
import functools
import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from tasks.data import quoted_rows
from tasks.data.remote_files import AnyPath
from tasks.data.text_files import read_lines

Lines = Iterable[tuple[int, str]]

DEFAULT_DELIMITERS = {"csv": ",", "tsv": "\t"}
DELIMITERS = ",;\t|"
# Where a quotation mark at the beginning of a field always opens a quoted field. With other separators, people also
# write tables without any quoting.
ALWAYS_QUOTED = ",;"
# What is read to find the separator of a file, and its quoting.
SAMPLE_ROWS, SAMPLE_CHARACTERS, QUOTING_CHARACTERS = 20, 1 << 20, 1 << 24
# A first line that tells Excel the separator, and is no row.
EXCEL_SEPARATOR = re.compile(r'"?sep=(.)"?\r?\n?')
QUOTED_FIELD = re.compile(r'"[^"]*(?:""[^"]*)*"')


class Dialect(NamedTuple):
    """How the fields of a table are written.

    Attributes:
        delimiter: What separates them.
        quoted: Whether fields may be quoted, as the csv module, pandas and spreadsheets do it; otherwise quotation
            marks are characters like any other, and each line is a row.
    """

    delimiter: str
    quoted: bool


@functools.lru_cache(maxsize=64)
def dialect_of_file(
    path: AnyPath, kind: str, delimiter: str | None, encoding: str | None, version: tuple[int, int]
) -> Dialect:
    """Return the dialect of a file; it is found once, as long as the file stays the same."""
    return find_dialect(lambda: read_lines(path, encoding), kind, delimiter)


def find_dialect(read: Callable[[], Lines], kind: str, delimiter: str | None) -> Dialect:
    """Find out how the fields of a table are written.

    Args:
        read: Opens its lines, which are then read from the first one.
        kind: "csv" or "tsv".
        delimiter: The separator, if it is given.
    """
    first = next(iter(read()), (1, ""))[1]
    named = EXCEL_SEPARATOR.fullmatch(first)
    default = named[1] if named else DEFAULT_DELIMITERS[kind]
    delimiter = delimiter or (default if named else _find_delimiter(read, default))
    return Dialect(delimiter, delimiter in ALWAYS_QUOTED or _is_quoted(read, delimiter))


def _find_delimiter(read: Callable[[], Lines], default: str) -> str:
    """Return the separator with which the first rows have the same number of columns, two at least."""
    sample = list(itertools.islice(_sample(read, SAMPLE_CHARACTERS), SAMPLE_ROWS))
    columns = {
        delimiter: _column_counts(sample, delimiter) for delimiter in sorted(DELIMITERS, key=lambda one: one != default)
    }
    for delimiter, counts in columns.items():
        if len({*counts}) == 1 and counts[0] > 1:
            return delimiter
    if not columns[default] or columns[default][0] > 1:
        return default
    # Rows of other lengths are mistakes, which are reported later: the first line decides.
    return max(columns, key=lambda delimiter: columns[delimiter][:1])


def _column_counts(sample: Sequence[str], delimiter: str) -> list[int]:
    """Return the number of columns in each row of a sample, whose last rows may be incomplete."""
    rows = csv.reader(sample, delimiter=delimiter)
    counts = []
    with contextlib.suppress(csv.Error), quoted_rows.long_fields:
        for row in rows:
            if row:
                counts.append(len(row))
    complete = rows.line_num < SAMPLE_ROWS or len(counts) < 2
    return counts if complete else counts[:-1]


def _is_quoted(read: Callable[[], Lines], delimiter: str) -> bool:
    """Return whether the fields of a table may be quoted.

    They may if each field with a quotation mark is a well-formed quoted field, as programs write them that quote. If
    some are not, the majority of the rows decides: either most rows have quoted fields, or more rows have fields that
    only a program writes, with doubled marks inside, than rows have stray marks. If lines have other numbers of columns
    than the first, quoted fields may contain the separator or line breaks: then what leaves fewer rows with a wrong
    number of columns is right.
    """
    expected, rows, well_formed, doubled, stray, wrong = None, 0, 0, 0, 0, 0
    for line in _sample(read, QUOTING_CHARACTERS):
        line = line.rstrip("\r\n")
        if not line:
            continue
        count = line.count(delimiter) + 1
        expected = count if expected is None else expected
        rows, wrong = rows + 1, wrong + (count != expected)
        if '"' in line:
            fields = [field for field in line.split(delimiter) if '"' in field]
            quoted = all(map(QUOTED_FIELD.fullmatch, fields))
            stray, well_formed = stray + (not quoted), well_formed + quoted
            doubled += quoted and any('""' in field[1:-1] for field in fields)
    if wrong and (stray or well_formed):
        found = quoted_rows.read(enumerate(_sample(read, QUOTING_CHARACTERS)), delimiter)
        lengths = [0 if isinstance(row, csv.Error) else len(row) for _, row in found if row]
        if sum(length != lengths[0] for length in lengths) < wrong:
            return True
    return well_formed > stray and (not stray or 2 * well_formed > rows or doubled > stray)


def _sample(read: Callable[[], Lines], max_characters: int) -> Iterator[str]:
    length = 0
    for _, line in read():
        if length + len(line) > max_characters:  # a line may be much longer than the sample
            yield from [line[:max_characters]] * (not length)
            return
        yield line
        length += len(line)
