"""Batches of similar length: their order, their size and their padding."""

import itertools

import numpy as np
import pytest

from tasks.data import bucketing

TOKENS = 2048


@pytest.fixture(scope="module")
def lengths():
    """Lengths of 5,000 sequences, distributed like those of reviews; a few are 0, one is longer than a batch."""
    drawn = np.random.default_rng(1).lognormal(4.0, 0.8, 5000).astype(np.int32)
    drawn[:3], drawn[3] = 0, 3 * TOKENS
    return drawn


@pytest.fixture(scope="module")
def buckets(lengths):
    return bucketing.length_buckets(lengths, TOKENS)


def same(first, second):
    return all(np.array_equal(one, other) for one, other in zip(first, second, strict=True))


def test_a_seed_and_an_epoch_determine_the_batches(lengths, buckets):
    batches = bucketing.epoch_batches(buckets, 7, 3)
    np.random.random(10)  # the global generator has no influence
    assert same(batches, bucketing.epoch_batches(bucketing.length_buckets(lengths, TOKENS), 7, 3))
    for seed, epoch in ((7, 4), (8, 3), (3, 7)):
        other = bucketing.epoch_batches(buckets, seed, epoch)
        assert {tuple(sorted(batch)) for batch in batches} != {tuple(sorted(batch)) for batch in other}
        assert [len(batch) for batch in batches] != [len(batch) for batch in other]


def test_an_epoch_has_each_sequence_exactly_once(lengths, buckets):
    batch_lists = [bucketing.epoch_batches(buckets, 0, epoch) for epoch in range(3)]
    for batches in [*batch_lists, bucketing.ordered_batches(buckets)]:
        assert sorted(np.concatenate(batches).tolist()) == list(range(len(lengths)))


def test_each_epoch_has_the_same_number_of_batches(buckets):
    steps = bucketing.steps_per_pass(buckets)
    assert {len(bucketing.epoch_batches(buckets, 0, epoch)) for epoch in range(4)} == {steps}
    assert len(bucketing.ordered_batches(buckets)) == steps


def test_no_batch_exceeds_the_tokens_except_with_one_sequence(lengths, buckets):
    for batch in bucketing.epoch_batches(buckets, 0, 0):
        assert len(batch) * max(1, lengths[batch].max()) <= TOKENS or len(batch) == 1


def test_little_of_a_batch_is_padding(lengths, buckets):
    batches = bucketing.epoch_batches(buckets, 0, 0)
    padded = sum(len(batch) * lengths[batch].max() for batch in batches)
    assert padded < 1.06 * lengths.sum()
    assert sum(len(batch) * lengths[batch].max() for batch in np.array_split(np.arange(len(lengths)), 80)) > 2 * padded


def test_most_batches_are_full(lengths, buckets):
    assert bucketing.steps_per_pass(buckets) < 1.25 * lengths.sum() / TOKENS


@pytest.mark.parametrize("number", [1, 2, 63])
def test_a_small_corpus_is_one_batch(number):
    buckets = bucketing.length_buckets(np.arange(1, number + 1), 1 << 20)
    assert bucketing.steps_per_pass(buckets) == 1


def test_validation_batches_are_ordered_from_short_to_long(lengths, buckets):
    longest = [lengths[batch].max() for batch in bucketing.ordered_batches(buckets)]
    assert longest == sorted(longest)


def test_batches_of_pairs_hold_pairs_of_similar_lengths_within_the_tokens():
    random = np.random.default_rng(0)
    source = random.integers(1, 60, 5000)
    target = np.maximum(1, source + random.integers(-15, 15, 5000))
    batches = bucketing.ordered_batches(bucketing.pair_buckets(source, target, TOKENS))
    assert sorted(np.concatenate(batches).tolist()) == list(range(5000))
    padded = 0
    for batch in batches:
        tokens = len(batch) * (source[batch].max() + target[batch].max())
        assert tokens <= TOKENS or len(batch) == 1
        padded += tokens
    assert (source + target).sum() / padded > 0.8  # without buckets, it is half


def test_endless_batches_resume_in_the_middle_of_an_epoch(buckets):
    steps = bucketing.steps_per_pass(buckets)
    whole = list(itertools.islice(bucketing.endless_batches(buckets, 5, 0, 0), 3 * steps))
    for done in (1, steps - 1, steps, steps + 17):
        rest = itertools.islice(bucketing.endless_batches(buckets, 5, *divmod(done, steps)), 3 * steps - done)
        assert same(whole[done:], rest)
