"""The command line of `python -m tasks.cluster predict|generate|translate`."""

from tasks.cli import joint_parsing, parsing
from tasks.cli.early_checks import check_files, check_ray
from tasks.cli.main import load
from tasks.cli.registry import all_tasks
from tasks.cluster.extra import imported
from tasks.cluster.settings import ShardArguments


def answer(program: str, argv: list[str]) -> None:
    """Run the command.

    Args:
        program: The program and the command, such as "python -m tasks.cluster predict".
        argv: The arguments after them.
    """
    (task,) = (task for task in all_tasks() if task.predict_command == program.split()[-1])
    cluster, rest = joint_parsing.parse_first(ShardArguments, program, argv)
    arguments = parsing.parse(program, task.predict_arguments, rest)
    check_files(task, arguments)
    check_ray()
    imported("ray")
    load("tasks.cluster.shards:answer_shards")(task, arguments, cluster)
