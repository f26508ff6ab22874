"""Runs of n ids (n-grams) inside the graph: what a bag-of-words model sees, for a network to read.

An n-gram is known by a 31-bit hash of its ids. A sorted array of hashes is the vocabulary of those that occur often
enough, and a binary search in it gives an n-gram's index: core ops only, and no entry is shared by two n-grams but for
the rare collision of hashes (about one in 2,000 n-grams outside a vocabulary of a million is taken for one in it).
Vectors of n-grams, summed, are those of Bojanowski et al. 2017, "Enriching Word Vectors with Subword Information".
"""

from collections.abc import Iterable

import keras
import numpy as np
import tensorflow as tf

# A polynomial hash modulo the Mersenne prime 2^31 - 1: a product of two numbers below it fits 64 bits.
_PRIME = (1 << 31) - 1
_FACTOR = 1_000_003_579


def ngram_hashes(ids, first: int, last: int):
    """Hashes of the n-grams that end at each position.

    Args:
      ids: int (batch, timesteps); 0 is padding, on the right.
      first, last: the shortest and the longest n-gram.

    Returns: int32 (batch, timesteps, last - first + 1); 0 at padding and where the text has not n ids yet.
    """
    ids = tf.cast(ids, tf.int64)
    steps = tf.shape(ids)[1]
    hashed, hashes = tf.zeros_like(ids), []
    for n in range(1, last + 1):
        # The id n - 1 steps back; the hash of its n-gram follows from that of the shorter one.
        earlier = tf.pad(ids, [[0, 0], [n - 1, 0]])[:, :steps]
        hashed = (hashed * _FACTOR + earlier) % _PRIME
        if n >= first:
            # 1 to 2^31 - 2: 0 says that there is none, and the largest int32 fills an empty vocabulary.
            hashes.append(tf.where((ids > 0) & (earlier > 0), hashed % (_PRIME - 2) + 1, 0))
    return tf.cast(tf.stack(hashes, axis=-1), tf.int32)


@tf.function(reduce_retracing=True)
def _sorted_hashes(ids, first: int, last: int):
    hashes = ngram_hashes(ids, first, last)
    return tf.sort(tf.reshape(hashes, [tf.shape(hashes)[0], -1]), axis=1)


def _distinct(ids: np.ndarray, first: int, last: int) -> tuple[np.ndarray, np.ndarray]:
    """The different n-grams of each text: indexes of the texts, and the hashes, both (n-grams,)."""
    hashes = _sorted_hashes(tf.constant(ids, tf.int32), first, last).numpy()
    new = hashes != 0
    new[:, 1:] &= hashes[:, 1:] != hashes[:, :-1]
    return np.nonzero(new)[0], hashes[new]


def frequent_ngrams(batches: Iterable[np.ndarray], first: int, last: int, *, least: int, most: int) -> np.ndarray:
    """The vocabulary: hashes of the n-grams that occur in the most texts.

    Args:
      batches: ids, int32 (batch, timesteps) each, padded with 0.
      first, last: the shortest and the longest n-gram.
      least: texts that an n-gram must occur in.
      most: size of the vocabulary at the most; the most frequent stay, and of equals the lower hash.

    Returns: int32 (size,), sorted.
    """
    keys, counts, waiting, held = np.empty(0, np.int32), np.empty(0, np.int32), [], 0

    def merge():
        nonlocal keys, counts, waiting, held
        new_keys, new_counts = np.unique(np.concatenate([np.empty(0, np.int32), *waiting]), return_counts=True)
        both = np.concatenate([keys, new_keys])
        both_counts = np.concatenate([counts, new_counts.astype(np.int32)])
        keys, where = np.unique(both, return_inverse=True)
        counts = np.bincount(where, weights=both_counts, minlength=len(keys)).astype(np.int32)
        waiting, held = [], 0

    for ids in batches:
        waiting.append(_distinct(ids, first, last)[1])
        held += len(waiting[-1])
        if held > max(4_000_000, len(keys)):  # in proportion, so that the sorting stays so too
            merge()
    merge()
    keys, counts = keys[counts >= least], counts[counts >= least]
    if len(keys) > most:
        keys = keys[np.sort(np.argsort(-counts, kind="stable")[:most])]
    return keys


