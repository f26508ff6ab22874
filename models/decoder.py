"""Decoder of the translator."""

import keras

from models.attention import Attention, Memory, attentional_hidden_state
from models.encoder import embed
from models.input_feeding import InputFeeding
from models.network import Network, settings_dict
from models.network_settings import TranslatorSettings
from models.recurrent import STATES, recurrent_layers, recurrent_stack
from models.recurrent_settings import RecurrentSettings


@keras.saving.register_keras_serializable("models")
class Decoder(Network):
    """Previous target ids and the encoder's outputs to the logits of the next ids (teacher forcing).

    The inputs are [target, *encoder outputs] (see `models.encoder.Encoder`), with target int32
    `(batch, target timesteps)`; the output is float32 `(batch, target timesteps, vocabulary_size)`.

    Args:
        settings: `TranslatorSettings`, or their fields.
        recurrent: `RecurrentSettings` of the encoder, or their fields; `settings.decoder` derives the decoder's.
        vocabulary_size: Number of target ids.

    Attributes:
        settings: `TranslatorSettings`.
        recurrent: `RecurrentSettings` of the encoder.
        vocabulary_size: Number of target ids.
        stack: `RecurrentSettings` of the decoder.
        embedding: The `keras.layers.Embedding`; with `tied_embeddings` a `keras.layers.ReversibleEmbedding`.
        recurrent_layers: List of recurrent layers, first to last.
        cells: List of their cells.
        attention: The `Attention`, or None.
        attentional: The `keras.layers.Dense` of the attentional hidden state, tanh(W [s; c]); None without attention.
        input_feeding: The `InputFeeding` layer that contains the three former ones; None without `input_feeding`.
        projection: Without attention, the `keras.layers.Dense` between the stack and a tied embedding of another size,
            else None.
        output_layer: The `keras.layers.Dense` that computes the logits; None with `tied_embeddings`.
    """

    def __init__(self, settings: TranslatorSettings | dict, recurrent: RecurrentSettings | dict, vocabulary_size: int):
        settings = TranslatorSettings.model_validate(settings)
        recurrent = RecurrentSettings.model_validate(recurrent)
        stack = settings.decoder(recurrent)
        target = keras.Input((None,), dtype="int32", name="target")
        memory = _memory_inputs(settings, recurrent, stack) if settings.attention else []
        states = [
            [keras.Input((stack.units,), name=f"{name}_{layer + 1}") for name in STATES[stack.cell]]
            for layer in range(stack.layers if settings.bridge else 0)
        ]
        flat_states = [state for layer in states for state in layer]
        embedding_class = keras.layers.ReversibleEmbedding if settings.tied_embeddings else keras.layers.Embedding
        embedding, x = embed(settings, embedding_class, vocabulary_size, target)
        attention_units = settings.attention_units or stack.units
        attentional_units = settings.embedding_size if settings.tied_embeddings else stack.units
        input_feeding, attention, attentional, projection, output_layer = None, None, None, None, None
        if settings.input_feeding:
            input_feeding = InputFeeding(
                settings_dict(stack, RecurrentSettings),
                attention=settings.attention,
                attention_units=attention_units,
                attentional_units=attentional_units,
                layer_dropout=settings.layer_dropout,
                residual=settings.residual,
                name="input_feeding",
            )
            x = input_feeding(x, *memory, *flat_states)
            layers, attention = input_feeding.recurrent_layers, input_feeding.attention
            attentional = input_feeding.attentional
        else:
            layers = recurrent_layers(stack)
            x = recurrent_stack(
                stack,
                x,
                initial_state=states or None,
                layer_dropout=settings.layer_dropout,
                residual=settings.residual,
                layers=layers,
            )  # (batch, target timesteps, units)
            if settings.attention:
                attention = Attention(settings.attention, attention_units, name="attention")
                attentional = keras.layers.Dense(attentional_units, activation="tanh", name="attentional")
                x, _ = attentional_hidden_state(attention, attentional, x, Memory(*memory))
            elif settings.tied_embeddings and attentional_units != stack.units:
                projection = keras.layers.Dense(attentional_units, activation="tanh", name="projection")
                x = projection(x)
        if settings.output_dropout:
            x = keras.layers.Dropout(settings.output_dropout, name="output_dropout")(x)
        if settings.tied_embeddings:
            logits = keras.ops.cast(embedding(x, reverse=True), "float32")
        else:
            # Logits are float32 also under a mixed precision policy: a softmax needs the range.
            output_layer = keras.layers.Dense(vocabulary_size, dtype="float32", name="logits")
            logits = output_layer(x)
        super().__init__([target, *memory, *flat_states], logits, name="decoder")
        self.settings, self.recurrent, self.vocabulary_size = settings, recurrent, vocabulary_size
        self.stack, self.embedding = stack, embedding
        self.recurrent_layers, self.input_feeding = layers, input_feeding
        self.attention, self.attentional = attention, attentional
        self.projection, self.output_layer = projection, output_layer

    @property
    def cells(self) -> list:
        """The cells of the recurrent layers, first to last."""
        return [layer.cell for layer in self.recurrent_layers]

    def arguments(self) -> dict:
        """Return the constructor's arguments."""
        return {
            "settings": settings_dict(self.settings, TranslatorSettings),
            "recurrent": settings_dict(self.recurrent, RecurrentSettings),
            "vocabulary_size": self.vocabulary_size,
        }


def _memory_inputs(settings: TranslatorSettings, recurrent: RecurrentSettings, stack: RecurrentSettings) -> list:
    """Return the symbolic inputs keys, values and mask."""
    encoder_size = settings.encoder_size(recurrent)
    key_size = encoder_size if settings.scores_by_dot else settings.attention_units or stack.units
    value_size = encoder_size + (settings.embedding_size if settings.attend_embeddings else 0)
    return [
        keras.Input((None, key_size), name="keys"),
        keras.Input((None, value_size), name="values"),
        keras.Input((None,), dtype="bool", name="mask"),
    ]
