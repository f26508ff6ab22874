"""One-to-many network: a model that predicts the next character, used in three ways with one set of weights.

- `LanguageModel`: the Keras model that is saved: ids and states to logits and states, for whole sequences.
- `models.window_model.WindowModel`: trained on windows of text, with the state carried from one to the next.
- `StepModel`: one timestep at a time; generating and scoring are loops over it.
"""

import keras
import tensorflow as tf

from models.network import Network, settings_dict
from models.network_settings import LanguageModelSettings
from models.recurrent import STATES, recurrent_layers, recurrent_stack, stack_step
from models.recurrent_settings import RecurrentSettings
from models.sampled_softmax import SampledLogits
from models.window_model import WindowModel


@keras.saving.register_keras_serializable("models")
class Bias(keras.layers.Layer):
    """Adds a trainable vector to `(batch, timesteps, size)` or `(batch, size)`."""

    def build(self, input_shape):
        """Create the vector."""
        self.bias = self.add_weight(shape=(input_shape[-1],), initializer="zeros", name="bias")

    def call(self, inputs):
        """Add the vector."""
        return inputs + self.bias


@keras.saving.register_keras_serializable("models")
class LanguageModel(Network):
    """Embedding, recurrent stack and output layer, with the states as inputs and outputs.

    The inputs are [ids, *states] and the outputs [logits, *states]: ids int32 `(batch, timesteps)`; logits float32
    `(batch, timesteps, vocabulary_size)`, at each timestep those of the next character; the states of each layer
    `(batch, units)`, h and c of an LSTM, h of the other cells.

    Args:
        settings: `LanguageModelSettings`, or their fields.
        recurrent: `RecurrentSettings`, or their fields. `return_sequences` and `stateful` apply to training only, see
            `training_model`.
        vocabulary_size: Number of ids.
        timesteps: Length of all sequences; needed with `unroll`, ignored otherwise.

    Attributes:
        settings: `LanguageModelSettings`.
        recurrent: `RecurrentSettings`, as given.
        vocabulary_size: Number of ids.
        state_names: Names of the states, in their order: h_1, c_1, h_2, ...
        embedding: The `keras.layers.Embedding`; with `tied_embeddings` a `keras.layers.ReversibleEmbedding`.
        recurrent_layers: List of recurrent layers, first to last.
        features: Symbolic `(batch, timesteps, size)`: what the logits are computed from.
        projection: The `keras.layers.Dense` between the stack and a tied embedding of another size, else None.
        output_layer: The `keras.layers.Dense` that computes the logits; None with `tied_embeddings`.
        output_bias: The `Bias` after a tied embedding; None without `output_bias`.

    Raises:
        ValueError: If `recurrent` has an option that a language model cannot use.
    """

    def __init__(
        self,
        settings: LanguageModelSettings | dict,
        recurrent: RecurrentSettings | dict,
        vocabulary_size: int,
        timesteps: int | None = None,
    ):
        settings = LanguageModelSettings.model_validate(settings)
        recurrent = RecurrentSettings.model_validate(recurrent)
        settings.check_recurrent(recurrent)
        timesteps = timesteps if recurrent.unroll else None
        stack = recurrent.model_copy(update={"stateful": False, "return_sequences": True, "return_state": True})
        ids = keras.Input((timesteps,), dtype="int32", name="ids")
        initial_states = [
            [keras.Input((stack.units,), name=f"{name}_{layer + 1}") for name in STATES[stack.cell]]
            for layer in range(stack.layers)
        ]
        embedding_class = keras.layers.ReversibleEmbedding if settings.tied_embeddings else keras.layers.Embedding
        embedding = embedding_class(vocabulary_size, settings.embedding_size, name="embedding")
        x = embedding(ids)  # (batch, timesteps, embedding_size)
        if settings.embedding_dropout:
            x = keras.layers.SpatialDropout1D(settings.embedding_dropout, name="embedding_dropout")(x)
        layers = recurrent_layers(stack)
        x, states = recurrent_stack(
            stack,
            x,
            initial_state=initial_states,
            layer_dropout=settings.layer_dropout,
            residual=settings.residual,
            layers=layers,
        )  # (batch, timesteps, units)
        if settings.output_dropout:
            x = keras.layers.Dropout(settings.output_dropout, name="output_dropout")(x)
        projection, output_layer, output_bias = None, None, None
        if settings.tied_embeddings:
            if stack.units != settings.embedding_size:
                projection = keras.layers.Dense(settings.embedding_size, name="projection")
                x = projection(x)
            logits = keras.ops.cast(embedding(x, reverse=True), "float32")
            if settings.output_bias:
                output_bias = Bias(dtype="float32", name="output_bias")
                logits = output_bias(logits)
        else:
            # Logits are float32 also under a mixed precision policy: a softmax needs the range.
            output_layer = keras.layers.Dense(vocabulary_size, dtype="float32", name="logits")
            logits = output_layer(x)
        flat_initial_states = keras.tree.flatten(initial_states)
        super().__init__([ids, *flat_initial_states], [logits, *keras.tree.flatten(states)], name="language_model")
        self.settings, self.recurrent = settings, recurrent
        self.vocabulary_size, self.timesteps = vocabulary_size, timesteps
        self.state_names = [state.name for state in flat_initial_states]
        self.embedding, self.recurrent_layers = embedding, layers
        self.projection, self.output_layer, self.output_bias, self.features = projection, output_layer, output_bias, x

    def arguments(self) -> dict:
        """Return the constructor's arguments."""
        return {
            "settings": settings_dict(self.settings, LanguageModelSettings),
            "recurrent": settings_dict(self.recurrent, RecurrentSettings),
            "vocabulary_size": self.vocabulary_size,
            "timesteps": self.timesteps,
        }

    def training_model(self, sampled_logits: SampledLogits | None = None) -> WindowModel:
        """Return a model that shares the weights and is trained on windows of text.

        Without `return_sequences` only the last timestep of each window is trained.

        Args:
            sampled_logits: See `WindowModel`.
        """
        return WindowModel(self, last_only=not self.recurrent.return_sequences, sampled_logits=sampled_logits)


