"""A linear model of the n-grams of a text: the "wide" path beside a recurrent network."""

import keras
import numpy as np
import tensorflow as tf

from models.ngram_logits import NgramLogits
from models.ngrams import used_rows


@keras.saving.register_keras_serializable("models")
class WideNgrams(NgramLogits):
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

    def _terms(self, indexes, share, labels=None, training=False):
        """Compute the terms and the divisor; see `NgramLogits`."""
        counts = tf.gather(tf.convert_to_tensor(self.counts), indexes)  # (batch, n-grams, classes)
        if training and labels is not None:
            counts = tf.maximum(counts - tf.one_hot(labels, self.classes, dtype=counts.dtype)[:, None, :], 0.0)
        others = tf.reduce_sum(counts, axis=-1, keepdims=True) - counts
        ratios = tf.math.log(counts + 1.0) - tf.math.log(others + 1.0) - tf.convert_to_tensor(self.norm)

        share = share[..., None] * tf.cast(tf.reduce_sum(counts, axis=-1, keepdims=True) > 0.0, self.compute_dtype)
        number = tf.reduce_sum(share, axis=1)
        rows, positions = used_rows(lambda used: tf.gather(tf.convert_to_tensor(self.weight), used), indexes)
        return share * tf.gather(rows, positions) * ratios, tf.sqrt(tf.maximum(number, 1.0))
