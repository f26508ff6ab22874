"""One experiment: a network begins anew, is trained until it recalls or its steps are over, and is measured."""

import math
import time

import keras
import numpy as np
import tensorflow as tf

from models.gradients import state_gradients
from models.recurrent import recurrent_layers, recurrent_stack
from models.recurrent_settings import RecurrentSettings
from tasks.memory import sequences
from tasks.memory.experiments import Condition, Experiment
from tasks.memory.settings import RecallArguments
from tasks.settings import TrainingSettings
from tasks.training import fit as training
from tasks.training.optimizers import make_optimizer

# Solved: at least this share right, on fresh sequences, at so many checks in a row.
SOLVED, CHECKS = 0.99, 2
STEPS_BETWEEN_CHECKS = 25
SEQUENCES_OF_A_CHECK, SEQUENCES_OF_THE_TEST, SEQUENCES_OF_THE_GRADIENTS = 256, 1024, 32

# What is kept of each step of a training.
HISTORY = ("loss", "gradient_norm", "update_norm")


class Measurer:
    """Runs experiments one after the other.

    Args:
      arguments: sizes, and steps at the most.
    """

    def __init__(self, arguments: RecallArguments):
        self.arguments = arguments
        # TensorFlow traces a network in a second, and keeps some MB of it for good. So one is made for each cell and
        # way of training, and begins anew with the weights of the next experiment.
        self._networks: dict[tuple, Network] = {}

    def measure(self, experiment: Experiment) -> dict:
        """Trains and measures; the same numbers each time, but for the seconds.

        Returns: what JSON can hold, None for NaN and infinity:
          the experiment's key; accuracy after training, on new sequences of the asked lag; steps of the training;
          solved, whether it stopped since the task was solved; diverged, whether it stopped since the loss was no
          number; seconds; for each step loss (nats), gradient_norm (of all gradients together, before clipping) and
          update_norm (how far the step moved the weights); state_gradients_before and _after the training, whose entry
          d is the norm of d loss / d state at d steps before the end (see `models.gradients`), the last one at the
          symbol that is asked for.
        """
        began = time.monotonic()
        condition = experiment.condition
        way = (experiment.cell, condition.optimizer, condition.learning_rate, condition.global_clipnorm)
        if way not in self._networks:
            self._networks[way] = Network(experiment.cell, condition, self.arguments)
        network = self._networks[way]
        network.begin(experiment)
        before = network.state_gradients()
        history, ended = network.train()
        columns = zip(HISTORY, zip(*history, strict=True), strict=True)
        return {
            **experiment.key,
            "accuracy": network.accuracy(network.generator("test"), SEQUENCES_OF_THE_TEST),
            "steps": len(history),
            "solved": ended == "solved",
            "diverged": ended == "diverged",
            "seconds": round(time.monotonic() - began, 2),
            **{name: list(map(_number, column)) for name, column in columns},
            "state_gradients_before": list(map(_number, before)),
            "state_gradients_after": list(map(_number, network.state_gradients())),
        }


def _number(value: float) -> float | None:
    return float(f"{value:.4g}") if math.isfinite(value) else None


