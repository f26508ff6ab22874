"""One to many: a network that tells the next character, in three views of one set of weights.

- `build_language_model`: the Keras model that is kept: ids and states in, logits and states out, for whole sequences.
- `training_view`: what is fitted on windows of text, the state carried from one window to the next.
- `StepModel`: one step at a time, from the same layers' cells; generating and scoring are loops over it.
"""

import keras
import tensorflow as tf

from models.network_settings import LanguageModelSettings
from models.recurrent import STATES, recurrent_layers, recurrent_stack, stack_step
from models.recurrent_settings import RecurrentSettings


def build_language_model(
    settings: LanguageModelSettings,
    recurrent: RecurrentSettings,
    vocabulary_size: int,
    timesteps: int | None = None,
) -> keras.Model:
    """Builds the network: embedding, recurrent stack, next character.

    Args:
      settings: of the embedding and the dropouts.
      recurrent: of the stack. Its `return_sequences` and `stateful` are about training: see `training_view`.
      vocabulary_size: number of ids.
      timesteps: the length of every window; needed with `unroll` only.

    Returns:
      A model from [ids, *states] to [logits, *states]: ids int32 (batch, timesteps); logits float32
      (batch, timesteps, vocabulary_size), at each step those of the character after it; for each layer its states
      (batch, units), an LSTM's h and c, one h for the other cells.
    """
    settings.check_recurrent(recurrent)
    recurrent = recurrent.model_copy(update={"stateful": False, "return_sequences": True, "return_state": True})
    ids = keras.Input((timesteps if recurrent.unroll else None,), dtype="int32", name="ids")
    begun = [
        [keras.Input((recurrent.units,), name=f"{name}_{layer + 1}") for name in STATES[recurrent.cell]]
        for layer in range(recurrent.layers)
    ]
    embedding_layer = keras.layers.ReversibleEmbedding if settings.tied_embeddings else keras.layers.Embedding
    embedding = embedding_layer(vocabulary_size, settings.embedding_size, name="embedding")
    x = embedding(ids)  # (batch, timesteps, embedding_size)
    if settings.embedding_dropout:
        x = keras.layers.SpatialDropout1D(settings.embedding_dropout, name="embedding_dropout")(x)
    x, states = recurrent_stack(
        recurrent,
        x,
        initial_state=begun,
        layer_dropout=settings.layer_dropout,
        residual=settings.residual,
        layers=recurrent_layers(recurrent),
    )  # (batch, timesteps, units)
    if settings.output_dropout:
        x = keras.layers.Dropout(settings.output_dropout, name="output_dropout")(x)
    if settings.tied_embeddings:
        if recurrent.units != settings.embedding_size:
            x = keras.layers.Dense(settings.embedding_size, name="projection")(x)
        logits = keras.ops.cast(embedding(x, reverse=True), "float32")
    else:
        # Logits stay float32 under a mixed precision policy: a softmax needs the range.
        logits = keras.layers.Dense(vocabulary_size, dtype="float32", name="logits")(x)
    flat = [state for layer in states for state in layer]
    return keras.Model([ids, *(state for layer in begun for state in layer)], [logits, *flat], name="language_model")


@keras.saving.register_keras_serializable("models")
class WindowModel(keras.Model):
    """The training view: windows of ids in, logits out, the states kept from one batch to the next.

    This is what Keras's `stateful=True` does, with the state outside of the layers, which so serve any batch size; and
    what a window begins with is told by the data, so a resumed training and a validation need no call to reset it. No
    gradient goes back beyond the window: truncated backpropagation through time (Williams and Peng 1990).

    Args:
      model: from `build_language_model`.
      batch_size: of every batch.
      last_only: in training gives the logits after each window's last character, and no others.
    """

    def __init__(self, model: keras.Model, batch_size: int, last_only: bool = False, **kwargs):
        super().__init__(**kwargs)
        self.model, self.last_only = model, last_only
        self.carried = [
            self.add_weight(shape=(batch_size, state.shape[-1]), initializer="zeros", trainable=False, name=state.name)
            for state in model.inputs[1:]
        ]

    def call(self, inputs, training=None):
        """(ids int32 (batch, timesteps), begins bool (batch,): a text begins here) -> logits."""
        ids, begins = inputs
        goes_on = keras.ops.logical_not(begins)[:, None]
        states = [keras.ops.where(goes_on, state, keras.ops.zeros_like(state)) for state in self.carried]
        logits, *states = self.model([ids, *states], training=training)
        for variable, state in zip(self.carried, states, strict=True):
            variable.assign(keras.ops.cast(state, variable.dtype))
        return logits[:, -1:] if training and self.last_only else logits


