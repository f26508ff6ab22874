"""Classifies a split, and writes the most confident mistakes and the pictures of an evaluation."""

import array
import csv
import heapq
import logging
import textwrap
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from sklearn import metrics

from tasks import atomic_files
from tasks.data.bad_rows import BadRows, usable
from tasks.data.evaluated_data import is_of_training
from tasks.data.quoted_rows import long_fields
from tasks.data.records import Record
from tasks.data.sources import Source
from tasks.errors import UserError
from tasks.reports import classification_plots
from tasks.reports.tables import format_figure
from tasks.sentiment import baseline
from tasks.sentiment.baseline import Baseline
from tasks.sentiment.data import open_labelled_texts
from tasks.sentiment.labels import SHOWN_CLASSES, LabelIds
from tasks.sentiment.metrics import class_metrics
from tasks.sentiment.predict import SentimentPredictor
from tasks.sentiment.settings import SentimentSettings
from tasks.task_parts import Outcome
from tasks.training.runs import Run

log = logging.getLogger(__name__)

MISTAKES_FILE = "mistakes.csv"
PRINTED_MISTAKES = 5


@dataclass
class Classifications(Outcome):
    """The classified texts of a split.

    Attributes:
        true: int (examples,), the class of each text.
        probabilities: float32 (examples, classes).
        labels: The names of the classes.
        mistakes: The most confident mistakes.
        baseline: The linear model that was evaluated on the same texts; None if there is none.
        baseline_accuracy: Its accuracy.
        truncated: Number of texts of which only the beginning was read.
    """

    true: np.ndarray
    probabilities: np.ndarray
    labels: list[str] = field(default_factory=list)
    mistakes: "MostConfidentMistakes | None" = None
    baseline: Baseline | None = None
    baseline_accuracy: float | None = None
    truncated: int = 0

    @property
    def predicted(self) -> np.ndarray:
        """The most probable class of each text, int (examples,)."""
        return self.probabilities.argmax(axis=1)

    @property
    def normalized(self) -> np.ndarray:
        """The probabilities in double precision: scikit-learn refuses rows that miss 1 by float32's rounding."""
        return self.probabilities / self.probabilities.astype(np.float64).sum(axis=1, keepdims=True)


def run_inference(
    predictor: SentimentPredictor, settings: SentimentSettings, source: Source, split: str, records: Iterable[Record]
) -> Classifications:
    """Classify records of (text, label); see `tasks.task.Task.run_inference`."""
    labels = [name.decode() for name in predictor.module.labels.numpy()]
    label_ids, true, mistakes, unknown = LabelIds(labels), [], MostConfidentMistakes(), BadRows()

    def texts():
        for record in usable(records, label_ids.problem, skip=source.skip_bad_rows, bad=unknown):
            true.append(label_ids(record))
            yield record.values[0]

    start, truncated = time.monotonic(), 0
    probabilities = array.array("f")  # a list of Python numbers would take eight times the memory
    for number, answer in enumerate(predictor.predict(texts())):
        probabilities.extend(answer["probabilities"].values())
        mistakes.add(answer, labels[true[number]])
        truncated += answer.get("truncated", False)
    seconds = time.monotonic() - start
    if unknown.count:
        log.warning("%s: left out %s texts with an unknown label", source.location, f"{unknown.count:,}")
    if not true:
        raise UserError(f"{source.location}: no text of its {split} split has a label that the model knows")
    outcome = Classifications(
        np.array(true),
        np.array(probabilities).reshape(-1, len(labels)),
        labels,
        mistakes,
        truncated=truncated,
        examples=len(true),
        seconds=seconds,
    )
    if predictor.baseline:
        outcome.baseline = _fit_baseline(settings, source, label_ids)
    if outcome.baseline is not None:
        evaluated = usable(source.records(split), label_ids.problem, skip=True)
        outcome.baseline_accuracy = outcome.baseline.accuracy(evaluated, label_ids)
    return outcome


def _fit_baseline(settings: SentimentSettings, source: Source, label_ids: LabelIds) -> Baseline | None:
    try:
        trained_on = source if is_of_training(source, settings.data) else open_labelled_texts(settings)
        return baseline.fit(trained_on, label_ids)
    except UserError as error:
        log.warning("no linear model next to the network: the training texts cannot be read: %s", error)
        return None


