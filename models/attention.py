"""Attention, for whole sequences in training and for single steps in a search."""

from typing import NamedTuple

import keras
import tensorflow as tf


class Memory(NamedTuple):
    """The encoder's outputs that attention uses; all None without attention.

    Attributes:
        keys: `(batch, timesteps, key size)`.
        values: `(batch, timesteps, value size)`.
        mask: Bool `(batch, timesteps)`, False at padding.
    """

    keys: tf.Tensor | None = None
    values: tf.Tensor | None = None
    mask: tf.Tensor | None = None


@keras.saving.register_keras_serializable("models")
class Attention(keras.layers.Layer):
    """Attention: for each query the mean of the values, weighted by softmax(score) over the keys.

    The score of query s_i and key k_j, where h_j is the encoder's output and `key_projection` computes the keys once
    for each sentence:

    - "additive": v . tanh(W s_i + b + k_j) with k_j = U h_j (Bahdanau et al. 2015, appendix A.1.2);
    - "multiplicative": s_i . k_j with k_j = h_j ("dot") or k_j = W h_j ("general") (Luong et al. 2015, equation 8).

    Args:
        kind: `"additive"` or `"multiplicative"`.
        units: Size of the keys of additive attention.
        **kwargs: Arguments of `keras.layers.Layer`.
    """

    def __init__(self, kind: str, units: int | None = None, **kwargs):
        super().__init__(**kwargs)
        self.kind, self.units = kind, units
        if kind == "additive":
            self.query = keras.layers.Dense(units, dtype=self.dtype_policy, name="query")
            self.score = keras.layers.Dense(1, use_bias=False, dtype=self.dtype_policy, name="score")

    def build(self, queries_shape, keys_shape, values_shape, padding_mask_shape=None):
        """Create the weights. Keras passes no shape of the mask before 3.14."""
        if self.kind == "additive":
            self.query.build(queries_shape)
            self.score.build((None, self.units))

    def call(self, queries, keys, values, padding_mask):
        """Compute the context vectors.

        Args:
            queries: `(batch, queries, query size)`.
            keys: `(batch, timesteps, key size)`.
            values: `(batch, timesteps, value size)`.
            padding_mask: Bool `(batch, timesteps)`, False at padding, True at one timestep at least. Not named `mask`,
                because Keras does not pass the shape of an argument of that name to `build`.

        Returns:
            The context vectors, `(batch, queries, value size)`, and the weights, `(batch, queries, timesteps)`.
        """
        if self.kind == "additive":
            hidden = keras.ops.tanh(self.query(queries)[:, :, None] + keys[:, None])
            # A product of a matrix and a tensor of rank 4 writes beyond its memory on CPUs with AVX-512 (TensorFlow
            # 2.20 and 2.21, oneDNN), so this one has rank 2.
            rows = keras.ops.reshape(hidden, (-1, self.units))
            scores = keras.ops.reshape(self.score(rows), keras.ops.shape(hidden)[:-1])
        else:
            scores = keras.ops.matmul(queries, keras.ops.swapaxes(keys, 1, 2))
        # A softmax needs the range of float32, also under a mixed precision policy.
        scores = keras.ops.where(padding_mask[:, None], keras.ops.cast(scores, "float32"), -1e9)
        weights = keras.ops.cast(keras.ops.softmax(scores), values.dtype)
        return keras.ops.matmul(weights, values), weights

    def get_config(self):
        """Return the constructor's arguments."""
        return {**super().get_config(), "kind": self.kind, "units": self.units}


def key_projection(kind: str, score: str | None, units: int) -> keras.layers.Layer | None:
    """Create the layer that computes the keys from the encoder's output.

    Args:
        kind: As in `Attention`.
        score: Score of multiplicative attention: `"general"`, `"dot"`, or None, which is `"dot"`.
        units: Hidden size of additive attention; of multiplicative attention the size of the decoder's output.

    Returns:
        The layer; None if the keys are the encoder's output.
    """
    if kind == "multiplicative" and score != "general":
        return None
    return keras.layers.Dense(units, use_bias=False, name="attention_keys")


def attentional_hidden_state(attention: Attention, layer: keras.layers.Dense, outputs, memory: Memory) -> tuple:
    """Compute Luong's attentional hidden state, tanh(W [s; c]) (Luong et al. 2015, equation 5).

    Args:
        attention: Computes the context c.
        layer: The dense layer with the weights W and the activation tanh.
        outputs: The decoder's outputs s, `(batch, queries, units)`.
        memory: Keys, values and mask.

    Returns:
        The attentional hidden states, `(batch, queries, attentional units)`, and the weights of the attention,
        `(batch, queries, timesteps)`.
    """
    context, weights = attention(outputs, *memory)
    return layer(keras.ops.concatenate([outputs, context], axis=-1)), weights
