"""What is studied, and how the networks are trained. Imports no TensorFlow."""

from typing import Annotated, Literal, get_args

import tyro
from pydantic import Field, ValidationInfo, field_validator

from models import keras_objects
from models.recurrent_settings import Cell, Settings
from tasks import comma_lists

CELLS = get_args(Cell)
# Each looks at one claim; see verdicts.CLAIMS.
STUDIES = ("memory", "clipping", "initializer", "forget_bias")

TrainingLags = Literal["fixed", "uniform", "log_uniform"]
TRAINING_LAGS = get_args(TrainingLags)

# The lists of known names, and what one of them is called.
KNOWN = {
    "cells": (CELLS, "cell"),
    "training_lags": (TRAINING_LAGS, "way to draw lags"),
    "studies": (STUDIES, "study"),
}
# How another list is written, for an error.
LAGS, INITIALIZERS = "5,10,20", "glorot_uniform,random_normal"

# They choose which results are made and shown, and do not change any of them.
CHOICES = ("run", "cells", "lags", "training_lags", "seeds", "studies", "random_initializers", "overwrite", "json_")


class RecallArguments(Settings):
    """How long does it remember? The first symbol of a sequence is asked for after a lag of noise."""

    run: str = "runs/recall"
    """The folder of the results. The same command goes on where it was stopped, and more of the lists below can be
    added to what is there."""
    cells: str = "lstm,gru,simple_rnn"
    """The cells, joined with commas."""
    lags: str = "5,10,20,50,100"
    """How many noise symbols stand between the symbol and the end, joined with commas. 5,10,20,50,100,200,500,1000
    takes about an hour; with --studies memory --training-lags log_uniform some minutes."""
    training_lags: str = "uniform,fixed"
    """The lags of the training sequences, joined with commas. fixed: the asked one; uniform: any from 1 to the asked
    one, drawn for each step; log_uniform: short ones more often, each octave as likely. The test has the asked lag
    alone."""
    studies: str = ",".join(STUDIES)
    """Joined with commas. memory: the cells as they are; clipping, initializer and forget_bias: with and without it."""
    random_initializers: str = "glorot_uniform"
    """Of the recurrent weights, to compare with orthogonal ones; joined with commas. random_normal has smaller ones."""
    seeds: int = Field(1, ge=1)
    """So many trainings of each, with other weights and sequences; several show how much is luck."""
    units: int = Field(32, ge=1)
    """Size of the state."""
    symbols: int = Field(8, ge=2)
    """So many symbols are asked for, and as many others are noise; chance is one in so many."""
    steps: int = Field(400, ge=1)
    """Training steps at the most; a training ends sooner when the task is solved."""
    batch_size: int = Field(64, ge=1)
    """Sequences in a step."""
    learning_rate: float = Field(1e-2, gt=0.0)
    """Of Adam."""
    global_clipnorm: float = Field(1.0, gt=0.0)
    """All gradients together are clipped to this norm, but where clipping is off."""
    explosion_lag: int = Field(100, ge=1)
    """The explosion is looked at with this lag, in a simple_rnn trained by SGD on log_uniform lags."""
    explosion_gain: float = Field(3.0, gt=0.0)
    """Its recurrent weights are normal with standard deviation gain / sqrt(units)."""
    explosion_learning_rate: float = Field(0.3, gt=0.0)
    """Of SGD."""
    overwrite: bool = False
    """Removes the results that are there, and begins anew."""
    json_: Annotated[bool, tyro.conf.arg(name="json")] = False
    """Prints one JSON object."""

    @field_validator(*KNOWN)
    @classmethod
    def _known_names(cls, value: str, info: ValidationInfo) -> str:
        return comma_lists.check(value, *KNOWN[info.field_name])

    @field_validator("lags")
    @classmethod
    def _lags_are_steps(cls, value: str) -> str:
        for part in comma_lists.parts(value, LAGS):
            try:
                lag = int(part)
            except ValueError:
                raise ValueError(f"{part!r} is no whole number; give lags such as 5,10,20") from None
            if lag < 1:
                raise ValueError(f"{part} is no lag; the least is 1, one noise symbol after the one that is asked for")
        return value

    @field_validator("random_initializers")
    @classmethod
    def _known_initializers(cls, value: str) -> str:
        for part in comma_lists.parts(value, INITIALIZERS):
            keras_objects.check("initializer", part)
        return value

    @property
    def cell_names(self) -> tuple[str, ...]:
        return tuple(comma_lists.parts(self.cells))

    @property
    def lag_values(self) -> tuple[int, ...]:
        """From the shortest to the longest."""
        return tuple(sorted(map(int, comma_lists.parts(self.lags))))

    @property
    def training_lag_names(self) -> tuple[str, ...]:
        return tuple(comma_lists.parts(self.training_lags))

    @property
    def study_names(self) -> tuple[str, ...]:
        return tuple(comma_lists.parts(self.studies))

    @property
    def initializer_names(self) -> tuple[str, ...]:
        return tuple(comma_lists.parts(self.random_initializers))

    @property
    def of_the_results(self) -> dict:
        """The settings that change a result, as JSON has them."""
        return self.model_dump(mode="json", exclude=set(CHOICES))
