"""N-grams in the graph, checked against straightforward Python code."""

from collections import Counter

import keras
import numpy as np
import pytest
import tensorflow as tf

from models.ngram_counts import frequent_ngrams, ngram_class_counts
from models.ngrams import NgramEmbedding, ngram_hashes
from models.wide_ngrams import WideNgrams

PRIME, FACTOR = 2**31 - 1, 1_000_003_579


def hash_of(ngram):
    """Return the hash: a polynomial in the ids, the last one first, modulo a prime, shifted to be above 0."""
    value = 0
    for piece in reversed(ngram):
        value = (value * FACTOR + int(piece)) % PRIME
    return value % (PRIME - 2) + 1


def ngrams_of(text, first, last):
    """Return [(position, n, n-gram)] of a text without padding."""
    return [
        (end - 1, n, tuple(text[end - n : end]))
        for end in range(1, len(text) + 1)
        for n in range(first, last + 1)
        if n <= end
    ]


def padded(texts, length=None):
    length = length or max(map(len, texts))
    return np.array([list(text) + [0] * (length - len(text)) for text in texts], np.int32)


def random_texts(count, pieces, seed=0):
    random = np.random.default_rng(seed)
    return [random.integers(1, pieces, random.integers(1, 12)).tolist() for _ in range(count)]


def vocabulary(ngrams):
    return np.array(sorted(map(hash_of, ngrams)), np.int32)


def with_keys(layer, keys, ids):
    layer(ids)  # builds the layer
    layer.keys.assign(keys)
    return layer


@pytest.mark.parametrize(("first", "last"), [(1, 1), (1, 4), (2, 3), (8, 8)])
def test_hashes_are_those_of_the_reference(first, last):
    texts = [*random_texts(20, 100_000), [5], [1, 2, 3, 4, 5, 6, 7, 8, 9], [2**31 - 1] * 9]
    expected = np.zeros((len(texts), 12, last - first + 1), np.int32)
    for row, text in enumerate(texts):
        for position, n, ngram in ngrams_of(text, first, last):
            expected[row, position, n - first] = hash_of(ngram)
    actual = ngram_hashes(padded(texts, 12), first, last)
    assert actual.dtype == "int32"
    np.testing.assert_array_equal(actual, expected)


def test_different_ngrams_have_different_hashes():
    ngrams = {ngram for text in random_texts(300, 50) for _, _, ngram in ngrams_of(text, 1, 3)}
    ids = padded([*ngrams])
    hashes = np.asarray(ngram_hashes(ids, 1, 3))[
        np.arange(len(ids)), [len(n) - 1 for n in ngrams], [len(n) - 1 for n in ngrams]
    ]
    assert len(ngrams) > 2000
    assert len(set(hashes.tolist())) == len(ngrams)
    assert np.all((hashes > 0) & (hashes < PRIME))


@pytest.mark.parametrize(("min_count", "max_size"), [(1, 10_000), (3, 10_000), (2, 25), (1, 1)])
def test_frequent_ngrams_are_those_of_a_counter(min_count, max_size):
    texts = random_texts(200, 12)
    counter = Counter()
    for text in texts:
        counter.update({hash_of(ngram) for _, _, ngram in ngrams_of(text, 1, 3)})  # once for each text
    ranked = sorted((-count, key) for key, count in counter.items() if count >= min_count)
    expected = sorted(key for _, key in ranked[:max_size])
    batches = [padded(texts[start : start + 16]) for start in range(0, 200, 16)]  # of different lengths
    keys = frequent_ngrams(batches, 1, 3, min_count=min_count, max_size=max_size)
    assert keys.dtype == np.int32
    assert keys.tolist() == expected
    one_batch = frequent_ngrams([padded(texts)], 1, 3, min_count=min_count, max_size=max_size)
    assert one_batch.tolist() == expected


def test_no_text_has_no_frequent_ngrams():
    assert frequent_ngrams([], 1, 3, min_count=1, max_size=10).tolist() == []
    assert frequent_ngrams([np.zeros((2, 4), np.int32)], 1, 3, min_count=1, max_size=10).tolist() == []
    assert frequent_ngrams([padded([[7]])], 2, 3, min_count=1, max_size=10).tolist() == []


