"""Gates and states of a trained recurrent layer at each timestep, computed in NumPy from the published equations.

Keras stores the weights of a layer's gates side by side, in the last axis of each array: of an LSTM in the order input,
forget, candidate, output ("i, f, c, o"), of a GRU in the order update, reset, candidate ("z, r, h"). Vectors are rows:
where papers write W x, it is x W here. `sigma` is the layer's `recurrent_activation`, `phi` its `activation`; * is the
elementwise product.
"""

from collections.abc import Callable
from typing import Literal, NamedTuple

import keras
import numpy as np

from models import recurrent_settings
from models.recurrent import import_class
from models.recurrent_settings import STATES, Cell

_CELL_CLASSES = {name: import_class(cell.cell) for name, cell in recurrent_settings.CELLS.items()}

# Names of the states in the results of `gates`.
_STATE_NAMES = {"h": "state", "c": "cell"}


def cell_of(layer: keras.layers.Layer) -> Cell | None:
    """Return the name of the layer's cell; None for a Bidirectional, or a layer without such a cell."""
    cell = layer.cell if isinstance(layer, keras.layers.RNN) else None
    return next((name for name, cell_class in _CELL_CLASSES.items() if isinstance(cell, cell_class)), None)


def directions_of(layer: keras.layers.Layer) -> dict[str, keras.layers.Layer]:
    """Return the layer of each direction.

    Args:
        layer: Any Keras layer.

    Returns:
        `"forward"`, and of a Bidirectional also `"backward"`, to the layer; empty if the layer is not recurrent.
    """
    both = isinstance(layer, keras.layers.Bidirectional)
    layers = {"forward": layer.forward_layer, "backward": layer.backward_layer} if both else {"forward": layer}
    return layers if all(cell_of(one) for one in layers.values()) else {}


def recurrent_layers_of(model: keras.Model) -> list[keras.layers.Layer]:
    """Return the recurrent layers of a model, first to last: LSTM, GRU, SimpleRNN, or Bidirectional of one.

    Layers of a nested model are not included: for those of a translator's encoder, pass `translator.encoder`.
    """
    return [layer for layer in model.layers if directions_of(layer)]


class LayerInputs(NamedTuple):
    """The inputs of a recurrent layer, in the form that `gates(layer, **layer_inputs._asdict())` accepts.

    Attributes:
        inputs: `(batch, timesteps, features)`.
        mask: Bool `(batch, timesteps)`, False at the timesteps that the layer skips; None if it skips none.
        initial_state: `(batch, units)` each, in the layer's order; None if the initial states are zero.
    """

    inputs: np.ndarray
    mask: np.ndarray | None
    initial_state: list[np.ndarray] | None


def layer_inputs(model: keras.Model, layer: int, inputs) -> LayerInputs:
    """Compute the inputs of a recurrent layer of a model, without dropout.

    Args:
        model: A functional or Sequential model that has been built.
        layer: Number of the layer in `recurrent_layers_of`, counted from 1. If the model uses it twice, its first use.
        inputs: The model's inputs, such as ids `(batch, timesteps)`; a list of arrays if the model has several.

    Returns:
        The layer's inputs.

    Raises:
        ValueError: If the model has no such layer; the message contains the number of its recurrent layers.
    """
    layers = recurrent_layers_of(model)
    if not 1 <= layer <= len(layers):
        count = f"{len(layers)} recurrent layer{'' if len(layers) == 1 else 's'}" if layers else "no recurrent layer"
        nested = [part.name for part in model.layers if isinstance(part, keras.Model)]
        raise ValueError(
            f"no recurrent layer {layer}: the model {model.name} has {count}"
            + (f", not counting those of its nested models {', '.join(nested)}" if nested else "")
        )
    # Of the tensors that the layer was called with, only the sequence has three axes, and only the mask is bool.
    tensors = keras.tree.flatten(layers[layer - 1].input)
    given = zip(keras.tree.flatten(inputs), model.inputs, strict=True)
    values = keras.Function(model.inputs, tensors)(
        [keras.ops.convert_to_tensor(x, tensor.dtype) for x, tensor in given]
    )
    sequence, mask, states = None, None, []
    for tensor, value in zip(tensors, values, strict=True):
        if len(tensor.shape) == 3:
            sequence = keras.ops.convert_to_numpy(value)
        elif keras.backend.standardize_dtype(tensor.dtype) == "bool":
            mask = keras.ops.convert_to_numpy(value)
        else:
            states.append(keras.ops.convert_to_numpy(value))
    return LayerInputs(sequence, mask, states or None)


