"""Sampled softmax: its loss estimates that of the full softmax, and it trains the same model."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from models.sampled_softmax import SampledLogits

SIZE, FEATURES = 50, 6
RANDOM = np.random.default_rng(0)
VECTORS = tf.constant(RANDOM.normal(size=(SIZE, FEATURES)), tf.float32)
BIAS = tf.constant(RANDOM.normal(size=SIZE), tf.float32)
X = tf.constant(RANDOM.normal(size=(3, 4, FEATURES)), tf.float32)
TARGETS = tf.constant(RANDOM.integers(0, SIZE, (3, 4)), tf.int32)
COUNTS = RANDOM.integers(0, 200, SIZE)


def full_loss(x=X):
    logits = tf.einsum("btd,vd->btv", x, VECTORS) + BIAS
    return tf.nn.sparse_softmax_cross_entropy_with_logits(TARGETS, logits)


def sampled_loss(layer: SampledLogits, x=X):
    logits = layer(x, TARGETS, VECTORS, BIAS)
    return tf.nn.sparse_softmax_cross_entropy_with_logits(tf.zeros_like(TARGETS), logits)


def test_the_loss_and_its_gradient_approach_those_of_the_full_softmax():
    """With many samples they agree to a few per cent; one target is among the samples, and counts once."""
    layer = SampledLogits(COUNTS, 4000, seed=1)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(X)
        full, sampled = full_loss(), sampled_loss(layer)
    np.testing.assert_allclose(sampled, full, atol=0.08)
    np.testing.assert_allclose(tape.gradient(sampled, X), tape.gradient(full, X), atol=0.1)


def test_the_estimate_of_the_denominator_has_no_bias():
    layer = SampledLogits(COUNTS, 20, seed=2)
    denominators = [tf.exp(tf.reduce_logsumexp(layer(X, TARGETS, VECTORS, BIAS), axis=-1)) for _ in range(150)]
    expected = tf.exp(tf.reduce_logsumexp(tf.einsum("btd,vd->btv", X, VECTORS) + BIAS, axis=-1))
    np.testing.assert_allclose(tf.reduce_mean(denominators, axis=0), expected, rtol=0.2)


def test_each_step_draws_others_and_the_same_seed_the_same():
    one, two = SampledLogits(COUNTS, 20, seed=3), SampledLogits(COUNTS, 20, seed=3)
    first, second = sampled_loss(one), sampled_loss(one)
    assert not np.array_equal(first, second)
    assert np.array_equal(first, sampled_loss(two)) and np.array_equal(second, sampled_loss(two))


def test_the_layer_is_restored_from_its_configuration():
    layer = SampledLogits(COUNTS, 20, seed=3, name="sampled")
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert np.array_equal(sampled_loss(layer), sampled_loss(again))


def test_the_gradient_of_the_table_has_the_rows_that_were_read():
    """A dense gradient would be as large as the vocabulary in each step."""
    table = tf.Variable(VECTORS)
    layer = SampledLogits(COUNTS, 20)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(X, TARGETS, table))
    gradient = tape.gradient(loss, table)
    assert isinstance(gradient, tf.IndexedSlices)
    assert gradient.values.shape[0] == TARGETS.shape.num_elements() + 20


def test_in_mixed_precision_the_logits_are_float32():
    layer = SampledLogits(COUNTS, 20, dtype="mixed_bfloat16")
    logits = layer(tf.cast(X, tf.bfloat16), TARGETS, keras.Variable(VECTORS), keras.Variable(BIAS))
    assert logits.dtype == tf.float32
    np.testing.assert_allclose(logits[..., 0], SampledLogits(COUNTS, 20)(X, TARGETS, VECTORS, BIAS)[..., 0], atol=0.1)


@pytest.mark.parametrize("samples", [1, 30])
def test_a_missing_bias_is_none(samples):
    assert SampledLogits(COUNTS, samples)(X, TARGETS, VECTORS).shape == (3, 4, 1 + samples)
