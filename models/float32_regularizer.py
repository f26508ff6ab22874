"""A regularizer for weights and outputs of other types than float32."""

import keras


@keras.saving.register_keras_serializable("models")
class Float32Regularizer(keras.regularizers.Regularizer):
    """Computes the loss of a regularizer in float32, the type of the loss that Keras adds it to under every policy.

    Args:
        regularizer: A `keras.regularizers.Regularizer`, or its config.
    """

    def __init__(self, regularizer):
        self.regularizer = keras.regularizers.get(regularizer)

    def __call__(self, values):
        """Return the loss, a float32 scalar."""
        return self.regularizer(keras.ops.cast(values, "float32"))

    def get_config(self):
        """Return the constructor's arguments."""
        return {"regularizer": keras.regularizers.serialize(self.regularizer)}