def gates(
    layer: keras.layers.Layer,
    inputs: np.ndarray,
    *,
    mask: np.ndarray | None = None,
    initial_state: list[np.ndarray] | None = None,
    direction: Literal["forward", "backward"] = "forward",
) -> dict[str, np.ndarray]:
    """Compute the gates and states of every timestep, without dropout.

    Args:
        layer: An LSTM, GRU or SimpleRNN, or a Bidirectional of one, that has weights.
        inputs: The layer's inputs `(batch, timesteps, features)`; see `layer_inputs`.
        mask: Bool `(batch, timesteps)`, False at the timesteps to skip; None skips none.
        initial_state: `(batch, units)` each, in the layer's order: h and c of an LSTM, h of the others; of a
            Bidirectional those of the forward layer and then those of the backward layer. Zeros if None.
        direction: Layer of a Bidirectional. Other layers have `"forward"` only, also with `go_backwards`.

    Returns:
        Float32 arrays `(batch, timesteps, units)`: of an LSTM "input", "forget", "output", "candidate", "cell",
        "state"; of a GRU "update", "reset", "candidate", "state"; of a SimpleRNN "state". The second axis is the
        position in the sequence, also for a layer that processes it from its end. At a skipped timestep the states
        keep their values, and the gates, which are not computed, are NaN.

    Raises:
        ValueError: If the layer is not recurrent, has no weights yet, has no such direction, or has another number of
            states.
    """
    layers = directions_of(layer)
    if not layers:
        raise ValueError(f"{layer.name} is no LSTM, GRU or SimpleRNN, and no Bidirectional of them")
    if direction not in layers:
        raise ValueError(f"{layer.name} has no direction {direction}, only {' and '.join(layers)}")
    one = layers[direction]
    if not one.cell.built:
        raise ValueError(f"{layer.name} has no weights yet: call it, or its model, first")
    inputs = np.asarray(inputs, np.float32)
    batch, timesteps, _ = inputs.shape
    state_names = [_STATE_NAMES[name] for name in STATES[cell_of(one)]]
    count = len(state_names)
    if initial_state is None:
        states = [np.zeros((batch, one.units), np.float32)] * count
    else:
        states = [np.asarray(state, np.float32) for state in initial_state]
        if len(states) != count * len(layers):
            raise ValueError(f"{layer.name} takes {count * len(layers)} states, not {len(states)}")
        states = states[-count:] if direction == "backward" else states[:count]
    mask = np.ones((batch, timesteps), bool) if mask is None else np.asarray(mask, bool)

    step = EQUATIONS[cell_of(one)](one.cell, inputs)
    results = {}
    for time in range(timesteps)[::-1] if one.go_backwards else range(timesteps):
        step_mask = mask[:, time, None]
        values, new_states = step(time, states)
        states = [np.where(step_mask, new, old) for new, old in zip(new_states, states, strict=True)]
        values = {name: np.where(step_mask, value, np.float32(np.nan)) for name, value in values.items()}
        results[time] = {**values, **dict(zip(state_names[::-1], states[::-1], strict=True))}
    return {name: np.stack([results[time][name] for time in range(timesteps)], axis=1) for name in results[0]}


def layer_gates(
    model: keras.Model, layer: int, inputs, *, direction: Literal["forward", "backward"] = "forward"
) -> dict[str, np.ndarray]:
    """Compute the gates and states of a recurrent layer of a model.

    Args:
        model: See `layer_inputs`.
        layer: See `layer_inputs`.
        inputs: See `layer_inputs`.
        direction: See `gates`.

    Returns:
        See `gates`.
    """
    values = layer_inputs(model, layer, inputs)
    return gates(recurrent_layers_of(model)[layer - 1], **values._asdict(), direction=direction)


# One timestep of a layer: the position in the sequence and the states before, in Keras's order, to the gates and the
# states after.
_Step = Callable[[int, list[np.ndarray]], tuple[dict[str, np.ndarray], list[np.ndarray]]]


