"""The pictures of the recall studies."""

import math
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tasks.memory.experiments import EXPLODING, EXPLODING_CLIPPED, NO_FORGET_BIAS, STANDARD, UNCLIPPED, without
from tasks.memory.settings import CELLS, RecallArguments
from tasks.memory.tables import EXPLOSION, Group, Table
from tasks.reports.plots import new_figure, save

COLORS = {cell: f"C{number}" for number, cell in enumerate(CELLS)}
STYLES = ("-", "--", "-.", ":")
# What the standard condition has in a study, and what a condition without it is called.
WITH = {"clipping": "clipped", "initializer": "orthogonal", "forget_bias": "bias 1"}
WITHOUT = {UNCLIPPED: "not clipped", NO_FORGET_BIAS: "bias 0"}


class Line(NamedTuple):
    """What is drawn as one line, and how."""

    cell: str
    condition: str
    label: str
    style: str = "-"

    @property
    def look(self) -> dict:
        return {"label": self.label, "color": COLORS[self.cell], "linestyle": self.style}


def draw(table: Table, arguments: RecallArguments, folder: Path) -> list[Path]:
    """Draws every picture that there are results for; gives their files."""
    ways, chance = arguments.training_lag_names, 1.0 / arguments.symbols
    # Where two cells do equally well, both lines are seen.
    pictures = {"": [Line(cell, STANDARD, cell, STYLES[number]) for number, cell in enumerate(arguments.cell_names)]}
    for study in WITH:
        if study in arguments.study_names:
            pictures[f"{study}_"] = _lines(table, study, arguments)
    drawn = []
    for prefix, lines in pictures.items():
        if lines:
            drawn.append(_accuracy(table, lines, ways, chance, folder / f"{prefix}accuracy.png"))
            drawn.append(_state_gradients(table, lines, ways, folder / f"{prefix}state_gradients.png"))
    if table.explosion():
        drawn.append(_explosion(table, chance, folder / "explosion.png"))
    return drawn


def _lines(table: Table, study: str, arguments: RecallArguments) -> list[Line]:
    """With and without what the study is about, for each cell that has both."""
    measured = {(group.cell, group.condition) for group in table.groups()}
    lines = []
    for cell in arguments.cell_names:
        others = [name for name in without(study, arguments) if (cell, name) in measured]
        named = [(STANDARD, WITH[study]), *((name, WITHOUT.get(name, name)) for name in others)] if others else []
        for number, (condition, name) in enumerate(named):
            lines.append(Line(cell, condition, f"{cell}, {name}", STYLES[number % len(STYLES)]))
    return lines


def _accuracy(table: Table, lines: list[Line], ways: tuple[str, ...], chance: float, path: Path) -> Path:
    """Accuracy against the lag, with the spread over the seeds; a panel for each way to draw the training lags."""
    figure, panels = new_figure(len(ways), width=6.0, height=4.2)
    rows = table.accuracy()
    for panel, way in zip(panels, ways, strict=True):
        for line in lines:
            group = Group(line.cell, line.condition, way)
            own = [row for row in rows if Group(*(row[name] for name in Group._fields)) == group]
            panel.errorbar(
                [row["lag"] for row in own],
                [row["accuracy"] for row in own],
                yerr=[row["spread"] or 0.0 for row in own],
                marker="o",
                markersize=4,
                capsize=3,
                **line.look,
            )
        lags = table.lags(Group(lines[0].cell, STANDARD, way))
        panel.axhline(chance, color="gray", linestyle=":", label="chance")
        panel.set_xscale("log")
        panel.set_xticks(lags, [str(lag) for lag in lags])
        panel.minorticks_off()
        panel.set(xlabel="lag in steps", ylabel="accuracy", ylim=(-0.02, 1.05), title=f"{way} training lags")
        panel.grid(alpha=0.3)
    panels[0].legend(fontsize="small")
    return save(figure, path)


def _state_gradients(table: Table, lines: list[Line], ways: tuple[str, ...], path: Path) -> Path:
    """Norm of d loss / d state against the distance from the end, at the longest lag: before training, which is the
    same for every way to draw the training lags, and after it."""
    figure, panels = new_figure(1 + len(ways), width=5.0, height=4.2)
    moments = [("before", ways[0], "before training"), *(("after", way, f"after, {way} lags") for way in ways)]
    for panel, (when, way, title) in zip(panels, moments, strict=True):
        for line in lines:
            group = Group(line.cell, line.condition, way)
            norms = np.array(table.gradients(group, table.lags(group)[-1], when), float)  # NaN where it is None
            norms[norms == 0.0] = math.nan  # has no place on a logarithmic scale
            panel.plot(norms, **line.look)
        panel.set(xlabel="steps before the end", ylabel="norm of d loss / d state", title=title)
        panel.set_yscale("log")
        panel.grid(alpha=0.3)
    panels[0].legend(fontsize="small")
    return save(figure, path)


def _explosion(table: Table, chance: float, path: Path) -> Path:
    """Gradient, step of the weights and loss at each step of training, with and without clipping; the first seed."""
    figure, panels = new_figure(3, width=4.6, height=4.0)
    figures = {
        "gradient_norm": "norm of the gradient, before clipping",
        "update_norm": "norm of the step of the weights",
        "loss": "loss (nats)",
    }
    for condition, label, color in ((EXPLODING, "not clipped", "C3"), (EXPLODING_CLIPPED, "clipped", "C0")):
        row = table.rows(EXPLOSION[condition])[0]
        steps = np.arange(1, row["steps"] + 1)
        for panel, name in zip(panels, figures, strict=True):
            panel.plot(steps, np.array(row[name], float), label=label, color=color, linewidth=1)
    for panel, (name, title) in zip(panels, figures.items(), strict=True):
        if name != "loss":
            panel.set_yscale("log")
        panel.set(xlabel="training step", title=title)
        panel.grid(alpha=0.3)
    panels[2].axhline(-math.log(chance), color="gray", linestyle=":", label="a guess")
    panels[2].legend(fontsize="small")
    return save(figure, path)
