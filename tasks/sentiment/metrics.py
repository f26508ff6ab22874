"""The metrics of `evaluate`, each with its direction and its formula. Imports neither TensorFlow nor NumPy."""

from typing import TYPE_CHECKING

from tasks.metrics import Metric

if TYPE_CHECKING:
    from tasks.sentiment.evaluate import Classifications


def accuracy(outcome: "Classifications") -> float:
    """Return the share of texts with the right class."""
    return float((outcome.predicted == outcome.true).mean())


def macro_f1(outcome: "Classifications") -> float:
    """Return the mean of the F1 scores of the classes that occur."""
    from sklearn import metrics

    classes = sorted(set(outcome.true))
    return float(metrics.f1_score(outcome.true, outcome.predicted, average="macro", labels=classes))


def roc_auc(outcome: "Classifications") -> float | None:
    """Return the area under the ROC curve (one-vs-rest for several classes); None if a class does not occur."""
    from sklearn import metrics

    classes = range(outcome.probabilities.shape[1])
    if len(set(outcome.true)) < len(classes):
        return None  # JSON has no NaN
    if len(classes) == 2:
        return float(metrics.roc_auc_score(outcome.true, outcome.normalized[:, 1]))
    return float(metrics.roc_auc_score(outcome.true, outcome.normalized, multi_class="ovr", labels=classes))


def log_loss(outcome: "Classifications") -> float:
    """Return the mean of -ln p of the true class, in nats."""
    from sklearn import metrics

    return float(metrics.log_loss(outcome.true, outcome.normalized, labels=range(outcome.probabilities.shape[1])))


def calibration_error(outcome: "Classifications", bins: int = 15) -> float:
    """Return the expected calibration error: sum over bins of (share of examples) * |mean confidence - accuracy|.

    Guo et al. 2017, "On Calibration of Modern Neural Networks", equation 3; bins of equal width.
    """
    confidence, correct = outcome.normalized.max(axis=1), outcome.predicted == outcome.true
    index = (confidence * bins).astype(int).clip(max=bins - 1)
    gaps = [abs((confidence - correct)[index == bin_].sum()) for bin_ in range(bins)]
    return float(sum(gaps) / len(confidence))


def class_metrics(outcome: "Classifications") -> dict[str, dict[str, float | int | None]]:
    """Return precision, recall, F1 and the number of texts of each class, by its name.

    Precision is None for a class that is never predicted; recall and F1 are None for one without a text.
    """
    import numpy as np

    classes = len(outcome.labels)
    support = np.bincount(outcome.true, minlength=classes)
    predicted = np.bincount(outcome.predicted, minlength=classes)
    correct = np.bincount(outcome.true[outcome.predicted == outcome.true], minlength=classes)

    def ratio(part: int, whole: int) -> float | None:
        return float(part / whole) if whole else None

    return {
        name: {
            "precision": ratio(correct[index], predicted[index]),
            "recall": ratio(correct[index], support[index]),
            "f1": ratio(2 * correct[index], support[index] + predicted[index]) if support[index] else None,
            "support": int(support[index]),
        }
        for index, name in enumerate(outcome.labels)
    }


METRICS = (
    Metric("accuracy", higher_is_better=True, compute=accuracy),
    Metric("baseline_accuracy", higher_is_better=None, compute=lambda outcome: outcome.baseline_accuracy),
    Metric("macro_f1", higher_is_better=True, compute=macro_f1),
    Metric("roc_auc", higher_is_better=True, compute=roc_auc),
    Metric("log_loss", higher_is_better=False, compute=log_loss),
    Metric("calibration_error", higher_is_better=False, compute=calibration_error),
    Metric("truncated_texts", higher_is_better=None, compute=lambda outcome: outcome.truncated),
    Metric("loss", higher_is_better=False, compute=log_loss),
)
