"""The search, checked against all sequences there are, and against a plain loop."""

import itertools
import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from models.beam_search import Penalties, beam_search, best, divisor
from models.network_settings import TranslatorSettings
from models.recurrent_settings import RecurrentSettings
from models.translator import Memory, StepTranslator, build_translator

PAD, UNKNOWN, BEGIN, END = range(4)
SIZE = 7  # three pieces beside these
SOURCE = np.array([[4, 5, 6, 4, END], [6, END, 0, 0, 0], [5, 5, END, 0, 0]], np.int32)
MOST = 4


@pytest.fixture(scope="module")
def steps() -> StepTranslator:
    """A network of random weights, large enough that its probabilities differ widely."""
    keras.utils.set_random_seed(1)
    settings = TranslatorSettings(embedding_size=8, attention="additive")
    recurrent = RecurrentSettings(cell="gru", units=12, return_sequences=True, kernel_initializer="random_normal(0, 1)")
    model = build_translator(settings, recurrent, SIZE, SIZE)
    logits = model.get_layer("decoder").get_layer("logits")
    logits.set_weights([4 * np.array(weight) for weight in logits.get_weights()])
    return StepTranslator(model, settings, recurrent)


def search(steps, source=SOURCE, *, beam_size, wanted=1, shortest=0, longest=MOST, length=1.0, **penalties):
    @tf.function
    def run():
        memory, states = steps.begin(tf.constant(source))
        batch = len(source)
        return beam_search(
            lambda ids, states, memory: steps.advance(ids, states, Memory(*memory)),
            states,
            memory,
            beam_size=beam_size,
            wanted=wanted,
            shortest=tf.fill([batch], shortest),
            longest=tf.constant(longest) if isinstance(longest, list) else tf.fill([batch], longest),
            attends_to=memory.there,
            penalties=Penalties(length=length, **({"blocked": (UNKNOWN,)} | penalties)),
            begin=BEGIN,
            end=END,
        )

    ids, scores = run()
    return [[[int(i) for i in row if i] for row in rows] for rows in ids.numpy()], scores.numpy()


def all_scores(steps, source, *, allowed=(4, 5, 6), shortest=0, longest=MOST, alpha=1.0, beta=0.0):
    """The score of every sequence, the best first: all of them followed side by side, piece by piece."""
    sequences = [
        list(sequence) for size in range(shortest, longest + 1) for sequence in itertools.product(allowed, repeat=size)
    ]
    memory, states = steps.begin(tf.constant(source[None]))
    states = [tf.repeat(state[:, None], len(sequences), axis=1) for state in states]
    last = np.full(len(sequences), BEGIN)
    totals, coverage = np.zeros(len(sequences)), np.zeros((len(sequences), len(source)))
    for time in range(longest + 1):
        logits, states, weights = steps.advance(tf.constant(last[None], tf.int32), states, memory)
        gained = tf.nn.log_softmax(logits).numpy()[0]
        last = np.array([(sequence + [END, *[PAD] * longest])[time] for sequence in sequences])
        there = last != PAD  # the end counts, and nothing after it
        totals += np.where(there, gained[np.arange(len(sequences)), last], 0.0)
        coverage += np.where(there[:, None], weights.numpy()[0], 0.0)
    lengths = np.array([len(sequence) + 1 for sequence in sequences])
    covered = np.log(np.minimum(coverage[:, source != PAD], 1.0)).sum(axis=1)
    scores = totals / ((5 + lengths) / 6) ** alpha + beta * covered
    return sorted(zip(scores.tolist(), sequences, strict=True), reverse=True)


@pytest.mark.parametrize(
    ("alpha", "beta", "shortest", "longest"),
    [(1.0, 0.0, 0, MOST), (0.0, 0.0, 0, 3), (2.0, 0.4, 1, 3), (0.6, 0.2, 3, 3)],
)
def test_a_beam_as_wide_as_the_space_finds_the_best_of_all(steps, alpha, beta, shortest, longest):
    beam_size = 3 ** (longest + 1)
    found, scores = search(
        steps, beam_size=beam_size, wanted=5, shortest=shortest, longest=longest, length=alpha, coverage=beta
    )
    for row, source in enumerate(SOURCE):
        best = all_scores(steps, source, shortest=shortest, longest=longest, alpha=alpha, beta=beta)[:5]
        assert found[row] == [sequence for _, sequence in best]
        assert scores[row] == pytest.approx([score for score, _ in best], abs=1e-4)


def test_a_narrow_beam_gives_true_scores_of_what_it_finds(steps):
    found, scores = search(steps, beam_size=3, wanted=3)
    for row, source in enumerate(SOURCE):
        every = {tuple(sequence): score for score, sequence in all_scores(steps, source)}
        assert scores[row] == pytest.approx([every[tuple(sequence)] for sequence in found[row]], abs=1e-4)
        assert list(scores[row]) == sorted(scores[row], reverse=True)
        assert len({tuple(sequence) for sequence in found[row]}) == 3


def test_a_beam_of_one_is_greedy(steps):
    found, _ = search(steps, beam_size=1, longest=12)
    for row, source in enumerate(SOURCE):
        memory, states = steps.begin(tf.constant(source[None]))
        states, last, written = [state[:, None] for state in states], BEGIN, []
        while len(written) < 12:
            logits, states, _ = steps.advance(tf.constant([[last]]), states, memory)
            allowed = np.isin(np.arange(SIZE), [PAD, UNKNOWN, BEGIN], invert=True)
            last = int(np.where(allowed, logits.numpy()[0, 0], -np.inf).argmax())
            if last == END:
                break
            written.append(last)
        assert found[row][0] == written


