"""The recurrent stack as a whole: directions, states, padding, time-major order, saving."""

import keras
import numpy as np
import pytest

from models import keras_objects
from models.classifier import build_classifier
from models.network_settings import ClassifierSettings
from models.recurrent import CELLS, recurrent_layers, recurrent_stack
from models.recurrent_settings import RecurrentSettings
from tests.models.recurrent_examples import (
    BATCH,
    PLAIN,
    STEPS,
    UNITS,
    X,
    assert_close,
    built,
    differ,
    model_of,
    plain_model,
    randomized,
)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16", "mixed_float16", "float64"])
def test_regularizers_are_computed_in_float32_under_every_policy(cell, policy):
    names = ("kernel", "recurrent", "bias", "activity")
    settings = RecurrentSettings(
        cell=cell, units=UNITS, **{f"{name}_regularizer": "l1_l2(0.01,0.02)" for name in names}
    )
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        model = randomized(model_of(settings))
        model.compile(keras.optimizers.SGD(0.0), loss="mse")
        loss = model.train_on_batch(X, np.zeros((BATCH, UNITS)))
        outputs, weights = np.asarray(model(X), np.float64), [np.float64(one) for one in model.get_weights()]
    finally:
        keras.config.set_dtype_policy(before)
    penalty = lambda values: 0.01 * np.abs(values).sum() + 0.02 * np.square(values).sum()  # noqa: E731
    expected = np.square(outputs).mean() + sum(map(penalty, weights)) + penalty(outputs) / BATCH
    assert loss == pytest.approx(expected, rel=1e-5 if policy in ("float32", "float64") else 2e-2)


def test_a_regularizer_goes_with_a_policy_of_the_layers_alone():
    settings = RecurrentSettings(units=UNITS, activity_regularizer="l2(0.1)")
    inputs = keras.Input(X.shape[1:])
    (layer,) = recurrent_layers(settings, dtype=keras.DTypePolicy("mixed_bfloat16"))
    model = keras.Model(inputs, layer(inputs))
    model.compile(keras.optimizers.SGD(0.0), loss="mse")
    assert np.isfinite(model.train_on_batch(X, np.zeros((BATCH, UNITS))))


@pytest.mark.slow
def test_a_network_of_many_layers_is_loaded_whatever_the_addresses_of_its_objects(tmp_path):
    """Keras takes objects at the same address for one object while it loads; see `models.recurrent`."""
    settings = RecurrentSettings(units=2, layers=60, bidirectional=True, return_sequences=True)
    network = build_classifier(ClassifierSettings(embedding_size=4), settings, vocabulary_size=20, classes=2)
    network.save(tmp_path / "model.keras")
    for _ in range(6):
        loaded = keras.saving.load_model(tmp_path / "model.keras", compile=False)
        for ours, theirs in zip(network.get_weights(), loaded.get_weights(), strict=True):
            assert np.array_equal(ours, theirs)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("bidirectional", [False, True])
def test_stateful_continues_where_the_last_batch_ended(cell, bidirectional):
    settings = RecurrentSettings(cell=cell, units=UNITS, stateful=True, bidirectional=bidirectional)
    model = randomized(model_of(settings, batch=BATCH))
    layer = PLAIN[cell](UNITS, stateful=True)
    plain = plain_model(keras.layers.Bidirectional(layer) if bidirectional else layer, batch=BATCH)
    for ours, theirs in zip(model.trainable_weights, plain.trainable_weights, strict=True):
        theirs.assign(ours)
    first, second = np.asarray(model(X)), np.asarray(model(X))
    assert differ(first, second)
    assert_close(plain(X), first)
    assert_close(plain(X), second)
    if not bidirectional:
        whole = randomized(model_of(RecurrentSettings(cell=cell, units=UNITS), steps=2 * STEPS))
        assert_close(whole(np.concatenate([X, X], axis=1)), second)


