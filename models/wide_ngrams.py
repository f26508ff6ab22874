"""A linear model of the n-grams of a text: the "wide" path beside a recurrent network."""

import keras
import numpy as np
import tensorflow as tf

from models.ngrams import NgramLayer, occurrence_shares, used_rows


@keras.saving.register_keras_serializable("models")
class WideNgrams(NgramLayer):
    """A linear model of the set of a text's n-grams.

    Ids `(batch, timesteps)` become logits `(batch, classes)`. It is the NB-SVM of Wang and Manning 2012, "Baselines and
    Bigrams", section 2, with a softmax in place of the SVM. The feature of an n-gram is its log-count ratio r, the
    weight of naive Bayes, which a trained weight scales:

        logits[c] = bias[c] + sum over the text's different n-grams of weight[c] * r[c] / sqrt(number of them)
        r[c] = log((k[c] + 1) / N[c]) - log((k[not c] + 1) / N[not c])

    k[c] is the number of training texts of class c that contain the n-gram, and N[c] is the sum of k[c] + 1 over the
    vocabulary. In training, a text is not counted in its own k: otherwise the ratios of rare n-grams would reveal its
    label. The weights start at 1, which is naive Bayes.

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
        shape = (self.size + 1, self.classes)
        self.counts = self.add_weight(shape=shape, initializer="zeros", trainable=False, name="counts")
        self.norm = self.add_weight(shape=shape[1:], initializer="zeros", trainable=False, name="norm")
        self.weight = self.add_weight(shape=shape, initializer="ones", name="weight")
        self.bias = self.add_weight(shape=(self.classes,), initializer="zeros", name="bias")

    def set_counts(self, counts: np.ndarray) -> None:
        """Set the counts k, float32 `(size + 1, classes)`, and with them log N[c] - log N[not c]."""
        others = counts.sum(axis=1, keepdims=True) - counts
        self.counts.assign(counts)
        if self.size:
            inside, outside = (counts[1:] + 1.0).sum(axis=0), (others[1:] + 1.0).sum(axis=0)
            self.norm.assign(np.log(inside) - np.log(outside))

    def call(self, ids, labels=None, training=False):
        """Compute the logits.

        Args:
            ids: int `(batch, timesteps)`, padded on the right with 0.
            labels: int `(batch,)`. In training, each text is subtracted from the counts of its class.
            training: Whether the model is being trained.

        Returns:
            float `(batch, classes)`.
        """
        indexes = self.indexes(ids)
        indexes = tf.sort(tf.reshape(indexes, [tf.shape(indexes)[0], -1]), axis=1)  # (batch, n-grams)
        before = tf.pad(indexes, [[0, 0], [1, 0]])[:, :-1]  # index 0, no n-gram, precedes the first
        is_new = tf.cast(indexes != before, self.compute_dtype)[..., None]  # (batch, n-grams, 1)
        terms, root = self._terms(indexes, is_new, labels, training)
        return self.bias + tf.reduce_sum(terms, axis=1) / root

    def occurrences(self, ids):
        """Split the logits into the parts that each occurrence of an n-gram adds.

        The occurrences of the same n-gram in a text share its part equally. The sum over all of them and the bias is
        the text's logits.

        Args:
            ids: int `(batch, timesteps)`, padded on the right with 0.

        Returns:
            float `(batch, timesteps, last - first + 1, classes)`, at the timestep at which the n-gram ends.
        """
        indexes = self.indexes(ids)
        flat = tf.reshape(indexes, [tf.shape(indexes)[0], -1])  # (batch, n-grams)
        share = occurrence_shares(flat, self.size, self.compute_dtype)[..., None]
        terms, root = self._terms(flat, share)
        return tf.reshape(terms / root[:, None], tf.concat([tf.shape(indexes), [self.classes]], axis=0))

    def _terms(self, indexes, share, labels=None, training=False):
        """Compute the terms of the sum over n-grams, and its divisor.

        Args:
            indexes: int `(batch, n-grams)`.
            share: float `(batch, n-grams, 1)`, weight of each element; the shares of equal n-grams of a text add up
                to 1.
            labels: See `call`.
            training: See `call`.

        Returns:
            The terms, float `(batch, n-grams, classes)`, and the divisor, float `(batch, 1)`.
        """
        counts = tf.gather(tf.convert_to_tensor(self.counts), indexes)  # (batch, n-grams, classes)
        if training and labels is not None:
            counts = tf.maximum(counts - tf.one_hot(labels, self.classes, dtype=counts.dtype)[:, None, :], 0.0)
        others = tf.reduce_sum(counts, axis=-1, keepdims=True) - counts
        ratios = tf.math.log(counts + 1.0) - tf.math.log(others + 1.0) - tf.convert_to_tensor(self.norm)

        share *= tf.cast(tf.reduce_sum(counts, axis=-1, keepdims=True) > 0.0, self.compute_dtype)
        number = tf.reduce_sum(share, axis=1)
        rows, positions = used_rows(lambda used: tf.gather(tf.convert_to_tensor(self.weight), used), indexes)
        return share * tf.gather(rows, positions) * ratios, tf.sqrt(tf.maximum(number, 1.0))

    def get_config(self):
        """Return the layer's configuration."""
        return {**super().get_config(), "classes": self.classes}
