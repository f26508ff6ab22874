"""How well a text is predicted: by a network, and by counts of characters."""

from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from models.language_model import LanguageModel
from models.window_model import WindowModel
from tasks.chargen.record_windows import ValidationRecords
from tasks.chargen.windows import ValidationWindows

# Places of a text that are read at once, and the window if the network does not fix it.
ROWS, WINDOW = 64, 64
# Ids that are counted at once, which bounds the memory.
BLOCK = 1 << 22


def network_nats(model: LanguageModel, ids: np.ndarray, boundary: int | None = None) -> float:
    """Compute -ln p of all ids but the first, in one reading with the state carried from beginning to end.

    The text is read at several places at once, as in a validation; see `ValidationWindows`.

    Args:
        model: The network.
        ids: (characters,).
        boundary: The id between records, of which each is read from a zero state; see `ValidationRecords`.

    Returns:
        The sum in nats; 0 for a single id.
    """
    if len(ids) < 2:
        return 0.0
    window, fixed = model.timesteps or WINDOW, model.timesteps is not None
    if boundary is None:
        windows = ValidationWindows(ids, window, ROWS, fixed=fixed)
    else:
        windows = ValidationRecords(ids, boundary, window, ROWS)
    return summed_nats(model.training_model(), windows.batches())


def summed_nats(reader: WindowModel, batches: tf.data.Dataset) -> float:
    """Compute -ln p of the targets that have a weight, with the full softmax; the sum in nats.

    Args:
        reader: The network.
        batches: Inputs of the network, targets and weights; in the order in which the states are carried.
    """

    @tf.function(autograph=False, reduce_retracing=True)
    def nats_of_batch(inputs, targets, weights):
        nats = tf.nn.sparse_softmax_cross_entropy_with_logits(targets, reader(inputs, training=False))
        return tf.reduce_sum(tf.cast(tf.where(weights > 0, nats, 0.0), tf.float64))

    return sum(float(nats_of_batch(*batch)) for batch in batches)


def count_nats(training: np.ndarray, ids: np.ndarray, vocabulary_size: int, order: int) -> list[float]:
    """Compute -ln p of a text by counts of single ids, of pairs, and so on, with Witten-Bell smoothing.

    Witten and Bell 1991, method C, interpolated as in Chen and Goodman 1998, equation 15: with n(h) occurrences of a
    history h and T(h) different ids after it,

        p(c | h) = (n(h c) + T(h) p(c | h')) / (n(h) + T(h))

    where h' is h without its first id, and 1 / `vocabulary_size` comes below the counts of single ids.

    Args:
        training: The ids that are counted, `(characters,)`.
        ids: The text, `(characters,)`. The first ids have the shorter history that there is.
        vocabulary_size: Number of ids.
        order: The largest number of ids that are counted together.

    Returns:
        The sums in nats, of all ids of the text, for 1, 2, ... `order` ids counted together.
    """
    probabilities, sums = np.full(len(ids), 1.0 / vocabulary_size), []
    for size in range(1, order + 1):
        grams, counts = _counted(training, size, vocabulary_size)
        histories, begins = np.unique(grams // vocabulary_size, return_index=True)
        followed = np.add.reduceat(counts, begins) if len(counts) else counts
        different = np.diff(np.append(begins, len(grams)))
        wanted = _grams(ids, size, vocabulary_size)
        occurrences = _looked_up(wanted, grams, counts)
        after = _looked_up(wanted // vocabulary_size, histories, followed)
        kinds = _looked_up(wanted // vocabulary_size, histories, different)
        part = probabilities[size - 1 :]
        smoothed = (occurrences + kinds * part) / np.maximum(after + kinds, 1)
        probabilities[size - 1 :] = np.where(after > 0, smoothed, part)
        sums.append(float(-np.log(probabilities).sum()))
    return sums


def _grams(ids: np.ndarray, size: int, vocabulary_size: int) -> np.ndarray:
    """Return a number for each passage of `size` ids: int64 (passages,)."""
    count = max(0, len(ids) - size + 1)
    numbers = np.zeros(count, np.int64)
    for place in range(size):
        numbers = numbers * vocabulary_size + ids[place : place + count]
    return numbers


def _counted(ids: np.ndarray, size: int, vocabulary_size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the passages of `size` ids in ascending order, and how often each occurs."""

    def parts() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for start in range(0, len(ids), BLOCK):
            yield np.unique(_grams(ids[start : start + BLOCK + size - 1], size, vocabulary_size), return_counts=True)

    grams, counts = np.zeros(0, np.int64), np.zeros(0, np.int64)
    for more, more_counts in parts():
        grams, places = np.unique(np.concatenate([grams, more]), return_inverse=True)
        counts = np.bincount(places, np.concatenate([counts, more_counts]), len(grams)).astype(np.int64)
    return grams, counts


def _looked_up(wanted: np.ndarray, known: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return the value of each wanted number; 0 for those that are not known."""
    if not len(known):
        return np.zeros(len(wanted), np.int64)
    places = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
    return np.where(known[places] == wanted, values[places], 0)
