"""A sentence in, its translation and the attention weights out: part of an exported translator."""

import tensorflow as tf

from models.graph_methods import graph_method
from models.source_text import Sentences
from models.text import BOS, EOS, PAD
from models.text_translator import TextTranslator, with_end


class TextAligner(tf.Module):
    """Translation of sentences, with the attention that each target piece was predicted with.

    Args:
        translator: A translator whose network attends.
    """

    def __init__(self, translator: TextTranslator):
        super().__init__()
        self._translator = translator
        self._source_pieces = tf.constant(translator.source_pieces)
        self._target_pieces = tf.constant(translator.target_pieces)

    @graph_method(input_signature=[tf.TensorSpec([None], tf.string, name="text")])
    def align(self, text):
        """Translate sentences and return the attention weights.

        Args:
            text: string `(batch,)`.

        Returns:
            A dict of

            - `translation`: string `(batch,)`, as from `translate`;
            - `source_pieces`: string `(batch, source timesteps)`, with the piece `</s>` at the end, then empty;
            - `target_pieces`: string `(batch, target timesteps)`, with the piece `</s>` at the end, then empty;
            - `attention`: float32 `(batch, target timesteps, source timesteps)`, the weights with which each target
              piece was predicted; 0 at padding;
            - `source_length`, `target_length`: int32 `(batch,)`, number of pieces of each, `</s>` included. The rest
              is padding, up to the longest sentence of the batch, which may have sentences of other clients.

            A piece that is a symbol is the span that it stands for.
        """
        translator = self._translator
        settings = translator.settings
        sentences = translator.source.read(text)
        source_ids = with_end(sentences.pieces)
        memory, states = translator.network.initial_states(source_ids)
        result, is_empty = translator.search_ids(
            sentences, source_ids, memory, states, settings.beam_size, 1, settings.length_penalty
        )
        ids = tf.where(is_empty[:, None], PAD, result.ids[:, 0])
        length = tf.where(is_empty, -1, tf.reduce_sum(tf.cast(ids != PAD, tf.int32), axis=1))
        target_ids = tf.pad(ids, [[0, 0], [0, 1]], constant_values=PAD)
        target_ids = tf.where(tf.range(tf.shape(target_ids)[1]) == length[:, None], EOS, target_ids)
        source_mask = tf.cast(source_ids != PAD, tf.float32)
        target_mask = tf.cast(target_ids != PAD, tf.float32)
        attention = self._attention(target_ids, memory, states)
        translation = translator.source.restore(translator.texts(ids), sentences)
        return {
            "translation": tf.where(is_empty, translator.instead(text, sentences), translation),
            "source_pieces": self._shown(self._source_pieces, source_ids, sentences),
            "target_pieces": self._shown(self._target_pieces, target_ids, sentences),
            "attention": attention * target_mask[:, :, None] * source_mask[:, None],
            "source_length": tf.cast(tf.reduce_sum(source_mask, axis=1), tf.int32),
            "target_length": tf.cast(tf.reduce_sum(target_mask, axis=1), tf.int32),
        }

    def _shown(self, vocabulary, ids, sentences: Sentences):
        """Return pieces of a vocabulary, string `(batch, timesteps)`, with the spans for symbols and "" for padding."""
        placeholders = self._translator.source.placeholders
        pieces = tf.gather(vocabulary, ids)
        if placeholders is not None:
            pieces = placeholders.restore_pieces(pieces, ids, sentences.spans)
        return tf.where(ids == PAD, "", pieces)

    def _attention(self, target_ids, memory, states):
        """Run the decoder over given ids.

        Args:
            target_ids: int32 `(batch, target timesteps)`.
            memory: Of the source sentences.
            states: Initial states of the decoder.

        Returns:
            Attention weights, float32 `(batch, target timesteps, source timesteps)`.
        """
        inputs = tf.concat([tf.fill([tf.shape(target_ids)[0], 1], BOS), target_ids[:, :-1]], axis=1)

        def step(time, attention, *states):
            _, states, weights = self._translator.network.decode_step(inputs[:, time][:, None], list(states), memory)
            return time + 1, attention.write(time, tf.cast(weights[:, 0], tf.float32)), *states

        timesteps = tf.shape(target_ids)[1]
        attention = tf.TensorArray(tf.float32, timesteps, element_shape=[None, None])
        loop_vars = (0, attention, *[state[:, None] for state in states])
        _, attention, *_ = tf.while_loop(lambda time, *_: time < timesteps, step, loop_vars)
        return tf.transpose(attention.stack(), [1, 0, 2])
