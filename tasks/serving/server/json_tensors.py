"""Tensors in JSON, by the rules of TensorFlow Serving's REST interface.

Source: tensorflow_serving/util/json_tensor.cc. One deviation: a string output that is not valid UTF-8 is written with
replacement characters, so an answer is valid JSON; there it is written as it is.
"""

import base64
import binascii
import functools
import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from tasks.serving.server.errors import RequestError, invalid
from tasks.serving.server.signatures import Signature, TensorInfo

MAX_SHOWN = 200
MAX_RANK = 16
_DECODER = json.JSONDecoder()
# Names of the types in messages, where they are not those of NumPy.
TYPE_NAMES = {"float32": "float", "float64": "double"}
INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
# The largest integers that are converted to floating point numbers without loss.
MAX_INTEGER = {"float32": (1 << 24) - 1, "float64": (1 << 53) - 1}


class PredictRequest(NamedTuple):
    """A request in JSON.

    Attributes:
        document: The JSON object.
        signature_name: The signature that it names.
    """

    document: dict
    signature_name: str


def parse(body: bytes) -> PredictRequest:
    """Parse the body of a predict request; what follows the JSON object is ignored.

    Raises:
        RequestError: If it does not begin with a JSON object, or `signature_name` is no string.
    """
    try:
        text = body.decode("utf-8-sig").lstrip(" \t\r\n")
        if not text:
            raise invalid("JSON Parse error: The document is empty")
        document, _ = _DECODER.raw_decode(text)
    except UnicodeDecodeError as error:
        raise invalid(f"JSON Parse error: the body is not UTF-8 at offset: {error.start}") from None
    except json.JSONDecodeError as error:
        raise invalid(f"JSON Parse error: {error.msg} at offset: {error.pos}") from None
    except ValueError:  # a number with thousands of digits
        raise invalid("JSON Parse error: a number is too large") from None
    except RecursionError:
        raise invalid("JSON Parse error: the values are nested too deeply") from None
    if not isinstance(document, dict):
        raise invalid(f"JSON Value: {_shown(document)} Is not object")
    name = document.get("signature_name", "")
    if not isinstance(name, str):
        raise invalid(
            f"JSON Value: {_shown(document)} not formatted correctly. 'signature_name' key must be a string value."
        )
    return PredictRequest(document, name or "serving_default")


def read_inputs(document: Mapping, signature: Signature) -> tuple[dict[str, np.ndarray], bool]:
    """Return the tensors of a request.

    Args:
        document: The request.
        signature: The signature.

    Returns:
        The inputs by name, strings as bytes; and whether the request is in rows ("instances").

    Raises:
        RequestError: If the request does not have what the signature needs.
    """
    if "instances" in document and "inputs" in document:
        raise invalid(
            f"JSON Value: {_shown(document)} Not formatted correctly expecting only one of 'inputs' or 'instances' "
            "keys to exist"
        )
    if "instances" in document:
        return _read_rows(document, signature.inputs), True
    if "inputs" in document:
        return _read_columns(document["inputs"], signature.inputs), False
    raise invalid("Missing 'inputs' or 'instances' key")


def _read_columns(value: Any, inputs: Mapping[str, TensorInfo]) -> dict[str, np.ndarray]:
    if not isinstance(value, dict) or _is_base64(value):
        if len(inputs) > 1:
            raise invalid(
                "inputs is a plain value/list, but expecting an object as multiple input tensors required as per "
                f"tensorinfo_map: {', '.join(inputs)}"
            )
        value = dict.fromkeys(inputs, value)
    for name in inputs:
        if name not in value:
            raise invalid(f"Missing named input: {name} in 'inputs' object.")
    return {name: _tensor(value[name], one) for name, one in inputs.items()}


def _read_rows(document: Mapping, inputs: Mapping[str, TensorInfo]) -> dict[str, np.ndarray]:
    rows = document["instances"]
    if not isinstance(rows, list):
        raise invalid(f"JSON Value: {_shown(document)} Excepting 'instances' to be an list/array")
    if not rows:
        raise invalid(f"JSON Value: {_shown(document)} No values in 'instances' array")
    if not isinstance(rows[0], dict) and len(inputs) > 1:
        raise invalid(
            "instances is a plain list, but expecting list of objects as multiple input tensors required as per "
            f"tensorinfo_map: {', '.join(inputs)}"
        )
    named = _is_named(rows[0])
    columns = {name: _Column(one) for name, one in inputs.items()}
    for number, row in enumerate(rows):
        if _is_named(row) != named:
            expected, got = ("object", "list") if named else ("value/list", "object")
            raise invalid(f"Expecting {expected} but got {got} at item {number} of input list")
        row = row if named else dict.fromkeys(inputs, row)
        for name in row:
            if name not in inputs:
                raise invalid(
                    f"Failed to process element: {number} key: {name} of 'instances' list. Error: INVALID_ARGUMENT: "
                    f"JSON object: does not have named input: {name}"
                )
        if {*row} != {*inputs}:
            raise invalid(
                f"Failed to process element: {number} of 'instances' list. JSON object: {_shown(row)} keys must be "
                f"equal to: {','.join(sorted(inputs))}"
            )
        for name, value in row.items():
            try:
                columns[name].append(value)
            except RequestError as error:
                key = f" key: {name}" if named else ""
                message = f"Failed to process element: {number}{key} of 'instances' list. Error: {error.code}: {error}"
                raise RequestError(error.code, message) from None
    return {name: column.array for name, column in columns.items()}


