"""Batches of sentence pairs."""

import numpy as np
import pytest

from tasks.data import bucketing
from tasks.translation import data
from tasks.translation.pairs import SentencePairs


def test_a_batch_is_teacher_forcing(prepared, train_pairs):
    settings, run = prepared()
    source, target = data.load_vocabularies(run.vocabulary)
    pairs, seen = SentencePairs(settings, run), set()
    for (read, before), after, weights in pairs.training_batches(0, 0).take(pairs.steps_per_pass):
        read, before, after, weights = (tensor.numpy() for tensor in (read, before, after, weights))
        assert (read.shape[1] + after.shape[1]) * len(read) <= 1000
        assert (before[:, 0] == 2).all() and np.array_equal(before[:, 1:], np.where(after == 3, 0, after)[:, :-1])
        assert np.array_equal(weights, after != 0)
        for row, translated in zip(read.tolist(), after.tolist(), strict=True):
            row, translated = ([i for i in ids if i] for ids in (row, translated))
            assert row.pop() == 3 and translated.pop() == 3
            seen.add((source.decode(row), target.decode(translated)))
    assert seen == set(train_pairs)


@pytest.mark.parametrize("alpha", [None, 0.3])
def test_an_epoch_resumed_in_its_middle_has_the_same_batches(prepared, alpha):
    settings, run = prepared(vocabulary={"subword_regularization": alpha}, training={"seed": 3})
    pairs = SentencePairs(settings, run)
    whole = list(pairs.training_batches(1, 0).take(pairs.steps_per_pass + 3).as_numpy_iterator())
    rest = list(pairs.training_batches(1, 5).take(pairs.steps_per_pass - 2).as_numpy_iterator())
    for ((one, _), *_), ((other, _), *_) in zip(whole[5:], rest, strict=True):
        assert np.array_equal(one, other)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["unigram", "bpe"])
def test_sampled_segmentation_segments_words_anew_and_keeps_the_text(prepared, kind, train_pairs):
    settings, run = prepared(vocabulary={"subword_regularization": 0.2, "vocabulary_type": kind})
    source, target = data.load_vocabularies(run.vocabulary)
    pairs = SentencePairs(settings, run)
    texts, segmentations = set(train_pairs), {}
    for (read, _), after, _ in pairs.training_batches(0, 0).take(3 * pairs.steps_per_pass).as_numpy_iterator():
        for row, translated in zip(read.tolist(), after.tolist(), strict=True):
            row, translated = ([i for i in ids if i > 3] for ids in (row, translated))
            pair = (source.decode(row), target.decode(translated))
            assert pair in texts
            segmentations.setdefault(pair, set()).add((tuple(row), tuple(translated)))
    assert segmentations.keys() == texts
    assert np.mean([len(found) for found in segmentations.values()]) > 2.0


def test_buckets_hold_pairs_of_similar_lengths_on_both_sides_within_the_budget():
    random = np.random.default_rng(0)
    one = random.integers(1, 60, 5000)
    other = np.maximum(1, one + random.integers(-15, 15, 5000))
    buckets = bucketing.pair_buckets(one, other, 2000)
    assert sorted(np.concatenate([bucket.members for bucket in buckets])) == list(range(5000))
    filled = padded = 0
    for members in bucketing.ordered_batches(buckets):
        size = len(members) * (one[members].max() + other[members].max())
        assert size <= 2000 or len(members) == 1
        filled, padded = filled + (one[members] + other[members]).sum(), padded + size
    assert filled / padded > 0.8  # in one heap it would be half
