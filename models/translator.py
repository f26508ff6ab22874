"""Sequence-to-sequence network, used in two ways with one set of weights.

- `Translator`: the Keras model that is trained and saved, for whole sentences (teacher forcing).
- `StepTranslator`: the encoder once, then one decoder step at a time for any number of hypotheses; a search is a loop
  over it.
"""

import keras
import tensorflow as tf

from models.attention import Memory, attentional_hidden_state
from models.decoder import Decoder
from models.encoder import Encoder
from models.network import Network, TrainingModel, settings_dict
from models.network_settings import TranslatorSettings
from models.recurrent import STATES, stack_step
from models.recurrent_settings import RecurrentSettings


@keras.saving.register_keras_serializable("models")
class Translator(Network):
    """Encoder and decoder.

    The inputs are [source, target]: source int32 `(batch, timesteps)`, padded on the right with 0; target int32
    `(batch, target timesteps)`, at each timestep the previous id. The output is float32 logits
    `(batch, target timesteps, target_size)`.

    Args:
        settings: `TranslatorSettings`, or their fields.
        recurrent: `RecurrentSettings` of the encoder, or their fields; `settings.decoder` derives the decoder's.
        source_size: Number of source ids.
        target_size: Number of target ids.

    Attributes:
        settings: `TranslatorSettings`.
        recurrent: `RecurrentSettings` of the encoder.
        encoder: The `Encoder`.
        decoder: The `Decoder`.

    Raises:
        ValueError: If `recurrent` has an option that a translator cannot use, or that contradicts the settings.
    """

    def __init__(
        self,
        settings: TranslatorSettings | dict,
        recurrent: RecurrentSettings | dict,
        source_size: int,
        target_size: int,
    ):
        settings = TranslatorSettings.model_validate(settings)
        recurrent = RecurrentSettings.model_validate(recurrent)
        settings.check_recurrent(recurrent)
        encoder = Encoder(settings, recurrent, source_size)
        decoder = Decoder(settings, recurrent, target_size)
        source = keras.Input((None,), dtype="int32", name="source")
        target = keras.Input((None,), dtype="int32", name="target")
        super().__init__([source, target], decoder([target, *encoder(source)]), name="translator")
        self.settings, self.recurrent = settings, recurrent
        self.encoder, self.decoder = encoder, decoder

    def arguments(self) -> dict:
        """Return the constructor's arguments."""
        return {
            "settings": settings_dict(self.settings, TranslatorSettings),
            "recurrent": settings_dict(self.recurrent, RecurrentSettings),
            "source_size": self.encoder.vocabulary_size,
            "target_size": self.decoder.vocabulary_size,
        }

    def training_model(self) -> TrainingModel:
        """Return a model with the same inputs, outputs and weights, to be compiled and trained.

        A saved `Translator` then contains no optimizer and has a quarter of the size.
        """
        return TrainingModel(self, self.inputs, self.outputs, name="translator_training")


def build_translator(
    settings: TranslatorSettings, recurrent: RecurrentSettings, source_size: int, target_size: int
) -> Translator:
    """Build an untrained translator.

    Args:
        settings: Settings of the network.
        recurrent: Settings of the encoder's stack; `settings.decoder` derives the decoder's.
        source_size: Number of source ids.
        target_size: Number of target ids.

    Returns:
        The network.

    Raises:
        ValueError: If `recurrent` has an option that a translator cannot use, or that contradicts the settings.

    Example:
        >>> settings = TranslatorSettings(embedding_size=16)
        >>> recurrent = RecurrentSettings(units=8, return_sequences=True)
        >>> model = build_translator(settings, recurrent, source_size=60, target_size=50)
        >>> source, target = tf.constant([[5, 9, 3]]), tf.constant([[2, 7]])
        >>> model([source, target]).shape  # batch, target timesteps, target_size
        TensorShape([1, 2, 50])
    """
    return Translator(settings, recurrent, source_size, target_size)


class StepTranslator(tf.Module):
    """A translator that decodes one target id at a time, for several hypotheses of each sentence.

    The hypotheses of a sentence are queries to the same memory, which therefore is neither copied nor reordered.

    Args:
        model: The translator, whose weights are shared.

    Attributes:
        model: The translator.
        settings: `TranslatorSettings`.
        attends: Whether the decoder has attention.
        target_size: Number of target ids.
        dtype: Dtype of the states.
    """

    def __init__(self, model: Translator):
        super().__init__()
        self.model, self.settings = model, model.settings
        self.attends = model.decoder.attention is not None
        self.target_size = model.decoder.vocabulary_size
        self.cells = model.decoder.cells
        self.dtype = tf.as_dtype(self.cells[0].compute_dtype)

    def initial_states(self, source: tf.Tensor) -> tuple[Memory, list[tf.Tensor]]:
        """Encode source sentences.

        Args:
            source: Int32 `(batch, timesteps)`, padded on the right with 0.

        Returns:
            The memory, and the decoder's initial states `(batch, size)`. With input feeding the last one is the
            attentional hidden state, zeros.
        """
        encoder, decoder = self.model.encoder, self.model.decoder
        memory, states = encoder.split_outputs(encoder(source, training=False))
        batch = tf.shape(source)[0]
        if not self.settings.bridge:
            count = len(STATES[decoder.stack.cell]) * decoder.stack.layers
            states = [tf.zeros([batch, decoder.stack.units], self.dtype) for _ in range(count)]
        if decoder.input_feeding is not None:
            states = [*states, tf.zeros([batch, decoder.attentional.units], self.dtype)]
        return memory, states

    def decode_step(self, ids: tf.Tensor, states: list[tf.Tensor], memory: Memory):
        """Compute one decoder step of every hypothesis.

        Args:
            ids: Int32 `(batch, hypotheses)`, the previous ids.
            states: `(batch, hypotheses, size)` each.
            memory: The memory of the batch.

        Returns:
            The logits, float32 `(batch, hypotheses, target_size)`; the states after the step; and the weights of the
            attention, `(batch, hypotheses, timesteps)`, None without attention.
        """
        decoder, shape = self.model.decoder, tf.shape(ids)
        rows = [tf.reshape(state, [-1, state.shape[-1]]) for state in states]
        by_sentence = lambda x: tf.reshape(x, tf.concat([shape, [x.shape[-1]]], axis=0))  # noqa: E731
        x = tf.reshape(decoder.embedding(ids), [-1, decoder.embedding.output_dim])
        if decoder.input_feeding is not None:
            *rows, fed = rows
            x = tf.concat([x, fed], axis=-1)
        output, rows = stack_step(self.cells, x, rows, residual=self.settings.residual)
        new_states, output, weights = [by_sentence(state) for state in rows], by_sentence(output), None
        if self.attends:
            output, weights = attentional_hidden_state(decoder.attention, decoder.attentional, output, memory)
        elif decoder.projection is not None:
            output = decoder.projection(output)
        if decoder.input_feeding is not None:
            new_states.append(output)
        tied = decoder.output_layer is None
        logits = decoder.embedding(output, reverse=True) if tied else decoder.output_layer(output)
        return tf.cast(logits, tf.float32), new_states, weights
