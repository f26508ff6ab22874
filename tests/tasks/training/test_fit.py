"""Training, on a model of one weight whose every step can be worked out by hand."""

import csv
import json
import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from tasks.errors import TrainingDiverged
from tasks.settings import TrainingSettings
from tasks.training import fit as training
from tasks.training import optimizers, runs

# The model is y = w x, its loss the mean of (w x - 3 x)^2: the gradient of a batch is mean(2 (w - 3) x^2).
STEPS = 4
INPUTS = np.random.default_rng(0).uniform(0.5, 1.5, (3 * STEPS, 8)).astype(np.float32)
VALIDATION = np.float32([[1.0], [2.0]])


def gradient(weight, step):
    return float(np.mean(2 * (weight - 3) * INPUTS[step].astype(np.float64) ** 2))


def descend(change, steps):
    """The weight, from 0 on, after each step: `change` gives what is taken off it for (gradient, step)."""
    weights = [0.0]
    for step in range(steps):
        weights.append(weights[-1] - change(gradient(weights[-1], step), step))
    return weights[1:]


def linear_model(start=0.0):
    inputs = keras.Input((1,))
    layer = keras.layers.Dense(1, use_bias=False, kernel_initializer=keras.initializers.Constant(start))
    return keras.Model(inputs, layer(inputs))


def batches(epoch, step):
    def generate():
        for index in range(epoch * STEPS + step, len(INPUTS)):
            yield INPUTS[index][:, None], 3 * INPUTS[index][:, None]

    column = tf.TensorSpec((None, 1), tf.float32)
    return tf.data.Dataset.from_generator(generate, output_signature=(column, column))


def fit(folder, start=0.0, validation=3 * VALIDATION, **options):
    """Trains in `folder`; gives the kept weight, the run and the settings."""
    settings = TrainingSettings(**({"epochs": 1, "optimizer": "sgd"} | options))
    run = runs.Run(folder)
    run.checkpoint.mkdir(parents=True, exist_ok=True)
    training.set_up(settings)
    model = linear_model(start)
    try:
        training.train(
            model,
            model,
            loss="mse",
            metrics=[keras.metrics.MeanAbsoluteError("accuracy")],
            batches=batches,
            steps_per_pass=STEPS,
            tokens_per_pass=1000,
            validation=tf.data.Dataset.from_tensors((VALIDATION, validation)),
            settings=settings,
            run=run,
            verbose=0,
        )
    finally:
        keras.mixed_precision.set_global_policy("float32")
    return float(keras.saving.load_model(run.model_file, compile=False).get_weights()[0].item()), run


def history(run):
    with open(run.history_file, newline="") as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]


@pytest.mark.parametrize(
    ("options", "change"),
    [
        ({}, lambda g, step: 0.1 * g),
        ({"clipnorm": 0.5}, lambda g, step: 0.1 * max(-0.5, g)),
        ({"global_clipnorm": 0.5}, lambda g, step: 0.1 * max(-0.5, g)),
        ({"clipvalue": 0.25}, lambda g, step: 0.1 * max(-0.25, g)),
        ({"schedule": "linear"}, lambda g, step: 0.1 * g * (1 - step / STEPS)),
        ({"schedule": "cosine"}, lambda g, step: 0.1 * g * 0.5 * (1 + math.cos(math.pi * step / STEPS))),
    ],
)
def test_a_step_is_what_the_settings_say(tmp_path, options, change):
    weight, _ = fit(tmp_path, learning_rate=0.1, **options)
    assert weight == pytest.approx(descend(change, STEPS)[-1], rel=1e-5)


@pytest.mark.parametrize("warmup_steps", [2, 50])
def test_the_learning_rate_rises_before_it_falls_over_a_fifth_of_the_training_at_most(tmp_path, warmup_steps):
    weight, _ = fit(tmp_path, learning_rate=0.1, schedule="linear", warmup_steps=warmup_steps, epochs=3, monitor="loss")

    def change(gradient, step):
        return 0.1 * gradient * ((step + 1) / 2 if step < 2 else 1 - (step - 2) / (3 * STEPS - 2))

    assert weight == pytest.approx(descend(change, 3 * STEPS)[-1], rel=1e-5)


