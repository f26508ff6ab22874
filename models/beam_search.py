"""Search for the likeliest sequence: greedy and beam search, for a whole batch, in one loop inside the graph."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import tensorflow as tf


class Penalties(NamedTuple):
    """What scores are made of besides probabilities; see `SearchSettings`.

    Attributes:
      length: alpha of Wu et al. 2016; may be a tensor.
      coverage: beta of Wu et al. 2016.
      block_repeats: n of the n-grams that may not come twice; 0 blocks none.
      blocked: ids that are never written.
    """

    length: tf.Tensor | float = 1.0
    coverage: float = 0.0
    block_repeats: int = 0
    blocked: Sequence[int] = ()


class Found(NamedTuple):
    """What a search has found, the best first.

    Attributes:
      ids: int32 (batch, wanted, longest), 0 from the end on; the end itself is left out.
      scores: float32 (batch, wanted); -inf where fewer were found.
    """

    ids: tf.Tensor
    scores: tf.Tensor


def beam_search(
    advance: Callable,
    states: list[tf.Tensor],
    memory: Sequence[tf.Tensor] = (),
    *,
    beam_size: tf.Tensor | int,
    wanted: tf.Tensor | int,
    shortest: tf.Tensor,
    longest: tf.Tensor,
    attends_to: tf.Tensor | None = None,
    penalties: Penalties,
    begin: int,
    end: int,
) -> Found:
    """Follows the likeliest hypotheses of each sentence side by side.

    At each step every open hypothesis is continued by every id, and the likeliest continuations are kept, as many as
    the beam has places. One that ends takes its place with it: so a beam of 1 is greedy, and a beam as wide as the
    space finds the best of all. A sentence is done when no open hypothesis can come among the `wanted` best any more:
    scores of open ones can only fall, but for the length penalty, which is at its greatest for the longest. Sentences
    that are done leave the batch as soon as they are a quarter of it, so that the long ones do not make all wait.

    The score of a sequence Y of |Y| ids, its end among them, for the source X is ln p(Y | X) / lp(Y) + cp(X, Y), with
    lp = ((5 + |Y|) / 6) ** alpha and cp = beta * sum_i ln min(sum_j p_ij, 1), where p_ij is the attention to step i
    when id j was written (Wu et al. 2016, equation 14).

    Args:
      advance: ids int32 (batch, beam), states (batch, beam, size) and memory -> logits float32 (batch, beam,
        vocabulary_size), states, and attention (batch, beam, steps) or None.
      states: those to begin with, (batch, size) each.
      memory: what else `advance` needs to know of each sentence, (batch, ...) each.
      beam_size: hypotheses of each sentence.
      wanted: sequences to give, `beam_size` at the most.
      shortest, longest: int32 (batch,), ids of a sequence, its end not counted.
      attends_to: bool (batch, steps), False at the source's padding; needed with a coverage penalty.
      penalties: see there.
      begin, end: ids before the first and after the last.
    """
    batch = tf.shape(shortest)[0]
    most = tf.maximum(tf.reduce_max(longest), 0) + 1  # of no sentence at all the maximum is below 0
    alpha = tf.convert_to_tensor(penalties.length, tf.float32)

    def step(time, hypotheses: _Hypotheses, sentences: _Sentences) -> _Hypotheses:
        last, open_scores, ids, coverage, finished, finished_ids, states = hypotheses
        logits, states, attention = advance(last, states, sentences.memory)
        allowed = logits + _allowed(logits, time, sentences)
        if penalties.block_repeats:
            allowed += repeats(ids, time, penalties.block_repeats, logits.shape[-1])
        size = logits.shape[-1]
        before = open_scores - tf.reduce_logsumexp(logits, axis=-1)  # what is added to each logit of a hypothesis
        # In their order the candidates are the likeliest first; those without a place are dropped.
        totals, index = best(allowed, before, beam_size, divisor(size))
        parent, new = index // size, index % size
        free = tf.cast(beam_size, tf.int32) - tf.reduce_sum(tf.cast(finished > -float("inf"), tf.int32), axis=1)
        totals = tf.where(tf.range(beam_size) < free[:, None], totals, -float("inf"))
        ends = new == end

        states = [tf.gather(state, parent, batch_dims=1) for state in states]
        ids = tf.gather(ids, parent, batch_dims=1)
        if penalties.coverage:
            coverage = tf.gather(coverage + tf.cast(attention, tf.float32), parent, batch_dims=1)
        scores = totals / length_penalty(time + 1, alpha) + _coverage_penalty(coverage)
        finished, order = tf.math.top_k(tf.concat([finished, tf.where(ends, scores, -float("inf"))], axis=1), beam_size)
        finished_ids = tf.gather(tf.concat([finished_ids, ids], axis=1), order, batch_dims=1)
        ids = tf.where(tf.range(most) == time, new[..., None], ids)
        open_scores = tf.where(ends, -float("inf"), totals)
        done = tf.reduce_max(open_scores, axis=1) / sentences.bound <= finished[:, tf.cast(wanted, tf.int32) - 1]
        open_scores = tf.where(done[:, None], -float("inf"), open_scores)
        return _Hypotheses(new, open_scores, ids, coverage, finished, finished_ids, states)

    def _allowed(logits, time, sentences):
        """(batch, 1, vocabulary_size) of 0 and -inf: the end in its time alone, and nothing that is blocked."""
        ids = tf.range(logits.shape[-1])
        blocked = tf.reduce_any(ids[:, None] == tf.constant([0, begin, *penalties.blocked]), axis=1)
        is_end = ids == end
        too_soon = is_end & (time < sentences.shortest)[:, None]
        too_late = ~is_end & (time >= sentences.longest)[:, None]
        return tf.where(blocked | too_soon | too_late, -float("inf"), 0.0)[:, None]

    def _coverage_penalty(coverage):
        if not penalties.coverage:
            return 0.0
        return penalties.coverage * tf.reduce_sum(tf.math.log(tf.clip_by_value(coverage, 1e-9, 1.0)), axis=-1)

    def steps(time, hypotheses, sentences, found):
        """Steps until some sentences are done; these are left out from then on."""

        def goes_on(time, hypotheses):
            rows = tf.shape(hypotheses.scores)[0]
            return (4 * tf.size(_open(hypotheses)) > 3 * rows) & (time < most)

        time, hypotheses = tf.while_loop(
            goes_on,
            lambda time, hypotheses: (time + 1, step(time, hypotheses, sentences)),
            (time, hypotheses),
            shape_invariants=(tf.TensorShape([]), _any_rows(hypotheses)),
        )
        places = sentences.place[:, None]
        found = Found(
            tf.tensor_scatter_nd_update(found.ids, places, hypotheses.finished_ids),
            tf.tensor_scatter_nd_update(found.scores, places, hypotheses.finished),
        )
        rows = _open(hypotheses)
        hypotheses, sentences = tf.nest.map_structure(lambda x: tf.gather(x, rows), (hypotheses, sentences))
        return time, hypotheses, sentences, found

    nothing, empty = tf.fill([batch, beam_size], -float("inf")), tf.zeros([batch, beam_size, most], tf.int32)
    # Padding counts as covered, and so adds nothing.
    covered = 1.0 - tf.cast(attends_to, tf.float32) if penalties.coverage else tf.zeros([batch, 0])
    hypotheses = _Hypotheses(
        last=tf.fill([batch, beam_size], begin),
        scores=tf.where(tf.range(beam_size) == 0, 0.0, nothing),  # at first all hypotheses are one
        ids=empty,
        coverage=tf.repeat(covered[:, None], beam_size, axis=1),
        finished=nothing,
        finished_ids=empty,
        states=[tf.repeat(state[:, None], beam_size, axis=1) for state in states],
    )
    bound = length_penalty(longest + 1, alpha)
    sentences = _Sentences(tf.range(batch), shortest, longest, bound, list(memory))
    begun = (0, hypotheses, sentences, Found(empty, nothing))
    *_, found = tf.while_loop(
        lambda time, hypotheses, *_: (tf.shape(hypotheses.scores)[0] > 0) & (time < most),
        steps,
        begun,
        shape_invariants=(tf.TensorShape([]), *map(_any_rows, begun[1:])),
    )
    return Found(found.ids[:, :wanted], found.scores[:, :wanted])


class _Hypotheses(NamedTuple):
    """Where a search stands, of each sentence and each place in its beam.

    Attributes:
      last: int32 (batch, beam), the ids written last.
      scores: float32 (batch, beam), ln p of what is written; -inf where the hypothesis is not open.
      ids: int32 (batch, beam, longest), what is written.
      coverage: float32 (batch, beam, steps), attention so far; of no steps if nobody needs it.
      finished, finished_ids: scores and ids of the hypotheses that have ended, as in `Found`.
      states: (batch, beam, size) each.
    """

    last: tf.Tensor
    scores: tf.Tensor
    ids: tf.Tensor
    coverage: tf.Tensor
    finished: tf.Tensor
    finished_ids: tf.Tensor
    states: list[tf.Tensor]


class _Sentences(NamedTuple):
    """What a search knows of each sentence; see `beam_search`.

    Attributes:
      place: its row in the whole batch.
      bound: the length penalty of its longest sequence.
    """

    place: tf.Tensor
    shortest: tf.Tensor
    longest: tf.Tensor
    bound: tf.Tensor
    memory: list[tf.Tensor]


def _open(hypotheses: _Hypotheses) -> tf.Tensor:
    """int (sentences,): the rows of the sentences that have an open hypothesis."""
    return tf.where(tf.reduce_any(hypotheses.scores > -float("inf"), axis=1))[:, 0]


def _any_rows(structure):
    """Shapes for a loop: how many sentences there are changes, and how many hypotheses may be unknown to it."""
    unknown = lambda x: tf.TensorShape([None, None][: x.shape.rank]).concatenate(x.shape[2:])  # noqa: E731
    return tf.nest.map_structure(unknown, structure)


def divisor(size: int, most: int = 128) -> int:
    """The largest divisor of `size` that is not above `most`."""
    return next(number for number in range(most, 0, -1) if size % number == 0)


def best(scores: tf.Tensor, added: tf.Tensor, count, group: int) -> tuple[tf.Tensor, tf.Tensor]:
    """`tf.math.top_k` of `scores + added` over rows and columns together, the first of equals first.

    Quicker: the sum is made of the groups of neighbours with the best maxima alone, where the best must be.

    Args:
      scores: float (batch, rows, size).
      added: float (batch, rows).
      count: how many to give.
      group: of neighbours, a divisor of `size`.

    Returns: the best sums and their places among all rows * size, (batch, count) each.
    """
    shape = tf.shape(scores)
    apart = tf.reshape(scores, [shape[0], shape[1], shape[2] // group, group])
    flat = lambda x: tf.reshape(x, [shape[0], -1])  # noqa: E731
    maxima = flat(tf.reduce_max(apart, axis=-1) + added[..., None])  # (batch, groups of all rows)
    chosen = tf.math.top_k(maxima, tf.minimum(count, tf.shape(maxima)[1])).indices
    chosen = tf.sort(chosen, axis=-1)  # so that the first of equals stays the first
    inside = tf.gather(tf.reshape(apart, [shape[0], -1, group]), chosen, batch_dims=1)
    inside += tf.gather(added, chosen // (shape[2] // group), batch_dims=1)[..., None]
    values, places = tf.math.top_k(flat(inside), count)
    return values, tf.gather(chosen, places // group, batch_dims=1) * group + places % group


def length_penalty(length: tf.Tensor, alpha: tf.Tensor) -> tf.Tensor:
    """((5 + length) / 6) ** alpha (Wu et al. 2016, equation 14)."""
    return ((5.0 + tf.cast(length, tf.float32)) / 6.0) ** alpha


def repeats(ids: tf.Tensor, time: tf.Tensor, n: int, vocabulary_size: int) -> tf.Tensor:
    """(batch, beam, vocabulary_size) of 0 and -inf: the ids after which a run of n would stand there twice.

    Args:
      ids: int32 (batch, beam, longest), `time` of them written.
      n: length of the runs, 1 or more.
    """
    length = tf.shape(ids)[-1]
    # The n - 1 last ids, and at each place p the n - 1 ids before it: where they are the same, ids[p] would repeat.
    last = tf.gather(ids, tf.maximum(time - n + 1 + tf.range(n - 1), 0), axis=-1)  # (batch, beam, n - 1)
    places = tf.range(length)
    before = tf.gather(ids, tf.maximum(places[:, None] - n + 1 + tf.range(n - 1), 0), axis=-1)
    same = tf.reduce_all(before == last[:, :, None], axis=-1) & (places >= n - 1) & (places < time)
    # The id 0 is padding, which is never written: it stands for none.
    return _minus_infinity_at(tf.where(same, ids, 0), vocabulary_size)


def _minus_infinity_at(ids: tf.Tensor, vocabulary_size: int) -> tf.Tensor:
    """(batch, beam, vocabulary_size): -inf at each of ids (batch, beam, count), 0 elsewhere."""
    shape = tf.shape(ids)
    rows = tf.repeat(tf.range(shape[0] * shape[1]), shape[2])
    places = tf.stack([rows, tf.reshape(ids, [-1])], axis=1)
    counts = tf.scatter_nd(places, tf.ones_like(rows), [shape[0] * shape[1], vocabulary_size])
    return tf.reshape(tf.where(counts > 0, -float("inf"), 0.0), [shape[0], shape[1], vocabulary_size])
