"""The layers for bfloat16: the same as Keras's, except for rounding."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from models import recurrent_settings
from models.backpropagation import GruEquations, LstmEquations, SimpleRnnEquations, recurrent
from models.classifier import build_classifier
from models.network import global_dtype_policy
from models.network_settings import ClassifierSettings
from models.recurrent import BFLOAT16_CELLS, CELLS, recurrent_layers
from models.recurrent_settings import RecurrentSettings

ROWS, STEPS, FEATURES, UNITS = 4, 9, 6, 5
RIGHT = np.arange(STEPS) < [[9], [6], [1], [3]]
ANYWHERE = np.random.default_rng(1).random((ROWS, STEPS)) > 0.4
MASKS = {"none": None, "right": RIGHT, "left": RIGHT[:, ::-1], "anywhere": ANYWHERE}
EQUATIONS = {"lstm": LstmEquations, "gru": GruEquations, "simple_rnn": SimpleRnnEquations}


def drawn(*sizes):
    return np.random.default_rng(sum(sizes)).normal(size=sizes).astype(np.float32)


def built(layer):
    """The layer with random weights, also of its biases."""
    layer.build((ROWS, STEPS, FEATURES))
    for variable in layer.trainable_variables:
        variable.assign(0.5 * drawn(*variable.shape))
    return layer


def values_and_gradients(compute, sources):
    """What a function returns, and the gradients of a sum over it, in which each number has another weight."""

    @tf.function(autograph=False)
    def run():
        with tf.GradientTape() as tape:
            tape.watch(sources)
            values = tf.nest.flatten(compute())
            loss = tf.add_n([tf.reduce_sum(tf.cast(one, tf.float32) * drawn(*one.shape)) for one in values])
        return values, tape.gradient(loss, sources)

    return [np.asarray(tf.cast(one, tf.float32)) for one in tf.nest.flatten(run())]


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("mask", MASKS)
def test_values_and_gradients_are_those_of_keras(cell, mask):
    mask = None if MASKS[mask] is None else tf.constant(MASKS[mask])
    layer = built(CELLS[cell](UNITS, return_sequences=True, return_state=True))
    weights = [tf.convert_to_tensor(variable) for variable in layer.trainable_variables]
    states = [
        tf.constant(drawn(ROWS, UNITS + number)[:, :UNITS]) for number in range(len(recurrent_settings.STATES[cell]))
    ]
    inputs = tf.constant(drawn(ROWS, STEPS, FEATURES))

    def ours():
        biases = tf.unstack(weights[2]) if cell == "gru" else [weights[2]]
        return recurrent(EQUATIONS[cell], inputs, states, *weights[:2], *biases, mask=mask)[1]

    def theirs():
        return layer(inputs, initial_state=states, mask=mask, training=True)[1:]

    actual_values = values_and_gradients(ours, [inputs, *states, *weights])
    variables = [variable.value for variable in layer.trainable_variables]
    expected_values = values_and_gradients(theirs, [inputs, *states, *variables])
    for actual, expected in zip(actual_values, expected_values, strict=True):
        assert np.allclose(actual, expected, atol=1e-4)


# Options of a layer, and the mask of its inputs.
OPTIONS = {
    "last output": ({}, "right"),
    "sequences": ({"return_sequences": True}, "anywhere"),
    "backwards": ({"return_sequences": True, "go_backwards": True}, "right"),
    "dropout": ({"return_sequences": True, "dropout": 0.5, "seed": 3}, "none"),
}


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize(
    "options, bidirectional",
    [(name, False) for name in OPTIONS] + [(name, True) for name in OPTIONS if name != "backwards"],
)
def test_a_layer_in_bfloat16_equals_that_of_keras_except_for_rounding(cell, options, bidirectional):
    inputs = tf.constant(drawn(ROWS, STEPS, FEATURES), tf.bfloat16)
    arguments, mask = OPTIONS[options]
    mask, both = None if MASKS[mask] is None else tf.constant(MASKS[mask]), []
    for layer_class in (BFLOAT16_CELLS[cell], CELLS[cell]):
        layer = layer_class(UNITS, dtype="mixed_bfloat16", **arguments)
        layer = built(keras.layers.Bidirectional(layer, dtype="mixed_bfloat16") if bidirectional else layer)
        sources = [inputs, *(variable.value for variable in layer.trainable_variables)]
        both.append(values_and_gradients(lambda layer=layer: layer(inputs, mask=mask, training=True), sources))
    for actual, expected in zip(*both, strict=True):
        assert np.linalg.norm(actual - expected) < 0.05 * np.linalg.norm(expected)
    # It is another computation: otherwise this would compare Keras with itself.
    assert not all(np.array_equal(actual, expected) for actual, expected in zip(*both, strict=True))


@pytest.mark.parametrize(
    "cell, options",
    [
        ("lstm", {"recurrent_dropout": 0.3, "seed": 1}),
        ("lstm", {"use_bias": False}),
        ("simple_rnn", {"activation": "relu"}),
        ("gru", {"recurrent_activation": "hard_sigmoid"}),
        ("gru", {"reset_after": False}),
        ("gru", {"unroll": True}),
    ],
)
def test_options_that_it_does_not_have_are_left_to_keras(cell, options):
    inputs, answers = tf.constant(drawn(ROWS, STEPS, FEATURES), tf.bfloat16), []
    for layer_class in (BFLOAT16_CELLS[cell], CELLS[cell]):
        layer = built(layer_class(UNITS, dtype="mixed_bfloat16", **options))
        answers.append(np.asarray(tf.cast(layer(inputs, training=True), tf.float32)))
    assert np.array_equal(*answers)


@pytest.mark.parametrize("cell", CELLS)
def test_other_precisions_have_the_layers_of_keras(cell):
    for policy in ("float32", "mixed_float16", "float64"):
        layer = recurrent_layers(RecurrentSettings(cell=cell), dtype=keras.DTypePolicy(policy))[0]
        assert type(layer) is CELLS[cell]
    with global_dtype_policy("mixed_bfloat16"):
        assert type(recurrent_layers(RecurrentSettings(cell=cell))[0]) is BFLOAT16_CELLS[cell]


@pytest.mark.parametrize("cell", CELLS)
def test_a_training_is_that_of_keras_and_the_state_is_carried(cell):
    losses, values, targets = [], np.tile(drawn(ROWS, STEPS, FEATURES), (10, 1, 1)), np.tile(drawn(ROWS), 10)
    for layer_class in (BFLOAT16_CELLS[cell], CELLS[cell]):
        keras.utils.set_random_seed(0)
        inputs = keras.Input(batch_shape=(ROWS, STEPS, FEATURES))
        hidden = layer_class(UNITS, stateful=True, dtype="mixed_bfloat16", name="layer")(inputs)
        model = keras.Model(inputs, keras.layers.Dense(1, dtype="float32")(hidden))
        model.compile(keras.optimizers.Adam(0.05), "mse")  # jit_compile as Keras chooses it
        history = model.fit(values, targets, batch_size=ROWS, epochs=5, shuffle=False, verbose=0)
        losses.append(history.history["loss"])
    assert losses[0][-1] < 0.5 * losses[0][0]
    assert np.allclose(*losses, rtol=0.15)


@pytest.mark.parametrize("cell", CELLS)
def test_the_kernels_are_not_kept_at_each_timestep(cell):
    """Keras's layers do, which takes megabytes for each timestep."""

    def kept_sizes(layer):
        built(layer)
        inputs = tf.zeros((1, STEPS, FEATURES), tf.bfloat16)

        @tf.function(autograph=False)
        def step():
            with tf.GradientTape() as tape:
                loss = tf.reduce_sum(tf.cast(layer(inputs, training=True), tf.float32))
            return tape.gradient(loss, [one.value for one in layer.trainable_variables])

        graph = step.get_concrete_function().graph
        lists = [one for one in graph.get_operations() if one.type in ("TensorListReserve", "EmptyTensorList")]
        return [tuple(np.asarray(tf.get_static_value(one.inputs[0])).reshape(-1)) for one in lists]

    kernel = (UNITS, recurrent_settings.CELLS[cell].blocks * UNITS)
    assert kernel in kept_sizes(CELLS[cell](UNITS, dtype="mixed_bfloat16"))
    assert kernel not in kept_sizes(BFLOAT16_CELLS[cell](UNITS, dtype="mixed_bfloat16"))


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize(
    "options", [{}, {"layers": 2, "bidirectional": True}], ids=["one layer", "bidirectional stack"]
)
def test_weights_are_stored_as_in_float32(cell, options, tmp_path):
    """A run in bfloat16 of an earlier version, which had Keras's layers, can still be read, and weights exchanged."""
    file = tmp_path / "a.weights.h5"
    recurrent = RecurrentSettings(cell=cell, units=UNITS, return_sequences=True, **options)

    def classifier(precision):
        with global_dtype_policy(precision):
            settings = ClassifierSettings(embedding_size=8, wide_ngrams=0)
            return build_classifier(settings, recurrent, vocabulary_size=9, classes=2)

    def kernels(model):
        return [variable.numpy() for variable in model.trainable_variables if "kernel" in variable.path]

    for saved, loaded in (("float32", "mixed_bfloat16"), ("mixed_bfloat16", "float32")):
        model, other = classifier(saved), classifier(loaded)
        assert not any(map(np.array_equal, kernels(other), kernels(model)))
        model.save_weights(file)
        other.load_weights(file)
        for actual, expected in zip(other.get_weights(), model.get_weights(), strict=True):
            assert np.array_equal(actual, expected)
