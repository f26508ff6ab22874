"""Rows that cannot be used: collected, and reported together."""

import collections
import logging
from collections.abc import Callable, Iterable, Iterator

from tasks.data.records import Record
from tasks.errors import UserError

log = logging.getLogger(__name__)

SHOWN = 20


class BadRows:
    """Collects rows that cannot be used.

    Attributes:
        count: Number of them.
    """

    def __init__(self):
        self.count = 0
        self._places: dict[str, list[str]] = collections.defaultdict(list)  # what is wrong -> where

    def add(self, record: Record, problem: str) -> None:
        """Count a row; the places of the first ones are kept."""
        self.count += 1
        if self.count <= SHOWN:
            row = f" (row {record.row:,})" if record.row else ""
            self._places[problem.rstrip(".")].append(f"{record.location}{row}")

    def report_left_out(self, location: str, split: str) -> None:
        """Log how many rows of a split were left out, if there are any."""
        if self.count:
            rows = "row" if self.count == 1 else "rows"
            log.warning("%s: left out %s bad %s of its %s split", location, f"{self.count:,}", rows, split)

    def error(self, *, can_be_skipped: bool = True) -> UserError:
        """Return the error that reports them: the first ones by line and row, and how many there are."""
        remedy = "Correct them, or leave them out with --skip-bad-rows" if can_be_skipped else "Correct or remove them"
        if self.count == 1:
            [(problem, [place])] = self._places.items()
            place = place.partition(" (row ")[0]
            return UserError(f"{place}: {problem}.\n{remedy.replace('them', 'the row')}.")
        shown = "; ".join(f"{', '.join(places)}: {problem}" for problem, places in self._places.items())
        more = f"; and {self.count - SHOWN:,} more" if self.count > SHOWN else ""
        return UserError(f"{self.count:,} rows cannot be used: {shown}{more}.\n{remedy}.")


def usable(
    records: Iterable[Record], problem_of: Callable[[Record], str | None], *, skip: bool, bad: BadRows | None = None
) -> Iterator[Record]:
    """Yield the records that can be used.

    After the first record that cannot, the others are read for the report only, unless such records are skipped.

    Args:
        records: The records, streamed.
        problem_of: What is wrong with a record; None if nothing is.
        skip: Whether the others are left out.
        bad: Counts the others.

    Raises:
        UserError: If records cannot be used and are not left out; names the first ones.
    """
    bad = BadRows() if bad is None else bad
    for record in records:
        problem = problem_of(record)
        if problem is not None:
            bad.add(record, problem)
        elif skip or not bad.count:
            yield record
    if bad.count and not skip:
        raise bad.error()
