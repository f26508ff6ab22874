"""N-grams of ids inside the graph: their hashes, their vocabulary, and a layer of their vectors.

An n-gram is identified by a 31-bit hash of its ids. The vocabulary is a sorted array of the hashes of the frequent
n-grams, and a binary search in it returns an n-gram's index. This takes core ops only, and two n-grams share an entry
only when their hashes collide: with a vocabulary of a million, about one in 2,000 other n-grams is taken for one of
its entries. `models.wide_ngrams` and `models.linear_ngrams` have linear models of the same n-grams.
"""

from collections.abc import Iterable

import keras
import numpy as np
import tensorflow as tf

# A polynomial hash modulo the Mersenne prime 2^31 - 1: the product of two smaller numbers fits into 64 bits.
_PRIME = (1 << 31) - 1
_FACTOR = 1_000_003_579


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
        hashed = (hashed * _FACTOR + earlier) % _PRIME
        if n >= first:
            # 1 to 2^31 - 2: 0 stands for no n-gram, and the largest int32 is the key of an empty vocabulary.
            hashes.append(tf.where((ids > 0) & (earlier > 0), hashed % (_PRIME - 2) + 1, 0))
    return tf.cast(tf.stack(hashes, axis=-1), tf.int32)


@tf.function(reduce_retracing=True, autograph=False)
def _sorted_hashes(ids, first: int, last: int):
    hashes = ngram_hashes(ids, first, last)
    return tf.sort(tf.reshape(hashes, [tf.shape(hashes)[0], -1]), axis=1)


def _distinct(ids: np.ndarray, first: int, last: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the different n-grams of each text: the texts' indexes and the hashes, both `(n-grams,)`."""
    hashes = _sorted_hashes(tf.constant(ids, tf.int32), first, last).numpy()
    new = hashes != 0
    new[:, 1:] &= hashes[:, 1:] != hashes[:, :-1]
    return np.nonzero(new)[0], hashes[new]


def frequent_ngrams(
    batches: Iterable[np.ndarray], first: int, last: int, *, min_count: int, max_size: int
) -> np.ndarray:
    """Build the vocabulary: the n-grams that occur in most texts.

    Args:
        batches: Batches of ids, int32 `(batch, timesteps)` each, padded on the right with 0.
        first: Smallest n.
        last: Largest n.
        min_count: Minimum number of texts that an n-gram occurs in.
        max_size: Maximum size of the vocabulary. The most frequent n-grams are kept, and of equally frequent ones
            those with the lower hash.

    Returns:
        Hashes, int32 `(size,)`, sorted.
    """
    keys, counts, pending, pending_size = np.empty(0, np.int32), np.empty(0, np.int32), [], 0

    def merge():
        nonlocal keys, counts, pending, pending_size
        new_keys, new_counts = np.unique(np.concatenate([np.empty(0, np.int32), *pending]), return_counts=True)
        both = np.concatenate([keys, new_keys])
        both_counts = np.concatenate([counts, new_counts.astype(np.int32)])
        keys, inverse = np.unique(both, return_inverse=True)
        counts = np.bincount(inverse, weights=both_counts, minlength=len(keys)).astype(np.int32)
        pending, pending_size = [], 0

    for ids in batches:
        pending.append(_distinct(ids, first, last)[1])
        pending_size += len(pending[-1])
        # The threshold grows with the vocabulary, so the total time of the merges is not quadratic.
        if pending_size > max(4_000_000, len(keys)):
            merge()
    merge()
    keys, counts = keys[counts >= min_count], counts[counts >= min_count]
    if len(keys) > max_size:
        keys = keys[np.sort(np.argsort(-counts, kind="stable")[:max_size])]
    return keys


def known_ngrams(ids: np.ndarray, keys: np.ndarray, first: int, last: int) -> tuple[np.ndarray, np.ndarray]:
    """Find the different n-grams of each text that are in the vocabulary.

    Args:
        ids: int32 `(batch, timesteps)`, padded on the right with 0.
        keys: The vocabulary, from `frequent_ngrams`.
        first: Smallest n.
        last: Largest n.

    Returns:
        The texts' indexes and 1 + the index in the vocabulary, int `(n-grams,)` each, ordered by text.
    """
    texts, hashes = _distinct(ids, first, last)
    if not len(keys):
        return texts[:0], texts[:0]
    indexes = np.minimum(np.searchsorted(keys, hashes), len(keys) - 1)
    known = keys[indexes] == hashes
    return texts[known], indexes[known] + 1


def ngram_class_counts(
    batches: Iterable[tuple[np.ndarray, np.ndarray]], keys: np.ndarray, first: int, last: int, classes: int
) -> np.ndarray:
    """Count the texts of each class that an n-gram of the vocabulary occurs in.

    Args:
        batches: Batches of ids, int32 `(batch, timesteps)`, and of labels, int `(batch,)`.
        keys: The vocabulary, from `frequent_ngrams`.
        first: Smallest n.
        last: Largest n.
        classes: Number of classes.

    Returns:
        float32 `(len(keys) + 1, classes)`; row 0, which stands for no n-gram, is zero.
    """
    counts = np.zeros((len(keys) + 1, classes), np.float32)
    flat = counts.reshape(-1)
    for ids, labels in batches:
        texts, indexes = known_ngrams(ids, keys, first, last)
        np.add.at(flat, indexes * classes + labels[texts], np.float32(1))  # one index is ten times as fast as two
    return counts


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
            initializer=lambda shape, dtype: keras.ops.full(shape, _PRIME, dtype),
            trainable=False,
            name="keys",
        )

    def set_keys(self, keys: np.ndarray) -> None:
        """Set the vocabulary, from `frequent_ngrams`; with an empty one the layer has no effect."""
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
