"""Every picture that the suite draws, as PNG."""

import importlib.util
from collections.abc import Sequence
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib import font_manager
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from tasks import atomic_files
from tasks.errors import UserError


def _use_fonts() -> None:
    """Adds a font with Hangul behind matplotlib's own, for the characters that this one lacks.

    It is a file of the package koreanize-matplotlib, and so the same on every machine; the package itself, when
    imported, would put it in front.
    """
    folder = Path(importlib.util.find_spec("koreanize_matplotlib").origin).parent / "fonts"
    font_manager.fontManager.addfont(folder / "NanumGothic.ttf")
    matplotlib.rcParams["font.family"] = ["DejaVu Sans", "NanumGothic"]


_use_fonts()


def new_figure(columns: int = 1, width: float = 5.0, height: float = 3.6) -> tuple[Figure, np.ndarray]:
    """A figure with so many panels side by side, each of that size in inches; gives it and the panels."""
    # Not pyplot: it keeps every figure, and picks a window system where a notebook has its own.
    figure = Figure(figsize=(width * columns, height), layout="constrained", dpi=120)
    FigureCanvasAgg(figure)
    return figure, np.atleast_1d(figure.subplots(1, columns))


def save(figure: Figure, path: Path) -> Path:
    """Writes the figure to `path`, whole or not at all; gives `path`.

    Raises:
      UserError: its ending names no kind of picture; without one it is a PNG.
    """
    kind, known = path.suffix[1:].lower() or "png", figure.canvas.get_supported_filetypes()
    if kind not in known:
        raise UserError(f"{path}: .{kind} is no kind of picture; take one of {', '.join(sorted(known))}")
    with atomic_files.replacing(path) as temporary:
        figure.savefig(temporary, format=kind)
    return path


def learning_curves(history: Sequence[dict[str, float]], path: Path) -> Path:
    """Each figure of the history against the epoch, training and validation in one panel; writes `path`, gives it."""
    names = [name.removeprefix("val_") for name in history[0] if name.startswith("val_")]
    figure, panels = new_figure(len(names))
    for panel, name in zip(panels, names, strict=True):
        for key, label in ((name, "training"), (f"val_{name}", "validation")):
            if key in history[0]:
                measured = [row for row in history if row[key] is not None]  # BLEU is not, in some epochs
                epochs, values = [row["epoch"] for row in measured], [row[key] for row in measured]
                panel.plot(epochs, values, marker="o", markersize=3, label=label)
        panel.set(xlabel="epoch", title=name)
        panel.xaxis.get_major_locator().set_params(integer=True)
        panel.grid(alpha=0.3)
        panel.legend()
    return save(figure, path)


def confusion_matrix(counts: np.ndarray, labels: Sequence[str], path: Path) -> Path:
    """counts (classes, classes), true class by predicted class; writes `path`, gives it."""
    size = min(max(4.0, 0.45 * len(labels) + 2.0), 60.0)
    figure, (panel,) = new_figure(width=size + 0.8, height=size)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    image = panel.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    if len(labels) <= 20:
        for true, row in enumerate(counts):
            for predicted, count in enumerate(row):
                shade = "white" if shares[true, predicted] > 0.5 else "black"
                panel.text(predicted, true, f"{count:,}", ha="center", va="center", color=shade, fontsize=8)
    panel.set(xlabel="predicted", ylabel="true", title="confusion matrix")
    # A label may hold dollar signs, which are no mathematics.
    panel.set_xticks(range(len(labels)), labels, rotation=45 if len(labels) > 3 else 0, parse_math=False)
    panel.set_yticks(range(len(labels)), labels, parse_math=False)
    figure.colorbar(image, ax=panel, label="share of the true class")
    return save(figure, path)


def reliability(confidence: np.ndarray, correct: np.ndarray, path: Path, bins: int = 10) -> Path:
    """Share of right answers against the probability given to them: on the diagonal the model knows what it knows.

    Args:
      confidence: (examples,), probability of the predicted class.
      correct: (examples,) booleans.
    """
    figure, (panel, histogram) = new_figure(2)
    index = np.minimum((confidence * bins).astype(int), bins - 1)
    filled = [bin_ for bin_ in range(bins) if (index == bin_).any()]
    panel.plot([0, 1], [0, 1], color="gray", linestyle="--", linewidth=1)
    panel.plot(
        [confidence[index == bin_].mean() for bin_ in filled],
        [correct[index == bin_].mean() for bin_ in filled],
        marker="o",
    )
    panel.set(
        xlabel="probability of the predicted class", ylabel="share right", title="reliability", xlim=(0, 1), ylim=(0, 1)
    )
    panel.grid(alpha=0.3)
    histogram.hist(confidence, bins=bins, range=(0, 1))
    histogram.set(xlabel="probability of the predicted class", ylabel="examples", title="how sure it is")
    return save(figure, path)


