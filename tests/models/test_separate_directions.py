"""A classifier that reads a text as language models do has the states of the language models."""

import keras
import numpy as np
import pytest

from models.attribution import IntegratedGradients
from models.classifier import Classifier, build_classifier
from models.language_model import build_language_model
from models.losses import PathCrossentropy
from models.network_settings import ClassifierSettings, LanguageModelSettings
from models.network_sizes import classifier_parts
from models.ngram_counts import frequent_ngrams
from models.recurrent_settings import CELLS, RecurrentSettings
from models.separate_directions import set_language_model
from models.text import EOS

SIZE, UNITS, LAYERS = 20, 4, 2
IDS = np.array([[4, 5, 6, 7, 9], [8, 6, 0, 0, 0], [7, 0, 0, 0, 0]], np.int32)
DIRECTIONS = {"forward": {}, "backward": {"go_backwards": True}, "both": {"bidirectional": True}}


def classifier(directions, cell="lstm", **options):
    settings = ClassifierSettings(embedding_size=3, separate_directions=True, residual=True, **options)
    recurrent = RecurrentSettings(
        cell=cell, units=UNITS, layers=LAYERS, return_sequences=True, **DIRECTIONS[directions]
    )
    return Classifier(settings, recurrent, SIZE, 2)


def language_model(cell):
    settings = LanguageModelSettings(embedding_size=3, tied_embeddings=True, residual=True)
    return build_language_model(settings, RecurrentSettings(cell=cell, units=UNITS, layers=LAYERS), SIZE)


def read(model, ids):
    """What a language model computes its logits from without the projection: after the end token, and each id."""
    states = [np.zeros((1, UNITS), np.float32) for _ in model.state_names]
    before = model.projection.input if model.projection is not None else model.features
    return np.asarray(keras.Function(model.inputs, before)([np.array([[EOS, *ids]], np.int32), *states]))[0, 1:]


@pytest.mark.parametrize("cell", CELLS)
def test_the_features_are_the_pooled_states_of_the_language_models(cell):
    model, others = classifier("both", cell), [language_model(cell), language_model(cell)]
    for direction, other in zip(model.directions, others, strict=True):
        set_language_model(direction, other)
    features = np.asarray(keras.Function(model.inputs, model.recurrent_logits.input)([IDS]))
    for row, ids in enumerate(IDS):
        ids = ids[ids != 0]
        expected = []
        for other, text in zip(others, (ids, ids[::-1]), strict=True):
            outputs = read(other, text)
            expected += [outputs.max(axis=0), outputs.mean(axis=0), outputs[-1]]
        np.testing.assert_allclose(features[row], np.concatenate(expected), atol=1e-5)


@pytest.mark.parametrize("directions", DIRECTIONS)
def test_padding_changes_nothing_and_the_saved_network_is_the_same(directions, tmp_path):
    model = classifier(directions, wide_ngrams=1)
    logits = model(IDS, training=False).numpy()
    np.testing.assert_allclose(model(IDS[1:2, :2], training=False).numpy(), logits[1:2], atol=1e-6)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert [one.name for one in loaded.directions] == [one.name for one in model.directions]
    np.testing.assert_array_equal(loaded(IDS, training=False).numpy(), logits)
    assert sum(part.parameters for part in classifier_parts(model.settings, model.recurrent, SIZE, 2)) == (
        model.count_params()
    )


@pytest.mark.parametrize("ngram_size", [None, 2])
@pytest.mark.parametrize("directions", DIRECTIONS)
def test_n_gram_vectors_start_without_effect_and_are_learned(directions, ngram_size, tmp_path):
    recurrent = RecurrentSettings(units=UNITS, layers=LAYERS, return_sequences=True, **DIRECTIONS[directions])
    keys = frequent_ngrams([IDS], 2, 3, min_count=1, max_size=20)
    options = {"embedding_size": 3, "separate_directions": True}
    keras.utils.set_random_seed(0)
    plain = build_classifier(ClassifierSettings(**options), recurrent, vocabulary_size=SIZE, classes=2)
    settings = ClassifierSettings(**options, ngrams=3, ngram_size=ngram_size)
    model = build_classifier(settings, recurrent, vocabulary_size=SIZE, classes=2, ngram_keys=keys)
    for one, other in zip(model.directions, plain.directions, strict=True):
        one.embedding.set_weights(other.embedding.get_weights())
        for layer, same in zip(one.layers, other.layers, strict=True):
            layer.set_weights(same.get_weights())
    model.recurrent_logits.set_weights(plain.recurrent_logits.get_weights())
    before = plain(IDS, training=False).numpy()
    np.testing.assert_array_equal(model(IDS, training=False).numpy(), before)

    training_model = model.training_model()
    training_model.compile("sgd", PathCrossentropy())
    training_model.fit(IDS, np.array([0, 1, 0]), epochs=2, verbose=0)
    assert np.abs(model.ngrams.vectors.get_weights()[0]).max() > 0
    logits = model(IDS, training=False).numpy()
    np.testing.assert_allclose(model(IDS[1:2, :2], training=False).numpy(), logits[1:2], atol=1e-6)
    model.save(tmp_path / "model.keras")
    np.testing.assert_array_equal(
        keras.saving.load_model(tmp_path / "model.keras")(IDS, training=False).numpy(), logits
    )
    parts = classifier_parts(settings, recurrent, SIZE, 2, ngram_count=len(keys))
    assert sum(part.parameters for part in parts) == model.count_params()


def test_the_contributions_of_the_tokens_add_up():
    found = IntegratedGradients(classifier("both"))(IDS[:1], 1, steps=200)
    assert abs(found.error) < 0.02 * abs(found.difference - found.baseline) + 1e-4
    assert np.count_nonzero(found.tokens) == IDS.shape[1]


@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_the_gates_are_those_of_the_tokens_in_their_order(direction):
    model, other = classifier("both"), language_model("lstm")
    for one in model.directions:
        set_language_model(one, other)
    text = IDS[0] if direction == "forward" else IDS[0][::-1]
    states = model.gates(LAYERS, IDS[:1], direction=direction)["state"][0]
    if direction == "backward":
        states = states[::-1]
    below = model.gates(1, IDS[:1], direction=direction)["state"][0]
    below = below[::-1] if direction == "backward" else below
    np.testing.assert_allclose(states + below, read(other, text), atol=1e-5)


def test_a_layer_that_does_not_exist_is_an_error():
    with pytest.raises(ValueError, match="no recurrent layer 3: the model classifier has 2"):
        classifier("both").gates(3, IDS)
    with pytest.raises(ValueError, match="direction backward"):
        classifier("forward").gates(1, IDS, direction="backward")


@pytest.mark.parametrize(
    ("options", "recurrent"),
    [
        ({"pool_size": 2}, {}),
        ({}, {"return_sequences": False}),
        ({}, {"bidirectional": True, "merge_mode": "sum"}),
        ({}, {"bidirectional": True, "go_backwards": True}),
    ],
)
def test_options_that_do_not_go_with_it_are_named(options, recurrent):
    settings = ClassifierSettings(separate_directions=True, **options)
    with pytest.raises(ValueError, match="|".join([*options, *recurrent])):
        settings.check_recurrent(RecurrentSettings(**{"return_sequences": True, **recurrent}))
