"""The answers of TensorFlow Serving's REST interface in JSON. Source: tensorflow_serving/util/json_tensor.cc."""

import base64
import json
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tasks.serving.server.errors import invalid

TYPES = {"float32": np.float32, "float64": np.float64}
# Significant digits of the short form, and of the one that every value of the type is read back from.
SHORT_DIGITS, FULL_DIGITS = 6, {"float32": 9, "float64": 17}
_quoted = json.JSONEncoder(ensure_ascii=False).encode


def answer(outputs: Mapping[str, np.ndarray], in_rows: bool) -> bytes:
    """Return the body of an answer.

    Args:
        outputs: The outputs by name.
        in_rows: Whether the request was in rows ("instances").

    Raises:
        RequestError: If the outputs have no common number of rows, or a type that JSON does not have.
    """
    writers = {name: _writer(name, array) for name, array in outputs.items()}
    values = {name: array.tolist() for name, array in outputs.items()}
    if not in_rows:
        texts = {name: _text(value, writers[name]) for name, value in values.items()}
        return f'{{"outputs": {_row(texts)}}}'.encode()
    rows = None
    for name, array in outputs.items():
        if array.ndim == 0:
            raise invalid(f"Tensor name: {name} has no shape information")
        if rows not in (None, len(array)):
            raise invalid(f"Tensor name: {name} has inconsistent batch size: {len(array)} expecting: {rows}")
        rows = len(array)
    texts = [
        _row({name: _text(value[row], writers[name]) for name, value in values.items()}) for row in range(rows or 0)
    ]
    return f'{{"predictions": [{", ".join(texts)}]}}'.encode()


def _row(texts: Mapping[str, str]) -> str:
    if len(texts) == 1:
        return next(iter(texts.values()))
    return f"{{{', '.join([f'{_quoted(name)}: {text}' for name, text in texts.items()])}}}"


def _text(value, write: Callable[..., str]) -> str:
    if isinstance(value, list):
        return f"[{', '.join([_text(one, write) for one in value])}]"
    return write(value)


def _writer(name: str, array: np.ndarray) -> Callable[..., str]:
    """Return the function that writes a value of an output; strings are bytes in base64 if the name says so."""
    kind = array.dtype.kind
    if kind == "O":
        return _base64 if name.endswith("_bytes") else _string
    if kind in "iu":
        return str
    if array.dtype == np.float32:
        return _float32
    dtype = array.dtype.name
    if dtype in ("float16", "bfloat16"):
        return _float32
    if dtype == "float64":
        return lambda value: number(value, "float64")
    if dtype == "bool":
        return lambda value: "true" if value else "false"
    raise invalid(f"Failed to write JSON value for tensor type: {dtype}")


def _float32(value: float) -> str:
    return number(value, "float32")


def _string(value: bytes) -> str:
    return _quoted(value.decode("utf-8", "replace"))


def _base64(value: bytes) -> str:
    return json.dumps({"b64": base64.b64encode(value).decode()})


def number(value: float, dtype: str) -> str:
    """Return a floating point number in decimal: six digits if they are read back as this number, else all digits."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    text = f"{value:.{SHORT_DIGITS}g}"
    if TYPES[dtype](text) != value:
        text = f"{value:.{FULL_DIGITS[dtype]}g}"
    return text if "." in text or "e" in text else f"{text}.0"


def finite(value: Any) -> Any:
    """Return a value with None in place of NaN and infinity, which JSON does not have."""
    if isinstance(value, dict):
        return {key: finite(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