def build_language_model(
    settings: LanguageModelSettings,
    recurrent: RecurrentSettings,
    vocabulary_size: int,
    timesteps: int | None = None,
) -> LanguageModel:
    """Build an untrained language model.

    Args:
        settings: Settings of the network.
        recurrent: Settings of the recurrent stack.
        vocabulary_size: Number of ids.
        timesteps: Length of all sequences; needed with `unroll`, ignored otherwise.

    Raises:
        ValueError: If `recurrent` has an option that a language model cannot use.

    Example:
        >>> model = build_language_model(LanguageModelSettings(embedding_size=16), RecurrentSettings(units=8), 50)
        >>> states = [tf.zeros([1, 8]) for _ in model.state_names]
        >>> logits, *states = model([tf.constant([[3, 4, 5]]), *states])
        >>> logits.shape  # batch, timesteps, vocabulary_size
        TensorShape([1, 3, 50])
    """
    return LanguageModel(settings, recurrent, vocabulary_size, timesteps)


class StepModel(tf.Module):
    """A language model that processes one timestep at a time, in TensorFlow ops that can be part of a loop.

    The logits of the next character are computed from the states alone, since a layer's output is its state h.

    Args:
        model: The language model, whose weights are shared.
        boundary: The id between two texts, if the model is trained on many: a text begins with the state after it,
            read from zeros, and ends before the next one.

    Attributes:
        model, boundary: As given.
        units: Size of each state.
        state_names: Names of the states, in their order: h_1, c_1, h_2, ...
        vocabulary_size: Number of ids.
        dtype: Dtype of the states.
    """

    def __init__(self, model: LanguageModel, boundary: int | None = None):
        super().__init__()
        self.model, self.boundary = model, boundary
        self.units = model.recurrent.units
        self.cells = [layer.cell for layer in model.recurrent_layers]
        self.state_names = list(model.state_names)
        self.vocabulary_size = model.vocabulary_size
        self.dtype = tf.as_dtype(self.cells[0].compute_dtype)

    def initial_states(self, batch) -> list[tf.Tensor]:
        """Return the states at the beginning of a text, `(batch, units)` each: zeros, or those after a boundary."""
        zeros = [tf.zeros([batch, self.units], self.dtype) for _ in self.state_names]
        return zeros if self.boundary is None else self.step(tf.fill([batch], self.boundary), zeros)

    def step(self, ids: tf.Tensor, states: list[tf.Tensor]) -> list[tf.Tensor]:
        """Process one timestep.

        Args:
            ids: Int32 `(batch,)`.
            states: The states before the timestep, `(batch, units)` each.

        Returns:
            The states after the timestep. A boundary resets the states before it.
        """
        if self.boundary is not None:
            continues = tf.not_equal(ids, self.boundary)[:, None]
            states = [tf.where(continues, state, tf.zeros_like(state)) for state in states]
        return stack_step(self.cells, self.model.embedding(ids), states, residual=self.model.settings.residual)[1]

    def logits(self, states: list[tf.Tensor]) -> tf.Tensor:
        """Compute the logits of the next character.

        Args:
            states: `(batch, units)` each.

        Returns:
            Float32 `(batch, vocabulary_size)`.
        """
        model = self.model
        outputs = states[:: len(states) // len(self.cells)]  # h of each layer
        x = tf.add_n(outputs) if model.settings.residual else outputs[-1]
        if model.projection is not None:
            x = model.projection(x)
        logits = model.embedding(x, reverse=True) if model.output_layer is None else model.output_layer(x)
        logits = tf.cast(logits, tf.float32)
        return logits if model.output_bias is None else model.output_bias(logits)

    def read(self, ids: tf.RaggedTensor, states: list[tf.Tensor]) -> list[tf.Tensor]:
        """Process sequences of different lengths; a row's result does not depend on the other rows.

        Args:
            ids: Int32 `(batch, None)`.
            states: The states before the sequences, `(batch, units)` each.

        Returns:
            The states after the sequences.
        """
        padded, lengths = ids.to_tensor(0), tf.cast(ids.row_lengths(), tf.int32)

        def step(time, *states):
            new_states, active = self.step(padded[:, time], list(states)), (time < lengths)[:, None]
            return time + 1, *[tf.where(active, new, old) for new, old in zip(new_states, states, strict=True)]

        _, *states = tf.while_loop(lambda time, *_: time < tf.shape(padded)[1], step, (0, *states))
        return states

    def log_probability(self, ids: tf.RaggedTensor, first_logits: tf.Tensor) -> tf.Tensor:
        """Compute the natural logarithm of each sequence's probability.

        Args:
            ids: Int32 `(batch, None)`.
            first_logits: Logits of a sequence's first character, `(vocabulary_size,)`.

        Returns:
            Float64 `(batch,)`, in nats; 0 for an empty sequence.
        """
        padded, lengths = ids.to_tensor(0), tf.cast(ids.row_lengths(), tf.int32)
        batch = tf.shape(padded)[0]

        def step(time, total, logits, *states):
            target = padded[:, time]
            gained = -tf.nn.sparse_softmax_cross_entropy_with_logits(labels=target, logits=logits)
            total += tf.where(time < lengths, tf.cast(gained, tf.float64), 0.0)
            # Rows that have ended continue over padding, which is not counted.
            states = self.step(target, list(states))
            return time + 1, total, self.logits(states), *states

        loop_vars = (0, tf.zeros([batch], tf.float64), tf.repeat(first_logits[None], batch, axis=0))
        _, total, *_ = tf.while_loop(
            lambda time, *_: time < tf.shape(padded)[1], step, (*loop_vars, *self.initial_states(batch))
        )
        return total
