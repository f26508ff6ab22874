"""Sampled softmax: the loss of a language model with a large vocabulary, from a few ids in place of all."""

import keras
import numpy as np
import tensorflow as tf

# Added to the logit of a sample that is the target: it counts as the target alone.
NEVER = -1e9


@keras.saving.register_keras_serializable("models")
class SampledLogits(keras.layers.Layer):
    """Logits of the target and of ids that are drawn for the whole batch.

    With z the logits, q the distribution that S ids j are drawn from, and t the target, the softmax's denominator
    is estimated by importance sampling (Bengio and Senecal 2003, "Quick Training of Probabilistic Neural Nets by
    Importance Sampling"; Jean et al. 2015, "On Using Very Large Target Vocabulary for Neural Machine Translation"):

        exp(z_t) + sum over j != t of exp(z_j) / (S q_j)

    The layer returns z_t and z_j - ln(S q_j), so that the cross-entropy of the first of them estimates that of the full
    softmax. q is the frequency of the ids in the training text. The draw is stratified: one number from each of S equal
    parts of the cumulative distribution.

    Args:
        counts: Number of occurrences of each id, `(vocabulary_size,)`. One is added to each.
        samples: The number S of drawn ids.
        seed: Seed of the draw.
        **kwargs: Arguments of `keras.layers.Layer`.
    """

    def __init__(self, counts, samples: int, seed: int = 0, **kwargs):
        super().__init__(**kwargs)
        self.counts, self.samples, self.seed = np.asarray(counts, np.int64).tolist(), samples, seed
        self.seed_generator = keras.random.SeedGenerator(seed)
        frequencies = (np.array(self.counts) + 1.0) / (np.sum(self.counts) + len(self.counts))
        self._cumulative = tf.constant(np.cumsum(frequencies), tf.float32)
        self._log_expected = tf.constant(np.log(samples * frequencies), tf.float32)

    def call(self, features, targets, vectors, bias=None):
        """Compute the logits.

        Args:
            features: `(batch, timesteps, size)`, what the output layer reads.
            targets: Int32 `(batch, timesteps)`.
            vectors: `(vocabulary_size, size)`, the output vector of each id.
            bias: `(vocabulary_size,)`, or None.

        Returns:
            Float32 `(batch, timesteps, 1 + samples)`, the target first.
        """
        parts = tf.range(self.samples, dtype=tf.float32)
        uniform = keras.random.uniform((self.samples,), seed=self.seed_generator, dtype="float32")
        drawn = tf.searchsorted(self._cumulative, (parts + uniform) / self.samples, side="right", out_type=tf.int32)
        drawn = tf.minimum(drawn, len(self.counts) - 1)
        vectors = tf.convert_to_tensor(vectors)
        # One gather: the gradients of a table that is read twice are added, and then as large as the table.
        flat = tf.reshape(targets, [-1])
        rows = tf.cast(tf.gather(vectors, tf.concat([flat, drawn], axis=0)), features.dtype)
        of_targets, of_samples = tf.split(rows, [tf.size(flat), self.samples])
        of_targets = tf.reshape(of_targets, tf.concat([tf.shape(targets), [-1]], axis=0))
        target_logits = tf.cast(tf.reduce_sum(features * of_targets, axis=-1, keepdims=True), tf.float32)
        logits = tf.cast(tf.einsum("btd,sd->bts", features, of_samples), tf.float32)
        if bias is not None:
            bias = tf.cast(bias, tf.float32)
            target_logits += tf.gather(bias, targets)[..., None]
            logits += tf.gather(bias, drawn)
        logits -= tf.gather(self._log_expected, drawn)
        logits += NEVER * tf.cast(targets[..., None] == drawn, tf.float32)
        return tf.concat([target_logits, logits], axis=-1)

    def get_config(self):
        """Return the constructor's arguments."""
        return {**super().get_config(), "counts": self.counts, "samples": self.samples, "seed": self.seed}
