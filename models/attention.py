"""Attention, written once: for whole sequences in training and for single steps in a search."""

import keras


@keras.saving.register_keras_serializable("models")
class Attention(keras.layers.Layer):
    """Queries, keys and values -> for each query the mean of the values, weighted by softmax(score) over the keys.

    The scores of query s_i and key k_j (the keys are made of the encoder's output h_j once for a sentence, by
    `key_projection`):

    - "additive": v . tanh(W s_i + b + k_j) with k_j = U h_j (Bahdanau et al. 2015, appendix A.1.2);
    - "multiplicative": s_i . k_j, with k_j = h_j ("dot") or k_j = W h_j ("general"; Luong et al. 2015, equation 8).

    Args:
      kind: "additive" or "multiplicative".
      units: size of the keys of additive attention.
    """

    def __init__(self, kind: str, units: int | None = None, **kwargs):
        super().__init__(**kwargs)
        self.kind, self.units = kind, units
        if kind == "additive":
            self.query = keras.layers.Dense(units, dtype=self.dtype_policy, name="query")
            self.score = keras.layers.Dense(1, use_bias=False, dtype=self.dtype_policy, name="score")

    def build(self, queries_shape, keys_shape, values_shape, there_shape):
        if self.kind == "additive":
            self.query.build(queries_shape)
            self.score.build((None, self.units))

    def call(self, queries, keys, values, there):
        """Reads the values.

        Args:
          queries: (batch, queries, query size).
          keys: (batch, steps, key size).
          values: (batch, steps, value size).
          there: bool (batch, steps), False where there is padding; one step at least is True.

        Returns: the weighted means, (batch, queries, value size), and the weights, (batch, queries, steps).
        """
        if self.kind == "additive":
            hidden = keras.ops.tanh(self.query(queries)[:, :, None] + keys[:, None])
            scores = self.score(hidden)[..., 0]
        else:
            scores = keras.ops.matmul(queries, keras.ops.swapaxes(keys, 1, 2))
        # A softmax needs the range of float32, under a mixed precision policy too.
        scores = keras.ops.where(there[:, None], keras.ops.cast(scores, "float32"), -1e9)
        weights = keras.ops.cast(keras.ops.softmax(scores), values.dtype)
        return keras.ops.matmul(weights, values), weights

    def get_config(self):
        return {**super().get_config(), "kind": self.kind, "units": self.units}


def key_projection(kind: str, score: str | None, units: int) -> keras.layers.Layer | None:
    """The layer that makes keys of the encoder's output; None where they are the output itself.

    Args:
      kind: see `Attention`.
      score: of multiplicative attention: "general", or "dot", also for None.
      units: of additive attention its hidden size, of multiplicative attention the decoder's.
    """
    if kind == "multiplicative" and score != "general":
        return None
    return keras.layers.Dense(units, use_bias=False, name="attention_keys")
