"""Plots of the results."""

import math
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes

from tasks.memory.experiments import EXPLODING, EXPLODING_CLIPPED, NO_FORGET_BIAS, STANDARD, UNCLIPPED, alternatives
from tasks.memory.settings import CELLS, MemoryArguments
from tasks.memory.tables import EXPLOSION, Group, ResultTables
from tasks.reports.plots import drawing, new_figure, save

COLORS = {cell: f"C{number}" for number, cell in enumerate(CELLS)}
LINE_STYLES = ("-", "--", "-.", ":")
# Labels of the standard condition in each study, and of the conditions that it is compared with.
STANDARD_LABELS = {"clipping": "clipped", "initializer": "orthogonal", "forget_bias": "bias 1"}
LABELS = {UNCLIPPED: "not clipped", NO_FORGET_BIAS: "bias 0"}


class Line(NamedTuple):
    """A cell and a condition, drawn as one line."""

    cell: str
    condition: str
    label: str
    style: str

    @property
    def format(self) -> dict:
        """Keywords of matplotlib."""
        return {"label": self.label, "color": COLORS[self.cell], "linestyle": self.style}


@drawing()
def draw_plots(tables: ResultTables, arguments: MemoryArguments, folder: Path) -> list[Path]:
    """Draw all plots for which there are results, and return their files."""
    training_lags, chance_level = arguments.training_lag_names, 1.0 / arguments.symbols
    # Each cell has its own style, so that lines that coincide can be seen.
    plots = {"": [Line(cell, STANDARD, cell, _style(number)) for number, cell in enumerate(arguments.cell_names)]}
    plots |= {
        f"{study}_": _lines(tables, study, arguments) for study in STANDARD_LABELS if study in arguments.study_names
    }
    files = []
    for prefix, lines in plots.items():
        if lines:
            path = folder / f"{prefix}accuracy.png"
            files.append(_draw_accuracy(tables, lines, training_lags, chance_level, path))
            files.append(_draw_state_gradients(tables, lines, training_lags, folder / f"{prefix}state_gradients.png"))
    if tables.explosion():
        files.append(_draw_explosion(tables, chance_level, folder / "explosion.png"))
    return files


def _lines(tables: ResultTables, study: str, arguments: MemoryArguments) -> list[Line]:
    """Return the standard condition and its alternatives, for each cell that has both."""
    measured = {(group.cell, group.condition) for group in tables.groups()}
    lines = []
    for cell in arguments.cell_names:
        others = [name for name in alternatives(study, arguments) if (cell, name) in measured]
        labels = {STANDARD: STANDARD_LABELS[study]} | {name: LABELS.get(name, name) for name in others}
        for number, (condition, label) in enumerate(labels.items() if others else ()):
            lines.append(Line(cell, condition, f"{cell}, {label}", _style(number)))
    return lines


def _style(number: int) -> str:
    return LINE_STYLES[number % len(LINE_STYLES)]


def _draw_accuracy(
    tables: ResultTables, lines: list[Line], training_lags: list[str], chance_level: float, path: Path
) -> Path:
    """Draw accuracy and standard deviation against lag; one panel for each distribution of training lags."""
    figure, panels = new_figure(len(training_lags), width=6.0, height=4.2)
    table = tables.accuracy()
    for panel, distribution in zip(panels, training_lags, strict=True):
        for line in lines:
            rows = [row for row in table if Group.of(row) == (line.cell, line.condition, distribution)]
            panel.errorbar(
                [row["lag"] for row in rows],
                [row["accuracy"] for row in rows],
                yerr=[row["accuracy_std"] or 0.0 for row in rows],
                marker="o",
                markersize=4,
                capsize=3,
                **line.format,
            )
        lags = tables.lags(Group(lines[0].cell, STANDARD, distribution))
        panel.axhline(chance_level, color="gray", linestyle=":", label="chance")
        panel.set_xscale("log")
        panel.set_xticks(lags, [str(lag) for lag in lags])
        panel.minorticks_off()
        panel.set(ylim=(-0.02, 1.05))
        _label(panel, f"{distribution} training lags", "lag in steps", "accuracy")
    panels[0].legend(fontsize="small")
    return save(figure, path)


def _draw_state_gradients(tables: ResultTables, lines: list[Line], training_lags: list[str], path: Path) -> Path:
    """Draw the norm of d loss / d state at the longest lag, before training and after training with each distribution.

    The distribution of the training lags has no influence on the norms before training.
    """
    figure, panels = new_figure(1 + len(training_lags), width=5.0, height=4.2)
    columns = [("before", training_lags[0], "before training")]
    columns += [("after", distribution, f"after, {distribution} lags") for distribution in training_lags]
    for panel, (when, distribution, title) in zip(panels, columns, strict=True):
        for line in lines:
            group = Group(line.cell, line.condition, distribution)
            norms = np.array(tables.gradient_norms(group, tables.lags(group)[-1], when), float)  # None becomes NaN
            norms[norms == 0.0] = math.nan  # 0 cannot be drawn on a logarithmic scale
            panel.plot(norms, **line.format)
        panel.set_yscale("log")
        _label(panel, title, "steps before the end", "norm of d loss / d state")
    panels[0].legend(fontsize="small")
    return save(figure, path)


def _draw_explosion(tables: ResultTables, chance_level: float, path: Path) -> Path:
    """Draw gradient norm, update norm and loss at each training step, with and without clipping, of the first seed."""
    figure, panels = new_figure(3, width=4.6, height=4.0)
    titles = {
        "gradient_norm": "gradient norm before clipping",
        "update_norm": "norm of the weight update",
        "loss": "loss (nats)",
    }
    for panel, (metric, title) in zip(panels, titles.items(), strict=True):
        for condition, label, color in ((EXPLODING, "not clipped", "C3"), (EXPLODING_CLIPPED, "clipped", "C0")):
            result = tables.rows(EXPLOSION[condition])[0]
            steps = np.arange(1, result["steps"] + 1)
            panel.plot(steps, np.array(result[metric], float), label=label, color=color, linewidth=1)
        if metric != "loss":
            panel.set_yscale("log")
        _label(panel, title, "training step")
    panels[2].axhline(-math.log(chance_level), color="gray", linestyle=":", label="random guess")
    panels[2].legend(fontsize="small")
    return save(figure, path)


def _label(panel: Axes, title: str, x: str, y: str = "") -> None:
    panel.set(title=title, xlabel=x, ylabel=y)
    panel.grid(alpha=0.3)
