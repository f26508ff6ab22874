"""Measures a classifier on a split."""

import array
import csv
import heapq
import json
import textwrap
import time
from pathlib import Path

import numpy as np
from sklearn import metrics

from tasks import atomic_files
from tasks.reports import plots, results
from tasks.sentiment import data, predict
from tasks.sentiment.settings import SentimentEvaluateArguments, SentimentSettings
from tasks.training.runs import Run

SHOWN_MISTAKES = 5


def main(arguments: SentimentEvaluateArguments) -> None:
    result = evaluate(
        arguments.run,
        location=arguments.data,
        split=arguments.split,
        text_column=arguments.text_column,
        label_column=arguments.label_column,
    )
    if arguments.json_:
        print(json.dumps(result))
        return
    results.show(result)
    with open(Run(arguments.run).mistakes_file, encoding="utf-8", newline="") as file:
        mistakes = list(csv.DictReader(file))
    if mistakes:
        print("\nmost confident mistakes: probability, predicted, label, text")
    for row in mistakes[:SHOWN_MISTAKES]:
        text = textwrap.shorten(row["text"], 100, placeholder=" ...")
        print(row["probability"], row["predicted"], row["label"], text, sep="\t")
    print(f"\n{Run(arguments.run).mistakes_file}")
    for picture in sorted(Run(arguments.run).plots.glob("*.png")):
        print(picture)


def evaluate(
    run: Path | str,
    *,
    location: str | None = None,
    split: str = "test",
    text_column: str | None = None,
    label_column: str | None = None,
) -> dict[str, float | None]:
    """Measures a run; writes evaluation.json, mistakes.csv (the most confident ones) and two pictures.

    Args:
      run: the run's folder.
      location: another source than the run's own. A single file is read whole.
      split: splits of the source, joined with +.
      text_column, label_column: the columns of that source; those that the run was trained on if None.

    Returns:
      accuracy, macro_f1 (unweighted mean over the classes), roc_auc (one against the rest, mean over the classes; None
      where the split lacks a class), log_loss (nats), calibration_error (expected calibration error with 15 bins,
      Guo et al. 2017), loss (the same as log_loss), examples, seconds.

    Raises:
      UserError: the run or the source cannot be used, or a label is unknown.
    """
    folder = Run(run)
    settings = folder.open_finished("sentiment", SentimentSettings)
    columns = {"text_column": text_column, "label_column": label_column}
    named = {name: value for name, value in columns.items() if value is not None}
    source = data.labelled_source(settings.data.model_copy(update=named), location)
    if location is not None and source.single_file:
        split = "all"
    mistakes = MostConfidentMistakes()
    records = source.records(split)
    classifier = predict.load(run)
    _, labels = data.load_vocabulary(folder.vocabulary)
    ids_of, truth = data.LabelIds(labels), []

    def texts():
        for record in records:
            truth.append(ids_of(record))
            yield record.values[0]

    began = time.monotonic()
    probabilities = array.array("f")  # a list of Python numbers would take eight times the memory
    for number, answer in enumerate(predict.predict(classifier.classify, texts())):
        probabilities.extend(answer["probabilities"].values())
        mistakes.see(answer, labels[truth[number]])
    probabilities = np.array(probabilities).reshape(-1, len(labels))
    seconds = time.monotonic() - began
    result = measure(np.array(truth), probabilities) | {"seconds": seconds}
    folder.plots.mkdir(exist_ok=True)
    guesses = probabilities.argmax(axis=1)
    matrix = metrics.confusion_matrix(truth, guesses, labels=range(len(labels)))
    plots.confusion_matrix(matrix, labels, folder.plots / "confusion_matrix.png")
    plots.reliability(probabilities.max(axis=1), guesses == truth, folder.plots / "reliability.png")
    mistakes.write(folder.mistakes_file)
    results.keep(folder, location or settings.data.data, split, result)
    return result


class MostConfidentMistakes:
    """The wrong answers with the highest probabilities; holds no more than it is to show.

    Args:
      most: how many.
    """

    def __init__(self, most: int = 100):
        self.most = most
        self._heap: list[tuple[float, int, str, str, str]] = []
        self._seen = 0

    def see(self, answer: dict, label: str) -> None:
        """Takes an answer of `predict` and the true label."""
        self._seen += 1
        if answer["label"] != label:
            # The number keeps earlier ones before later ones of the same probability.
            mistake = (answer["probability"], -self._seen, answer["label"], label, answer["text"])
            (heapq.heappush if len(self._heap) < self.most else heapq.heappushpop)(self._heap, mistake)

    def rows(self) -> list[tuple[float, str, str, str]]:
        """(probability, predicted label, true label, text), the most confident first."""
        return [(row[0], *row[2:]) for row in sorted(self._heap, reverse=True)]

    def write(self, path: Path) -> None:
        """Writes them as a CSV file."""
        with atomic_files.replacing(path) as temporary, open(temporary, "w", encoding="utf-8", newline="") as file:
            table = csv.writer(file)
            table.writerow(["probability", "predicted", "label", "text"])
            table.writerows((f"{probability:.4f}", *rest) for probability, *rest in self.rows())


def measure(truth: np.ndarray, probabilities: np.ndarray) -> dict[str, float | None]:
    """The metrics of `evaluate`, but for the seconds.

    Args:
      truth: int (examples,).
      probabilities: (examples, classes).
    """
    classes = range(probabilities.shape[1])
    guesses = probabilities.argmax(axis=1)
    # Renormalised in double precision: scikit-learn refuses rows that miss 1 by float32's rounding.
    probabilities = probabilities / probabilities.sum(axis=1, keepdims=True)
    log_loss = metrics.log_loss(truth, probabilities, labels=classes)
    if len(set(truth)) < len(classes):
        roc_auc = None  # JSON has no NaN
    elif len(classes) == 2:
        roc_auc = float(metrics.roc_auc_score(truth, probabilities[:, 1]))
    else:
        roc_auc = float(metrics.roc_auc_score(truth, probabilities, multi_class="ovr", labels=classes))
    return {
        "accuracy": float((guesses == truth).mean()),
        "macro_f1": float(metrics.f1_score(truth, guesses, average="macro", labels=sorted(set(truth)))),
        "roc_auc": roc_auc,
        "log_loss": float(log_loss),
        "calibration_error": calibration_error(probabilities.max(axis=1), guesses == truth),
        "loss": float(log_loss),
        "examples": len(truth),
    }


def calibration_error(confidence: np.ndarray, correct: np.ndarray, bins: int = 15) -> float:
    """Expected calibration error: sum over bins of (share of examples) * |mean confidence - share right|.

    Guo et al. 2017, "On Calibration of Modern Neural Networks", equation 3; bins of equal width.
    """
    index = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = [abs((confidence - correct)[index == bin_].sum()) for bin_ in range(bins)]
    return float(sum(gaps) / len(confidence))
