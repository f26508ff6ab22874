"""Beam search, checked against the scores of all possible sequences and against a greedy loop."""

import itertools
import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from models.beam_search import Penalties, beam_search, grouped_top_k, largest_divisor
from models.logits_processors import RequiredIds
from models.network_settings import TranslatorSettings
from models.recurrent_settings import RecurrentSettings
from models.translator import Memory, StepTranslator, build_translator

PAD, UNKNOWN, BOS, EOS = range(4)
SIZE = 7  # three ordinary pieces
SOURCE = np.array([[4, 5, 6, 4, EOS], [6, EOS, 0, 0, 0], [5, 5, EOS, 0, 0]], np.int32)
MAX_LENGTH = 4


@pytest.fixture(scope="module")
def network() -> StepTranslator:
    """Return a network with random weights that are large enough for its probabilities to differ widely."""
    keras.utils.set_random_seed(1)
    settings = TranslatorSettings(embedding_size=8, attention="additive")
    recurrent = RecurrentSettings(cell="gru", units=12, return_sequences=True, kernel_initializer="random_normal(0, 1)")
    model = build_translator(settings, recurrent, SIZE, SIZE)
    output_layer = model.decoder.output_layer
    output_layer.set_weights([4 * np.array(weight) for weight in output_layer.get_weights()])
    return StepTranslator(model)


def search(
    network,
    source=SOURCE,
    *,
    beam_size,
    num_return_sequences=1,
    min_length=0,
    max_length=MAX_LENGTH,
    length=1.0,
    symbols=None,
    **penalties,
):
    @tf.function
    def run():
        memory, states = network.initial_states(tf.constant(source))
        batch = len(source)
        return beam_search(
            lambda ids, states, memory: network.decode_step(ids, states, Memory(*memory)),
            states,
            memory,
            beam_size=beam_size,
            num_return_sequences=num_return_sequences,
            min_length=tf.fill([batch], min_length),
            max_length=tf.constant(max_length) if isinstance(max_length, list) else tf.fill([batch], max_length),
            source_mask=memory.mask,
            symbols=symbols,
            penalties=Penalties(length=length, **({"blocked_ids": (UNKNOWN,)} | penalties)),
            bos=BOS,
            eos=EOS,
        )

    ids, scores = run()
    return [[[int(i) for i in row if i] for row in rows] for rows in ids.numpy()], scores.numpy()


def all_scores(network, source, *, allowed=(4, 5, 6), min_length=0, max_length=MAX_LENGTH, alpha=1.0, beta=0.0):
    """Return the score of every sequence, the best first, computed step by step for all of them together."""
    sequences = [
        list(sequence)
        for size in range(min_length, max_length + 1)
        for sequence in itertools.product(allowed, repeat=size)
    ]
    memory, states = network.initial_states(tf.constant(source[None]))
    states = [tf.repeat(state[:, None], len(sequences), axis=1) for state in states]
    last = np.full(len(sequences), BOS)
    totals, coverage = np.zeros(len(sequences)), np.zeros((len(sequences), len(source)))
    for time in range(max_length + 1):
        logits, states, weights = network.decode_step(tf.constant(last[None], tf.int32), states, memory)
        log_probabilities = tf.nn.log_softmax(logits).numpy()[0]
        last = np.array([(sequence + [EOS, *[PAD] * max_length])[time] for sequence in sequences])
        mask = last != PAD  # EOS counts, and nothing after it
        totals += np.where(mask, log_probabilities[np.arange(len(sequences)), last], 0.0)
        coverage += np.where(mask[:, None], weights.numpy()[0], 0.0)
    lengths = np.array([len(sequence) + 1 for sequence in sequences])
    covered = np.log(np.minimum(coverage[:, source != PAD], 1.0)).sum(axis=1)
    scores = totals / ((5 + lengths) / 6) ** alpha + beta * covered
    return sorted(zip(scores.tolist(), sequences, strict=True), reverse=True)


