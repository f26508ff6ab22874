"""Cross-entropies, against those of Keras."""

import keras
import numpy as np
import pytest

from models.losses import PathCrossentropy, SmoothedCrossentropy

CLASSES = 3
random = np.random.default_rng(0)
LOGITS = random.normal(size=(2, 3, 5)).astype(np.float32)
IDS = np.array([[1, 4, 0], [2, 0, 0]])
WEIGHTS = np.array([[1.0, 1.0, 0.0], [1.0, 0.0, 0.0]], np.float32)


def noise(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def assert_close(actual, expected, tolerance=1e-5):
    np.testing.assert_allclose(np.asarray(actual), np.asarray(expected), rtol=0, atol=tolerance)


def test_it_is_keras_own_with_smoothed_one_hot_targets_and_the_mean_over_what_counts():
    for smoothing in (0.0, 0.1):
        own = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=smoothing, reduction=None)
        each = own(np.eye(5)[IDS], LOGITS).numpy()
        expected = (each * WEIGHTS).sum() / WEIGHTS.sum()
        assert np.isclose(SmoothedCrossentropy(smoothing)(IDS, LOGITS, sample_weight=WEIGHTS), expected, atol=1e-6)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_crossentropy_is_that_of_keras_for_each_path(smoothing):
    labels, logits = np.array([0, 2, 1, 2]), 4 * noise(4, 2, CLASSES)
    theirs = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=smoothing, reduction=None)
    one_hot = np.eye(CLASSES, dtype=np.float32)[labels]
    each = [np.asarray(theirs(one_hot, logits[:, path])) for path in (0, 1)]
    ours = PathCrossentropy(smoothing)
    assert_close(ours(labels, logits[:, :1]), each[0].mean())
    assert_close(ours(labels, logits), sum(each).mean())
    weights = np.array([1.0, 0.0, 2.0, 0.5], np.float32)
    expected = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=smoothing)
    assert_close(
        ours(labels, logits[:, 1:], sample_weight=weights), expected(one_hot, logits[:, 1], sample_weight=weights)
    )
    assert PathCrossentropy.from_config(ours.get_config()).label_smoothing == smoothing


def test_crossentropy_of_extreme_logits_is_finite():
    logits = np.array([[[1e4, -1e4, 0.0]]], np.float32)
    assert float(PathCrossentropy()(np.array([0]), logits)) == 0.0
    assert float(PathCrossentropy()(np.array([1]), logits)) == 2e4
