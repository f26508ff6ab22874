"""Recurrent layers that train faster in bfloat16 on a processor, and need less memory.

Keras's layers cast the kernels to bfloat16 at each timestep, and TensorFlow keeps each copy for the gradient: 3 MB for
each timestep of an LSTM of 512 units. Here the kernels are cast once. The arguments, the weights and the output are
those of Keras's layers, except for rounding: the states are float32 between two timesteps.

Keras's own code computes inference, all other precisions, whatever runs on a GPU, and layers with `recurrent_dropout`,
`unroll`, `reset_after=False`, without bias, or with other activations than the default ones.

The classes have the names of Keras's classes, because Keras stores weights under the name of a layer's class. So the
same file holds the weights for each precision.
"""

from typing import Any

import keras
import tensorflow as tf

from models import simple_rnn
from models.backpropagation import GruEquations, LstmEquations, SimpleRnnEquations, recurrent


class _TrainedInBfloat16:
    """The training step of a Keras layer; `equations` are those of its cell."""

    equations: Any = None

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.supports_jit = False  # the loops do not support XLA

    def inner_loop(self, sequences, initial_state, mask, training=False):
        """Compute all timesteps; called by Keras."""
        if not (training and self._is_supported()):
            return super().inner_loop(sequences, initial_state, mask, training)
        cell = self.cell
        if mask is not None:
            mask = tf.cast(mask[0] if isinstance(mask, (list, tuple)) else mask, tf.bool)
        if self.dropout:
            sequences = sequences * cell.get_dropout_mask(sequences[:, 0])[:, None]
        if self.go_backwards:
            sequences = tf.reverse(sequences, [1])
            mask = None if mask is None else tf.reverse(mask, [1])
        kernels = [tf.convert_to_tensor(one) for one in (cell.kernel, cell.recurrent_kernel, cell.bias)]
        if kernels[2].shape.rank == 2:  # of a GRU: one for the inputs, one for the state
            kernels[2:] = tf.unstack(kernels[2])
        outputs, states = recurrent(self.equations, sequences, list(initial_state), *kernels, mask=mask)
        if mask is not None:
            # Keras repeats the output of the timestep before; before the first one it is zero.
            kept = mask if self.zero_output_for_mask else tf.cumsum(tf.cast(mask, tf.int32), axis=1) > 0
            outputs = tf.where(kept[..., None], outputs, tf.zeros_like(outputs))
        return outputs[:, -1], outputs, states

    def _is_supported(self) -> bool:
        return (
            self.compute_dtype == "bfloat16"
            and self.activation is keras.activations.tanh
            and getattr(self, "recurrent_activation", keras.activations.sigmoid) is keras.activations.sigmoid
            and getattr(self, "reset_after", True)
            and self.use_bias
            and not self.recurrent_dropout
            and not self.unroll
            and not tf.config.list_logical_devices("GPU")
        )


@keras.saving.register_keras_serializable("models", name="Bfloat16LSTM")
class LSTM(_TrainedInBfloat16, keras.layers.LSTM):
    """`keras.layers.LSTM`, trained as the module describes."""

    equations = LstmEquations


@keras.saving.register_keras_serializable("models", name="Bfloat16GRU")
class GRU(_TrainedInBfloat16, keras.layers.GRU):
    """`keras.layers.GRU`, trained as the module describes."""

    equations = GruEquations


@keras.saving.register_keras_serializable("models", name="Bfloat16SimpleRNN")
class SimpleRNN(_TrainedInBfloat16, simple_rnn.SimpleRNN):
    """`models.simple_rnn.SimpleRNN`, trained as the module describes."""

    equations = SimpleRnnEquations
