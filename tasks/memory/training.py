"""Runs an experiment: trains a network on the copy-first-symbol task, and measures accuracy and gradient norms."""

import math
import time

import keras
import numpy as np
import tensorflow as tf

from models.gradients import state_gradients
from models.network_settings import NetworkSettings
from models.network_sizes import Part, stack_part
from models.recurrent import recurrent_layers, recurrent_stack
from models.recurrent_settings import RecurrentSettings
from tasks.errors import UserError
from tasks.memory.copy_first_symbol import draw_sequences, draw_training_lag, one_hot
from tasks.memory.experiments import Condition, Experiment
from tasks.memory.settings import MemoryArguments
from tasks.settings import TrainingSettings
from tasks.training import fit, required_memory
from tasks.training.optimizers import make_optimizer

# The task is solved when this accuracy is reached on new sequences at this number of successive checks.
SOLVED_ACCURACY, SOLVED_CHECKS = 0.99, 2
STEPS_BETWEEN_CHECKS = 25
# Number of sequences of each measurement.
CHECK_SEQUENCES, TEST_SEQUENCES, GRADIENT_SEQUENCES = 256, 1024, 32

# Metrics of each training step.
STEP_METRICS = ("loss", "gradient_norm", "update_norm")


def check(arguments: MemoryArguments) -> None:
    """Check that the networks fit into the memory, and that the recurrent initializers can be used.

    Raises:
        UserError: If they cannot be trained; names the option.
    """
    size, training = 2 * arguments.symbols, TrainingSettings()
    inputs = Part("inputs", 0, ("symbols", "lags"), 2 * size)  # as arrays and as tensors
    output = Part("output layer", (arguments.units + 1) * arguments.symbols, ("units", "symbols"))
    lag = max(*arguments.lag_values, arguments.explosion_lag)
    for cell in arguments.cell_names:
        stack = stack_part(RecurrentSettings(cell=cell, units=arguments.units), size)
        stack = stack._replace(options=("units", "lags", "batch_size"))
        required_memory.check_parts([inputs, stack, output], training, arguments.batch_size * (lag + 1))
        required_memory.check_parts([inputs], training, TEST_SEQUENCES * (lag + 1))
    for initializer in arguments.initializer_names:
        settings = RecurrentSettings(units=arguments.units, recurrent_initializer=initializer)
        try:
            fit.check_keras_values(settings, NetworkSettings(), features=size)
        except UserError as error:
            raise UserError(str(error).replace("--recurrent-initializer", "--random-initializers")) from None


class ExperimentRunner:
    """Runs experiments one after the other.

    Args:
        arguments: Settings of the study.
    """

    def __init__(self, arguments: MemoryArguments):
        self.arguments = arguments
        # Tracing a network takes a second, and TensorFlow keeps some MB for each trace. So there is one network for
        # each cell and optimizer, which is reset to the initial weights of each experiment.
        self._networks: dict[tuple, Network] = {}

    def run(self, experiment: Experiment) -> dict:
        """Train and measure. The result depends on the settings only, except for the seconds.

        Returns:
            Values that JSON can represent, with None for NaN and infinity: the experiment's key, and

            - `accuracy`: After training, on new sequences with the test lag.
            - `steps`: Number of training steps.
            - `solved`: Whether training stopped because the task was solved.
            - `diverged`: Whether training stopped because the loss was NaN or infinite.
            - `seconds`: Duration of the experiment.
            - `loss`, `gradient_norm`, `update_norm`: For each step, the loss in nats, the global norm of the gradients
              before clipping, and the global norm of the change of the weights.
            - `state_gradients_before`, `state_gradients_after`: Before and after training, the norm of
              d loss / d state at 0 to `lag` steps before the end (see `models.gradients`). The last value belongs to
              the symbol to remember.
        """
        start = time.monotonic()
        condition = experiment.condition
        setup = (experiment.cell, condition.optimizer, condition.learning_rate, condition.global_clipnorm)
        if setup not in self._networks:
            self._networks[setup] = Network(experiment.cell, condition, self.arguments)
        network = self._networks[setup]
        network.reset(experiment)
        before = network.state_gradients()
        history, outcome = network.train()
        columns = zip(STEP_METRICS, zip(*history, strict=True), strict=True)
        return {
            **experiment.key,
            "accuracy": network.accuracy(network.random_generator("test"), TEST_SEQUENCES),
            "steps": len(history),
            "solved": outcome == "solved",
            "diverged": outcome == "diverged",
            "seconds": round(time.monotonic() - start, 2),
            **{name: _as_json(column) for name, column in columns},
            "state_gradients_before": _as_json(before),
            "state_gradients_after": _as_json(network.state_gradients()),
        }


def _as_json(values) -> list[float | None]:
    return [float(f"{value:.4g}") if math.isfinite(value) else None for value in values]


