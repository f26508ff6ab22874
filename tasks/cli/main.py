"""The command line of every task: commands, and settings class -> options."""

import contextlib
import logging
import os
import sys
from collections.abc import Callable, Mapping, Sequence

from tasks.cli import joint_parsing, parsing
from tasks.cli.dispatch import dispatched
from tasks.cli.early_checks import check_files
from tasks.cli.exit_codes import guarded
from tasks.cli.start import import_tensorflow, quiet_start
from tasks.commands import Command, CommandGroup
from tasks.comparison.settings import CompareArguments
from tasks.references import find
from tasks.task import Task
from tasks.training.worker_addresses import WorkerAddresses, check_port, parse

# The commands that continue where they were interrupted.
RESUMABLE = ("train", "compare")


def commands_of(task: Task | CommandGroup) -> dict[str, Command]:
    """Return the commands of a task, or of another package, by name."""
    if isinstance(task, CommandGroup):
        return dict(task.commands)
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

    def run(name: str, rest: list[str]) -> None:
        command, program_and_command = commands[name], f"{program} {name}"
        if name == "train":
            arguments = parsing.train_arguments(task, program_and_command, rest)
            check_files(task, arguments.settings, arguments.run)
            _train(command.function, task, arguments)
        elif name == "compare":
            comparison = joint_parsing.comparison(task, program_and_command, command.arguments, rest)
            check_files(task, comparison)
            load(command.function, tensorflow=False)(comparison)  # each training is a separate process
        else:
            arguments = parsing.parse(program_and_command, command.arguments, rest)
            check_files(task, arguments)
            load(command.function)(task, arguments)

    return guarded(_chosen(program, commands, run), argv, resumable=RESUMABLE)


def main_of_group(group: CommandGroup, argv: Sequence[str] | None = None) -> int:
    """Run `python -m tasks.NAME COMMAND ...` of a package that is no task; like `main`."""
    program = f"python -m tasks.{group.name}"

    def run(name: str, rest: list[str]) -> None:
        command = group.commands[name]
        if name == "train":
            rest = group.written_out(rest)
            settings, folder, *options = parsing.train_arguments(group, f"{program} train", rest)
            overwrite, processes = options
            data = settings.data.data
            reads_data_set = isinstance(data, str) and data.startswith("tfds:")
            with contextlib.redirect_stdout(sys.stderr):
                function = load(command.function, tensorflow=reads_data_set)
                finished = function(settings, folder, overwrite=overwrite, processes=processes)
            print(finished.path)
        else:
            arguments = parsing.parse(f"{program} {name}", command.arguments, rest)
            load(command.function, tensorflow=False)(arguments)

    return guarded(_chosen(program, group.commands, run), argv, resumable=RESUMABLE)


def _chosen(
    program: str, commands: Mapping[str, Command], run: Callable[[str, list[str]], None]
) -> Callable[[list[str]], int]:
    """Return the function that runs the command that arguments begin with, and returns the exit code."""
    return dispatched(commands, f"command of {program}", lambda: _overview(program, commands), run)


def run_single(name: str, command: Command, argv: Sequence[str] | None = None) -> int:
    """Run `python -m tasks.NAME ...` of a package that has one command, a function of its arguments."""

    def run(argv: list[str]) -> int:
        arguments = parsing.parse(f"python -m tasks.{name}", command.arguments, argv)
        load(command.function, intra_op_threads=getattr(arguments, "intra_op_threads", 0))(arguments)
        return 0

    return guarded(run, argv)


def _overview(program: str, commands: Mapping[str, Command]) -> str:
    lines = [f"usage: {program} COMMAND ...", ""]
    for name, command in commands.items():
        lines.append(f"  {name:<10} {(command.arguments.__doc__ or '').strip().splitlines()[0]}")
    return "\n".join([*lines, "", f"{program} COMMAND --help lists the options."])


def _train(function: str, task: Task, arguments: parsing.TrainArguments) -> None:
    addresses = parse(os.environ.get("TF_CONFIG"))
    workers = None if addresses is None else _connected(addresses)
    train = load(function)
    if workers is not None and not workers.is_first:  # the first one shows what all do
        logging.getLogger("tasks").setLevel(logging.ERROR)
    with contextlib.redirect_stdout(sys.stderr):  # the epochs are printed to standard output
        settings, folder, overwrite, processes = arguments
        others = {} if workers is None else {"workers": workers}
        run = train(task, settings, folder, overwrite=overwrite, processes=processes, **others)
    if workers is None or workers.is_first:
        print(run.path)


def _connected(addresses: WorkerAddresses):
    """Connect this process with the other workers of a training, before TensorFlow starts."""
    check_port(addresses)
    _log_to_standard_error()
    logging.getLogger(__name__).info("%s: waiting for the others", addresses)
    with quiet_start():
        import_tensorflow(start=False)
        workers = find("tasks.training.workers:connect")(addresses)
    return workers


def _log_to_standard_error() -> None:
    logging.basicConfig(format="%(message)s", stream=sys.stderr)
    logging.getLogger("tasks").setLevel(logging.INFO)


def load(function: str, *, tensorflow: bool = True, intra_op_threads: int = 0) -> Callable:
    """Import the function of a command, with TensorFlow's start-up messages hidden.

    Args:
        function: See `Command`.
        tensorflow: Whether the function needs TensorFlow in this process, now or later.
        intra_op_threads: See `import_tensorflow`.
    """
    _log_to_standard_error()
    with quiet_start():
        if tensorflow:
            import_tensorflow(intra_op_threads=intra_op_threads)
        return find(function)
