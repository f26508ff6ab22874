"""RecurrentSettings -> keras.layers.LSTM, GRU or SimpleRNN, stacked, in one or both directions."""

import keras

from models import keras_objects
from models.recurrent_settings import ABSENT, RecurrentSettings


@keras.saving.register_keras_serializable("models")
class SimpleRNN(keras.layers.SimpleRNN):
    """`keras.layers.SimpleRNN` with the two arguments that Keras 3.15 loses there.

    It drops `activity_regularizer`, and leaves `seed` out of its config, so that it is gone in a Bidirectional.
    """

    def __init__(self, units, activity_regularizer=None, **kwargs):
        super().__init__(units, **kwargs)
        self.activity_regularizer = keras.regularizers.get(activity_regularizer)

    def get_config(self):
        return {**super().get_config(), "seed": self.cell.seed}


@keras.saving.register_keras_serializable("models")
class NotPadding(keras.layers.Layer):
    """ids -> True where there is a piece, False at padding, 0; the first step always counts, so no text is empty."""

    def call(self, ids):
        return keras.ops.logical_or(ids != 0, keras.ops.arange(keras.ops.shape(ids)[1]) == 0)


CELLS = {"lstm": keras.layers.LSTM, "gru": keras.layers.GRU, "simple_rnn": SimpleRNN}

# The states of a layer, in the order that Keras gives them.
STATES = {"lstm": ("h", "c"), "gru": ("h",), "simple_rnn": ("h",)}

# Settings that describe the stack and not one layer; every other one is an argument of the Keras layer.
_OF_THE_STACK = ("cell", "layers", "bidirectional", "merge_mode", "time_major")


def layer_arguments(settings: RecurrentSettings) -> dict:
    """The keyword arguments of the Keras layer, as Keras objects where Keras takes objects.

    A setting that is None where None means Keras's own default, or that the cell does not have, is left out.
    """
    arguments = {}
    for name, value in settings:
        if name in _OF_THE_STACK or name in ABSENT[settings.cell]:
            continue
        if value is None and name in ("recurrent_activation", "unit_forget_bias", "reset_after"):
            continue
        kind = name.rpartition("_")[2]
        if kind in keras_objects.ARGUMENTS:
            value = keras_objects.build(kind, value)
        arguments[name] = value
    return arguments


def recurrent_layers(
    settings: RecurrentSettings, name: str = "recurrent", dtype: keras.DTypePolicy | None = None
) -> list[keras.layers.Layer]:
    """The layers of the stack, first to last, not yet connected; of the global dtype policy if none is given.

    Every layer but the last gives its whole sequence; the last does as `return_sequences` says. Each is a Keras LSTM,
    GRU or SimpleRNN, in a Bidirectional where `bidirectional` is set.
    """
    layers = []
    for index in range(settings.layers):

        def make(index=index, **changes):
            arguments = layer_arguments(settings)
            if index < settings.layers - 1:
                arguments["return_sequences"] = True
            if settings.seed is not None:
                arguments["seed"] = settings.seed + index
            return CELLS[settings.cell](**{**arguments, "dtype": dtype, **changes})

        layer_name = f"{name}_{index + 1}"
        if settings.bidirectional:
            # Of its own accord Keras makes the second direction only for a layer that goes forwards.
            second = make(go_backwards=False) if settings.go_backwards else None
            layers.append(
                keras.layers.Bidirectional(make(), settings.merge_mode, backward_layer=second, name=layer_name)
            )
        else:
            layers.append(make(name=layer_name))
    return layers


def reverse_time(sequence):
    """The steps of `sequence` (batch, time, ...) from last to first, padding included."""
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
    """Connects the stack to `inputs`.

    Args:
      settings: what to build.
      inputs: (batch, timesteps, features), or (timesteps, batch, features) with `time_major`.
      mask: (batch, timesteps) booleans, False for padding; or (timesteps, batch) with `time_major`.
      initial_state: one list of state tensors (batch, units) for each layer, as `return_state` gives them.
      layer_dropout: share of each output dropped on its way to the next layer.
      residual: each layer but the first adds its output to its input (He et al. 2016); needs `return_sequences`.
      layers: made by `recurrent_layers` before, to share their weights; made here if None.

    Returns:
      The output of the last layer: (batch, units), or with `return_sequences` (batch, timesteps, units); twice the
      units for `bidirectional` with `concat`; a list of two for `merge_mode` None. With `return_state` a pair of that
      output and one list of state tensors for each layer. With `go_backwards` the returned sequence runs from the last
      step to the first, as Keras gives it; between two layers it is turned round again, so that each layer reads the
      text from its end and the mask fits.
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
        below = output
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
            output = output + (reverse_time(below) if settings.go_backwards else below)
    if settings.time_major and settings.return_sequences:
        swap = lambda sequence: keras.ops.swapaxes(sequence, 0, 1)  # noqa: E731
        output = [swap(direction) for direction in output] if isinstance(output, list) else swap(output)
    return (output, states) if settings.return_state else output


def stack_step(
    cells: list, x, states: list, *, residual: bool = False, masks: list | None = None, training: bool = False
) -> tuple:
    """One time step of a stack, by the cells of its layers.

    Args:
      cells: `layer.cell` of each layer, first to last.
      x: (batch, features).
      states: of all layers one after the other, each (batch, units).
      residual: each layer but the first adds its output to its input.
      masks: (batch, units) for each layer but the first: a factor of what it reads, for dropout.

    Returns: the last layer's output (batch, units), and the states after the step.
    """
    after, size = [], len(states) // len(cells)
    for index, cell in enumerate(cells):
        below = x
        x = x * masks[index - 1] if masks and index else x
        x, new = cell(x, list(states[index * size : (index + 1) * size]), training=training)
        x = x + below if residual and index else x
        after += new
    return x, after
