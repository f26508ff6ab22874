"""The figures of an evaluation: kept in the run's folder, and printed."""

import json

from tasks import atomic_files
from tasks.runs import Run

Figures = dict[str, float | int | None]


def keep(run: Run, data: str, split: str, figures: Figures) -> None:
    """Writes evaluation.json: the source, the split, and the figures."""
    with atomic_files.replacing(run.evaluation_file) as path:
        path.write_text(json.dumps({"data": data, "split": split, **figures}, indent=2) + "\n", encoding="utf-8")


def show(figures: Figures) -> None:
    """Prints a line for each."""
    width = max(map(len, figures)) + 2
    for name, value in figures.items():
        print(f"{name:<{width}} {shown(value)}")


def shown(value: float | int | None) -> str:
    """A figure as it is printed."""
    return "none" if value is None else f"{value:,}" if isinstance(value, int) else f"{value:.4f}"