class _NgramLayer(keras.layers.Layer):
    """Holds a vocabulary of n-grams, and finds those of a text in it.

    Args:
      first, last: the shortest and the longest n-gram.
      size: of the vocabulary.
    """

    def __init__(self, first: int, last: int, size: int, **kwargs):
        super().__init__(**kwargs)
        self.first, self.last, self.size = first, last, size

    def build(self, input_shape):
        self.keys = self.add_weight(
            shape=(max(1, self.size),),
            dtype="int32",
            initializer=lambda shape, dtype: keras.ops.full(shape, _PRIME, dtype),
            trainable=False,
            name="keys",
        )

    def set_keys(self, keys: np.ndarray) -> None:
        """Takes the vocabulary, from `frequent_ngrams`; an empty one leaves the layer without effect."""
        if len(keys):
            self.keys.assign(keys)

    def indexes(self, ids):
        """int32 (batch, timesteps, last - first + 1): 1 + the place in the vocabulary, or 0 for none."""
        hashes = ngram_hashes(ids, self.first, self.last)
        keys = tf.convert_to_tensor(self.keys)
        flat = tf.reshape(hashes, [-1])
        place = tf.minimum(tf.searchsorted(keys, flat), tf.size(keys) - 1)
        found = tf.equal(tf.gather(keys, place), flat)
        return tf.reshape(tf.where(found, place + 1, 0), tf.shape(hashes))

    def get_config(self):
        return {**super().get_config(), "first": self.first, "last": self.last, "size": self.size}


def used_rows(gather, indexes):
    """The rows of a table that a batch uses, each once.

    A row's gradient then comes as one sum, and not in parts: Adagrad squares the sum, as its formula has it.

    Args:
      gather: indexes (rows,) -> rows of the table.
      indexes: int (...).

    Returns: the rows, and for each index the place of its row among them, of the shape of `indexes`.
    """
    used, places = tf.unique(tf.reshape(indexes, [-1]))
    return gather(used), tf.reshape(places, tf.shape(indexes))


@keras.saving.register_keras_serializable("models")
class NgramEmbedding(_NgramLayer):
    """The sum of the vectors of the n-grams that end at each position.

    (batch, timesteps) ids -> (batch, timesteps, features). The vectors begin at zero: the network starts as it would
    without them.

    Args:
      features: size of a vector.
      rate: share of the n-grams dropped in training; the others are scaled up.
    """

    def __init__(self, first: int, last: int, size: int, features: int, rate: float = 0.0, **kwargs):
        super().__init__(first, last, size, **kwargs)
        self.features, self.rate = features, rate
        # The layer's own policy, not the global one, which is another when a saved model is loaded.
        self.vectors = keras.layers.Embedding(
            size + 1, features, embeddings_initializer="zeros", dtype=self.dtype_policy, name="vectors"
        )
        self.dropout = keras.layers.Dropout(rate, dtype=self.dtype_policy)

    def build(self, input_shape):
        super().build(input_shape)
        self.vectors.build(input_shape)

    def call(self, ids, training=False):
        indexes = self.indexes(ids)  # (batch, timesteps, n)
        kept = self.dropout(tf.cast(indexes > 0, self.compute_dtype), training=training)
        vectors, places = used_rows(lambda used: self.vectors(used), indexes)
        total = 0.0
        for n in range(self.last - self.first + 1):  # one at a time: (batch, timesteps, n, features) would be large
            total += tf.gather(vectors, places[:, :, n]) * kept[:, :, n, None]
        return total

    def get_config(self):
        return {**super().get_config(), "features": self.features, "rate": self.rate}


