"""Keras objects by name: initializers, regularizers, constraints and activations.

A value is a name (`he_normal`), a name with arguments (`l2(0.01)`, `min_max_norm(min_value=0.5, max_value=2.0)`), or
the JSON form of Keras's `serialize` (`{"class_name": "L2", "config": {"l2": 0.01}}`). `check` validates a value without
importing TensorFlow, so that a command line can reject a misspelt one at once; `build` creates the Keras object.
`models.given_objects` writes a Keras object as such a value.
"""

import ast
import difflib
import json
from collections.abc import Callable
from typing import Any, Literal

Kind = Literal["initializer", "regularizer", "constraint", "activation"]

_MAX_FLOAT = 3.4e38  # of float32
_FANS = ("seed", "input_axes", "output_axes")

_ACTIVATIONS = """
    celu elu exponential gelu glu hard_shrink hard_sigmoid hard_silu hard_swish hard_tanh leaky_relu linear log_sigmoid
    log_softmax mish relu relu6 selu sigmoid silu soft_shrink softmax softplus softsign sparse_plus sparse_sigmoid
    sparsemax squareplus swish tanh tanh_shrink threshold
"""

# Names and their arguments, in the order of Keras's constructors. Written out because the check must not import
# TensorFlow; a test compares them with the installed Keras.
ARGUMENTS: dict[Kind, dict[str, tuple[str, ...]]] = {
    "initializer": {
        "constant": ("value",),
        "glorot_normal": _FANS,
        "glorot_uniform": _FANS,
        "he_normal": _FANS,
        "he_uniform": _FANS,
        "identity": ("gain",),
        "lecun_normal": _FANS,
        "lecun_uniform": _FANS,
        "ones": (),
        "orthogonal": ("gain", "seed"),
        "random_normal": ("mean", "stddev", "seed"),
        "random_uniform": ("minval", "maxval", "seed"),
        "stft": ("side", "window", "scaling", "periodic"),
        "truncated_normal": ("mean", "stddev", "seed"),
        "variance_scaling": ("scale", "mode", "distribution", *_FANS),
        "zeros": (),
    },
    "regularizer": {
        "l1": ("l1",),
        "l2": ("l2",),
        "l1_l2": ("l1", "l2"),
        "orthogonal_regularizer": ("factor", "mode"),
    },
    "constraint": {
        "max_norm": ("max_value", "axis"),
        "min_max_norm": ("min_value", "max_value", "rate", "axis"),
        "non_neg": (),
        "unit_norm": ("axis",),
    },
    "activation": dict.fromkeys(_ACTIVATIONS.split(), ()),
}

# Other names that Keras accepts.
ALIASES = {
    "normal": "random_normal",
    "uniform": "random_uniform",
    "one": "ones",
    "zero": "zeros",
    "identity_initializer": "identity",
    "orthogonal_initializer": "orthogonal",
    "stft_initializer": "stft",
}