@pytest.mark.parametrize(
    "options",
    [
        {"optimizer": "adam"},
        {"optimizer": "adamw", "weight_decay": 0.1},
        {"optimizer": "adamw"},
        {"optimizer": "sgd", "momentum": 0.9, "weight_decay": 0.1},
        {"optimizer": "rmsprop", "momentum": 0.5},
    ],
)
def test_each_optimizer_is_the_keras_class_with_the_settings(options):
    optimizer = optimizers.make_optimizer(TrainingSettings(learning_rate=0.25, **options), 10)
    assert type(optimizer).__name__.lower() == options["optimizer"]
    assert (optimizer.weight_decay or 0.0) == options.get("weight_decay", 0.0)
    assert getattr(optimizer, "momentum", 0.0) == options.get("momentum", 0.0)
    assert float(optimizer.learning_rate) == 0.25


def test_weight_decay_leaves_biases_alone():
    optimizer = optimizers.make_optimizer(TrainingSettings(optimizer="adamw", weight_decay=0.1), 10)
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])
    optimizer.build(model.trainable_variables)
    kernel, bias = model.trainable_variables
    assert optimizer._use_weight_decay(kernel) and not optimizer._use_weight_decay(bias)


def test_the_running_average_is_what_is_validated_and_kept(tmp_path):
    weight, run = fit(tmp_path, learning_rate=0.1, average_weights=0.75, epochs=2)
    steps = descend(lambda g, step: 0.1 * g, 2 * STEPS)
    average, averages = steps[0], []
    for step in steps:
        average = 0.75 * average + 0.25 * step
        averages.append(average)
    assert weight == pytest.approx(averages[-1], rel=1e-4)
    # The training goes on from the weights themselves, not from their average.
    expected = [float(np.mean((averages[n] * VALIDATION - 3 * VALIDATION) ** 2)) for n in (STEPS - 1, 2 * STEPS - 1)]
    assert [row["val_loss"] for row in history(run)] == pytest.approx(expected, rel=1e-4)


def test_the_history_has_a_row_for_each_epoch(tmp_path):
    _, run = fit(tmp_path, epochs=3, learning_rate=0.1, schedule="linear")
    rows = history(run)
    assert [row["epoch"] for row in rows] == [1, 2, 3]
    figures = {
        "loss",
        "accuracy",
        "val_loss",
        "val_accuracy",
        "learning_rate",
        "seconds",
        "passes",
        "tokens_per_second",
    }
    assert set(rows[0]) == {"epoch", *figures}
    assert rows[1]["tokens_per_second"] * rows[1]["seconds"] == pytest.approx(1000, rel=1e-4)
    assert rows[0]["loss"] > rows[1]["loss"] > rows[2]["loss"]
    last_steps = [0.1 * (1 - step / (3 * STEPS)) for step in (STEPS - 1, 2 * STEPS - 1, 3 * STEPS - 1)]
    assert [row["learning_rate"] for row in rows] == pytest.approx(last_steps, abs=1e-6)
    assert (run.plots / "learning_curves.png").read_bytes().startswith(b"\x89PNG")
    assert list(run.tensorboard.rglob("events.*"))


