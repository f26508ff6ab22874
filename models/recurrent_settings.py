"""Settings of the recurrent stack, validated when they are created. Does not import TensorFlow.

`RecurrentSettings` contains every documented argument of `keras.layers.LSTM`, `GRU` and `SimpleRNN` under its Keras
name. `CELLS` is the only place where the available cells are declared.

Example:
    >>> RecurrentSettings(cell="gru", units=32, layers=2).units
    32
    >>> RecurrentSettings(cell="gru", units=0)
    Traceback (most recent call last):
        ...
    pydantic_core._pydantic_core.ValidationError: 1 validation error for RecurrentSettings
    ...
"""

import json
from collections.abc import Iterator
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from models import given_objects, keras_objects


class CellDeclaration(NamedTuple):
    """A recurrent cell that the settings can select.

    To add a cell, add an entry to `CELLS` and its equations to `models.gates`.

    Attributes:
        layer: The layer class, as `"module:class"`, imported only when a layer is built.
        cell: The class of the layer's cell, as `"module:class"`.
        states: Names of the layer's states, in the order in which Keras returns them.
        blocks: Number of weight matrices side by side in each of the layer's kernels: the gates and the candidate.
        absent: Fields of `RecurrentSettings` that are not arguments of the layer.
    """

    layer: str
    cell: str
    states: tuple[str, ...]
    blocks: int
    absent: tuple[str, ...]


CELLS: dict[str, CellDeclaration] = {
    "lstm": CellDeclaration(
        layer="keras.layers:LSTM",
        cell="keras.layers:LSTMCell",
        states=("h", "c"),
        blocks=4,
        absent=("reset_after",),
    ),
    "gru": CellDeclaration(
        layer="keras.layers:GRU",
        cell="keras.layers:GRUCell",
        states=("h",),
        blocks=3,
        absent=("unit_forget_bias",),
    ),
    "simple_rnn": CellDeclaration(
        layer="models.simple_rnn:SimpleRNN",
        cell="keras.layers:SimpleRNNCell",
        states=("h",),
        blocks=1,
        absent=("recurrent_activation", "unit_forget_bias", "reset_after", "use_cudnn"),
    ),
}

Cell = Literal[*CELLS]

# The largest values of TensorFlow's int32 and float32; larger ones would fail, or count as infinite, in its operations.
MAX_INTEGER = (1 << 31) - 1
MAX_FLOAT = 3.4e38
# The maximum number of timesteps of a loop that is unrolled.
MAX_UNROLLED = 1000

# By cell: the fields that its layer does not have, and the names of its states.
ABSENT: dict[str, tuple[str, ...]] = {name: cell.absent for name, cell in CELLS.items()}
STATES: dict[str, tuple[str, ...]] = {name: cell.states for name, cell in CELLS.items()}


def _keras_value(kind: keras_objects.Kind):
    def validate(value, info: ValidationInfo):
        if given_objects.is_object(value):  # from a caller in Python
            try:
                return given_objects.as_value(kind, value)
            except (TypeError, ValueError) as error:
                raise TypeError(f"{info.field_name}: {error}") from None  # pydantic passes on a TypeError as it is
        if isinstance(value, dict):  # a table in a TOML or JSON file
            try:
                value = json.dumps(value)
            except (TypeError, RecursionError) as error:  # a date, in TOML
                raise ValueError(f"{value!s:.100} has no JSON form: {error}") from None
        return keras_objects.check(kind, value) if isinstance(value, str) else value

    return BeforeValidator(validate)


Activation = Annotated[str, _keras_value("activation")]
Initializer = Annotated[str, _keras_value("initializer")]
Regularizer = Annotated[str, _keras_value("regularizer")]
Constraint = Annotated[str, _keras_value("constraint")]
Rate = Annotated[float, Field(ge=0.0, lt=1.0)]


def _shortened(number: float) -> str:
    text = f"{number:g}" if isinstance(number, float) else str(number)
    return text if len(text) <= 40 else f"{text[:40]}... (of {len(text)} digits)"