@keras.saving.register_keras_serializable("models")
class WideNgrams(_NgramLayer):
    """A linear model on the set of a text's n-grams: (batch, timesteps) ids -> (batch, classes) logits.

    It is the NB-SVM of Wang and Manning 2012, "Baselines and Bigrams", with a softmax for the SVM: the feature of an
    n-gram is its log-count ratio r, the weight of naive Bayes, and a learned weight, 1 at first, scales it:

      logits[c] = bias[c] + sum over the text's different n-grams of weight[c] * r[c] / sqrt(their number)
      r[c] = log((k[c] + 1) / N[c]) - log((k[not c] + 1) / N[not c])

    k[c] counts the training texts of class c that have the n-gram, and N[c] is the sum of k[c] + 1 over the vocabulary.
    In training a text's own count is taken out of k: with it, the ratios of rare n-grams would give the label away.

    Args:
      classes: number of classes.
    """

    def __init__(self, first: int, last: int, size: int, classes: int, **kwargs):
        super().__init__(first, last, size, **kwargs)
        self.classes = classes

    def build(self, input_shape):
        super().build(input_shape)
        shape = (self.size + 1, self.classes)
        self.counts = self.add_weight(shape=shape, initializer="zeros", trainable=False, name="counts")
        self.norm = self.add_weight(shape=shape[1:], initializer="zeros", trainable=False, name="norm")
        self.weight = self.add_weight(shape=shape, initializer="ones", name="weight")
        self.bias = self.add_weight(shape=(self.classes,), initializer="zeros", name="bias")

    def set_counts(self, counts: np.ndarray) -> None:
        """Takes the counts k, (size + 1, classes), and from them log N[c] - log N[not c]."""
        others = counts.sum(axis=1, keepdims=True) - counts
        self.counts.assign(counts)
        if self.size:
            inside, outside = (counts[1:] + 1.0).sum(axis=0), (others[1:] + 1.0).sum(axis=0)
            self.norm.assign(np.log(inside) - np.log(outside))

    def call(self, ids, labels=None, training=False):
        """With `labels`, int (batch,), and in training, a text's own count is taken out."""
        indexes = self.indexes(ids)
        indexes = tf.sort(tf.reshape(indexes, [tf.shape(indexes)[0], -1]), axis=1)  # (batch, n-grams)
        before = tf.pad(indexes, [[0, 0], [1, 0]])[:, :-1]  # 0, no n-gram, before the first
        once = tf.cast(indexes != before, self.compute_dtype)[..., None]  # (batch, n-grams, 1)
        terms, root = self._terms(indexes, once, labels, training)
        return self.bias + tf.reduce_sum(terms, axis=1) / root

    def occurrences(self, ids):
        """What each n-gram of a text adds to the logits, in equal parts over the places where it occurs.

        int (batch, timesteps) ids -> (batch, timesteps, last - first + 1, classes), at the position where the n-gram
        ends. A text's sum of them and the bias are its logits.
        """
        indexes = self.indexes(ids)
        flat = tf.reshape(indexes, [tf.shape(indexes)[0], -1])  # (batch, n-grams)
        # One number for an n-gram of a text, so that texts are counted apart.
        own = tf.cast(flat, tf.int64) + (self.size + 1) * tf.range(tf.shape(flat)[0], dtype=tf.int64)[:, None]
        _, places, times = tf.unique_with_counts(tf.reshape(own, [-1]))
        times = tf.reshape(tf.gather(times, places), tf.shape(flat))
        part = tf.where(flat > 0, 1.0 / tf.cast(times, self.compute_dtype), 0.0)[..., None]
        terms, root = self._terms(flat, part)
        return tf.reshape(terms / root[:, None], tf.concat([tf.shape(indexes), [self.classes]], axis=0))

    def _terms(self, indexes, part, labels=None, training=False):
        """The sum's terms, (batch, n-grams, classes), and what it is divided by, (batch, 1).

        Args:
          indexes: int (batch, n-grams).
          part: (batch, n-grams, 1), how much of an n-gram counts there: 1 in all for each different one.
          labels, training: see `call`.
        """
        counts = tf.gather(tf.convert_to_tensor(self.counts), indexes)  # (batch, n-grams, classes)
        if training and labels is not None:
            counts = tf.maximum(counts - tf.one_hot(labels, self.classes, dtype=counts.dtype)[:, None, :], 0.0)
        others = tf.reduce_sum(counts, axis=-1, keepdims=True) - counts
        ratios = tf.math.log(counts + 1.0) - tf.math.log(others + 1.0) - tf.convert_to_tensor(self.norm)

        part *= tf.cast(tf.reduce_sum(counts, axis=-1, keepdims=True) > 0.0, self.compute_dtype)
        number = tf.reduce_sum(part, axis=1)
        rows, places = used_rows(lambda used: tf.gather(tf.convert_to_tensor(self.weight), used), indexes)
        return part * tf.gather(rows, places) * ratios, tf.sqrt(tf.maximum(number, 1.0))

    def get_config(self):
        return {**super().get_config(), "classes": self.classes}


def ngram_class_counts(
    batches: Iterable[tuple[np.ndarray, np.ndarray]], keys: np.ndarray, first: int, last: int, classes: int
) -> np.ndarray:
    """In how many texts of each class an n-gram of the vocabulary occurs.

    Args:
      batches: ids, int32 (batch, timesteps), and classes, int (batch,).
      keys: the vocabulary, from `frequent_ngrams`.

    Returns: float32 (len(keys) + 1, classes); row 0, no n-gram, is zero.
    """
    counts = np.zeros((len(keys) + 1, classes), np.float32)
    for ids, labels in batches:
        texts, hashes = _distinct(ids, first, last)
        places = np.minimum(np.searchsorted(keys, hashes), len(keys) - 1)
        known = keys[places] == hashes if len(keys) else np.zeros(len(hashes), bool)
        np.add.at(counts, (places[known] + 1, labels[texts[known]]), 1.0)
    return counts