class _Column:
    """The values of an input, row by row.

    Args:
        one: The input.
    """

    def __init__(self, one: TensorInfo):
        self._dtype, self._values, self._rows, self._shape = one.dtype, [], 0, None

    def append(self, value: Any) -> None:
        """Add a row; raise `RequestError` if its type or its shape does not fit."""
        shape = _append(value, self._dtype, self._values)
        if self._shape is None:
            self._shape = shape
        elif shape != self._shape:
            raise invalid(f"Expecting shape {self._shape} but got: {shape}")
        self._rows += 1

    @property
    def array(self) -> np.ndarray:
        """The rows."""
        return _array(self._values, self._dtype, [self._rows, *self._shape])


def _is_named(row: Any) -> bool:
    return isinstance(row, dict) and not _is_base64(row)


def _is_base64(value: Any) -> bool:
    return isinstance(value, dict) and [*value] == ["b64"] and isinstance(value["b64"], str)


def _tensor(value: Any, one: TensorInfo) -> np.ndarray:
    flat: list = []
    return _array(flat, one.dtype, _append(value, one.dtype, flat))


def _append(value: Any, dtype: tf.DType, flat: list) -> list[int]:
    """Append the elements of a tensor to a list; return its shape, which is that of the first element at each level."""
    convert, shape, first = _converter(dtype.name), [], value
    while isinstance(first, list):
        shape.append(len(first))
        if not first:
            break
        first = first[0]
    if len(shape) > MAX_RANK:
        raise invalid(f"The lists are nested {len(shape)} deep, the maximum is {MAX_RANK}")
    _fill(value, 0, shape, convert, flat)
    return shape


def _array(flat: list, dtype: tf.DType, shape: list[int]) -> np.ndarray:
    array = np.empty(len(flat), object if dtype == tf.string else dtype.as_numpy_dtype)
    array[:] = flat
    return array.reshape(shape)


def _fill(value: Any, level: int, shape: list[int], convert: Callable, flat: list) -> None:
    if not isinstance(value, list):
        if level != len(shape):
            raise invalid(
                f"JSON Value: {_shown(value)} found at incorrect level: {level + 1} in the JSON DOM. Expected at "
                f"level: {len(shape)}"
            )
        flat.append(convert(value))
        return
    if level >= len(shape):
        raise invalid(f"Encountered list at unexpected level: {level} expected < {len(shape)}")
    if len(value) != shape[level]:
        raise invalid(
            f"Encountered list at unexpected size: {len(value)} at level: {level} expected size: {shape[level]}"
        )
    for one in value:
        _fill(one, level + 1, shape, convert, flat)


@functools.cache
def _converter(dtype: str) -> Callable[[Any], Any]:
    """Return the function that converts a value to a type; it raises `RequestError` if the value is of another one."""
    name = TYPE_NAMES.get(dtype, dtype)

    def of_other_type(value: Any) -> RequestError:
        return invalid(f"JSON Value: {_shown(value)} Type: {_type_of(value)} is not of expected type: {name}")

    def text(value: Any) -> bytes:
        if isinstance(value, str):
            try:
                return value.encode()
            except UnicodeEncodeError:
                raise invalid(f"JSON Value: {_shown(value)} has half of a surrogate pair, which is no text") from None
        if not isinstance(value, dict):
            raise of_other_type(value)
        if not _is_base64(value):
            raise invalid(f"JSON Value: {_shown(value)} not formatted correctly for base64 data")
        try:
            return base64.b64decode(value["b64"], validate=True)
        except (binascii.Error, ValueError):
            raise invalid("Unable to base64 decode") from None

    def boolean(value: Any) -> bool:
        if not isinstance(value, bool):
            raise of_other_type(value)
        return value

    def integer(value: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not limits.min <= value <= limits.max:
            raise of_other_type(value)
        return value

    def real(value: Any) -> float:
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise of_other_type(value)
        lost = abs(value) > MAX_INTEGER[dtype] if isinstance(value, int) else np.isfinite(value) and abs(value) > most
        if lost:
            raise invalid(f"Cannot convert JSON value: {_shown(value)} to {name} without loss of precision.")
        return value

    if dtype == "string":
        return text
    if dtype == "bool":
        return boolean
    if dtype in INTEGERS:
        limits = np.iinfo(dtype)
        return integer
    if dtype in MAX_INTEGER:
        most = float(np.finfo(dtype).max)
        return real

    def unknown(value: Any):
        raise RequestError("UNIMPLEMENTED", f"Conversion of JSON Value: {_shown(value)} to type: {name}")

    return unknown


def _type_of(value: Any) -> str:
    names = {type(None): "Null", dict: "Object", list: "Array", str: "String", int: "Number", float: "Number"}
    return str(value) if isinstance(value, bool) else names[type(value)]


def _shown(value: Any) -> str:
    try:
        text = json.dumps(value)
    except RecursionError:
        text = "deeply nested"
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]} ..."
