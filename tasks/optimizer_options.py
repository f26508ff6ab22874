"""The optimizers that the settings can select. Imports no TensorFlow."""

from typing import NamedTuple


class OptimizerOptions(NamedTuple):
    """An optimizer.

    Attributes:
        keras_class: Name of the class in `keras.optimizers`.
        options: The settings that only some optimizers have and this one takes, under their names in Keras.
        slots: Variables that it keeps for each weight; one more with momentum.
    """

    keras_class: str
    options: tuple[str, ...]
    slots: int


# The optimizers; `tasks.training.optimizers` builds them, and the validation of settings follows from this table.
OPTIMIZERS = {
    "adam": OptimizerOptions("Adam", ("beta_2",), 2),
    "adamw": OptimizerOptions("AdamW", ("weight_decay", "beta_2"), 2),
    "sgd": OptimizerOptions("SGD", ("weight_decay", "momentum"), 0),
    "rmsprop": OptimizerOptions("RMSprop", ("momentum",), 1),
}
