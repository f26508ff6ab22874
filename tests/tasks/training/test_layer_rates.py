"""Layers that are trained from an epoch on, with lower learning rates than the others."""

import keras
import numpy as np
import pytest

from tasks.settings import TrainingSettings
from tasks.task_parts import LayerRate
from tasks.training.optimizers import make_optimizer


def test_a_layer_is_frozen_before_its_epoch_and_then_has_its_rate():
    below, output = keras.layers.Dense(3, use_bias=False), keras.layers.Dense(1, use_bias=False)
    model = keras.Sequential([keras.Input((2,)), below, output])
    settings = TrainingSettings(optimizer="adam", learning_rate=0.1)
    rates = [LayerRate([below], 0.25, 1)]
    optimizer = make_optimizer(settings, 4, variables=model.trainable_variables, layer_rates=rates, steps_per_epoch=2)
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
