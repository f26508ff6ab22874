"""What the gates of a trained layer do at each step, computed in NumPy from its weights by the published equations.

Keras keeps the weights of a layer's gates side by side, in the last axis of each array: an LSTM's in the order input,
forget, candidate, output ("i, f, c, o"), a GRU's in the order update, reset, candidate ("z, r, h"). Vectors are rows:
where papers write W x, it is x W here. `sigma` is the layer's `recurrent_activation`, `phi` its `activation`; * is by
elements.
"""

from collections.abc import Callable
from typing import Literal, NamedTuple

import keras
import numpy as np

from models.recurrent_settings import Cell

_CELLS = {"lstm": keras.layers.LSTMCell, "gru": keras.layers.GRUCell, "simple_rnn": keras.layers.SimpleRNNCell}


def cell_of(layer: keras.layers.Layer) -> Cell | None:
    """Which cell a layer of one direction steps through; None for a Bidirectional, or a layer with no such cell."""
    cell = layer.cell if isinstance(layer, keras.layers.RNN) else None
    return next((name for name, kind in _CELLS.items() if isinstance(cell, kind)), None)


def directions_of(layer: keras.layers.Layer) -> dict[str, keras.layers.Layer]:
    """Its layers of one direction: "forward", and of a Bidirectional "backward"; none if it is not recurrent."""
    both = isinstance(layer, keras.layers.Bidirectional)
    found = {"forward": layer.forward_layer, "backward": layer.backward_layer} if both else {"forward": layer}
    return found if all(cell_of(one) for one in found.values()) else {}


def recurrent_layers_of(model: keras.Model) -> list[keras.layers.Layer]:
    """The recurrent layers of a model, in the order in which they read: LSTM, GRU, SimpleRNN, or Bidirectional.

    Not those of a model inside of it, such as a translator's encoder: ask `model.get_layer("encoder")` itself.
    """
    return [layer for layer in model.layers if directions_of(layer)]


class LayerInputs(NamedTuple):
    """What a recurrent layer reads: `gates(layer, **read._asdict())` takes all of it.

    Attributes:
      inputs: (batch, timesteps, features).
      mask: bool (batch, timesteps), False at the steps that the layer skips; None where it reads every step.
      initial_state: (batch, units) each, as the layer takes them; None where it begins at zero.
    """

    inputs: np.ndarray
    mask: np.ndarray | None
    initial_state: list[np.ndarray] | None


def layer_inputs(model: keras.Model, number: int, inputs) -> LayerInputs:
    """What a recurrent layer of a model reads, without dropout.

    Args:
      model: functional or Sequential, built.
      number: of the layer, counted from 1 as in `recurrent_layers_of`; where a model uses it twice, its first use.
      inputs: the model's, such as ids (batch, timesteps); a list of arrays where the model has several.

    Raises:
      ValueError: if there is no such layer; it says how many there are.
    """
    layers = recurrent_layers_of(model)
    if not 1 <= number <= len(layers):
        count = f"{len(layers)} recurrent layer{'' if len(layers) == 1 else 's'}" if layers else "no recurrent layer"
        inside = [layer.name for layer in model.layers if isinstance(layer, keras.Model)]
        raise ValueError(
            f"there is no recurrent layer {number}: the model {model.name} has {count} of its own"
            + (f"; its layers {', '.join(inside)} are models, which may have some" if inside else "")
        )
    # Of the tensors that the layer was called with, the sequence alone has three axes, and the mask alone is bool.
    tensors = keras.tree.flatten(layers[number - 1].input)
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
    """Gates and states of every step, without dropout.

    Args:
      layer: an LSTM, GRU or SimpleRNN, or a Bidirectional of them, that has weights.
      inputs: (batch, timesteps, features), what the layer reads; see `layer_inputs`.
      mask: bool (batch, timesteps), False at the steps that are skipped; None reads every step.
      initial_state: (batch, units) each, as the layer takes them: h and c of an LSTM, h of the others; of a
        Bidirectional the forward layer's and then the backward layer's. Zeros if None.
      direction: of a Bidirectional its forward_layer or its backward_layer. Other layers have "forward" alone, even
        with `go_backwards`.

    Returns:
      Arrays float32 (batch, timesteps, units): of an LSTM "input", "forget", "output", "candidate", "cell", "state"; of
      a GRU "update", "reset", "candidate", "state"; of a SimpleRNN "state". The second axis is the place in the
      sequence, also for a layer that reads it from its end. At a skipped step states stay as they were, and gates,
      which the layer has not there, are NaN.

    Raises:
      ValueError: if the layer is not recurrent or has no weights yet, has no such direction, or takes another number of
        states.
    """
    found = directions_of(layer)
    if not found:
        raise ValueError(f"{layer.name} is no LSTM, GRU or SimpleRNN, and no Bidirectional of them")
    if direction not in found:
        raise ValueError(f"{layer.name} has no direction {direction}, only {' and '.join(found)}")
    one = found[direction]
    if not one.cell.built:
        raise ValueError(f"{layer.name} has no weights yet: call it, or its model, first")
    inputs = np.asarray(inputs, np.float32)
    batch, timesteps, _ = inputs.shape
    count = 2 if cell_of(one) == "lstm" else 1
    if initial_state is None:
        states = [np.zeros((batch, one.units), np.float32)] * count
    else:
        states = [np.asarray(state, np.float32) for state in initial_state]
        if len(states) != count * len(found):
            raise ValueError(f"{layer.name} takes {count * len(found)} states, not {len(states)}")
        states = states[-count:] if direction == "backward" else states[:count]
    mask = np.ones((batch, timesteps), bool) if mask is None else np.asarray(mask, bool)

    step = {"lstm": _lstm, "gru": _gru, "simple_rnn": _simple_rnn}[cell_of(one)](one.cell, inputs)
    places = range(timesteps)[::-1] if one.go_backwards else range(timesteps)
    by_place = {}
    for place in places:
        there = mask[:, place, None]
        values, after = step(place, states)
        states = [np.where(there, new, old) for new, old in zip(after, states, strict=True)]
        values = {name: np.where(there, value, np.float32(np.nan)) for name, value in values.items()}
        by_place[place] = {**values, **dict(zip(("cell", "state")[-count:], states[::-1], strict=True))}
    return {name: np.stack([by_place[place][name] for place in range(timesteps)], axis=1) for name in by_place[0]}


