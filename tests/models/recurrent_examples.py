"""Small recurrent networks with random weights, and the same from plain Keras layers."""

import keras
import numpy as np

from models.recurrent import recurrent_stack

PLAIN = {"lstm": keras.layers.LSTM, "gru": keras.layers.GRU, "simple_rnn": keras.layers.SimpleRNN}
BATCH, STEPS, FEATURES, UNITS = 3, 6, 4, 5


def noise(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


X = noise(BATCH, STEPS, FEATURES)


def assert_close(actual, expected, tolerance=1e-6):
    np.testing.assert_allclose(np.asarray(actual), np.asarray(expected), rtol=0, atol=tolerance)


def differ(one, other):
    return np.max(np.abs(np.asarray(one) - np.asarray(other))) > 1e-3


def model_of(settings, batch=None, steps=STEPS, **options):
    inputs = keras.Input(batch_shape=(batch, steps, FEATURES))
    return keras.Model(inputs, recurrent_stack(settings, inputs, **options))


def plain_model(layer, batch=None):
    inputs = keras.Input(batch_shape=(batch, STEPS, FEATURES))
    return keras.Model(inputs, layer(inputs))


def randomized(model, seed=1):
    """Gives the model random weights, biases included, and returns it."""
    for index, weight in enumerate(model.trainable_weights):
        weight.assign(0.5 * noise(*weight.shape, seed=seed + index))
    return model


def built(layer):
    layer.build((BATCH, STEPS, FEATURES))
    return layer
