"""Keras's SimpleRNN with all of its arguments."""

import keras


@keras.saving.register_keras_serializable("models")
class SimpleRNN(keras.layers.SimpleRNN):
    """`keras.layers.SimpleRNN` with two arguments that Keras 3.15 loses.

    Keras ignores `activity_regularizer`, and leaves `seed` out of the config, so that a Bidirectional loses it.

    Args:
        units: Size of the state.
        activity_regularizer: Regularizer of the output.
        **kwargs: The other arguments of `keras.layers.SimpleRNN`.
    """

    def __init__(self, units, activity_regularizer=None, **kwargs):
        super().__init__(units, **kwargs)
        self.activity_regularizer = keras.regularizers.get(activity_regularizer)

    def get_config(self):
        """Return the constructor's arguments."""
        return {**super().get_config(), "seed": self.cell.seed}