def test_validations_may_come_more_often_than_the_data_are_passed(tmp_path):
    weight, run = fit(tmp_path / "parts", epochs=6, steps_per_epoch=STEPS // 2, learning_rate=0.05)
    whole, passes = fit(tmp_path / "passes", epochs=3, learning_rate=0.05)
    assert weight == whole  # the same data in the same order
    assert [row["val_loss"] for row in history(run)][1::2] == [row["val_loss"] for row in history(passes)]
    assert history(run)[1]["tokens_per_second"] * history(run)[1]["seconds"] == pytest.approx(500, rel=1e-4)
    assert [row["passes"] for row in history(run)] == [0.5, 1.0, 1.5, 2.0, 2.5, 3.0]


def test_the_weights_of_the_best_epoch_are_kept_and_training_stops_without_a_better_one(tmp_path):
    # The validation data want w = 1; the training data draw it to 3, past 1 in the first epoch.
    weight, run = fit(tmp_path, epochs=3, learning_rate=0.05, validation=1.2 * VALIDATION, patience=1)
    steps = descend(lambda g, step: 0.05 * g, 2 * STEPS)
    rows = history(run)
    assert len(rows) == 2 and rows[0]["val_loss"] < rows[1]["val_loss"]
    assert weight == pytest.approx(steps[STEPS - 1], rel=1e-5)


def test_the_figure_that_picks_the_weights_can_be_the_accuracy(tmp_path):
    # What stands for the accuracy here, a distance, falls: to the highest of it the first epoch is the best.
    weight, run = fit(tmp_path, epochs=3, learning_rate=0.05, monitor="accuracy", patience=2)
    assert [row["epoch"] for row in history(run)] == [1, 2, 3]
    assert weight == pytest.approx(descend(lambda g, step: 0.05 * g, STEPS)[-1], rel=1e-5)


@pytest.mark.parametrize("options", [{}, {"clipvalue": 1e38}])
def test_a_loss_that_is_not_finite_stops_it_with_the_last_good_weights(tmp_path, options):
    with pytest.raises(TrainingDiverged) as caught:
        fit(tmp_path, learning_rate=1e30, **options)
    message = str(caught.value)
    assert len(message.splitlines()) == 2
    assert "step 2 of epoch 1" in message and "loss is inf" in message and str(tmp_path) in message
    assert ("clipvalue=1e+38" if options else "--global-clipnorm 1.0") in message and "--learning-rate" in message
    model = keras.saving.load_model(tmp_path / "model.keras", compile=False)
    assert model.get_weights()[0].item() == 0.0


def test_a_validation_loss_that_is_not_finite_stops_it_too_and_the_best_epoch_is_kept(tmp_path):
    with pytest.raises(TrainingDiverged, match="epoch 1") as caught:
        fit(tmp_path, learning_rate=0.1, validation=np.float32([[3.0], [np.inf]]))
    assert "inf" in str(caught.value)
    # Later on the weights of the best epoch are there, and they stay.
    fit(tmp_path / "b", learning_rate=0.1)
    kept = (tmp_path / "b" / "model.keras").read_bytes()
    state = np.load(tmp_path / "b" / "checkpoint" / "state.npz")
    assert json.loads(str(state["place"]))["epoch"] == 1
    with pytest.raises(TrainingDiverged, match="keeps the weights of epoch 1"):
        fit(tmp_path / "b", epochs=2, learning_rate=1e30)
    assert (tmp_path / "b" / "model.keras").read_bytes() == kept


@pytest.mark.parametrize(
    ("precision", "average_weights"), [("float64", 0.0), ("mixed_bfloat16", 0.5), ("mixed_float16", 0.5)]
)
def test_each_precision_trains(tmp_path, precision, average_weights):
    weight, run = fit(tmp_path, epochs=3, learning_rate=0.1, precision=precision, average_weights=average_weights)
    assert 2.0 < weight < 3.0 and history(run)[-1]["val_loss"] < 2.0


@pytest.mark.parametrize("done", [1, 2])
def test_a_finished_epoch_is_not_done_again(tmp_path, done):
    fit(tmp_path / "whole", epochs=3, learning_rate=0.1, average_weights=0.5)
    fit(tmp_path / "parts", epochs=done, learning_rate=0.1, average_weights=0.5)
    first = history(runs.Run(tmp_path / "parts"))
    weight, run = fit(tmp_path / "parts", epochs=3, learning_rate=0.1, average_weights=0.5)
    assert history(run)[:done] == first
    whole = keras.saving.load_model(tmp_path / "whole" / "model.keras", compile=False)
    assert weight == whole.get_weights()[0].item()
