"""Sequence to sequence: encoder, attention and decoder, in two views of one set of weights.

- `build_translator`: the Keras model that is trained and kept, on whole sentences (teacher forcing).
- `StepTranslator`: the encoder once, then a step of the decoder at a time for any number of hypotheses; a search is a
  loop over it.
"""

from typing import NamedTuple

import keras
import tensorflow as tf

from models import keras_objects
from models.attention import Attention, key_projection
from models.network_settings import TranslatorSettings
from models.recurrent import (
    STATES,
    NotPadding,
    recurrent_layers,
    recurrent_stack,
    reverse_time,
    stack_step,
)
from models.recurrent_settings import RecurrentSettings


def build_translator(
    settings: TranslatorSettings, recurrent: RecurrentSettings, source_size: int, target_size: int
) -> keras.Model:
    """Builds encoder and decoder.

    Args:
      settings: of embeddings, attention and dropouts.
      recurrent: of the encoder's stack; `settings.decoder` makes the decoder's of it.
      source_size, target_size: numbers of ids of the two vocabularies.

    Returns:
      A model from [source, target] to logits: source int32 (batch, steps), padded on the right with 0; target int32
      (batch, target steps), what has been written before each step; logits float32 (batch, target steps, target_size).
      Its layers `encoder` and `decoder` are models too, see `build_encoder` and `build_decoder`.
    """
    settings.check_recurrent(recurrent)
    encoder = build_encoder(settings, recurrent, source_size)
    decoder = build_decoder(settings, recurrent, target_size)
    source = keras.Input((None,), dtype="int32", name="source")
    target = keras.Input((None,), dtype="int32", name="target")
    return keras.Model([source, target], decoder([target, *encoder(source)]), name="translator")


def build_encoder(settings: TranslatorSettings, recurrent: RecurrentSettings, vocabulary_size: int) -> keras.Model:
    """Source ids -> what attention reads, if there is any, and the states that the decoder begins with.

    Returns: a model from int32 (batch, steps) to [keys (batch, steps, key size), values (batch, steps, value size),
      there (batch, steps), *states], and without attention to [*states]: (batch, decoder units), none without a bridge.
    """
    decoder = settings.decoder(recurrent)
    source = keras.Input((None,), dtype="int32", name="source")
    mask = NotPadding(name="mask")(source)
    embedded = _embedded(settings, keras.layers.Embedding, vocabulary_size, source)[0]
    stack = recurrent.model_copy(update={"return_sequences": settings.attention is not None, "return_state": True})
    output, states = recurrent_stack(
        stack,
        embedded,
        mask=mask,
        layer_dropout=settings.layer_dropout,
        residual=settings.residual,
        layers=recurrent_layers(stack),
    )
    memory = []
    if settings.attention:
        if recurrent.go_backwards:  # Keras gives the last step first; the mask and the pieces run the other way
            output = reverse_time(output)
        project = key_projection(
            settings.attention, settings.attention_score, settings.attention_units or decoder.units
        )
        keys = output if project is None else project(output)
        values = keras.ops.concatenate([output, embedded], axis=-1) if settings.attend_embeddings else output
        memory = [keys, values, mask]
    return keras.Model(source, [*memory, *_bridge(settings, recurrent.cell, decoder, states)], name="encoder")


def _embedded(settings: TranslatorSettings, layer_class, vocabulary_size: int, ids):
    """The pieces' vectors after dropout, and the layer that they come from."""
    embedding = layer_class(
        vocabulary_size,
        settings.embedding_size,
        embeddings_initializer=keras_objects.build("initializer", settings.embedding_initializer),
        name="embedding",
    )
    x = embedding(ids)
    if settings.embedding_dropout:
        x = keras.layers.SpatialDropout1D(settings.embedding_dropout, name="embedding_dropout")(x)
    return x, embedding


