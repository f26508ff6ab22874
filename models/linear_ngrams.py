"""A linear model of the TF-IDF features of a text's n-grams, whose weights are fitted before the network is trained."""

from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from models.ngram_logits import NgramLogits


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
class LinearNgrams(NgramLogits):
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

    def _terms(self, indexes, share, labels=None, training=False):
        """Compute the terms and the divisor; see `NgramLogits`."""
        idf = tf.gather(tf.convert_to_tensor(self.idf), indexes)
        squares = tf.reduce_sum(share * idf * idf, axis=1, keepdims=True)
        weight = tf.gather(tf.convert_to_tensor(self.weight), indexes)
        return (share * idf)[..., None] * weight, tf.sqrt(tf.maximum(squares, 1e-12))
