"""Gradients of the states, against closed forms and against differences of the Keras layer's own outputs."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from models.gradients import state_gradients
from models.recurrent import CELLS
from models.recurrent_settings import STATES

BATCH, STEPS, FEATURES, UNITS = 3, 5, 2, 4


def noise(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


FACTORS = noise(BATCH, UNITS, seed=3)


def linear(recurrent, steps):
    """A SimpleRNN h_t = x_t W + h_{t-1} U without activation, and inputs for it."""
    layer, inputs = keras.layers.SimpleRNN(UNITS, activation=None), noise(BATCH, steps, FEATURES).astype(np.float32)
    layer(inputs)
    layer.set_weights([noise(FEATURES, UNITS), recurrent, noise(UNITS)])
    return layer, inputs


def weighted(output):
    return tf.reduce_sum(output * tf.cast(FACTORS, output.dtype), axis=-1)


def test_a_linear_layers_gradient_is_multiplied_by_its_recurrent_weights_at_each_step():
    recurrent = 0.5 * noise(UNITS, UNITS, seed=1)
    layer, inputs = linear(recurrent, STEPS)
    powers = [FACTORS @ np.linalg.matrix_power(recurrent.T, STEPS - 1 - step) for step in range(STEPS)]
    expected = [np.linalg.norm(power, axis=-1).mean() for power in powers]
    found = state_gradients(layer, inputs, weighted)
    np.testing.assert_allclose(found["h"], expected, rtol=1e-5)
    np.testing.assert_array_equal(found["all"], found["h"])


def test_orthogonal_weights_keep_the_norm_over_a_thousand_steps():
    recurrent, _ = np.linalg.qr(noise(UNITS, UNITS, seed=2))
    norms = state_gradients(*linear(recurrent, 1000), weighted)["all"]
    assert norms.shape == (1000,)
    np.testing.assert_allclose(norms, np.linalg.norm(FACTORS, axis=-1).mean(), rtol=1e-3)


def test_half_the_identity_halves_the_norm_at_each_step():
    norms = state_gradients(*linear(0.5 * np.eye(UNITS), 100), weighted)["all"]
    np.testing.assert_allclose(norms[:-1] / norms[1:], 0.5, rtol=1e-5)  # down to 1e-30: the squares are 1e-60


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("go_backwards", [False, True])
def test_norms_are_those_of_differences(cell, go_backwards):
    layer = CELLS[cell](UNITS, return_state=True, go_backwards=go_backwards, dtype="float64")
    inputs = noise(BATCH, STEPS, FEATURES)
    layer(inputs)
    for index, weight in enumerate(layer.trainable_weights):
        weight.assign(0.7 * noise(*weight.shape, seed=index))
    initial_state = [noise(BATCH, UNITS, seed=8 + index) for index in range(len(STATES[cell]))]

    def losses(output):
        return tf.reduce_sum(tf.sin(output) * FACTORS, axis=-1)

    def part(first, last):
        """The steps from first to last, in the order of reading."""
        return inputs[:, STEPS - last : STEPS - first] if go_backwards else inputs[:, first:last]

    found = state_gradients(layer, inputs, losses, initial_state=initial_state)
    assert set(found) == {"all", *STATES[cell]}
    for step in range(STEPS - 1):
        _, *states = layer(part(0, step + 1), initial_state=initial_state)
        gradient = np.zeros((len(states), BATCH, UNITS))
        for which in range(len(states)):
            for unit in range(UNITS):
                sides = []
                for change in (1e-6, -1e-6):
                    moved = [np.array(state) for state in states]
                    moved[which][:, unit] += change
                    sides.append(losses(layer(part(step + 1, STEPS), initial_state=moved)[0]).numpy())
                gradient[which, :, unit] = (sides[0] - sides[1]) / 2e-6
        for which, name in enumerate(STATES[cell]):
            assert found[name][step] == pytest.approx(np.linalg.norm(gradient[which], axis=-1).mean(), rel=1e-5)
        together = np.linalg.norm(np.concatenate([*gradient], axis=-1), axis=-1).mean()
        assert found["all"][step] == pytest.approx(together, rel=1e-5)


def test_the_last_output_is_an_lstms_h_and_not_its_c():
    layer, inputs = keras.layers.LSTM(UNITS), noise(BATCH, STEPS, FEATURES).astype(np.float32)
    layer(inputs)
    found = state_gradients(layer, inputs, weighted)
    assert found["h"][-1] == pytest.approx(np.linalg.norm(FACTORS, axis=-1).mean(), rel=1e-5)
    assert found["c"][-1] == 0.0
    assert found["c"][-2] > 0.0


def test_what_has_no_gradient_is_refused():
    layer, inputs = linear(np.eye(UNITS), 3)
    with pytest.raises(ValueError, match=r"shape \(\), where each of the 3 examples"):
        state_gradients(layer, inputs, tf.reduce_sum)
    with pytest.raises(ValueError, match="does not come from the layer's output"):
        state_gradients(layer, inputs, lambda output: np.sum(output.numpy(), axis=-1))
    with pytest.raises(ValueError, match="of a Bidirectional take one direction's layer"):
        state_gradients(keras.layers.Bidirectional(keras.layers.GRU(2)), inputs, weighted)
    with pytest.raises(ValueError, match="fresh has no weights yet"):
        state_gradients(keras.layers.GRU(2, name="fresh"), inputs, weighted)