def _bridge(settings: TranslatorSettings, cell: str, decoder: RecurrentSettings, states: list[list]) -> list:
    """The encoder's last states -> those that the decoder begins with.

    The decoder's last layer begins with the encoder's last, the one below with the one below, and where there is none
    with the encoder's first; with h where the encoder has no c. Both directions are put side by side.
    """
    begun = []
    for layer in range(decoder.layers if settings.bridge else 0):
        found = states[max(0, len(states) - decoder.layers + layer)]
        names = STATES[cell]
        for name in STATES[decoder.cell]:
            place = names.index(name) if name in names else 0
            parts = found[place :: len(names)]
            state = keras.ops.concatenate(parts, axis=-1) if len(parts) > 1 else parts[0]
            if settings.bridge == "dense":
                state = keras.layers.Dense(decoder.units, activation="tanh", name=f"bridge_{name}_{layer + 1}")(state)
            begun.append(state)
    return begun


def build_decoder(settings: TranslatorSettings, recurrent: RecurrentSettings, vocabulary_size: int) -> keras.Model:
    """[target ids, *what the encoder gives] -> float32 logits (batch, target steps, vocabulary_size)."""
    decoder = settings.decoder(recurrent)
    target = keras.Input((None,), dtype="int32", name="target")
    memory = []
    if settings.attention:
        encoder_size = settings.encoder_size(recurrent)
        key_size = encoder_size if settings.scores_by_dot else settings.attention_units or decoder.units
        value_size = encoder_size + (settings.embedding_size if settings.attend_embeddings else 0)
        memory = [
            keras.Input((None, key_size), name="keys"),
            keras.Input((None, value_size), name="values"),
            keras.Input((None,), dtype="bool", name="there"),
        ]
    states = [
        [keras.Input((decoder.units,), name=f"{name}_{layer + 1}") for name in STATES[decoder.cell]]
        for layer in range(decoder.layers if settings.bridge else 0)
    ]
    flat = [state for layer in states for state in layer]
    embedding_layer = keras.layers.ReversibleEmbedding if settings.tied_embeddings else keras.layers.Embedding
    x, embedding = _embedded(settings, embedding_layer, vocabulary_size, target)
    readout_units = settings.embedding_size if settings.tied_embeddings else decoder.units
    if settings.input_feeding:
        x = InputFeeding(
            decoder.model_dump(),
            attention=settings.attention,
            attention_units=settings.attention_units or decoder.units,
            readout_units=readout_units,
            layer_dropout=settings.layer_dropout,
            residual=settings.residual,
            name="input_feeding",
        )(x, *memory, *flat)
    else:
        x = recurrent_stack(
            decoder,
            x,
            initial_state=states or None,
            layer_dropout=settings.layer_dropout,
            residual=settings.residual,
            layers=recurrent_layers(decoder),
        )  # (batch, target steps, units)
        if settings.attention:
            # tanh(W [s; c]): Luong et al. 2015, equation 5.
            attention = Attention(settings.attention, settings.attention_units or decoder.units, name="attention")
            readout = keras.layers.Dense(readout_units, activation="tanh", name="readout")
            x, _ = attended(attention, readout, x, *memory)
        elif settings.tied_embeddings and readout_units != decoder.units:
            x = keras.layers.Dense(readout_units, activation="tanh", name="readout")(x)
    if settings.output_dropout:
        x = keras.layers.Dropout(settings.output_dropout, name="output_dropout")(x)
    if settings.tied_embeddings:
        logits = keras.ops.cast(embedding(x, reverse=True), "float32")
    else:
        # Logits stay float32 under a mixed precision policy: a softmax needs the range.
        logits = keras.layers.Dense(vocabulary_size, dtype="float32", name="logits")(x)
    return keras.Model([target, *memory, *flat], logits, name="decoder")


