"""How far back a recurrent layer learns: the gradient that reaches the state of each step.

A gradient that shrinks from step to step on its way back is a vanishing one, one that grows an exploding one (Bengio,
Simard and Frasconi 1994, "Learning Long-Term Dependencies with Gradient Descent is Difficult"; Pascanu, Mikolov and
Bengio 2013, "On the difficulty of training recurrent neural networks").
"""

from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from models.gates import cell_of
from models.recurrent import STATES


def state_gradients(
    layer: keras.layers.Layer,
    inputs: np.ndarray,
    loss_of_last_output: Callable[[tf.Tensor], tf.Tensor],
    *,
    initial_state: list[np.ndarray] | None = None,
) -> dict[str, np.ndarray]:
    """The norm of d loss / d state_t for each step t, by backpropagation through time, step by step:

      d loss / d state_{t-1} = d loss / d state_t . d state_t / d state_{t-1}    (Pascanu et al. 2013, equations 4, 5)

    The state of a step is what it hands to the next one: h_t, and of an LSTM (h_t, c_t), two variables of their own. So
    at the last step, whose h is the output, the gradient of c is 0.

    Args:
      layer: an LSTM, GRU or SimpleRNN that has weights. It reads every step, without dropout.
      inputs: (batch, timesteps, features).
      loss_of_last_output: the last step's output (batch, units) -> the loss of each example (batch,), in TensorFlow or
        Keras ops.
      initial_state: (batch, units) each, as the layer takes them; zeros if None.

    Returns:
      Float64 arrays (timesteps,) in the order in which the layer reads the steps, the last step last: for each example
      the L2 norm of the gradient of its loss, averaged over the batch. "h", and of an LSTM "c", over that state alone;
      "all" over all states of the step. The gradients have the layer's own precision: in float32 a value below about
      1e-38 is 0.

    Raises:
      ValueError: if the layer is no such layer or has no weights yet, or the loss has another shape or does not come
        from the output.
    """
    cell = cell_of(layer)
    if cell is None:
        raise ValueError(f"{layer.name} is no LSTM, GRU or SimpleRNN; of a Bidirectional take one direction's layer")
    if not layer.cell.built:
        raise ValueError(f"{layer.name} has no weights yet: call it, or its model, first")

    # Traced once and not for each step, so that 1,000 steps take a few seconds.
    @tf.function
    def advance(x, state):
        return keras.tree.flatten(layer.cell(x, state, training=False)[1])

    @tf.function
    def back(x, state, gradient):
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(state)
            after = advance(x, state)
        return tape.gradient(after, state, gradient, tf.UnconnectedGradients.ZERO)

    steps = tf.unstack(tf.cast(inputs, layer.cell.compute_dtype), axis=1)
    steps = steps[::-1] if layer.go_backwards else steps
    state = layer.cell.get_initial_state(batch_size=len(inputs)) if initial_state is None else initial_state
    states = [[tf.cast(one, steps[0].dtype) for one in keras.tree.flatten(state)]]
    for x in steps:
        states.append(advance(x, states[-1]))

    output, *others = states[-1]
    with tf.GradientTape() as tape:
        tape.watch(output)
        losses = tf.convert_to_tensor(loss_of_last_output(output))
    if losses.shape != output.shape[:1]:
        raise ValueError(
            f"the loss has the shape {tuple(losses.shape)}, where each of the {len(inputs)} examples needs one value"
        )
    gradient = [tape.gradient(losses, output), *map(tf.zeros_like, others)]
    if gradient[0] is None:
        raise ValueError("the loss does not come from the layer's output by TensorFlow or Keras ops")

    squares = []  # of each step from the last to the first, (states, batch)
    for x, before in zip(steps[::-1], states[-2::-1], strict=True):
        # In float64: float32 would have 0 for the squares of small gradients.
        squares.append([np.sum(np.square(one, dtype=np.float64), axis=-1) for one in gradient])
        gradient = back(x, before, gradient)
    squares = np.array(squares[::-1])  # (timesteps, states, batch)
    each = dict(zip(STATES[cell], np.sqrt(squares).mean(axis=-1).T, strict=True))
    return {**each, "all": np.sqrt(squares.sum(axis=1)).mean(axis=-1)}
