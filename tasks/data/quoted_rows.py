"""Rows whose fields may be quoted, as the csv module reads them; a malformed row does not end the reading."""

import csv
from collections.abc import Iterable, Iterator

# The default limit of the csv module is 131,072 characters, and a review may be longer. Some limit is kept, because
# after an unclosed quotation mark the whole rest of a file is one field.
csv.field_size_limit(1 << 26)


def read(lines: Iterable[tuple[int, str]], delimiter: str) -> Iterator[tuple[int, list[str] | csv.Error]]:
    """Yield each row with the number of its first line, or the error of a row that is not well formed.

    After such a row, reading continues with the line after its first one: a stray quotation mark would otherwise join
    the row with all that follow, up to the next mark.

    Args:
        lines: Each line with its number.
        delimiter: What separates the fields.
    """
    lines, taken, again = iter(lines), [], []

    def texts() -> Iterator[str]:
        while True:
            line = again.pop() if again else next(lines, None)
            if line is None:
                return
            taken.append(line)
            yield line[1]

    while True:
        try:
            for row in csv.reader(texts(), delimiter=delimiter, strict=True):
                number = taken[0][0]
                taken.clear()
                yield number, row
            return
        except csv.Error as error:
            first, *rest = taken
            taken.clear()
            again += reversed(rest)
            yield first[0], error