def training_view(model: keras.Model, recurrent: RecurrentSettings, batch_size: int) -> WindowModel:
    """The same weights as a model of windows. Without `return_sequences` it learns from each window's end alone."""
    return WindowModel(model, batch_size, last_only=not recurrent.return_sequences)


class StepModel(tf.Module):
    """The same weights, a character at a time, in TensorFlow ops that may stand in a loop.

    Each layer's own cell computes its step. The next character is told from the states alone: what a layer gives is
    its state h.

    Args:
      model: from `build_language_model`.
      settings, recurrent: those that it was built with.

    Attributes:
      state_names: of each state, in their order: h_1, c_1, h_2, ...
      vocabulary_size: number of ids.
    """

    def __init__(self, model: keras.Model, settings: LanguageModelSettings, recurrent: RecurrentSettings):
        super().__init__()
        self.model = model
        self.residual, self.tied = settings.residual, settings.tied_embeddings
        self.units = recurrent.units
        names = [layer.name for layer in model.layers]
        self.embedding = model.get_layer("embedding")
        self.cells = [model.get_layer(f"recurrent_{index + 1}").cell for index in range(recurrent.layers)]
        self.projection = model.get_layer("projection") if "projection" in names else None
        self.output = None if self.tied else model.get_layer("logits")
        self.state_names = [
            f"{name}_{index + 1}" for index in range(recurrent.layers) for name in STATES[recurrent.cell]
        ]
        self.vocabulary_size = self.embedding.input_dim
        self.dtype = tf.as_dtype(self.cells[0].compute_dtype)

    def initial_states(self, batch) -> list[tf.Tensor]:
        """Zeros (batch, units), one for each of `state_names`."""
        return [tf.zeros([batch, self.units], self.dtype) for _ in self.state_names]

    def advance(self, ids: tf.Tensor, states: list[tf.Tensor]) -> list[tf.Tensor]:
        """ids int32 (batch,) and the states before them -> the states after them."""
        return stack_step(self.cells, self.embedding(ids), states, residual=self.residual)[1]

    def logits(self, states: list[tf.Tensor]) -> tf.Tensor:
        """The states -> float32 (batch, vocabulary_size), the logits of the next character."""
        size = len(states) // len(self.cells)
        outputs = states[::size]  # h of each layer
        x = tf.add_n(outputs) if self.residual else outputs[-1]
        if self.projection is not None:
            x = self.projection(x)
        logits = self.embedding(x, reverse=True) if self.tied else self.output(x)
        return tf.cast(logits, tf.float32)

    def read(self, ids: tf.RaggedTensor, states: list[tf.Tensor]) -> list[tf.Tensor]:
        """The states after sequences of any lengths; each row's are those that it would have alone."""
        padded, lengths = ids.to_tensor(0), tf.cast(ids.row_lengths(), tf.int32)

        def step(time, *states):
            after = self.advance(padded[:, time], list(states))
            return time + 1, *_where(time < lengths, after, states)

        _, *states = tf.while_loop(lambda time, *_: time < tf.shape(padded)[1], step, (0, *states))
        return states

    def log_probability(self, ids: tf.RaggedTensor, first_logits: tf.Tensor) -> tf.Tensor:
        """float64 (batch,): the natural logarithm of each sequence's probability; 0 for an empty one.

        Args:
          ids: int32 (batch, None).
          first_logits: (vocabulary_size,), of a sequence's first character.
        """
        padded, lengths = ids.to_tensor(0), tf.cast(ids.row_lengths(), tf.int32)
        batch = tf.shape(padded)[0]

        def step(time, total, logits, *states):
            target = padded[:, time]
            gained = -tf.nn.sparse_softmax_cross_entropy_with_logits(labels=target, logits=logits)
            total += tf.where(time < lengths, tf.cast(gained, tf.float64), 0.0)
            # Rows that have ended go on over padding: nothing more is counted there.
            states = self.advance(target, list(states))
            return time + 1, total, self.logits(states), *states

        begin = (0, tf.zeros([batch], tf.float64), tf.repeat(first_logits[None], batch, axis=0))
        _, total, *_ = tf.while_loop(
            lambda time, *_: time < tf.shape(padded)[1], step, (*begin, *self.initial_states(batch))
        )
        return total


def _where(condition, chosen, others):
    """Row by row: `chosen` where the condition (batch,) holds."""
    return [tf.where(condition[:, None], one, other) for one, other in zip(chosen, others, strict=True)]
