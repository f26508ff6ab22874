"""The command line of `tasks.serving.beam`: the command of a task that answers texts, on Apache Beam."""

from collections.abc import Sequence

from tasks.cli import parsing
from tasks.cli.dispatch import dispatched
from tasks.cli.early_checks import check_files
from tasks.cli.exit_codes import guarded
from tasks.cli.main import load
from tasks.cli.registry import TASKS
from tasks.errors import UserError
from tasks.references import find

PROGRAM = "python -m tasks.serving.beam"
USAGE = f"""usage: {PROGRAM} TASK --input FOLDER --output FOLDER OPTIONS [-- OPTIONS OF BEAM]

Answers the files of a folder with Apache Beam, as the command of the task does that answers texts.

  TASK       {", ".join(TASKS)}

{PROGRAM} TASK --help lists the options. Those of Beam, such as --runner=FlinkRunner, follow --."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run `python -m tasks.serving.beam TASK ...`.

    Args:
        argv: The arguments; those of the process if None.

    Returns:
        The exit code; see `tasks.cli.exit_codes`.
    """
    return guarded(dispatched(TASKS, "task", lambda: USAGE, _run), argv)


def _run(name: str, argv: list[str]) -> None:
    own, of_beam = (argv[: argv.index("--")], argv[argv.index("--") + 1 :]) if "--" in argv else (argv, [])
    task = find(TASKS[name])
    hint = "those of Beam, such as --runner=FlinkRunner, follow --"
    arguments = parsing.parse(f"{PROGRAM} {name}", task.predict_arguments, own, hint=hint)
    if not arguments.sharded:
        raise UserError("Beam answers files: name their folder with --input, and that of the answers with --output")
    check_files(task, arguments)
    load("tasks.serving.beam:answer_shards")(task, arguments, of_beam)
