"""Texts of one line each, such as names, titles or slogans: `--records lines`.

A line end is read before a record, from a zero state, and predicted after it: it is the token of the beginning and of
the end. So a list of records is stored, scored and shown as what it is, lines of text.
"""

from collections.abc import Mapping

from tasks.data.drawing import draw_missing_splits
from tasks.data.records import Reader, Record
from tasks.errors import UserError

BOUNDARY = "\n"


def clean(text: str) -> str:
    """Return the lines of a text without blanks at their ends, and without blank lines; each ends with a line end."""
    lines = (line.rstrip() for line in text.split(BOUNDARY))
    return "".join(f"{line}{BOUNDARY}" for line in lines if line)


def with_missing_splits(
    stored: Mapping[str, str], validation_fraction: float, test_fraction: float, location: str
) -> dict[str, str]:
    """Draw a validation split from the lines of the training text, and a test split if there is only training text.

    Equal lines are in the same split; the draw does not depend on their order.

    Args:
        stored: Split -> text, from `clean`.
        validation_fraction: The share of the lines that is drawn for validation.
        test_fraction: The share that is drawn for test.
        location: The source, for messages.

    Raises:
        UserError: If a split has no line.
    """
    readers = draw_missing_splits(
        {split: _reader(text, location) for split, text in stored.items()}, validation_fraction, test_fraction
    )
    splits = {
        split: stored[split] if split in stored and split != "train" else "".join(map(_line, reader()))
        for split, reader in readers.items()
    }
    empty = next((split for split, text in splits.items() if not text and (split != "test" or test_fraction)), None)
    if empty is not None:
        count = sum(text.count(BOUNDARY) for text in stored.values())
        if not count:
            raise UserError(f"{location}: every line is empty or blank; expected a text in each")
        raise UserError(
            f"{location}: no line is in its {empty} split, of {count:,} in all; add lines, or raise "
            "--validation-fraction and --test-fraction"
        )
    return splits


def _reader(text: str, location: str) -> Reader:
    lines = text.split(BOUNDARY)[:-1]
    return lambda: (Record((line,), f"{location}:{number}") for number, line in enumerate(lines, start=1))


def _line(record: Record) -> str:
    return record.values[0] + BOUNDARY
