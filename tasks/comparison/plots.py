"""The plots of a comparison."""

import itertools
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter

from tasks.comparison.table import label, validated_part
from tasks.reports.plots import drawing, new_figure, save


@drawing()
def quality_against_time(results: dict[str, list[dict]], column: str, path: Path) -> Path:
    """Plot a column of the history against the seconds of training: the mean over the seeds, and their spread.

    Args:
        results: Variation -> the figures of its runs.
        column: The column.
        path: The file to write; returned.
    """
    figure, (panel,) = new_figure(width=7.0, height=4.2)
    parts = {validated_part(runs) for runs in results.values()}
    for name, runs in results.items():
        histories = [
            [(seconds, row.get(column)) for seconds, row in zip(_elapsed(history), history, strict=True)]
            for history in (run["trained"]["history"] for run in runs)
        ]
        histories = [[point for point in history if point[1] is not None] for history in histories]
        histories = [history for history in histories if history]  # one may diverge before its first validation
        if not histories:
            continue
        steps = min(map(len, histories))  # a run that stopped early is shorter
        points = np.array([history[:steps] for history in histories])  # (seeds, steps, 2)
        seconds, mean = points[..., 0].mean(0), points[..., 1].mean(0)
        spread = points[..., 1].std(0, ddof=1) if len(points) > 1 else np.zeros(steps)  # that of the table
        shown = name if len(parts) == 1 or not validated_part(runs) else f"{name} ({validated_part(runs)})"
        (line,) = panel.plot(seconds, mean, marker="o", markersize=3, label=shown)
        panel.fill_between(seconds, mean - spread, mean + spread, color=line.get_color(), alpha=0.2, linewidth=0)
    part = parts.pop() if len(parts) == 1 else ""
    shared = any(run["trained"].get("shared_machine") for runs in results.values() for run in runs)
    panel.set(
        xlabel="seconds of training" + " (on a machine shared by trainings)" * shared,
        ylabel=column.replace("val_", "validation ") + (f" ({part})" if part else ""),
    )
    return _finished(figure, panel, path)


def _elapsed(history: list[dict]) -> list[float]:
    return list(itertools.accumulate(row["seconds"] for row in history))


@drawing()
def quality_against_parameters(rows: list[dict], metric: str, path: Path) -> Path:
    """Plot the metric of each row of the table, with its spread, against the number of parameters."""
    figure, (panel,) = new_figure(width=7.0, height=4.2)
    for row in rows:
        if row[metric] is None:
            continue
        panel.errorbar(row["parameters"], row[metric], yerr=row["spread"], marker="o", capsize=4, label=label(row))
    panel.set(xlabel="parameters", ylabel=metric.replace("_", " "))
    panel.xaxis.set_major_formatter(EngFormatter())  # 25.2 M
    return _finished(figure, panel, path)


def _finished(figure: Figure, panel: Axes, path: Path) -> Path:
    panel.grid(alpha=0.3)
    if panel.get_legend_handles_labels()[0]:  # nothing may have been measured
        for text in panel.legend(fontsize="small").get_texts():
            text.set_parse_math(False)  # a varied value may contain dollar signs
    return save(figure, path)
