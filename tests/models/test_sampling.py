"""Drawing characters: against what can be worked out by hand or counted."""

import math

import numpy as np
import pytest
import tensorflow as tf

from models.sampling import NONE, Sampling, Writing, drawn, penalized, probabilities, uniforms, write

LOGITS = tf.math.log(tf.constant([[0.4, 0.3, 0.2, 0.1]]))
NO_RECENT = tf.constant([[NONE]])


def chances(recent=NO_RECENT, logits=LOGITS, **sampling):
    return probabilities(logits, recent, Sampling(**sampling)).numpy()[0]


@pytest.mark.parametrize(
    ("sampling", "expected"),
    [
        ({}, [0.4, 0.3, 0.2, 0.1]),
        ({"temperature": 0.5}, np.array([16, 9, 4, 1]) / 30),
        ({"top_k": 2}, [4 / 7, 3 / 7, 0, 0]),
        ({"top_k": 1}, [1, 0, 0, 0]),
        ({"top_k": 4}, [0.4, 0.3, 0.2, 0.1]),
        ({"top_k": 99}, [0.4, 0.3, 0.2, 0.1]),
        ({"top_p": 0.6}, [4 / 7, 3 / 7, 0, 0]),
        ({"top_p": 0.75}, [4 / 9, 3 / 9, 2 / 9, 0]),
        ({"top_p": 1e-9}, [1, 0, 0, 0]),
        ({"top_p": 1e-46}, [1, 0, 0, 0]),  # 0 in float32
        ({"temperature": 2e-38}, [1, 0, 0, 0]),
        ({"top_p": 1.0}, [0.4, 0.3, 0.2, 0.1]),
        # Of the two that top_k keeps, the first has 4/7: enough for 0.5.
        ({"top_k": 2, "top_p": 0.5}, [1, 0, 0, 0]),
        ({"top_k": 3, "temperature": 0.5}, [16 / 29, 9 / 29, 4 / 29, 0]),
    ],
    ids=str,
)
def test_what_is_drawn_from(sampling, expected):
    np.testing.assert_allclose(chances(**sampling), expected, atol=1e-6)


def test_top_k_keeps_what_is_as_likely_as_the_last():
    logits = tf.constant([[1.0, 2.0, 1.0, 0.0]])
    assert (chances(logits=logits, top_k=2) > 0).tolist() == [True, True, True, False]


def test_the_penalty_makes_recent_characters_less_likely():
    logits = tf.constant([[2.0, -1.0, 1.0, 0.0]])
    recent = tf.constant([[3, 1, 0, NONE]])
    found = penalized(logits, recent, 2.0).numpy()[0]
    np.testing.assert_allclose(found, [1.0, -2.0, 1.0, 0.0])
    # Only the window counts: the 3 and the 1 are further back.
    windowed = chances(logits=logits, recent=recent, repetition_penalty=2.0, repetition_window=2)
    np.testing.assert_allclose(windowed, tf.nn.softmax([1.0, -1.0, 1.0, 0.0]), rtol=1e-6)


def test_draws_follow_the_probabilities():
    count = 40_000
    uniform = uniforms(tf.constant([0]), tf.constant(count))[0]
    wanted = np.array([0.4, 0.0, 0.35, 0.25], np.float32)
    ids = drawn(tf.repeat(wanted[None], count, axis=0), uniform, tf.constant(1.0)).numpy()
    shares = np.bincount(ids, minlength=4) / count
    assert shares[1] == 0
    assert np.abs(shares - wanted).max() < 4 * math.sqrt(0.25 / count)


@pytest.mark.parametrize("uniform", [0.0, 0.39999, 0.7, 0.99999994])
def test_what_has_no_probability_is_never_drawn(uniform):
    for row in ([0.0, 1.0, 0.0], [0.0, 0.4, 0.6], [0.4, 0.6, 0.0]):
        index = drawn(tf.constant([row]), tf.constant([uniform]), tf.constant(1.0)).numpy()[0]
        assert row[index] > 0


def test_a_row_of_random_numbers_depends_on_its_seed_alone():
    many = uniforms(tf.constant([5, 9, 5]), tf.constant(100)).numpy()
    np.testing.assert_array_equal(many[0], many[2])
    np.testing.assert_array_equal(many[1], uniforms(tf.constant([9]), tf.constant(100))[0])
    assert not np.array_equal(many[0], many[1])
    np.testing.assert_array_equal(many[0, :30], uniforms(tf.constant([5]), tf.constant(30))[0])


# --- the loop: a network that counts, 0 1 2 3 4 0 1 ..., its state the last number

SIZE = 5


def counting(batch_ids):
    """Where a text stands after these numbers."""
    states = [tf.cast(tf.constant(batch_ids)[:, None], tf.float32)]
    batch = len(batch_ids)
    return Writing(logits_of(states), states, tf.fill([batch, 4], NONE), tf.constant(0), tf.fill([batch], False))


def advance(ids, states):
    return [tf.cast(ids[:, None], tf.float32)]


def logits_of(states):
    return 10.0 * tf.one_hot(tf.cast(states[0][:, 0] + 1, tf.int32) % SIZE, SIZE)


def written(writing, length, **sampling):
    uniform = uniforms(tf.range(writing.logits.shape[0]), tf.constant(length))
    run = tf.function(lambda w: write(advance, logits_of, w, uniform, Sampling(0.0, **sampling)))
    return run(writing)


def test_what_is_drawn_is_fed_back():
    ids, writing = written(counting([0, 3]), 6)
    assert ids.numpy().tolist() == [[1, 2, 3, 4, 0, 1], [4, 0, 1, 2, 3, 4]]
    assert writing.written == 6
    more, _ = written(writing, 2)
    assert more.numpy().tolist() == [[2, 3], [0, 1]]


@pytest.mark.parametrize("window", [1, 2])
def test_the_penalty_follows_what_is_written(window):
    begun = counting([0])._replace(logits=tf.zeros([1, SIZE]) + [3.0, 2.9, 2.8, 0.0, 0.0])
    uniform = uniforms(tf.constant([0]), tf.constant(4))
    sampling = Sampling(0.0, repetition_penalty=2.0, repetition_window=window)
    begun = begun._replace(recent=tf.fill([1, sampling.memory], NONE))
    ids, _ = write(lambda ids, states: states, lambda states: begun.logits, begun, uniform, sampling)
    assert ids.numpy().tolist() == [[0, 1, 0, 1] if window == 1 else [0, 1, 2, 0]]


def test_each_row_ends_after_its_own_stop():
    ids, writing = written(counting([0, 3, 2]), 9, stops=((3, 4), (1,)))
    assert ids.numpy().tolist() == [[1, NONE, NONE], [4, 0, 1], [3, 4, NONE]]
    assert writing.finished.numpy().all()


def test_a_stop_counts_only_where_all_of_it_was_written():
    # The 3 before the text is given, the 4 written: no stop yet.
    begun = counting([3])._replace(recent=tf.constant([[0, 1, 2, 3]]))
    ids, _ = written(begun, 9, stops=((3, 4),))
    assert ids.numpy().tolist() == [[4, 0, 1, 2, 3, 4]]


def test_a_stop_is_seen_across_two_parts():
    _, writing = written(counting([1]), 2, stops=((3, 4, 0),))
    ids, _ = written(writing, 9, stops=((3, 4, 0),))
    assert ids.numpy().tolist() == [[4, 0]]