def test_each_sentence_gets_in_a_batch_what_it_gets_alone(steps):
    together, scores = search(steps, beam_size=4, wanted=4, longest=[9, 4, 6])
    for row, (source, longest) in enumerate(zip(SOURCE, [9, 4, 6], strict=True)):
        alone, alone_scores = search(steps, source[None, source != PAD], beam_size=4, wanted=4, longest=longest)
        assert together[row] == alone[0]
        assert scores[row] == pytest.approx(alone_scores[0], abs=1e-4)


def test_lengths_stay_within_their_limits(steps):
    for shortest, longest in ((0, 2), (3, 3), (5, 8)):
        found, _ = search(steps, beam_size=5, wanted=5, shortest=shortest, longest=longest)
        assert all(shortest <= len(sequence) <= longest for rows in found for sequence in rows)


def test_the_unknown_piece_is_written_only_where_it_is_not_blocked(steps):
    blocked, _ = search(steps, beam_size=20, wanted=20, longest=2)
    free, _ = search(steps, beam_size=20, wanted=20, longest=2, blocked=())
    written = lambda found: {i for rows in found for sequence in rows for i in sequence}  # noqa: E731
    assert written(blocked) == {4, 5, 6} and written(free) == {1, 4, 5, 6}


@pytest.mark.parametrize("n", [1, 2, 3])
def test_no_run_comes_twice(steps, n):
    repeated = 0
    for block in (0, n):
        found, _ = search(steps, beam_size=6, wanted=6, shortest=6 if n > 1 else 3, longest=7, block_repeats=block)
        for sequence in itertools.chain.from_iterable(found):
            runs = [tuple(sequence[start : start + n]) for start in range(len(sequence) - n + 1)]
            if block:
                assert len(runs) == len(set(runs))
            repeated += len(runs) - len(set(runs))
    assert repeated  # without the block there are some


def test_blocking_repeats_leaves_the_best_of_the_rest(steps):
    found, _ = search(steps, beam_size=3**4, wanted=1, longest=3, block_repeats=1)
    for row, source in enumerate(SOURCE):
        best = next(s for _, s in all_scores(steps, source, longest=3) if len(s) == len(set(s)))
        assert found[row][0] == best


def test_it_ends_when_no_open_hypothesis_can_win():
    """A network that is sure of the end at once: of a thousand steps it takes few."""
    calls = []

    def advance(ids, states, memory):
        tf.py_function(lambda: calls.append(1), [], [])
        logits = tf.one_hot(tf.fill(tf.shape(ids), END), SIZE) * 20.0
        return logits, states, None

    ids, scores = beam_search(
        advance,
        [tf.zeros([2, 1])],
        beam_size=3,
        wanted=1,
        shortest=tf.constant([0, 0]),
        longest=tf.constant([1000, 1000]),
        penalties=Penalties(length=1.0),
        begin=BEGIN,
        end=END,
    )
    assert not ids.numpy().any()
    assert scores.numpy() == pytest.approx(np.full((2, 1), math.log(1 / (1 + 6 * math.exp(-20.0)))), abs=1e-5)
    assert len(calls) < 5


def test_sentences_that_are_done_leave_the_batch():
    """Eight sentences, the first of one piece, the last of eight: each has what is its own, for as long as it lasts."""
    rows = []

    def advance(ids, states, memory):
        (lengths,) = memory
        rows.append(int(tf.shape(ids)[0]))
        (written,) = states
        best = tf.where(written[..., 0] < lengths[:, None], 3 + tf.cast(lengths, tf.int32)[:, None], END)
        return tf.one_hot(best, 16) * 20.0, [written + 1], None

    ids, _ = beam_search(
        advance,
        [tf.zeros([8, 1])],
        [tf.range(1.0, 9.0)],
        beam_size=2,
        wanted=1,
        shortest=tf.zeros([8], tf.int32),
        longest=tf.fill([8], 20),
        penalties=Penalties(length=1.0),
        begin=BEGIN,
        end=END,
    )
    assert [[int(id) for id in row if id] for row in ids[:, 0]] == [[3 + n] * n for n in range(1, 9)]
    assert rows[0] == 8
    assert rows[-1] <= 2
    assert sum(rows) < 8 * len(rows)


@pytest.mark.parametrize(("size", "count"), [(5000, 5), (1200, 10), (997, 3), (40, 40), (64, 33)])
def test_the_best_are_those_of_top_k_equals_in_their_order(size, count):
    random = np.random.default_rng(0)
    scores = random.integers(0, 50, (6, 5, size)).astype(np.float32)  # many are equal
    added = random.integers(-20, 20, (6, 5)).astype(np.float32)
    scores[1], added[2, 1:] = -np.inf, -np.inf
    values, places = best(tf.constant(scores), tf.constant(added), count, divisor(size))
    expected = tf.math.top_k((scores + added[..., None]).reshape(6, -1), count)
    np.testing.assert_array_equal(values, expected.values)
    np.testing.assert_array_equal(places, expected.indices)
