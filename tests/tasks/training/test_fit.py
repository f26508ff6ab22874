"""Training, on a model with one weight, for which every step can be computed by hand."""

import json
import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from tasks.errors import TrainingDiverged
from tasks.metrics import ACCURACY, LOSS
from tasks.reports import plots
from tasks.settings import TrainingSettings
from tasks.task_parts import Network, TrainingData
from tasks.training import fit as fitting
from tasks.training import process_state
from tasks.training.optimizers import make_optimizer
from tasks.training.runs import Run

# The model is y = w x, its loss the mean of (w x - 3 x)^2: the gradient of a batch is mean(2 (w - 3) x^2).
STEPS = 4
INPUTS = np.random.default_rng(0).uniform(0.5, 1.5, (3 * STEPS, 8)).astype(np.float32)
VALIDATION = np.float32([[1.0], [2.0]])


def gradient(weight, step):
    return float(np.mean(2 * (weight - 3) * INPUTS[step].astype(np.float64) ** 2))


def descend(change, steps):
    """The weight after each step, beginning at 0; `change(gradient, step)` is subtracted from it."""
    weights = [0.0]
    for step in range(steps):
        weights.append(weights[-1] - change(gradient(weights[-1], step), step))
    return weights[1:]


class Data(TrainingData):
    """INPUTS, a batch for each row; the validation data are one batch with the given targets."""

    steps_per_pass, tokens_per_pass, summary = STEPS, 1000, ""

    def __init__(self, targets):
        self.targets = targets

    def training_batches(self, epoch, step):
        inputs = INPUTS[epoch * STEPS + step :, :, None]
        return tf.data.Dataset.from_tensor_slices((inputs, 3 * inputs))

    def validation_batches(self):
        return tf.data.Dataset.from_tensors((VALIDATION, self.targets))


def fit(folder, targets=3 * VALIDATION, *, draw=False, **options):
    """Trains in `folder`; returns the saved weight and the run. Learning curves take longer to draw than to train."""
    settings = TrainingSettings(**({"epochs": 1, "optimizer": "sgd"} | options))
    run = Run(folder)
    run.checkpoint.mkdir(parents=True, exist_ok=True)
    with process_state.trains(folder), pytest.MonkeyPatch.context() as patch:
        fitting.set_up(settings)
        inputs = keras.Input((1,))
        model = keras.Model(inputs, keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros")(inputs))
        network = Network(model, model, loss="mse", metrics=[keras.metrics.MeanAbsoluteError("accuracy")])
        monitor = {"loss": LOSS, "accuracy": ACCURACY}[settings.monitor]
        if not draw:
            patch.setattr(plots, "learning_curves", lambda history, path: None)
        fitting.fit(network, Data(targets), settings, run, monitor=monitor, verbose=0)
    return saved_weight(run), run


def saved_weight(run):
    [weight] = keras.saving.load_model(run.model_file, compile=False).get_weights()
    return weight.item()


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
def test_a_step_follows_the_learning_rate_the_schedule_and_the_clipping(tmp_path, options, change):
    weight, _ = fit(tmp_path, learning_rate=0.1, **options)
    assert weight == pytest.approx(descend(change, STEPS)[-1], rel=1e-5)


@pytest.mark.parametrize("warmup_steps", [2, 50])
def test_the_warmup_takes_at_most_a_fifth_of_the_training(tmp_path, warmup_steps):
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
def test_each_optimizer_is_the_keras_class_with_its_settings(options):
    optimizer = make_optimizer(TrainingSettings(learning_rate=0.25, **options), 10)
    assert type(optimizer).__name__.lower() == options["optimizer"]
    assert (optimizer.weight_decay or 0.0) == options.get("weight_decay", 0.0)
    assert getattr(optimizer, "momentum", 0.0) == options.get("momentum", 0.0)
    assert float(optimizer.learning_rate) == 0.25


def test_weight_decay_does_not_apply_to_biases():
    optimizer = make_optimizer(TrainingSettings(optimizer="adamw", weight_decay=0.1), 10)
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])
    optimizer.build(model.trainable_variables)
    kernel, bias = model.trainable_variables
    assert optimizer._use_weight_decay(kernel) and not optimizer._use_weight_decay(bias)


