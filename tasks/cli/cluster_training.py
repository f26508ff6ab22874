"""The commands of `tasks.cluster` that train one network on several workers, and say what that costs."""

import contextlib
import logging
import sys

from models.recurrent_settings import Settings
from tasks.cli import joint_parsing, parsing
from tasks.cli.early_checks import check_files, check_ray
from tasks.cli.main import load
from tasks.cli.registry import TASKS
from tasks.cluster.extra import imported
from tasks.cluster.train import train as run_on_workers
from tasks.cluster.training_settings import ClusterTrainArguments
from tasks.errors import UserError, did_you_mean
from tasks.references import find
from tasks.task import Task
from tasks.training.scaling_settings import ScalingArguments


def train(program: str, argv: list[str]) -> None:
    """Run `python -m tasks.cluster train TASK ...`: the options of the task's own `train`, and those of the workers."""
    task, rest = _task(program, ClusterTrainArguments, argv)
    arguments, options, asked = joint_parsing.train_on_workers(program, ClusterTrainArguments, task, rest)
    if arguments.on == "ray":
        check_ray()
        imported("ray")
    check_files(task, asked.settings, asked.run)
    logging.basicConfig(format="%(message)s", stream=sys.stderr)
    run_on_workers(arguments, task.name, options, asked.run)


def scaling(program: str, argv: list[str]) -> None:
    """Run `python -m tasks.cluster scaling TASK ...`: the options of `train` name the network and the data."""
    task, rest = _task(program, ScalingArguments, argv)
    arguments, _, asked = joint_parsing.train_on_workers(
        program, ScalingArguments, task, [*rest, "--run", "runs/scaling"]
    )
    check_files(task, asked.settings)
    with contextlib.redirect_stdout(sys.stderr):
        main_of_scaling = load("tasks.training.scaling:main")
    main_of_scaling(arguments, task, asked.settings)


def _task(program: str, arguments_class: type[Settings], argv: list[str]) -> tuple[Task, list[str]]:
    """Return the task that the arguments begin with, and the others; show the help if they ask for it."""
    name, *rest = argv or ["--help"]
    if {"-h", "--help"} & {*argv} or not argv:
        parsing.parse(f"{program} TASK", arguments_class, ["--help"])
    if name not in TASKS:
        raise UserError(
            f"{name!r} is no task; write {program} TASK ..., with one of {', '.join(TASKS)}{did_you_mean(name, TASKS)}"
        )
    return find(TASKS[name]), rest
