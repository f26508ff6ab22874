"""Latent semantic analysis: what a linear model of few texts learns from texts without labels."""

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

from models.linear_ngrams import LinearNgrams
from tasks.data.sequence_store import pad_sequences
from tasks.sentiment import linear_model
from tasks.training import lsa

# Words of each class, and neutral words that occur in all texts. The labelled texts use the first half of the words of
# their class; the texts without labels use all of them.
WORDS, NEUTRAL, CLASSES = 20, 60, 2


def texts_of(labels, words: slice, seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    ids = np.arange(1 + NEUTRAL + CLASSES * WORDS)
    rows = []
    for label in labels:
        own = ids[1 + NEUTRAL + label * WORDS :][:WORDS][words]
        rows.append(random.permutation(np.concatenate([random.choice(own, 4), random.choice(ids[1 : 1 + NEUTRAL], 4)])))
    return pad_sequences(rows)


@pytest.fixture(scope="module")
def analysis(tmp_path_factory):
    file = tmp_path_factory.mktemp("lsa") / "lsa.npz"
    labels = np.arange(2_000) % CLASSES
    batches = np.array_split(texts_of(labels, slice(None), 1), 10)
    lsa.write(file, lambda: iter(batches), 4, 2, "pieces")
    return lsa.read(file)


def accuracy(model, keys, ids, labels) -> float:
    layer = LinearNgrams(1, 2, len(keys), CLASSES)
    layer.build(ids.shape)
    layer.set_keys(keys)
    layer.set_model(model)
    return float((np.asarray(layer(ids)).argmax(axis=1) == labels).mean())


def test_words_that_no_labelled_text_has_are_classified_by_the_texts_that_they_occur_in(analysis):
    labels = np.arange(60) % CLASSES
    train = [(texts_of(labels, slice(0, WORDS // 2), 2), labels)]
    others = texts_of(labels, slice(WORDS // 2, WORDS), 3)
    weights = np.ones(CLASSES, np.float32)
    alone, _ = linear_model.fit(train, analysis.keys, 2, weights)
    model, held_out = linear_model.fit_with_lsa(train, analysis, weights)
    assert accuracy(alone, analysis.keys, others, labels) < 0.7
    assert accuracy(model, analysis.keys, others, labels) > 0.95
    assert accuracy(model, analysis.keys, train[0][0], labels) == 1.0
    assert (held_out.argmax(axis=1) == labels).mean() > 0.95


def test_an_analysis_that_says_nothing_of_the_classes_does_no_harm(analysis):
    labels = np.arange(200) % CLASSES
    train = [(texts_of(labels, slice(0, WORDS), 2), labels)]
    random = analysis._replace(vectors=np.random.default_rng(0).normal(size=analysis.vectors.shape).astype(np.float32))
    model, _ = linear_model.fit_with_lsa(train, random, np.ones(CLASSES, np.float32))
    others = texts_of(labels, slice(0, WORDS), 3)
    assert accuracy(model, analysis.keys, others, labels) > 0.95


def test_the_features_are_those_of_scikit_learn():
    ids = texts_of(np.arange(40) % CLASSES, slice(None), 4)
    keys = lsa.frequent_ngrams([ids], 1, 2, min_count=1, max_size=10_000)
    features, idf = lsa.tf_idf([ids[:15], ids[15:]], keys, 2)

    def ngrams(row):
        return [tuple(row[start : start + n]) for n in (1, 2) for start in range(len(row) - n + 1)]

    expected = TfidfVectorizer(analyzer=ngrams, binary=True).fit_transform(ids)
    np.testing.assert_allclose((features @ features.T).toarray(), (expected @ expected.T).toarray(), atol=1e-9)
    again, _ = lsa.tf_idf([ids], keys, 2, idf)
    assert abs(again - features).max() < 1e-12


def test_with_too_few_texts_there_are_none(tmp_path, caplog):
    caplog.set_level("INFO")
    ids = texts_of(np.arange(40) % CLASSES, slice(None), 4)
    lsa.write(tmp_path / "lsa.npz", lambda: [ids], 10, 2, "pieces")
    assert "40 texts" in caplog.text and "too few for 10 dimensions" in caplog.text
    assert lsa.read(tmp_path / "lsa.npz") is None


@pytest.mark.parametrize("rare", [0, 1])
def test_there_may_be_several_classes_and_one_with_a_single_text(analysis, rare):
    labels = np.concatenate([np.arange(60) % CLASSES, np.full(rare, CLASSES)])
    ids = texts_of(np.minimum(labels, CLASSES - 1), slice(None), 2)
    weights = np.ones(CLASSES + 1, np.float32)
    model, held_out = linear_model.fit_with_lsa([(ids[:20], labels[:20]), (ids[20:], labels[20:])], analysis, weights)
    assert model.weight.shape == (len(analysis.keys) + 1, CLASSES + 1) and np.isfinite(model.weight).all()
    known = np.isfinite(held_out).all(axis=1)
    assert known.sum() == 60 and 0.0 < linear_model.loss(held_out, labels) < 0.5


def test_texts_without_a_known_ngram_have_no_features():
    empty = np.empty(0, np.int32)
    features, idf = lsa.tf_idf([np.zeros((3, 4), np.int32), np.ones((2, 4), np.int32)], empty, 2)
    assert features.shape == (5, 1) and features.nnz == 0 and idf.shape == (1,)
