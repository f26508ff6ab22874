"""The recurrent stack: every option reaches the Keras layer, and the stack computes what plain Keras layers do."""

import keras
import numpy as np
import pytest

from models import keras_objects
from models.recurrent import CELLS, recurrent_layers
from models.recurrent_settings import ABSENT, RecurrentSettings
from tests.models.recurrent_examples import (
    BATCH,
    PLAIN,
    UNITS,
    X,
    assert_close,
    built,
    differ,
    model_of,
    plain_model,
    randomized,
)

# Every option of the layers at a value that is not its default.
OPTIONS = {
    "units": UNITS,
    "activation": "softsign",
    "recurrent_activation": "hard_sigmoid",
    "use_bias": False,
    "kernel_initializer": "he_normal(seed=3)",
    "recurrent_initializer": "random_uniform(-0.2, 0.2)",
    "bias_initializer": "constant(0.3)",
    "unit_forget_bias": False,
    "kernel_regularizer": "l2(0.03)",
    "recurrent_regularizer": "l1",
    "bias_regularizer": '{"class_name": "L1L2", "config": {"l1": 0.1, "l2": 0.2}}',
    "activity_regularizer": "l2(0.04)",
    "kernel_constraint": "max_norm(2.5)",
    "recurrent_constraint": "min_max_norm(min_value=0.5, max_value=3.0)",
    "bias_constraint": "non_neg",
    "dropout": 0.2,
    "recurrent_dropout": 0.3,
    "return_sequences": True,
    "return_state": True,
    "go_backwards": True,
    "stateful": True,
    "unroll": True,
    "reset_after": False,
    "use_cudnn": False,
    "seed": 7,
}
OF_THE_STACK = {"cell", "layers", "bidirectional", "merge_mode", "time_major"}
CELL_OPTIONS = [(cell, option) for cell in CELLS for option in OPTIONS if option not in ABSENT[cell]]


def assert_option(layer, option, expected):
    """Reads an option back from a Keras layer."""
    if option == "seed":
        assert layer.cell.seed == expected
        return
    actual = getattr(layer, option)
    kind = option.rpartition("_")[2]
    if kind not in keras_objects.ARGUMENTS:
        assert actual == expected
        return
    wanted = keras_objects.build(kind, expected)
    if kind == "activation":
        assert actual is wanted
    else:
        assert (type(actual), actual.get_config()) == (type(wanted), wanted.get_config())


def test_the_options_tested_are_all_and_none_at_its_default():
    assert set(RecurrentSettings.model_fields) - OF_THE_STACK == set(OPTIONS)
    assert not [name for name in OPTIONS if RecurrentSettings.model_fields[name].default == OPTIONS[name]]


@pytest.mark.parametrize("cell", CELLS)
def test_defaults_are_those_of_keras(cell):
    (layer,) = recurrent_layers(RecurrentSettings(cell=cell, units=UNITS))
    ours, plain = layer.get_config(), PLAIN[cell](UNITS).get_config()
    assert isinstance(layer, PLAIN[cell])
    assert {**ours, "name": None} == {"seed": None, **plain, "name": None}


@pytest.mark.parametrize(("cell", "option"), CELL_OPTIONS)
def test_an_option_reaches_the_layer(cell, option):
    (layer,) = recurrent_layers(RecurrentSettings(cell=cell, **{option: OPTIONS[option]}))
    assert_option(built(layer), option, OPTIONS[option])


@pytest.mark.parametrize(("cell", "option"), CELL_OPTIONS)
def test_an_option_reaches_both_directions_of_both_layers(cell, option):
    settings = RecurrentSettings(cell=cell, layers=2, bidirectional=True, **{option: OPTIONS[option]})
    for index, layer in enumerate(recurrent_layers(settings)):
        built(layer)
        expected = OPTIONS[option] + index if option == "seed" else OPTIONS[option]
        assert_option(layer.forward_layer, option, expected)
        assert_option(layer.backward_layer, option, False if option == "go_backwards" else expected)
        last = index == 1
        assert layer.return_sequences == (not last or option == "return_sequences")