def write_evaluation(
    run: Run, settings: SentimentSettings, predictor: SentimentPredictor, outcome: Classifications
) -> dict:
    """Write mistakes.csv, and pictures of the confusion matrix and of the reliability; return figures of each class."""
    matrix = metrics.confusion_matrix(outcome.true, outcome.predicted, labels=range(len(outcome.labels)))
    classification_plots.confusion_matrix(matrix, outcome.labels, run.plots / "confusion_matrix.png")
    correct = outcome.predicted == outcome.true
    classification_plots.reliability(outcome.probabilities.max(axis=1), correct, run.plots / "reliability.png")
    outcome.mistakes.write(run.path / MISTAKES_FILE)
    only = set(outcome.predicted.tolist())
    if len(only) == 1 and len(set(outcome.true.tolist())) > 1:
        log.warning(
            "the model predicts only one class, %s, for all %s texts; if it is the largest class, try --class-weight "
            "balanced, more epochs or --monitor macro_f1",
            *(outcome.labels[only.pop()], f"{outcome.examples:,}"),
        )
    further = {"classes": class_metrics(outcome)}
    if outcome.baseline is not None:
        further["baseline"] = outcome.baseline.description
    return further


def print_evaluation(run: Run, stored: Mapping) -> None:
    """Print the figures of each class, and the first rows of mistakes.csv."""
    if "baseline" in stored:
        print(f"\nbaseline: {stored['baseline']}")
    print_classes(stored["classes"])
    with open(run.path / MISTAKES_FILE, encoding="utf-8", newline="") as file, long_fields:
        mistakes = list(csv.DictReader(file))
    if mistakes:
        print("\nmost confident mistakes: probability, predicted, label, text")
    for row in mistakes[:PRINTED_MISTAKES]:
        text = textwrap.shorten(row["text"], 100, placeholder=" ...")
        print(row["probability"], row["predicted"], row["label"], text, sep="\t")
    print()


def print_classes(classes: Mapping[str, Mapping]) -> None:
    """Print precision, recall, F1 and number of texts of each class; of many, the most frequent classes."""
    shown = sorted(classes, key=lambda name: -classes[name]["support"])[:SHOWN_CLASSES]
    shown = [name for name in classes if name in shown]
    width, figures = max(map(len, ["class", *shown])), ("precision", "recall", "f1", "support")
    print("\n" + "  ".join([f"{'class':<{width}}", *(f"{figure:>9}" for figure in figures)]))
    for name in shown:
        print("  ".join([f"{name:<{width}}", *(f"{format_figure(classes[name][figure]):>9}" for figure in figures)]))
    if len(classes) > len(shown):
        print(f"and {len(classes) - len(shown):,} more in evaluation.json")


class MostConfidentMistakes:
    """The wrong answers with the highest probabilities; memory holds no others.

    Args:
        max_count: Number of mistakes to keep.
    """

    def __init__(self, max_count: int = 100):
        self.max_count = max_count
        self._heap: list[tuple[float, int, str, str, str]] = []
        self._seen = 0

    def add(self, answer: dict, label: str) -> None:
        """Add an answer of a `SentimentPredictor` if it is wrong.

        Args:
            answer: The answer.
            label: The true label.
        """
        self._seen += 1
        if answer["label"] != label:
            # The number keeps earlier ones before later ones of the same probability.
            mistake = (answer["probability"], -self._seen, answer["label"], label, answer["text"])
            (heapq.heappush if len(self._heap) < self.max_count else heapq.heappushpop)(self._heap, mistake)

    def rows(self) -> list[tuple[float, str, str, str]]:
        """Return (probability, predicted label, true label, text), the most confident first."""
        return [(row[0], *row[2:]) for row in sorted(self._heap, reverse=True)]

    def write(self, path: Path) -> None:
        """Write the rows as a CSV file."""
        with atomic_files.replacing(path) as temporary, open(temporary, "w", encoding="utf-8", newline="") as file:
            table = csv.writer(file)
            table.writerow(["probability", "predicted", "label", "text"])
            table.writerows((f"{probability:.4f}", *rest) for probability, *rest in self.rows())
