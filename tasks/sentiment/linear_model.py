"""Fits the linear model of the wide path: regularized logistic regression on the TF-IDF features of n-grams."""

import logging
import warnings
from collections.abc import Iterable

import numpy as np
import scipy.sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedKFold

from models.linear_ngrams import LinearModel
from models.ngrams import known_ngrams

log = logging.getLogger(__name__)

# The inverse regularization strengths that are compared, and the number of texts that they are compared on, at most.
STRENGTHS, FOLDS, MAX_COMPARED_TEXTS = (1.0, 3.0, 10.0, 30.0, 100.0), 5, 5_000
MAX_ITERATIONS = 1_000


def fit(
    batches: Iterable[tuple[np.ndarray, np.ndarray]], keys: np.ndarray, last: int, weights: np.ndarray
) -> LinearModel:
    """Fit the linear model of the n-grams of 1 to `last` pieces.

    Args:
        batches: Batches of ids, int32 (batch, timesteps), and of labels, int (batch,).
        keys: The vocabulary, from `models.ngrams.frequent_ngrams`.
        last: Largest n.
        weights: float32 (classes,), the weight of the texts of each class.
    """
    rows, columns, labels, texts = [], [], [], 0
    for ids, classes in batches:
        found, indexes = known_ngrams(ids, keys, 1, last)
        rows.append(found + texts)
        columns.append(indexes)
        labels.append(classes)
        texts += len(classes)
    row, column, label = map(np.concatenate, (rows, columns, labels))
    counts = np.bincount(column, minlength=len(keys) + 1)
    idf = np.where(counts > 0, np.log((1.0 + texts) / (1.0 + counts)) + 1.0, 0.0)
    norm = np.sqrt(np.bincount(row, weights=idf[column] ** 2, minlength=texts))
    values = idf[column] / np.maximum(norm[row], 1e-6)
    features = scipy.sparse.csr_matrix((values, (row, column)), shape=(texts, len(keys) + 1))
    model = fit_logistic_regression(features, label, weights[label])
    log.info("linear model of %s n-grams: logistic regression, C=%g", f"{len(keys):,}", model.C)
    weight = np.zeros((len(keys) + 1, len(weights)))
    bias = np.full(len(weights), 0.0)
    if len(model.classes_) == 2:  # scikit-learn has one row of coefficients for two classes
        coefficients = np.concatenate([-model.coef_, model.coef_]) / 2.0
        intercepts = np.concatenate([-model.intercept_, model.intercept_]) / 2.0
    else:
        coefficients, intercepts = model.coef_, model.intercept_
    weight[:, model.classes_], bias[model.classes_] = coefficients.T, intercepts
    return LinearModel(*(part.astype(np.float32) for part in (idf, weight, bias)))


def fit_logistic_regression(features, labels: np.ndarray, weights: np.ndarray | None = None) -> LogisticRegression:
    """Fit logistic regression; its regularization strength has the lowest log loss in cross-validation.

    Args:
        features: Sparse (texts, features).
        labels: int (texts,).
        weights: float (texts,); the same for all if None.
    """
    weights = np.ones(len(labels)) if weights is None else weights
    strength = _choose_strength(features, labels, weights)
    return _fitted(features, labels, weights, strength, tolerance=1e-6)


def _choose_strength(features, labels: np.ndarray, weights: np.ndarray) -> float:
    chosen = np.random.default_rng(0).permutation(len(labels))[:MAX_COMPARED_TEXTS]
    # A class with one text cannot be held out.
    frequent = np.bincount(labels[chosen])[labels[chosen]] >= 2
    chosen = chosen[frequent]
    classes, counts = np.unique(labels[chosen], return_counts=True)
    if len(classes) < 2:
        return 10.0
    folds = StratifiedKFold(min(FOLDS, int(counts.min())), shuffle=True, random_state=0)
    losses = np.zeros(len(STRENGTHS))
    for train, test in folds.split(chosen, labels[chosen]):
        fitted, held_out = chosen[train], chosen[test]
        for index, strength in enumerate(STRENGTHS):
            model = _fitted(features[fitted], labels[fitted], weights[fitted], strength)
            probabilities = model.predict_proba(features[held_out])
            losses[index] += log_loss(labels[held_out], probabilities, labels=classes) * len(held_out)
    return STRENGTHS[int(losses.argmin())]


def _fitted(features, labels, weights, strength: float, tolerance: float = 1e-4) -> LogisticRegression:
    model = LogisticRegression(C=strength, max_iter=MAX_ITERATIONS, tol=tolerance)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # close to the optimum is as good here
        return model.fit(features, labels, sample_weight=weights)