@pytest.mark.parametrize("cell", CELLS)
def test_unrolled_equals_looped(cell):
    settings = RecurrentSettings(cell=cell, layers=2, units=UNITS, bidirectional=True, return_sequences=True)
    looped = randomized(model_of(settings))
    unrolled = model_of(settings.model_copy(update={"unroll": True}))
    unrolled.set_weights(looped.get_weights())
    assert unrolled.layers[1].forward_layer.unroll
    assert_close(unrolled(X), looped(X))


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("merge_mode", ["concat", None])
def test_time_major_is_the_transposed_stack(cell, merge_mode):
    settings = RecurrentSettings(
        cell=cell, units=UNITS, bidirectional=True, merge_mode=merge_mode, return_sequences=True, return_state=True
    )
    time_major = settings.model_copy(update={"time_major": True})
    layers = recurrent_layers(settings)
    mask = np.arange(STEPS) < np.array([[6], [2], [4]])
    expected, states = recurrent_stack(settings, X, mask=mask, layers=layers)
    output, same_states = recurrent_stack(time_major, X.swapaxes(0, 1), mask=mask.T, layers=layers)
    for one, other in zip(keras.tree.flatten(output), keras.tree.flatten(expected), strict=True):
        assert_close(np.swapaxes(one, 0, 1), other)
    for one, other in zip(keras.tree.flatten(same_states), keras.tree.flatten(states), strict=True):
        assert_close(one, other)
    without_states = recurrent_stack(
        time_major.model_copy(update={"return_state": False}), X.swapaxes(0, 1), layers=without_state(layers)
    )
    assert [len(one) for one in keras.tree.flatten(without_states)] == [STEPS] * len(keras.tree.flatten(expected))


def without_state(layers):
    """Layers with the same settings that return no state."""
    return [
        keras.layers.Bidirectional(
            type(layer.forward_layer).from_config({**layer.forward_layer.get_config(), "return_state": False}),
            merge_mode=layer.merge_mode,
        )
        for layer in layers
    ]


def test_time_major_returns_the_last_output_by_batch():
    settings = RecurrentSettings(units=UNITS, layers=2)
    layers = recurrent_layers(settings)
    output = recurrent_stack(
        settings.model_copy(update={"time_major": True}), X.swapaxes(0, 1), initial_state=None, layers=layers
    )
    assert_close(output, recurrent_stack(settings, X, layers=layers))


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("return_sequences", [False, True])
def test_merge_modes(cell, return_sequences):
    expected = {
        "concat": lambda one, other: np.concatenate([one, other], axis=-1),
        "sum": np.add,
        "mul": np.multiply,
        "ave": lambda one, other: (one + other) / 2,
        None: lambda one, other: (one, other),
    }
    for merge_mode, merge in expected.items():
        settings = RecurrentSettings(
            cell=cell, units=UNITS, bidirectional=True, merge_mode=merge_mode, return_sequences=return_sequences
        )
        model = randomized(model_of(settings))
        (layer,) = (layer for layer in model.layers if isinstance(layer, keras.layers.Bidirectional))
        forward = np.asarray(plain_copy(layer.forward_layer)(X))
        backward = np.asarray(plain_copy(layer.backward_layer)(X))
        if return_sequences:
            backward = backward[:, ::-1]
        actual = model(X)
        assert isinstance(actual, list) == (merge_mode is None)
        assert_close(actual, merge(forward, backward))


def plain_copy(layer):
    copy = type(layer).from_config(layer.get_config())
    built(copy).set_weights(layer.get_weights())
    return copy


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("go_backwards", [False, True])
@pytest.mark.parametrize("layers", [1, 3])
def test_padding_changes_nothing(cell, bidirectional, go_backwards, layers):
    for return_sequences in (False, True):
        settings = RecurrentSettings(
            cell=cell,
            units=UNITS,
            layers=layers,
            bidirectional=bidirectional,
            go_backwards=go_backwards,
            return_sequences=return_sequences,
        )
        shared = recurrent_layers(settings)
        length = 4
        mask = np.arange(STEPS) < np.array([[length], [STEPS], [1]])
        padded = np.asarray(recurrent_stack(settings, X, mask=mask, layers=shared))[0]
        alone = np.asarray(recurrent_stack(settings, X[:1, :length], layers=shared))[0]
        if return_sequences:  # backwards, the padding comes first
            padded = padded[STEPS - length :] if go_backwards else padded[:length]
        assert_close(padded, alone)


