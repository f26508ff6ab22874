"""Base class of the networks: functional Keras models that are saved as their settings."""

import contextlib
from collections.abc import Iterator

import keras

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


class Network(keras.Model):
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
        """Return the constructor's arguments and the name of the dtype policy."""
        return {**self.arguments(), "dtype": self.dtype_policy.name}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """Build the network from `get_config`, under the dtype policy that it was built with."""
        arguments = {name: value for name, value in config.items() if name != "dtype"}
        with global_dtype_policy(config["dtype"]):
            return cls(**arguments)


def settings_dict(settings: Settings, settings_class: type[Settings]) -> dict:
    """Return the fields of `settings_class` as JSON types, without those that a subclass may have added."""
    return settings.model_dump(mode="json", include=set(settings_class.model_fields))
