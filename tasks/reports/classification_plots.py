"""Plots of a classifier's results."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tasks.reports.plots import drawing, new_figure, save


@drawing()
def confusion_matrix(counts: np.ndarray, labels: Sequence[str], path: Path) -> Path:
    """Plot a confusion matrix.

    Args:
        counts: The number of examples, `(true classes, predicted classes)`.
        labels: The names of the classes.
        path: The file to write.

    Returns:
        `path`.
    """
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
    # A label may contain dollar signs, which must not start a formula.
    panel.set_xticks(range(len(labels)), labels, rotation=45 if len(labels) > 3 else 0, parse_math=False)
    panel.set_yticks(range(len(labels)), labels, parse_math=False)
    figure.colorbar(image, ax=panel, label="share of the true class")
    return save(figure, path)


@drawing()
def reliability(confidence: np.ndarray, correct: np.ndarray, path: Path, bins: int = 10) -> Path:
    """Plot a reliability diagram and a histogram of the confidence.

    The diagram shows the accuracy of the predictions in each confidence bin. A calibrated model is on the diagonal.

    Args:
        confidence: The probability of the predicted class, `(examples,)`.
        correct: Whether the prediction is right, bool `(examples,)`.
        path: The file to write.
        bins: The number of bins of equal width.

    Returns:
        `path`.
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
        xlabel="probability of the predicted class", ylabel="accuracy", title="reliability", xlim=(0, 1), ylim=(0, 1)
    )
    panel.grid(alpha=0.3)
    histogram.hist(confidence, bins=bins, range=(0, 1))
    histogram.set(xlabel="probability of the predicted class", ylabel="examples", title="confidence")
    return save(figure, path)
