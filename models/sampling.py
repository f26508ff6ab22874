"""Sampling of characters from a network's probabilities, in a loop inside the graph."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import tensorflow as tf

# Marks a position without a character in a row of ids.
NO_ID = -1
# The number of TensorFlow's random number generator of this name, and how many numbers it draws at once.
PHILOX, BLOCK = 1, 4


class Sampling(NamedTuple):
    """How characters are sampled; see `SamplingSettings`.

    Attributes:
        temperature: Number, or float32 `(batch,)`.
        top_k: Number, or int32 `(batch,)`.
        top_p: Number, or float32 `(batch,)`.
        repetition_penalty: Python number; 1 is no penalty.
        repetition_window: Python number of previous characters that the penalty applies to.
        stops: Ids of the texts after which generation stops.
    """

    temperature: tf.Tensor | float = 1.0
    top_k: tf.Tensor | int = 0
    top_p: tf.Tensor | float = 1.0
    repetition_penalty: float = 1.0
    repetition_window: int = 1
    stops: Sequence[Sequence[int]] = ()

    @property
    def history_size(self) -> int:
        """Number of previous characters that the penalty and the stops depend on, at least 1."""
        penalty = self.repetition_window if self.repetition_penalty != 1.0 else 1
        return max([penalty, *map(len, self.stops)])


class GenerationState(NamedTuple):
    """Everything that the generation of the next characters depends on.

    Attributes:
        logits: float32 `(batch, vocabulary_size)`, of the next character.
        states: The network's states, `(batch, units)` each.
        recent: int32 `(batch, Sampling.history_size)`, the last characters, preceded by NO_ID where the text is
            shorter.
        generated: int32 `(batch,)`, number of characters generated so far.
        finished: bool `(batch,)`, whether a stop has been generated.
    """

    logits: tf.Tensor
    states: list[tf.Tensor]
    recent: tf.Tensor
    generated: tf.Tensor
    finished: tf.Tensor


def uniform_noise(seeds: tf.Tensor, length: tf.Tensor, keys: tf.Tensor | None = None) -> tf.Tensor:
    """Draw the random numbers of each row from the row's own seed and key.

    Args:
        seeds: int `(batch,)`.
        length: int `()`.
        keys: int64 `(batch,)`, so that rows with equal seeds get different numbers; zeros if None.

    Returns:
        float32 `(batch, length)` in [0, 1). A row does not depend on the other rows of the batch.
    """
    seeds = tf.cast(seeds, tf.int64)
    pairs = tf.stack([seeds, tf.zeros_like(seeds) if keys is None else keys], axis=1)
    # One extra row, because map_fn fails on an empty batch.
    rows = tf.map_fn(
        lambda pair: tf.random.stateless_uniform([length], pair),
        tf.pad(pairs, [[0, 1], [0, 0]]),
        fn_output_signature=tf.TensorSpec([None], tf.float32),
    )
    return rows[:-1]


def uniform_noise_from(random_state: tf.Tensor, first: tf.Tensor, length: tf.Tensor) -> tf.Tensor:
    """Draw the random numbers of `uniform_noise` from a place on.

    Philox numbers its blocks of four random numbers (Salmon et al. 2011), so those before the place are not drawn.

    Args:
        random_state: int64 `(batch, 2)`, the seed and the key of each row.
        first: int32 `(batch,)`, the place of the first number.
        length: int `()`.

    Returns:
        float32 `(batch, length)`: the columns `first` to `first + length` of `uniform_noise`.
    """
    size = tf.cast(length, tf.int32) + BLOCK - 1

    def row(place):
        pair, start = place
        key, counter = tf.raw_ops.StatelessRandomGetKeyCounter(seed=pair)
        counter = tf.stack([counter[0] + tf.cast(start // BLOCK, tf.uint64), counter[1]])
        noise = tf.raw_ops.StatelessRandomUniformV2(shape=[size], key=key, counter=counter, alg=PHILOX)
        return noise[start % BLOCK :][:length]

    # One extra row, because map_fn fails on an empty batch.
    places = (tf.pad(random_state, [[0, 1], [0, 0]]), tf.pad(first, [[0, 1]]))
    return tf.map_fn(row, places, fn_output_signature=tf.TensorSpec([None], tf.float32))[:-1]


def apply_repetition_penalty(logits: tf.Tensor, recent: tf.Tensor, penalty: float) -> tf.Tensor:
    """Make recent characters less probable (Keskar et al. 2019, section 4.1).

    Args:
        logits: float32 `(batch, vocabulary_size)`.
        recent: int32 `(batch, window)`, with NO_ID at positions without a character.
        penalty: Divides positive logits and multiplies the others. CTRL divides all, which would make characters with
            a negative logit more probable.

    Returns:
        float32 `(batch, vocabulary_size)`.
    """
    seen = tf.reduce_max(tf.one_hot(recent, logits.shape[-1]), axis=1) > 0  # NO_ID is all zeros
    return tf.where(seen, tf.where(logits > 0, logits / penalty, logits * penalty), logits)


def filter_top_k_top_p(logits: tf.Tensor, top_k: tf.Tensor, top_p: tf.Tensor) -> tf.Tensor:
    """Set the logits of all but the most probable characters to -inf.

    Args:
        logits: float32 `(batch, vocabulary_size)`.
        top_k: int `()` or `(batch,)`. Keeps the k most probable characters (Fan et al. 2018) and those as probable as
            the k-th; 0 keeps all.
        top_p: float32 `()` or `(batch,)`. Of these, keeps the smallest set of the most probable characters whose
            probabilities add up to p (nucleus sampling, Holtzman et al. 2020).

    Returns:
        float32 `(batch, vocabulary_size)`.
    """
    size = tf.shape(logits)[-1]
    top_k, top_p = _column(top_k), _column(top_p)
    ordered = tf.sort(logits, direction="DESCENDING")
    k = tf.where((top_k > 0) & (top_k < size), top_k, size)
    ordered = tf.where(tf.range(size) < k, ordered, -float("inf"))
    probabilities = tf.nn.softmax(ordered)
    cumulative = tf.cumsum(probabilities, axis=-1, exclusive=True)
    # The first is always kept. With p = 1 all are kept: because of rounding the sum may reach 1 before the last.
    kept = ((cumulative < top_p) | (top_p >= 1.0)) & (probabilities > 0) | (tf.range(size) == 0)
    threshold = tf.reduce_min(tf.where(kept, ordered, float("inf")), axis=-1, keepdims=True)
    return tf.where(logits >= threshold, logits, -float("inf"))


def probabilities(logits: tf.Tensor, recent: tf.Tensor, sampling: Sampling) -> tf.Tensor:
    """Compute the distribution that the next character is sampled from, at a temperature above 0.

    Args:
        logits: float32 `(batch, vocabulary_size)`.
        recent: int32 `(batch, history_size)`, see `GenerationState`.
        sampling: Penalty, temperature, top k and top p, which are applied in this order.

    Returns:
        float32 `(batch, vocabulary_size)`.
    """
    if sampling.repetition_penalty != 1.0:
        recent = recent[:, -sampling.repetition_window :]
        logits = apply_repetition_penalty(logits, recent, sampling.repetition_penalty)
    temperature = _column(tf.convert_to_tensor(sampling.temperature, tf.float32))
    # The maximum is shifted to 0, so that at a very low temperature logits overflow to -inf and never to +inf. The
    # inverse is multiplied: TensorFlow rewrites a division by a constant to that product, so a signature with a fixed
    # temperature and one with a variable temperature would otherwise differ in the last bit.
    logits = (logits - tf.reduce_max(logits, axis=-1, keepdims=True)) * (
        1.0 / tf.where(temperature > 0, temperature, 1.0)
    )
    top_k, top_p = tf.convert_to_tensor(sampling.top_k), tf.convert_to_tensor(sampling.top_p)
    # Sorting costs more than everything else, so it is skipped where all characters are kept.
    is_filtered = tf.reduce_any((top_k > 0) | (top_p < 1.0))
    logits = tf.cond(is_filtered, lambda: filter_top_k_top_p(logits, top_k, top_p), lambda: logits)
    return tf.nn.softmax(logits)


def _column(values: tf.Tensor) -> tf.Tensor:
    """Return values of the rows, `(batch,)`, as `(batch, 1)`; a single number, `()`, as it is."""
    return values[:, None] if values.shape.rank else values


def sample(probabilities: tf.Tensor, noise: tf.Tensor, temperature: tf.Tensor) -> tf.Tensor:
    """Sample ids by inverting the cumulative distribution.

    One random number decides each row, so a row's result does not depend on the rest of the batch.

    Args:
        probabilities: float32 `(batch, vocabulary_size)`.
        noise: float32 `(batch,)` in [0, 1).
        temperature: float32 `()` or `(batch,)`; at 0 the most probable id is returned.

    Returns:
        Ids, int32 `(batch,)`.
    """
    cumulative = tf.cumsum(probabilities, axis=-1)
    threshold = noise[:, None] * cumulative[:, -1:]
    sampled = tf.reduce_sum(tf.cast(cumulative <= threshold, tf.int32), axis=-1)
    return tf.where(temperature > 0, sampled, tf.argmax(probabilities, axis=-1, output_type=tf.int32))


def generate(
    step: Callable[[tf.Tensor, list[tf.Tensor]], list[tf.Tensor]],
    logits_of: Callable[[list[tf.Tensor]], tf.Tensor],
    state: GenerationState,
    noise: tf.Tensor,
    sampling: Sampling,
    lengths: tf.Tensor | None = None,
) -> tuple[tf.Tensor, GenerationState]:
    """Sample characters and feed them back to the network, in a loop in the graph.

    Args:
        step: Function of ids `(batch,)` and the network's states that returns the states after these ids.
        logits_of: Function of the network's states that returns the logits of the next character, float32
            `(batch, vocabulary_size)`.
        state: Where generation starts.
        noise: float32 `(batch, length)` in [0, 1), from `uniform_noise`; `length` is at least 1.
        sampling: How characters are sampled.
        lengths: int32 `(batch,)`, number of characters of each row, at most `length`; None if all have `length`.

    Returns:
        The ids, int32 `(batch, length)`, with NO_ID after the end of a row, and with fewer columns if all rows have
        ended; and the state after them.
    """
    temperature = tf.convert_to_tensor(sampling.temperature, tf.float32)
    length = tf.shape(noise)[1]
    columns = tf.transpose(noise)  # (length, batch)
    longest = max(map(len, sampling.stops), default=0)
    can_end = bool(sampling.stops) or lengths is not None
    # (stops, longest), aligned to the right; NO_ID matches any character.
    stops = tf.constant([[NO_ID] * (longest - len(stop)) + list(stop) for stop in sampling.stops], tf.int32)
    stop_lengths = tf.constant([len(stop) for stop in sampling.stops], tf.int32)

    def ends_with_stop(recent, generated):
        # bool (batch,). All characters of the stop must be generated; those of the prompt do not count.
        matches = (recent[:, None, -longest:] == stops) | (stops == NO_ID)  # (batch, stops, longest)
        return tf.reduce_any(tf.reduce_all(matches, axis=-1) & (stop_lengths <= generated[:, None]), axis=-1)

    def continues(time, finished, *_):
        return (time < length) & ((time == 0) | ~tf.reduce_all(finished)) if sampling.stops else time < length

    def sample_step(time, finished, ids, logits, recent, *states):
        new = sample(probabilities(logits, recent, sampling), columns[time], temperature)
        is_over = finished if lengths is None else finished | (time >= lengths)
        after = step(new, list(states)), tf.concat([recent[:, 1:], new[:, None]], axis=1)
        if lengths is not None:  # a row that is over keeps its state
            after = tf.nest.map_structure(
                lambda x, before: tf.where(is_over[:, None], before, x), after, (list(states), recent)
            )
        states, recent = after
        ids = ids.write(time, tf.where(is_over, NO_ID, new) if can_end else new)
        if sampling.stops:
            finished |= ~is_over & ends_with_stop(recent, state.generated + time + 1)
        return time + 1, finished, ids, logits_of(states), recent, *states

    ids = tf.TensorArray(tf.int32, size=length, element_shape=[None])
    loop_vars = (0, state.finished, ids, state.logits, state.recent, *state.states)
    time, finished, ids, logits, recent, *states = tf.while_loop(continues, sample_step, loop_vars)
    ids = ids.gather(tf.range(time))  # not `stack`: when all rows end early, the last elements are never written
    generated = state.generated + (time if lengths is None else tf.minimum(time, lengths))
    return tf.transpose(ids), GenerationState(logits, states, recent, generated, finished)
