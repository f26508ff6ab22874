"""Metrics. Each states its direction, so that Keras's callbacks know which value is better."""

import keras


@keras.saving.register_keras_serializable("models")
class PathAccuracy(keras.metrics.MeanMetricWrapper):
    """Accuracy of a classifier's training model: of the weighted average of its paths' logits. Higher is better.

    Args:
        wide_share: Weight of the second path, if the model has two.
        name: Name of the metric.
        dtype: Dtype of the result.
        paths: Number of paths that are averaged, the first ones; all if None.
    """

    def __init__(self, wide_share: float, name="accuracy", dtype=None, paths: int | None = None):
        super().__init__(path_correct, name=name, dtype=dtype, wide_share=wide_share, paths=paths)
        self.wide_share, self.paths = wide_share, paths
        self._direction = "up"

    def get_config(self):
        """Return the constructor's arguments."""
        return {"wide_share": self.wide_share, "name": self.name, "dtype": self.dtype, "paths": self.paths}


@keras.saving.register_keras_serializable("models")
class PathMacroF1(keras.metrics.Metric):
    """Mean F1 score of the classes that occur, of a classifier's training model. Higher is better.

    Where classes are unequal, a model that predicts the largest one alone has a high accuracy and a low macro F1.

    Args:
        wide_share: Weight of the second path, if the model has two.
        classes: Number of classes.
        name: Name of the metric.
        dtype: Dtype of the result.
        paths: Number of paths that are averaged, the first ones; all if None.
    """

    def __init__(self, wide_share: float, classes: int, name="macro_f1", dtype=None, paths: int | None = None):
        super().__init__(name=name, dtype=dtype)
        self.wide_share, self.classes, self.paths = wide_share, classes, paths
        self._direction = "up"
        add = lambda name: self.add_variable((classes,), "zeros", dtype="float32", name=name)  # noqa: E731
        self.correct, self.labelled, self.predicted = add("correct"), add("labelled"), add("predicted")

    def update_state(self, labels, logits, sample_weight=None):
        """Count the texts of each class: those with its label, those predicted to have it, and those with both.

        Args:
            labels: Int `(batch,)`.
            logits: `(batch, paths, classes)`.
            sample_weight: Not used: each text counts once.
        """
        labels = keras.ops.one_hot(keras.ops.cast(labels, "int32"), self.classes)
        predicted = keras.ops.one_hot(path_classes(logits, self.wide_share, self.paths), self.classes)
        self.correct.assign_add(keras.ops.sum(labels * predicted, axis=0))
        self.labelled.assign_add(keras.ops.sum(labels, axis=0))
        self.predicted.assign_add(keras.ops.sum(predicted, axis=0))

    def result(self):
        """Return the mean of 2 correct / (labelled + predicted) over the classes that have a text."""
        f1 = keras.ops.divide_no_nan(2.0 * self.correct, self.labelled + self.predicted)
        occurs = keras.ops.cast(self.labelled > 0, "float32")
        return keras.ops.divide_no_nan(keras.ops.sum(f1 * occurs), keras.ops.sum(occurs))

    def get_config(self):
        """Return the constructor's arguments."""
        own = {"wide_share": self.wide_share, "classes": self.classes, "paths": self.paths}
        return {**own, "name": self.name, "dtype": self.dtype}


def path_correct(labels, logits, wide_share: float, paths: int | None = None):
    """Whether the class with the highest averaged logit is the label.

    Args:
        labels: Int `(batch,)`.
        logits: `(batch, paths, classes)`.
        wide_share: Weight of the second path, if there are two.
        paths: Number of paths that are averaged, the first ones; all if None.

    Returns:
        Float32 `(batch,)` of 0 and 1.
    """
    predicted = path_classes(logits, wide_share, paths)
    return keras.ops.cast(predicted == keras.ops.cast(labels, "int32"), "float32")


def path_classes(logits, wide_share: float, paths: int | None = None):
    """Return the class with the highest averaged logit, int `(batch,)`.

    Args:
        logits: `(batch, paths, classes)`.
        wide_share: Weight of the second path, if there are two.
        paths: Number of paths that are averaged, the first ones; all if None.

    Raises:
        ValueError: If the number of paths is not known, or above 2.
    """
    count = paths or logits.shape[1]
    if count not in (1, 2):
        raise ValueError(
            f"{'an unknown number of' if count is None else count} paths: give the metric the number of those to "
            "average, paths=1, or paths=2 with a wide path that is trained; an adversarial path is not averaged"
        )
    logits, shares = logits[:, :count], [1.0] if count == 1 else [1.0 - wide_share, wide_share]
    mixed = keras.ops.sum(logits * keras.ops.reshape(keras.ops.array(shares), (1, -1, 1)), axis=1)
    return keras.ops.argmax(mixed, axis=-1)
