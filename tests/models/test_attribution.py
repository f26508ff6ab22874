"""Attributions: complete, in the right places, and those of a linear model are what its parts add."""

import functools

import keras
import numpy as np
import pytest

from models.attribution import IntegratedGradients
from models.ngrams import ngram_hashes

PIECES, CLASSES, LENGTH, PADDING = 12, 3, 7, 2
IDS = np.array([[4, 5, 6, 4, 5, 7, 4] + [0] * PADDING], np.int32)  # (4, 5) occurs twice


@pytest.fixture(scope="module")
def build(random_classifier):
    """Builds a small classifier of random weights."""
    return functools.partial(random_classifier, IDS, PIECES, CLASSES)


def decision(model, ids, class_index):
    logits = np.asarray(model(ids), np.float64)[0]
    return logits[class_index] - np.delete(logits, class_index).mean()


WIDE = {"wide_ngrams": 2, "wide_share": 0.3}


@pytest.mark.parametrize(
    ("recurrent", "settings", "tolerance"),
    [
        ({"cell": "lstm"}, {}, 1e-4),
        ({"cell": "gru", "bidirectional": True, "layers": 2}, {**WIDE, "pool_size": 2, "ngrams": 2}, 1e-4),
        ({"cell": "gru", "go_backwards": True}, {**WIDE, "embedding_dropout": 0.0}, 1e-4),
        ({"cell": "gru"}, {**WIDE, "wide_features": "tf_idf"}, 1e-4),
        ({"cell": "simple_rnn", "return_sequences": True}, {"pool_size": 2, "pooling": "attention"}, 1e-4),
        # The maximum has corners, which a rule of 64 steps sees less well.
        ({"cell": "lstm", "return_sequences": True}, {"ngrams": 3, "embedding_dropout": 0.0}, 1e-2),
    ],
    ids=str,
)
def test_the_parts_sum_to_the_decision(build, recurrent, settings, tolerance):
    model = build(recurrent=recurrent, **settings)
    explain = IntegratedGradients(model)
    for class_index in range(CLASSES):
        found = explain(IDS, class_index)
        assert found.difference == pytest.approx(decision(model, IDS, class_index), abs=1e-5)
        assert np.abs(found.tokens).sum() > 0.1
        assert found.baseline + found.tokens.sum() == pytest.approx(found.difference, abs=tolerance)
        assert found.error == pytest.approx(found.difference - found.baseline - found.tokens.sum())
        assert found.tokens.shape == (LENGTH + PADDING,)
        assert np.all(found.tokens[:LENGTH] != 0.0)
        np.testing.assert_array_equal(found.tokens[LENGTH:], 0.0)
    without_padding = explain(IDS[:, :LENGTH], 0).tokens
    np.testing.assert_allclose(without_padding, explain(IDS, 0).tokens[:LENGTH], atol=1e-5)


@pytest.mark.parametrize("pool_size", [1, 3])
def test_in_a_linear_model_a_token_adds_what_goes_without_its_vector(build, pool_size):
    model = build(recurrent={"cell": "simple_rnn", "activation": None, "layers": 2}, pool_size=pool_size)
    found = IntegratedGradients(model)(IDS, 1, steps=1)
    embedding = model.embedding
    (table,) = embedding.get_weights()
    for piece in (5, 6, 7):
        embedding.set_weights([np.where(np.arange(PIECES)[:, None] == piece, 0.0, table)])
        without = decision(model, IDS, 1)
        assert found.tokens[IDS[0] == piece].sum() == pytest.approx(found.difference - without, abs=1e-5)
    embedding.set_weights([0.0 * table])
    assert found.baseline == pytest.approx(decision(model, IDS, 1), abs=1e-5)


def test_a_vector_of_an_ngram_counts_where_the_ngram_ends(build):
    model = build(recurrent={"cell": "simple_rnn", "activation": None}, ngrams=2)
    found = IntegratedGradients(model)(IDS, 0, steps=1)
    ngrams = model.ngrams
    (table,) = ngrams.vectors.get_weights()
    index = int(np.asarray(ngrams.indexes(IDS))[0, 2, 0])  # (5, 6), which ends at 6
    ngrams.vectors.set_weights([np.where(np.arange(len(table))[:, None] == index, 0.0, table)])
    without = IntegratedGradients(model)(IDS, 0, steps=1)
    changed = np.zeros(LENGTH + PADDING)
    changed[2] = found.difference - decision(model, IDS, 0)
    assert abs(changed[2]) > 0.01
    np.testing.assert_allclose(found.tokens - without.tokens, changed, atol=1e-5)