@keras.saving.register_keras_serializable("models")
class InputFeeding(keras.layers.Layer):
    """A decoder whose every step also reads what attention made of the step before (Luong et al. 2015, section 3.3).

    So attention stands inside the loop over the steps, and no longer after it.

    Args:
      recurrent: the fields of the decoder's RecurrentSettings.
      attention, attention_units: see `Attention`.
      readout_units: size of tanh(W [s; c]), which is what is fed.
      layer_dropout: share of a layer's output dropped on its way to the next, the same values at each step.
      residual: each layer but the first adds its output to its input.
    """

    def __init__(
        self,
        recurrent: dict,
        attention: str,
        attention_units: int,
        readout_units: int,
        layer_dropout: float = 0.0,
        residual: bool = False,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.settings = {
            "recurrent": recurrent,
            "attention": attention,
            "attention_units": attention_units,
            "readout_units": readout_units,
            "layer_dropout": layer_dropout,
            "residual": residual,
        }
        chosen = RecurrentSettings(**recurrent)
        self.state_count = len(STATES[chosen.cell]) * chosen.layers
        self.layers = recurrent_layers(chosen, dtype=self.dtype_policy)
        self.attention = Attention(attention, attention_units, dtype=self.dtype_policy, name="attention")
        self.readout = keras.layers.Dense(readout_units, activation="tanh", dtype=self.dtype_policy, name="readout")
        self.layer_dropout = keras.layers.Dropout(layer_dropout, dtype=self.dtype_policy)
        self.units = chosen.units

    @property
    def cells(self) -> list:
        return [layer.cell for layer in self.layers]

    def build(self, embedded_shape, keys_shape, values_shape, there_shape, *state_shapes):
        size = embedded_shape[-1] + self.settings["readout_units"]
        for layer in self.layers:
            layer.build((None, None, size))
            size = self.units
        self.attention.build((None, None, self.units), keys_shape, values_shape, there_shape)
        self.readout.build((None, None, self.units + values_shape[-1]))

    def compute_output_shape(self, embedded_shape, *others):
        return (*embedded_shape[:-1], self.settings["readout_units"])

    def call(self, embedded, keys, values, there, *states, training=False):
        """Writes whole sentences.

        Args:
          embedded: (batch, target steps, embedding_size).
          keys, values, there: see `Attention.call`.
          states: (batch, units) each; zeros if there are none.

        Returns: (batch, target steps, readout_units).
        """
        batch = tf.shape(embedded)[0]
        zeros = lambda units: tf.zeros([batch, units], embedded.dtype)  # noqa: E731
        states = list(states) or [zeros(self.units) for _ in range(self.state_count)]
        begun = zeros(self.settings["readout_units"])
        inputs = tf.transpose(embedded, [1, 0, 2])
        masks = [self.layer_dropout(tf.ones_like(states[0]), training=training) for _ in self.layers[1:]]
        if training:
            # A cell makes its masks when it is first called and keeps them; made in the loop they would be lost there.
            first = tf.concat([inputs[0], begun], axis=-1)
            for cell, x in zip(self.cells, [first, *masks], strict=True):
                cell.get_dropout_mask(x)
                cell.get_recurrent_dropout_mask(states[0])

        def step(time, outputs, before, *states):
            x = tf.concat([inputs[time], before], axis=-1)
            output, after = stack_step(
                self.cells, x, list(states), residual=self.settings["residual"], masks=masks, training=training
            )
            read, _ = attended(self.attention, self.readout, output[:, None], keys, values, there)
            return time + 1, outputs.write(time, read[:, 0]), read[:, 0], *after

        outputs = tf.TensorArray(embedded.dtype, tf.shape(inputs)[0], element_shape=begun.shape)
        _, outputs, *_ = tf.while_loop(lambda time, *_: time < tf.shape(inputs)[0], step, (0, outputs, begun, *states))
        for cell in self.cells:
            cell.reset_dropout_mask()
            cell.reset_recurrent_dropout_mask()
        return tf.transpose(outputs.stack(), [1, 0, 2])

    def get_config(self):
        return {**super().get_config(), **self.settings}


def attended(attention: Attention, readout: keras.layers.Dense, outputs, keys, values, there) -> tuple:
    """tanh(W [s; c]) (batch, queries, readout units) of outputs s (batch, queries, units), and the weights of c."""
    context, weights = attention(outputs, keys, values, there)
    return readout(keras.ops.concatenate([outputs, context], axis=-1)), weights


class Memory(NamedTuple):
    """What the encoder gives to attention; None each where there is none. See `Attention.call`."""

    keys: tf.Tensor | None = None
    values: tf.Tensor | None = None
    there: tf.Tensor | None = None


class StepTranslator(tf.Module):
    """The same weights, a target piece at a time, for several hypotheses of each sentence.

    Each layer's own cell computes its step, and the hypotheses of a sentence are so many queries to one memory, which
    therefore is neither copied nor reordered.

    Args:
      model: from `build_translator`.
      settings, recurrent: those that it was built with.

    Attributes:
      attends: whether there is attention.
      target_size: number of ids of the target's vocabulary.
    """

    def __init__(self, model: keras.Model, settings: TranslatorSettings, recurrent: RecurrentSettings):
        super().__init__()
        self.model, self.settings = model, settings
        self.attends = settings.attention is not None
        self.encoder, decoder = model.get_layer("encoder"), model.get_layer("decoder")
        stack = settings.decoder(recurrent)
        self.units, self.state_count = stack.units, len(STATES[stack.cell]) * stack.layers
        self.embedding = decoder.get_layer("embedding")
        names = [layer.name for layer in decoder.layers]
        holder = decoder.get_layer("input_feeding") if settings.input_feeding else None
        if holder:
            self.cells, self.attention, self.readout = holder.cells, holder.attention, holder.readout
        else:
            self.cells = [decoder.get_layer(f"recurrent_{index + 1}").cell for index in range(stack.layers)]
            self.attention = decoder.get_layer("attention") if self.attends else None
            self.readout = decoder.get_layer("readout") if "readout" in names else None
        self.output = None if settings.tied_embeddings else decoder.get_layer("logits")
        self.target_size = self.embedding.input_dim
        self.dtype = tf.as_dtype(self.cells[0].compute_dtype)

    def begin(self, source: tf.Tensor) -> tuple[Memory, list[tf.Tensor]]:
        """Reads sentences, int32 (batch, steps) padded with 0 -> the memory, and states (batch, size) of the decoder.

        With input feeding the last of them is what is fed.
        """
        read = self.encoder(source, training=False)
        read = list(read) if isinstance(read, (list, tuple)) else [read]
        memory = Memory(*read[:3]) if self.attends else Memory()
        states = read[3:] if self.attends else read
        batch = tf.shape(source)[0]
        if not self.settings.bridge:
            states = [tf.zeros([batch, self.units], self.dtype) for _ in range(self.state_count)]
        if self.settings.input_feeding:
            states = [*states, tf.zeros([batch, self.readout.units], self.dtype)]
        return memory, states

    def advance(self, ids: tf.Tensor, states: list[tf.Tensor], memory: Memory):
        """A step of every hypothesis.

        Args:
          ids: int32 (batch, hypotheses), the pieces before.
          states: (batch, hypotheses, size) each.
          memory: of the batch.

        Returns: float32 logits (batch, hypotheses, target_size), the states after the step, and the attention's weights
          (batch, hypotheses, steps); None without attention.
        """
        shape = tf.shape(ids)
        rows = [tf.reshape(state, [-1, state.shape[-1]]) for state in states]
        apart = lambda x: tf.reshape(x, tf.concat([shape, [x.shape[-1]]], axis=0))  # noqa: E731
        x = tf.reshape(self.embedding(ids), [-1, self.embedding.output_dim])
        if self.settings.input_feeding:
            *rows, fed = rows
            x = tf.concat([x, fed], axis=-1)
        output, rows = stack_step(self.cells, x, rows, residual=self.settings.residual)
        after, output, weights = [apart(state) for state in rows], apart(output), None
        if self.attends:
            output, weights = attended(self.attention, self.readout, output, *memory)
        elif self.readout is not None:
            output = self.readout(output)
        if self.settings.input_feeding:
            after.append(output)
        logits = self.embedding(output, reverse=True) if self.settings.tied_embeddings else self.output(output)
        return tf.cast(logits, tf.float32), after, weights
