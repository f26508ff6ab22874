"""The loss of language models, added to that of a classifier."""

import keras
import numpy as np
import pytest

from models.language_model import build_language_model
from models.language_model_loss import LanguageModelLoss, training_model
from models.network_settings import LanguageModelSettings
from models.recurrent_settings import RecurrentSettings
from models.separate_directions import set_language_model
from models.text import EOS
from tests.models.test_separate_directions import IDS, LAYERS, SIZE, UNITS, classifier

LABELS, WEIGHT = np.array([0, 1, 1]), 0.1
NO_DROPOUT = {"embedding_dropout": 0.0, "output_dropout": 0.0}


def language_model(tied: bool):
    settings = LanguageModelSettings(embedding_size=3, tied_embeddings=tied, output_bias=tied, residual=True)
    return build_language_model(settings, RecurrentSettings(units=UNITS, layers=LAYERS), SIZE)


def nats(model, reverse: bool) -> float:
    """The mean cross-entropy of the ids, each text read by itself."""
    states, total = [np.zeros((1, UNITS), np.float32) for _ in model.state_names], []
    for row in IDS:
        ids = [index for index in row if index][:: -1 if reverse else 1]
        logits = np.asarray(model([np.array([[EOS, *ids[:-1]]], np.int32), *states])[0])[0]
        total += [np.log(np.exp(line).sum()) - line[index] for line, index in zip(logits, ids, strict=True)]
    return float(np.mean(total))


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16", "float64"])
def test_the_logits_stay_as_they_are_under_every_policy(policy):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        model, other = classifier("forward"), language_model(True)
        trained = training_model(model, [LanguageModelLoss(model.directions[0], other, [1] * SIZE, WEIGHT)])
        assert trained.output.dtype == model.training_model().output.dtype == "float32"
        crossentropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True, axis=-1)
        trained.compile(keras.optimizers.SGD(0.1), loss=lambda labels, logits: crossentropy(labels, logits[:, 0]))
        assert np.isfinite(trained.train_on_batch(IDS, LABELS))
    finally:
        keras.config.set_dtype_policy(before)


@pytest.mark.parametrize("tied", [True, False])
def test_it_is_that_of_the_language_models_and_a_validation_is_without_it(tied):
    keras.utils.set_random_seed(0)
    model, others = (
        classifier("both", embedding_dropout=0.0, output_dropout=0.0),
        [language_model(tied), language_model(tied)],
    )
    for direction, other in zip(model.directions, others, strict=True):
        other.set_weights([10 * value for value in other.get_weights()])  # otherwise every id is as probable
        set_language_model(direction, other)
    losses = [
        LanguageModelLoss(direction, other, [1] * SIZE, WEIGHT)
        for direction, other in zip(model.directions, others, strict=True)
    ]
    trained = training_model(model, losses)
    crossentropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True, axis=-1)
    trained.compile(keras.optimizers.SGD(0.0), loss=lambda labels, logits: crossentropy(labels, logits[:, 0]))
    alone = trained.evaluate(IDS, LABELS, verbose=0)
    expected = alone + WEIGHT * (nats(others[0], False) + nats(others[1], True))
    assert nats(others[0], False) != pytest.approx(nats(others[0], True), rel=0.05)
    trained.reset_metrics()  # the loss is a mean that goes on, before Keras 3.14
    assert trained.train_on_batch(IDS, LABELS) == pytest.approx(expected, rel=1e-4)
    assert trained.evaluate(IDS, LABELS, verbose=0) == pytest.approx(alone, rel=1e-5)
    for layer in [layer for loss in losses for layer in loss.output_layers]:  # trained as well
        assert {id(one) for one in layer.trainable_variables} <= {id(one) for one in trained.trainable_variables}


@pytest.mark.slow
def test_of_a_large_vocabulary_ids_are_sampled(monkeypatch):
    monkeypatch.setattr("models.language_model_loss.SAMPLES", SIZE - 1)
    model, other = classifier("forward", **NO_DROPOUT), language_model(tied=True)
    set_language_model(model.directions[0], other)
    loss = LanguageModelLoss(model.directions[0], other, [1] * SIZE, 1.0)
    layer = keras.Model(model.input, loss(model.output, model.directions[0].outputs, model.input))
    found = []
    for _ in range(100):
        layer(IDS, training=True)
        found += [float(value) for value in layer.losses]
    assert np.std(found) > 0 and np.mean(found) == pytest.approx(nats(other, False), abs=0.05)
