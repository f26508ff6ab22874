"""Batches: their order, what they cost in padding, and the store they are read from."""

import itertools

import numpy as np
import pytest

from tasks.data import bucketing as batching

TOKENS = 2048


@pytest.fixture(scope="module")
def lengths():
    """Of 5,000 sequences, spread like those of reviews; a few are empty, one is longer than a batch may be."""
    drawn = np.random.default_rng(1).lognormal(4.0, 0.8, 5000).astype(np.int32)
    drawn[:3], drawn[3] = 0, 3 * TOKENS
    return drawn


@pytest.fixture(scope="module")
def buckets(lengths):
    return batching.length_buckets(lengths, TOKENS)


def same(first, second):
    return all(np.array_equal(one, other) for one, other in zip(first, second, strict=True))


def test_the_order_is_a_function_of_seed_and_epoch(lengths, buckets):
    batches = batching.epoch_batches(buckets, 7, 3)
    np.random.random(10)  # no other generator has a say in it
    assert same(batches, batching.epoch_batches(batching.length_buckets(lengths, TOKENS), 7, 3))
    for seed, epoch in ((7, 4), (8, 3), (3, 7)):
        other = batching.epoch_batches(buckets, seed, epoch)
        assert {tuple(sorted(batch)) for batch in batches} != {tuple(sorted(batch)) for batch in other}
        assert [len(batch) for batch in batches] != [len(batch) for batch in other]


def test_each_sequence_comes_exactly_once_in_an_epoch(lengths, buckets):
    batch_lists = [batching.epoch_batches(buckets, 0, epoch) for epoch in range(3)]
    for batches in [*batch_lists, batching.ordered_batches(buckets)]:
        assert sorted(np.concatenate(batches).tolist()) == list(range(len(lengths)))


def test_each_epoch_has_the_same_number_of_batches(buckets):
    steps = batching.steps_per_pass(buckets)
    assert {len(batching.epoch_batches(buckets, 0, epoch)) for epoch in range(4)} == {steps}
    assert len(batching.ordered_batches(buckets)) == steps


def test_no_batch_is_larger_than_the_budget_but_for_a_sequence_that_is_so_alone(lengths, buckets):
    for batch in batching.epoch_batches(buckets, 0, 0):
        assert len(batch) * max(1, lengths[batch].max()) <= TOKENS or len(batch) == 1


def test_little_of_a_batch_is_padding(lengths, buckets):
    # The longest sequence is as long as three batches; leaving it out leaves what is typical.
    batches = batching.epoch_batches(buckets, 0, 0)
    padded = sum(len(batch) * lengths[batch].max() for batch in batches)
    assert padded < 1.06 * lengths.sum()
    assert sum(len(batch) * lengths[batch].max() for batch in np.array_split(np.arange(len(lengths)), 80)) > 2 * padded


def test_batches_are_filled(lengths, buckets):
    assert batching.steps_per_pass(buckets) < 1.25 * lengths.sum() / TOKENS


@pytest.mark.parametrize("number", [1, 2, 63])
def test_a_small_corpus_is_not_cut_into_a_batch_for_each_length(number):
    buckets = batching.length_buckets(np.arange(1, number + 1), 1 << 20)
    assert batching.steps_per_pass(buckets) == 1


def test_the_batches_of_the_validation_run_from_short_to_long(lengths, buckets):
    longest = [lengths[batch].max() for batch in batching.ordered_batches(buckets)]
    assert longest == sorted(longest)


def test_a_stream_goes_on_in_the_middle_of_an_epoch(buckets):
    steps = batching.steps_per_pass(buckets)
    whole = list(itertools.islice(batching.stream(buckets, 5, 0, 0), 3 * steps))
    for done in (1, steps - 1, steps, steps + 17):
        rest = itertools.islice(batching.stream(buckets, 5, *divmod(done, steps)), 3 * steps - done)
        assert same(whole[done:], rest)


def test_padding_is_on_the_right_and_an_empty_sequence_has_one_step():
    ids = [np.array([5, 6, 7], np.uint16), np.array([], np.uint16), np.array([8], np.uint16)]
    assert batching.padded(ids).tolist() == [[5, 6, 7], [0, 0, 0], [8, 0, 0]]
    assert batching.padded(ids, 4).tolist() == [[5, 6, 7, 0], [0, 0, 0, 0], [8, 0, 0, 0]]
    assert batching.padded([np.array([], np.uint16)]).tolist() == [[0]]
    assert batching.padded(ids).dtype == np.int32


@pytest.mark.parametrize(("vocabulary_size", "dtype"), [(1 << 16, "uint16"), ((1 << 16) + 1, "int32")])
def test_a_store_gives_back_what_was_written(tmp_path, vocabulary_size, dtype):
    random = np.random.default_rng(0)
    sequences = [
        (random.integers(0, vocabulary_size, int(random.integers(0, 9))).tolist(), index % 7) for index in range(3000)
    ]
    sequences[5] = ([vocabulary_size - 1], 6)
    written = batching.SequenceStore.write(tmp_path / "train", iter(sequences), vocabulary_size)
    for store in (written, batching.SequenceStore(tmp_path / "train")):
        assert [(store[index].tolist(), int(store.labels[index])) for index in range(len(store))] == sequences
        assert store.lengths.tolist() == [len(ids) for ids, _ in sequences]
        assert store.dtype == dtype
    assert [path.name for path in tmp_path.iterdir()] == ["train"]


def test_an_error_while_a_store_is_written_leaves_none(tmp_path):
    def sequences():
        yield [1, 2], 0
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        batching.SequenceStore.write(tmp_path / "train", sequences(), 100)
    assert not list(tmp_path.iterdir())
