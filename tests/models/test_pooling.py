"""Pooling leaves padding out."""

import keras
import numpy as np
import pytest

from models.pooling import MaskedPooling, SumPooling1D


def noise(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def assert_close(actual, expected, tolerance=1e-5):
    np.testing.assert_allclose(np.asarray(actual), np.asarray(expected), rtol=0, atol=tolerance)


@pytest.mark.parametrize("kind", ["max", "mean", "max_mean", "attention"])
def test_pooling(kind):
    sequence, lengths = noise(4, 6, 3) - 5.0, [6, 3, 1, 0]  # below zero: padding must not be the maximum
    mask = np.arange(6) < np.array(lengths)[:, None]
    layer = MaskedPooling(kind)
    pooled = np.asarray(layer(sequence, mask=mask))
    for row, length in enumerate(lengths[:3]):
        steps = sequence[row, :length]
        parts = {"max": steps.max(axis=0), "mean": steps.mean(axis=0)}
        if kind == "attention":
            scores = steps @ layer.score.get_weights()[0][:, 0]
            weights = np.exp(scores - scores.max())
            expected = (weights / weights.sum()) @ steps
        else:
            expected = np.concatenate([parts[part] for part in kind.split("_")])
        assert_close(pooled[row], expected)
    assert np.all(np.isfinite(pooled))


@pytest.mark.parametrize("pool_size", [1, 2, 3, 8])
def test_sum_pooling_sums_windows_without_padding(pool_size):
    sequence = noise(2, 7, 3)
    mask = np.arange(7) < np.array([[7], [4]])
    expected = np.zeros((2, -(-7 // pool_size), 3), np.float32)
    for row, length in enumerate((7, 4)):
        for step in range(length):
            expected[row, step // pool_size] += sequence[row, step]
    layer = SumPooling1D(pool_size)
    assert_close(layer(sequence, mask), expected)
    assert layer.compute_output_shape((2, 7, 3), (2, 7)) == expected.shape
    assert layer.compute_output_shape((2, None, 3), (2, None)) == (2, None, 3)


@pytest.mark.parametrize("layer", [MaskedPooling("attention"), SumPooling1D(3)], ids=lambda layer: type(layer).__name__)
def test_a_layer_comes_back_from_its_config(layer):
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert type(again) is type(layer)
    assert again.get_config() == layer.get_config()


def test_the_number_of_windows_is_known_to_a_layer_that_is_unrolled():
    inputs, mask = keras.Input((7, 3)), keras.Input((7,), dtype="bool")
    outputs = keras.layers.LSTM(4, unroll=True)(SumPooling1D(2)(inputs, padding_mask=mask))
    model = keras.Model([inputs, mask], outputs)
    assert model.predict([noise(2, 7, 3), np.ones((2, 7), bool)], verbose=0).shape == (2, 4)
