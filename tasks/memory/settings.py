"""Settings of the study: what is measured, and how the networks are trained. Does not import TensorFlow."""

from typing import Annotated, Literal, get_args

import tyro
from pydantic import Field, ValidationInfo, field_validator

from models import keras_objects
from models.recurrent_settings import MAX_INTEGER, Cell, Settings
from tasks import comma_lists

CELLS = get_args(Cell)
# Each study tests one claim; see claims.CLAIMS.
STUDIES = ("memory", "clipping", "initializer", "forget_bias")
TrainingLags = Literal["fixed", "uniform", "log_uniform"]

# Settings whose values come from a fixed list: the list, and the noun for one value in error messages.
CHOICES = {
    "cells": (CELLS, "cell"),
    "training_lags": (get_args(TrainingLags), "distribution of training lags"),
    "studies": (STUDIES, "study"),
}
# Examples of the other lists, for error messages.
LAGS_EXAMPLE, INITIALIZERS_EXAMPLE = "5,10,20", "glorot_uniform,random_normal"

# Settings that select experiments and output, and do not change the result of any experiment.
SELECTION = {"run", "cells", "lags", "training_lags", "seeds", "studies", "random_initializers", "overwrite", "json_"}


class MemoryArguments(Settings):
    """Measures how long a recurrent cell remembers the first symbol of a sequence of noise."""

    run: str = "runs/memory"
    """Folder of the results. The same command continues an interrupted study, and the lists below can be extended
    later."""
    cells: str = "lstm,gru,simple_rnn"
    """Recurrent cells, separated by commas."""
    lags: str = "5,10,20,50,100"
    """Test lags, separated by commas: number of noise symbols after the first symbol.
    5,10,20,50,100,200,500,1000 takes about an hour; with --studies memory --training-lags log_uniform a few
    minutes."""
    training_lags: str = "uniform,fixed"
    """Distributions of the lag in training, separated by commas. fixed: the test lag; uniform: drawn for each batch
    from 1 to the test lag; log_uniform: the same, but every octave is equally likely, so short lags are more
    frequent."""
    studies: str = ",".join(STUDIES)
    """Studies, separated by commas. memory: the cells with default settings; clipping, initializer, forget_bias:
    comparison with no gradient clipping, with random_initializers, with a forget gate bias of 0."""
    random_initializers: str = "glorot_uniform"
    """Recurrent initializers to compare with the orthogonal one, separated by commas. random_normal has smaller
    weights than glorot_uniform."""
    seeds: int = Field(1, ge=1)
    """Number of seeds. Each seed repeats every experiment with other initial weights and sequences."""
    units: int = Field(32, ge=1)
    """Number of units of the recurrent layer."""
    symbols: int = Field(8, ge=2)
    """Number k of symbols to remember. Another k symbols are noise; the chance level is 1 / k."""
    steps: int = Field(400, ge=1)
    """Maximum number of training steps. Training stops earlier when the task is solved."""
    batch_size: int = Field(64, ge=1)
    """Sequences per training step."""
    learning_rate: float = Field(1e-2, gt=0.0)
    """Learning rate of Adam."""
    global_clipnorm: float = Field(1.0, gt=0.0)
    """Gradients are clipped to this global norm, except in experiments without clipping."""
    explosion_lag: int = Field(100, ge=1)
    """Lag of the exploding-gradient experiment: a simple_rnn, trained by SGD with log_uniform training lags."""
    explosion_gain: float = Field(3.0, gt=0.0)
    """Exploding-gradient experiment: recurrent weights have the standard deviation gain / sqrt(units)."""
    explosion_learning_rate: float = Field(0.3, gt=0.0)
    """Exploding-gradient experiment: learning rate of SGD."""
    overwrite: bool = False
    """Removes existing results and starts again."""
    json_: Annotated[bool, tyro.conf.arg(name="json")] = False
    """Prints the results as one JSON object."""

    @field_validator(*CHOICES)
    @classmethod
    def _check_choices(cls, value: str, info: ValidationInfo) -> str:
        return comma_lists.check_known(value, *CHOICES[info.field_name])

    @field_validator("lags")
    @classmethod
    def _check_lags(cls, value: str) -> str:
        lags = []
        for part in comma_lists.split(value, LAGS_EXAMPLE):
            try:
                lag = int(part)
            except ValueError:
                raise ValueError(f"{part!r} is not an integer; write lags as in {LAGS_EXAMPLE}") from None
            if not 1 <= lag <= MAX_INTEGER:
                raise ValueError(f"{part} is not a valid lag; the minimum is 1, and the maximum {MAX_INTEGER:,}")
            lags.append(lag)
        if len({*lags}) < len(lags):
            raise ValueError(f"{value!r} names {max(lags, key=lags.count)} twice; name each once")
        return value

    @field_validator("random_initializers")
    @classmethod
    def _check_initializers(cls, value: str) -> str:
        for part in comma_lists.split(value, INITIALIZERS_EXAMPLE):
            keras_objects.check("initializer", part)
        return value

    @property
    def cell_names(self) -> list[str]:
        """Values of `cells`."""
        return comma_lists.split(self.cells)

    @property
    def lag_values(self) -> list[int]:
        """Values of `lags` in ascending order."""
        return sorted(map(int, comma_lists.split(self.lags)))

    @property
    def training_lag_names(self) -> list[str]:
        """Values of `training_lags`."""
        return comma_lists.split(self.training_lags)

    @property
    def study_names(self) -> list[str]:
        """Values of `studies`."""
        return comma_lists.split(self.studies)

    @property
    def initializer_names(self) -> list[str]:
        """Values of `random_initializers`."""
        return comma_lists.split(self.random_initializers)

    @property
    def result_settings(self) -> dict:
        """Settings that change the result of an experiment, as JSON values."""
        return self.model_dump(mode="json", exclude=SELECTION)