class Settings(BaseModel):
    """A group of settings: immutable, and unknown names are rejected.

    A subclass may change the defaults of inherited settings without declaring them again:

    ```python
    class LongTrainingSettings(TrainingSettings, defaults={"epochs": 50}):
        ...
    ```

    Raises:
        TypeError: If `defaults` names a setting that the class does not have.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, allow_inf_nan=False)

    def __init_subclass__(cls, defaults: dict[str, Any] | None = None, **kwargs):
        super().__init_subclass__(**kwargs)

    @classmethod
    def __pydantic_init_subclass__(cls, defaults: dict[str, Any] | None = None, **kwargs):
        super().__pydantic_init_subclass__(**kwargs)
        for name, value in (defaults or {}).items():
            if name not in cls.model_fields:
                raise TypeError(f"{cls.__name__} has no setting {name!r}")
            cls.model_fields[name].default = value
        if defaults:
            cls.model_rebuild(force=True)

    @field_validator("*")
    @classmethod
    def _is_given(cls, value: Any, info: ValidationInfo) -> Any:
        """Reject an empty name or path, which a shell passes on for a variable that is not set."""
        if value == "":
            required = cls.model_fields[info.field_name].is_required()
            raise ValueError("the value is empty; give one" + ("" if required else ", or leave it out"))
        return value

    @field_validator("*")
    @classmethod
    def _fits_tensorflow(cls, value: Any, info: ValidationInfo) -> Any:
        """Limit every number whose field has no upper limit."""
        bounded = any(hasattr(mark, "le") or hasattr(mark, "lt") for mark in cls.model_fields[info.field_name].metadata)
        for number in value if isinstance(value, tuple) else (value,):
            limit = {int: MAX_INTEGER, float: MAX_FLOAT}.get(type(number))
            if limit is not None and not bounded and abs(number) > limit:
                raise ValueError(f"{_shortened(number)} is too large; the largest value is {limit}")
        return value


def changed_keras_values(settings: Settings) -> Iterator[tuple[str, keras_objects.Kind, str]]:
    """Yield name, kind and value of each initializer, regularizer, constraint and activation that is not the default.

    Args:
        settings: A group of settings.
    """
    for name, field in type(settings).model_fields.items():
        kind, value = name.rpartition("_")[2], getattr(settings, name)
        if kind in keras_objects.ARGUMENTS and isinstance(value, str) and value != field.default:
            yield name, kind, value


class RecurrentSettings(Settings):
    """The recurrent stack: the cell, the number of layers, and every option of the Keras layer."""

    cell: Cell = "lstm"
    """The layer: keras.layers.LSTM, GRU or SimpleRNN."""
    layers: int = Field(1, ge=1, le=100)
    """Number of stacked recurrent layers."""
    bidirectional: bool = False
    """Process the sequence in both directions (keras.layers.Bidirectional)."""
    merge_mode: Literal["concat", "sum", "mul", "ave"] | None = "concat"
    """How the outputs of the two directions are combined; None returns both."""
    units: int = Field(128, ge=1)
    """Size of the state."""
    activation: Activation | None = "tanh"
    """Activation of the candidate and the output; None is linear."""
    recurrent_activation: Activation | None = None
    """Activation of the gates (LSTM, GRU); None is Keras's default, sigmoid."""
    use_bias: bool = True
    """Whether the layer has bias vectors."""
    kernel_initializer: Initializer = "glorot_uniform"
    """Initializer of the input weights."""
    recurrent_initializer: Initializer = "orthogonal"
    """Initializer of the recurrent weights."""
    bias_initializer: Initializer = "zeros"
    """Initializer of the biases."""
    unit_forget_bias: bool | None = None
    """LSTM: initialize the bias of the forget gate to 1; None is Keras's default, True."""
    kernel_regularizer: Regularizer | None = None
    """Regularizer of the input weights, such as l2(0.01)."""
    recurrent_regularizer: Regularizer | None = None
    """Regularizer of the recurrent weights."""
    bias_regularizer: Regularizer | None = None
    """Regularizer of the biases."""
    activity_regularizer: Regularizer | None = None
    """Regularizer of the layer's output."""
    kernel_constraint: Constraint | None = None
    """Constraint on the input weights, such as max_norm(2.0)."""
    recurrent_constraint: Constraint | None = None
    """Constraint on the recurrent weights."""
    bias_constraint: Constraint | None = None
    """Constraint on the biases."""
    dropout: Rate = 0.0
    """Fraction of the layer's inputs to drop, the same ones at each timestep."""
    recurrent_dropout: Rate = 0.0
    """Fraction of the recurrent state to drop, the same units at each timestep."""
    return_sequences: bool = False
    """Return the output of every timestep instead of the last one only."""
    return_state: bool = False
    """Return the final state in addition to the output."""
    go_backwards: bool = False
    """Process the sequence from its end to its beginning."""
    stateful: bool = False
    """Use the final state of a batch as the initial state of the next batch."""
    unroll: bool = False
    """Unroll the loop over timesteps: faster for short sequences, needs more memory."""
    reset_after: bool | None = None
    """GRU: apply the reset gate after the matrix product; None is Keras's default, True."""
    use_cudnn: bool | Literal["auto"] = "auto"
    """LSTM, GRU: use the cuDNN kernel on a GPU: auto, True (an error where it is not available) or False."""
    seed: int | None = Field(None, ge=0)
    """Seed of the dropout masks; layer i of a stack uses seed + i."""
    time_major: bool = False
    """The input and the output of the stack are (timesteps, batch, features)."""

    @model_validator(mode="after")
    def _check_combinations(self):
        for name in ABSENT[self.cell]:
            value = getattr(self, name)
            if value != type(self).model_fields[name].default:
                have = [cell for cell in ABSENT if name not in ABSENT[cell]]
                raise ValueError(
                    f"{name}={value} does not go with cell={self.cell}: only {' and '.join(have)} "
                    f"{'has' if len(have) == 1 else 'have'} {name}; leave it out or change the cell"
                )
        if self.merge_mode != "concat" and not self.bidirectional:
            raise ValueError(
                f"merge_mode={self.merge_mode} does not go with bidirectional=False; leave it out or add bidirectional"
            )
        if self.merge_mode is None and self.layers > 1:
            raise ValueError(
                f"merge_mode=None does not go with layers={self.layers}: the input of the next layer is one sequence, "
                "not two; use concat, sum, mul or ave"
            )
        return self

    def check_unrolled(self, timesteps: int, option: str) -> None:
        """Reject a loop that is too long to unroll: its graph would take minutes to build.

        Args:
            timesteps: Number of timesteps.
            option: The setting that it follows from.

        Raises:
            ValueError: If the loop is to be unrolled and has more than `MAX_UNROLLED` timesteps.
        """
        if self.unroll and timesteps > MAX_UNROLLED:
            raise ValueError(
                f"unroll=True does not go with {option}={timesteps}: more than {MAX_UNROLLED} timesteps take "
                "minutes to unroll; take no-unroll"
            )

    def off_cudnn(self) -> str | None:
        """Name the settings that prevent the use of the cuDNN kernel on a GPU.

        The conditions are those of the Keras layers' documentation: activation tanh, recurrent activation sigmoid,
        recurrent_dropout 0, unroll False, use_bias True and, for GRU, reset_after True.

        Returns:
            One line that names the settings; None if none prevents it, or if the cell has no cuDNN kernel.
        """
        if "use_cudnn" in ABSENT[self.cell]:
            return None
        needed = {
            "activation": "tanh",
            "recurrent_activation": (None, "sigmoid"),
            "recurrent_dropout": 0.0,
            "unroll": False,
            "use_bias": True,
            "reset_after": (None, True),
        }
        reasons = []
        for name, value in needed.items():
            given = getattr(self, name)
            if given not in (value if isinstance(value, tuple) else (value,)):
                reasons.append(f"{name}={given}")
        return f"{', '.join(reasons)}: no cuDNN kernel on a GPU, so slower there" if reasons else None