@pytest.mark.parametrize("cell", CELLS)
def test_options_reach_each_layer_of_a_stack(cell):
    given = {name: value for name, value in OPTIONS.items() if (cell, name) in CELL_OPTIONS} | {
        "use_bias": True,
        "return_sequences": False,
    }
    for index, layer in enumerate(recurrent_layers(RecurrentSettings(cell=cell, layers=2, **given))):
        assert layer.name == f"recurrent_{index + 1}"
        built(layer)
        for option, value in given.items():
            assert_option(layer, option, {"seed": 7 + index, "return_sequences": index == 0}.get(option, value))


@pytest.mark.parametrize(
    ("cell", "option"),
    [
        (cell, option)
        for cell, option in CELL_OPTIONS
        if option
        in {
            "activation",
            "recurrent_activation",
            "use_bias",
            "go_backwards",
            "return_sequences",
            "return_state",
            "reset_after",
            "dropout",
            "recurrent_dropout",
        }
    ],
)
def test_numbers_are_those_of_the_plain_layer(cell, option):
    value = OPTIONS[option]
    model = randomized(model_of(RecurrentSettings(cell=cell, units=UNITS, seed=5, **{option: value})))
    plain_value = getattr(keras.activations, value) if isinstance(value, str) else value
    plain = plain_model(PLAIN[cell](UNITS, seed=5, **{option: plain_value}))
    plain.set_weights(model.get_weights())
    ours, theirs = model(X, training=True), plain(X, training=True)
    if option == "return_state":
        ours = (ours[0], *ours[1][0])
    for one, other in zip(keras.tree.flatten(ours), keras.tree.flatten(theirs), strict=True):
        assert_close(one, other)
    if option in ("activation", "recurrent_activation", "go_backwards", "dropout", "recurrent_dropout"):
        default = plain_model(PLAIN[cell](UNITS))
        default.set_weights(model.get_weights())
        assert differ(ours, default(X, training=True))
    if "dropout" in option:  # which is for training only
        assert_close(model(X), default(X))


@pytest.mark.parametrize("cell", CELLS)
def test_the_activation_may_be_linear(cell):
    model = randomized(model_of(RecurrentSettings(cell=cell, units=UNITS, activation=None)))
    plain = plain_model(PLAIN[cell](UNITS, activation="linear"))
    plain.set_weights(model.get_weights())
    assert_close(model(X), plain(X))


@pytest.mark.parametrize("cell", CELLS)
def test_penalties_add_to_the_loss_and_constraints_bound_the_weights(cell):
    penalties = {
        "kernel_regularizer": "l2(0.5)",
        "recurrent_regularizer": "l1(0.25)",
        "bias_regularizer": "l1_l2(0.1, 0.2)",
        "activity_regularizer": "l2(0.75)",
    }
    (layer,) = recurrent_layers(RecurrentSettings(cell=cell, units=UNITS, **penalties))
    randomized(built(layer))
    output = np.asarray(layer(X))
    kernel, recurrent, bias = layer.get_weights()
    expected = 0.5 * np.sum(kernel**2) + 0.25 * np.sum(np.abs(recurrent))
    expected += 0.1 * np.sum(np.abs(bias)) + 0.2 * np.sum(bias**2)
    plain = keras.layers.Identity(activity_regularizer=keras.regularizers.L2(0.75))  # the mean over texts, or the sum
    plain(output)
    expected += float(sum(plain.losses))
    assert float(sum(layer.losses)) == pytest.approx(expected, rel=1e-5)

    limits = {"kernel_constraint": "non_neg", "recurrent_constraint": "max_norm(0.1)", "bias_constraint": "non_neg"}
    model = randomized(model_of(RecurrentSettings(cell=cell, units=UNITS, **limits)))
    model.compile(optimizer=keras.optimizers.SGD(0.01), loss="mse")
    model.train_on_batch(X, np.zeros((BATCH, UNITS), np.float32))
    kernel, recurrent, bias = model.get_weights()
    assert np.min(kernel) == 0.0
    assert np.min(bias) == 0.0
    assert np.max(np.sum(recurrent**2, axis=0)) <= 0.1**2 + 1e-6


def test_the_forget_gate_may_start_closed():
    for value, ones in ((None, UNITS), (True, UNITS), (False, 0)):
        (layer,) = recurrent_layers(RecurrentSettings(units=UNITS, unit_forget_bias=value))
        assert np.sum(built(layer).get_weights()[2]) == ones
