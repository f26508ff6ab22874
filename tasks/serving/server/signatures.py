"""The signatures of a SavedModel: inputs and outputs, what they are for, and an example of a request."""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import tensorflow as tf

from tasks.serving.server.errors import RequestError, invalid

# A keyword of an input's range: the outputs whose second dimension is the largest value of the input in a request.
SIZES = "x-sizes"
# What the outputs of a signature say about its purpose; the first row that fits is it.
KINDS = {
    "continue": {"pending", "finished"},
    "explanation": {"tokens", "contributions"},
    "classification": {"label", "probabilities"},
    "attention": {"translation", "attention"},
    "beam_search": {"translations"},
    "translation": {"translation"},
    "step": {"logits"},
    "begin": {"pending", "candidates"},
    "generation": {"continuation"},
    "score": {"nats_per_character"},
}
# Values of inputs in examples, by name; others are the default of the export, or 1 and zeros.
EXAMPLES = {
    "prompt": "THE CAT",
    "pending": "",
    "length": 40,
    "temperature": 0.8,
    "top_k": 0,
    "top_p": 1.0,
    "seed": 1,
    "beam_size": 4,
    "length_penalty": 1.0,
}
# Texts in examples, by kind of signature.
TEXTS = dict.fromkeys(("classification", "explanation"), "Arrived late and broken.") | {"score": "THE CAT"}
OTHER_TEXT = "Please close the door."


@dataclass(frozen=True)
class TensorInfo:
    """An input or an output.

    Attributes:
        name: Its name in the signature.
        dtype: Its type.
        shape: Its dimensions, None for those that are free; None if the rank is not known.
    """

    name: str
    dtype: tf.DType
    shape: tuple[int | None, ...] | None

    @property
    def has_rows(self) -> bool:
        """Whether the first dimension is free: one entry for each row of a request."""
        return bool(self.shape) and self.shape[0] is None

    @property
    def described(self) -> dict:
        """The tensor in JSON; -1 is a free dimension."""
        shape = None if self.shape is None else [-1 if size is None else size for size in self.shape]
        return {"dtype": self.dtype.name, "shape": shape}


