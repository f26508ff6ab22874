"""Adversarial training of a classifier: a second recurrent path, which reads vectors that were moved."""

import keras
import tensorflow as tf

from models.text import PAD


@keras.saving.register_keras_serializable("models")
class AdversarialPath(keras.layers.Layer):
    """Computes the logits of the recurrent path, and in training also those of the moved vectors.

    The vectors v of a text's tokens are moved to v + r, where r has a fixed length in relation to v, and the direction
    in which the cross-entropy of the text's class grows fastest:

        r = epsilon * ||v|| * g / ||g||,  g = gradient of the cross-entropy with respect to v

    (Miyato et al. 2017, "Adversarial Training Methods for Semi-Supervised Text Classification", section 3; there the
    embeddings are normalized, and the length of r is absolute). A norm is over all tokens of a text, and over both
    directions where they are separate; the end token is not moved. No gradient flows through r. Each of the two passes
    draws its own dropout. A step takes two to three times as long.

    The layer computes in float32, the path in its own precision.

    Args:
        recurrent_path: Model from (ids `(batch, timesteps)`, vectors `(batch, timesteps, features)`, further inputs) to
            logits `(batch, classes)`.
        epsilon: Length of r, divided by that of v.
        **kwargs: Arguments of `keras.layers.Layer`.
    """

    def __init__(self, recurrent_path: keras.Model, epsilon: float, **kwargs):
        # The logits are float32 under a mixed precision policy too.
        super().__init__(**{"dtype": "float32", **kwargs})
        self.recurrent_path, self.epsilon = recurrent_path, epsilon

    def build(self, *shapes):
        """Create nothing: the layers have their weights already."""

    def call(self, inputs, labels, training=None):
        """Compute the logits.

        Args:
            inputs: Those of the recurrent path: the ids, int32 `(batch, timesteps)`, padded on the right with 0; their
                vectors `(batch, timesteps, features)`, and the further inputs.
            labels: Int32 `(batch,)`, the classes.
            training: Whether the vectors are moved too.

        Returns:
            Float32 `(batch, 1, classes)`; in training `(batch, 2, classes)`, those of the moved vectors last.
        """
        if not training:
            return self.recurrent_path(inputs, training=False)[:, None]
        ids, vectors, *further = inputs
        with tf.GradientTape() as tape:
            tape.watch(vectors)
            logits = self.recurrent_path([ids, vectors, *further], training=True)
            loss = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
            # Divided by the probability of the other classes, which the gradient is proportional to: in float16 the
            # gradient would be zero for a text that is classified well. Its direction stays.
            loss = loss / tf.stop_gradient(tf.maximum(-tf.math.expm1(-loss), 1e-7))
        is_token = tf.cast(tf.not_equal(ids, PAD), vectors.dtype)[..., None]
        direction = _unit(tape.gradient(loss, vectors) * is_token)
        moved = vectors + tf.stop_gradient(self.epsilon * _norm(vectors * is_token) * direction)
        return tf.stack([logits, self.recurrent_path([ids, moved, *further], training=True)], axis=1)

    def compute_output_shape(self, inputs_shape, labels_shape):
        """Return the shape of the output; the number of paths depends on `training`."""
        return (inputs_shape[0][0], None, self.recurrent_path.output_shape[-1])

    def get_config(self):
        """Return the constructor's arguments."""
        path = keras.saving.serialize_keras_object(self.recurrent_path)
        return {**super().get_config(), "recurrent_path": path, "epsilon": self.epsilon}

    @classmethod
    def from_config(cls, config):
        """Build the layer from `get_config`."""
        path = keras.saving.deserialize_keras_object(config["recurrent_path"])
        return cls(**{**config, "recurrent_path": path})


def _norm(values: tf.Tensor) -> tf.Tensor:
    """Return the norm of all vectors of a text, `(batch, 1, 1)`."""
    return tf.sqrt(tf.reduce_sum(tf.square(values), axis=[1, 2], keepdims=True))


def _unit(values: tf.Tensor) -> tf.Tensor:
    """Divide the vectors of a text by their norm; zeros stay zeros."""
    # By the largest value first: gradients are so small that their squares may be zero.
    values = tf.math.divide_no_nan(values, tf.reduce_max(tf.abs(values), axis=[1, 2], keepdims=True))
    return tf.math.divide_no_nan(values, _norm(values))