def _is_number(value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= _MAX_FLOAT


def _are_numbers(value) -> bool:
    return all(map(_are_numbers, value)) if isinstance(value, list | tuple) and value else _is_number(value)


def _is_integer(value) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and -(1 << 31) <= value < 1 << 31


def _one_of(*choices: str) -> tuple[str, Callable[[Any], bool]]:
    return f"one of {', '.join(choices)}", lambda value: isinstance(value, str) and value.lower() in choices


# Valid values of arguments, where Keras would fail on others, sometimes only in the first training step. `models.trial`
# finds out what depends on the weights, such as an axis.
_NUMBER = ("a number", _is_number)
_NOT_NEGATIVE = ("a number of 0 or more", lambda value: _is_number(value) and value >= 0)
_AXES = (
    "a whole number or a list of them",
    lambda value: all(_is_integer(axis) for axis in (value if isinstance(value, list | tuple) else [value])),
)
_RULES: dict[str, tuple[str, Callable[[Any], bool]]] = {
    **dict.fromkeys(("gain", "mean", "minval", "maxval", "max_value"), _NUMBER),
    **dict.fromkeys(("stddev", "l1", "l2", "factor", "min_value", "max_value", "rate"), _NOT_NEGATIVE),
    **dict.fromkeys(("axis", "input_axes", "output_axes"), _AXES),
    "value": ("a number or a list of numbers", _are_numbers),
    "scale": ("a number above 0", lambda value: _is_number(value) and value > 0),
    "seed": ("a whole number", lambda value: _is_integer(value) or isinstance(value, dict)),  # Keras's JSON form
    "initializer mode": _one_of("fan_in", "fan_out", "fan_avg"),
    "distribution": _one_of("normal", "uniform", "truncated_normal", "untruncated_normal"),
    "regularizer mode": _one_of("rows", "columns"),
}
# Arguments that may be None, which then is Keras's default.
_OPTIONAL = {*_FANS, "axis", "l1", "l2"}


def find(kind: Kind, name: str) -> str | None:
    """Return the name in ARGUMENTS that `name` is a spelling of (`HeNormal` is `he_normal`); None if it is unknown."""

    def plain(text):
        return text.replace("_", "").lower()

    names = {plain(known): known for known in ARGUMENTS[kind]}
    if kind == "initializer":
        names |= {plain(alias): known for alias, known in ALIASES.items()}
    return names.get(plain(name))


def _parse(kind: Kind, value: str) -> tuple[str, list[Any], dict[str, Any]] | dict:
    """Parse a value.

    Args:
        kind: As in `check`.
        value: As in `check`.

    Returns:
        (name, positional arguments, keyword arguments), or the JSON form as a dict.

    Raises:
        ValueError: If the value has none of the three forms; the message contains the value and what is expected.
    """
    text = value.strip()
    if text.startswith("{"):
        try:
            return json.loads(text)
        except (ValueError, RecursionError) as error:  # also numbers of too many digits
            raise ValueError(f"{_beginning(value)} is not valid JSON: {error}") from None
    try:
        node = ast.parse(text, mode="eval").body
        if isinstance(node, ast.Name):
            return node.id, [], {}
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            positional = [ast.literal_eval(argument) for argument in node.args]
            named = {keyword.arg: ast.literal_eval(keyword.value) for keyword in node.keywords}
            if None not in named and len(named) == len(node.keywords):  # neither **arguments nor a repeated name
                return node.func.id, positional, named
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # the last two: parentheses nested too deeply
        pass
    raise ValueError(
        f"{_beginning(value)} is not {kind} syntax: expected a name, name(arguments), or Keras's JSON form"
    )


def _beginning(value: str) -> str:
    return repr(value) if len(value) <= 100 else f"{value[:100]!r}..."


def _custom_name(parsed: dict) -> str | None:
    """Return the name of the custom class or function of a JSON form in Keras's registry; None for those of Keras."""
    if parsed.get("class_name") == "function":
        return parsed["config"] if ">" in str(parsed.get("config")) else None
    return parsed.get("registered_name") or None


def _parts(parsed: dict) -> tuple[str, list[Any], dict[str, Any]]:
    """Return (name, positional arguments, keyword arguments) of a JSON form."""
    name, config = parsed["class_name"], parsed.get("config")
    if name == "function":  # the JSON form of an activation: {"class_name": "function", "config": "relu"}
        return str(config), [], {}
    return name, [], {} if config is None else config


def check(kind: Kind, value: str) -> str:
    """Check that Keras accepts a value.

    Args:
        kind: `"initializer"`, `"regularizer"`, `"constraint"` or `"activation"`.
        value: A name, a name with arguments, or the JSON form.

    Returns:
        The value, unchanged.

    Raises:
        ValueError: If the name, an argument or an argument's value is invalid, or the value has none of the three
            forms.
    """
    parsed = _parse(kind, value)
    if isinstance(parsed, dict):
        name = parsed.get("class_name")
        if not isinstance(name, str):
            raise ValueError(f'{value!r} has no "class_name"; expected {{"class_name": ..., "config": {{...}}}}')
        if _custom_name(parsed):
            return value
        name, positional, named = _parts(parsed)
        if not isinstance(named, dict):
            raise ValueError(f'"config" of {value!r} is not a table of arguments')
    else:
        name, positional, named = parsed
    found = find(kind, name)
    if found is None:
        close = difflib.get_close_matches(name, ARGUMENTS[kind], n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(ARGUMENTS[kind])}"
        raise ValueError(f"{name!r} is not a Keras {kind}; {hint}")
    arguments = ARGUMENTS[kind][found]
    given = dict(zip(arguments, positional, strict=False))
    wrong = [repr(name) for name in named if name not in arguments]
    wrong += [f"{name!r} twice" for name in named if name in given]
    if len(positional) > len(arguments):
        wrong.append(f"{len(positional)} arguments")
    if wrong:
        raise ValueError(f"{kind} {found} does not take {wrong[0]}; it takes: {', '.join(arguments) or 'no arguments'}")
    for argument, content in (given | named).items():
        expected, fits = _RULES.get(argument) or _RULES.get(f"{kind} {argument}") or ("anything", lambda _: True)
        if not (content is None and argument in _OPTIONAL) and not fits(content):
            raise ValueError(f"{argument}={content!r} of {kind} {found} is not {expected}")
    return value


def registered_name(value: Any) -> str | None:
    """Return the name under which the custom class or function of a value is registered; None for other values."""
    if not isinstance(value, str) or not value.lstrip().startswith("{"):
        return None
    try:
        parsed = json.loads(value)
    except (ValueError, RecursionError):
        return None
    return _custom_name(parsed)


def build(kind: Kind, value: str | None):
    """Create the Keras object of a value.

    Args:
        kind: As in `check`.
        value: A value that `check` accepts, or None.

    Returns:
        A `keras.initializers.Initializer`, `keras.regularizers.Regularizer`, `keras.constraints.Constraint` or an
        activation function; None for None.
    """
    if value is None:
        return None
    import keras

    parsed = _parse(kind, value)
    if isinstance(parsed, dict) and (custom := _custom_name(parsed)):
        if keras.saving.get_registered_object(custom) is None:
            raise ValueError(f"{custom} is not registered; import the module that registers it first")
        return getattr(keras, f"{kind}s").get(parsed)
    name, positional, named = _parts(parsed) if isinstance(parsed, dict) else parsed
    # By Keras's public name: `get` accepts fewer spellings (not l1_l2) and no arguments.
    found = getattr(getattr(keras, f"{kind}s"), find(kind, name))
    if kind == "activation":
        return found
    if isinstance(parsed, dict):  # with `get`: the config may contain further objects in JSON form
        return getattr(keras, f"{kind}s").get({"class_name": found.__name__, "config": named})
    return found(*positional, **named)