@dataclass(frozen=True)
class Signature:
    """A function of a SavedModel.

    Attributes:
        name: Its name.
        inputs: Its inputs, by name.
        outputs: Its outputs, by name.
        ranges: Input -> the JSON Schema of the numbers that it accepts, with a default; of those that an export states.
    """

    name: str
    inputs: Mapping[str, TensorInfo]
    outputs: Mapping[str, TensorInfo]
    ranges: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @classmethod
    def of(cls, name: str, proto, ranges: Mapping[str, Mapping[str, Any]]) -> "Signature":
        """Return the signature that a `SignatureDef` describes."""
        return cls(name, _tensors(proto.inputs), _tensors(proto.outputs), ranges)

    @functools.cached_property
    def is_batchable(self) -> bool:
        """Whether requests can be answered together, and their answers be told apart.

        Inputs are rows or scalars. Another free dimension of an output would depend on the other requests, unless an
        input states its size.
        """
        sized = {output for name in self.sizing_inputs for output in self.ranges[name][SIZES]}
        inputs, outputs = self.inputs.values(), self.outputs.values()
        return (
            any(one.has_rows for one in inputs)
            and all(one.has_rows or one.shape == () for one in inputs)
            and all(one.has_rows and (None not in one.shape[1:] or one.name in sized) for one in outputs)
        )

    @functools.cached_property
    def sizing_inputs(self) -> tuple[str, ...]:
        """The inputs whose largest value is the size of free dimensions of outputs, as the export states."""
        return tuple(name for name, one in self.inputs.items() if one.has_rows and SIZES in self.ranges.get(name, {}))

    @property
    def takes_rows(self) -> bool:
        """Whether a request can be written in rows ("instances")."""
        return all(one.has_rows for one in self.inputs.values())

    @property
    def kind(self) -> str:
        """What the signature is for, one of `KINDS`, or "other"."""
        return next((kind for kind, names in KINDS.items() if names <= {*self.outputs}), "other")

    @property
    def described(self) -> dict:
        """The signature in JSON."""
        return {
            "kind": self.kind,
            "inputs": {name: one.described | dict(self.ranges.get(name, {})) for name, one in self.inputs.items()},
            "outputs": {name: one.described for name, one in self.outputs.items()},
            "example": self.example,
        }

    @property
    def example(self) -> dict[str, Any]:
        """A request for one row, as a client writes it in JSON."""
        named = {} if self.name == "serving_default" else {"signature_name": self.name}
        text = TEXTS.get(self.kind, OTHER_TEXT)
        values = {name: _example(one, text, self.ranges.get(name, {})) for name, one in self.inputs.items()}
        if not self.takes_rows:
            return named | {"inputs": values}
        row = {name: value[0] for name, value in values.items()}
        return named | {"instances": [next(iter(row.values())) if len(row) == 1 else row]}

    def checked(self, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return the inputs of a request if their shapes fit; a scalar may stand for a single row.

        Raises:
            RequestError: If a shape does not fit.
        """
        fitting = {}
        for name, one in self.inputs.items():
            array = arrays[name]
            if array.ndim == 0 and one.shape is not None and len(one.shape) == 1:
                array = array.reshape([1])
            if not _fits(array.shape, one.shape):
                hint = "; 'instances' cannot carry it, write 'inputs'" if one.shape == () else ""
                raise invalid(f"Input {name} has shape {_shown(array.shape)}, expected {_shown(one.shape)}{hint}")
            fitting[name] = array
        rows = {name: len(fitting[name]) for name, one in self.inputs.items() if one.has_rows}
        if self.is_batchable and len({*rows.values()}) > 1:
            numbers = ", ".join(f"{name}: {count}" for name, count in rows.items())
            raise invalid(f"The inputs have different numbers of rows ({numbers})")
        return fitting

    def call(
        self, function: Callable[..., Mapping[str, tf.Tensor]], arrays: Mapping[str, np.ndarray], rows: int | None
    ) -> dict[str, np.ndarray]:
        """Call the function of the signature.

        Args:
            function: Tensors by name -> outputs by name.
            arrays: The inputs, as `checked` returns them.
            rows: Number of rows that each output should have; None if it does not matter.

        Raises:
            RequestError: If an output has another number of rows.
        """
        inputs = {name: tf.constant(array, self.inputs[name].dtype) for name, array in arrays.items()}
        outputs = {name: _array(tensor) for name, tensor in sorted(function(**inputs).items())}
        for name, array in outputs.items() if rows is not None else ():
            if array.ndim == 0 or len(array) != rows:
                raise RequestError("INTERNAL", f"Output {name} has shape {array.shape} for {rows} rows")
        return outputs


def _tensors(infos) -> dict[str, TensorInfo]:
    tensors = {}
    for name in sorted(infos):
        shape = infos[name].tensor_shape
        sizes = None if shape.unknown_rank else tuple(None if one.size < 0 else one.size for one in shape.dim)
        tensors[name] = TensorInfo(name, tf.as_dtype(infos[name].dtype), sizes)
    return tensors


def _example(one: TensorInfo, text: str, accepted: Mapping[str, Any]) -> Any:
    """Return an example of a value, with one row, within the range that is accepted."""
    sizes = [1 if size is None else size for size in one.shape or ()]
    if one.dtype == tf.string:
        value = EXAMPLES.get(one.name, text)
    elif one.dtype == tf.bool:
        value = True
    else:  # a table, such as the states of a network, of zeros
        value = EXAMPLES.get(one.name, accepted.get("default", int(len(sizes) < 2)))
        value = min(max(value, accepted.get("minimum", value)), accepted.get("maximum", value))
        value = int(value) if one.dtype.is_integer else float(value)
    for size in reversed(sizes):
        value = [value] * size
    return value


def _fits(shape: tuple[int, ...], expected: tuple[int | None, ...] | None) -> bool:
    if expected is None:
        return True
    return len(shape) == len(expected) and all(
        size is None or size == given for given, size in zip(shape, expected, strict=True)
    )


def _shown(shape: tuple[int | None, ...] | None) -> str:
    return "of any rank" if shape is None else f"[{', '.join('?' if size is None else str(size) for size in shape)}]"


def _array(tensor: tf.Tensor) -> np.ndarray:
    value = tensor.numpy()  # of no dimension, a string is bytes, and a number no array
    return value if isinstance(value, np.ndarray) else np.array(value, object if isinstance(value, bytes) else None)
