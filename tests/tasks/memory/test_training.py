"""The data of the copy-first-symbol task, and what an experiment measures."""

import numpy as np
import pytest

from tasks.memory.copy_first_symbol import draw_sequences, draw_training_lag, one_hot
from tasks.memory.experiments import EXPLODING, EXPLODING_CLIPPED, STANDARD, Experiment, make_condition
from tasks.memory.settings import CELLS, MemoryArguments
from tasks.memory.training import ExperimentRunner


def test_the_label_is_the_first_symbol_and_occurs_only_there():
    ids, labels = draw_sequences(np.random.default_rng(0), 500, 7, symbols=4)
    assert ids.shape == (500, 8)
    np.testing.assert_array_equal(ids[:, 0], labels)
    assert set(labels) == {0, 1, 2, 3} and set(ids[:, 1:].ravel()) == {4, 5, 6, 7}
    encoded = one_hot(ids, symbols=4)
    assert encoded.shape == (500, 8, 8) and (encoded.sum(axis=-1) == 1).all()
    assert (encoded.argmax(axis=-1) == ids).all()


def test_training_lags_follow_the_distribution():
    rng = np.random.default_rng(0)
    drawn = {name: [draw_training_lag(rng, 64, name) for _ in range(3000)] for name in ("uniform", "log_uniform")}
    assert all(set(lags) == set(range(1, 65)) for lags in drawn.values())
    assert abs(np.mean(drawn["uniform"]) - 32.5) < 2
    octaves = np.histogram(drawn["log_uniform"], [1, 2, 4, 8, 16, 32, 65])[0]  # the last octave has one lag more
    assert octaves.min() > 0.8 * octaves.max()
    assert {draw_training_lag(rng, 64, "fixed") for _ in range(100)} == {64}


@pytest.mark.parametrize("cell", CELLS)
def test_each_cell_learns_a_short_lag(cell):
    arguments = MemoryArguments(units=16, symbols=4, steps=300)
    result = ExperimentRunner(arguments).run(Experiment(cell, make_condition(STANDARD, "uniform", arguments), 4, 0))
    assert result["accuracy"] > 0.95 and result["solved"] and result["steps"] < 300
    assert result["loss"][-1] < 0.5 * result["loss"][0]
    assert len(result["loss"]) == len(result["gradient_norm"]) == result["steps"]


def test_gradient_norms_are_ordered_from_the_end_backwards():
    arguments = MemoryArguments(units=16, symbols=4, steps=1)
    condition = make_condition("random_normal", "fixed", arguments)
    result = ExperimentRunner(arguments).run(Experiment("simple_rnn", condition, 8, 0))
    # With weights of standard deviation 0.05 the gradient vanishes within a few steps.
    before = result["state_gradients_before"]
    assert len(before) == 9 and before[0] > 0.1 and before[8] < 1e-3 * before[0]
    assert result["state_gradients_after"] != before


@pytest.mark.slow
def test_clipping_limits_the_weight_update_where_gradients_explode():
    arguments = MemoryArguments(units=32, symbols=4, steps=60, explosion_lag=40, explosion_gain=4.0)
    runner = ExperimentRunner(arguments)
    conditions = [make_condition(name, "log_uniform", arguments) for name in (EXPLODING, EXPLODING_CLIPPED)]
    unclipped, clipped = (runner.run(Experiment("simple_rnn", condition, 40, 0)) for condition in conditions)
    max_update = arguments.explosion_learning_rate * arguments.global_clipnorm
    assert max(clipped["gradient_norm"]) > 100 * arguments.global_clipnorm
    assert max(clipped["update_norm"]) < 1.001 * max_update
    assert max(unclipped["update_norm"]) > 10 * max_update
    assert clipped["loss"][0] == unclipped["loss"][0]  # the same initial weights and sequences
