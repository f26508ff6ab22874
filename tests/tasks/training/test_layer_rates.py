"""Layers that are trained from an epoch on, with lower learning rates than the others."""

import keras
import numpy as np
import pytest

from tasks.settings import TrainingSettings
from tasks.task_parts import LayerRate
from tasks.training import optimizers
from tasks.training.optimizers import GroupedOptimizer, make_optimizer


@pytest.fixture(params=[optimizers.MultiOptimizer, GroupedOptimizer], ids=["of Keras", "before Keras 3.15"])
def multi_optimizer(request, monkeypatch):
    """The class that has an optimizer for each group of variables."""
    monkeypatch.setattr(optimizers, "MultiOptimizer", request.param)
    return request.param


def test_a_layer_is_frozen_before_its_epoch_and_then_has_its_rate(multi_optimizer):
    below, output = keras.layers.Dense(3, use_bias=False), keras.layers.Dense(1, use_bias=False)
    model = keras.Sequential([keras.Input((2,)), below, output])
    settings = TrainingSettings(optimizer="adam", learning_rate=0.1)
    rates = [LayerRate([below], 0.25, 1)]
    optimizer = make_optimizer(settings, 4, variables=model.trainable_variables, layer_rates=rates, steps_per_epoch=2)
    assert isinstance(optimizer, multi_optimizer)
    optimizer.build(model.trainable_variables)
    gradients = [np.ones(variable.shape, np.float32) for variable in model.trainable_variables]
    steps = {"below": [], "output": []}
    for _ in range(4):
        before = [np.array(variable) for variable in model.trainable_variables]
        optimizer.apply(gradients)
        moved = [np.abs(np.array(one) - old).max() for one, old in zip(model.trainable_variables, before, strict=True)]
        steps["below"].append(float(moved[0]))
        steps["output"].append(float(moved[1]))
    # Adam's steps have the length of the learning rate while the gradient stays the same.
    assert steps["below"] == pytest.approx([0.0, 0.0, 0.025, 0.025], rel=1e-3)
    assert steps["output"] == pytest.approx([0.1] * 4, rel=1e-3)


def test_all_optimizers_save_their_variables_and_average_the_weights(multi_optimizer):
    below, output = keras.layers.Dense(3), keras.layers.Dense(1)
    model = keras.Sequential([keras.Input((2,)), below, output])
    settings = TrainingSettings(optimizer="adam", learning_rate=0.1, ema_momentum=0.5)
    optimizer = make_optimizer(
        settings, 4, variables=model.trainable_variables, layer_rates=[LayerRate([below], 0.25, 0)]
    )
    optimizer.build(model.trainable_variables)
    for _ in range(2):
        optimizer.apply([np.ones(variable.shape, np.float32) for variable in model.trainable_variables])
    # Two Adams with two moments and an average of each of their two variables, besides the counts and rates of steps.
    averages = [variable for variable in optimizer.variables if "average" in variable.path]
    assert len(averages) == 4 and len(optimizer.variables) == 16
    before = [np.array(variable) for variable in model.trainable_variables]
    optimizer.finalize_variable_values(model.trainable_variables)
    after = [np.array(variable) for variable in model.trainable_variables]
    assert not any(np.array_equal(one, other) for one, other in zip(before, after, strict=True))
    assert {one.tobytes() for one in after} == {np.array(variable).tobytes() for variable in averages}