def test_an_ngram_of_the_wide_path_is_shared_by_its_places_and_tokens(build):
    model = build(wide_ngrams=2, wide_share=0.3)
    dense = model.recurrent_logits
    dense.set_weights([np.zeros(weights.shape) for weights in dense.get_weights()])  # the wide path alone decides
    wide = model.wide
    counts, weight = np.asarray(wide.counts, np.float64), np.asarray(wide.weight, np.float64)
    others = counts.sum(axis=1, keepdims=True) - counts
    ratios = np.log((counts + 1) / (counts[1:] + 1).sum(axis=0)) - np.log((others + 1) / (others[1:] + 1).sum(axis=0))
    keys = np.asarray(wide.keys)
    text = IDS[0, :LENGTH].tolist()
    places = {}  # n-gram -> the tokens that it covers, place after place
    for n in (1, 2):
        for start in range(LENGTH - n + 1):
            places.setdefault(tuple(text[start : start + n]), []).append(range(start, start + n))
    expected = np.zeros((LENGTH + PADDING, CLASSES))
    for ngram, found_at in places.items():
        key = np.asarray(ngram_hashes(np.array([ngram]), len(ngram), len(ngram)))[0, -1, 0]
        row = 1 + int(np.flatnonzero(keys == key)[0])
        for covered in found_at:
            share = 1 / len(found_at) / len(ngram)
            expected[covered] += weight[row] * ratios[row] / np.sqrt(len(places)) * share
    explain = IntegratedGradients(model)
    for class_index in range(CLASSES):
        rest = np.delete(expected, class_index, axis=1).mean(axis=1)
        found = explain(IDS, class_index, steps=1)
        np.testing.assert_allclose(found.tokens, 0.3 * (expected[:, class_index] - rest), atol=1e-6)


def test_texts_of_a_batch_do_not_share_their_ngrams(build):
    wide = build(wide_ngrams=2).wide
    batch = np.concatenate([IDS, np.roll(IDS, 1, axis=1), 0 * IDS])
    occurrences = np.asarray(wide.occurrences(batch))
    np.testing.assert_allclose(occurrences.sum(axis=(1, 2)) + np.asarray(wide.bias), wide(batch), atol=1e-5)
    np.testing.assert_array_equal(occurrences[:1], wide.occurrences(IDS))


def test_a_loaded_model_of_a_fixed_length_is_explained_as_the_one_that_was_saved(build, tmp_path):
    recurrent = {"cell": "simple_rnn", "unroll": True, "bidirectional": True}
    model = build(recurrent=recurrent, max_tokens=LENGTH + PADDING, ngrams=2, **WIDE)
    expected = IntegratedGradients(model)(IDS, 2)
    model.save(tmp_path / "model.keras")  # after it was explained, which left it as it was
    found = IntegratedGradients(keras.saving.load_model(tmp_path / "model.keras"))(IDS, 2)
    np.testing.assert_allclose(found.tokens, expected.tokens, atol=1e-6)
    assert found.difference == pytest.approx(decision(model, IDS, 2), abs=1e-5)


def test_what_cannot_be_explained_is_refused(build):
    explain = IntegratedGradients(build())
    with pytest.raises(ValueError, match=r"shape \(2, 9\); take one text"):
        explain(np.repeat(IDS, 2, axis=0), 0)
    with pytest.raises(ValueError, match="no class 3: the model has the classes 0 to 2"):
        explain(IDS, 3)
    with pytest.raises(ValueError, match="steps=0"):
        explain(IDS, 0, steps=0)
    inputs = keras.Input((4,))
    with pytest.raises(ValueError, match="other is no model of build_classifier"):
        IntegratedGradients(keras.Model(inputs, keras.layers.Dense(2)(inputs), name="other"))
