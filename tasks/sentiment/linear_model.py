"""Fits the linear model of the wide path: logistic regressions on the TF-IDF features of n-grams, averaged."""

import logging
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import log_softmax
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
# What an LSA is multiplied by, and the strengths that are compared for it then.
SCALE, STRENGTHS_OF_LSA = 10.0, (0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
# What the model of an LSA may count in the average, and what is added to a feature's sums in `log_count_ratios`.
SHARES, SMOOTHING = (0.5, 0.0, 0.25, 0.75, 1.0), 0.1
# Up to this number of classes, a second model has log-count ratios: on 500 texts of 3 to 10 speakers of Shakespeare's
# plays, its mean with the first one had a lower log loss too. With 50 speakers it had not, and both took six times as
# long to fit as the first one.
MAX_RATIO_CLASSES = 10
# The log-probability of a class that a model has not seen.
IMPOSSIBLE = -20.0


def fit(
    batches: Iterable[tuple[np.ndarray, np.ndarray]], keys: np.ndarray, last: int, weights: np.ndarray
) -> tuple[LinearModel, np.ndarray]:
    """Fit the linear model of the n-grams of 1 to `last` pieces: see `_fit_ngrams`.

    Args:
        batches: Batches of ids, int32 (batch, timesteps), and of labels, int (batch,).
        keys: The vocabulary, from `models.ngram_counts.frequent_ngrams`.
        last: Largest n.
        weights: float32 (classes,), the weight of the texts of each class.

    Returns:
        The linear model, and the log-probabilities of held-out texts, up to a constant for each text; see `Fitted`.
    """
    labels: list[np.ndarray] = []
    features, idf = tf_idf(_ids(batches, labels), keys, last)
    part = _fit_ngrams(features, np.concatenate(labels), weights)
    log.info("linear model of %s n-grams: %s", f"{len(keys):,}", part.description)
    return _model(idf, part), part.held_out


def fit_with_lsa(
    batches: Iterable[tuple[np.ndarray, np.ndarray]], analysis: LatentSemantics, weights: np.ndarray
) -> tuple[LinearModel, np.ndarray]:
    """Fit linear models of the TF-IDF features and of their LSA, and average them.

    The LSA is linear in the features, so the average is a linear model of the features again. How much that of the LSA
    counts has the lowest log loss on held-out texts.

    Args:
        batches: See `fit`.
        analysis: The n-grams and their vectors.
        weights: See `fit`.

    Returns:
        As `fit`.
    """
    labels: list[np.ndarray] = []
    features, idf = tf_idf(_ids(batches, labels), analysis.keys, analysis.last, analysis.idf.astype(np.float64))
    label = np.concatenate(labels)
    vectors = SCALE * analysis.vectors.astype(np.float64)
    fitted = fit_logistic_regression(features @ vectors, label, weights[label], STRENGTHS_OF_LSA, len(weights))
    weight, bias = weights_of(fitted.model, len(weights))
    description = f"one of their LSA in {vectors.shape[1]} dimensions, C={fitted.model.C:g}"
    own, other = _fit_ngrams(features, label, weights), _Part(vectors @ weight, bias, fitted.held_out, description)
    share = min(SHARES, key=lambda share: loss((1.0 - share) * own.held_out + share * other.held_out, label))
    part = _average(own, other, share, f"{own.description}; averaged with {description}, which counts {share:g}")
    log.info("linear model of %s n-grams: %s", f"{len(analysis.keys):,}", part.description)
    return _model(idf, part), part.held_out


class _Part(NamedTuple):
    """A linear model of TF-IDF features: weight (features, classes), bias (classes,); see also `Fitted`."""

    weight: np.ndarray
    bias: np.ndarray
    held_out: np.ndarray
    description: str


def _fit_ngrams(features, labels: np.ndarray, weights: np.ndarray) -> _Part:
    """Fit two linear models, of the features and of the features times `log_count_ratios`, and return their mean.

    With more than `MAX_RATIO_CLASSES` classes it is the first one alone.

    The second one is the NB-SVM of Wang and Manning (2012), "Baselines and Bigrams", with logistic regression. On
    validation texts of NSMC and IMDB (300 to 3,000 labels, three draws) the mean was 0.002 to 0.014 more accurate than
    the first one alone. A weight chosen by the log loss of held-out texts was worse: it depends on how certain each of
    them is.
    """

    def part(name: str, factors: Callable[..., np.ndarray] | None) -> _Part:
        fitted = fit_logistic_regression(features, labels, weights[labels], count=len(weights), factors=factors)
        return _Part(*weights_of(fitted.model, len(weights)), fitted.held_out, f"{name}, C={fitted.model.C:g}")

    plain = part("logistic regression", None)
    if len(weights) > MAX_RATIO_CLASSES:
        return plain
    other = part("one of log-count ratios", log_count_ratios)
    return _average(plain, other, 0.5, f"mean of {plain.description}, and {other.description}")


def _average(first: _Part, second: _Part, share: float, description: str) -> _Part:
    """Return the average of two linear models, of which the second counts `share`."""
    pairs = zip(first[:3], second[:3], strict=True)
    return _Part(*((1.0 - share) * one + share * other for one, other in pairs), description)


def _model(idf: np.ndarray, part: _Part) -> LinearModel:
    return LinearModel(*(values.astype(np.float32) for values in (idf, part.weight, part.bias)))


def log_count_ratios(features, labels: np.ndarray) -> np.ndarray:
    """Return the absolute log-count ratio of each feature, float (features,); of several classes, the largest one.

    It is |ln(p / q)|, where p is the feature's share of the sum of all features in the texts of a class, and q that in
    the other texts. `SMOOTHING` is added to each sum. With two classes it is the log-count ratio of Wang and Manning
    (2012), section 2.1, without its sign, which makes no difference to a regularized linear model.

    Args:
        features: (texts, features), sparse, not negative.
        labels: int (texts,).
    """
    total, ratios = np.asarray(features.sum(axis=0)).ravel(), np.zeros(features.shape[1])
    for label in np.unique(labels):
        inside = np.asarray(features[labels == label].sum(axis=0)).ravel()
        p, q = inside + SMOOTHING, np.maximum(total - inside, 0.0) + SMOOTHING
        np.maximum(ratios, np.abs(np.log(p / p.sum()) - np.log(q / q.sum())), out=ratios)
    return ratios


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
    factors: Callable[..., np.ndarray] | None = None,
) -> Fitted:
    """Fit logistic regression; its regularization strength has the lowest log loss in cross-validation.

    Args:
        features: (texts, features), sparse or not.
        labels: int (texts,).
        weights: float (texts,); the same for all if None.
        strengths: The inverse regularization strengths that are compared, in increasing order.
        count: Number of classes; that of the labels if None.
        factors: Returns what each feature is multiplied by, float (features,), from the features and the labels of the
            texts that a model is fitted on; `features` is then sparse. The fitted model reads the features as they are.
    """
    count = int(labels.max()) + 1 if count is None else count
    weights = np.ones(len(labels)) if weights is None else weights
    with threadpool_limits(1):  # for matrices of this size, threads wait for each other most of the time
        strength, held_out = _choose_strength(features, labels, weights, strengths, count, factors)
        values = None if factors is None else factors(features, labels)
        return Fitted(_fitted(features, labels, weights, strength, values, tolerance=1e-6), held_out)


