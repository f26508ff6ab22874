"""The command line of `tasks.cluster`: commands of the tasks that run on several processes or machines."""

from collections.abc import Sequence

from tasks.cli.dispatch import dispatched
from tasks.cli.exit_codes import guarded
from tasks.cli.registry import all_tasks
from tasks.references import find

PROGRAM = "python -m tasks.cluster"
# A command -> what it does, and the function that parses its arguments and runs it: "module:function", called with
# the program and the command, such as "python -m tasks.cluster train", and the arguments after it.
COMMANDS: dict[str, tuple[str, str]] = {
    task.predict_command: (
        f"Answers the shards of an input with Ray, as python -m tasks.{task.name} {task.predict_command} does.",
        "tasks.cli.cluster_shards:answer",
    )
    for task in all_tasks()
} | {
    "train": (
        "Trains one network on several workers, and starts them again when one dies.",
        "tasks.cli.cluster_training:train",
    ),
    "scaling": ("Prints what a training on several workers would cost.", "tasks.cli.cluster_training:scaling"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run `python -m tasks.cluster COMMAND ...`.

    Args:
        argv: The arguments; those of the process if None.

    Returns:
        The exit code; see `tasks.cli.exit_codes`.
    """
    return guarded(dispatched(COMMANDS, f"command of {PROGRAM}", _overview, _run), argv)


def _run(name: str, argv: list[str]) -> None:
    _, function = COMMANDS[name]
    find(function)(f"{PROGRAM} {name}", argv)


def _overview() -> str:
    lines = [f"  {name:<10} {what}" for name, (what, _) in COMMANDS.items()]
    return "\n".join([f"usage: {PROGRAM} COMMAND ...", "", *lines, "", f"{PROGRAM} COMMAND --help lists the options."])
