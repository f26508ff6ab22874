"""The classifier: what padding, the paths, a saved file and other precisions do to its logits."""

import functools
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from models.classifier import (
    MaskedPooling,
    NeighbourSum,
    PathAccuracy,
    PathCrossentropy,
    TextClassifier,
    build_classifier,
    has_wide_path,
    training_view,
)
from models.network_settings import ClassifierSettings
from models.recurrent_settings import RecurrentSettings
from models.text import SentencePieceText, train_sentencepiece

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


def viewed(model, ids):
    """What the training view of the model reads: with a wide path the labels too."""
    return (ids, np.zeros(len(ids), np.int32)) if has_wide_path(model) else ids


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
        ({}, {"stride": 2, "ngrams": 2}),
        ({**SEQUENCES, **BOTH, "go_backwards": True}, {"stride": 4, "wide_ngrams": 1}),
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


def test_neighbours_are_summed():
    sequence = noise(2, 7, 3)
    there = np.arange(7) < np.array([[7], [4]])
    expected = np.zeros((2, 3, 3), np.float32)
    for row, length in enumerate((7, 4)):
        for step in range(length):
            expected[row, step // 3] += sequence[row, step]
    assert_close(NeighbourSum(3)(sequence, there), expected)


def test_word_vectors_reach_the_embedding():
    vectors = noise(PIECES, 6)
    model = build_classifier(
        ClassifierSettings(embedding_size=6),
        RecurrentSettings(units=5),
        vocabulary_size=PIECES,
        classes=CLASSES,
        vectors=vectors,
    )
    np.testing.assert_array_equal(model.get_layer("embedding").get_weights()[0], vectors)
    assert model.get_layer("embedding").trainable


def test_dropouts_have_their_rates_and_work_in_training_only(build):
    rates = {"spatial_dropout": 0.2, "head_dropout": 0.3, "layer_dropout": 0.4, "ngram_dropout": 0.5}
    model = build(recurrent={"layers": 2}, ngrams=2, **rates)
    assert model.get_layer("spatial_dropout").rate == 0.2
    assert model.get_layer("head_dropout").rate == 0.3
    assert model.get_layer("ngrams").rate == 0.5
    assert [layer.rate for layer in model.layers if type(layer) is keras.layers.Dropout] == [0.4, 0.3]
    assert_close(model(IDS), model(IDS), 0)
    assert np.max(np.abs(model(IDS, training=True) - model(IDS))) > 1e-3
    without = build(recurrent={"layers": 2}, **dict.fromkeys(list(rates)[:3], 0.0))
    assert_close(without(IDS, training=True), without(IDS), 1e-7)


def test_options_that_make_no_sense_are_refused(build):
    with pytest.raises(ValueError, match="stateful=True makes no sense for a classifier"):
        build(recurrent={"stateful": True})


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("stride", [1, 2])
def test_unrolled_layers_take_a_fixed_length(build, cell, stride):
    looped = build(cell, {"bidirectional": True}, max_tokens=STEPS, stride=stride)
    unrolled = build(cell, {"bidirectional": True, "unroll": True}, max_tokens=STEPS, stride=stride)
    assert looped.input_shape == (None, None)
    assert unrolled.input_shape == (None, STEPS)
    assert_close(unrolled.predict(IDS, verbose=0), looped(IDS))


@pytest.fixture
def bfloat16():
    keras.config.set_dtype_policy("mixed_bfloat16")
    yield
    keras.config.set_dtype_policy("float32")


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("options", [{"stride": 2}, {"ngrams": 2, "wide_ngrams": 2, "pooling": "attention"}])
def test_logits_stay_float32_under_mixed_precision(build, cell, options, bfloat16):
    model = build(cell, SEQUENCES, **options)
    view = training_view(model)
    assert model(IDS).dtype == "float32"
    assert view(viewed(model, IDS)).dtype == "float32"
    assert model.get_layer("recurrent_1").compute_dtype == "bfloat16"
    keras.config.set_dtype_policy("float32")
    assert_close(model(IDS), build(cell, SEQUENCES, **options)(IDS), 0.1)


@pytest.mark.parametrize("cell", CELLS)
def test_the_training_view_shares_weights_and_averages_to_the_logits(build, cell):
    model = build(cell, SEQUENCES, wide_ngrams=2, wide_share=0.3, head_dropout=0.0, spatial_dropout=0.0)
    view = training_view(model)
    paths = np.asarray(view(viewed(model, IDS)))
    assert paths.shape == (len(IDS), 2, CLASSES)
    assert_close(0.7 * paths[:, 0] + 0.3 * paths[:, 1], model(IDS))
    assert {id(weight) for weight in view.weights} == {id(weight) for weight in model.weights}
    before = np.asarray(model(IDS))
    view.compile(optimizer="sgd", loss=PathCrossentropy())
    view.train_on_batch(viewed(model, IDS), np.zeros(len(IDS), np.int32))
    assert np.max(np.abs(model(IDS) - before)) > 1e-3


def test_without_a_wide_path_the_view_has_one(build):
    model = build()
    assert_close(training_view(model)(IDS)[:, 0], model(IDS))


def test_each_path_learns_from_its_own_loss_only(build):
    model = build(recurrent=SEQUENCES, ngrams=2, wide_ngrams=2)
    view = training_view(model)
    labels = np.array([0, 1, 2, 0, 1, 2])
    wide = {id(weight) for weight in model.get_layer("wide_logits").trainable_weights}
    variables = [weight.value for weight in view.trainable_weights]
    own = [int(id(weight) in wide) for weight in view.trainable_weights]
    assert sorted(own)[-2:] == [1, 1]
    with tf.GradientTape(persistent=True) as tape:
        logits = view(viewed(model, IDS))
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


@pytest.mark.parametrize("paths", [1, 2])
def test_accuracy_is_that_of_the_average(paths):
    labels = np.random.default_rng(0).integers(0, CLASSES, 60)
    logits = noise(60, paths, CLASSES)
    mixed = logits[:, 0] if paths == 1 else 0.8 * logits[:, 0] + 0.2 * logits[:, 1]
    right = mixed.argmax(axis=-1) == labels
    assert 0.1 < right.mean() < 0.9
    metric = PathAccuracy(wide_share=0.2)
    metric.update_state(labels[:40], logits[:40])
    metric.update_state(labels[40:], logits[40:])
    assert float(metric.result()) == pytest.approx(right.mean())


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


@pytest.mark.parametrize("unroll", [False, True])
def test_text_in_label_out(unroll):
    texts = ["a good film", "a bad film, and a long one", "", "  ", "good\0bad", "👍 좋은 영화"]
    pieces = train_sentencepiece(["a good film", "a bad film, and a long one"] * 20, size=40)
    text = SentencePieceText(pieces, max_tokens=8)
    model = build_classifier(
        ClassifierSettings(max_tokens=8),
        RecurrentSettings(units=4, unroll=unroll),
        vocabulary_size=40,
        classes=2,
    )
    classifier = TextClassifier(model, text, ["bad", "good"])
    answer = classifier.classify(tf.constant(texts))
    logits = model(text.ids(tf.constant(texts), 8))
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert_close(answer["probabilities"], probabilities)
    assert_close(answer["probability"], probabilities.max(axis=1))
    names = np.array([b"bad", b"good"])
    assert answer["label"].numpy().tolist() == names[probabilities.argmax(axis=1)].tolist()
    assert answer["classes"].numpy().tolist() == [names.tolist()] * len(texts)
    assert_close(answer["probabilities"][2], answer["probabilities"][3])  # both are no text
    for one, expected in zip(texts, probabilities, strict=True):
        alone = classifier.classify(tf.constant([one]))
        assert_close(alone["probabilities"][0], expected)


@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16", "float64"])
def test_a_model_of_another_precision_is_the_same_when_it_is_loaded(build, precision, tmp_path):
    keras.config.set_dtype_policy(precision)
    model = build("gru", SEQUENCES, ngrams=2, wide_ngrams=2, pooling="attention")
    keras.config.set_dtype_policy("float32")
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras", compile=False)
    np.testing.assert_array_equal(again(IDS), model(IDS))
