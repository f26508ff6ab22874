"""The results of an evaluation: kept in the run's folder, and printed."""

from tasks import atomic_files
from tasks.training.runs import Run

Results = dict[str, float | int | None]


def keep(run: Run, data: str, split: str, results: Results) -> None:
    """Writes evaluation.json: the source, the split, and the results."""
    atomic_files.write_json(run.evaluation_file, {"data": data, "split": split, **results})


def show(results: Results) -> None:
    """Prints a line for each."""
    width = max(map(len, results)) + 2
    for name, value in results.items():
        print(f"{name:<{width}} {shown(value)}")


def shown(value: float | int | None) -> str:
    """A figure as it is printed."""
    return "none" if value is None else f"{value:,}" if isinstance(value, int) else f"{value:.4f}"
