"""Stacks of recurrent Keras layers, built from `RecurrentSettings`."""

import importlib
import weakref

import keras

from models import bfloat16_layers, keras_objects, recurrent_settings
from models.float32_regularizer import Float32Regularizer
from models.recurrent_settings import ABSENT, STATES, RecurrentSettings

__all__ = [
    "CELLS",
    "STATES",
    "PaddingMask",
    "import_class",
    "layer_arguments",
    "recurrent_layers",
    "recurrent_stack",
    "reverse_time",
    "stack_step",
]


@keras.saving.register_keras_serializable("models")
class PaddingMask(keras.layers.Layer):
    """Mask of ids: False at padding, which is id 0, on the right.

    The first timestep is always True, so that a recurrent layer has at least one timestep of each text.
    """

    def call(self, ids):
        """Compute the mask.

        Args:
            ids: Int32 `(batch, timesteps)`.

        Returns:
            Bool `(batch, timesteps)`.
        """
        return keras.ops.logical_or(ids != 0, keras.ops.arange(keras.ops.shape(ids)[1]) == 0)


def import_class(name: str) -> type:
    """Import a class.

    Args:
        name: `"module:class"`, as in `models.recurrent_settings.CELLS`.

    Returns:
        The class.
    """
    module, _, attribute = name.partition(":")
    return getattr(importlib.import_module(module), attribute)


# The layer class of each cell.
CELLS = {name: import_class(cell.layer) for name, cell in recurrent_settings.CELLS.items()}
# The one that takes its place under the dtype policy mixed_bfloat16.
BFLOAT16_CELLS = CELLS | {
    "lstm": bfloat16_layers.LSTM,
    "gru": bfloat16_layers.GRU,
    "simple_rnn": bfloat16_layers.SimpleRNN,
}

# The layer that each Bidirectional copied, kept as long as the Bidirectional. Keras identifies objects by `id` while it
# loads a model: if the copied layer were freed, a new layer with the same `id` would be taken for it.
_TEMPLATES = weakref.WeakKeyDictionary()

# Settings of the stack; all other settings are arguments of the Keras layer.
_STACK_SETTINGS = ("cell", "layers", "bidirectional", "merge_mode", "time_major")


def layer_arguments(settings: RecurrentSettings, dtype: keras.DTypePolicy | None = None) -> dict:
    """Return the keyword arguments of the Keras layer.

    Arguments that the cell does not have are left out, and so is None where it means Keras's default.

    Args:
        settings: Settings of the stack.
        dtype: The layer's dtype policy; None is the global one.

    Returns:
        The arguments; initializers, regularizers, constraints and activations are Keras objects.
    """
    arguments = {}
    for name, value in settings:
        if name in _STACK_SETTINGS or name in ABSENT[settings.cell]:
            continue
        if value is None and name in ("recurrent_activation", "unit_forget_bias", "reset_after"):
            continue
        kind = name.rpartition("_")[2]
        if kind in keras_objects.ARGUMENTS:
            value = keras_objects.build(kind, value)
            if kind == "regularizer" and value is not None and _policy(dtype).name != "float32":
                value = Float32Regularizer(value)
        arguments[name] = value
    return arguments


def recurrent_layers(
    settings: RecurrentSettings, name: str = "recurrent", dtype: keras.DTypePolicy | None = None
) -> list[keras.layers.Layer]:
    """Create the layers of a stack, without connecting them.

    All layers except the last return sequences; the last one follows `settings.return_sequences`.

    Args:
        settings: Settings of the stack.
        name: Prefix of the layers' names.
        dtype: The layers' dtype policy; None is the global one.

    Returns:
        The layers, first to last: LSTM, GRU or SimpleRNN, wrapped in a Bidirectional if `bidirectional` is set.
    """
    layers = []
    for index in range(settings.layers):

        def make(index=index, **changes):
            arguments = layer_arguments(settings, dtype)
            if index < settings.layers - 1:
                arguments["return_sequences"] = True
            if settings.seed is not None:
                arguments["seed"] = settings.seed + index
            return _layer_class(settings.cell, dtype)(**{**arguments, "dtype": dtype, **changes})

        layer_name = f"{name}_{index + 1}"
        if settings.bidirectional:
            # Keras derives the backward layer itself only from a layer with go_backwards=False.
            backward = make(go_backwards=False) if settings.go_backwards else None
            forward = make()
            layer = keras.layers.Bidirectional(forward, settings.merge_mode, backward_layer=backward, name=layer_name)
            _TEMPLATES[layer] = forward
            layers.append(layer)
        else:
            layers.append(make(name=layer_name))
    return layers


