"""Norms of the loss gradient with respect to the states of a recurrent layer, timestep by timestep.

A gradient whose norm decreases on the way back in time is vanishing, one whose norm increases is exploding (Bengio,
Simard and Frasconi 1994, "Learning Long-Term Dependencies with Gradient Descent is Difficult"; Pascanu, Mikolov and
Bengio 2013, "On the difficulty of training recurrent neural networks").
"""

from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from models.gates import cell_of
from models.recurrent_settings import STATES


def state_gradients(
    layer: keras.layers.Layer,
    inputs: np.ndarray,
    loss_of_last_output: Callable[[tf.Tensor], tf.Tensor],
    *,
    initial_state: list[np.ndarray] | None = None,
) -> dict[str, np.ndarray]:
    """Compute the norm of d loss / d state_t for each timestep t, by backpropagation through time.

      d loss / d state_{t-1} = d loss / d state_t . d state_t / d state_{t-1}    (Pascanu et al. 2013, equations 4, 5)

    The state of a timestep is h_t, and of an LSTM (h_t, c_t), which are separate variables. So at the last timestep,
    whose h is the output, the gradient of c is 0.

    Args:
        layer: An LSTM, GRU or SimpleRNN that has weights. It is computed without masking and dropout.
        inputs: `(batch, timesteps, features)`.
        loss_of_last_output: Computes the loss of each example `(batch,)` from the output of the last timestep
            `(batch, units)`, with TensorFlow or Keras ops.
        initial_state: `(batch, units)` each, in the layer's order; zeros if None.

    Returns:
        Float64 arrays `(timesteps,)`, in the order in which the layer processes the timesteps: the L2 norm of the
        gradient of each example's loss, averaged over the batch. "h", and of an LSTM "c", for that state alone; "all"
        for all states of the timestep. The gradients have the layer's precision: in float32 a value below about 1e-38
        is 0.

    Raises:
        ValueError: If the layer is not one of these or has no weights yet, or if the loss has another shape or does not
            depend on the output.
    """
    cell = cell_of(layer)
    if cell is None:
        raise ValueError(f"{layer.name} is no LSTM, GRU or SimpleRNN; of a Bidirectional take one direction's layer")
    if not layer.cell.built:
        raise ValueError(f"{layer.name} has no weights yet: call it, or its model, first")

    # Traced once instead of for each timestep, so that 1,000 timesteps need a few seconds.
    @tf.function(autograph=False)
    def forward_step(x, state):
        return keras.tree.flatten(layer.cell(x, state, training=False)[1])

    @tf.function(autograph=False)
    def backward_step(x, state, gradient):
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(state)
            new_state = forward_step(x, state)
        return tape.gradient(new_state, state, gradient, tf.UnconnectedGradients.ZERO)

    steps = tf.unstack(tf.cast(inputs, layer.cell.compute_dtype), axis=1)
    steps = steps[::-1] if layer.go_backwards else steps
    state = layer.cell.get_initial_state(batch_size=len(inputs)) if initial_state is None else initial_state
    states = [[tf.cast(one, steps[0].dtype) for one in keras.tree.flatten(state)]]
    for x in steps:
        states.append(forward_step(x, states[-1]))

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

    squares = []  # for each timestep from the last to the first, (states, batch)
    for x, previous_state in zip(steps[::-1], states[-2::-1], strict=True):
        # In float64: in float32 the squares of small gradients would be 0.
        squares.append([np.sum(np.square(one, dtype=np.float64), axis=-1) for one in gradient])
        gradient = backward_step(x, previous_state, gradient)
    squares = np.array(squares[::-1])  # (timesteps, states, batch)
    by_state = dict(zip(STATES[cell], np.sqrt(squares).mean(axis=-1).T, strict=True))
    return {**by_state, "all": np.sqrt(squares.sum(axis=1)).mean(axis=-1)}
