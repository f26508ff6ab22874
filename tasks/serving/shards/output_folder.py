"""The folder with the answers to shards: which command writes it, and which shards are finished in it.

OUTPUT/_manifest.json   what the answers depend on besides the texts, and the folders of these
OUTPUT/NAME             the answers to the shard NAME

A shard is finished if its file is there, and not older than the shard.
"""

import errno
import json
import os
import secrets
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tasks.arguments import PredictArguments
from tasks.data.locations import MANIFEST
from tasks.data.stored_files import read_sealed, sealed
from tasks.errors import UserError
from tasks.serving.shards.listing import Shard, find_shards, roots
from tasks.task import Task
from tasks.training import stored_settings

# Arguments that do not change the answers to a shard.
NOT_IN_THE_ANSWERS = {*("run", "model", "trust", "texts", "input", "output", "shard", "window")}
# What file systems without links answer.
NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)


def check(arguments: PredictArguments) -> list[Shard]:
    """Check the input and the output of a command as far as no model is needed; nothing is written.

    Returns:
        The shards.

    Raises:
        UserError: If there are no shards, their options do not fit, or the output cannot be a folder of answers.
    """
    output = Path(arguments.output)
    if output.exists() and not output.is_dir():
        raise UserError(f"--output {output} is a file, and the answers to several files are a folder; name another one")
    if os.path.realpath(output) in map(os.path.realpath, roots(arguments)):
        raise UserError(f"--output {output} is the folder of the texts; name another one, which may be new")
    shards = find_shards(arguments)
    if not (output / MANIFEST).exists():
        _check_empty(output)
    return shards


def begin(task: Task, arguments: PredictArguments) -> list[Shard]:
    """Begin or continue to answer shards: create the folder of the answers, or check that it belongs to this command.

    Args:
        task: The task.
        arguments: Of the command that answers texts, with `sharded`.

    Returns:
        The shards of `--input`, or of `--shard`, that are not finished.

    Raises:
        UserError: If the shards, the options or the model cannot be used, or the folder has other files, or answers of
            another command.
    """
    shards = check(arguments)
    output, content = Path(arguments.output), _manifest(task, arguments)
    if not (output / MANIFEST).exists():
        output.mkdir(parents=True, exist_ok=True)
        _check_empty(output)
        _create_json(output / MANIFEST, sealed(content))  # unless another process has just done so
    _check_manifest(output, content)
    return unfinished(output, shards)


def check_shared(arguments: PredictArguments) -> None:
    """Check that a worker sees the folder of the answers, which `begin` has created.

    Raises:
        UserError: If the folder is not on the machine of the worker.
    """
    if not Path(arguments.output, MANIFEST).exists():
        raise UserError(
            f"--output {arguments.output} is not there on {socket.gethostname()}, where a worker runs; name a folder "
            "that all machines share by its absolute path, and the same for --input, and --run or --model"
        )


def check_model(task: Task, arguments: PredictArguments) -> None:
    """Check that the model of a command is the one that `begin` found: a worker may open it much later.

    Raises:
        UserError: If it was trained further or exported again.
    """
    _check_manifest(Path(arguments.output), _manifest(task, arguments))


def unfinished(output: Path | str, shards: Sequence[Shard]) -> list[Shard]:
    """Return the shards without answers, and those that were written after their answers."""
    return [shard for shard in shards if not _is_finished(Path(output, shard.name), shard)]


def _is_finished(path: Path, shard: Shard) -> bool:
    try:
        written = path.stat().st_mtime
        return shard.modified is None or written >= shard.modified
    except FileNotFoundError:
        return False


def _manifest(task: Task, arguments: PredictArguments) -> dict[str, Any]:
    from tasks.serving.inference import dependencies  # imports TensorFlow

    content = {
        "task": task.name,
        "input": roots(arguments),
        "depends_on": arguments.model_dump(mode="json", exclude=NOT_IN_THE_ANSWERS) | dependencies(arguments),
    }
    return json.loads(json.dumps(content))


def _check_manifest(output: Path, content: dict[str, Any]) -> None:
    stored = read_sealed(
        output / MANIFEST, f"name another folder than --output {output}, or remove this one to begin again"
    )
    difference = stored_settings.first_difference(stored, content)
    if difference:
        raise UserError(
            f"--output {output} has answers of another command: {difference}.\nRepeat that command to continue, or "
            "name another folder"
        )


def _check_empty(output: Path) -> None:
    """Raise `UserError` if a folder has visible files, but no manifest."""
    if not output.is_dir():
        return
    inside = next((path for path in sorted(output.iterdir()) if not path.name.startswith(".")), None)
    if inside is not None and not (output / MANIFEST).exists():
        raise UserError(
            f"--output {output} has other files, such as {inside.name}; name a new or an empty folder for the answers"
        )


def _create_json(path: Path, content: dict[str, Any]) -> None:
    """Write a JSON file, completely or not at all, unless there is one already."""
    temporary = path.with_name(f".writing-{secrets.token_hex(4)}-{path.name}")
    try:
        temporary.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
        try:
            os.link(temporary, path)
        except FileExistsError:
            pass
        except OSError as error:
            if error.errno not in NO_LINKS:
                raise
            if not path.exists():
                temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
