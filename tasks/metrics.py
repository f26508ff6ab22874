"""A metric and its direction, declared once for everything that follows it. Imports no TensorFlow."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Metric:
    """A metric and its direction, which best weights, early stopping, comparisons and tables follow.

    Attributes:
        name: Its key in the results of `evaluate`, or its column in the history, there with the prefix `val_`.
        higher_is_better: The direction; None for a figure that is neither good nor bad, which cannot be compared.
        compute: The outcome of an evaluation -> the value; None if the metric is measured during training.
    """

    name: str
    higher_is_better: bool | None
    compute: Callable[[Any], float | int | None] | None = None

    @property
    def column(self) -> str:
        """Its column in the history of a training."""
        return f"val_{self.name}"

    def score(self, value: float) -> float:
        """Return a number that is greater for better values."""
        return value if self.higher_is_better else -value

    def best(self, values: Iterable[float | None]) -> float | None:
        """Return the best value; None if nothing was measured."""
        return max((value for value in values if value is not None), key=self.score, default=None)

    def best_epoch(self, history: Sequence[Mapping[str, float | None]]) -> int:
        """Return the epoch, counted from 1, with the best value.

        Args:
            history: The rows of a training, one at least; see `tasks.training.checkpoint.Progress`.

        Returns:
            The first of equals; the first epoch if none measured the metric.
        """
        best = self.best(row[self.column] for row in history)
        return int(next(row["epoch"] for row in history if best is None or row[self.column] == best))


LOSS = Metric("loss", higher_is_better=False)
ACCURACY = Metric("accuracy", higher_is_better=True)
