"""The validation pairs whose BLEU is measured during a training.

They are stored when the data are prepared: a validation split that is drawn is found by reading all training data.
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from tasks import atomic_files
from tasks.data.records import Record
from tasks.data.stored_files import reading
from tasks.training.runs import Run


def _file(run: Run) -> Path:
    return run.checkpoint / "validation_pairs.jsonl"


def stored(records: Iterable[Record], run: Run, count: int) -> Iterator[Record]:
    """Yield records, and store the texts of the first ones.

    Args:
        records: The records of the validation split with text on both sides.
        run: The run, below whose checkpoint they are stored.
        count: Maximum number of pairs to store.
    """
    with atomic_files.replacing(_file(run)) as path, open(path, "w", encoding="utf-8") as file:
        for number, record in enumerate(records):
            if number < count:
                file.write(json.dumps(record.values) + "\n")
            yield record


def read(run: Run) -> list[tuple[str, str]]:
    """Return the stored pairs of source and target.

    Raises:
        UserError: If they are missing or damaged.
    """
    path = _file(run)
    with reading(path, "add --overwrite to prepare the data again"), open(path, encoding="utf-8") as file:
        return [tuple(json.loads(line)) for line in file]
