"""Which trainings the studies consist of. Imports no TensorFlow."""

import math
from dataclasses import dataclass
from typing import Literal

from tasks.memory.settings import RecallArguments, TrainingLags

# The conditions; beside them each of the random initializers is one, under its own name.
STANDARD, UNCLIPPED, NO_FORGET_BIAS = "standard", "unclipped", "no_forget_bias"
EXPLODING, EXPLODING_CLIPPED = "exploding", "exploding_clipped"


@dataclass(frozen=True)
class Condition:
    """How a network begins and is trained, whatever its cell.

    Attributes:
      name: one of those above, or a random initializer.
      recurrent_initializer: of the weights from the state before.
      unit_forget_bias: LSTM: whether the forget gate's bias starts at 1; None is Keras's default, True.
      global_clipnorm: None does not clip.
    """

    name: str
    learning_rate: float
    training_lags: TrainingLags
    global_clipnorm: float | None
    recurrent_initializer: str = "orthogonal"
    unit_forget_bias: bool | None = None
    optimizer: Literal["adam", "sgd"] = "adam"


@dataclass(frozen=True)
class Experiment:
    """One training, and what is measured before and after it."""

    cell: str
    condition: Condition
    lag: int
    seed: int

    @property
    def key(self) -> dict[str, str | int]:
        """What tells its result from the others."""
        return {
            "cell": self.cell,
            "condition": self.condition.name,
            "training_lags": self.condition.training_lags,
            "lag": self.lag,
            "seed": self.seed,
        }

    def __str__(self) -> str:
        condition = self.condition
        return f"{self.cell}, {condition.name}, {condition.training_lags}, lag {self.lag}, seed {self.seed}"


def make_condition(name: str, training_lags: TrainingLags, arguments: RecallArguments) -> Condition:
    """The condition of that name. `standard` is Keras's own initial weights, with clipping."""
    if name in (EXPLODING, EXPLODING_CLIPPED):
        # The eigenvalues of such a matrix fill a disc of radius gain (Ginibre 1965, "Statistical Ensembles of Complex,
        # Quaternion, and Real Matrices"). SGD, since Adam divides each gradient by its own usual size, and so hides how
        # large it is. Lags of every octave, so that a network can learn at all.
        deviation = arguments.explosion_gain / math.sqrt(arguments.units)
        return Condition(
            name,
            learning_rate=arguments.explosion_learning_rate,
            training_lags="log_uniform",
            global_clipnorm=arguments.global_clipnorm if name == EXPLODING_CLIPPED else None,
            recurrent_initializer=f"random_normal(stddev={deviation:.6g})",
            optimizer="sgd",
        )
    changes = {UNCLIPPED: {"global_clipnorm": None}, NO_FORGET_BIAS: {"unit_forget_bias": False}, STANDARD: {}}
    usual = {
        "learning_rate": arguments.learning_rate,
        "training_lags": training_lags,
        "global_clipnorm": arguments.global_clipnorm,
    }
    return Condition(name, **usual | changes.get(name, {"recurrent_initializer": name}))


def without(study: str, arguments: RecallArguments) -> tuple[str, ...]:
    """The conditions that are without what the study is about; the standard one is with it."""
    names = {"clipping": (UNCLIPPED,), "initializer": arguments.initializer_names, "forget_bias": (NO_FORGET_BIAS,)}
    return names.get(study, ())


def experiments(arguments: RecallArguments) -> list[Experiment]:
    """Every training that the arguments ask for, in the order in which they are run."""
    pairs = [(cell, STANDARD) for cell in arguments.cell_names]
    for study in arguments.study_names:
        cells = [cell for cell in arguments.cell_names if cell == "lstm" or study != "forget_bias"]
        pairs += [(cell, name) for name in without(study, arguments) for cell in cells]
    asked = [
        (cell, make_condition(name, training_lags, arguments), lag)
        for training_lags in arguments.training_lag_names
        for cell, name in pairs
        for lag in arguments.lag_values
    ]
    if "clipping" in arguments.study_names and "simple_rnn" in arguments.cell_names:
        exploding = [make_condition(name, "log_uniform", arguments) for name in (EXPLODING, EXPLODING_CLIPPED)]
        asked += [("simple_rnn", condition, arguments.explosion_lag) for condition in exploding]
    return [Experiment(cell, condition, lag, seed) for seed in range(arguments.seeds) for cell, condition, lag in asked]
