"""Progress: bars where they are seen while they move, and a line for each epoch of a training everywhere."""

import importlib.util
import sys
from collections.abc import Iterable, Mapping
from typing import Any

from tqdm import tqdm

# Columns of a history that are not metrics.
NOT_METRICS = {"epoch", "learning_rate", "seconds", "passes", "tokens_per_second", "words_per_second"}


def progress_bar(iterable: Iterable | None = None, *, disable: bool | None = None, **options: Any) -> tqdm:
    """Return a progress bar of tqdm: on a terminal, or as a widget of a notebook.

    It is hidden elsewhere: in a file, and in a notebook that is executed without a front end, each state of the bar
    would be kept. When the bar of a notebook is closed, its output is empty.

    Args:
        iterable: As for `tqdm.tqdm`.
        disable: True to hide it in any case.
        **options: As for `tqdm.tqdm`.
    """
    kernel = _kernel()
    if kernel is None:
        return tqdm(iterable, disable=disable, **options)  # None: hidden where standard error is no terminal
    if disable or not _draws_widgets(kernel):
        return tqdm(iterable, disable=True, **options)
    from IPython.display import display
    from tqdm.auto import tqdm as notebook_bar

    bar = notebook_bar(iterable, display=False, **options)
    output, close = display(bar.container, display_id=True), bar.close

    def close_and_clear() -> None:
        close()
        output.update({"text/plain": ""}, raw=True)

    bar.close = close_and_clear
    return bar


def _kernel() -> Any:
    """Return the Jupyter kernel that runs this process; None if it is another program."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    return getattr(shell, "kernel", None)


def _draws_widgets(kernel: Any) -> bool:
    """Return whether the front end that has sent the cell can be expected to draw a widget.

    Jupyter's messages have no field for that. Those of programs that execute notebooks say that nobody is there to
    answer a question (`allow_stdin` of the execution request).
    """
    return getattr(kernel, "_allow_stdin", False) and importlib.util.find_spec("ipywidgets") is not None


class EpochLog:
    """Prints a line for each epoch of a training, and draws a progress bar over its steps; a `with` block closes it.

    Args:
        epochs: Number of epochs.
        steps: Number of steps of an epoch.
        verbose: 0 for nothing, 1 for both, 2 for the lines alone.
    """

    def __init__(self, epochs: int, steps: int = 1, verbose: int = 1):
        self._epochs, self._steps, self._verbose = epochs, steps, verbose
        self._bar: tqdm | None = None

    def __enter__(self) -> "EpochLog":
        return self

    def __exit__(self, *error) -> None:
        if self._bar is not None:
            self._bar.close()

    def move(self, epoch: int, step: int) -> None:
        """Move the bar.

        Args:
            epoch: Finished epochs.
            step: Finished steps of the next one.
        """
        done, total = epoch * self._steps + step, self._epochs * self._steps
        name = f"epoch {min(epoch + 1, self._epochs)} of {self._epochs}"
        if self._bar is None:
            hidden = self._verbose != 1 or None
            self._bar = progress_bar(desc=name, total=total, initial=done, unit=" step", leave=False, disable=hidden)
        self._bar.set_description(name, refresh=False)
        self._bar.update(done - self._bar.n)

    def clear(self) -> None:
        """Remove the bar from a terminal until it moves, so that a message gets a line."""
        if self._bar is not None:
            self._bar.clear()

    def print_epoch(self, row: Mapping[str, float | None]) -> None:
        """Print the line of a finished epoch.

        Args:
            row: Of the history: `epoch`, `seconds`, and metrics, which are None where they were not measured.
        """
        if not self._verbose:
            return
        metrics = [f"{name} {row[name]:.4f}" for name in row if name not in NOT_METRICS and row[name] is not None]
        self.clear()
        speed = f", {row['words_per_second']:,.0f} words/s" if "words_per_second" in row else ""
        seconds = f" ({row['seconds']:.1f} s{speed})" if row["seconds"] else ""  # none before the training
        print(f"epoch {row['epoch']:g} of {self._epochs}: {', '.join(metrics)}{seconds}", flush=True)
