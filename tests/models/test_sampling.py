"""Sampling of characters, checked against results computed by hand and against frequencies."""

import math

import numpy as np
import pytest
import tensorflow as tf

from models.sampling import (
    NO_ID,
    GenerationState,
    Sampling,
    apply_repetition_penalty,
    generate,
    probabilities,
    sample,
    uniform_noise,
    uniform_noise_from,
)

LOGITS = tf.math.log(tf.constant([[0.4, 0.3, 0.2, 0.1]]))
NO_RECENT = tf.constant([[NO_ID]])


def distribution(recent=NO_RECENT, logits=LOGITS, **sampling):
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
        # The first of the two that top_k keeps has probability 4/7, which is above 0.5.
        ({"top_k": 2, "top_p": 0.5}, [1, 0, 0, 0]),
        ({"top_k": 3, "temperature": 0.5}, [16 / 29, 9 / 29, 4 / 29, 0]),
    ],
    ids=str,
)
def test_temperature_top_k_and_top_p(sampling, expected):
    np.testing.assert_allclose(distribution(**sampling), expected, atol=1e-6)


def test_top_k_keeps_ties_with_the_last():
    logits = tf.constant([[1.0, 2.0, 1.0, 0.0]])
    assert (distribution(logits=logits, top_k=2) > 0).tolist() == [True, True, True, False]


def test_the_penalty_makes_recent_characters_less_probable():
    logits = tf.constant([[2.0, -1.0, 1.0, 0.0]])
    recent = tf.constant([[3, 1, 0, NO_ID]])
    penalized = apply_repetition_penalty(logits, recent, 2.0).numpy()[0]
    np.testing.assert_allclose(penalized, [1.0, -2.0, 1.0, 0.0])
    # The 3 and the 1 are outside the window.
    windowed = distribution(logits=logits, recent=recent, repetition_penalty=2.0, repetition_window=2)
    np.testing.assert_allclose(windowed, tf.nn.softmax([1.0, -1.0, 1.0, 0.0]), rtol=1e-6)


def test_sampled_frequencies_are_the_probabilities():
    count = 40_000
    noise = uniform_noise(tf.constant([0]), tf.constant(count))[0]
    expected = np.array([0.4, 0.0, 0.35, 0.25], np.float32)
    ids = sample(tf.repeat(expected[None], count, axis=0), noise, tf.constant(1.0)).numpy()
    shares = np.bincount(ids, minlength=4) / count
    assert shares[1] == 0
    assert np.abs(shares - expected).max() < 4 * math.sqrt(0.25 / count)


@pytest.mark.parametrize("noise", [0.0, 0.39999, 0.7, 0.99999994])
def test_ids_of_probability_0_are_never_sampled(noise):
    for row in ([0.0, 1.0, 0.0], [0.0, 0.4, 0.6], [0.4, 0.6, 0.0]):
        index = sample(tf.constant([row]), tf.constant([noise]), tf.constant(1.0)).numpy()[0]
        assert row[index] > 0


def test_a_row_of_random_numbers_depends_on_its_seed_alone():
    many = uniform_noise(tf.constant([5, 9, 5]), tf.constant(100)).numpy()
    np.testing.assert_array_equal(many[0], many[2])
    np.testing.assert_array_equal(many[1], uniform_noise(tf.constant([9]), tf.constant(100))[0])
    assert not np.array_equal(many[0], many[1])
    np.testing.assert_array_equal(many[0, :30], uniform_noise(tf.constant([5]), tf.constant(30))[0])


# --- the loop, with a network that counts 0 1 2 3 4 0 1 ...; its state is the last number

SIZE = 5


def state_after(batch_ids):
    """Return the state after one number per row."""
    states = [tf.cast(tf.constant(batch_ids)[:, None], tf.float32)]
    batch = len(batch_ids)
    return GenerationState(
        logits_of(states), states, tf.fill([batch, 4], NO_ID), tf.zeros([batch], tf.int32), tf.fill([batch], False)
    )


def step(ids, states):
    return [tf.cast(ids[:, None], tf.float32)]


def logits_of(states):
    return 10.0 * tf.one_hot(tf.cast(states[0][:, 0] + 1, tf.int32) % SIZE, SIZE)


def generated(state, length, **sampling):
    noise = uniform_noise(tf.range(state.logits.shape[0]), tf.constant(length))
    run = tf.function(lambda state: generate(step, logits_of, state, noise, Sampling(0.0, **sampling)))
    return run(state)


