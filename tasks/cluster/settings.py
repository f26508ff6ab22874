"""Arguments of `tasks.cluster`, and of other commands that use an engine. Imports no TensorFlow."""

import contextlib
import re
from collections.abc import Sequence
from typing import Annotated

import tyro
from pydantic import Field, field_validator

from models.recurrent_settings import Settings

# The values of --resources on a command line.
ResourceWords = Annotated[tuple[str, ...], tyro.conf.arg(metavar="NAME=VALUE")]


def check_resources(words: Sequence[str]) -> None:
    """Raise `ValueError` unless each word is NAME=VALUE, and no name is given twice."""
    names = [word.partition("=")[0] for word in words]
    for word, name in zip(words, names, strict=True):
        if not re.match(r"[a-z_]+=.", word) or names.count(name) > 1:
            raise ValueError(f"{word!r} is not NAME=VALUE, with a name that is given once, such as num_cpus=4")


def resource_values(words: Sequence[str]) -> dict[str, str | int | float]:
    """Return the name of each resource -> its value, as a number if it is one."""
    return {name: _number(value) for name, _, value in (word.partition("=") for word in words)}


def _number(value: str) -> str | int | float:
    for kind in (int, float):
        with contextlib.suppress(ValueError):
            return kind(value)
    return value


class ShardArguments(Settings):
    """Answers the shards of an input with Ray. Also takes every option of the same command of the task."""

    workers: int = Field(2, ge=1)
    """Number of processes, each of which opens the model once."""
    resources: ResourceWords = ()
    """What each of them gets, by the names of Ray, such as num_cpus=4 num_gpus=1; half a CPU if not given."""

    @field_validator("resources")
    @classmethod
    def _resources_have_values(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        check_resources(value)
        return value
