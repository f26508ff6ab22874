"""Gates computed from weights: the states are those of the Keras layer, and each gate does what its name says."""

import keras
import numpy as np
import pytest
from keras import ops

from models.classifier import build_classifier
from models.gates import EQUATIONS, cell_of, gates, layer_gates, layer_inputs, recurrent_layers_of
from models.language_model import build_language_model
from models.network_settings import ClassifierSettings, LanguageModelSettings
from models.recurrent import CELLS, recurrent_stack
from models.recurrent_settings import RecurrentSettings

BATCH, STEPS, FEATURES, UNITS = 3, 6, 4, 5
# Ragged, and with a hole: Keras holds the state over wherever a step is masked.
MASK = np.array([[1, 1, 1, 1, 1, 1], [1, 1, 0, 1, 0, 0], [1, 0, 0, 0, 0, 0]], bool)
NAMES = {
    "lstm": ["input", "forget", "output", "candidate", "cell", "state"],
    "gru": ["update", "reset", "candidate", "state"],
    "simple_rnn": ["state"],
}
IDS = np.array([[4, 5, 6, 7, 8, 4, 5], [9, 4, 0, 0, 0, 0, 0], [6, 6, 6, 5, 0, 0, 0]], np.int32)


def noise(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


X = noise(BATCH, STEPS, FEATURES)


def randomized(model, seed=1):
    """Gives the model random weights, biases included, and returns it."""
    for index, weight in enumerate(model.trainable_weights):
        weight.assign(0.5 * noise(*weight.shape, seed=seed + index))
    return model


def assert_close(actual, expected, tolerance=1e-5):
    np.testing.assert_allclose(np.asarray(actual), np.asarray(expected), rtol=0, atol=tolerance)


def stack_model(settings):
    inputs, mask = keras.Input((STEPS, FEATURES)), keras.Input((STEPS,), dtype="bool")
    return randomized(keras.Model([inputs, mask], recurrent_stack(settings, inputs, mask=mask)))


def outputs_of(model, number, inputs):
    return np.asarray(keras.Model(model.inputs, recurrent_layers_of(model)[number - 1].output)(inputs))


COMMON = [
    {},
    {"activation": "relu", "use_bias": False},
    {"activation": "softsign", "go_backwards": True},
    {"layers": 2, "go_backwards": True},
    {"layers": 2, "bidirectional": True},
    {"bidirectional": True, "go_backwards": True},
]
GATED = [
    {"activation": None, "recurrent_activation": "hard_sigmoid"},
    {"activation": "softmax", "recurrent_activation": "softsign"},
]
VARIANTS = [
    *[("lstm", options) for options in COMMON + GATED],
    *[("simple_rnn", options) for options in COMMON],
    *[("gru", {**options, "reset_after": after}) for after in (False, True) for options in COMMON + GATED],
]


@pytest.mark.parametrize(
    ("cell", "options"), VARIANTS, ids=lambda value: value if isinstance(value, str) else str(value)
)
def test_states_are_those_of_keras(cell, options):
    settings = RecurrentSettings(cell=cell, units=UNITS, return_sequences=True, **options)
    model = stack_model(settings)
    assert len(recurrent_layers_of(model)) == settings.layers
    for number in range(1, settings.layers + 1):
        for mask in (np.ones_like(MASK), MASK):
            outputs = outputs_of(model, number, [X, mask])
            if settings.go_backwards:
                outputs = outputs[:, ::-1]
            assert np.std(outputs) > 0.05
            for index in range(2 if settings.bidirectional else 1):
                found = layer_gates(model, number, [X, mask], direction=("forward", "backward")[index])
                assert list(found) == NAMES[cell]
                assert {value.shape for value in found.values()} == {(BATCH, STEPS, UNITS)}
                expected = outputs[..., index * UNITS : (index + 1) * UNITS]
                # At a masked step a Bidirectional returns 0 for any state.
                compared = mask if settings.bidirectional else np.ones_like(mask)
                assert_close(found["state"][compared], expected[compared])


@pytest.mark.parametrize("cell", CELLS)
def test_states_continue_from_the_initial_state(cell):
    layer = CELLS[cell](UNITS, return_state=True)
    layer(X)
    randomized(layer)
    _, *states = layer(X[:, :4])
    whole, rest = gates(layer, X), gates(layer, X[:, 4:], initial_state=states)
    for name in NAMES[cell]:
        assert_close(rest[name], whole[name][:, 4:])
    assert_close(whole["state"][:, 3], states[0])
    if cell == "lstm":
        assert_close(whole["cell"][:, 3], states[1])


@pytest.mark.parametrize("cell", CELLS)
def test_each_direction_takes_its_own_half_of_the_states(cell):
    layer = keras.layers.Bidirectional(CELLS[cell](UNITS, return_sequences=True))
    layer(X)
    randomized(layer)
    states = [noise(BATCH, UNITS, seed=seed) for seed in range(4 if cell == "lstm" else 2)]
    outputs = np.asarray(layer(X, initial_state=states))
    for index, direction in enumerate(("forward", "backward")):
        found = gates(layer, X, initial_state=states, direction=direction)
        assert_close(found["state"], outputs[..., index * UNITS : (index + 1) * UNITS])


def test_lstm_gates_make_the_cell_and_the_state():
    layer = keras.layers.LSTM(UNITS)
    layer(X)
    found = gates(randomized(layer), X)
    before = np.concatenate([np.zeros((BATCH, 1, UNITS)), found["cell"][:, :-1]], axis=1)
    assert_close(found["forget"] * before + found["input"] * found["candidate"], found["cell"])
    assert_close(found["output"] * np.tanh(found["cell"]), found["state"])


@pytest.mark.parametrize("reset_after", [False, True])
def test_gru_gates_make_the_candidate_and_the_state(reset_after):
    layer = keras.layers.GRU(UNITS, reset_after=reset_after)
    layer(X)
    kernel, recurrent, bias = (weights[..., 2 * UNITS :] for weights in randomized(layer).get_weights())
    found = gates(layer, X)
    before = np.concatenate([np.zeros((BATCH, 1, UNITS)), found["state"][:, :-1]], axis=1)
    if reset_after:
        candidate = np.tanh(X @ kernel + bias[0] + found["reset"] * (before @ recurrent + bias[1]))
    else:
        candidate = np.tanh(X @ kernel + bias + (found["reset"] * before) @ recurrent)
    assert_close(found["candidate"], candidate)
    assert_close(found["update"] * before + (1 - found["update"]) * found["candidate"], found["state"])


@pytest.mark.parametrize(
    ("cell", "order"),
    [("lstm", ["input", "forget", "candidate", "output"]), ("gru", ["update", "reset", "candidate"])],
)
def test_weights_are_in_the_order_that_keras_has(cell, order):
    for index, opened in enumerate(order):
        layer = CELLS[cell](UNITS)
        layer(X)
        kernel, recurrent, bias = layer.get_weights()
        bias = np.zeros_like(bias)
        bias[..., index * UNITS : (index + 1) * UNITS] = 50.0
        layer.set_weights([kernel * 0, recurrent * 0, bias])
        found = gates(layer, X)
        for name in order:
            shut = 0.0 if name == "candidate" else 0.5  # tanh(0) or sigmoid(0)
            assert_close(found[name], np.full_like(found[name], 1.0 if name == opened else shut))


def test_an_open_update_gate_keeps_the_old_state():
    layer = keras.layers.GRU(UNITS, reset_after=False)
    layer(X)
    kernel, recurrent, bias = randomized(layer).get_weights()
    state = noise(BATCH, UNITS, seed=9)
    for value, expected in ((50.0, state), (-50.0, None)):
        bias[:UNITS] = value
        layer.set_weights([kernel, recurrent, bias])
        found = gates(layer, X, initial_state=[state])
        assert_close(found["state"][:, 0], found["candidate"][:, 0] if expected is None else expected)


def test_a_masked_step_has_states_and_no_gates():
    for cell, first in (("lstm", "cell"), ("gru", "state")):
        layer = CELLS[cell](UNITS)
        layer(X)
        found = gates(randomized(layer), X, mask=MASK)
        for name, value in found.items():
            if name not in ("cell", "state"):
                np.testing.assert_array_equal(np.isnan(value).all(axis=-1), ~MASK)
                assert np.isfinite(value[MASK]).all()
        np.testing.assert_array_equal(found[first][1, 2], found[first][1, 1])
        np.testing.assert_array_equal(found[first][2, 5], found[first][2, 0])


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize(
    ("recurrent", "settings"),
    [
        ({"layers": 2, "bidirectional": True}, {"pool_size": 2}),
        ({"layers": 2, "go_backwards": True}, {"ngrams": 2}),
        ({"layers": 2, "bidirectional": True, "return_sequences": True}, {"embedding_dropout": 0.0}),
    ],
)
def test_the_layers_of_a_classifier(cell, recurrent, settings):
    recurrent = RecurrentSettings(cell=cell, units=UNITS, **recurrent)
    keys = np.arange(1, 5, dtype=np.int32) if settings.get("ngrams") else None
    model = randomized(
        build_classifier(
            ClassifierSettings(embedding_size=6, **settings), recurrent, vocabulary_size=10, classes=2, ngram_keys=keys
        )
    )
    assert [layer.name for layer in recurrent_layers_of(model)] == ["recurrent_1", "recurrent_2"]
    mask = (IDS != 0)[:, :: settings.get("pool_size", 1)]
    for number in (1, 2):
        np.testing.assert_array_equal(layer_inputs(model, number, IDS).mask, mask)
    outputs = outputs_of(model, 2, [IDS])
    forward = layer_gates(model, 2, IDS)["state"]
    backward = layer_gates(model, 2, IDS, direction="backward")["state"] if recurrent.bidirectional else None
    if recurrent.return_sequences:
        assert_close(np.concatenate([forward, backward], axis=-1)[mask], outputs[mask])
    elif recurrent.bidirectional:
        assert_close(np.concatenate([forward[:, -1], backward[:, 0]], axis=-1), outputs)
    else:
        assert_close(forward[:, 0], outputs)


def test_the_layers_of_a_language_model_start_from_its_input_states():
    recurrent = RecurrentSettings(cell="lstm", layers=2, units=UNITS)
    model = randomized(build_language_model(LanguageModelSettings(embedding_size=4), recurrent, 10))
    states = [noise(len(IDS), UNITS, seed=seed) for seed in range(4)]
    _, h_1, c_1, h_2, c_2 = model([IDS, *states])
    for number, h, c in ((1, h_1, c_1), (2, h_2, c_2)):
        found = layer_gates(model, number, [IDS, *states])
        assert_close(found["state"][:, -1], h)
        assert_close(found["cell"][:, -1], c)


def test_a_mask_that_keras_propagates_is_found():
    model = keras.Sequential(
        [
            keras.Input((None,), dtype="int32"),
            keras.layers.Embedding(10, 4, mask_zero=True),
            keras.layers.LSTM(UNITS, return_sequences=True),
            keras.layers.Dropout(0.5),
            keras.layers.Bidirectional(keras.layers.GRU(UNITS), name="both"),
            keras.layers.Dense(2),
        ]
    )
    randomized(model)
    read = layer_inputs(model, 2, IDS)
    np.testing.assert_array_equal(read.mask, IDS != 0)
    found = layer_gates(model, 2, IDS, direction="backward")["state"][:, 0]
    assert_close(found, outputs_of(model, 2, [IDS])[:, UNITS:])


def test_every_cell_has_its_equations_and_is_found_in_any_layer():
    assert list(EQUATIONS) == list(CELLS) == list(NAMES)
    plain = {"lstm": keras.layers.LSTM, "gru": keras.layers.GRU, "simple_rnn": keras.layers.SimpleRNN}
    for name, layer_class in CELLS.items():
        assert cell_of(layer_class(UNITS)) == cell_of(plain[name](UNITS)) == name
        assert cell_of(keras.layers.RNN(plain[name](UNITS).cell)) == name
    assert cell_of(keras.layers.Bidirectional(keras.layers.GRU(UNITS))) is None
    assert cell_of(keras.layers.RNN([keras.layers.GRUCell(UNITS)])) is None
    assert cell_of(keras.layers.Dense(UNITS)) is None


def test_an_activation_may_be_any_function():
    layer = keras.layers.GRU(UNITS, activation=lambda x: ops.sin(x) / 2, return_sequences=True)
    layer(X)
    assert_close(gates(randomized(layer), X)["state"], layer(X))


def test_layers_without_gates_are_refused():
    one, dense = keras.layers.LSTM(UNITS, name="one"), keras.layers.Dense(2, name="dense")
    with pytest.raises(ValueError, match="one has no weights yet"):
        gates(one, X)
    one(X)
    with pytest.raises(ValueError, match="one has no direction backward, only forward"):
        gates(one, X, direction="backward")
    with pytest.raises(ValueError, match="dense is no LSTM, GRU or SimpleRNN"):
        gates(dense, X)
    with pytest.raises(ValueError, match="one takes 2 states, not 1"):
        gates(one, X, initial_state=[noise(BATCH, UNITS)])


def test_a_missing_layer_is_refused():
    inputs = keras.Input((STEPS, FEATURES))
    deep = keras.Model(inputs, recurrent_stack(RecurrentSettings(layers=2, units=UNITS), inputs), name="deep")
    for number in (0, 3):
        with pytest.raises(ValueError, match=f"no recurrent layer {number}: the model deep has 2 recurrent layers"):
            layer_inputs(deep, number, X)
    around = keras.Model(inputs, deep(inputs), name="around")
    with pytest.raises(ValueError, match="around has no recurrent layer, not counting those of its nested models deep"):
        layer_inputs(around, 1, X)
