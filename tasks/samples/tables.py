"""CSV files of the bundled samples."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path


def write_splits(folder: Path, header: Sequence[str], splits: Mapping[str, Iterable[Sequence[str]]]) -> None:
    """Write one CSV file for each split (`train.csv`, ...), with the same bytes on every system."""
    for split, rows in splits.items():
        with open(folder / f"{split}.csv", "w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(header)
            writer.writerows(rows)