def _choose_strength(
    features,
    labels: np.ndarray,
    weights: np.ndarray,
    strengths: Sequence[float],
    count: int,
    factors: Callable[..., np.ndarray] | None,
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
    parts = []
    for train, test in folds.split(chosen, labels[chosen]):
        train, test = chosen[train], chosen[test]
        parts.append((train, test, None if factors is None else factors(features[train], labels[train])))
    losses = []
    for strength in strengths:
        predicted = held_out[0].copy()
        for train, test, values in parts:
            model = _fitted(features[train], labels[train], weights[train], strength, values)
            predicted[test] = IMPOSSIBLE
            predicted[np.ix_(test, model.classes_)] = _log_probabilities(model, features[test])
        losses.append(-predicted[chosen, labels[chosen]].mean())
        held_out.append(predicted)
        if len(losses) > 2 and min(losses[-2:]) > min(losses):
            break  # less regularization is slower to fit, and no longer better
    best = int(np.argmin(losses))
    return strengths[best], held_out[best + 1]


def _log_probabilities(model: LogisticRegression, features) -> np.ndarray:
    """Return what `predict_log_proba` does; it takes the logarithm of probabilities, which may be rounded to zero."""
    logits = model.decision_function(features)
    if logits.ndim == 1:
        logits = np.stack([np.zeros_like(logits), logits], axis=1)
    return log_softmax(logits, axis=1)


def _fitted(
    features,
    labels: np.ndarray,
    weights: np.ndarray,
    strength: float,
    factors: np.ndarray | None,
    tolerance: float = 1e-4,
) -> LogisticRegression:
    model = LogisticRegression(C=strength, max_iter=MAX_ITERATIONS, tol=tolerance)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # close to the optimum is as good here
        model.fit(features if factors is None else features.multiply(factors).tocsr(), labels, sample_weight=weights)
    if factors is not None:
        model.coef_ = model.coef_ * factors  # it then reads the features as they are
    return model
