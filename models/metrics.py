"""Metrics. Each states its direction, so that Keras's callbacks know which value is better."""

import keras


@keras.saving.register_keras_serializable("models")
class PathAccuracy(keras.metrics.MeanMetricWrapper):
    """Accuracy of a classifier's training model: of the weighted average of its paths' logits. Higher is better.

    Args:
        wide_share: Weight of the second path, if the model has two.
        name: Name of the metric.
        dtype: Dtype of the result.
    """

    def __init__(self, wide_share: float, name="accuracy", dtype=None):
        super().__init__(path_correct, name=name, dtype=dtype, wide_share=wide_share)
        self.wide_share = wide_share
        self._direction = "up"

    def get_config(self):
        """Return the constructor's arguments."""
        return {"wide_share": self.wide_share, "name": self.name, "dtype": self.dtype}


def path_correct(labels, logits, wide_share: float):
    """Whether the class with the highest averaged logit is the label.

    Args:
        labels: Int `(batch,)`.
        logits: `(batch, paths, classes)`.
        wide_share: Weight of the second path, if there are two.

    Returns:
        Float32 `(batch,)` of 0 and 1.
    """
    shares = [1.0] if logits.shape[1] == 1 else [1.0 - wide_share, wide_share]
    mixed = keras.ops.sum(logits * keras.ops.reshape(keras.ops.array(shares), (1, -1, 1)), axis=1)
    return keras.ops.cast(keras.ops.argmax(mixed, axis=-1) == keras.ops.cast(labels, "int32"), "float32")
