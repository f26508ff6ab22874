"""Base class of the networks: functional Keras models that are saved as their settings."""

import contextlib
from collections.abc import Iterator

import keras
import tensorflow as tf

from models.recurrent_settings import Settings


@contextlib.contextmanager
def global_dtype_policy(policy: str | keras.DTypePolicy) -> Iterator[None]:
    """Set Keras's global dtype policy in a `with` block, and restore the previous one afterwards.

    Args:
        policy: The policy or its name, such as `"mixed_bfloat16"`.
    """
    previous = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(previous)


class PaddedInputs:
    """Mixin of models that read padded ids: other inputs are a `ValueError` that says what is expected."""

    def __call__(self, *args, **kwargs):
        """Call the model; see `keras.Model.__call__`."""
        check_padded(self.name, args)
        return super().__call__(*args, **kwargs)

    def fit(self, x=None, *args, **kwargs):
        """Train the model; see `keras.Model.fit`."""
        check_padded(self.name, x)
        return super().fit(x, *args, **kwargs)

    def evaluate(self, x=None, *args, **kwargs):
        """Evaluate the model; see `keras.Model.evaluate`."""
        check_padded(self.name, x)
        return super().evaluate(x, *args, **kwargs)

    def predict(self, x, *args, **kwargs):
        """Compute the outputs of the model; see `keras.Model.predict`."""
        check_padded(self.name, x)
        return super().predict(x, *args, **kwargs)


def check_padded(name: str, inputs) -> None:
    """Reject inputs that cannot be padded ids.

    Args:
        name: Name of the model, for the message.
        inputs: An input, or a structure of them.

    Raises:
        ValueError: If an input is ragged, a Python list, or text.
    """
    for value in keras.tree.flatten(inputs):
        kind = getattr(getattr(value, "dtype", None), "kind", "")  # of a NumPy array
        if isinstance(value, tf.RaggedTensor):
            problem, remedy = "ragged", "ids.to_tensor(0), or padded_batch of a tf.data.Dataset"
        elif kind == "O" or (isinstance(value, int | float) and not isinstance(value, bool)):
            problem, remedy = "a list of Python objects", 'keras.utils.pad_sequences(ids, padding="post")'
        elif kind in ("U", "S") or isinstance(value, str | bytes) or (tf.is_tensor(value) and value.dtype == tf.string):
            problem, remedy = "text", "keras.layers.TextVectorization, or SentencePieceText of models.text"
        else:
            continue
        raise ValueError(
            f"{name}: an input is {problem}; expected int32 ids (batch, timesteps), padded on the right with 0. "
            f"Use {remedy}"
        )


class Network(PaddedInputs, keras.Model):
    """A functional model whose subclasses build it from settings and keep its parts as attributes.

    A saved model contains the constructor's arguments and the weights. Loading calls the constructor again, under the
    dtype policy that the network was built with, and so restores the attributes too.

    A subclass defines `arguments`, and registers itself with `keras.saving.register_keras_serializable("models")`. Its
    constructor connects the parts, calls `super().__init__(inputs, outputs, name=...)`, and sets the attributes after
    that, because Keras accepts layers as attributes only then.
    """

    def arguments(self) -> dict:
        """Return the constructor's arguments, with settings as dicts (see `settings_dict`)."""
        raise NotImplementedError

    def get_config(self):
        """Return the constructor's arguments, the name of the dtype policy, and which layers are frozen."""
        frozen = [number for number, layer in enumerate(self._flatten_layers()) if not layer.trainable]
        return {**self.arguments(), "dtype": self.dtype_policy.name} | ({"frozen": frozen} if frozen else {})

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """Build the network from `get_config`, under the dtype policy that it was built with."""
        arguments = {name: value for name, value in config.items() if name not in ("dtype", "frozen")}
        with global_dtype_policy(config["dtype"]):
            network = cls(**arguments)
        if "frozen" in config:
            for number, layer in enumerate(network._flatten_layers()):  # a layer before the layers inside it
                layer.trainable = number not in config["frozen"]
        return network


@keras.saving.register_keras_serializable("models")
class TrainingModel(PaddedInputs, keras.Model):
    """A functional model that shares the weights of a network, and is compiled and trained in its place.

    The optimizer belongs to it, so a saved network contains no optimizer. A saved training model contains the network.

    Args:
        model: The network; its method `training_model` returns this model.
        inputs: Symbolic inputs.
        outputs: Symbolic outputs.
        name: Name of the model.
        arguments: Those that `model.training_model` was called with.
    """

    def __init__(self, model: Network, inputs, outputs, name: str, arguments: dict | None = None):
        super().__init__(inputs, outputs, name=name)
        self._arguments = arguments or {}
        # A function, so that Keras does not count the network's other layers as layers of this model.
        self._network = lambda: model

    @property
    def model(self) -> Network:
        """The network."""
        return self._network()

    def get_config(self):
        """Return the network's config, and the arguments of its method `training_model`."""
        return {"model": keras.saving.serialize_keras_object(self.model)} | self._arguments

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """Build the network, and from it the training model."""
        arguments = {name: value for name, value in config.items() if name != "model"}
        return keras.saving.deserialize_keras_object(config["model"], custom_objects).training_model(**arguments)


def settings_dict(settings: Settings, settings_class: type[Settings]) -> dict:
    """Return the fields of `settings_class` as JSON types, without those that a subclass may have added."""
    return settings.model_dump(mode="json", include=set(settings_class.model_fields))
