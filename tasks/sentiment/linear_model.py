"""Fits the linear model of the wide path: regularized logistic regression on the TF-IDF features of n-grams."""

import logging
import warnings
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from threadpoolctl import threadpool_limits

from models.linear_ngrams import LinearModel
from tasks.sentiment.wide_share import losses
from tasks.training.lsa import LatentSemantics, tf_idf

log = logging.getLogger(__name__)

# The inverse regularization strengths that are compared, and the number of texts that they are compared on, at most.
STRENGTHS, FOLDS, MAX_COMPARED_TEXTS = (1.0, 3.0, 10.0, 30.0, 100.0), 5, 5_000
MAX_ITERATIONS = 1_000
# What an LSA is multiplied by, the strengths that are compared for it then, and what its model may count.
SCALE, STRENGTHS_OF_LSA, SHARES = 10.0, (0.1, 0.3, 1.0, 3.0, 10.0, 30.0), (0.5, 0.0, 0.25, 0.75, 1.0)
# The log-probability of a class that a model has not seen.
IMPOSSIBLE = -20.0


def fit(
    batches: Iterable[tuple[np.ndarray, np.ndarray]], keys: np.ndarray, last: int, weights: np.ndarray
) -> tuple[LinearModel, np.ndarray]:
    """Fit the linear model of the n-grams of 1 to `last` pieces.

    Args:
        batches: Batches of ids, int32 (batch, timesteps), and of labels, int (batch,).
        keys: The vocabulary, from `models.ngram_counts.frequent_ngrams`.
        last: Largest n.
        weights: float32 (classes,), the weight of the texts of each class.

    Returns:
        The linear model, and the log-probabilities of held-out texts; see `Fitted`.
    """
    labels: list[np.ndarray] = []
    features, idf = tf_idf(_ids(batches, labels), keys, last)
    label = np.concatenate(labels)
    model, held_out = fit_logistic_regression(features, label, weights[label], count=len(weights))
    log.info("linear model of %s n-grams: logistic regression, C=%g", f"{len(keys):,}", model.C)
    return LinearModel(*(part.astype(np.float32) for part in (idf, *weights_of(model, len(weights))))), held_out


def fit_with_lsa(
    batches: Iterable[tuple[np.ndarray, np.ndarray]], analysis: LatentSemantics, weights: np.ndarray
) -> tuple[LinearModel, np.ndarray]:
    """Fit two linear models, of the TF-IDF features and of their LSA, and average them.

    The LSA is linear in the features, so the average is a linear model of the features again. How much each counts has
    the lowest log loss on held-out texts.

    Args:
        batches: See `fit`.
        analysis: The n-grams and their vectors.
        weights: See `fit`.

    Returns:
        As `fit`; the log-probabilities are averages, and so up to a constant for each text.
    """
    labels: list[np.ndarray] = []
    features, idf = tf_idf(_ids(batches, labels), analysis.keys, analysis.last, analysis.idf.astype(np.float64))
    label, count = np.concatenate(labels), len(weights)
    vectors = SCALE * analysis.vectors.astype(np.float64)
    own = fit_logistic_regression(features, label, weights[label], count=count)
    other = fit_logistic_regression(features @ vectors, label, weights[label], STRENGTHS_OF_LSA, count)
    averages = [(1.0 - share) * own.held_out + share * other.held_out for share in SHARES]
    index = int(np.argmin([loss(average, label) for average in averages]))
    share = SHARES[index]
    log.info(
        "linear model of %s n-grams: logistic regression, C=%g, averaged with one of their LSA in %d dimensions, C=%g, "
        "which counts %g",
        *(f"{len(analysis.keys):,}", own.model.C, vectors.shape[1], other.model.C, share),
    )
    parts = zip(weights_of(own.model, count), weights_of(other.model, count), strict=True)
    (weight, of_vectors), (bias, other_bias) = parts
    weight = (1.0 - share) * weight + share * (vectors @ of_vectors)
    bias = (1.0 - share) * bias + share * other_bias
    return LinearModel(*(part.astype(np.float32) for part in (idf, weight, bias))), averages[index]


def _ids(batches: Iterable[tuple[np.ndarray, np.ndarray]], labels: list[np.ndarray]) -> Iterator[np.ndarray]:
    """Yield the ids of each batch, and append its labels to `labels`."""
    for ids, classes in batches:
        labels.append(classes)
        yield ids


