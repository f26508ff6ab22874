"""Answers shards: the unit that one process, Slurm, Ray and Beam run, and the command of one process."""

import contextlib
import gzip
import io
import logging
import math
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from tasks.arguments import PredictArguments
from tasks.atomic_files import replacing
from tasks.data import parquet_files
from tasks.data.locations import to_path
from tasks.errors import UserError
from tasks.predictor import Predictor
from tasks.serving import text_io
from tasks.serving.answer_writers import AnswerWriter, stream_writer, write_no_answers
from tasks.serving.batched_inference import WINDOW, Window
from tasks.serving.inference import load_named
from tasks.serving.parquet_answers import ParquetWriter
from tasks.serving.shards.listing import Shard
from tasks.serving.shards.output_folder import begin, check_model, check_shared
from tasks.serving.shards.progress import ShardProgress, ShardResult, without_repeated_warnings
from tasks.serving.text_io import Row
from tasks.task import Task

log = logging.getLogger(__name__)


class _BrokenShard(UserError):
    """A shard that cannot be read."""


def answer_shards(task: Task, arguments: PredictArguments) -> None:
    """Answer the shards of a command that are not finished, one after the other; with `--shard`, those of it.

    Args:
        task: The task.
        arguments: Of the command, with `sharded`.

    Raises:
        UserError: See `tasks.serving.shards.output_folder.begin`.
        ShardsFailed: If shards could not be read; the others are finished.
        Interrupted: If the command was interrupted.
    """
    shards = begin(task, arguments)
    with ShardProgress(shards, arguments.output) as progress, without_repeated_warnings():
        predictor = open_predictor(task, arguments) if shards else None
        for shard in shards:
            progress.add(answer_shard(task, predictor, arguments, shard, progress.answered))


def open_predictor(task: Task, arguments: PredictArguments) -> Predictor:
    """Open the model that a command names; a process does this once for all its shards.

    Raises:
        UserError: If it is not the model that `begin` found, or cannot be opened, or the folder of the answers is not
            on this machine.
    """
    check_shared(arguments)
    predictor = load_named(task, arguments)
    check_model(task, arguments)
    return predictor


def answer_shard(
    task: Task,
    predictor: Predictor,
    arguments: PredictArguments,
    shard: Shard,
    answered: Callable[[], None] = lambda: None,
) -> ShardResult:
    """Answer a shard: write the file `shard.name` in the folder `arguments.output`, completely or not at all.

    The file has the format and the bytes that the command writes for this input alone. Its time is that of the moment
    when the shard was opened, or that of the shard if it is later. So `unfinished` finds a shard that is written again.

    Args:
        task: The task.
        predictor: From `open_predictor`, with the same arguments.
        arguments: Of the command. Any process may answer any shard, after one of them has called
            `tasks.serving.shards.output_folder.begin`.
        shard: The shard.
        answered: Called after each answer.

    Returns:
        What came of it. If the shard cannot be read, it says why, and no file is written.

    Raises:
        UserError: If the options do not go with the model.
        OSError: If the answers cannot be written.
    """
    path, count = Path(arguments.output, shard.name), 0
    names: list[list[str]] = []
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with replacing(path) as temporary:
            os.utime(temporary)
            opened = temporary.stat().st_mtime_ns
            if (shard.modified or 0.0) * 1e9 > opened:  # by another clock; a whole second is kept by every file system
                opened = math.ceil(shard.modified) * 10**9
            kind = text_io.kind_of_input(arguments, shard.location)
            rows = text_io.Rows(_read(arguments, shard.location, kind, lambda found: names.append([*found])))
            with _writer(task, predictor, arguments, shard.location, kind, temporary) as writer:
                window = Window(arguments.window or WINDOW, growing=arguments.window is None)
                for answer in task.answers(predictor, rows.texts(), arguments, window, 0):
                    count += 1
                    writer.write(answer, rows.of_answer(count, arguments.answers_per_text), count)
                    answered()
                if not count:
                    log.warning("%s: there is no text in it, so there is no answer", shard.location)
                    write_no_answers(writer, task, predictor, arguments, next(iter(names), None))
            os.utime(temporary, ns=(opened, opened))
    except _BrokenShard as error:
        return ShardResult(shard.name, 0, str(error))
    return ShardResult(shard.name, count)


def problem_of(arguments: PredictArguments, shard: Shard) -> str:
    """Return why a shard is not answered: what is wrong with its content, if that is the reason."""
    kind = text_io.kind_of_input(arguments, shard.location)
    try:
        for _ in _read(arguments, shard.location, kind):
            pass
    except _BrokenShard as error:
        return str(error)
    return f"{shard.location}: not answered, but its content can be read; the messages of the worker say more"


def _read(
    arguments: PredictArguments,
    location: str,
    kind: str,
    opened: Callable[[Sequence[str]], None] = lambda names: None,
) -> Iterator[Row]:
    written_as_lines = kind == "text" and not arguments.json_
    rows = text_io.read_texts(
        *(location, kind, arguments.text_column, arguments),
        columns=() if written_as_lines else arguments.kept,
        as_arrays=kind == "parquet",
        opened=opened,
    )
    return _broken_if_unreadable(rows)


def _broken_if_unreadable(rows: Iterable[Row]) -> Iterator[Row]:
    try:
        yield from rows
    except UserError as error:
        raise _BrokenShard(str(error)) from error


@contextlib.contextmanager
def _writer(
    task: Task, predictor: Predictor, arguments: PredictArguments, location: str, kind: str, path: Path
) -> Iterator[AnswerWriter]:
    """Open the writer of the answers to a shard: in the format of the shard, and compressed if it is."""
    if kind == "parquet":
        try:
            kept = parquet_files.kept_fields(to_path(location), arguments.kept)
        except UserError as error:
            raise _BrokenShard(str(error)) from error
        with ParquetWriter(path, kept) as writer:
            yield writer
        return
    kind = "jsonl" if arguments.json_ else kind
    with contextlib.ExitStack() as stack:
        file = stack.enter_context(open(path, "wb"))
        if path.suffix.lower() == ".gz":  # without a name and a time, so that the bytes are those of the answers
            file = stack.enter_context(gzip.GzipFile("", "wb", fileobj=file, mtime=0))
        text = stack.enter_context(io.TextIOWrapper(file, encoding="utf-8", newline=""))
        yield stream_writer(task, predictor, arguments, kind, text)