def test_indexes_find_the_vocabulary_and_nothing_else():
    known = [(5, 6), (6, 7), (5, 6, 7)]
    keys = vocabulary(known)
    ids = padded([[5, 6, 7], [6, 5], [9]], 5)
    layer = with_keys(NgramEmbedding(2, 3, len(keys), 4), keys, ids)
    indexes = np.asarray(layer.indexes(ids))
    place = {ngram: 1 + keys.tolist().index(hash_of(ngram)) for ngram in known}
    expected = np.zeros((3, 5, 2), int)
    expected[0, 1, 0] = place[5, 6]
    expected[0, 2] = place[6, 7], place[5, 6, 7]
    np.testing.assert_array_equal(indexes, expected)


def test_an_embedding_sums_the_vectors_that_end_at_each_position():
    keys = vocabulary([(5, 6), (6, 7), (5, 6, 7)])
    ids = padded([[5, 6, 7], [5, 7, 6]], 5)
    layer = with_keys(NgramEmbedding(2, 3, len(keys), 4), keys, ids)
    assert not np.any(layer(ids))  # starts at zero
    table = np.random.default_rng(0).normal(size=(4, 4)).astype(np.float32)  # row 0, for no n-gram, is not zero
    layer.vectors.set_weights([table])
    vector = {ngram: table[1 + keys.tolist().index(hash_of(ngram))] for ngram in [(5, 6), (6, 7), (5, 6, 7)]}
    expected = np.zeros((2, 5, 4), np.float32)
    expected[0, 1] = vector[5, 6]
    expected[0, 2] = vector[6, 7] + vector[5, 6, 7]
    np.testing.assert_allclose(layer(ids), expected, atol=1e-6)


def test_ngram_dropout_drops_whole_ngrams_in_training():
    keys = vocabulary([(1, 2)])
    ids = padded([[1, 2] * 200])
    layer = with_keys(NgramEmbedding(2, 2, 1, 3, rate=0.5), keys, ids)
    layer.vectors.set_weights([np.ones((2, 3), np.float32)])
    np.testing.assert_array_equal(np.asarray(layer(ids))[0, 1::2], 1.0)
    dropped = np.asarray(layer(ids, training=True))[0, 1::2]
    assert np.all((dropped == 0.0).all(axis=1) | (dropped == 2.0).all(axis=1))
    assert 50 < np.count_nonzero(dropped[:, 0]) < 150


def in_rows(ngrams, values, first_row):
    """Return a table with a row for each n-gram of the vocabulary, after `first_row` for no n-gram."""
    keys = vocabulary(ngrams).tolist()
    table = np.full((len(keys) + 1, 2), first_row, np.float32)
    for ngram, value in zip(ngrams, values, strict=True):
        table[1 + keys.index(hash_of(ngram))] = value
    return table


def wide(ngrams, weights, counts, bias, ids):
    layer = with_keys(WideNgrams(1, 2, len(ngrams), 2), vocabulary(ngrams), ids)
    layer.weight.assign(in_rows(ngrams, weights, 1000.0))  # row 0, for no n-gram, must have no effect
    layer.set_counts(in_rows(ngrams, counts, 0.0))
    layer.bias.assign(bias)
    return layer


def log_count_ratios(counts, own=0.0):
    """Return r of Wang and Manning (2012) for two classes; `own` is subtracted from the counts, not from their sums."""
    smoothed, all_smoothed = np.asarray(counts) - own + 1.0, np.asarray(counts) + 1.0
    ratio = np.log(smoothed[:, 0] / all_smoothed[:, 0].sum()) - np.log(smoothed[:, 1] / all_smoothed[:, 1].sum())
    return np.stack([ratio, -ratio], axis=1)


NGRAMS, BIAS = [(1,), (2,), (1, 2)], np.array([0.5, -0.5], np.float32)
WEIGHTS = np.array([[1.0, 2.0], [-3.0, 0.25], [0.125, 4.0]], np.float32)
COUNTS = [[7, 2], [3, 4], [1, 0]]


def test_a_wide_path_counts_each_ngram_of_a_text_once():
    ids = padded([[1, 2], [1, 2, 1, 2, 1], [2, 2, 9], [9, 8], []], 6)
    layer = wide(NGRAMS, WEIGHTS, COUNTS, BIAS, ids)
    scaled = WEIGHTS * log_count_ratios(COUNTS)
    all_of_them = BIAS + scaled.sum(axis=0) / np.sqrt(3)
    expected = [all_of_them, all_of_them, BIAS + scaled[1], BIAS, BIAS]
    np.testing.assert_allclose(layer(ids), expected, rtol=1e-5)