def _lstm(cell, inputs: np.ndarray) -> _Step:
    """LSTM of Hochreiter and Schmidhuber 1997 with the forget gate of Gers, Schmidhuber and Cummins 2000, no peepholes.

      input      i_t = sigma(x_t W_i + h_{t-1} U_i + b_i)
      forget     f_t = sigma(x_t W_f + h_{t-1} U_f + b_f)
      candidate  g_t = phi(x_t W_c + h_{t-1} U_c + b_c)
      output     o_t = sigma(x_t W_o + h_{t-1} U_o + b_o)
      cell       c_t = f_t * c_{t-1} + i_t * g_t
      state      h_t = o_t * phi(c_t)

    Sources: "Long Short-Term Memory"; "Learning to Forget: Continual Prediction with LSTM". Keras's order in the
    weights is i, f, c, o.
    """
    kernel, recurrent, bias = _weights(cell)
    from_inputs = inputs @ kernel + (0 if bias is None else bias)
    sigma, phi = _in_numpy(cell.recurrent_activation), _in_numpy(cell.activation)

    def step(time, states):
        h, c = states
        i, f, g, o = np.split(from_inputs[:, time] + h @ recurrent, 4, axis=-1)
        i, f, g, o = sigma(i), sigma(f), phi(g), sigma(o)
        c = f * c + i * g
        return {"input": i, "forget": f, "output": o, "candidate": g}, [o * phi(c), c]

    return step


def _gru(cell, inputs: np.ndarray) -> _Step:
    """GRU of Cho et al. 2014, arXiv 1406.1078, equations 5 to 8.

      update     z_t = sigma(x_t W_z + h_{t-1} U_z + b_z)
      reset      r_t = sigma(x_t W_r + h_{t-1} U_r + b_r)
      candidate  g_t = phi(x_t W_h + (r_t * h_{t-1}) U_h + b_h)              reset_after=False, the paper's version 3
                 g_t = phi(x_t W_h + b_h + r_t * (h_{t-1} U_h + b'_h))       reset_after=True, version 1 and cuDNN
      state      h_t = z_t * h_{t-1} + (1 - z_t) * g_t

    Source: "Learning Phrase Representations using RNN Encoder-Decoder for Statistical Machine Translation". With
    reset_after the other two gates have a second bias too, b'_z and b'_r, next to the recurrent weights: the bias has
    two rows, b and b'. Keras's order in the weights is z, r, h. Where z is 1 the old state is kept, as in Cho et al.;
    Chung et al. 2014, "Empirical Evaluation of Gated Recurrent Neural Networks on Sequence Modeling", and many
    textbooks after it, use the name z for 1 - z.
    """
    kernel, recurrent, bias = _weights(cell)
    if bias is None:
        bias = np.zeros((2, 1), np.float32)
    elif not cell.reset_after:
        bias = np.stack([bias, np.zeros_like(bias)])
    from_inputs = inputs @ kernel + bias[0]
    of_gates, of_candidate = np.split(recurrent, [2 * cell.units], axis=1)
    gates_bias, candidate_bias = np.split(np.broadcast_to(bias[1], 3 * cell.units), [2 * cell.units])
    sigma, phi = _in_numpy(cell.recurrent_activation), _in_numpy(cell.activation)

    def step(time, states):
        (h,) = states
        z, r, g = np.split(from_inputs[:, time], 3, axis=-1)
        from_z, from_r = np.split(h @ of_gates + gates_bias, 2, axis=-1)
        z, r = sigma(z + from_z), sigma(r + from_r)
        from_state = r * (h @ of_candidate + candidate_bias) if cell.reset_after else (r * h) @ of_candidate
        g = phi(g + from_state)
        return {"update": z, "reset": r, "candidate": g}, [z * h + (1 - z) * g]

    return step


def _simple_rnn(cell, inputs: np.ndarray) -> _Step:
    """Network of Elman 1990, "Finding Structure in Time".

    state  h_t = phi(x_t W + h_{t-1} U + b)
    """
    kernel, recurrent, bias = _weights(cell)
    from_inputs = inputs @ kernel + (0 if bias is None else bias)
    phi = _in_numpy(cell.activation)
    return lambda time, states: ({}, [phi(from_inputs[:, time] + states[0] @ recurrent)])


# The equations of each cell of `models.recurrent_settings.CELLS`.
EQUATIONS: dict[str, Callable[[keras.layers.Layer, np.ndarray], _Step]] = {
    "lstm": _lstm,
    "gru": _gru,
    "simple_rnn": _simple_rnn,
}


def _weights(cell) -> list[np.ndarray | None]:
    """Return kernel, recurrent kernel and bias (None without), in float32 for any dtype of the layer."""
    weights = (cell.kernel, cell.recurrent_kernel, cell.bias)
    return [None if one is None else keras.ops.convert_to_numpy(one).astype(np.float32) for one in weights]


def _in_numpy(activation: Callable) -> Callable[[np.ndarray], np.ndarray]:
    return lambda x: keras.ops.convert_to_numpy(activation(keras.ops.convert_to_tensor(x)))
