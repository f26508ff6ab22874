"""A sentence in, a sentence out, in one graph: what is exported, and what translates."""

import tensorflow as tf

from models.beam_search import Found, Penalties, beam_search
from models.network_settings import SearchSettings
from models.text import BEGIN, END, PAD, UNKNOWN, SentencePieceText, vocabulary
from models.translator import Memory, StepTranslator

# Pieces that any translation may have beyond its share, so that short sentences are not cut.
SPARE_PIECES = 10


class TextTranslator(tf.Module):
    """Text <-> ids around a `StepTranslator`, and the search.

    Args:
      network: the network.
      source, target: the serialized SentencePiece models.
      settings: of the search.
    """

    def __init__(self, network: StepTranslator, source: bytes, target: bytes, settings: SearchSettings):
        super().__init__()
        self.network, self.settings = network, settings
        most = network.settings.max_tokens
        self.source, self.target = SentencePieceText(source, most), SentencePieceText(target, most)
        self._source_pieces = tf.constant(vocabulary(source))
        self._target_pieces = tf.constant(vocabulary(target))
        self._constants = {
            "coverage": settings.coverage_penalty if network.attends else 0.0,
            "block_repeats": settings.block_repeats,
            "blocked": (UNKNOWN,) if settings.block_unknown else (),
        }

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="text")])
    def translate(self, text):
        """Sentences, string (batch,) -> a dict of

        - translation: string (batch,), empty for an empty sentence;
        - score: float32 (batch,), see `beam_search`.
        """
        chosen = self.settings
        found, empty = self._search(text, chosen.beam_size, 1, chosen.length_penalty)
        return {
            "translation": tf.where(empty, "", self._texts(found.ids[:, 0])),
            "score": tf.where(empty, 0.0, found.scores[:, 0]),
        }

    @tf.function(
        input_signature=[
            tf.TensorSpec([None], tf.string, name="text"),
            tf.TensorSpec([], tf.int32, name="beam_size"),
            tf.TensorSpec([], tf.float32, name="length_penalty"),
        ]
    )
    def beam(self, text, beam_size, length_penalty):
        """As `translate`, with a search of the caller's -> a dict of

        - translations: string (batch, beam_size), the best first;
        - scores: float32 (batch, beam_size), -inf (and no text) where fewer were found.
        """
        tf.debugging.assert_positive(beam_size, "beam_size is 1 or more")
        tf.debugging.assert_less_equal(
            beam_size, self.network.target_size, "beam_size is at most the number of pieces of the target's vocabulary"
        )
        tf.debugging.assert_non_negative(length_penalty, "length_penalty is 0 or more")
        found, empty = self._search(text, beam_size, beam_size, length_penalty)
        shape = tf.shape(found.scores)
        texts = tf.reshape(self._texts(tf.reshape(found.ids, [-1, tf.shape(found.ids)[-1]])), shape)
        first = tf.range(beam_size) == 0
        scores = tf.where(empty[:, None], tf.where(first, 0.0, -float("inf")), found.scores)
        return {
            "translations": tf.where(empty[:, None] | tf.math.is_inf(scores), "", texts),
            "scores": scores,
        }

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="text")])
    def align(self, text):
        """Sentences, string (batch,) -> a dict of

        - translation: string (batch,), that of `translate`;
        - source_pieces: string (batch, steps) and target_pieces: string (batch, target steps), empty after the end,
          which is the piece </s>;
        - attention: float32 (batch, target steps, steps), the attention's weights as each piece was written.
        """
        ids = self._source_ids(text)
        memory, states = self.network.begin(ids)
        chosen = self.settings
        found, empty = self._found(ids, memory, states, chosen.beam_size, 1, chosen.length_penalty)
        written = tf.where(empty[:, None], PAD, found.ids[:, 0])
        length = tf.where(empty, -1, tf.reduce_sum(tf.cast(written != PAD, tf.int32), axis=1))
        ended = tf.pad(written, [[0, 0], [0, 1]], constant_values=PAD)
        ended = tf.where(tf.range(tf.shape(ended)[1]) == length[:, None], END, ended)
        there = tf.cast(ids != PAD, tf.float32)
        attention = self._attention(ended, memory, states)
        return {
            "translation": tf.where(empty, "", self._texts(written)),
            "source_pieces": tf.where(ids == PAD, "", tf.gather(self._source_pieces, ids)),
            "target_pieces": tf.where(ended == PAD, "", tf.gather(self._target_pieces, ended)),
            "attention": attention * tf.cast(ended != PAD, tf.float32)[:, :, None] * there[:, None],
        }

    @tf.function(
        input_signature=[
            tf.TensorSpec([None], tf.string, name="text"),
            tf.TensorSpec([None], tf.string, name="translation"),
        ]
    )
    def score(self, text, translation):
        """Sentences and translations of them, string (batch,) each -> a dict of

        - log_probability: float32 (batch,), ln p(translation | text), its end included;
        - pieces: int32 (batch,), pieces of the translation, its end included.
        """
        pieces = self.target.pieces(translation)
        edge = lambda id: tf.fill([tf.size(text), 1], id)  # noqa: E731
        written = tf.concat([pieces, edge(END)], axis=1).to_tensor(PAD)
        before = tf.concat([edge(BEGIN), pieces], axis=1).to_tensor(PAD)
        logits = self.network.model([self._source_ids(text), before], training=False)
        nats = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=written, logits=logits)
        there = written != PAD
        return {
            "log_probability": -tf.reduce_sum(tf.where(there, nats, 0.0), axis=1),
            "pieces": tf.reduce_sum(tf.cast(there, tf.int32), axis=1),
        }

    # --- the parts

    def _source_ids(self, text):
        """string (batch,) -> int32 (batch, steps), END after each sentence."""
        pieces = self.source.pieces(text)
        ended = tf.concat([pieces, tf.fill([tf.size(text), 1], END)], axis=1)
        # A recurrent layer needs a step, even where there is no sentence.
        steps = tf.maximum(ended.bounding_shape(axis=1), 1)
        return tf.ensure_shape(ended.to_tensor(PAD, shape=tf.stack([-1, steps])), (None, None))

    def _search(self, text, beam_size, wanted, length_penalty) -> tuple[Found, tf.Tensor]:
        ids = self._source_ids(text)
        return self._found(ids, *self.network.begin(ids), beam_size, wanted, length_penalty)

    def _found(self, ids, memory, states, beam_size, wanted, length_penalty) -> tuple[Found, tf.Tensor]:
        """What is found for source ids; and bool (batch,), whether a sentence has no piece at all."""
        chosen = self.settings
        pieces = tf.reduce_sum(tf.cast(ids != PAD, tf.int32), axis=1) - 1
        share = lambda ratio: tf.cast(tf.math.ceil(tf.cast(pieces, tf.float32) * ratio), tf.int32)  # noqa: E731
        longest = share(chosen.max_length_ratio) + SPARE_PIECES
        empty = pieces == 0
        found = beam_search(
            lambda ids, states, memory: self.network.advance(ids, states, Memory(*memory)),
            states,
            [part for part in memory if part is not None],
            beam_size=beam_size,
            wanted=wanted,
            shortest=tf.minimum(share(chosen.min_length_ratio), longest),
            longest=tf.where(empty, 0, longest),
            attends_to=memory.there,
            penalties=Penalties(length=length_penalty, **self._constants),
            begin=BEGIN,
            end=END,
        )
        return found, empty

    def _texts(self, ids):
        """int32 (rows, longest), PAD from the end on -> string (rows,)."""
        return self.target.text(tf.ragged.boolean_mask(ids, ids != PAD))

    def _attention(self, ids, memory, states):
        """float32 (batch, target steps, steps): the weights as the decoder writes ids (batch, target steps)."""
        before = tf.concat([tf.fill([tf.shape(ids)[0], 1], BEGIN), ids[:, :-1]], axis=1)

        def step(time, weights, *states):
            _, states, found = self.network.advance(before[:, time][:, None], list(states), memory)
            return time + 1, weights.write(time, tf.cast(found[:, 0], tf.float32)), *states

        steps = tf.shape(ids)[1]
        begun = (0, tf.TensorArray(tf.float32, steps, element_shape=[None, None]), *[s[:, None] for s in states])
        _, weights, *_ = tf.while_loop(lambda time, *_: time < steps, step, begun)
        return tf.transpose(weights.stack(), [1, 0, 2])
