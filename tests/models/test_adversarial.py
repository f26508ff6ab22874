"""Adversarial training: where the vectors are moved to, and what that does to a classifier."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from models.classifier import Classifier
from models.losses import PathCrossentropy
from models.metrics import PathAccuracy, PathMacroF1
from models.network_settings import ClassifierSettings
from models.recurrent_settings import CELLS, RecurrentSettings

SIZE, CLASSES, EPSILON = 20, 3, 0.05
IDS = np.array([[4, 5, 6, 7, 9], [8, 6, 0, 0, 0], [7, 0, 0, 0, 0], [0, 0, 0, 0, 0]], np.int32)
LABELS = np.array([0, 1, 2, 1], np.int32)
DIRECTIONS = {"bidirectional": True, "return_sequences": True}
NETWORKS = {
    "joined": ({}, {}),
    "pooled": ({"pool_size": 2}, {"go_backwards": True}),
    "separate directions": ({"separate_directions": True}, DIRECTIONS),
    "unrolled": ({"max_tokens": 5}, {"unroll": True}),
}


def classifier(cell="lstm", network="joined", **options):
    settings, recurrent = NETWORKS[network]
    no_dropout = {"embedding_dropout": 0.0, "output_dropout": 0.0}
    settings = ClassifierSettings(embedding_size=3, **no_dropout, **settings, **options)
    keras.utils.set_random_seed(0)
    model = Classifier(settings, RecurrentSettings(cell=cell, units=4, **recurrent), SIZE, CLASSES)
    model.set_weights([3 * value if value.dtype == np.float32 else value for value in model.get_weights()])
    return model


def nats(logits, labels=LABELS) -> np.ndarray:
    logits = np.asarray(logits, np.float64)
    return np.log(np.exp(logits).sum(axis=-1)) - logits[np.arange(len(logits)), labels]


def norm(vectors) -> np.ndarray:
    return np.sqrt(np.square(vectors).sum(axis=(1, 2), keepdims=True))


@pytest.mark.filterwarnings("ignore:You are using a softmax over axis 1")
@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("network", NETWORKS)
def test_the_vectors_move_by_a_share_of_their_length_to_where_the_loss_grows_fastest(cell, network):
    model = classifier(cell, network)
    path = keras.Model([model.input, model.token_vectors], model.recurrent_logits.output)
    vectors = np.asarray(keras.Model(model.input, model.token_vectors)(IDS))
    paths = model.training_model(EPSILON)((IDS, LABELS), training=True)
    assert paths.shape == (len(IDS), 2, CLASSES)
    np.testing.assert_allclose(paths[:, 0], model(IDS), atol=1e-5)
    # The gradient by differences, of one coordinate at a time.
    is_token, step = (IDS != 0)[..., None], 1e-2
    gradient = np.zeros(vectors.shape)
    for place in np.ndindex(vectors.shape[1:]):
        shift = np.zeros(vectors.shape, np.float32)
        shift[:, *place] = step
        higher, lower = (nats(path([IDS, vectors + sign * shift])) for sign in (1, -1))
        gradient[:, *place] = (higher - lower) / (2 * step)
    gradient *= is_token
    moved = EPSILON * norm(vectors * is_token) * gradient / np.maximum(norm(gradient), 1e-9)
    expected = path([IDS, (vectors + moved).astype(np.float32)])
    np.testing.assert_allclose(paths[:3, 1], expected[:3], atol=2e-3)
    assert (nats(paths[:, 1]) > nats(paths[:, 0]))[:3].all()
    np.testing.assert_allclose(paths[3, 1], paths[3, 0], atol=1e-6)  # a text without a token has no vectors


def test_a_validation_has_the_other_paths_only():
    model = classifier(wide_ngrams=2)
    plain, adversarial = model.training_model(), model.training_model(EPSILON)
    np.testing.assert_allclose(adversarial((IDS, LABELS)), plain((IDS, LABELS)), atol=1e-6)
    trained = np.asarray(adversarial((IDS, LABELS), training=True))
    assert trained.shape == (len(IDS), 3, CLASSES)
    np.testing.assert_allclose(trained[:, :2], plain((IDS, LABELS), training=True), atol=1e-6)
    assert {id(one) for one in adversarial.weights} == {id(one) for one in plain.weights}


@pytest.mark.parametrize("wide_ngrams", [0, 1])
def test_the_adversarial_path_counts_in_the_loss_and_in_no_metric(wide_ngrams):
    reports, far = [], 20.0  # the predictions for moved vectors are others
    for epsilon in (0.0, far):
        model = classifier(wide_ngrams=wide_ngrams)
        if wide_ngrams:
            model.wide.set_counts(np.ones((model.wide.size + 1, CLASSES), np.float32))
        paths = 1 + wide_ngrams
        metrics = [PathAccuracy(0.3, paths=paths), PathMacroF1(0.3, CLASSES, paths=paths)]
        training_model = model.training_model(epsilon)
        inputs = (IDS, LABELS) if len(training_model.inputs) > 1 else IDS
        logits = np.asarray(training_model(inputs, training=True))
        training_model.compile("sgd", PathCrossentropy(), metrics=metrics)
        weights = np.array([1.0, 2.0, 0.0, 1.0], np.float32)
        reports.append(training_model.train_on_batch(inputs, LABELS, sample_weight=weights, return_dict=True))
    plain, adversarial = reports
    assert (logits[:, -1].argmax(axis=-1) != logits[:, 0].argmax(axis=-1)).any()
    assert adversarial["accuracy"] == plain["accuracy"] and adversarial["macro_f1"] == plain["macro_f1"]
    assert adversarial["loss"] == pytest.approx(plain["loss"] + np.mean(weights * nats(logits[:, -1])), rel=1e-4)


def test_the_weights_learn_from_the_moved_vectors_and_not_from_how_they_were_moved():
    model = classifier()
    vectors = keras.Model(model.input, model.token_vectors)
    path = keras.Model([model.input, model.token_vectors], model.recurrent_logits.output)
    variables, ids = [one.value for one in model.trainable_variables], tf.constant(IDS)
    training_model = model.training_model(EPSILON)
    layer = training_model.get_layer("adversarial_path")
    with tf.GradientTape() as tape:
        moved = training_model((IDS, LABELS), training=True)[:, -1]
        loss = PathCrossentropy()(LABELS, moved[:, None])
    ours = tape.gradient(loss, variables)
    with tf.GradientTape() as tape:
        tape.watch(before := vectors(IDS))
        crossentropy = tf.nn.sparse_softmax_cross_entropy_with_logits(LABELS, path([ids, before]))
    gradient = tape.gradient(crossentropy, before).numpy() * (IDS != 0)[..., None]
    shift = layer.epsilon * norm(before * (IDS != 0)[..., None]) * gradient / np.maximum(norm(gradient), 1e-9)
    with tf.GradientTape() as tape:
        loss = PathCrossentropy()(LABELS, path([ids, vectors(IDS) + shift])[:, None])
    for one, other in zip(ours, tape.gradient(loss, variables), strict=True):
        one, other = (np.asarray(tf.convert_to_tensor(each)) for each in (one, other))
        assert np.abs(other).max() > 0
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_a_metric_that_does_not_know_the_number_of_paths_says_so():
    training_model = classifier(wide_ngrams=1).training_model(EPSILON)
    training_model.compile("sgd", PathCrossentropy(), metrics=[PathAccuracy(0.3)])
    with pytest.raises(ValueError, match="3 paths: give the metric the number of those to average"):
        training_model.train_on_batch((IDS, LABELS), LABELS)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_under_mixed_precision_the_vectors_move_too_also_of_texts_that_are_classified_well(policy):
    for scale, lowest in ((1, 1.0), (55, 1e-6)):  # of the logits
        shifts = []
        for name in ("float32", policy):
            keras.config.set_dtype_policy(name)
            try:
                model = classifier("gru")
                training_model = model.training_model(1.0)
            finally:
                keras.config.set_dtype_policy("float32")
            kernel, bias = model.recurrent_logits.get_weights()
            model.recurrent_logits.set_weights([scale * kernel, scale * bias])
            labels = np.argmax(model(IDS), axis=-1).astype(np.int32)
            paths = training_model((IDS, labels), training=True)
            assert paths.dtype == training_model.output.dtype == "float32"
            shifts.append(np.asarray(paths[:3, 1] - paths[:3, 0]) / scale)
        assert nats(paths[:3, 0], labels[:3]).min() < lowest
        np.testing.assert_allclose(*shifts, atol=0.1 * np.abs(shifts[0]).max())
