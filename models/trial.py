"""Tries the Keras values of the settings, before a network is built with them.

Whether a value fits the weights that it is for (an axis, the shape of a constant, an activation that changes the number
of features) shows only when it is used. So each value that is not the default is used once, in a separate layer.
"""

import re
from collections.abc import Callable

import keras

from models import keras_objects
from models.network_settings import ClassifierSettings, NetworkSettings, TranslatorSettings
from models.recurrent import recurrent_layers
from models.recurrent_settings import ABSENT, RecurrentSettings, changed_keras_values

# Longer parts of Keras's messages are cut.
MAX_MESSAGE = 200


def try_values(recurrent: RecurrentSettings, network: NetworkSettings, features: int | None = None) -> None:
    """Use each initializer, regularizer, constraint and activation once.

    Args:
        recurrent: Settings of the recurrent stack.
        network: Settings of the network around it.
        features: Size of the stack's input; that of the embedding if None.

    Raises:
        ValueError: If one fails; the message names the setting, its value and the reason.
    """
    size = features or network.embedding_size
    if not isinstance(network, ClassifierSettings):  # the others use the output of every timestep
        recurrent = recurrent.model_copy(update={"return_sequences": True})
    stacks = [recurrent]
    if isinstance(network, TranslatorSettings):
        stacks.append(network.decoder(recurrent))
        for name, kind, value in changed_keras_values(network):
            _try(name, value, lambda kind=kind, value=value: keras_objects.build(kind, value)((11, size)))
    for stack in stacks:
        for name, _, value in changed_keras_values(stack):
            if name not in ABSENT[stack.cell]:
                _try(name, value, lambda stack=stack, name=name, value=value: _use(stack, size, {name: value}))


def _try(name: str, value: str, use: Callable[[], object]) -> None:
    try:
        use()
    except MemoryError:
        raise
    except Exception as error:  # Keras and TensorFlow raise errors of many classes
        # Without colours, the name of an operation's node, and the arguments of Keras's call.
        reason = re.sub(r"\x1b\[\d+m|\{\{.*?\}\}|\[Op:\w+\] name:|Arguments received by.*", "", str(error), flags=re.S)
        reason = " ".join(reason.split()).removeprefix("Exception encountered when calling ")
        reason = reason if len(reason) <= MAX_MESSAGE else f"{reason[:MAX_MESSAGE]} ..."
        raise ValueError(
            f"{name}={value} cannot be used here ({reason or type(error).__name__}); take another value"
        ) from None


def _use(stack: RecurrentSettings, features: int, values: dict[str, str]) -> None:
    """Call a layer that has these values and otherwise cheap ones, and apply its regularizers and constraints."""
    cheap = dict.fromkeys(("kernel_initializer", "recurrent_initializer", "bias_initializer"), "zeros")
    (layer,) = recurrent_layers(
        RecurrentSettings(
            cell=stack.cell,
            units=stack.units,
            use_bias=stack.use_bias,
            reset_after=stack.reset_after,
            return_sequences=stack.return_sequences or stack.layers > 1,
            unroll=True,  # a loop that fails logs another message
            **cheap | values,
        )
    )
    layer(keras.ops.ones((2, 3, features)))
    keras.tree.map_structure(float, layer.losses)
    for variable in layer.trainable_variables:
        if variable.constraint is not None:
            variable.constraint(variable)