@pytest.mark.parametrize(
    ("alpha", "beta", "min_length", "max_length"),
    [(1.0, 0.0, 0, MAX_LENGTH), (0.0, 0.0, 0, 3), (2.0, 0.4, 1, 3), (0.6, 0.2, 3, 3)],
)
def test_a_beam_as_large_as_the_search_space_finds_the_best(network, alpha, beta, min_length, max_length):
    beam_size = 3 ** (max_length + 1)
    found, scores = search(
        network,
        beam_size=beam_size,
        num_return_sequences=5,
        min_length=min_length,
        max_length=max_length,
        length=alpha,
        coverage=beta,
    )
    for row, source in enumerate(SOURCE):
        best = all_scores(network, source, min_length=min_length, max_length=max_length, alpha=alpha, beta=beta)[:5]
        assert found[row] == [sequence for _, sequence in best]
        assert scores[row] == pytest.approx([score for score, _ in best], abs=1e-4)


def test_a_small_beam_returns_correct_scores(network):
    found, scores = search(network, beam_size=3, num_return_sequences=3)
    for row, source in enumerate(SOURCE):
        every = {tuple(sequence): score for score, sequence in all_scores(network, source)}
        assert scores[row] == pytest.approx([every[tuple(sequence)] for sequence in found[row]], abs=1e-4)
        assert list(scores[row]) == sorted(scores[row], reverse=True)
        assert len({tuple(sequence) for sequence in found[row]}) == 3


def test_a_beam_of_one_is_greedy(network):
    found, _ = search(network, beam_size=1, max_length=12)
    for row, source in enumerate(SOURCE):
        memory, states = network.initial_states(tf.constant(source[None]))
        states, last, generated = [state[:, None] for state in states], BOS, []
        while len(generated) < 12:
            logits, states, _ = network.decode_step(tf.constant([[last]]), states, memory)
            allowed = np.isin(np.arange(SIZE), [PAD, UNKNOWN, BOS], invert=True)
            last = int(np.where(allowed, logits.numpy()[0, 0], -np.inf).argmax())
            if last == EOS:
                break
            generated.append(last)
        assert found[row][0] == generated


def test_a_sentence_in_a_batch_has_the_same_result_as_alone(network):
    together, scores = search(network, beam_size=4, num_return_sequences=4, max_length=[9, 4, 6])
    for row, (source, max_length) in enumerate(zip(SOURCE, [9, 4, 6], strict=True)):
        alone, alone_scores = search(
            network, source[None, source != PAD], beam_size=4, num_return_sequences=4, max_length=max_length
        )
        assert together[row] == alone[0]
        assert scores[row] == pytest.approx(alone_scores[0], abs=1e-4)


def test_lengths_stay_within_their_limits(network):
    for min_length, max_length in ((0, 2), (3, 3), (5, 8)):
        found, _ = search(network, beam_size=5, num_return_sequences=5, min_length=min_length, max_length=max_length)
        assert all(min_length <= len(sequence) <= max_length for rows in found for sequence in rows)


def test_the_unknown_id_is_generated_only_if_not_blocked(network):
    blocked, _ = search(network, beam_size=20, num_return_sequences=20, max_length=2)
    free, _ = search(network, beam_size=20, num_return_sequences=20, max_length=2, blocked_ids=())
    ids = lambda found: {i for rows in found for sequence in rows for i in sequence}  # noqa: E731
    assert ids(blocked) == {4, 5, 6} and ids(free) == {1, 4, 5, 6}


@pytest.mark.parametrize("n", [1, 2, 3])
def test_no_ngram_occurs_twice(network, n):
    repeated = 0
    for size in (0, n):
        found, _ = search(
            network,
            beam_size=6,
            num_return_sequences=6,
            min_length=6 if n > 1 else 3,
            max_length=7,
            no_repeat_ngram_size=size,
        )
        for sequence in itertools.chain.from_iterable(found):
            ngrams = [tuple(sequence[start : start + n]) for start in range(len(sequence) - n + 1)]
            if size:
                assert len(ngrams) == len(set(ngrams))
            repeated += len(ngrams) - len(set(ngrams))
    assert repeated  # without the setting, some n-grams occur twice