def test_in_training_a_text_is_not_part_of_its_own_counts():
    ids = padded([[1, 2]])
    layer = wide(NGRAMS, WEIGHTS, COUNTS, BIAS, ids)
    # The text is of class 0, and (1, 2) occurs in no other text, so it is ignored.
    scaled = WEIGHTS * log_count_ratios(COUNTS, own=np.array([1.0, 0.0]))
    expected = BIAS + scaled[:2].sum(axis=0) / np.sqrt(2)
    labels = np.array([0], np.int32)
    np.testing.assert_allclose(layer(ids, labels, training=True), [expected], rtol=1e-5)
    np.testing.assert_array_equal(layer(ids, labels), layer(ids))


def test_class_counts_are_the_texts_of_a_class_that_contain_an_ngram():
    texts, labels = random_texts(60, 6), np.arange(60) % 3
    ids = padded(texts)
    keys = frequent_ngrams([ids], 1, 2, min_count=2, max_size=1000)
    counts = ngram_class_counts([(ids[:25], labels[:25]), (ids[25:], labels[25:])], keys, 1, 2, 3)
    sets = [{tuple(text[i : i + n]) for n in (1, 2) for i in range(len(text) - n + 1)} for text in texts]
    assert counts.shape == (len(keys) + 1, 3) and not counts[0].any()
    for ngram in set().union(*sets):
        row = np.flatnonzero(keys == hash_of(ngram))
        if len(row):
            expected = [sum(ngram in s and label == c for s, label in zip(sets, labels, strict=True)) for c in range(3)]
            assert counts[1 + row[0]].tolist() == expected


def test_unseen_ngrams_and_padding_have_no_effect_on_a_wide_path():
    layer = wide([(1,), (1, 2)], np.array([[1.0, 2.0], [3.0, 4.0]]), [[5, 1], [1, 3]], [0.0, 0.0], padded([[1, 2]]))
    plain = np.asarray(layer(padded([[1, 2]])))
    np.testing.assert_array_equal(layer(padded([[1, 2, 7, 8, 9]], 20)), plain)
    assert np.any(plain != 0)


@pytest.mark.parametrize("layer", [NgramEmbedding(1, 3, 0, 4), WideNgrams(1, 3, 0, 4)])
def test_an_empty_vocabulary_has_no_effect(layer):
    ids = padded([*random_texts(50, 1000), [2**31 - 1]])
    layer(ids)
    for weight in layer.trainable_weights[:1]:  # the vectors or weights, not the bias
        weight.assign(np.ones(weight.shape))
    assert not np.any(layer(ids))


@pytest.mark.parametrize(
    "layer", [NgramEmbedding(2, 4, 3, 5, rate=0.25, name="ngrams"), WideNgrams(1, 2, 3, 2, name="wide")]
)
def test_a_layer_is_restored_from_its_configuration(layer):
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert type(again) is type(layer)
    assert again.get_config() == layer.get_config()


@pytest.mark.parametrize("layer", [NgramEmbedding(1, 2, 3, 4), WideNgrams(1, 2, 3, 2)])
def test_the_gradient_of_a_row_is_one_sum(layer):
    ids = padded([[1, 2, 1, 2, 1], [1, 2], [2, 2, 2]])
    with_keys(layer, vocabulary([(1,), (2,), (1, 2)]), ids)
    if isinstance(layer, WideNgrams):
        layer.set_counts(in_rows(NGRAMS, COUNTS, 0.0))
    table = layer.trainable_weights[0].value
    factors = noise_like(layer(ids))
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(ids) * factors)
    slices = tape.gradient(loss, table)
    assert len(set(slices.indices.numpy().tolist())) == len(slices.indices)
    gradient, step = tf.convert_to_tensor(slices).numpy(), 0.5  # linear in the table, so a finite difference is exact
    for row in range(len(gradient)):
        before = table.numpy()
        table.assign(before + step * (np.arange(len(before)) == row)[:, None])
        change = (float(tf.reduce_sum(layer(ids) * factors)) - float(loss)) / step
        table.assign(before)
        assert gradient[row].sum() == pytest.approx(change, abs=1e-4)


def noise_like(tensor):
    return np.random.default_rng(0).normal(size=tensor.shape).astype(np.float32)
