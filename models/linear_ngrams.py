"""A linear model of the TF-IDF features of a text's n-grams, whose weights are fitted before the network is trained."""

from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from models.ngrams import NgramLayer, occurrence_shares


class LinearModel(NamedTuple):
    """The values of a `LinearNgrams`.

    Attributes:
        idf: float32 `(size + 1,)`; row 0 stands for no n-gram.
        weight: float32 `(size + 1, classes)`.
        bias: float32 `(classes,)`.
    """

    idf: np.ndarray
    weight: np.ndarray
    bias: np.ndarray


@keras.saving.register_keras_serializable("models")
class LinearNgrams(NgramLayer):
    """A linear model of the set of a text's n-grams, weighted by inverse document frequency.

    Ids `(batch, timesteps)` become logits `(batch, classes)`:

        logits[c] = bias[c] + sum over the text's different n-grams of weight[c] * idf / norm
        norm = sqrt(sum over the text's different n-grams of idf^2)

    idf is that of scikit-learn, log((1 + texts) / (1 + texts with the n-gram)) + 1. The weights come from
    `set_model`, and no optimizer changes them: for a few thousand texts a convex solver finds the regularized
    optimum in seconds, which gradient steps do not.

    Args:
        first: Smallest n.
        last: Largest n.
        size: Size of the vocabulary.
        classes: Number of classes.
    """

    def __init__(self, first: int, last: int, size: int, classes: int, **kwargs):
        super().__init__(first, last, size, **kwargs)
        self.classes = classes

    def build(self, input_shape):
        """Create the variables."""
        super().build(input_shape)
        rows = self.size + 1
        self.idf = self.add_weight(shape=(rows,), initializer="zeros", trainable=False, name="idf")
        self.weight = self.add_weight(shape=(rows, self.classes), initializer="zeros", trainable=False, name="weight")
        self.bias = self.add_weight(shape=(self.classes,), initializer="zeros", trainable=False, name="bias")

    def set_model(self, model: LinearModel) -> None:
        """Set the fitted linear model."""
        for variable, value in zip((self.idf, self.weight, self.bias), model, strict=True):
            variable.assign(value)

    def call(self, ids, labels=None, training=False):
        """Compute the logits.

        Args:
            ids: int `(batch, timesteps)`, padded on the right with 0.
            labels: Not used; the other linear model needs them in training.
            training: Not used.

        Returns:
            float `(batch, classes)`.
        """
        indexes = self.indexes(ids)
        indexes = tf.sort(tf.reshape(indexes, [tf.shape(indexes)[0], -1]), axis=1)  # (batch, n-grams)
        before = tf.pad(indexes, [[0, 0], [1, 0]])[:, :-1]  # index 0, no n-gram, precedes the first
        terms, norm = self._terms(indexes, tf.cast(indexes != before, self.compute_dtype))
        return self.bias + tf.reduce_sum(terms, axis=1) / norm

    def occurrences(self, ids):
        """Split the logits into the parts that each occurrence of an n-gram adds; see `WideNgrams.occurrences`."""
        indexes = self.indexes(ids)
        flat = tf.reshape(indexes, [tf.shape(indexes)[0], -1])  # (batch, n-grams)
        terms, norm = self._terms(flat, occurrence_shares(flat, self.size, self.compute_dtype))
        return tf.reshape(terms / norm[:, None], tf.concat([tf.shape(indexes), [self.classes]], axis=0))

    def _terms(self, indexes, share):
        """Compute the terms of the sum over n-grams, and its divisor.

        Args:
            indexes: int `(batch, n-grams)`.
            share: float `(batch, n-grams)`, weight of each element; the shares of equal n-grams of a text add up to 1.

        Returns:
            The terms, float `(batch, n-grams, classes)`, and the divisor, float `(batch, 1)`.
        """
        idf = tf.gather(tf.convert_to_tensor(self.idf), indexes)
        squares = tf.reduce_sum(share * idf * idf, axis=1, keepdims=True)
        weight = tf.gather(tf.convert_to_tensor(self.weight), indexes)
        return (share * idf)[..., None] * weight, tf.sqrt(tf.maximum(squares, 1e-12))

    def get_config(self):
        """Return the layer's configuration."""
        return {**super().get_config(), "classes": self.classes}