def loss(held_out: np.ndarray, labels: np.ndarray) -> float:
    """Return the mean log loss of texts that were held out; 0 if none was.

    Args:
        held_out: (texts, classes), log-probabilities up to a constant for each text; NaN for one not held out.
        labels: int (texts,).
    """
    known = np.isfinite(held_out).all(axis=1)
    return float(losses(held_out[known], labels[known]).mean()) if known.any() else 0.0


def weights_of(model: LogisticRegression, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the weights of a softmax with the probabilities of a fitted model.

    Args:
        model: The model; it may have seen fewer classes.
        classes: Number of classes.

    Returns:
        float (features, classes), and the bias, float (classes,).
    """
    weight, bias = np.zeros((model.coef_.shape[1], classes)), np.zeros(classes)
    if len(model.classes_) == 2:  # scikit-learn has one row of coefficients for two classes
        coefficients = np.concatenate([-model.coef_, model.coef_]) / 2.0
        intercepts = np.concatenate([-model.intercept_, model.intercept_]) / 2.0
    else:
        coefficients, intercepts = model.coef_, model.intercept_
    weight[:, model.classes_], bias[model.classes_] = coefficients.T, intercepts
    return weight, bias


class Fitted(NamedTuple):
    """A fitted model, and what models of parts of the texts predict for the others.

    Attributes:
        model: The model of all texts.
        held_out: float32 (texts, classes), the log-probabilities of each text by a model, as regularized as the fitted
            one, of texts without it; NaN for a text that was not held out.
    """

    model: LogisticRegression
    held_out: np.ndarray


def fit_logistic_regression(
    features,
    labels: np.ndarray,
    weights: np.ndarray | None = None,
    strengths: Sequence[float] = STRENGTHS,
    count: int | None = None,
) -> Fitted:
    """Fit logistic regression; its regularization strength has the lowest log loss in cross-validation.

    Args:
        features: (texts, features), sparse or not.
        labels: int (texts,).
        weights: float (texts,); the same for all if None.
        strengths: The inverse regularization strengths that are compared, in increasing order.
        count: Number of classes; that of the labels if None.
    """
    count = int(labels.max()) + 1 if count is None else count
    weights = np.ones(len(labels)) if weights is None else weights
    with threadpool_limits(1):  # for matrices of this size, threads wait for each other most of the time
        strength, held_out = _choose_strength(features, labels, weights, strengths, count)
        return Fitted(_fitted(features, labels, weights, strength, tolerance=1e-6), held_out)


def _choose_strength(
    features, labels: np.ndarray, weights: np.ndarray, strengths: Sequence[float], count: int
) -> tuple[float, np.ndarray]:
    chosen = np.random.default_rng(0).permutation(len(labels))[:MAX_COMPARED_TEXTS]
    # A class with one text cannot be held out.
    frequent = np.bincount(labels[chosen])[labels[chosen]] >= 2
    chosen = chosen[frequent]
    held_out = [np.full((len(labels), count), np.nan, np.float32)]
    classes, counts = np.unique(labels[chosen], return_counts=True)
    if len(classes) < 2:
        return strengths[len(strengths) // 2], held_out[0]
    folds = StratifiedKFold(min(FOLDS, int(counts.min())), shuffle=True, random_state=0)
    parts = [(chosen[train], chosen[test]) for train, test in folds.split(chosen, labels[chosen])]
    losses = []
    for strength in strengths:
        predicted = held_out[0].copy()
        for train, test in parts:
            model = _fitted(features[train], labels[train], weights[train], strength)
            predicted[test] = IMPOSSIBLE
            predicted[np.ix_(test, model.classes_)] = model.predict_log_proba(features[test])
        losses.append(-predicted[chosen, labels[chosen]].mean())
        held_out.append(predicted)
        if len(losses) > 2 and min(losses[-2:]) > min(losses):
            break  # less regularization is slower to fit, and no longer better
    best = int(np.argmin(losses))
    return strengths[best], held_out[best + 1]


def _fitted(features, labels, weights, strength: float, tolerance: float = 1e-4) -> LogisticRegression:
    model = LogisticRegression(C=strength, max_iter=MAX_ITERATIONS, tol=tolerance)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # close to the optimum is as good here
        return model.fit(features, labels, sample_weight=weights)
