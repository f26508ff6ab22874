"""What a comparison compares, and by which metric. Imports no TensorFlow."""

import dataclasses
import hashlib
import itertools
import math
import re
from pathlib import Path
from typing import Annotated, Literal

import tyro
from pydantic import Field, field_validator, model_validator

from models.recurrent_settings import CELLS, Settings
from tasks import comma_lists
from tasks.cluster.settings import ResourceWords, check_resources, resource_values
from tasks.data import look_ahead
from tasks.metrics import Metric
from tasks.task import Task

# A longer name of a folder is shortened; file systems have a limit of 255.
MAX_NAME_BYTES = 200
# What --vary does not vary, and what to use instead.
NOT_VARIED = {
    "cell": "name the cells with --cells",
    "units": "name the sizes with --units",
    "seed": "give the number of seeds with --seeds, and the first one with --seed",
    "run": "the folder is that of the whole comparison",
    "settings": "name one file with --settings",
}


class CompareArguments(Settings):
    """Trains cells and sizes side by side: a table and plots with error bars. Also takes every option of train."""

    run: str | None = None
    """The folder of the comparison; runs/compare-TASK if not given."""
    cells: str = "lstm,gru,simple_rnn"
    """The cells to compare, separated by commas."""
    units: str | None = None
    """Sizes of the state to compare, separated by commas."""
    vary: Annotated[tuple[str, ...], tyro.conf.arg(metavar="NAME=VALUE,VALUE...")] = ()
    """Another setting and the values to compare, such as layers=1,2; all combinations are trained."""
    seeds: int = Field(3, ge=1)
    """Number of trainings of each variation, with consecutive seeds from --seed on."""
    minutes: float | None = Field(None, gt=0.0)
    """Trains each for this number of minutes, without validation, instead of a number of epochs."""
    metric: str | None = None
    """The metric of evaluate in the table; the task's first one if not given."""
    split: str = "validation"
    """The split that it is measured on; test is for the final figure, when the choice is made."""
    quality: float | None = None
    """Reports the time that each takes to this validation metric (accuracy, without a linear model that is fitted
    before; in chargen the loss, in translation BLEU); the best value that all of them reach if not given."""
    jobs: int = Field(1, ge=1)
    """Number of trainings side by side. Those on one machine slow each other down: their times are marked."""
    on: Literal["local", "slurm", "ray"] = "local"
    """Where they run: on this machine, in jobs of Slurm, or on a cluster of Ray. The last two need the extra
    cluster."""
    resources: ResourceWords = ()
    """What each of them gets on slurm, by submitit's names, such as time=600 (minutes) partition=gpu; on ray, such as
    num_cpus=4 num_gpus=1."""
    overwrite: bool = False
    """Starts the comparison again; the old one stays until the first training is finished."""
    json_: Annotated[bool, tyro.conf.arg(name="json")] = False
    """Prints the table as a JSON object."""

    @field_validator("cells")
    @classmethod
    def _known_cells(cls, value: str) -> str:
        return comma_lists.check_known(value, list(CELLS), "cell")

    @field_validator("units")
    @classmethod
    def _units_are_a_list(cls, value: str | None) -> str | None:
        if value is not None:
            comma_lists.split(value)
        return value

    @field_validator("vary")
    @classmethod
    def _names_and_values(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        names = [_option(words) for words in value]
        for words, name in zip(value, names, strict=True):
            if not re.match(r"[\w-]+=.", words):
                raise ValueError(f"{words!r} is not NAME=VALUE,VALUE...")
            if name in NOT_VARIED or names.count(name) > 1:
                raise ValueError(f"{words!r}: {NOT_VARIED.get(name, 'name all of its values at once')}")
            if name.replace("-", "_") in {field.removesuffix("_") for field in cls.model_fields}:
                raise ValueError(f"{words!r}: --{name} is an option of the comparison itself, and has one value")
            comma_lists.split(words.partition("=")[2])
        return value

    @field_validator("resources")
    @classmethod
    def _resources_have_values(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        check_resources(value)
        return value

    @model_validator(mode="after")
    def _engine_has_its_options(self):
        if self.resources and self.on == "local":
            raise ValueError("--resources are those of --on slurm or --on ray; add one of them")
        if self.minutes is not None and self.jobs > 1:
            raise ValueError(
                f"--minutes {self.minutes:g} with --jobs {self.jobs}: the number of steps follows from the seconds "
                "that a step takes, and trainings side by side slow each other down; give --epochs, or --jobs 1"
            )
        return self

    @model_validator(mode="after")
    def _each_variation_has_its_folder(self):
        combinations = math.prod(map(len, self.axes.values()))
        if len(self.variations) < combinations:
            raise ValueError("two of the values differ in signs alone, and so would share a folder; take other ones")
        return self

    @property
    def axes(self) -> dict[str, list[str]]:
        """What is varied: the name of the option -> its values."""
        axes = {"cell": comma_lists.split(self.cells)}
        if self.units is not None:
            axes["units"] = comma_lists.split(self.units)
        for words in self.vary:
            axes[_option(words)] = comma_lists.split(words.partition("=")[2])
        return axes

    @property
    def variations(self) -> dict[str, dict[str, str]]:
        """Every combination: a name for its folder -> {option: value}."""
        combinations = [dict(zip(self.axes, values, strict=True)) for values in itertools.product(*self.axes.values())]
        return {_folder_name(options): options for options in combinations}


def _option(words: str) -> str:
    """Return the option of NAME=VALUE,..., as it is written on the command line."""
    return words.partition("=")[0].replace("_", "-").lstrip("-")


def _folder_name(options: dict[str, str]) -> str:
    words = [value if name == "cell" else f"{name}={value}" for name, value in options.items()]
    name = re.sub(r"[^\w.=+-]+", "-", "_".join(words))
    if len(name.encode()) <= MAX_NAME_BYTES:
        return name
    short = name.encode()[: MAX_NAME_BYTES - 13].decode(errors="ignore")
    return f"{short}-{hashlib.sha256('_'.join(words).encode()).hexdigest()[:12]}"


@dataclasses.dataclass(frozen=True)
class Comparison:
    """What the command line asks for.

    Attributes:
        task: The task.
        arguments: The arguments of the comparison itself.
        settings: The settings of the task for each variation; their seed is the first one.
    """

    task: Task
    arguments: CompareArguments
    settings: dict[str, Settings]

    @property
    def metric(self) -> Metric:
        """The metric of `evaluate` in the table."""
        metrics = self.task.evaluation_metrics
        return self.task.evaluation_metric(self.arguments.metric) if self.arguments.metric else metrics[0]

    @property
    def path(self) -> str:
        """The folder."""
        return self.arguments.run or f"runs/compare-{self.task.name}"

    @property
    def processes(self) -> int | None:
        """Maximum number of processes that prepare the data of a training; None is the number of cores.

        Trainings side by side on a machine share its cores, and each process takes memory. Ray counts cores for each
        training, without restricting it to them; Slurm restricts a job to its cores.
        """
        resources = resource_values(self.arguments.resources)
        if self.arguments.on == "ray":
            return max(1, int(resources.get("num_cpus", 1)))
        on_this_machine = self.arguments.on == "local" or resources.get("cluster") == "local"
        return max(1, look_ahead.cores() // self.arguments.jobs) if on_this_machine else None

    @property
    def jobs_folder(self) -> Path:
        """The folder in which jobs of Slurm are described, and write their messages."""
        return Path(self.path) / "jobs"
