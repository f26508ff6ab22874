"""What the two linear models of a text's n-grams share; see `models.wide_ngrams` and `models.linear_ngrams`."""

import tensorflow as tf

from models.ngrams import NgramLayer


class NgramLogits(NgramLayer):
    """Base class of linear models of the set of a text's n-grams.

    Ids `(batch, timesteps)` become logits `(batch, classes)`: a bias, plus the sum of the terms of the text's different
    n-grams over a divisor. A subclass creates `bias`, float `(classes,)`, and defines `_terms`.

    Args:
        first: Smallest n.
        last: Largest n.
        size: Size of the vocabulary.
        classes: Number of classes.
    """

    def __init__(self, first: int, last: int, size: int, classes: int, **kwargs):
        super().__init__(first, last, size, **kwargs)
        self.classes = classes

    def call(self, ids, labels=None, training=False):
        """Compute the logits.

        Args:
            ids: int `(batch, timesteps)`, padded on the right with 0.
            labels: int `(batch,)`, for a model that needs the classes in training.
            training: Whether the model is being trained.

        Returns:
            float `(batch, classes)`.
        """
        indexes = self.indexes(ids)
        indexes = tf.sort(tf.reshape(indexes, [tf.shape(indexes)[0], -1]), axis=1)  # (batch, n-grams)
        before = tf.pad(indexes, [[0, 0], [1, 0]])[:, :-1]  # index 0, no n-gram, precedes the first
        is_new = tf.cast(indexes != before, self.compute_dtype)
        terms, divisor = self._terms(indexes, is_new, labels, training)
        return self.bias + tf.reduce_sum(terms, axis=1) / divisor

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
        # The text's row is made part of the index, so that each text is counted separately.
        rows = tf.range(tf.shape(flat)[0], dtype=tf.int64)
        keys = tf.cast(flat, tf.int64) + (self.size + 1) * rows[:, None]
        _, positions, counts = tf.unique_with_counts(tf.reshape(keys, [-1]))
        counts = tf.reshape(tf.gather(counts, positions), tf.shape(flat))
        share = tf.where(flat > 0, 1.0 / tf.cast(counts, self.compute_dtype), tf.zeros((), self.compute_dtype))
        terms, divisor = self._terms(flat, share)
        return tf.reshape(terms / divisor[:, None], tf.concat([tf.shape(indexes), [self.classes]], axis=0))

    def _terms(self, indexes, share, labels=None, training=False):
        """Compute the terms of the sum over n-grams, and its divisor.

        Args:
            indexes: int `(batch, n-grams)`.
            share: float `(batch, n-grams)`, weight of each element; the shares of equal n-grams of a text add up to 1.
            labels: See `call`.
            training: See `call`.

        Returns:
            The terms, float `(batch, n-grams, classes)`, and the divisor, float `(batch, 1)`.
        """
        raise NotImplementedError

    def get_config(self):
        """Return the layer's configuration."""
        return {**super().get_config(), "classes": self.classes}