def attention(weights: np.ndarray, source: Sequence[str], target: Sequence[str], path: Path) -> Path:
    """What was attended to as each piece was written: weights (target pieces, source pieces); writes `path`."""
    width, height = (min(max(3.0, 0.32 * len(pieces) + 1.6), 60.0) for pieces in (source, target))
    figure, (panel,) = new_figure(width=width + 0.8, height=height)
    image = panel.imshow(weights, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    panel.set_xticks(range(len(source)), source, rotation=90, parse_math=False)
    panel.set_yticks(range(len(target)), target, parse_math=False)
    panel.set(xlabel="read", ylabel="written", title="attention")
    figure.colorbar(image, ax=panel, label="weight")
    return save(figure, path)


def bars(values: dict[str, float], label: str, figure_name: str, path: Path) -> Path:
    """A bar for each of the named values; writes `path`, gives it."""
    figure, (panel,) = new_figure()
    panel.bar(range(len(values)), list(values.values()))
    panel.set_xticks(range(len(values)), list(values), parse_math=False)
    panel.set(xlabel=label, ylabel=figure_name)
    panel.grid(axis="y", alpha=0.3)
    return save(figure, path)


# More units than these are not told apart in a picture: those are drawn that change most.
UNITS_SHOWN = 48


def explanation(
    tokens: Sequence[str],
    curve: tuple[str, np.ndarray],
    gates: dict[str, np.ndarray],
    path: Path,
    *,
    contributions: np.ndarray | None = None,
    tracks: dict[str, np.ndarray] | None = None,
    stride: int = 1,
    chance: float | None = None,
) -> Path:
    """What a network does as it reads, one panel below the other over the same tokens; writes `path`, gives it.

    Args:
      tokens: of the text.
      curve: a name, and a value after each token.
      gates: name -> (steps, units); from 0 to 1, but for "candidate", "cell" and "state", which may be negative. The
        units are in the order of how their states go with the curve.
      contributions: (tokens,), what each token adds to the decision.
      tracks: name -> (tokens,), drawn as lines.
      stride: tokens in a step of the gates.
      chance: where the curve is a probability: that of a guess.
    """
    width = min(max(6.0, 0.3 * len(tokens) + 2.0), 60.0)
    heights = [1.6] + [1.4] * (contributions is not None) + [1.6] * bool(tracks) + [1.5] * len(gates)
    figure = Figure(figsize=(width, sum(heights) + 1.2), layout="constrained", dpi=100)
    FigureCanvasAgg(figure)
    panels = list(figure.subplots(len(heights), 1, sharex=True, gridspec_kw={"height_ratios": heights}))
    below = iter(panels)
    places = np.arange(len(tokens))

    panel = next(below)
    panel.plot(places, curve[1], marker="o", markersize=3)
    panel.set_ylabel(curve[0], fontsize="small")
    panel.grid(alpha=0.3)
    if chance is not None:
        panel.set_ylim(-0.03, 1.03)
        panel.axhline(chance, color="gray", linestyle="--", linewidth=1)
    if contributions is not None:
        panel = next(below)
        panel.bar(places, contributions, color=np.where(contributions > 0, "tab:blue", "tab:red"))
        panel.axhline(0.0, color="gray", linewidth=0.8)
        panel.set_ylabel("contribution", fontsize="small")
    if tracks:
        panel = next(below)
        for name, values in tracks.items():
            panel.plot(places, values, marker=".", label=name)
        panel.legend(fontsize="x-small", loc="center left", bbox_to_anchor=(1.0, 0.5))
        panel.set_ylabel("unit", fontsize="small")
        panel.grid(alpha=0.3)
    shown = _units_shown(gates["state"], np.asarray(curve[1])[stride - 1 :: stride])
    for name, values in gates.items():
        panel = next(below)
        signed = name in ("candidate", "cell", "state")
        limit = max(1.0, float(np.nanmax(np.abs(values)))) if signed else 1.0
        image = panel.imshow(
            values[:, shown].T,
            cmap="RdBu" if signed else "viridis",
            vmin=-limit if signed else 0.0,
            vmax=limit,
            aspect="auto",
            interpolation="nearest",
            extent=(-0.5, len(values) * stride - 0.5, len(shown) - 0.5, -0.5),
        )
        panel.set_yticks([])
        panel.set_ylabel(name, fontsize="small")
        figure.colorbar(image, ax=panel, pad=0.01)
    panels[-1].set_xlim(-0.5, len(tokens) - 0.5)
    panels[-1].set_xticks(places, tokens, rotation=90 if max(map(len, tokens)) > 1 else 0, parse_math=False)
    return save(figure, path)


def _units_shown(states: np.ndarray, curve: np.ndarray) -> np.ndarray:
    """The units (units,) to draw: those whose states (steps, units) change most, from those that rise with the curve
    to those that fall with it."""
    steps = min(len(states), len(curve))
    centred = np.nan_to_num(states[:steps] - np.nanmean(states[:steps], axis=0))
    spread = np.sqrt((centred**2).sum(axis=0))
    most = np.argsort(-spread, kind="stable")[:UNITS_SHOWN]
    with_curve = (centred * (curve[:steps] - np.mean(curve[:steps]))[:, None]).sum(axis=0) / (spread + 1e-12)
    return most[np.argsort(-with_curve[most], kind="stable")]
