"""Results -> tables: means and spreads over the seeds, as rows, as text and as CSV."""

import math
import statistics
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from tabulate import tabulate

from tasks import atomic_files
from tasks.memory.experiments import EXPLODING, EXPLODING_CLIPPED, STANDARD, UNCLIPPED

# The gradients are printed at these distances from the end, and at the longest.
SHOWN_DISTANCES = (0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)


class Group(NamedTuple):
    """Results that differ in lag and seed alone."""

    cell: str
    condition: str
    training_lags: str


EXPLOSION = {name: Group("simple_rnn", name, "log_uniform") for name in (EXPLODING, EXPLODING_CLIPPED)}


class Table:
    """The results of the experiments that were asked for.

    Args:
      results: of `Measurer.measure`.
    """

    def __init__(self, results: Iterable[dict]):
        self.results = list(results)
        self._groups: dict[Group, list[dict]] = {}
        for row in sorted(self.results, key=lambda row: (row["lag"], row["seed"])):
            self._groups.setdefault(Group(*(row[name] for name in Group._fields)), []).append(row)

    def groups(self) -> list[Group]:
        """Those that are tried at every lag: not those of the explosion. In the order of the results."""
        found = dict.fromkeys(Group(*(row[name] for name in Group._fields)) for row in self.results)
        return [group for group in found if group not in EXPLOSION.values()]

    def rows(self, group: Group, lag: int | None = None) -> list[dict]:
        """The results of a group, by lag and seed; those of one lag if it is given."""
        return [row for row in self._groups.get(group, []) if lag in (None, row["lag"])]

    def lags(self, group: Group) -> list[int]:
        """From the shortest to the longest."""
        return sorted({row["lag"] for row in self.rows(group)})

    def right(self, group: Group, lag: int | None = None) -> float:
        """Mean accuracy at a lag, or over all."""
        return statistics.fmean(row["accuracy"] for row in self.rows(group, lag))

    def accuracy(self) -> list[dict]:
        """For each group and lag: accuracy (mean over the seeds), spread (standard deviation with n - 1; None for one
        seed), seeds, solved and diverged (so many of them), steps (mean)."""
        table = []
        for group in [*self.groups(), *EXPLOSION.values()]:
            for lag in self.lags(group):
                rows = self.rows(group, lag)
                values = [row["accuracy"] for row in rows]
                table.append(
                    {
                        **group._asdict(),
                        "lag": lag,
                        "accuracy": self.right(group, lag),
                        "spread": statistics.stdev(values) if len(values) > 1 else None,
                        "seeds": len(rows),
                        "solved": sum(row["solved"] for row in rows),
                        "diverged": sum(row["diverged"] for row in rows),
                        "steps": statistics.fmean(row["steps"] for row in rows),
                    }
                )
        return table

    def gradients(self, group: Group, lag: int, when: str) -> list[float | None]:
        """Norm of d loss / d state by the distance from the end: geometric mean over the seeds.

        Args:
          when: "before" or "after" the training.

        Returns: lag + 1 norms; None where a seed has no number.
        """
        columns = zip(*(row[f"state_gradients_{when}"] for row in self.rows(group, lag)), strict=True)
        return [_geometric_mean(column) for column in columns]

    def state_gradients(self) -> list[dict]:
        """For each group, lag and distance from the end: the norms before and after the training."""
        table = []
        for group in [*self.groups(), *EXPLOSION.values()]:
            for lag in self.lags(group):
                both = [self.gradients(group, lag, when) for when in ("before", "after")]
                for distance, (before, after) in enumerate(zip(*both, strict=True)):
                    place = {**group._asdict(), "lag": lag, "distance": distance}
                    table.append(place | {"before": before, "after": after})
        return table

    def explosion(self) -> list[dict]:
        """For each training of the explosion: the largest norms of gradient and step, the loss at its lowest and as the
        mean of the last 20 steps (nats), and the accuracy."""
        return [
            {
                "clipping": "yes" if name == EXPLODING_CLIPPED else "no",
                "seed": row["seed"],
                "largest gradient": largest(row["gradient_norm"]),
                "largest step": largest(row["update_norm"]),
                "lowest loss": min((loss for loss in row["loss"] if loss is not None), default=None),
                "last loss": last_loss(row),
                "accuracy": row["accuracy"],
            }
            for name, group in EXPLOSION.items()
            for row in self.rows(group)
        ]

    def as_text(self, chance: float) -> str:
        """The tables for people, in Markdown."""
        parts = [self._accuracy_text(chance), self._gradients_text()]
        if self.explosion():
            (lag,) = self.lags(EXPLOSION[EXPLODING])
            rows = [{name: _short(value) for name, value in row.items()} for row in self.explosion()]
            title = (
                f"Explosion: simple_rnn with large random recurrent weights, SGD, lag {lag}; norms of the gradient,\n"
                f"before clipping, and of the weights' step; a guess has a loss of {math.log(1 / chance):.2f} nats\n\n"
            )
            parts.append(title + _text(rows))
        return "\n\n".join(parts)

    def _accuracy_text(self, chance: float) -> str:
        shown = {group: group._asdict() for group in self.groups()}
        for row in self.accuracy():
            group = Group(*(row[name] for name in Group._fields))
            if group in shown:
                spread = "" if row["spread"] is None else f" ±{row['spread']:.2f}"
                shown[group][f"lag {row['lag']}"] = f"{row['accuracy']:.2f}{spread}"
        seeds = len({row["seed"] for row in self.results})
        of_seeds = "one seed" if seeds == 1 else f"mean and standard deviation over {seeds} seeds"
        return f"Accuracy at the asked lag, {of_seeds}; chance is {chance:.3f}\n\n" + _text(shown.values())

    def _gradients_text(self) -> str:
        """Before training for each kind of initial weights, after it with and without clipping."""
        first = self.groups()[0].training_lags
        before = [g for g in self.groups() if g.training_lags == first and g.condition != UNCLIPPED]
        after = [g for g in self.groups() if g.condition in (STANDARD, UNCLIPPED)]
        rows = []
        for when, group in [*(("before", group) for group in before), *(("after", group) for group in after)]:
            lag = self.lags(group)[-1]
            norms = self.gradients(group, lag, when)
            shown = sorted({distance for distance in SHOWN_DISTANCES if distance < lag} | {lag})
            how = {"training": when if when == "before" else f"{when}, {group.training_lags}"}
            row = {"cell": group.cell, "condition": group.condition} | how
            row |= {str(distance): _short(norms[distance]) for distance in shown}
            rows.append(row | {"a step": _short(per_step(norms))})
        title = (
            f"Norm of d loss / d state (of an LSTM h and c) by the distance from the end, at lag {lag};\n"
            "a step: what one more step back multiplies it by, in the mean"
        )
        return f"{title}\n\n{_text(rows)}"

    def write(self, folder: Path) -> list[Path]:
        """Writes accuracy.csv and state_gradients.csv; gives them."""
        files = {"accuracy.csv": self.accuracy(), "state_gradients.csv": self.state_gradients()}
        for name, rows in files.items():
            atomic_files.write_csv(folder / name, rows)
        return [folder / name for name in files]


def per_step(norms: list[float | None]) -> float | None:
    """What a step further back multiplies the gradient by, in the mean over all steps, or over those before it is 0.

    None without numbers.
    """
    if None in norms:
        return None
    last = max((distance for distance, norm in enumerate(norms) if norm), default=0)
    return (norms[last] / norms[0]) ** (1.0 / last) if last else None


def largest(values: list[float | None]) -> float | None:
    """None where one is no number."""
    return None if None in values else max(values)


def last_loss(row: dict) -> float | None:
    """Mean loss of the last 20 steps of a result; None where one is no number."""
    last = row["loss"][-20:]
    return None if None in last else statistics.fmean(last)


def _geometric_mean(values: Iterable[float | None]) -> float | None:
    values = list(values)
    if None in values:
        return None
    return 0.0 if 0.0 in values else math.exp(statistics.fmean(map(math.log, values)))


def _short(value) -> str:
    return "-" if value is None else f"{value:.3g}" if isinstance(value, float) else str(value)


def _text(rows: Iterable[dict]) -> str:
    return tabulate(list(rows), headers="keys", disable_numparse=True, tablefmt="github", missingval="-")