class Network:
    """A recurrent layer, and a dense layer that predicts the first symbol from the last output.

    Args:
        cell: Cell of the recurrent layer.
        condition: Optimizer, learning rate and gradient clipping.
        arguments: Settings of the study.
    """

    def __init__(self, cell: str, condition: Condition, arguments: MemoryArguments):
        self.arguments, self.experiment = arguments, None
        settings = _recurrent_settings(cell, condition, arguments)
        inputs = keras.Input((None, 2 * arguments.symbols))
        (self.layer,) = recurrent_layers(settings)
        self.logits = keras.layers.Dense(arguments.symbols)
        self.model = keras.Model(inputs, self.logits(recurrent_stack(settings, inputs, layers=[self.layer])))
        self.optimizer = make_optimizer(
            TrainingSettings(
                optimizer=condition.optimizer,
                learning_rate=condition.learning_rate,
                global_clipnorm=condition.global_clipnorm,
            ),
            arguments.steps,
        )
        self.optimizer.build(self.model.trainable_variables)
        self._initial_optimizer_state = [variable.numpy() for variable in self.optimizer.variables]
        batch = [tf.TensorSpec((None, *inputs.shape[1:]), tf.float32), tf.TensorSpec((None,), tf.int32)]
        self._train_step = tf.function(self._apply_gradients, input_signature=batch, autograph=False)
        self._batch_accuracy = tf.function(self._mean_accuracy, input_signature=batch, autograph=False)

    def reset(self, experiment: Experiment) -> None:
        """Set the initial weights of the experiment, which depend on its seed, and reset the optimizer."""
        self.experiment = experiment
        fit.set_up(TrainingSettings(seed=experiment.seed))
        settings = _recurrent_settings(experiment.cell, experiment.condition, self.arguments)
        (layer,), logits = recurrent_layers(settings), keras.layers.Dense(self.arguments.symbols)
        layer.build((None, None, 2 * self.arguments.symbols))
        logits.build((None, self.arguments.units))
        self.layer.set_weights(layer.get_weights())
        self.logits.set_weights(logits.get_weights())
        for variable, value in zip(self.optimizer.variables, self._initial_optimizer_state, strict=True):
            variable.assign(value)

    def random_generator(self, purpose: str) -> np.random.Generator:
        """Return the generator of the sequences. It is the same for all cells and conditions of a lag and a seed."""
        purposes = ("training", "check", "test", "gradients")
        return np.random.default_rng([self.experiment.seed, self.experiment.lag, purposes.index(purpose)])

    def _draw_batch(self, rng: np.random.Generator, count: int, lag: int) -> tuple[np.ndarray, np.ndarray]:
        ids, labels = draw_sequences(rng, count, lag, self.arguments.symbols)
        return one_hot(ids, self.arguments.symbols), labels

    def train(self) -> tuple[list[tuple[float, float, float]], str]:
        """Train until the task is solved, the loss is not finite, or the maximum number of steps is reached.

        Returns:
            The `STEP_METRICS` of each step, and the outcome: "solved", "diverged" or "not solved".
        """
        rng, check_rng = self.random_generator("training"), self.random_generator("check")
        history, passed = [], 0
        for step in range(1, self.arguments.steps + 1):
            lag = draw_training_lag(rng, self.experiment.lag, self.experiment.condition.training_lags)
            batch = self._draw_batch(rng, self.arguments.batch_size, lag)
            history.append(tuple(float(value) for value in self._train_step(*batch)))
            if not math.isfinite(history[-1][0]):
                return history, "diverged"
            if step % STEPS_BETWEEN_CHECKS == 0:
                passed = passed + 1 if self.accuracy(check_rng, CHECK_SEQUENCES) >= SOLVED_ACCURACY else 0
                if passed == SOLVED_CHECKS:
                    return history, "solved"
        return history, "not solved"

    def accuracy(self, rng: np.random.Generator, count: int) -> float:
        """Return the accuracy on `count` new sequences with the test lag."""
        return float(self._batch_accuracy(*self._draw_batch(rng, count, self.experiment.lag)))

    def state_gradients(self) -> np.ndarray:
        """Return the norms of d loss / d state for the test lag, `(lag + 1,)`, ordered from the end backwards."""
        inputs, labels = self._draw_batch(self.random_generator("gradients"), GRADIENT_SEQUENCES, self.experiment.lag)

        def loss(output):
            return keras.losses.sparse_categorical_crossentropy(labels, self.logits(output), from_logits=True)

        return state_gradients(self.layer, inputs, loss)["all"][::-1]

    def _apply_gradients(self, inputs, labels):
        """Make one training step; returns the `STEP_METRICS`."""
        variables = self.model.trainable_variables
        with tf.GradientTape() as tape:
            logits = self.model(inputs, training=True)
            losses = keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True)
            loss = tf.reduce_mean(losses)
        gradients = tape.gradient(loss, variables)
        before = [tf.identity(variable.value) for variable in variables]
        self.optimizer.apply(gradients, variables)  # also clips them
        updates = [variable.value - old for variable, old in zip(variables, before, strict=True)]
        return loss, tf.linalg.global_norm(gradients), tf.linalg.global_norm(updates)

    def _mean_accuracy(self, inputs, labels):
        predictions = tf.argmax(self.model(inputs, training=False), axis=-1, output_type=tf.int32)
        return tf.reduce_mean(tf.cast(predictions == labels, tf.float32))


def _recurrent_settings(cell: str, condition: Condition, arguments: MemoryArguments) -> RecurrentSettings:
    return RecurrentSettings(
        cell=cell,
        units=arguments.units,
        recurrent_initializer=condition.recurrent_initializer,
        unit_forget_bias=condition.unit_forget_bias,
    )
