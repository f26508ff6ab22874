"""From a network's probabilities to text: drawing characters, in a loop inside the graph."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import tensorflow as tf

NONE = -1  # in a row of ids: nothing stands here


class Sampling(NamedTuple):
    """How characters are drawn; see `SamplingSettings`. The first three may be tensors.

    Attributes:
      temperature, top_k, top_p: scalars.
      repetition_penalty, repetition_window: Python numbers.
      stops: ids of the texts after which writing ends.
    """

    temperature: tf.Tensor | float = 1.0
    top_k: tf.Tensor | int = 0
    top_p: tf.Tensor | float = 1.0
    repetition_penalty: float = 1.0
    repetition_window: int = 1
    stops: Sequence[Sequence[int]] = ()

    @property
    def memory(self) -> int:
        """How many characters back it looks."""
        penalty = self.repetition_window if self.repetition_penalty != 1.0 else 1
        return max([penalty, *map(len, self.stops)])


class Writing(NamedTuple):
    """Where a text stands that is being written.

    Attributes:
      logits: float32 (batch, vocabulary_size), of the next character.
      states: the network's, each (batch, units).
      recent: int32 (batch, Sampling.memory), the last characters, NONE where there are none.
      written: int32 (), characters written so far.
      finished: bool (batch,), whether a stop was met.
    """

    logits: tf.Tensor
    states: list[tf.Tensor]
    recent: tf.Tensor
    written: tf.Tensor
    finished: tf.Tensor


def uniforms(seeds: tf.Tensor, length: tf.Tensor) -> tf.Tensor:
    """float32 (batch, length) in [0, 1): a row depends on its own seed, int (batch,), alone."""
    # One row too many: map_fn cannot stack none.
    rows = tf.map_fn(
        lambda seed: tf.random.stateless_uniform([length], tf.stack([seed, 0])),
        tf.concat([tf.cast(seeds, tf.int64), [0]], axis=0),
        fn_output_signature=tf.TensorSpec([None], tf.float32),
    )
    return rows[:-1]


def penalized(logits: tf.Tensor, recent: tf.Tensor, penalty: float) -> tf.Tensor:
    """Makes recent characters less likely: l / penalty where l > 0, l * penalty elsewhere (Keskar et al. 2019).

    Args:
      logits: (batch, vocabulary_size).
      recent: int32 (batch, window), NONE where there is no character.
    """
    seen = tf.reduce_max(tf.one_hot(recent, logits.shape[-1]), axis=1) > 0  # NONE has no place in it
    return tf.where(seen, tf.where(logits > 0, logits / penalty, logits * penalty), logits)


def restricted(logits: tf.Tensor, top_k: tf.Tensor, top_p: tf.Tensor) -> tf.Tensor:
    """-inf for all but the characters to draw from.

    Args:
      logits: (batch, vocabulary_size).
      top_k: the k likeliest are kept (Fan et al. 2018), and what is as likely as the last of them; 0 keeps all.
      top_p: of these the likeliest that together reach probability p are kept (nucleus, Holtzman et al. 2020).
    """
    size = tf.shape(logits)[-1]
    ordered = tf.sort(logits, direction="DESCENDING")
    k = tf.where((top_k > 0) & (top_k < size), top_k, size)
    ordered = tf.where(tf.range(size) < k, ordered, -float("inf"))
    probabilities = tf.nn.softmax(ordered)
    before = tf.cumsum(probabilities, axis=-1, exclusive=True)
    # The first is always kept. With p = 1 all are: rounding may bring the sum to 1 before the last.
    kept = ((before < top_p) | (top_p >= 1.0)) & (probabilities > 0) | (tf.range(size) == 0)
    least = tf.reduce_min(tf.where(kept, ordered, float("inf")), axis=-1, keepdims=True)
    return tf.where(logits >= least, logits, -float("inf"))


def probabilities(logits: tf.Tensor, recent: tf.Tensor, sampling: Sampling) -> tf.Tensor:
    """(batch, vocabulary_size): what is drawn from, at a temperature above 0."""
    if sampling.repetition_penalty != 1.0:
        logits = penalized(logits, recent[:, -sampling.repetition_window :], sampling.repetition_penalty)
    temperature = tf.convert_to_tensor(sampling.temperature, tf.float32)
    # The highest becomes 0, so that the lowest temperature overflows to -inf alone. Multiplied, and not divided: a
    # constant divisor would be turned into a factor, and a signature with it would differ from one without in a bit.
    logits = (logits - tf.reduce_max(logits, axis=-1, keepdims=True)) * (
        1.0 / tf.where(temperature > 0, temperature, 1.0)
    )
    top_k, top_p = tf.convert_to_tensor(sampling.top_k), tf.convert_to_tensor(sampling.top_p)
    # Sorting costs more than all the rest, so it is left out where everything is kept.
    logits = tf.cond((top_k > 0) | (top_p < 1.0), lambda: restricted(logits, top_k, top_p), lambda: logits)
    return tf.nn.softmax(logits)


def drawn(probabilities: tf.Tensor, uniform: tf.Tensor, temperature: tf.Tensor) -> tf.Tensor:
    """int32 (batch,): the ids where the cumulated probabilities pass `uniform` (batch,); at temperature 0 the best.

    One number decides each draw, so a row's draw depends on nothing else in the batch.
    """
    cumulated = tf.cumsum(probabilities, axis=-1)
    threshold = uniform[:, None] * cumulated[:, -1:]
    passed = tf.reduce_sum(tf.cast(cumulated <= threshold, tf.int32), axis=-1)
    return tf.where(temperature > 0, passed, tf.argmax(probabilities, axis=-1, output_type=tf.int32))


def write(
    advance: Callable[[tf.Tensor, list[tf.Tensor]], list[tf.Tensor]],
    logits_of: Callable[[list[tf.Tensor]], tf.Tensor],
    writing: Writing,
    uniform: tf.Tensor,
    sampling: Sampling,
) -> tuple[tf.Tensor, Writing]:
    """Draws characters and feeds them back, as a loop in the graph.

    Args:
      advance: ids (batch,) and states -> the states after them.
      logits_of: states -> float32 (batch, vocabulary_size).
      writing: where the text stands.
      uniform: float32 (batch, length), what each draw is decided by; a column at least.
      sampling: how characters are drawn.

    Returns: ids, int32 (batch, length), NONE after a row's end, with fewer columns if all rows have ended; and where
      the text stands now.
    """
    temperature = tf.convert_to_tensor(sampling.temperature, tf.float32)
    length = tf.shape(uniform)[1]
    columns = tf.transpose(uniform)  # (length, batch)
    longest = max(map(len, sampling.stops), default=0)
    # Right-aligned, one row for each stop; NONE matches anything.
    stops = tf.constant([[NONE] * (longest - len(stop)) + list(stop) for stop in sampling.stops], tf.int32)
    stop_lengths = tf.constant([len(stop) for stop in sampling.stops], tf.int32)

    def stopped(recent, written):
        """bool (batch,): the text ends with a stop, all of it written and not given."""
        same = (recent[:, None, -longest:] == stops) | (stops == NONE)  # (batch, stops, longest)
        return tf.reduce_any(tf.reduce_all(same, axis=-1) & (stop_lengths <= written), axis=-1)

    def goes_on(time, finished, *_):
        return (time < length) & ((time == 0) | ~tf.reduce_all(finished)) if sampling.stops else time < length

    def step(time, finished, ids, logits, recent, *states):
        new = drawn(probabilities(logits, recent, sampling), columns[time], temperature)
        states = advance(new, list(states))
        if sampling.repetition_penalty != 1.0 or sampling.stops:
            recent = tf.concat([recent[:, 1:], new[:, None]], axis=1)
        ids = ids.write(time, tf.where(finished, NONE, new) if sampling.stops else new)
        if sampling.stops:
            finished |= stopped(recent, writing.written + time + 1)
        return time + 1, finished, ids, logits_of(states), recent, *states

    ids = tf.TensorArray(tf.int32, size=length, element_shape=[None])
    begin = (0, writing.finished, ids, writing.logits, writing.recent, *writing.states)
    time, finished, ids, logits, recent, *states = tf.while_loop(goes_on, step, begin)
    # Not `stack`: where all rows have ended early, the rest is never written.
    return tf.transpose(ids.gather(tf.range(time))), Writing(logits, states, recent, writing.written + time, finished)