def test_sampled_ids_are_fed_back():
    ids, state = generated(state_after([0, 3]), 6)
    assert ids.numpy().tolist() == [[1, 2, 3, 4, 0, 1], [4, 0, 1, 2, 3, 4]]
    assert state.generated.numpy().tolist() == [6, 6]
    more, _ = generated(state, 2)
    assert more.numpy().tolist() == [[2, 3], [0, 1]]


def test_a_row_with_a_shorter_length_stops_there_and_goes_on_as_if_it_had_never_stopped():
    noise = uniform_noise(tf.range(3), tf.constant(6))
    whole, _ = generate(step, logits_of, state_after([0, 3, 1]), noise, Sampling(0.0))
    ids, state = generate(step, logits_of, state_after([0, 3, 1]), noise, Sampling(0.0), tf.constant([6, 2, 0]))
    expected = np.where(np.arange(6) < np.array([[6], [2], [0]]), whole, NO_ID)
    np.testing.assert_array_equal(ids, expected)
    assert state.generated.numpy().tolist() == [6, 2, 0]
    more, _ = generate(step, logits_of, state, noise[:, :4], Sampling(0.0))
    np.testing.assert_array_equal(more[1], whole[1, 2:])


def test_each_row_has_its_own_temperature_top_k_and_top_p():
    rows = [(0.5, 0, 1.0), (2.0, 2, 1.0), (1.0, 0, 0.6), (1e-30, 3, 0.5)]
    temperature, top_k, top_p = map(list, zip(*rows, strict=True))
    sampling = Sampling(tf.constant(temperature), tf.constant(top_k), tf.constant(top_p))
    together = probabilities(tf.repeat(LOGITS, 4, axis=0), tf.repeat(NO_RECENT, 4, axis=0), sampling)
    for row, (temperature, top_k, top_p) in zip(together, rows, strict=True):
        np.testing.assert_array_equal(row, distribution(temperature=temperature, top_k=top_k, top_p=top_p))


def test_noise_from_a_place_on_is_the_same_noise():
    seeds, keys = tf.constant([0, 7, 2**40], tf.int64), tf.constant([5, -1, 2**62], tf.int64)
    whole = uniform_noise(seeds, tf.constant(50), keys).numpy()
    first = [0, 3, 41]
    part = uniform_noise_from(tf.stack([seeds, keys], axis=1), tf.constant(first), tf.constant(6)).numpy()
    np.testing.assert_array_equal(part, [row[place : place + 6] for row, place in zip(whole, first, strict=True)])


@pytest.mark.parametrize("window", [1, 2])
def test_the_penalty_applies_to_generated_ids(window):
    start = state_after([0])._replace(logits=tf.zeros([1, SIZE]) + [3.0, 2.9, 2.8, 0.0, 0.0])
    noise = uniform_noise(tf.constant([0]), tf.constant(4))
    sampling = Sampling(0.0, repetition_penalty=2.0, repetition_window=window)
    start = start._replace(recent=tf.fill([1, sampling.history_size], NO_ID))
    ids, _ = generate(lambda ids, states: states, lambda states: start.logits, start, noise, sampling)
    assert ids.numpy().tolist() == [[0, 1, 0, 1] if window == 1 else [0, 1, 2, 0]]


def test_each_row_ends_after_its_own_stop():
    ids, state = generated(state_after([0, 3, 2]), 9, stops=((3, 4), (1,)))
    assert ids.numpy().tolist() == [[1, NO_ID, NO_ID], [4, 0, 1], [3, 4, NO_ID]]
    assert state.finished.numpy().all()


def test_a_stop_counts_only_if_all_of_it_was_generated():
    # The 3 belongs to the prompt and only the 4 is generated: not a stop.
    start = state_after([3])._replace(recent=tf.constant([[0, 1, 2, 3]]))
    ids, _ = generated(start, 9, stops=((3, 4),))
    assert ids.numpy().tolist() == [[4, 0, 1, 2, 3, 4]]


def test_a_stop_is_found_across_two_parts():
    _, state = generated(state_after([1]), 2, stops=((3, 4, 0),))
    ids, _ = generated(state, 9, stops=((3, 4, 0),))
    assert ids.numpy().tolist() == [[4, 0]]
