"""The command line of every task: commands, and settings class -> options."""

import contextlib
import logging
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from models.recurrent_settings import Settings
from tasks.cli import parsing
from tasks.cli.early_checks import check_files
from tasks.cli.exit_codes import guarded
from tasks.cli.start import quiet_start
from tasks.comparison.settings import CompareArguments
from tasks.errors import UserError, did_you_mean
from tasks.references import find
from tasks.task import Task

# The commands that continue where they were interrupted.
RESUMABLE = ("train", "compare")


@dataclass(frozen=True)
class Command:
    """A command.

    Attributes:
        function: "module:function"; imported when the command is run, since it imports TensorFlow.
        arguments: The class of its arguments; for `train` that of the task's settings.
    """

    function: str
    arguments: type[Settings]


def commands_of(task: Task) -> dict[str, Command]:
    """Return the commands of a task by name."""
    commands = {
        "train": Command("tasks.training.train:train", task.settings_class),
        "evaluate": Command("tasks.serving.evaluate:main", task.evaluate_arguments),
        task.predict_command: Command("tasks.serving.predict:main", task.predict_arguments),
        "export": Command("tasks.serving.export:main", task.export_arguments),
        "explain": Command("tasks.serving.explain:main", task.explain_arguments),
        "compare": Command("tasks.comparison.compare:main", CompareArguments),
    }
    return {name: command for name, command in commands.items() if command.arguments is not None}


def main(task: Task, argv: Sequence[str] | None = None) -> int:
    """Run `python -m tasks.TASK COMMAND ...`.

    Args:
        task: The task.
        argv: The arguments; those of the process if None.

    Returns:
        The exit code; see `tasks.cli.exit_codes`.
    """
    program, commands = f"python -m tasks.{task.name}", commands_of(task)

    def run(argv: list[str]) -> int:
        if not argv or argv[0] in ("-h", "--help"):
            print(_overview(program, commands), file=sys.stdout if argv else sys.stderr)
            return 0 if argv else 2
        name, rest = argv[0], argv[1:]
        if name not in commands:
            raise UserError(
                f"{name!r} is no command of {program}; its commands: {', '.join(commands)}"
                f"{did_you_mean(name, commands)}"
            )
        command, program_and_command = commands[name], f"{program} {name}"
        if name == "train":
            settings, folder, overwrite = parsing.train_arguments(task, program_and_command, rest)
            check_files(task, settings)
            _train(load(command.function), task, settings, folder, overwrite)
        elif name == "compare":
            comparison = parsing.comparison(task, program_and_command, command.arguments, rest)
            check_files(task, comparison)
            load(command.function)(comparison)
        else:
            arguments = parsing.parse(program_and_command, command.arguments, rest)
            check_files(task, arguments)
            load(command.function)(task, arguments)
        return 0

    return guarded(run, argv, resumable=RESUMABLE)


def run_single(name: str, command: Command, argv: Sequence[str] | None = None) -> int:
    """Run `python -m tasks.NAME ...` of a package that has one command, a function of its arguments."""

    def run(argv: list[str]) -> int:
        arguments = parsing.parse(f"python -m tasks.{name}", command.arguments, argv)
        load(command.function)(arguments)
        return 0

    return guarded(run, argv)


def _overview(program: str, commands: dict[str, Command]) -> str:
    lines = [f"usage: {program} COMMAND ...", ""]
    for name, command in commands.items():
        lines.append(f"  {name:<10} {(command.arguments.__doc__ or '').strip().splitlines()[0]}")
    return "\n".join([*lines, "", f"{program} COMMAND --help lists the options."])


def _train(train: Callable, task: Task, settings: Settings, folder, overwrite: bool) -> None:
    with contextlib.redirect_stdout(sys.stderr):  # Keras draws its progress bar on standard output
        run = train(task, settings, folder, overwrite=overwrite, verbose=1 if sys.stderr.isatty() else 2)
    print(run.path)


def load(function: str) -> Callable:
    """Import the function of a command, with TensorFlow's start-up messages hidden."""
    logging.basicConfig(format="%(message)s", stream=sys.stderr)
    logging.getLogger("tasks").setLevel(logging.INFO)
    with quiet_start():
        loaded = find(function)
        if "tensorflow" in sys.modules:
            sys.modules["tensorflow"].config.list_logical_devices()
    return loaded