class Network:
    """A recurrent layer that reads the sequence, and a dense layer that names the symbol from its last output.

    Args:
      cell: of the layer.
      condition: how it is trained.
      arguments: sizes, and steps at the most.
    """

    def __init__(self, cell: str, condition: Condition, arguments: RecallArguments):
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
        self._optimizer_begins = [variable.numpy() for variable in self.optimizer.variables]
        batch = [tf.TensorSpec((None, *inputs.shape[1:]), tf.float32), tf.TensorSpec((None,), tf.int32)]
        self._step = tf.function(self._one_step, input_signature=batch)
        self._right = tf.function(self._share_right, input_signature=batch)

    def begin(self, experiment: Experiment) -> None:
        """Gives it the initial weights of the experiment, which follow from its seed, and a fresh optimizer."""
        self.experiment = experiment
        training.set_up(TrainingSettings(seed=experiment.seed))
        settings = _recurrent_settings(experiment.cell, experiment.condition, self.arguments)
        (layer,), logits = recurrent_layers(settings), keras.layers.Dense(self.arguments.symbols)
        layer.build((None, None, 2 * self.arguments.symbols))
        logits.build((None, self.arguments.units))
        self.layer.set_weights(layer.get_weights())
        self.logits.set_weights(logits.get_weights())
        for variable, value in zip(self.optimizer.variables, self._optimizer_begins, strict=True):
            variable.assign(value)

    def generator(self, purpose: str) -> np.random.Generator:
        """What draws the sequences; the same ones for every cell and condition of a lag and a seed."""
        purposes = ("training", "check", "test", "gradients")
        return np.random.default_rng([self.experiment.seed, self.experiment.lag, purposes.index(purpose)])

    def _draw(self, rng: np.random.Generator, count: int, lag: int) -> tuple[np.ndarray, np.ndarray]:
        ids, labels = sequences.draw(rng, count, lag, self.arguments.symbols)
        return sequences.one_hot(ids, self.arguments.symbols), labels

    def train(self) -> tuple[list[tuple[float, float, float]], str]:
        """Trains until it recalls at the asked lag, the loss is no number, or the steps are over.

        Returns: loss, gradient norm and update norm of each step; and "solved", "diverged" or "stopped".
        """
        rng, check = self.generator("training"), self.generator("check")
        history, passed = [], 0
        for step in range(1, self.arguments.steps + 1):
            lag = sequences.training_lag(rng, self.experiment.lag, self.experiment.condition.training_lags)
            batch = self._draw(rng, self.arguments.batch_size, lag)
            history.append(tuple(float(value) for value in self._step(*batch)))
            if not math.isfinite(history[-1][0]):
                return history, "diverged"
            if step % STEPS_BETWEEN_CHECKS == 0:
                passed = passed + 1 if self.accuracy(check, SEQUENCES_OF_A_CHECK) >= SOLVED else 0
                if passed == CHECKS:
                    return history, "solved"
        return history, "stopped"

    def accuracy(self, rng: np.random.Generator, count: int) -> float:
        """Share of right answers for so many sequences of the asked lag."""
        return float(self._right(*self._draw(rng, count, self.experiment.lag)))

    def state_gradients(self) -> np.ndarray:
        """Norm of d loss / d state for sequences of the asked lag: (lag + 1,), by the distance from the end."""
        inputs, labels = self._draw(self.generator("gradients"), SEQUENCES_OF_THE_GRADIENTS, self.experiment.lag)

        def loss(output):
            return keras.losses.sparse_categorical_crossentropy(labels, self.logits(output), from_logits=True)

        return state_gradients(self.layer, inputs, loss)["all"][::-1]

    def _one_step(self, inputs, labels):
        variables = self.model.trainable_variables
        with tf.GradientTape() as tape:
            logits = self.model(inputs, training=True)
            losses = keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True)
            loss = tf.reduce_mean(losses)
        gradients = tape.gradient(loss, variables)
        before = [tf.identity(variable.value) for variable in variables]
        self.optimizer.apply(gradients, variables)  # clips them
        moved = [variable.value - old for variable, old in zip(variables, before, strict=True)]
        return loss, tf.linalg.global_norm(gradients), tf.linalg.global_norm(moved)

    def _share_right(self, inputs, labels):
        answers = tf.argmax(self.model(inputs, training=False), axis=-1, output_type=tf.int32)
        return tf.reduce_mean(tf.cast(answers == labels, tf.float32))


def _recurrent_settings(cell: str, condition: Condition, arguments: RecallArguments) -> RecurrentSettings:
    return RecurrentSettings(
        cell=cell,
        units=arguments.units,
        recurrent_initializer=condition.recurrent_initializer,
        unit_forget_bias=condition.unit_forget_bias,
    )
