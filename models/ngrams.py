"""N-grams of ids inside the graph: their hashes, their vocabulary, and a layer of their vectors.

An n-gram is identified by a 31-bit hash of its ids. The vocabulary is a sorted array of the hashes of the frequent
n-grams, and a binary search in it returns an n-gram's index. This takes core ops only, and two n-grams share an entry
only when their hashes collide: with a vocabulary of a million, about one in 2,000 other n-grams is taken for one of
its entries. `models.wide_ngrams` and `models.linear_ngrams` have linear models of the same n-grams.
"""

import keras
import numpy as np
import tensorflow as tf

from models.network_settings import ClassifierSettings
from models.ngram_counts import FACTOR, PRIME


def ngram_hashes(ids, first: int, last: int):
    """Hash the n-grams that end at each timestep.

    Args:
        ids: int `(batch, timesteps)`, padded on the right with 0.
        first: Smallest n.
        last: Largest n.

    Returns:
        int32 `(batch, timesteps, last - first + 1)`; 0 at padding and where fewer than n ids precede.
    """
    ids = tf.cast(ids, tf.int64)
    timesteps = tf.shape(ids)[1]
    hashed, hashes = tf.zeros_like(ids), []
    for n in range(1, last + 1):
        # The id n - 1 timesteps back extends the n-gram of size n - 1.
        earlier = tf.pad(ids, [[0, 0], [n - 1, 0]])[:, :timesteps]
        hashed = (hashed * FACTOR + earlier) % PRIME
        if n >= first:
            # 1 to 2^31 - 2: 0 stands for no n-gram, and the largest int32 is the key of an empty vocabulary.
            hashes.append(tf.where((ids > 0) & (earlier > 0), hashed % (PRIME - 2) + 1, 0))
    return tf.cast(tf.stack(hashes, axis=-1), tf.int32)


class NgramLayer(keras.layers.Layer):
    """Base class of layers with a vocabulary of n-grams.

    Args:
        first: Smallest n.
        last: Largest n.
        size: Size of the vocabulary.
    """

    def __init__(self, first: int, last: int, size: int, **kwargs):
        super().__init__(**kwargs)
        self.first, self.last, self.size = first, last, size

    def build(self, input_shape):
        """Create the variable that holds the vocabulary."""
        self.keys = self.add_weight(
            shape=(max(1, self.size),),
            dtype="int32",
            initializer=lambda shape, dtype: keras.ops.full(shape, PRIME, dtype),
            trainable=False,
            name="keys",
        )

    def set_keys(self, keys: np.ndarray) -> None:
        """Set the vocabulary, from `models.ngram_counts.frequent_ngrams`; with an empty one the layer has no effect."""
        if len(keys):
            self.keys.assign(keys)

    def indexes(self, ids):
        """Look up the n-grams that end at each timestep.

        Args:
            ids: int `(batch, timesteps)`, padded on the right with 0.

        Returns:
            int32 `(batch, timesteps, last - first + 1)`: 1 + the index in the vocabulary, or 0.
        """
        hashes = ngram_hashes(ids, self.first, self.last)
        keys = tf.convert_to_tensor(self.keys)
        flat = tf.reshape(hashes, [-1])
        index = tf.minimum(tf.searchsorted(keys, flat), tf.size(keys) - 1)
        known = tf.equal(tf.gather(keys, index), flat)
        return tf.reshape(tf.where(known, index + 1, 0), tf.shape(hashes))

    def get_config(self):
        """Return the layer's configuration."""
        return {**super().get_config(), "first": self.first, "last": self.last, "size": self.size}


def used_rows(gather, indexes):
    """Gather the rows of a table that a batch uses, each once.

    The gradient of a row is then one sum instead of several parts. Adagrad needs this: it squares the gradient of a
    row, and Keras's optimizers do not add up the parts before.

    Args:
        gather: Function of indexes, int `(rows,)`, that returns these rows of the table.
        indexes: int, of any shape.

    Returns:
        The rows, and for each element of `indexes` the position of its row among them.
    """
    used, positions = tf.unique(tf.reshape(indexes, [-1]))
    return gather(used), tf.reshape(positions, tf.shape(indexes))


@keras.saving.register_keras_serializable("models")
class NgramEmbedding(NgramLayer):
    """Sum of the vectors of the n-grams that end at each timestep (Bojanowski et al. 2017, section 3.2).

    Ids `(batch, timesteps)` become `(batch, timesteps, features)`. The vectors start at zero, so that at first the
    network computes what it would compute without them.

    Args:
        first: Smallest n.
        last: Largest n.
        size: Size of the vocabulary.
        features: Size of a vector.
        rate: Share of the n-grams dropped in training; the others are scaled up.
    """

    def __init__(self, first: int, last: int, size: int, features: int, rate: float = 0.0, **kwargs):
        super().__init__(first, last, size, **kwargs)
        self.features, self.rate = features, rate
        # The layer's own dtype policy: when a saved model is loaded, the global one may differ from it.
        self.vectors = keras.layers.Embedding(
            size + 1, features, embeddings_initializer="zeros", dtype=self.dtype_policy, name="vectors"
        )
        self.dropout = keras.layers.Dropout(rate, dtype=self.dtype_policy)

    def build(self, input_shape):
        """Create the variables."""
        super().build(input_shape)
        self.vectors.build(input_shape)

    def call(self, ids, training=False):
        """Sum the vectors.

        Args:
            ids: int `(batch, timesteps)`, padded on the right with 0.
            training: Whether dropout is applied.

        Returns:
            float `(batch, timesteps, features)`.
        """
        indexes = self.indexes(ids)  # (batch, timesteps, sizes of n-grams)
        kept = self.dropout(tf.cast(indexes > 0, self.compute_dtype), training=training)
        vectors, positions = used_rows(lambda used: self.vectors(used), indexes)
        total = 0.0
        for n in range(self.last - self.first + 1):  # one size at a time saves memory
            total += tf.gather(vectors, positions[:, :, n]) * kept[:, :, n, None]
        return total

    def get_config(self):
        """Return the layer's configuration."""
        return {**super().get_config(), "features": self.features, "rate": self.rate}


def projected(settings: ClassifierSettings, ngram_vectors, suffix: str = ""):
    """Project n-gram vectors to the size of the embedding, unless they have it.

    Args:
        settings: Settings of the classifier.
        ngram_vectors: `(batch, timesteps, ngram_size)`.
        suffix: Of the name of the layer.

    Returns:
        `(batch, timesteps, embedding_size)`.
    """
    if settings.ngram_size is None:
        return ngram_vectors
    return keras.layers.Dense(settings.embedding_size, use_bias=False, name=f"ngram_projection{suffix}")(ngram_vectors)
