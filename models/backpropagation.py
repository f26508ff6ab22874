"""LSTM, GRU and SimpleRNN as functions, with backpropagation through time written by hand.

A loop over the timesteps computes what depends on the state. The matrix products with the inputs, and those that are
the gradients of the kernels, are computed for all timesteps at once, outside of the loop.
"""

from typing import ClassVar

import tensorflow as tf


class LstmEquations:
    """Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000; states h and c.

    The kernels contain the input gate, the forget gate, the candidate and the output gate, in Keras's order.

    Attributes:
        saved: Number of arrays `(batch, units)` that the gradient needs, in addition to the states.
        separate: Whether the gradients of `x` and `inner` differ.
    """

    saved: ClassVar[int] = 4
    separate: ClassVar[bool] = False

    @staticmethod
    def forward(x, inner, states):
        """Compute a timestep.

        Args:
            x: `(batch, 4 * units)`, the inputs times their kernel, and the bias.
            inner: `(batch, 4 * units)`, h times the recurrent kernel.
            states: `(batch, units)` each.

        Returns:
            The new states, and what the gradient needs, `(batch, saved * units)`.
        """
        i, f, g, o = tf.split(x + inner, 4, axis=1)
        i, f, g, o = tf.sigmoid(i), tf.sigmoid(f), tf.tanh(g), tf.sigmoid(o)
        c = f * states[1] + i * g
        return [o * tf.tanh(c), c], tf.concat([i, f, g, o], axis=1)

    @staticmethod
    def backward(d_states, before, after, saved):
        """Compute the gradients of a timestep.

        Args:
            d_states: The gradients of the states after the timestep.
            before: The states before it.
            after: The states after it.
            saved: What `forward` returned for the gradient.

        Returns:
            The gradients of `x`, of `inner`, and of the states before the timestep, without what they receive through
            `inner`.
        """
        (i, f, g, o), tanh_c = tf.split(saved, 4, axis=1), tf.tanh(after[1])
        d_h, d_c = d_states
        d_c += d_h * o * (1 - tanh_c * tanh_c)
        d_gates = [d_c * g * i * (1 - i), d_c * before[1] * f * (1 - f), d_c * i * (1 - g * g)]
        d_x = tf.concat([*d_gates, d_h * tanh_c * o * (1 - o)], axis=1)
        return d_x, d_x, [tf.zeros_like(d_h), d_c * f]


class GruEquations:
    """Cho et al. 2014, with the reset gate after the matrix product (Keras: `reset_after`); state h.

    The kernels contain the update gate, the reset gate and the candidate. For methods and attributes see
    `LstmEquations`; `inner` contains a bias too.
    """

    saved: ClassVar[int] = 4
    separate: ClassVar[bool] = True

    @staticmethod
    def forward(x, inner, states):
        """Compute a timestep."""
        (x_z, x_r, x_h), (inner_z, inner_r, inner_h) = tf.split(x, 3, axis=1), tf.split(inner, 3, axis=1)
        z, r = tf.sigmoid(x_z + inner_z), tf.sigmoid(x_r + inner_r)
        candidate = tf.tanh(x_h + r * inner_h)
        return [z * states[0] + (1 - z) * candidate], tf.concat([z, r, candidate, inner_h], axis=1)

    @staticmethod
    def backward(d_states, before, after, saved):
        """Compute the gradients of a timestep."""
        z, r, candidate, inner_h = tf.split(saved, 4, axis=1)
        d_h = d_states[0]
        d_candidate = d_h * (1 - z) * (1 - candidate * candidate)
        d_z = d_h * (before[0] - candidate) * z * (1 - z)
        d_r = d_candidate * inner_h * r * (1 - r)
        d_x = tf.concat([d_z, d_r, d_candidate], axis=1)
        return d_x, tf.concat([d_z, d_r, d_candidate * r], axis=1), [d_h * z]


class SimpleRnnEquations:
    """Elman 1990, with tanh; state h. For methods and attributes see `LstmEquations`."""

    saved: ClassVar[int] = 0
    separate: ClassVar[bool] = False

    @staticmethod
    def forward(x, inner, states):
        """Compute a timestep."""
        return [tf.tanh(x + inner)], x[:, :0]

    @staticmethod
    def backward(d_states, before, after, saved):
        """Compute the gradients of a timestep."""
        d_x = d_states[0] * (1 - after[0] * after[0])
        return d_x, d_x, [tf.zeros_like(d_x)]