def test_adagrad_trains_a_sparse_table_at_its_own_rate():
    """With an accumulator of zero, the first step of a row is as long as its learning rate."""
    table, dense = keras.layers.Embedding(4, 1, embeddings_initializer="zeros"), keras.layers.Dense(1)
    table.build()
    dense.build((None, 1))
    variables = [*table.trainable_variables, *dense.trainable_variables]
    settings = TrainingSettings(optimizer="sgd", learning_rate=0.5, schedule="linear")
    optimizer = make_optimizer(settings, 10, variables=variables, sparse_learning_rates=[(table, 0.25)])
    optimizer.build(variables)
    before = [variable.numpy() for variable in variables]
    optimizer.apply([tf.constant([[8.0], [0.0], [0.5], [0.0]]), tf.ones((1, 1)), tf.ones((1,))], variables)
    steps = [old - variable.numpy() for old, variable in zip(before, variables, strict=True)]
    np.testing.assert_allclose(steps[0], [[0.25], [0.0], [0.25], [0.0]], rtol=1e-3)
    np.testing.assert_allclose([steps[1].item(), steps[2].item()], 0.5, rtol=1e-6)
    with pytest.raises(ValueError, match=r"learning rate of 0\.25 for the layer .* matches no variable"):
        make_optimizer(settings, 10, variables=dense.trainable_variables, sparse_learning_rates=[(table, 0.25)])


def test_the_moving_average_is_validated_and_saved(tmp_path):
    weight, run = fit(tmp_path, learning_rate=0.1, ema_momentum=0.75, epochs=2)
    steps = descend(lambda g, step: 0.1 * g, 2 * STEPS)
    average, averages = steps[0], []
    for step in steps:
        average = 0.75 * average + 0.25 * step
        averages.append(average)
    assert weight == pytest.approx(averages[-1], rel=1e-4)
    # Training continues with the weights themselves, not with their average.
    expected = [float(np.mean((averages[n] * VALIDATION - 3 * VALIDATION) ** 2)) for n in (STEPS - 1, 2 * STEPS - 1)]
    assert [row["val_loss"] for row in run.history()] == pytest.approx(expected, rel=1e-4)


def test_the_history_has_a_row_for_each_epoch(tmp_path):
    _, run = fit(tmp_path, draw=True, epochs=3, learning_rate=0.1, schedule="linear")
    rows = run.history()
    assert [row["epoch"] for row in rows] == [1, 2, 3]
    metrics = {"loss", "accuracy", "val_loss", "val_accuracy"}
    assert set(rows[0]) == {"epoch", *metrics, "learning_rate", "seconds", "passes", "tokens_per_second"}
    assert rows[1]["tokens_per_second"] * rows[1]["seconds"] == pytest.approx(1000, rel=1e-4)
    assert rows[0]["loss"] > rows[1]["loss"] > rows[2]["loss"]
    last_steps = [0.1 * (1 - step / (3 * STEPS)) for step in (STEPS - 1, 2 * STEPS - 1, 3 * STEPS - 1)]
    assert [row["learning_rate"] for row in rows] == pytest.approx(last_steps, abs=1e-6)
    assert (run.plots / "learning_curves.png").read_bytes().startswith(b"\x89PNG")
    assert list(run.tensorboard.rglob("events.*"))