def layer_gates(
    model: keras.Model, number: int, inputs, *, direction: Literal["forward", "backward"] = "forward"
) -> dict[str, np.ndarray]:
    """`gates` of a recurrent layer of a model, for inputs of the model: see `layer_inputs`."""
    read = layer_inputs(model, number, inputs)
    return gates(recurrent_layers_of(model)[number - 1], **read._asdict(), direction=direction)


# A step of a layer: the place in the sequence and the states before, in Keras's order -> gates, and the states after.
_Step = Callable[[int, list[np.ndarray]], tuple[dict[str, np.ndarray], list[np.ndarray]]]


def _lstm(cell, inputs: np.ndarray) -> _Step:
    """The LSTM of Hochreiter and Schmidhuber 1997, "Long Short-Term Memory", with the forget gate of Gers, Schmidhuber
    and Cummins 2000, "Learning to Forget: Continual Prediction with LSTM"; no peepholes.

      input      i_t = sigma(x_t W_i + h_{t-1} U_i + b_i)
      forget     f_t = sigma(x_t W_f + h_{t-1} U_f + b_f)
      candidate  g_t = phi(x_t W_c + h_{t-1} U_c + b_c)
      output     o_t = sigma(x_t W_o + h_{t-1} U_o + b_o)
      cell       c_t = f_t * c_{t-1} + i_t * g_t
      state      h_t = o_t * phi(c_t)

    Keras's order in the weights is i, f, c, o.
    """
    kernel, recurrent, bias = _weights(cell)
    from_inputs = inputs @ kernel + (0 if bias is None else bias)
    sigma, phi = _in_numpy(cell.recurrent_activation), _in_numpy(cell.activation)

    def step(place, states):
        h, c = states
        i, f, g, o = np.split(from_inputs[:, place] + h @ recurrent, 4, axis=-1)
        i, f, g, o = sigma(i), sigma(f), phi(g), sigma(o)
        c = f * c + i * g
        return {"input": i, "forget": f, "output": o, "candidate": g}, [o * phi(c), c]

    return step


def _gru(cell, inputs: np.ndarray) -> _Step:
    """The GRU of Cho et al. 2014, "Learning Phrase Representations using RNN Encoder-Decoder for Statistical Machine
    Translation", arXiv 1406.1078, equations 5 to 8.

      update     z_t = sigma(x_t W_z + h_{t-1} U_z + b_z)
      reset      r_t = sigma(x_t W_r + h_{t-1} U_r + b_r)
      candidate  g_t = phi(x_t W_h + (r_t * h_{t-1}) U_h + b_h)              reset_after=False, the paper's version 3
                 g_t = phi(x_t W_h + b_h + r_t * (h_{t-1} U_h + b'_h))       reset_after=True, version 1 and cuDNN
      state      h_t = z_t * h_{t-1} + (1 - z_t) * g_t

    With reset_after the other two gates have a second bias too, b'_z and b'_r, beside the recurrent weights: the bias
    has two rows, b and b'. Keras's order in the weights is z, r, h. Where z is 1 the old state is kept, as in Cho et
    al.; Chung et al. 2014, "Empirical Evaluation of Gated Recurrent Neural Networks on Sequence Modeling", and many
    textbooks after it, name 1 - z what is z here.
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

    def step(place, states):
        (h,) = states
        z, r, g = np.split(from_inputs[:, place], 3, axis=-1)
        from_z, from_r = np.split(h @ of_gates + gates_bias, 2, axis=-1)
        z, r = sigma(z + from_z), sigma(r + from_r)
        from_state = r * (h @ of_candidate + candidate_bias) if cell.reset_after else (r * h) @ of_candidate
        g = phi(g + from_state)
        return {"update": z, "reset": r, "candidate": g}, [z * h + (1 - z) * g]

    return step


def _simple_rnn(cell, inputs: np.ndarray) -> _Step:
    """The network of Elman 1990, "Finding Structure in Time".

    state  h_t = phi(x_t W + h_{t-1} U + b)
    """
    kernel, recurrent, bias = _weights(cell)
    from_inputs = inputs @ kernel + (0 if bias is None else bias)
    phi = _in_numpy(cell.activation)
    return lambda place, states: ({}, [phi(from_inputs[:, place] + states[0] @ recurrent)])


def _weights(cell) -> list[np.ndarray | None]:
    """Kernel, recurrent kernel and bias (None without), in float32 whatever precision the layer has."""
    weights = (cell.kernel, cell.recurrent_kernel, cell.bias)
    return [None if one is None else keras.ops.convert_to_numpy(one).astype(np.float32) for one in weights]


def _in_numpy(activation: Callable) -> Callable[[np.ndarray], np.ndarray]:
    return lambda x: keras.ops.convert_to_numpy(activation(keras.ops.convert_to_tensor(x)))
