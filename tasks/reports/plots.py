"""Figures with fonts for Latin and Hangul, saved atomically; learning curves and bar charts."""

import contextlib
import importlib.util
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib import font_manager
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from tasks import atomic_files
from tasks.errors import UserError

# matplotlib's own font, and one for the characters that it lacks. Labels contain texts, which are no formulas of LaTeX.
RC_PARAMS = {"font.family": ["DejaVu Sans", "NanumGothic"], "text.usetex": False}
_DRAWING = threading.RLock()


@contextlib.contextmanager
def drawing() -> Iterator[None]:
    """Add a Hangul font for characters that matplotlib's own font lacks, until the block or decorated function ends.

    The font is a file of the package koreanize-matplotlib, so it is the same on every machine. Importing the package
    would make the font the first choice, before matplotlib's own. Create and save a figure in one block: matplotlib
    looks up the fonts of some texts when it saves.
    """
    folder = Path(importlib.util.find_spec("koreanize_matplotlib").origin).parent / "fonts"
    fonts = font_manager.fontManager.ttflist
    with _DRAWING:
        before = len(fonts)
        font_manager.fontManager.addfont(folder / "NanumGothic.ttf")
        try:
            with matplotlib.rc_context(RC_PARAMS):
                yield
        finally:
            del fonts[before:]


def blank_figure(width: float, height: float, dpi: int = 120) -> Figure:
    """Create a figure without panels, inside of `drawing`.

    Args:
        width: The width in inches.
        height: The height in inches.
        dpi: Pixels per inch.
    """
    # pyplot would keep a reference to every figure, and select a window system, which a notebook does not expect.
    figure = Figure(figsize=(width, height), layout="constrained", dpi=dpi)
    FigureCanvasAgg(figure)
    return figure


def new_figure(columns: int = 1, width: float = 5.0, height: float = 3.6) -> tuple[Figure, np.ndarray]:
    """Create a figure with panels side by side, inside of `drawing`.

    Args:
        columns: The number of panels.
        width: The width of a panel in inches.
        height: The height of a panel in inches.

    Returns:
        The figure, and an array of its panels (matplotlib `Axes`), `(columns,)`.
    """
    figure = blank_figure(width * columns, height)
    return figure, np.atleast_1d(figure.subplots(1, columns))


def save(figure: Figure, path: Path) -> Path:
    """Save a figure atomically.

    Args:
        figure: The figure.
        path: The file to write; its suffix selects the format, and without one it is PNG.

    Returns:
        `path`.

    Raises:
        UserError: If the suffix is not that of an image format, or of one that needs a program that is missing.
    """
    kind, known = path.suffix[1:].lower() or "png", figure.canvas.get_supported_filetypes()
    if kind not in known:
        raise UserError(f"{path}: .{kind} is no kind of picture; take one of {', '.join(sorted(known))}")
    with atomic_files.replacing(path) as temporary:
        try:
            figure.savefig(temporary, format=kind)
        except (OSError, MemoryError):
            raise
        except Exception as error:  # pgf calls LaTeX; JPEG and WebP have a maximum size
            reason = " ".join(str(error).split())[:200]
            raise UserError(f"{path}: this figure cannot be drawn as .{kind} ({reason}); take .png or .svg") from None
    return path


@drawing()
def learning_curves(history: Sequence[dict[str, float]], path: Path) -> Path:
    """Plot each validated metric of a history against the epoch, training and validation in one panel.

    Args:
        history: A row for each epoch, with "epoch", and for each metric its name and "val_" + name. A metric is None
            in epochs in which it was not computed.
        path: The file to write.

    Returns:
        `path`.
    """
    names = [name.removeprefix("val_") for name in history[0] if name.startswith("val_")]
    figure, panels = new_figure(len(names))
    for panel, name in zip(panels, names, strict=True):
        for key, label in ((name, "training"), (f"val_{name}", "validation")):
            if key in history[0]:
                measured = [row for row in history if row[key] is not None]  # BLEU is not computed in every epoch
                epochs, values = [row["epoch"] for row in measured], [row[key] for row in measured]
                panel.plot(epochs, values, marker="o", markersize=3, label=label)
        panel.set(xlabel="epoch", title=name)
        panel.xaxis.get_major_locator().set_params(integer=True)
        panel.grid(alpha=0.3)
        panel.legend()
    return save(figure, path)


@drawing()
def bars(values: dict[str, float], label: str, figure_name: str, path: Path) -> Path:
    """Plot named values as bars.

    Args:
        values: The height of each bar by name.
        label: The label of the horizontal axis.
        figure_name: The label of the vertical axis.
        path: The file to write.

    Returns:
        `path`.
    """
    figure, (panel,) = new_figure()
    panel.bar(range(len(values)), list(values.values()))
    panel.set_xticks(range(len(values)), list(values), parse_math=False)
    panel.set(xlabel=label, ylabel=figure_name)
    panel.grid(axis="y", alpha=0.3)
    return save(figure, path)