def recurrent(
    equations: type[LstmEquations | GruEquations | SimpleRnnEquations],
    inputs: tf.Tensor,
    states: list[tf.Tensor],
    kernel: tf.Tensor,
    recurrent_kernel: tf.Tensor,
    bias: tf.Tensor,
    recurrent_bias: tf.Tensor | None = None,
    mask: tf.Tensor | None = None,
) -> tuple[tf.Tensor, list[tf.Tensor]]:
    """Compute a recurrent layer. Second-order gradients are not supported.

    Args:
        equations: The equations of the cell.
        inputs: `(batch, timesteps, features)`, of any floating-point type, which all arguments have. With a type of 16
            bits, matrices are multiplied in it, and the rest is computed in float32: processors that multiply matrices
            in bfloat16 have no other operations in it.
        states: The states before the first timestep, `(batch, units)` each.
        kernel: `(features, width)`; the width is 4 (LSTM), 3 (GRU) or 1 (SimpleRNN) times the units.
        recurrent_kernel: `(units, width)`.
        bias: `(width,)`, added to the inputs' product.
        recurrent_bias: `(width,)`, added to the state's product; None adds nothing.
        mask: Bool `(batch, timesteps)`; where it is False, the states stay as they are. None is True everywhere.

    Returns:
        h after each timestep, `(batch, timesteps, units)`, and the states after the last one.
    """
    dtype, units, features = inputs.dtype, recurrent_kernel.shape[0], kernel.shape[0]
    state_dtype = dtype if dtype.size > 2 else tf.float32
    width, has_recurrent_bias = kernel.shape[1], recurrent_bias is not None
    masks = None if mask is None else tf.transpose(mask)[..., None]

    def arrays(steps, *sizes):
        return [tf.TensorArray(dtype, steps, element_shape=(inputs.shape[0], size)) for size in sizes]

    def write_all(stored, step, values):
        return [one.write(step, tf.cast(value, dtype)) for one, value in zip(stored, values, strict=True)]

    def cast_at(step, sequences):
        return [tf.cast(one[step], state_dtype) for one in sequences]

    def select(step, new, old):
        return new if masks is None else [tf.where(masks[step], *pair) for pair in zip(new, old, strict=True)]

    @tf.custom_gradient
    def compute(inputs, kernel, recurrent_kernel, bias, recurrent_bias, *states):
        steps, rows = tf.shape(inputs)[1], tf.shape(inputs)[0]
        flat = tf.reshape(_swapped(inputs), [-1, features])
        projected = tf.reshape(tf.matmul(flat, kernel) + bias, [steps, rows, width])

        def forward(step, states, stored):
            inner = tf.matmul(tf.cast(states[0], dtype), recurrent_kernel)
            inner = inner + recurrent_bias if has_recurrent_bias else inner
            new, saved = equations.forward(tf.cast(projected[step], state_dtype), tf.cast(inner, state_dtype), states)
            new = select(step, new, states)
            return step + 1, new, write_all(stored, step, [*new, saved])

        begin = (
            0,
            [tf.cast(one, state_dtype) for one in states],
            arrays(steps, *[units] * len(states), equations.saved * units),
        )
        _, last, stored = tf.while_loop(lambda step, *_: step < steps, forward, begin, parallel_iterations=1)
        *after, saved = (one.stack() for one in stored)

        def gradient(d_outputs, *d_last):
            before = [tf.concat([first[None], one[:-1]], axis=0) for first, one in zip(states, after, strict=True)]
            d_outputs = _swapped(d_outputs)

            def backward(step, d_states, stored):
                d_states = [d_states[0] + tf.cast(d_outputs[step], state_dtype), *d_states[1:]]
                values = (cast_at(step, before), cast_at(step, after), cast_at(step, [saved])[0])
                d_x, d_inner, d_before = equations.backward(d_states, *values)
                d_parts = [d_x, d_inner] if equations.separate else [d_x]
                d_parts = select(step, d_parts, [tf.zeros_like(d_x)] * len(d_parts))
                through = tf.matmul(tf.cast(d_parts[-1], dtype), recurrent_kernel, transpose_b=True)
                d_first, *d_others = select(step, d_before, d_states)
                d_before = [d_first + tf.cast(through, state_dtype), *d_others]
                return step - 1, d_before, write_all(stored, step, d_parts)

            widths = [width] * (1 + equations.separate)
            begin = (steps - 1, [tf.cast(one, state_dtype) for one in d_last], arrays(steps, *widths))
            _, d_states, stored = tf.while_loop(lambda step, *_: step >= 0, backward, begin, parallel_iterations=1)
            parts = [tf.reshape(one.stack(), [-1, width]) for one in stored]
            d_bias, d_recurrent_bias = (
                tf.cast(tf.reduce_sum(tf.cast(one, state_dtype), axis=0), dtype) for one in (parts[0], parts[-1])
            )
            d_inputs = tf.reshape(tf.matmul(parts[0], kernel, transpose_b=True), [steps, rows, features])
            return (
                _swapped(d_inputs),
                tf.matmul(flat, parts[0], transpose_a=True),
                tf.matmul(tf.reshape(before[0], [-1, units]), parts[-1], transpose_a=True),
                d_bias,
                d_recurrent_bias,
                *(tf.cast(one, dtype) for one in d_states),
            )

        return (_swapped(after[0]), *(tf.cast(one, dtype) for one in last)), gradient

    other = recurrent_bias if has_recurrent_bias else tf.zeros_like(bias)
    outputs, *last = compute(inputs, kernel, recurrent_kernel, bias, other, *states)
    outputs.set_shape((*inputs.shape[:2], units))
    return outputs, last


def _swapped(sequence: tf.Tensor) -> tf.Tensor:
    """Swap batch and time."""
    return tf.transpose(sequence, [1, 0, 2])
