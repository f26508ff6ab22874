"""What a comparison is to compare, and by which figure. Imports no TensorFlow."""

import dataclasses
import itertools
import math
import re
from typing import Annotated, get_args

import tyro
from pydantic import Field, field_validator, model_validator

from models.recurrent_settings import Cell, Settings
from tasks import comma_lists

CELLS = get_args(Cell)

# What --vary does not vary, and what does.
OWN = {
    "cell": "name the cells with --cells",
    "units": "name the sizes with --units",
    "seed": "give the number of seeds with --seeds, and the first one with --seed",
    "run": "the folder is that of the whole comparison",
    "settings": "name one file with --settings",
}


@dataclasses.dataclass(frozen=True)
class Yardstick:
    """How a task measures its models.

    Attributes:
      metric: the key of `evaluate`'s result that the table shows if no other is asked for.
      metrics: all keys that may be asked for.
      watched: the column of the history that is drawn against the time of training.
      higher_is_better: of `watched`.
      source: module:function that opens the data that [data] of the settings names; what it gives knows its `splits`.
    """

    metric: str
    metrics: tuple[str, ...]
    watched: str
    higher_is_better: bool
    source: str


YARDSTICKS = {
    "sentiment": Yardstick(
        "accuracy",
        ("accuracy", "macro_f1", "roc_auc", "log_loss", "calibration_error"),
        "val_accuracy",
        True,
        "tasks.sentiment.data:labelled_source",
    ),
    "chargen": Yardstick(
        "nats_per_character",
        ("nats_per_character", "bits_per_character", "perplexity"),
        "val_loss",
        False,
        "tasks.chargen.data:open_text",
    ),
    "translation": Yardstick(
        "bleu",
        ("bleu", "bleu_lowercase", "chrf", "ter", "exact_match", "perplexity", "loss"),
        "val_bleu",
        True,
        "tasks.translation.data:pair_source",
    ),
}


class CompareArguments(Settings):
    """Trains cells and sizes side by side: a table and pictures with error bars. Takes every option of train, too."""

    run: str | None = None
    """The folder of the comparison; runs/compare-TASK if not given."""
    cells: str = "lstm,gru,simple_rnn"
    """The cells to compare, joined with commas."""
    units: str | None = None
    """Sizes of the state to compare, joined with commas."""
    vary: Annotated[tuple[str, ...], tyro.conf.arg(metavar="NAME=VALUE,VALUE...")] = ()
    """Another setting and the values to compare, such as layers=1,2; each goes with each."""
    seeds: int = Field(3, ge=1)
    """Trainings of each, with as many seeds from --seed on."""
    minutes: float | None = Field(None, gt=0.0)
    """Gives each so many minutes of training, validation not counted, in place of so many epochs."""
    metric: str | None = None
    """The figure of evaluate in the table; the task's own if not given."""
    split: str = "validation"
    """The split that it is measured on; test is for the final figure, when the choice is made."""
    quality: float | None = None
    """The time is told that each takes to this validation figure (accuracy, in chargen the loss, in translation BLEU);
    what all of them reach if not given."""
    overwrite: bool = False
    """Begins the comparison anew; what is there stays until the first training is finished."""
    json_: Annotated[bool, tyro.conf.arg(name="json")] = False
    """Prints the table as a JSON object."""

    @field_validator("cells")
    @classmethod
    def _known_cells(cls, value: str) -> str:
        return comma_lists.check(value, CELLS, "cell")

    @field_validator("units")
    @classmethod
    def _units_are_a_list(cls, value: str | None) -> str | None:
        if value is not None:
            comma_lists.parts(value)
        return value

    @field_validator("vary")
    @classmethod
    def _names_and_values(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        names = [_option(words) for words in value]
        for words, name in zip(value, names, strict=True):
            if not re.match(r"[\w-]+=.", words):
                raise ValueError(f"{words!r} is not NAME=VALUE,VALUE...")
            if name in OWN or names.count(name) > 1:
                raise ValueError(f"{words!r}: {OWN.get(name, 'name all of its values at once')}")
            comma_lists.parts(words.partition("=")[2])
        return value

    @model_validator(mode="after")
    def _each_variation_has_its_folder(self):
        combinations = math.prod(map(len, self.axes.values()))
        if len(self.variations) < combinations:
            raise ValueError("two of the values differ in signs alone, and so would share a folder; take other ones")
        return self

    @property
    def axes(self) -> dict[str, list[str]]:
        """What is varied: the option's name on the command line -> its values."""
        axes = {"cell": comma_lists.parts(self.cells)}
        if self.units is not None:
            axes["units"] = comma_lists.parts(self.units)
        for words in self.vary:
            axes[_option(words)] = comma_lists.parts(words.partition("=")[2])
        return axes

    @property
    def variations(self) -> dict[str, dict[str, str]]:
        """Each combination: a name fit for a folder -> {option: value}."""
        combinations = [dict(zip(self.axes, values, strict=True)) for values in itertools.product(*self.axes.values())]
        return {_folder_name(options): options for options in combinations}


def _option(words: str) -> str:
    """NAME=VALUE,... -> the option, as it is spelt on the command line."""
    return words.partition("=")[0].replace("_", "-").lstrip("-")


def _folder_name(options: dict[str, str]) -> str:
    words = [value if name == "cell" else f"{name}={value}" for name, value in options.items()]
    return re.sub(r"[^\w.=+-]+", "-", "_".join(words))


@dataclasses.dataclass(frozen=True)
class Comparison:
    """What the command line asks for.

    Attributes:
      task: its name.
      arguments: of the comparison itself.
      settings: of the task, for each variation; the seed is the first one.
    """

    task: str
    arguments: CompareArguments
    settings: dict[str, Settings]

    @property
    def yardstick(self) -> Yardstick:
        return YARDSTICKS[self.task]

    @property
    def metric(self) -> str:
        return self.arguments.metric or self.yardstick.metric

    @property
    def path(self) -> str:
        return self.arguments.run or f"runs/compare-{self.task}"
