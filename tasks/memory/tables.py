"""Tables of the results: means and standard deviations over the seeds, as rows, as text and as CSV."""

import math
import statistics
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from tabulate import tabulate

from tasks import atomic_files
from tasks.memory.experiments import EXPLODING, EXPLODING_CLIPPED, STANDARD, UNCLIPPED

# Gradient norms are printed at these numbers of steps before the end, and at the lag.
PRINTED_STEPS = (0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
# The final loss is the mean of this number of steps.
FINAL_STEPS = 20


class Group(NamedTuple):
    """Results that differ in lag and seed only."""

    cell: str
    condition: str
    training_lags: str

    @classmethod
    def of(cls, row: dict) -> "Group":
        """Return the group of a result or of a row of a table."""
        return cls(*(row[name] for name in cls._fields))


EXPLOSION = {name: Group("simple_rnn", name, "log_uniform") for name in (EXPLODING, EXPLODING_CLIPPED)}


class ResultTables:
    """Tables of the results of a study.

    Args:
        results: Results of `ExperimentRunner.run`, in the order of the experiments.
    """

    def __init__(self, results: Iterable[dict]):
        self.results = list(results)
        self._groups: dict[Group, list[dict]] = {}
        for result in self.results:
            self._groups.setdefault(Group.of(result), []).append(result)
        for rows in self._groups.values():
            rows.sort(key=lambda row: (row["lag"], row["seed"]))

    def groups(self) -> list[Group]:
        """Return the groups that are measured at every lag: all except those of the exploding-gradient experiment."""
        return [group for group in self._groups if group not in EXPLOSION.values()]

    def rows(self, group: Group, lag: int | None = None) -> list[dict]:
        """Return the results of a group, at one lag or at all, ordered by lag and seed."""
        return [row for row in self._groups.get(group, []) if lag in (None, row["lag"])]

    def lags(self, group: Group) -> list[int]:
        """Return the lags of a group in ascending order."""
        return sorted({row["lag"] for row in self.rows(group)})

    def mean_accuracy(self, group: Group, lag: int | None = None) -> float:
        """Return the mean accuracy of a group at one lag, or over all lags."""
        return statistics.fmean(row["accuracy"] for row in self.rows(group, lag))

    def gradient_norms(self, group: Group, lag: int, when: str) -> list[float | None]:
        """Return the norm of d loss / d state: geometric mean over the seeds.

        Args:
            group: Cell, condition and training lags.
            lag: Test lag.
            when: "before" or "after" training.

        Returns:
            Norms at 0 to `lag` steps before the end; None where the norm of a seed is not finite.
        """
        columns = zip(*(row[f"state_gradients_{when}"] for row in self.rows(group, lag)), strict=True)
        return [_geometric_mean(column) for column in columns]

    def _groups_and_lags(self) -> Iterator[tuple[Group, int]]:
        for group in [*self.groups(), *EXPLOSION.values()]:
            for lag in self.lags(group):
                yield group, lag

    def accuracy(self) -> list[dict]:
        """Return a row for each group and lag.

        Returns:
            Rows with the columns of `Group`, `lag`, `accuracy` (mean over the seeds), `accuracy_std` (standard
            deviation with n - 1; None for one seed), `seeds`, `solved` and `diverged` (numbers of seeds), and `steps`
            (mean number of training steps).
        """
        table = []
        for group, lag in self._groups_and_lags():
            rows = self.rows(group, lag)
            values = [row["accuracy"] for row in rows]
            table.append(
                {
                    **group._asdict(),
                    "lag": lag,
                    "accuracy": statistics.fmean(values),
                    "accuracy_std": statistics.stdev(values) if len(values) > 1 else None,
                    "seeds": len(rows),
                    "solved": sum(row["solved"] for row in rows),
                    "diverged": sum(row["diverged"] for row in rows),
                    "steps": statistics.fmean(row["steps"] for row in rows),
                }
            )
        return table

    def state_gradients(self) -> list[dict]:
        """Return a row for each group, lag and step: the gradient norms before and after training."""
        table = []
        for group, lag in self._groups_and_lags():
            both = [self.gradient_norms(group, lag, when) for when in ("before", "after")]
            for step, (before, after) in enumerate(zip(*both, strict=True)):
                key = {**group._asdict(), "lag": lag, "steps_before_end": step}
                table.append(key | {"norm_before_training": before, "norm_after_training": after})
        return table

    def explosion(self) -> list[dict]:
        """Return a row for each training of the exploding-gradient experiment; losses in nats."""
        return [
            {
                "clipping": "yes" if name == EXPLODING_CLIPPED else "no",
                "seed": row["seed"],
                "max_gradient_norm": finite_max(row["gradient_norm"]),
                "max_update_norm": finite_max(row["update_norm"]),
                "min_loss": min((loss for loss in row["loss"] if loss is not None), default=None),
                "final_loss": final_loss(row),
                "accuracy": row["accuracy"],
            }
            for name, group in EXPLOSION.items()
            for row in self.rows(group)
        ]

    def as_text(self, chance_level: float) -> str:
        """Return the tables in Markdown.

        Args:
            chance_level: Accuracy of a random guess.
        """
        parts = [self._accuracy_text(chance_level), self._gradients_text()]
        if self.explosion():
            (lag,) = self.lags(EXPLOSION[EXPLODING])
            rows = [{name: _format(value) for name, value in row.items()} for row in self.explosion()]
            title = (
                f"Exploding gradients: simple_rnn with large random recurrent weights, SGD, lag {lag}; global norms\n"
                "of the gradients before clipping and of the weight updates; loss in nats "
                f"(random guess: {math.log(1 / chance_level):.2f})\n\n"
            )
            parts.append(title + _markdown(rows))
        return "\n\n".join(parts)

    def _accuracy_text(self, chance_level: float) -> str:
        lines = {group: group._asdict() for group in self.groups()}
        for row in self.accuracy():
            if Group.of(row) in lines:
                std = "" if row["accuracy_std"] is None else f" ±{row['accuracy_std']:.2f}"
                lines[Group.of(row)][f"lag {row['lag']}"] = f"{row['accuracy']:.2f}{std}"
        seeds = len({row["seed"] for row in self.results})
        statistic = "one seed" if seeds == 1 else f"mean and standard deviation over {seeds} seeds"
        return f"Accuracy at the test lag, {statistic}; chance level {chance_level:.3f}\n\n" + _markdown(lines.values())

    def _gradients_text(self) -> str:
        """Norms before training for each initializer, and after training with and without clipping."""
        first = self.groups()[0].training_lags  # before training, all training lags have the same norms
        before = [g for g in self.groups() if g.training_lags == first and g.condition != UNCLIPPED]
        after = [g for g in self.groups() if g.condition in (STANDARD, UNCLIPPED)]
        rows = []
        for when, group in [*(("before", group) for group in before), *(("after", group) for group in after)]:
            lag = self.lags(group)[-1]
            norms = self.gradient_norms(group, lag, when)
            training = when if when == "before" else f"{when}, {group.training_lags}"
            row = {"cell": group.cell, "condition": group.condition, "training": training}
            row |= {str(step): _format(norms[step]) for step in sorted({s for s in PRINTED_STEPS if s < lag} | {lag})}
            rows.append(row | {"factor": _format(factor_per_step(norms))})
        title = (
            f"Norm of d loss / d state (LSTM: h and c) by the number of steps before the end, at lag {lag};\n"
            "factor: mean factor by which the norm changes with each step back"
        )
        return f"{title}\n\n{_markdown(rows)}"

    def write(self, folder: Path) -> list[Path]:
        """Write accuracy.csv and state_gradients.csv, and return their paths."""
        files = {folder / "accuracy.csv": self.accuracy(), folder / "state_gradients.csv": self.state_gradients()}
        for path, rows in files.items():
            atomic_files.write_csv(path, rows)
        return list(files)


def factor_per_step(norms: list[float | None]) -> float | None:
    """Return the geometric mean of the factors between successive norms, up to the last norm above 0.

    None if a norm is not finite, or if there is no norm above 0 after the first.
    """
    if None in norms:
        return None
    last = max((step for step, norm in enumerate(norms) if norm), default=0)
    return (norms[last] / norms[0]) ** (1.0 / last) if last else None


def finite_max(values: list[float | None]) -> float | None:
    """Return the maximum; None if a value is None, which stands for NaN or infinity."""
    return None if None in values else max(values)


def final_loss(result: dict) -> float | None:
    """Return the mean loss of the last steps in nats; None if one is not finite."""
    losses = result["loss"][-FINAL_STEPS:]
    return None if None in losses else statistics.fmean(losses)


def _geometric_mean(values: tuple[float | None, ...]) -> float | None:
    if None in values:
        return None
    return 0.0 if 0.0 in values else math.exp(statistics.fmean(map(math.log, values)))


def _format(value) -> str:
    return "-" if value is None else f"{value:.3g}" if isinstance(value, float) else str(value)


def _markdown(rows: Iterable[dict]) -> str:
    return tabulate(list(rows), headers="keys", disable_numparse=True, tablefmt="github", missingval="-")