@pytest.mark.parametrize("cell", CELLS)
def test_going_backwards_in_both_directions_swaps_them(cell):
    settings = RecurrentSettings(cell=cell, units=UNITS, bidirectional=True, return_sequences=True, go_backwards=True)
    model = randomized(model_of(settings))
    forwards = model_of(settings.model_copy(update={"go_backwards": False}))
    weights = model.get_weights()
    forwards.set_weights(weights[len(weights) // 2 :] + weights[: len(weights) // 2])
    actual, expected = np.asarray(model(X)), np.asarray(forwards(X))
    assert_close(actual, np.concatenate([expected[:, ::-1, UNITS:], expected[:, ::-1, :UNITS]], axis=-1))


@pytest.mark.parametrize("go_backwards", [False, True])
def test_the_two_directions_have_different_initial_weights(go_backwards):
    (layer,) = recurrent_layers(RecurrentSettings(units=UNITS, bidirectional=True, go_backwards=go_backwards))
    forward, backward = built(layer).forward_layer.get_weights(), layer.backward_layer.get_weights()
    assert differ(forward[0], backward[0])
    assert differ(forward[1], backward[1])


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("bidirectional", [False, True])
def test_the_returned_state_is_the_initial_state_of_the_next_part(cell, bidirectional):
    settings = RecurrentSettings(cell=cell, units=UNITS, layers=2, return_state=True, bidirectional=bidirectional)
    layers = recurrent_layers(settings)
    whole, last_states = recurrent_stack(settings, X, layers=layers)
    _, states = recurrent_stack(settings, X[:, :4], layers=layers)
    directions, each = 2 if bidirectional else 1, 2 if cell == "lstm" else 1
    assert [len(state) for state in states] == [directions * each] * 2
    again, again_states = recurrent_stack(settings, X[:, 4:], initial_state=states, layers=layers)
    if bidirectional:  # the other direction reads the parts in the other order, so only the forward state fits
        assert_close(again_states[0][0], last_states[0][0])
    else:
        assert_close(again, whole)
        assert_close(again_states[1][0], last_states[1][0])


def test_dropout_between_layers_and_only_there():
    settings = RecurrentSettings(units=UNITS, layers=3)
    model = randomized(model_of(settings, layer_dropout=0.5))
    plain = model_of(settings)
    plain.set_weights([value.numpy() for value in model.trainable_weights])
    rates = [layer.rate for layer in model.layers if isinstance(layer, keras.layers.Dropout)]
    assert rates == [0.5, 0.5]
    assert_close(model(X), plain(X))
    assert differ(model(X, training=True), plain(X))


@pytest.mark.parametrize("cell", CELLS)
def test_a_saved_stack_comes_back_whole(cell, tmp_path):
    settings = RecurrentSettings(
        cell=cell, units=UNITS, layers=2, bidirectional=True, go_backwards=True, activity_regularizer="l2(0.1)", seed=3
    )
    model = randomized(model_of(settings))
    model.save(tmp_path / "stack.keras")
    loaded = keras.saving.load_model(tmp_path / "stack.keras")
    assert_close(loaded(X), model(X))
    for index, layer in enumerate(layer for layer in loaded.layers if isinstance(layer, keras.layers.Bidirectional)):
        for direction in (layer.forward_layer, layer.backward_layer):
            wanted = keras_objects.build("regularizer", "l2(0.1)")
            regularizer = direction.activity_regularizer
            assert (type(regularizer), regularizer.get_config()) == (type(wanted), wanted.get_config())
            assert direction.cell.seed == 3 + index
