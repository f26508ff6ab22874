"""Greedy and beam search for the most probable sequences of a batch, in one loop inside the graph."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import tensorflow as tf

from models.logits_processors import RequiredIds, repeated_ngram_mask, require_once


class Penalties(NamedTuple):
    """What scores depend on besides probabilities; see `SearchSettings`.

    Attributes:
        length: alpha of Wu et al. 2016, equation 14; a number, or float32 `(batch,)`.
        coverage: beta of Wu et al. 2016, equation 14.
        no_repeat_ngram_size: n of the n-grams that may not occur twice; 0 allows all.
        blocked_ids: Ids that are never generated.
    """

    length: tf.Tensor | float = 1.0
    coverage: float = 0.0
    no_repeat_ngram_size: int = 0
    blocked_ids: Sequence[int] = ()


class SearchResult(NamedTuple):
    """The sequences that a search returns, the best first.

    Attributes:
        ids: int32 `(batch, num_return_sequences, timesteps)`, without the EOS id, padded with 0.
        scores: float32 `(batch, num_return_sequences)`; -inf where fewer sequences were found.
    """

    ids: tf.Tensor
    scores: tf.Tensor


class _Hypotheses(NamedTuple):
    """State of a search, for each sentence and each position in its beam.

    Attributes:
        last: int32 `(batch, beam)`, the last id.
        scores: float32 `(batch, beam)`, ln p of the ids so far; -inf where the hypothesis is not alive.
        ids: int32 `(batch, beam, timesteps)`, the ids so far.
        coverage: float32 `(batch, beam, source timesteps)`, sum of the attention so far; zero timesteps if unused.
        finished_scores: float32 `(batch, beam)`, of the hypotheses that have ended, as in `SearchResult`.
        finished_ids: int32 `(batch, beam, timesteps)`, their ids.
        states: The decoder's states, `(batch, beam, size)` each.
    """

    last: tf.Tensor
    scores: tf.Tensor
    ids: tf.Tensor
    coverage: tf.Tensor
    finished_scores: tf.Tensor
    finished_ids: tf.Tensor
    states: list[tf.Tensor]


class _Sentences(NamedTuple):
    """What a search needs of each sentence that is not done; see `beam_search`.

    Attributes:
        row: int32 `(batch,)`, the sentence's row in the whole batch.
        min_length: int32 `(batch,)`.
        max_length: int32 `(batch,)`.
        max_penalty: float32 `(batch,)`, the length penalty of a sequence of the maximum length.
        alpha: float32 `(batch,)`, the exponent of the length penalty.
        beam_size: int32 `(batch,)`, number of hypotheses.
        last: int32 `(batch,)`, index of the last one of the sequences that are returned.
        required: bool `(batch, symbols)`.
        memory: Tensors for the decoder, `(batch, ...)` each.
    """

    row: tf.Tensor
    min_length: tf.Tensor
    max_length: tf.Tensor
    max_penalty: tf.Tensor
    alpha: tf.Tensor
    beam_size: tf.Tensor
    last: tf.Tensor
    required: tf.Tensor
    memory: list[tf.Tensor]


def beam_search(
    step: Callable,
    states: list[tf.Tensor],
    memory: Sequence[tf.Tensor] = (),
    *,
    beam_size: tf.Tensor | int,
    beam_sizes: tf.Tensor | None = None,
    num_return_sequences: tf.Tensor | int,
    min_length: tf.Tensor,
    max_length: tf.Tensor,
    source_mask: tf.Tensor | None = None,
    symbols: RequiredIds | None = None,
    penalties: Penalties,
    bos: int,
    eos: int,
) -> SearchResult:
    """Search for the sequences with the highest scores.

    Each step extends every alive hypothesis by every id and keeps the most probable extensions, as many as the beam
    has free positions. A hypothesis that ends keeps its position, so a beam of 1 is greedy search, and a beam as large
    as the number of possible sequences finds the best ones. A sentence is done when no alive hypothesis can become one
    of its `num_return_sequences` best: ln p of an alive hypothesis only decreases, and dividing it by the length
    penalty of the maximum length bounds its final score from above. When a quarter of the sentences in the loop are
    done, they leave it, so that long sentences do not slow down the others.

    The score of a sequence Y of |Y| ids, EOS included, for the source X is ln p(Y | X) / lp(Y) + cp(X, Y) with
    lp(Y) = ((5 + |Y|) / 6) ** alpha and cp(X, Y) = beta * sum_i ln min(sum_j p_ij, 1), where p_ij is the attention to
    source timestep i at target timestep j (Wu et al. 2016, equation 14).

    Args:
        step: Function of the last ids, int32 `(batch, beam)`, states `(batch, beam, size)` each, and `memory`, that
            returns logits, float32 `(batch, beam, vocabulary_size)`, the states after the step, and the attention
            weights, `(batch, beam, source timesteps)` or None.
        states: Initial states, `(batch, size)` each.
        memory: Further tensors that `step` needs for each sentence, `(batch, ...)` each.
        beam_size: Number of hypotheses per sentence.
        beam_sizes: int32 `(batch,)`, number of hypotheses, and of sequences to return, of each sentence, at most
            `beam_size`; None if all have `beam_size` hypotheses and `num_return_sequences` to return.
        num_return_sequences: Number of sequences to return per sentence, at most `beam_size`.
        min_length: int32 `(batch,)`, minimum number of ids of a sequence, EOS not included.
        max_length: int32 `(batch,)`, maximum number of ids of a sequence, EOS not included.
        source_mask: bool `(batch, source timesteps)`, False at padding; required with a coverage penalty.
        symbols: Ids that are generated exactly once or never, see `require_once`; None if there are none. The maximum
            length has precedence.
        penalties: Length and coverage penalty, and the ids that are not allowed.
        bos: Id before the first one.
        eos: Id after the last one.

    Returns:
        The best sequences of each sentence with their scores.
    """
    batch = tf.shape(min_length)[0]
    timesteps = tf.maximum(tf.reduce_max(max_length), 0) + 1  # the maximum of an empty batch is negative
    of_each = lambda value, dtype: tf.broadcast_to(tf.cast(value, dtype), [batch])  # noqa: E731
    alpha = tf.convert_to_tensor(penalties.length, tf.float32)
    sizes = of_each(beam_size if beam_sizes is None else beam_sizes, tf.int32)
    last = of_each(num_return_sequences if beam_sizes is None else beam_sizes, tf.int32) - 1

    def extend(time, hypotheses: _Hypotheses, sentences: _Sentences) -> _Hypotheses:
        last, alive_scores, ids, coverage, finished_scores, finished_ids, states = hypotheses
        logits, states, attention = step(last, states, sentences.memory)
        allowed = logits
        if symbols is not None:
            required = tf.ensure_shape(sentences.required, [None, symbols.required.shape[-1]])  # unknown in the loop
            of_sentences = symbols._replace(required=required)
            allowed = require_once(logits, ids, last, of_sentences, sentences.max_length - time, eos)
        allowed += _id_mask(logits, time, sentences)
        if penalties.no_repeat_ngram_size:
            allowed += repeated_ngram_mask(ids, time, penalties.no_repeat_ngram_size, logits.shape[-1])
        size = logits.shape[-1]
        # ln p of an extension is its logit plus this offset of its hypothesis.
        offsets = alive_scores - tf.reduce_logsumexp(logits, axis=-1)
        # The candidates are sorted by probability; those beyond the free positions are dropped.
        totals, index = grouped_top_k(allowed, offsets, beam_size, largest_divisor(size))
        parent, new = index // size, index % size
        finished_count = tf.reduce_sum(tf.cast(finished_scores > -float("inf"), tf.int32), axis=1)
        free = sentences.beam_size - finished_count
        totals = tf.where(tf.range(beam_size) < free[:, None], totals, -float("inf"))
        ends = new == eos

        states = [tf.gather(state, parent, batch_dims=1) for state in states]
        ids = tf.gather(ids, parent, batch_dims=1)
        if penalties.coverage:
            coverage = tf.gather(coverage + tf.cast(attention, tf.float32), parent, batch_dims=1)
        exponent = sentences.alpha[:, None] if alpha.shape.rank else alpha
        scores = totals / length_penalty(time + 1, exponent) + _coverage_penalty(coverage)
        finished_scores, order = tf.math.top_k(
            tf.concat([finished_scores, tf.where(ends, scores, -float("inf"))], axis=1), beam_size
        )
        finished_ids = tf.gather(tf.concat([finished_ids, ids], axis=1), order, batch_dims=1)
        ids = tf.where(tf.range(timesteps) == time, new[..., None], ids)
        alive_scores = tf.where(ends, -float("inf"), totals)
        worst_returned = tf.gather(finished_scores, sentences.last, batch_dims=1)
        done = tf.reduce_max(alive_scores, axis=1) / sentences.max_penalty <= worst_returned
        alive_scores = tf.where(done[:, None], -float("inf"), alive_scores)
        return _Hypotheses(new, alive_scores, ids, coverage, finished_scores, finished_ids, states)

    def _id_mask(logits, time, sentences):
        # (batch, 1, vocabulary_size), 0 or -inf: EOS outside the limits of length, and blocked ids.
        ids = tf.range(logits.shape[-1])
        blocked = tf.reduce_any(ids[:, None] == tf.constant([0, bos, *penalties.blocked_ids]), axis=1)
        is_eos = ids == eos
        too_short = is_eos & (time < sentences.min_length)[:, None]
        too_long = ~is_eos & (time >= sentences.max_length)[:, None]
        return tf.where(blocked | too_short | too_long, -float("inf"), 0.0)[:, None]

    def _coverage_penalty(coverage):
        if not penalties.coverage:
            return 0.0
        return penalties.coverage * tf.reduce_sum(tf.math.log(tf.clip_by_value(coverage, 1e-9, 1.0)), axis=-1)

    def extend_until_some_are_done(time, hypotheses, sentences, result):
        def continues(time, hypotheses):
            rows = tf.shape(hypotheses.scores)[0]
            return (4 * tf.size(_alive_rows(hypotheses)) > 3 * rows) & (time < timesteps)

        time, hypotheses = tf.while_loop(
            continues,
            lambda time, hypotheses: (time + 1, extend(time, hypotheses, sentences)),
            (time, hypotheses),
            shape_invariants=(tf.TensorShape([]), _any_rows(hypotheses)),
        )
        rows = sentences.row[:, None]
        result = SearchResult(
            tf.tensor_scatter_nd_update(result.ids, rows, hypotheses.finished_ids),
            tf.tensor_scatter_nd_update(result.scores, rows, hypotheses.finished_scores),
        )
        alive = _alive_rows(hypotheses)
        hypotheses, sentences = tf.nest.map_structure(lambda x: tf.gather(x, alive), (hypotheses, sentences))
        return time, hypotheses, sentences, result

    no_scores, no_ids = tf.fill([batch, beam_size], -float("inf")), tf.zeros([batch, beam_size, timesteps], tf.int32)
    # Padding counts as covered, so it adds nothing to the penalty.
    covered = 1.0 - tf.cast(source_mask, tf.float32) if penalties.coverage else tf.zeros([batch, 0])
    hypotheses = _Hypotheses(
        last=tf.fill([batch, beam_size], bos),
        scores=tf.where(tf.range(beam_size) == 0, 0.0, no_scores),  # at the start all hypotheses are the same
        ids=no_ids,
        coverage=tf.repeat(covered[:, None], beam_size, axis=1),
        finished_scores=no_scores,
        finished_ids=no_ids,
        states=[tf.repeat(state[:, None], beam_size, axis=1) for state in states],
    )
    max_penalty = length_penalty(max_length + 1, alpha)
    required = tf.zeros([batch, 0], tf.bool) if symbols is None else symbols.required
    limits = (min_length, max_length, max_penalty, of_each(alpha, tf.float32), sizes, last)
    sentences = _Sentences(tf.range(batch), *limits, required, list(memory))
    loop_vars = (0, hypotheses, sentences, SearchResult(no_ids, no_scores))
    *_, result = tf.while_loop(
        lambda time, hypotheses, *_: (tf.shape(hypotheses.scores)[0] > 0) & (time < timesteps),
        extend_until_some_are_done,
        loop_vars,
        shape_invariants=(tf.TensorShape([]), *map(_any_rows, loop_vars[1:])),
    )
    return SearchResult(result.ids[:, :num_return_sequences], result.scores[:, :num_return_sequences])


def _alive_rows(hypotheses: _Hypotheses) -> tf.Tensor:
    """Return the rows of the sentences with an alive hypothesis, int `(rows,)`."""
    return tf.where(tf.reduce_any(hypotheses.scores > -float("inf"), axis=1))[:, 0]


def _any_rows(structure):
    """Return the shape invariants of a loop in which the batch size changes and the beam size may be unknown."""
    shape = lambda x: tf.TensorShape([None, None][: x.shape.rank]).concatenate(x.shape[2:])  # noqa: E731
    return tf.nest.map_structure(shape, structure)


def largest_divisor(size: int, limit: int = 128) -> int:
    """Return the largest divisor of `size` that is at most `limit`."""
    return next(divisor for divisor in range(limit, 0, -1) if size % divisor == 0)


def grouped_top_k(scores: tf.Tensor, offsets: tf.Tensor, k, group: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Compute `tf.math.top_k` of `scores + offsets` over rows and columns together.

    As with `tf.math.top_k`, the lower index comes first among equal values. It is faster: the k best values lie in the
    k groups of neighboring columns with the largest maxima, so only these are sorted.

    Args:
        scores: float `(batch, rows, size)`.
        offsets: float `(batch, rows)`.
        k: Number of values to return.
        group: Number of columns in a group, a divisor of `size`.

    Returns:
        The largest sums and their indexes into rows * size, `(batch, k)` each.
    """
    shape = tf.shape(scores)
    groups = tf.reshape(scores, [shape[0], shape[1], shape[2] // group, group])
    flat = lambda x: tf.reshape(x, [shape[0], -1])  # noqa: E731
    maxima = flat(tf.reduce_max(groups, axis=-1) + offsets[..., None])  # (batch, groups of all rows)
    chosen = tf.math.top_k(maxima, tf.minimum(k, tf.shape(maxima)[1])).indices
    chosen = tf.sort(chosen, axis=-1)  # keeps the order among equal values
    sums = tf.gather(tf.reshape(groups, [shape[0], -1, group]), chosen, batch_dims=1)
    sums += tf.gather(offsets, chosen // (shape[2] // group), batch_dims=1)[..., None]
    values, indexes = tf.math.top_k(flat(sums), k)
    return values, tf.gather(chosen, indexes // group, batch_dims=1) * group + indexes % group


def length_penalty(length: tf.Tensor, alpha: tf.Tensor) -> tf.Tensor:
    """Return ((5 + length) / 6) ** alpha (Wu et al. 2016, equation 14)."""
    return ((5.0 + tf.cast(length, tf.float32)) / 6.0) ** alpha
