"""The experiments that each study consists of. Does not import TensorFlow."""

import math
from dataclasses import dataclass
from typing import Literal

from tasks.memory.settings import MemoryArguments, TrainingLags

# Names of conditions. Each initializer of `random_initializers` is a condition, too, under its own name.
STANDARD, UNCLIPPED, NO_FORGET_BIAS = "standard", "unclipped", "no_forget_bias"
EXPLODING, EXPLODING_CLIPPED = "exploding", "exploding_clipped"

# Fields that identify an experiment in its result.
KEY_FIELDS = ("cell", "condition", "training_lags", "lag", "seed")


@dataclass(frozen=True)
class Condition:
    """Initial weights and training of a network, independent of its cell.

    Attributes:
        name: One of the names above, or a random initializer.
        learning_rate: Learning rate of the optimizer.
        training_lags: Distribution of the lag in training.
        global_clipnorm: Gradients are clipped to this global norm; None means no clipping.
        recurrent_initializer: Keras initializer of the recurrent weights.
        unit_forget_bias: LSTM: whether the forget gate's bias starts at 1; None is Keras's default, True.
        optimizer: Name of the optimizer.
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
    """One training, with the measurements before and after it."""

    cell: str
    condition: Condition
    lag: int
    seed: int

    @property
    def key(self) -> dict[str, str | int]:
        """Values of `KEY_FIELDS`."""
        condition = self.condition
        values = (self.cell, condition.name, condition.training_lags, self.lag, self.seed)
        return dict(zip(KEY_FIELDS, values, strict=True))

    def __str__(self) -> str:
        return "{cell}, {condition}, {training_lags}, lag {lag}, seed {seed}".format(**self.key)


def make_condition(name: str, training_lags: TrainingLags, arguments: MemoryArguments) -> Condition:
    """Return the condition with this name. `standard` has Keras's default initializers, and gradient clipping."""
    if name in (EXPLODING, EXPLODING_CLIPPED):
        # The eigenvalues of such a matrix fill a disc of radius gain (Ginibre 1965, "Statistical Ensembles of Complex,
        # Quaternion, and Real Matrices"). SGD, because Adam divides each gradient by its usual size and so hides how
        # large it is. log_uniform lags, because without short lags the network does not learn at all.
        stddev = arguments.explosion_gain / math.sqrt(arguments.units)
        return Condition(
            name,
            learning_rate=arguments.explosion_learning_rate,
            training_lags="log_uniform",
            global_clipnorm=arguments.global_clipnorm if name == EXPLODING_CLIPPED else None,
            recurrent_initializer=f"random_normal(stddev={stddev:.6g})",
            optimizer="sgd",
        )
    changes = {UNCLIPPED: {"global_clipnorm": None}, NO_FORGET_BIAS: {"unit_forget_bias": False}, STANDARD: {}}
    standard = {
        "learning_rate": arguments.learning_rate,
        "training_lags": training_lags,
        "global_clipnorm": arguments.global_clipnorm,
    }
    return Condition(name, **standard | changes.get(name, {"recurrent_initializer": name}))


def alternatives(study: str, arguments: MemoryArguments) -> list[str]:
    """Return the names of the conditions that a study compares with the standard condition."""
    names = {"clipping": [UNCLIPPED], "initializer": arguments.initializer_names, "forget_bias": [NO_FORGET_BIAS]}
    return names.get(study, [])


def list_experiments(arguments: MemoryArguments) -> list[Experiment]:
    """Return all experiments of the studies, in the order in which they run."""
    pairs = [(cell, STANDARD) for cell in arguments.cell_names]
    for study in arguments.study_names:
        cells = [cell for cell in arguments.cell_names if cell == "lstm" or study != "forget_bias"]
        pairs += [(cell, name) for name in alternatives(study, arguments) for cell in cells]
    selected = [
        (cell, make_condition(name, training_lags, arguments), lag)
        for training_lags in arguments.training_lag_names
        for cell, name in pairs
        for lag in arguments.lag_values
    ]
    if "clipping" in arguments.study_names and "simple_rnn" in arguments.cell_names:
        for name in (EXPLODING, EXPLODING_CLIPPED):
            condition = make_condition(name, "log_uniform", arguments)
            selected.append(("simple_rnn", condition, arguments.explosion_lag))
    seeds = range(arguments.seeds)
    return [Experiment(cell, condition, lag, seed) for seed in seeds for cell, condition, lag in selected]
