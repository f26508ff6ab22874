"""The characters of pieces, and a linear model on their n-grams beside a network that reads pieces."""

import keras
import numpy as np
import pytest

from models.attribution import IntegratedGradients
from models.classifier import build_classifier
from models.linear_ngrams import LinearModel
from models.network_settings import ClassifierSettings
from models.network_sizes import classifier_parts
from models.ngram_counts import characters_of, frequent_ngrams
from models.piece_characters import character_table
from models.recurrent_settings import RecurrentSettings

PIECES = ["<pad>", "<unk>", "<s>", "</s>", "▁", "▁ab", "abc", "c"]
IDS = np.array([[5, 6, 1, 7], [7, 4, 0, 0], [0, 0, 0, 0]], np.int32)
TEXTS = ["▁ababc?c", "c▁", ""]


def classifier():
    table = character_table(PIECES)
    settings = ClassifierSettings(embedding_size=3, wide_ngrams=2, wide_units="characters", wide_features="tf_idf")
    keys = frequent_ngrams([characters_of(IDS, table)], 1, 2, min_count=1, max_size=100)
    noise = np.random.default_rng(0)
    shapes = (len(keys) + 1,), (len(keys) + 1, 2), (2,)
    model = LinearModel(*(noise.normal(size=shape).astype(np.float32) for shape in shapes))
    options = {"vocabulary_size": len(PIECES), "classes": 2, "wide_keys": keys, "wide_model": model}
    return build_classifier(settings, RecurrentSettings(units=4), **options, piece_characters=table)


def test_the_characters_are_those_of_the_pieces_inside_the_graph_and_outside():
    table = character_table(PIECES)
    names = dict(enumerate(["", "?", *sorted("▁abc")]))
    expected = characters_of(IDS, table)
    assert ["".join(names[index] for index in row) for row in expected.tolist()] == TEXTS
    model = classifier()
    np.testing.assert_array_equal(model.piece_characters(IDS), expected)


def test_the_linear_model_reads_the_characters_also_when_it_is_saved(tmp_path):
    model = classifier()
    paths = keras.Function(model.inputs, model.wide.output)
    np.testing.assert_allclose(paths([IDS]), model.wide(characters_of(IDS, character_table(PIECES))), atol=1e-6)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded(IDS, training=False), model(IDS, training=False))
    sizes = {"wide_count": model.wide.size, "piece_width": model.piece_characters.width}
    parts = classifier_parts(model.settings, model.recurrent, len(PIECES), 2, **sizes)
    assert sum(part.parameters for part in parts) == model.count_params()


def test_the_contributions_of_the_pieces_add_up():
    found = IntegratedGradients(classifier())(IDS[:1], 1, steps=200)
    assert found.tokens.shape == (IDS.shape[1],)
    assert found.baseline + found.tokens.sum() == pytest.approx(found.difference, abs=1e-3)
