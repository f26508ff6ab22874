"""What a search may not generate at a step, and what it must generate: changes of the logits."""

from typing import NamedTuple

import tensorflow as tf


class RequiredIds(NamedTuple):
    """Neighboring ids, the symbols, of which each is generated exactly once or never.

    Attributes:
        required: bool `(batch, symbols)`, whether a symbol is generated once, or never.
        first: The id of the first symbol.
        space: The id of a space, which may come before a symbol; None if there is none.
    """

    required: tf.Tensor
    first: int
    space: int | None = None


def require_once(
    logits: tf.Tensor, ids: tf.Tensor, last: tf.Tensor, symbols: RequiredIds, remaining: tf.Tensor, eos: int
) -> tf.Tensor:
    """Change logits so that some ids occur exactly once and others never.

    As long as a symbol is missing, EOS is not allowed. Where the model would end, a missing symbol comes instead, or a
    space before it: the more probable one has at least the logit of EOS. So a sequence does not go on and on for want
    of a symbol that is improbable. When there is room for the missing symbols alone, nothing else is allowed.

    Args:
        logits: float32 `(batch, beam, vocabulary_size)`.
        ids: int32 `(batch, beam, timesteps)`, the ids so far.
        last: int32 `(batch, beam)`, the last one.
        symbols: The ids.
        remaining: int32 `(batch,)`, number of ids that may follow; none but EOS if it is not positive.
        eos: The id of the end.

    Returns:
        The logits, -inf for what is not allowed.
    """
    required, first, space = symbols
    count, size = required.shape[-1], logits.shape[-1]
    generated = tf.reduce_any(ids[..., None] == first + tf.range(count), axis=2)  # (batch, beam, symbols)
    missing = required[:, None] & ~generated
    missing_count = tf.reduce_sum(tf.cast(missing, tf.int32), axis=-1)  # (batch, beam)
    is_early = (missing_count > 0) & (remaining > 0)[:, None]
    is_due = is_early & (missing_count >= remaining[:, None])
    padding = [[0, 0], [0, 0], [first, size - first - count]]
    candidates = tf.pad(missing, padding)
    if space is not None:
        may_be_space = (missing_count > 0) & (last != space)
        candidates |= may_be_space[..., None] & (tf.range(size) == space)
    own = tf.where(candidates, logits, -float("inf"))
    is_best = candidates & (own == tf.reduce_max(own, axis=-1, keepdims=True))
    raised = tf.where(is_best, tf.maximum(logits, logits[..., eos, None]), logits)
    is_blocked = tf.pad(~missing, padding) | (is_early[..., None] & (tf.range(size) == eos))
    is_blocked |= is_due[..., None] & ~tf.pad(missing, padding)
    return tf.where(is_blocked, -float("inf"), raised)


def repeated_ngram_mask(ids: tf.Tensor, time: tf.Tensor, n: int, vocabulary_size: int) -> tf.Tensor:
    """Mask the ids that would complete an n-gram that has already occurred.

    Args:
        ids: int32 `(batch, beam, timesteps)`, of which the first `time` are valid.
        time: int32 `()`.
        n: Size of the n-grams, at least 1.
        vocabulary_size: Number of ids.

    Returns:
        float32 `(batch, beam, vocabulary_size)`, -inf for these ids and 0 for the others.
    """
    timesteps = tf.shape(ids)[-1]
    # The last n - 1 ids, and for each timestep t the n - 1 ids before it: where they are equal, ids[t] would repeat.
    last = tf.gather(ids, tf.maximum(time - n + 1 + tf.range(n - 1), 0), axis=-1)  # (batch, beam, n - 1)
    positions = tf.range(timesteps)
    before = tf.gather(ids, tf.maximum(positions[:, None] - n + 1 + tf.range(n - 1), 0), axis=-1)
    equal = tf.reduce_all(before == last[:, :, None], axis=-1) & (positions >= n - 1) & (positions < time)
    # Id 0 is padding, which is never generated, so it can stand for "no id".
    return _minus_infinity_at(tf.where(equal, ids, 0), vocabulary_size)


def _minus_infinity_at(ids: tf.Tensor, vocabulary_size: int) -> tf.Tensor:
    """Return `(batch, beam, vocabulary_size)` with -inf at each of ids `(batch, beam, count)` and 0 elsewhere."""
    shape = tf.shape(ids)
    rows = tf.repeat(tf.range(shape[0] * shape[1]), shape[2])
    indexes = tf.stack([rows, tf.reshape(ids, [-1])], axis=1)
    counts = tf.scatter_nd(indexes, tf.ones_like(rows), [shape[0] * shape[1], vocabulary_size])
    return tf.reshape(tf.where(counts > 0, -float("inf"), 0.0), [shape[0], shape[1], vocabulary_size])
