"""Rows whose fields may be quoted, as the csv module reads them; a malformed row does not end the reading."""

import csv
import threading
from collections.abc import Iterable, Iterator

# The default limit of the csv module is 131,072 characters, and a review may be longer. Some limit is kept, because
# after an unclosed quotation mark the whole rest of a file is one field.
MAX_FIELD = 1 << 26


class _LongFields:
    """Raises the limit of the csv module, which holds for the whole process, while a `with` block reads rows."""

    def __init__(self):
        self._lock, self._readers, self._before = threading.Lock(), 0, 0

    def __enter__(self):
        with self._lock:
            if not self._readers:
                self._before = csv.field_size_limit(MAX_FIELD)
            self._readers += 1

    def __exit__(self, *error):
        with self._lock:
            self._readers -= 1
            if not self._readers:
                csv.field_size_limit(self._before)


long_fields = _LongFields()


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
            rows = csv.reader(texts(), delimiter=delimiter, strict=True)
            while True:
                with long_fields:  # not while the caller works with the row
                    row = next(rows, None)
                if row is None:
                    return
                number = taken[0][0]
                taken.clear()
                yield number, row
        except csv.Error as error:
            first, *rest = taken
            taken.clear()
            again += reversed(rest)
            yield first[0], error