def test_blocking_repeated_ngrams_finds_the_best_of_the_others(network):
    found, _ = search(network, beam_size=3**4, num_return_sequences=1, max_length=3, no_repeat_ngram_size=1)
    for row, source in enumerate(SOURCE):
        best = next(s for _, s in all_scores(network, source, max_length=3) if len(s) == len(set(s)))
        assert found[row][0] == best


@pytest.mark.parametrize("space", [None, 6])
@pytest.mark.parametrize("beam_size", [1, 3])
def test_required_ids_occur_exactly_once_and_others_never(network, beam_size, space):
    required = [[True, False], [True, True], [False, False]]  # of the ids 4 and 5, for each sentence
    symbols = RequiredIds(tf.constant(required), 4, space)
    for max_length in (2, 3, 8):
        found, _ = search(
            network, beam_size=beam_size, num_return_sequences=beam_size, max_length=max_length, symbols=symbols
        )
        for row, rows in zip(required, found, strict=True):
            for sequence in filter(None, rows[:1] if max_length == 2 else rows):
                assert [sequence.count(4), sequence.count(5)] == [int(one) for one in row]
                assert len(sequence) <= max_length


def test_it_stops_when_no_alive_hypothesis_can_win():
    """A network that predicts EOS at once needs few of the thousand possible steps."""
    calls = []

    def step(ids, states, memory):
        tf.py_function(lambda: calls.append(1), [], [])
        logits = tf.one_hot(tf.fill(tf.shape(ids), EOS), SIZE) * 20.0
        return logits, states, None

    ids, scores = beam_search(
        step,
        [tf.zeros([2, 1])],
        beam_size=3,
        num_return_sequences=1,
        min_length=tf.constant([0, 0]),
        max_length=tf.constant([1000, 1000]),
        penalties=Penalties(length=1.0),
        bos=BOS,
        eos=EOS,
    )
    assert not ids.numpy().any()
    assert scores.numpy() == pytest.approx(np.full((2, 1), math.log(1 / (1 + 6 * math.exp(-20.0)))), abs=1e-5)
    assert len(calls) < 5


def test_sentences_that_are_done_leave_the_loop():
    """The i-th of eight translations has i pieces; each is correct, and the loop's batch shrinks."""
    rows = []

    def step(ids, states, memory):
        (lengths,) = memory
        rows.append(int(tf.shape(ids)[0]))
        (generated,) = states
        best = tf.where(generated[..., 0] < lengths[:, None], 3 + tf.cast(lengths, tf.int32)[:, None], EOS)
        return tf.one_hot(best, 16) * 20.0, [generated + 1], None

    ids, _ = beam_search(
        step,
        [tf.zeros([8, 1])],
        [tf.range(1.0, 9.0)],
        beam_size=2,
        num_return_sequences=1,
        min_length=tf.zeros([8], tf.int32),
        max_length=tf.fill([8], 20),
        penalties=Penalties(length=1.0),
        bos=BOS,
        eos=EOS,
    )
    assert [[int(id) for id in row if id] for row in ids[:, 0]] == [[3 + n] * n for n in range(1, 9)]
    assert rows[0] == 8
    assert rows[-1] <= 2
    assert sum(rows) < 8 * len(rows)


@pytest.mark.parametrize(("size", "count"), [(5000, 5), (1200, 10), (997, 3), (40, 40), (64, 33)])
def test_grouped_top_k_equals_top_k_also_for_ties(size, count):
    random = np.random.default_rng(0)
    scores = random.integers(0, 50, (6, 5, size)).astype(np.float32)  # with many ties
    offsets = random.integers(-20, 20, (6, 5)).astype(np.float32)
    scores[1], offsets[2, 1:] = -np.inf, -np.inf
    values, indexes = grouped_top_k(tf.constant(scores), tf.constant(offsets), count, largest_divisor(size))
    expected = tf.math.top_k((scores + offsets[..., None]).reshape(6, -1), count)
    np.testing.assert_array_equal(values, expected.values)
    np.testing.assert_array_equal(indexes, expected.indices)
