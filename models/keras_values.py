"""Values that Keras takes by name: initializers, regularizers, constraints and activations.

A value is written the way Keras accepts it: a name (`he_normal`), a name with arguments (`l2(0.01)`,
`min_max_norm(min_value=0.5, max_value=2.0)`), or the JSON form of Keras's own `serialize`
(`{"class_name": "L2", "config": {"l2": 0.01}}`). `check` reads a value without importing TensorFlow, so that a command
line can refuse a misspelt one at once; `build` makes the Keras object.
"""

import ast
import difflib
import json
from typing import Any, Literal

Kind = Literal["initializer", "regularizer", "constraint", "activation"]

_FANS = ("seed", "input_axes", "output_axes")

_ACTIVATIONS = """
    celu elu exponential gelu glu hard_shrink hard_sigmoid hard_silu hard_swish hard_tanh leaky_relu linear log_sigmoid
    log_softmax mish relu relu6 selu sigmoid silu soft_shrink softmax softplus softsign sparse_plus sparse_sigmoid
    sparsemax squareplus swish tanh tanh_shrink threshold
"""

# Names and their arguments in the order of Keras's constructors. Written out, and not asked of Keras, because the
# check must not import TensorFlow; a test compares it with the installed Keras.
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
    "activation": {name: () for name in _ACTIVATIONS.split()},
}


def _canonical(name: str) -> str:
    """`HeNormal`, `he_normal` and `henormal` are one name to Keras."""
    return name.replace("_", "").lower()


def _parse(kind: Kind, value: str) -> tuple[str, list[Any], dict[str, Any]] | dict:
    """Splits a value into (name, positional arguments, keyword arguments), or gives its JSON form as a dict.

    Raises:
      ValueError: the text is neither; the message says what was given and what is expected.
    """
    text = value.strip()
    if text.startswith("{"):
        try:
            return json.loads(text)
        except json.JSONDecodeError as error:
            raise ValueError(f"{value!r} is not valid JSON: {error}") from None
    try:
        node = ast.parse(text, mode="eval").body
        if isinstance(node, ast.Name):
            return node.id, [], {}
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            positional = [ast.literal_eval(argument) for argument in node.args]
            named = {keyword.arg: ast.literal_eval(keyword.value) for keyword in node.keywords if keyword.arg}
            return node.func.id, positional, named
    except (SyntaxError, ValueError):
        pass
    raise ValueError(f"{value!r} is not {kind} syntax: expected a name, name(arguments), or Keras's JSON form")


def check(kind: Kind, value: str) -> str:
    """Returns `value` unchanged if Keras would take it as a value of this kind.

    Args:
      kind: "initializer", "regularizer", "constraint" or "activation".
      value: a name, a name with arguments, or the JSON form.

    Raises:
      ValueError: an unknown name or argument, or text in none of the three forms.
    """
    parsed = _parse(kind, value)
    known = {_canonical(name): (name, arguments) for name, arguments in ARGUMENTS[kind].items()}
    if isinstance(parsed, dict):
        name = parsed.get("class_name")
        if not isinstance(name, str):
            raise ValueError(f'{value!r} has no "class_name"; expected {{"class_name": ..., "config": {{...}}}}')
        if parsed.get("registered_name"):  # a class of the user's own, which only Keras's registry knows
            return value
        positional, named = [], parsed.get("config") or {}
        if not isinstance(named, dict):  # the JSON form of a function: {"class_name": "function", "config": "relu"}
            name, named = str(named), {}
    else:
        name, positional, named = parsed
    if _canonical(name) not in known:
        close = difflib.get_close_matches(name, ARGUMENTS[kind], n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(ARGUMENTS[kind])}"
        raise ValueError(f"{name!r} is not a Keras {kind}; {hint}")
    name, arguments = known[_canonical(name)]
    unknown = [argument for argument in named if argument not in arguments]
    if unknown or len(positional) > len(arguments):
        given = repr(unknown[0]) if unknown else f"{len(positional)} arguments"
        raise ValueError(f"{kind} {name} does not take {given}; it takes: {', '.join(arguments) or 'no arguments'}")
    return value


def build(kind: Kind, value: str | None):
    """The Keras object that a checked value names; None stays None.

    Returns: a `keras.initializers.Initializer`, `keras.regularizers.Regularizer`, `keras.constraints.Constraint` or an
      activation function.
    """
    if value is None:
        return None
    import keras

    get = {
        "initializer": keras.initializers.get,
        "regularizer": keras.regularizers.get,
        "constraint": keras.constraints.get,
        "activation": keras.activations.get,
    }[kind]
    parsed = _parse(kind, value)
    if isinstance(parsed, dict):
        return get(parsed)
    name, positional, named = parsed
    if not positional and not named:
        return get(name)
    return type(get(name))(*positional, **named)