def test_a_validation_may_come_after_part_of_a_pass(tmp_path):
    weight, run = fit(tmp_path / "parts", epochs=6, steps_per_epoch=STEPS // 2, learning_rate=0.05)
    whole, passes = fit(tmp_path / "passes", epochs=3, learning_rate=0.05)
    assert weight == whole  # the same data in the same order
    assert [row["val_loss"] for row in run.history()][1::2] == [row["val_loss"] for row in passes.history()]
    assert run.history()[1]["tokens_per_second"] * run.history()[1]["seconds"] == pytest.approx(500, rel=1e-4)
    assert [row["passes"] for row in run.history()] == [0.5, 1.0, 1.5, 2.0, 2.5, 3.0]


def test_the_weights_of_the_best_epoch_are_saved_and_training_stops_early(tmp_path):
    # w = 1.2 is the best for the validation data, and 3 for the training data; it passes 1.2 in the first epoch.
    weight, run = fit(tmp_path, epochs=3, learning_rate=0.05, targets=1.2 * VALIDATION, patience=1)
    steps = descend(lambda g, step: 0.05 * g, 2 * STEPS)
    rows = run.history()
    assert len(rows) == 2 and rows[0]["val_loss"] < rows[1]["val_loss"]
    assert weight == pytest.approx(steps[STEPS - 1], rel=1e-5)


def test_the_accuracy_can_select_the_weights(tmp_path):
    # The "accuracy" of this model is a distance, which falls: its highest value is that of the first epoch.
    weight, run = fit(tmp_path, epochs=3, learning_rate=0.05, monitor="accuracy", patience=2)
    assert [row["epoch"] for row in run.history()] == [1, 2, 3]
    assert weight == pytest.approx(descend(lambda g, step: 0.05 * g, STEPS)[-1], rel=1e-5)


@pytest.mark.parametrize("options", [{}, {"clipvalue": 1e38}])
def test_divergence_ends_the_training_with_the_last_good_weights(tmp_path, options):
    with pytest.raises(TrainingDiverged) as caught:
        fit(tmp_path, learning_rate=1e30, **options)
    message = str(caught.value)
    assert len(message.splitlines()) == 2
    assert "step 2 of epoch 1" in message and "loss is inf" in message and str(tmp_path) in message
    assert ("clipvalue=1e+38" if options else "--global-clipnorm 1.0") in message and "--learning-rate" in message
    assert saved_weight(Run(tmp_path)) == 0.0


def test_a_diverged_validation_ends_the_training_and_the_best_epoch_stays_saved(tmp_path):
    with pytest.raises(TrainingDiverged, match="epoch 1") as caught:
        fit(tmp_path, learning_rate=0.1, targets=np.float32([[3.0], [np.inf]]))
    assert "inf" in str(caught.value)
    # After an epoch, the weights of the best epoch are on disk, and stay there.
    _, run = fit(tmp_path / "b", learning_rate=0.1)
    saved = run.model_file.read_bytes()
    assert json.loads(str(np.load(run.state_file)["place"]))["epoch"] == 1
    with pytest.raises(TrainingDiverged, match="keeps the weights of epoch 1"):
        fit(tmp_path / "b", epochs=2, learning_rate=1e30)
    assert run.model_file.read_bytes() == saved


@pytest.mark.parametrize(
    ("precision", "ema_momentum"), [("float64", 0.0), ("mixed_bfloat16", 0.5), ("mixed_float16", 0.5)]
)
def test_a_network_trains_in_each_precision(tmp_path, precision, ema_momentum):
    weight, run = fit(tmp_path, epochs=3, learning_rate=0.1, precision=precision, ema_momentum=ema_momentum)
    assert 2.0 < weight < 3.0 and run.history()[-1]["val_loss"] < 2.0


@pytest.mark.slow
def test_a_resumed_training_repeats_no_epoch_and_saves_the_same_weights(tmp_path):
    options = {"learning_rate": 0.1, "ema_momentum": 0.5}
    whole, _ = fit(tmp_path / "whole", epochs=3, **options)
    for finished in (1, 2):
        _, run = fit(tmp_path / str(finished), epochs=finished, **options)
        first = run.history()
        weight, run = fit(tmp_path / str(finished), epochs=3, **options)
        assert run.history()[:finished] == first and len(run.history()) == 3
        assert weight == whole
