"""Pooling over time that leaves padding out."""

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("models")
class MaskedPooling(keras.layers.Layer):
    """Pooling over all timesteps: `(batch, timesteps, features)` to `(batch, features)`.

    Args:
        kind: `"max"`; `"mean"`; `"max_mean"`, both concatenated: `(batch, 2 * features)`; `"max_mean_last"`, these and
            the last timestep: `(batch, 3 * features)` (Howard and Ruder 2018, "Universal Language Model Fine-tuning for
            Text Classification", section 3.3); or `"attention"`: the mean weighted by softmax(w . h_t + b), with one
            learned query (Yang et al. 2016, "Hierarchical Attention Networks", section 2.2, without the hidden layer).
        **kwargs: Arguments of `keras.layers.Layer`.
    """

    def __init__(self, kind: str, **kwargs):
        super().__init__(**kwargs)
        self.kind = kind
        self.supports_masking = True
        if kind == "attention":
            self.score = keras.layers.Dense(1, dtype=self.dtype_policy, name="score")

    def build(self, input_shape):
        """Create the weights."""
        if self.kind == "attention":
            self.score.build(input_shape)
        super().build(input_shape)

    def call(self, sequence, mask):
        """Pool a sequence.

        Args:
            sequence: `(batch, timesteps, features)`.
            mask: Bool `(batch, timesteps)`, False at padding.

        Returns:
            `(batch, features)`, two or three times as many for several kinds; finite also where all is padding.
        """
        mask = keras.ops.cast(mask, sequence.dtype)[..., None]  # (batch, timesteps, 1)
        count = keras.ops.maximum(keras.ops.sum(mask, axis=1), 1.0)
        # Finite, so that a text that consists of padding is pooled to a finite vector; it fits float16.
        minus_infinity = (mask - 1.0) * 3e4
        if self.kind == "attention":
            weights = keras.ops.softmax(self.score(sequence) + minus_infinity, axis=1)
            return keras.ops.sum(weights * sequence, axis=1)
        pooled = []
        if "max" in self.kind:
            any_step = keras.ops.max(mask, axis=1)
            pooled.append(keras.ops.max(sequence + minus_infinity, axis=1) * any_step)
        if "mean" in self.kind:
            pooled.append(keras.ops.sum(sequence * mask, axis=1) / count)
        if "last" in self.kind:
            # The mask is True up to the last timestep, so this is 1 there alone.
            last = mask - keras.ops.pad(mask, [[0, 0], [0, 1], [0, 0]])[:, 1:]
            pooled.append(keras.ops.sum(sequence * last, axis=1))
        return keras.ops.concatenate(pooled, axis=-1)

    def compute_mask(self, sequence, mask=None):
        """Return None: the output has no timesteps."""
        return None

    def get_config(self):
        """Return the constructor's arguments."""
        return {**super().get_config(), "kind": self.kind}


@keras.saving.register_keras_serializable("models")
class SumPooling1D(keras.layers.Layer):
    """Sum of each window of timesteps, with stride `pool_size`; masked timesteps count as zero.

    Args:
        pool_size: Number of timesteps to sum.
        **kwargs: Arguments of `keras.layers.Layer`.
    """

    def __init__(self, pool_size: int, **kwargs):
        super().__init__(**kwargs)
        self.pool_size = pool_size

    def call(self, sequence, padding_mask):
        """Sum the windows.

        Args:
            sequence: `(batch, timesteps, features)`.
            padding_mask: Bool `(batch, timesteps)`, False at padding. Not named `mask`, because Keras does not pass an
                argument of that name to `compute_output_shape`.

        Returns:
            `(batch, ceil(timesteps / pool_size), features)`.
        """
        sequence = sequence * keras.ops.cast(padding_mask, sequence.dtype)[..., None]
        missing = -keras.ops.shape(sequence)[1] % self.pool_size
        sequence = tf.pad(sequence, [[0, 0], [0, missing], [0, 0]])
        steps = sequence.shape[1]  # the number of windows stays known, for layers that are unrolled
        count = -1 if steps is None else steps // self.pool_size
        windows = (tf.shape(sequence)[0], count, self.pool_size, sequence.shape[-1])
        return keras.ops.sum(keras.ops.reshape(sequence, windows), 2)

    def compute_output_shape(self, sequence_shape, padding_mask_shape=None):
        """Return the shape of the output. Keras passes no shape of the mask before 3.14."""
        steps = sequence_shape[1]
        return (sequence_shape[0], None if steps is None else -(-steps // self.pool_size), sequence_shape[2])

    def get_config(self):
        """Return the constructor's arguments."""
        return {**super().get_config(), "pool_size": self.pool_size}