def _policy(dtype: keras.DTypePolicy | None) -> keras.DTypePolicy:
    return dtype or keras.config.dtype_policy()


def _layer_class(cell: str, dtype: keras.DTypePolicy | None) -> type:
    in_bfloat16 = _policy(dtype).compute_dtype == "bfloat16"
    return BFLOAT16_CELLS[cell] if in_bfloat16 else CELLS[cell]


def reverse_time(sequence):
    """Reverse a sequence `(batch, timesteps, ...)` in time, including its padding."""
    return keras.ops.flip(sequence, axis=1)


def recurrent_stack(
    settings: RecurrentSettings,
    inputs,
    *,
    mask=None,
    initial_state=None,
    layer_dropout: float = 0.0,
    residual: bool = False,
    layers: list[keras.layers.Layer] | None = None,
):
    """Connect a recurrent stack to its inputs.

    Args:
        settings: Settings of the stack.
        inputs: `(batch, timesteps, features)`, or `(timesteps, batch, features)` with `time_major`.
        mask: Bool `(batch, timesteps)`, False at padding; `(timesteps, batch)` with `time_major`.
        initial_state: For each layer a list of states `(batch, units)`, as returned with `return_state`.
        layer_dropout: Fraction of each layer's output to drop before the next layer.
        residual: Whether to add the input of each layer except the first to its output (He et al. 2016); needs
            `return_sequences`.
        layers: The layers, from `recurrent_layers`; None creates them.

    Returns:
        The output of the last layer: `(batch, units)`, or `(batch, timesteps, units)` with `return_sequences`. The
        last axis is twice as long for `bidirectional` with `concat`; `merge_mode` None returns a list of two outputs.
        With `return_state`, a pair of the output and a list of states for each layer. With `go_backwards` the output
        sequence is in reverse order, as in Keras; between two layers it is reversed again, so that each layer
        processes the text from its end and the mask fits.

    Example:
        >>> settings = RecurrentSettings(cell="gru", units=32, layers=2, bidirectional=True)
        >>> recurrent_stack(settings, keras.Input((None, 16))).shape
        (None, 64)
    """
    if layers is None:
        layers = recurrent_layers(settings)
    if settings.time_major:
        inputs = keras.ops.swapaxes(inputs, 0, 1)
        mask = None if mask is None else keras.ops.swapaxes(mask, 0, 1)
    output, states = inputs, []
    for index, layer in enumerate(layers):
        if index and settings.go_backwards:
            output = reverse_time(output)
        layer_input = output
        if index and layer_dropout:
            output = keras.layers.Dropout(layer_dropout)(output)
        results = layer(output, mask=mask, initial_state=None if initial_state is None else initial_state[index])
        if settings.return_state:
            sequences = 2 if settings.merge_mode is None else 1
            results = list(results)
            output = results[:sequences] if sequences > 1 else results[0]
            states.append(results[sequences:])
        else:
            output = list(results) if settings.merge_mode is None else results
        if residual and index:
            output = output + (reverse_time(layer_input) if settings.go_backwards else layer_input)
    if settings.time_major and settings.return_sequences:
        swap = lambda sequence: keras.ops.swapaxes(sequence, 0, 1)  # noqa: E731
        output = [swap(direction) for direction in output] if isinstance(output, list) else swap(output)
    return (output, states) if settings.return_state else output


def stack_step(
    cells: list, inputs, states: list, *, residual: bool = False, masks: list | None = None, training: bool = False
) -> tuple:
    """Compute one timestep of a stack with the cells of its layers.

    Args:
        cells: `layer.cell` of each layer, first to last.
        inputs: `(batch, features)`.
        states: The states of all layers in one list, `(batch, units)` each.
        residual: Whether to add the input of each layer except the first to its output.
        masks: For each layer except the first a dropout mask `(batch, units)` that its input is multiplied with.
        training: Whether the cells apply their own dropout.

    Returns:
        The last layer's output `(batch, units)`, and the list of states after the timestep.
    """
    output, new_states, size = inputs, [], len(states) // len(cells)
    for index, cell in enumerate(cells):
        layer_input = output
        output = output * masks[index - 1] if masks and index else output
        output, new = cell(output, list(states[index * size : (index + 1) * size]), training=training)
        output = output + layer_input if residual and index else output
        new_states += new
    return output, new_states
