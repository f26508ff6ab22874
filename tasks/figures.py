"""The figures of an evaluation: kept in the run's folder, and printed."""

from tasks import atomic_files
from tasks.runs import Run

Figures = dict[str, float | int | None]


def keep(run: Run, data: str, split: str, figures: Figures) -> None:
    """Writes evaluation.json: the source, the split, and the figures."""
    atomic_files.write_json(run.evaluation_file, {"data": data, "split": split, **figures})


def show(figures: Figures) -> None:
    """Prints a line for each."""
    width = max(map(len, figures)) + 2
    for name, value in figures.items():
        print(f"{name:<{width}} {shown(value)}")


def shown(value: float | int | None) -> str:
    """A figure as it is printed."""
    return "none" if value is None else f"{value:,}" if isinstance(value, int) else f"{value:.4f}"
