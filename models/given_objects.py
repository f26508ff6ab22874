"""Keras objects that a caller in Python gives in place of their names: written as a value of `models.keras_objects`."""

import json
from typing import Any

from models.keras_objects import Kind, check, find

REGISTER = "@keras.saving.register_keras_serializable()"


def is_object(value: Any) -> bool:
    """Return whether a value is a Keras object, or what may be meant as one: a class or a function."""
    return callable(value) or hasattr(value, "get_config")


def as_value(kind: Kind, given: Any) -> str:
    """Return an initializer, a regularizer, a constraint or an activation as a text from which `build` makes it again.

    Args:
        kind: As for `models.keras_objects.check`.
        given: The object; or its class, for an object with Keras's defaults.

    Returns:
        The name, with the arguments that are not the defaults, such as `l2(l2=0.001)`; Keras's JSON form of an object
        of a registered class, or with objects among its arguments.

    Raises:
        TypeError: If it is of another kind, or could not be made again in another process.
    """
    import keras

    module, name = getattr(keras, f"{kind}s"), getattr(given, "__name__", type(given).__name__)
    if name == "<lambda>":
        raise TypeError(
            f"a lambda cannot be stored; give the name of a Keras {kind}, or a function with {REGISTER} before it"
        )
    known = find(kind, name)
    is_of_keras = known is not None and getattr(module, known) in (given, type(given))
    if kind == "activation" and is_of_keras:
        return known
    registered = keras.saving.get_registered_name(given if hasattr(given, "__name__") else type(given))
    is_registered = keras.saving.get_registered_object(registered) is not None
    if not is_of_keras and not is_registered:
        other = f"give the name {known!r} for that of Keras" if known else "give one of Keras"
        raise TypeError(f"{name} is no {kind} of Keras and is not registered; {other}, or put {REGISTER} before yours")
    try:
        given = given() if isinstance(given, type) else given
        stored = _stored(module, given)
        again = module.get(json.loads(json.dumps(stored)))
        same = _stored(module, again) == stored and (is_of_keras or _state(again) == _state(given))
    except Exception as error:  # a class may raise anything
        reason = " ".join(str(error).split())
        raise TypeError(f"{name} cannot be stored and made again: {reason[:200]}; correct its get_config()") from None
    if not same:
        raise TypeError(f"{name} is another one after it was stored and made again; correct its get_config()")
    return check(kind, json.dumps(stored) if is_registered else _as_call(module, known, stored))


def _state(given: Any) -> dict[str, Any]:
    """Return the plain attributes of an object, without the seed, which may be drawn when it is made."""
    plain = (bool, int, float, str, type(None))
    return {name: value for name, value in vars(given).items() if isinstance(value, plain) and name != "seed"}


def _stored(module: Any, given: Any) -> Any:
    """Return the JSON form of an object, with lists in place of arrays."""
    return _without_arrays(json.loads(json.dumps(module.serialize(given))))


def _without_arrays(stored: Any) -> Any:
    if not isinstance(stored, dict):
        return [*map(_without_arrays, stored)] if isinstance(stored, list) else stored
    if stored.get("class_name") == "__numpy__":
        return stored["config"]["value"]
    return {name: _without_arrays(value) for name, value in stored.items()}


def _as_call(module: Any, name: str, stored: dict[str, Any]) -> str:
    """Return an object of Keras as a name with arguments; its JSON form if one of these is an object."""
    try:
        defaults = _stored(module, getattr(module, name)())["config"]
    except TypeError:  # an argument has no default
        defaults = {}
    arguments = {key: value for key, value in stored["config"].items() if key not in defaults or defaults[key] != value}
    if any(isinstance(value, dict) for value in arguments.values()):
        return json.dumps(stored)
    return f"{name}({', '.join(f'{key}={value!r}' for key, value in arguments.items())})" if arguments else name
