"""Plots of what a network computes while it reads or writes one text."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes

from tasks.reports.plots import blank_figure, drawing, new_figure, save

# Single units cannot be distinguished in a plot of more units than these. Those that change most are drawn.
MAX_UNITS = 48
SIGNED = ("candidate", "cell", "state")  # values of these are in both directions of 0, all others between 0 and 1


@drawing()
def attention(weights: np.ndarray, source: Sequence[str], target: Sequence[str], path: Path) -> Path:
    """Plot the attention weights of a translation.

    Args:
        weights: The weights, `(target pieces, source pieces)`.
        source: The pieces of the source.
        target: The pieces of the translation.
        path: The file to write.

    Returns:
        `path`.
    """
    width, height = (min(max(3.0, 0.32 * len(pieces) + 1.6), 60.0) for pieces in (source, target))
    figure, (panel,) = new_figure(width=width + 0.8, height=height)
    image = panel.imshow(weights, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    panel.set_xticks(range(len(source)), source, rotation=90, parse_math=False)
    panel.set_yticks(range(len(target)), target, parse_math=False)
    panel.set(xlabel="source", ylabel="translation", title="attention")
    figure.colorbar(image, ax=panel, label="weight")
    return save(figure, path)


@drawing()
def explanation(
    tokens: Sequence[str],
    curve: tuple[str, np.ndarray],
    gates: dict[str, np.ndarray],
    path: Path,
    *,
    contributions: np.ndarray | None = None,
    tracks: dict[str, np.ndarray] | None = None,
    pool_size: int = 1,
    chance: float | None = None,
) -> Path:
    """Plot the values inside a network over the tokens of a text, in panels with the same horizontal axis.

    Args:
        tokens: The tokens of the text.
        curve: A name and its value after each token, `(tokens,)`.
        gates: The values of each gate and state by name, `(timesteps, units)`. They are between 0 and 1, except
            "candidate", "cell" and "state", which may be negative. Must contain "state". The units are sorted by the
            correlation of their states with the curve.
        path: The file to write.
        contributions: The contribution of each token to the decision, `(tokens,)`.
        tracks: Values after each token by name, `(tokens,)`, drawn as lines.
        pool_size: Tokens in a timestep of the gates.
        chance: If the curve is a probability, that of a guess.

    Returns:
        `path`.
    """
    width = min(max(6.0, 0.3 * len(tokens) + 2.0), 60.0)
    heights = [1.6] + [1.4] * (contributions is not None) + [1.6] * bool(tracks) + [1.5] * len(gates)
    figure = blank_figure(width, sum(heights) + 1.2, dpi=100)
    panels = list(figure.subplots(len(heights), 1, sharex=True, gridspec_kw={"height_ratios": heights}))
    remaining = iter(panels)
    positions = np.arange(len(tokens))

    _draw_curve(next(remaining), positions, curve, chance)
    if contributions is not None:
        panel = next(remaining)
        panel.bar(positions, contributions, color=np.where(contributions > 0, "tab:blue", "tab:red"))
        panel.axhline(0.0, color="gray", linewidth=0.8)
        panel.set_ylabel("contribution", fontsize="small")
    if tracks:
        _draw_tracks(next(remaining), positions, tracks)
    units = _select_units(gates["state"], np.asarray(curve[1])[pool_size - 1 :: pool_size])
    for name, values in gates.items():
        panel = next(remaining)
        image = _draw_gate(panel, name, values, units, pool_size)
        figure.colorbar(image, ax=panel, pad=0.01)
    panels[-1].set_xlim(-0.5, len(tokens) - 0.5)
    panels[-1].set_xticks(positions, tokens, rotation=90 if max(map(len, tokens)) > 1 else 0, parse_math=False)
    return save(figure, path)


def _draw_curve(panel: Axes, positions: np.ndarray, curve: tuple[str, np.ndarray], chance: float | None) -> None:
    panel.plot(positions, curve[1], marker="o", markersize=3)
    panel.set_ylabel(curve[0], fontsize="small", parse_math=False)  # a label may contain dollar signs
    panel.grid(alpha=0.3)
    if chance is not None:
        panel.set_ylim(-0.03, 1.03)
        panel.axhline(chance, color="gray", linestyle="--", linewidth=1)


def _draw_tracks(panel: Axes, positions: np.ndarray, tracks: dict[str, np.ndarray]) -> None:
    for name, values in tracks.items():
        panel.plot(positions, values, marker=".", label=name)
    panel.legend(fontsize="x-small", loc="center left", bbox_to_anchor=(1.0, 0.5))
    panel.set_ylabel("unit", fontsize="small")
    panel.grid(alpha=0.3)


def _draw_gate(panel: Axes, name: str, values: np.ndarray, units: np.ndarray, pool_size: int):
    """Draw the values of the selected units as an image and return it."""
    signed = name in SIGNED
    limit = max(1.0, float(np.nanmax(np.abs(values)))) if signed else 1.0
    image = panel.imshow(
        values[:, units].T,
        cmap="RdBu" if signed else "viridis",
        vmin=-limit if signed else 0.0,
        vmax=limit,
        aspect="auto",
        interpolation="nearest",
        extent=(-0.5, len(values) * pool_size - 0.5, len(units) - 0.5, -0.5),
    )
    panel.set_yticks([])
    panel.set_ylabel(name, fontsize="small")
    return image


def _select_units(states: np.ndarray, curve: np.ndarray) -> np.ndarray:
    """Select the units to draw.

    Args:
        states: Their states, `(timesteps, units)`.
        curve: The curve at each timestep, `(timesteps,)`.

    Returns:
        The indexes of the units whose states vary most, sorted by correlation with the curve, the highest first.
    """
    steps = min(len(states), len(curve))
    if not steps:  # a text with fewer tokens than share a timestep
        return np.arange(min(MAX_UNITS, states.shape[1]))
    centred = np.nan_to_num(states[:steps] - np.nanmean(states[:steps], axis=0))
    spread = np.sqrt((centred**2).sum(axis=0))
    selected = np.argsort(-spread, kind="stable")[:MAX_UNITS]
    correlation = (centred * (curve[:steps] - np.mean(curve[:steps]))[:, None]).sum(axis=0) / (spread + 1e-12)
    return selected[np.argsort(-correlation[selected], kind="stable")]
