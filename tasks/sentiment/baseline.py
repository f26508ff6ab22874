"""The linear model that an evaluation reports next to the network: logistic regression on TF-IDF features of the text.

It shows whether the network is worth its cost. It reads the text as it is, without the vocabulary of the run.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_score

from tasks.data.bad_rows import usable
from tasks.data.records import Record, is_blank
from tasks.data.sequence_store import chunks
from tasks.data.sources import Source
from tasks.data.vocabularies import hash_sample
from tasks.sentiment.labels import LabelIds
from tasks.sentiment.linear_model import fit_logistic_regression

# Bounds of time and memory: training texts, the characters of each that are read, and the texts that choose features.
MAX_TEXTS, MAX_CHARACTERS, MAX_COMPARED_TEXTS = 20_000, 4_000, 2_000
FEATURES = {
    "characters 1-4": {"analyzer": "char", "ngram_range": (1, 4)},
    "words 1-2": {"analyzer": "word", "ngram_range": (1, 2)},
}


@dataclass(frozen=True)
class Baseline:
    """A fitted linear model.

    Attributes:
        features: Name of its features, a key of `FEATURES`.
        vectorizer: Text -> features.
        model: Features -> class ids.
        texts: Number of texts that it was fitted on.
    """

    features: str
    vectorizer: TfidfVectorizer
    model: LogisticRegression
    texts: int

    @property
    def description(self) -> str:
        """What it is, in a few words."""
        return (
            f"logistic regression on TF-IDF of {self.features} (C={self.model.C:g}), fitted on {self.texts:,} "
            "training texts"
        )

    def accuracy(self, records: Iterable[Record], label_ids: LabelIds) -> float:
        """Return the accuracy on records of (text, label), which are read as a stream."""
        correct = count = 0
        for chunk in chunks(records):
            texts = [record.values[0][:MAX_CHARACTERS] for record in chunk]
            predicted = self.model.predict(self.vectorizer.transform(texts))
            correct += int((predicted == [label_ids(record) for record in chunk]).sum())
            count += len(chunk)
        return correct / count


def fit(source: Source, label_ids: LabelIds) -> Baseline | None:
    """Fit the better of two linear models, by cross-validation, on the training texts of a source.

    Args:
        source: The source of the run's training texts.
        label_ids: The classes of the run.

    Returns:
        The model; None if no two classes have a text, or no text has any of the features.

    Raises:
        UserError: If the source cannot be read.
    """
    rows = hash_sample(_with_class(source, label_ids), MAX_TEXTS)
    labels = np.array([int(class_id) for _, class_id in rows])
    texts = [text[:MAX_CHARACTERS] for text, _ in rows]
    if len(set(labels.tolist())) < 2:
        return None
    name = _better_features(texts, labels)
    if name is None:
        return None
    vectorizer = TfidfVectorizer(**FEATURES[name], dtype=np.float32)
    model = fit_logistic_regression(vectorizer.fit_transform(texts), labels).model
    return Baseline(name, vectorizer, model, len(texts))


def _with_class(source: Source, label_ids: LabelIds) -> Iterator[Record]:
    """Yield the training records that can be used, as (text, class id)."""
    for record in usable(source.records("train"), label_ids.problem, skip=True):
        text = record.values[0]
        if not is_blank(text):
            yield record._replace(values=(text, str(label_ids(record))))


def _better_features(texts: list[str], labels: np.ndarray) -> str | None:
    """Return the name of the features with the higher accuracy in cross-validation; None if texts have neither."""
    chosen = np.random.default_rng(0).permutation(len(texts))[:MAX_COMPARED_TEXTS]
    chosen = chosen[np.bincount(labels[chosen])[labels[chosen]] >= 3]
    if len(set(labels[chosen].tolist())) < 2:
        return next((name for name, options in FEATURES.items() if _has_features(texts, options)), None)
    compared, scores = [texts[index] for index in chosen], {}
    for name, options in FEATURES.items():
        if not _has_features(compared, options):
            continue
        features = TfidfVectorizer(**options, dtype=np.float32).fit_transform(compared)
        folds = StratifiedKFold(3, shuffle=True, random_state=0)
        scores[name] = cross_val_score(LogisticRegression(C=10.0, max_iter=200), features, labels[chosen], cv=folds)
    return max(scores, key=lambda name: scores[name].mean(), default=None)


def _has_features(texts: list[str], options: dict) -> bool:
    """Return whether any text has at least one of the features; words have two letters or more."""
    analyze = TfidfVectorizer(**options).build_analyzer()
    return any(analyze(text) for text in texts)
