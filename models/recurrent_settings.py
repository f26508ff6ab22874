"""Settings of the recurrent stack, validated once when they are made. Imports no TensorFlow.

`RecurrentSettings` names every documented argument of `keras.layers.LSTM`, `GRU` and `SimpleRNN` by Keras's own name.
"""

import json
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from models import keras_objects

Cell = Literal["lstm", "gru", "simple_rnn"]

# Arguments that the Keras layer of a cell does not have.
ABSENT: dict[str, tuple[str, ...]] = {
    "lstm": ("reset_after",),
    "gru": ("unit_forget_bias",),
    "simple_rnn": ("recurrent_activation", "unit_forget_bias", "reset_after", "use_cudnn"),
}


def _keras_value(kind: keras_objects.Kind):
    def read(value):
        if isinstance(value, dict):  # a table in a TOML or JSON file
            value = json.dumps(value)
        return keras_objects.check(kind, value) if isinstance(value, str) else value

    return BeforeValidator(read)


Activation = Annotated[str, _keras_value("activation")]
Initializer = Annotated[str, _keras_value("initializer")]
Regularizer = Annotated[str, _keras_value("regularizer")]
Constraint = Annotated[str, _keras_value("constraint")]
Rate = Annotated[float, Field(ge=0.0, lt=1.0)]


class Settings(BaseModel):
    """A group of settings: unknown names are refused, values do not change after validation."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, allow_inf_nan=False)


class RecurrentSettings(Settings):
    """The recurrent stack: which cell, how many layers, and every option of the Keras layer."""

    cell: Cell = "lstm"
    """The layer: keras.layers.LSTM, GRU or SimpleRNN."""
    layers: int = Field(1, ge=1)
    """Recurrent layers, one on top of the other."""
    bidirectional: bool = False
    """Reads in both directions (keras.layers.Bidirectional)."""
    merge_mode: Literal["concat", "sum", "mul", "ave"] | None = "concat"
    """How the two directions are joined; None gives both."""
    units: int = Field(128, ge=1)
    """Size of the state."""
    activation: Activation | None = "tanh"
    """Of the candidate and the output; None is linear."""
    recurrent_activation: Activation | None = None
    """Of the gates (LSTM, GRU); None is Keras's default, sigmoid."""
    use_bias: bool = True
    """Whether the layer has bias vectors."""
    kernel_initializer: Initializer = "glorot_uniform"
    """Of the weights from the input."""
    recurrent_initializer: Initializer = "orthogonal"
    """Of the weights from the state before."""
    bias_initializer: Initializer = "zeros"
    """Of the biases."""
    unit_forget_bias: bool | None = None
    """LSTM: the forget gate's bias starts at 1; None is Keras's default, True."""
    kernel_regularizer: Regularizer | None = None
    """Penalty on the input weights, such as l2(0.01)."""
    recurrent_regularizer: Regularizer | None = None
    """Penalty on the recurrent weights."""
    bias_regularizer: Regularizer | None = None
    """Penalty on the biases."""
    activity_regularizer: Regularizer | None = None
    """Penalty on the layer's output."""
    kernel_constraint: Constraint | None = None
    """Limit on the input weights, such as max_norm(2.0)."""
    recurrent_constraint: Constraint | None = None
    """Limit on the recurrent weights."""
    bias_constraint: Constraint | None = None
    """Limit on the biases."""
    dropout: Rate = 0.0
    """Share of the layer's inputs dropped, the same ones at each step."""
    recurrent_dropout: Rate = 0.0
    """Share of the state dropped, the same units at each step."""
    return_sequences: bool = False
    """Gives the output of every step, not only the last."""
    return_state: bool = False
    """Gives the final state beside the output."""
    go_backwards: bool = False
    """Reads the sequence from its end to its beginning."""
    stateful: bool = False
    """The state at the end of a batch begins the next one."""
    unroll: bool = False
    """One copy of the step for each time step: quick for short sequences, costly for long ones."""
    reset_after: bool | None = None
    """GRU: the reset gate acts after the matrix product; None is Keras's default, True."""
    use_cudnn: bool | Literal["auto"] = "auto"
    """LSTM, GRU: the fused kernel on a GPU: auto, True (an error where it can't run) or False."""
    seed: int | None = Field(None, ge=0)
    """Of the dropout masks; layer i of a stack takes seed + i."""
    time_major: bool = False
    """The stack takes and gives (timesteps, batch, features)."""

    @model_validator(mode="after")
    def _options_of_the_cell(self):
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
                f"merge_mode=None does not go with layers={self.layers}: the next layer reads one sequence, not two; "
                "take concat, sum, mul or ave"
            )
        return self

    def off_cudnn(self) -> str | None:
        """One line that names the settings which keep the layer off the cuDNN kernel on a GPU; None if none does.

        The conditions are those of the Keras layers' documentation: activation tanh, recurrent activation sigmoid,
        recurrent_dropout 0, unroll False, use_bias True and, for GRU, reset_after True.
        """
        if self.cell == "simple_rnn":
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
