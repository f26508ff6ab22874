"""Decoder with input feeding: attention is part of the loop over the target timesteps."""

import keras
import tensorflow as tf

from models.attention import Attention, Memory, attentional_hidden_state
from models.recurrent import STATES, recurrent_layers, stack_step
from models.recurrent_settings import RecurrentSettings


@keras.saving.register_keras_serializable("models")
class InputFeeding(keras.layers.Layer):
    """A recurrent stack whose input at each timestep includes the attentional hidden state of the previous timestep.

    See Luong et al. 2015, "Effective Approaches to Attention-based Neural Machine Translation", section 3.3.

    Args:
        recurrent: The fields of the decoder's `RecurrentSettings`.
        attention: Kind of attention, see `Attention`.
        attention_units: Units of the attention, see `Attention`.
        attentional_units: Size of the attentional hidden state, tanh(W [s; c]).
        layer_dropout: Fraction of each layer's output to drop before the next layer, the same units at each timestep.
        residual: Whether to add the input of each layer except the first to its output.
        **kwargs: Arguments of `keras.layers.Layer`.

    Attributes:
        recurrent_layers: List of recurrent layers, first to last; only their cells are called.
        attention: The `Attention`.
        attentional: The `keras.layers.Dense` of the attentional hidden state.
    """

    def __init__(
        self,
        recurrent: dict,
        attention: str,
        attention_units: int,
        attentional_units: int,
        layer_dropout: float = 0.0,
        residual: bool = False,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self._arguments = {
            "recurrent": recurrent,
            "attention": attention,
            "attention_units": attention_units,
            "attentional_units": attentional_units,
            "layer_dropout": layer_dropout,
            "residual": residual,
        }
        settings = RecurrentSettings(**recurrent)
        self.units, self.attentional_units, self.residual = settings.units, attentional_units, residual
        self.state_count = len(STATES[settings.cell]) * settings.layers
        self.recurrent_layers = recurrent_layers(settings, dtype=self.dtype_policy)
        self.attention = Attention(attention, attention_units, dtype=self.dtype_policy, name="attention")
        self.attentional = keras.layers.Dense(
            attentional_units, activation="tanh", dtype=self.dtype_policy, name="attentional"
        )
        self.layer_dropout = keras.layers.Dropout(layer_dropout, dtype=self.dtype_policy)

    @property
    def cells(self) -> list:
        """The cells of the recurrent layers, first to last."""
        return [layer.cell for layer in self.recurrent_layers]

    def build(self, embedded_shape, keys_shape, values_shape, padding_mask_shape=None, *state_shapes):
        """Create the weights. Keras passes no shape of the mask before 3.14."""
        size = embedded_shape[-1] + self.attentional_units
        for layer in self.recurrent_layers:
            layer.build((None, None, size))
            size = self.units
        self.attention.build((None, None, self.units), keys_shape, values_shape, padding_mask_shape)
        self.attentional.build((None, None, self.units + values_shape[-1]))

    def compute_output_shape(self, embedded_shape, *others):
        """Return the shape of the output."""
        return (*embedded_shape[:-1], self.attentional_units)

    def call(self, embedded, keys, values, padding_mask, *states, training=False):
        """Compute the attentional hidden states of whole sentences.

        Args:
            embedded: `(batch, target timesteps, embedding_size)`.
            keys: See `Attention.call`.
            values: See `Attention.call`.
            padding_mask: See `Attention.call`.
            *states: Initial states, `(batch, units)` each; zeros if none are given.
            training: Whether to apply dropout.

        Returns:
            `(batch, target timesteps, attentional_units)`.
        """
        batch, memory = tf.shape(embedded)[0], Memory(keys, values, padding_mask)
        zeros = lambda units: tf.zeros([batch, units], embedded.dtype)  # noqa: E731
        states = list(states) or [zeros(self.units) for _ in range(self.state_count)]
        first_fed = zeros(self.attentional_units)
        inputs = tf.transpose(embedded, [1, 0, 2])
        masks = [self.layer_dropout(tf.ones_like(states[0]), training=training) for _ in self.recurrent_layers[1:]]
        if training:
            # A cell creates its dropout masks in its first call and keeps them; tensors created inside the loop cannot
            # be used after it, so they are created here.
            first = tf.concat([inputs[0], first_fed], axis=-1)
            for cell, x in zip(self.cells, [first, *masks], strict=True):
                cell.get_dropout_mask(x)
                cell.get_recurrent_dropout_mask(states[0])

        def step(time, outputs, fed, *states):
            x = tf.concat([inputs[time], fed], axis=-1)
            output, new_states = stack_step(
                self.cells, x, list(states), residual=self.residual, masks=masks, training=training
            )
            hidden, _ = attentional_hidden_state(self.attention, self.attentional, output[:, None], memory)
            return time + 1, outputs.write(time, hidden[:, 0]), hidden[:, 0], *new_states

        timesteps = tf.shape(inputs)[0]
        outputs = tf.TensorArray(embedded.dtype, timesteps, element_shape=first_fed.shape)
        loop_vars = (0, outputs, first_fed, *states)
        # XLA (`jit_compile`) compiles the gradient of a loop only with a maximum number of iterations.
        _, outputs, *_ = tf.while_loop(lambda time, *_: time < timesteps, step, loop_vars, maximum_iterations=timesteps)
        for cell in self.cells:
            cell.reset_dropout_mask()
            cell.reset_recurrent_dropout_mask()
        return tf.transpose(outputs.stack(), [1, 0, 2])

    def get_config(self):
        """Return the constructor's arguments."""
        return {**super().get_config(), **self._arguments}
