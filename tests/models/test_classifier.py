"""The classifier: what padding, the paths, a saved file and other precisions do to its logits."""

import functools
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from models.classifier import build_classifier
from models.losses import PathCrossentropy
from models.network_settings import ClassifierSettings
from models.recurrent_settings import RecurrentSettings

CELLS = ("lstm", "gru", "simple_rnn")
PIECES, CLASSES, STEPS = 30, 3, 9
TEXTS = [[4, 5, 6, 7], [5, 6], [9], [4, 5, 6, 7, 8, 9, 4, 5, 6], [], [29, 28, 5, 6, 4]]
IDS = np.array([text + [0] * (STEPS - len(text)) for text in TEXTS], np.int32)


def noise(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


@pytest.fixture(scope="module")
def build(random_classifier):
    """Builds a small classifier of random weights."""
    return functools.partial(random_classifier, IDS, PIECES, CLASSES)


def training_inputs(model, ids):
    """The inputs of the training model: with a wide path the labels too."""
    return (ids, np.zeros(len(ids), np.int32)) if model.wide is not None else ids


def assert_close(actual, expected, tolerance=1e-5):
    np.testing.assert_allclose(np.asarray(actual), np.asarray(expected), rtol=0, atol=tolerance)


def spread(logits):
    """How far the texts' logits lie apart: a network that ignores its input has 0."""
    return np.min(np.std(np.asarray(logits), axis=0))


BOTH = {"bidirectional": True, "layers": 2}
SEQUENCES = {"return_sequences": True}


@pytest.mark.filterwarnings("ignore:You are using a softmax over axis 1")  # of a text with a single step
@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize(
    ("recurrent", "settings"),
    [
        ({}, {}),
        ({"go_backwards": True, "layers": 2}, {}),
        ({**BOTH, "go_backwards": True, "merge_mode": "sum"}, {}),
        (SEQUENCES, {"pooling": "max"}),
        (SEQUENCES, {"pooling": "mean"}),
        (SEQUENCES, {}),
        (SEQUENCES, {"pooling": "attention"}),
        ({**SEQUENCES, "go_backwards": True}, {"pooling": "attention"}),
        ({**SEQUENCES, **BOTH, "go_backwards": True}, {}),
        ({}, {"ngrams": 3}),
        ({**SEQUENCES, **BOTH}, {"ngrams": 3, "wide_ngrams": 2}),
        ({}, {"pool_size": 2, "ngrams": 2}),
        ({**SEQUENCES, **BOTH, "go_backwards": True}, {"pool_size": 4, "wide_ngrams": 1}),
    ],
    ids=lambda options: ",".join(f"{name}={value}" for name, value in options.items()) or "-",
)
def test_padding_changes_no_logits(build, cell, recurrent, settings):
    model = build(cell, recurrent, **settings)
    together = np.asarray(model(IDS))
    assert np.all(np.isfinite(together))
    assert spread(together) > 1e-3
    assert_close(model(np.pad(IDS, [(0, 0), (0, 5)])), together)
    for row in (0, 2, 4):  # of four pieces, one, and none
        assert_close(model(np.array([TEXTS[row] or [0]], np.int32))[0], together[row])


def test_word_vectors_reach_the_embedding():
    vectors = noise(PIECES, 6)
    model = build_classifier(
        ClassifierSettings(embedding_size=6),
        RecurrentSettings(units=5),
        vocabulary_size=PIECES,
        classes=CLASSES,
        vectors=vectors,
    )
    np.testing.assert_array_equal(model.embedding.get_weights()[0], vectors)
    assert model.embedding.trainable


def test_dropouts_have_their_rates_and_work_in_training_only(build):
    rates = {"embedding_dropout": 0.2, "output_dropout": 0.3, "layer_dropout": 0.4, "ngram_dropout": 0.5}
    model = build(recurrent={"layers": 2}, ngrams=2, **rates)
    assert [layer.rate for layer in model.layers if type(layer) is keras.layers.SpatialDropout1D] == [0.2]
    assert model.ngrams.rate == 0.5
    assert [layer.rate for layer in model.layers if type(layer) is keras.layers.Dropout] == [0.4, 0.3]
    assert_close(model(IDS), model(IDS), 0)
    assert np.max(np.abs(model(IDS, training=True) - model(IDS))) > 1e-3
    without = build(recurrent={"layers": 2}, **dict.fromkeys(list(rates)[:3], 0.0))
    assert_close(without(IDS, training=True), without(IDS), 1e-7)


def test_options_that_make_no_sense_are_refused(build):
    with pytest.raises(ValueError, match="stateful=True makes no sense for a classifier"):
        build(recurrent={"stateful": True})


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("pool_size", [1, 2])
def test_unrolled_layers_take_a_fixed_length(build, cell, pool_size):
    looped = build(cell, {"bidirectional": True}, max_tokens=STEPS, pool_size=pool_size)
    unrolled = build(cell, {"bidirectional": True, "unroll": True}, max_tokens=STEPS, pool_size=pool_size)
    assert looped.input_shape == (None, None)
    assert unrolled.input_shape == (None, STEPS)
    assert (looped.timesteps, unrolled.timesteps) == (None, STEPS)
    assert_close(unrolled.predict(IDS, verbose=0), looped(IDS))


@pytest.fixture
def bfloat16():
    keras.config.set_dtype_policy("mixed_bfloat16")
    yield
    keras.config.set_dtype_policy("float32")


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("options", [{"pool_size": 2}, {"ngrams": 2, "wide_ngrams": 2, "pooling": "attention"}])
def test_logits_stay_float32_under_mixed_precision(build, cell, options, bfloat16):
    model = build(cell, SEQUENCES, **options)
    training_model = model.training_model()
    assert model(IDS).dtype == "float32"
    assert training_model(training_inputs(model, IDS)).dtype == "float32"
    assert model.recurrent_layers[0].compute_dtype == "bfloat16"
    keras.config.set_dtype_policy("float32")
    assert_close(model(IDS), build(cell, SEQUENCES, **options)(IDS), 0.1)


@pytest.mark.parametrize("cell", CELLS)
def test_the_training_model_shares_weights_and_averages_to_the_logits(build, cell):
    model = build(cell, SEQUENCES, wide_ngrams=2, wide_share=0.3, output_dropout=0.0, embedding_dropout=0.0)
    training_model = model.training_model()
    paths = np.asarray(training_model(training_inputs(model, IDS)))
    assert paths.shape == (len(IDS), 2, CLASSES)
    assert_close(0.7 * paths[:, 0] + 0.3 * paths[:, 1], model(IDS))
    assert {id(weight) for weight in training_model.weights} == {id(weight) for weight in model.weights}
    before = np.asarray(model(IDS))
    training_model.compile(optimizer="sgd", loss=PathCrossentropy())
    training_model.train_on_batch(training_inputs(model, IDS), np.zeros(len(IDS), np.int32))
    assert np.max(np.abs(model(IDS) - before)) > 1e-3


def test_without_a_wide_path_the_training_model_has_one(build):
    model = build()
    assert_close(model.training_model()(IDS)[:, 0], model(IDS))


def test_each_path_learns_from_its_own_loss_only(build):
    model = build(recurrent=SEQUENCES, ngrams=2, wide_ngrams=2)
    training_model = model.training_model()
    labels = np.array([0, 1, 2, 0, 1, 2])
    wide = {id(weight) for weight in model.wide.trainable_weights}
    variables = [weight.value for weight in training_model.trainable_weights]
    own = [int(id(weight) in wide) for weight in training_model.trainable_weights]
    assert sorted(own)[-2:] == [1, 1]
    with tf.GradientTape(persistent=True) as tape:
        logits = training_model(training_inputs(model, IDS))
        both = PathCrossentropy()(labels, logits)
        alone = [PathCrossentropy()(labels, logits[:, path : path + 1]) for path in (0, 1)]
    of_both, *of_one = (
        [np.asarray(tf.convert_to_tensor(gradient)) for gradient in tape.gradient(loss, variables, None, "zero")]
        for loss in (both, *alone)
    )
    for index, path in enumerate(own):
        assert np.any(of_one[path][index])
        assert not np.any(of_one[1 - path][index])
        assert_close(of_both[index], of_one[path][index])


@pytest.mark.slow
def test_saved_models_give_the_same_logits_in_a_fresh_process(build, tmp_path):
    recurrent = {**SEQUENCES, **BOTH, "go_backwards": True, "kernel_regularizer": "l2(0.01)"}
    expected = {}
    for cell in CELLS:
        model = build(cell, recurrent, ngrams=3, ngram_dropout=0.1, wide_ngrams=2, wide_share=0.3, pooling="attention")
        model.save(tmp_path / f"{cell}.keras")
        expected[cell] = np.asarray(model(IDS))
    np.save(tmp_path / "ids.npy", IDS)
    program = """
import sys
from pathlib import Path
import keras
import numpy as np
import models.classifier

folder = Path(sys.argv[1])
for path in folder.glob("*.keras"):
    np.save(path.with_suffix(".npy"), keras.saving.load_model(path)(np.load(folder / "ids.npy")))
"""
    subprocess.run([sys.executable, "-c", program, tmp_path], cwd=Path(__file__).parents[2], check=True)
    for cell, logits in expected.items():
        assert_close(np.load(tmp_path / f"{cell}.npy"), logits, 1e-6)


@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16", "float64"])
def test_a_model_of_another_precision_is_the_same_when_it_is_loaded(build, precision, tmp_path):
    keras.config.set_dtype_policy(precision)
    model = build("gru", SEQUENCES, ngrams=2, wide_ngrams=2, pooling="attention")
    keras.config.set_dtype_policy("float32")
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras", compile=False)
    np.testing.assert_array_equal(again(IDS), model(IDS))
