"""Answers texts with a run or an exported model of any task: from arguments, files and pipes."""

import contextlib
import itertools
import logging
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TextIO

from tasks.arguments import PredictArguments
from tasks.data import piped_files
from tasks.data.piped_files import PipedFile
from tasks.errors import UserError
from tasks.predictor import Predictor
from tasks.reports.progress import progress_bar
from tasks.serving import partial_output, text_io
from tasks.serving.answer_writers import stream_writer, write_no_answers
from tasks.serving.batched_inference import WINDOW, Window
from tasks.serving.inference import dependencies, load_named
from tasks.serving.partial_output import PartialOutput, Position
from tasks.serving.shards.answering import answer_shards
from tasks.serving.text_io import Row
from tasks.task import Task

log = logging.getLogger(__name__)

# Arguments that do not change the answers to given texts.
NOT_IN_THE_ANSWERS = {
    *("run", "model", "trust", "texts", "input", "input_format", "text_column", "output", "shard", "window"),
}


def main(task: Task, arguments: PredictArguments) -> None:
    """Run the command that answers texts: `predict`, `generate` or `translate`."""
    if arguments.sharded:
        answer_shards(task, arguments)
        return
    if arguments.output is not None and Path(arguments.output).is_dir():
        raise UserError(f"--output {arguments.output} is a folder; name a file in it")
    with contextlib.ExitStack() as stack:
        output = None
        if arguments.output is not None and (Path(arguments.output).is_file() or not Path(arguments.output).exists()):
            depends_on = arguments.model_dump(mode="json", exclude=NOT_IN_THE_ANSWERS) | dependencies(arguments)
            opened = partial_output.opened(Path(arguments.output), depends_on)
            output = stack.enter_context(opened)
            stream = output.file
        else:  # a device or a pipe has no old content to keep
            stream = stack.enter_context(text_io.open_stream(arguments.output))
        predictor = load_named(task, arguments)
        if task.answer_step_by_step(predictor, arguments, stream, output):
            return
        piped = None
        if arguments.input is not None:
            piped = stack.enter_context(piped_files.opened(arguments.input))
        _answer(task, arguments, predictor, piped, stream, output)


def _answer(
    task: Task,
    arguments: PredictArguments,
    predictor: Predictor,
    piped: PipedFile | None,
    stream: TextIO,
    output: PartialOutput | None,
) -> None:
    """Write the answers to all texts, or to those that an interrupted command has left.

    Args:
        task: The task.
        arguments: Of the command.
        predictor: The model.
        piped: The input, if its bytes arrive over time.
        stream: The stream to write to.
        output: The file that it belongs to, if it is one.
    """
    names: list[str] | None = None

    def opened(found: Sequence[str]) -> None:
        nonlocal names
        names = [*found]

    rows = _rows(arguments, piped, opened) if output is None else _remaining_rows(arguments, piped, output, opened)
    rows = text_io.Rows(rows)
    start, per_text = Position() if output is None else output.position, arguments.answers_per_text
    window = Window(
        arguments.window or WINDOW,
        more=Window().more if piped is None else piped.more,
        growing=arguments.window is None,
        taken=start.texts,
    )
    answers = task.answers(predictor, rows.texts(), arguments, window, start.answers)
    writer = stream_writer(task, predictor, arguments, arguments.output_kind, stream, start.columns)
    digest, before_window = start.digest, 0
    for number, answer in enumerate(_with_progress(answers, arguments, stream, start), start=start.answers + 1):
        if (number - 1) % per_text == 0:
            digest = partial_output.extended(digest, rows.first[:2])
        writer.write(answer, rows.of_answer(number, per_text), number)
        # The answers of a window are computed together, so a command continues between two windows. Several answers to
        # a text that is alone in its window are computed one after the other.
        if rows.all_answered or rows.taken - before_window == 1:
            stream.flush()
            if output is not None:
                output.mark(Position(number // per_text, number, digest, writer.names))
        if rows.all_answered:
            before_window = rows.taken
    if not (rows.taken or start.texts):
        log.warning("--input %s: there is no text in it, so there is no answer", arguments.input)
        write_no_answers(writer, task, predictor, arguments, names)


def _rows(
    arguments: PredictArguments, piped: PipedFile | None, opened: Callable[[Sequence[str]], None]
) -> Iterator[Row]:
    if arguments.input is None:
        return (Row(text, {}, "") for text in arguments.asked)
    return text_io.read_texts(
        arguments.input,
        text_io.kind_of_input(arguments, arguments.input),
        arguments.text_column,
        arguments,
        columns=() if arguments.output_kind == "text" else arguments.kept,
        piped=piped,
        opened=opened,
    )


def _remaining_rows(
    arguments: PredictArguments,
    piped: PipedFile | None,
    output: PartialOutput,
    opened: Callable[[Sequence[str]], None],
) -> Iterator[Row]:
    """Return the rows whose answers are not complete in the file; all of them if the answered ones have changed.

    Raises:
        UserError: If the answered rows have changed, and were read from a pipe, which cannot be read again.
    """
    position, digest, rows = output.position, "", _rows(arguments, piped, opened)
    for row in itertools.islice(rows, position.texts):
        digest = partial_output.extended(digest, row[:2])
    begun = [*itertools.islice(rows, 1 if position.answers % arguments.answers_per_text else 0)]
    for row in begun:
        digest = partial_output.extended(digest, row[:2])
    if digest == position.digest:
        return itertools.chain(begun, rows)
    if arguments.input == "-" or piped is not None:
        raise UserError(
            f"--input {arguments.input} does not begin with the texts that are answered in {output.part}.\nGive the "
            f"same input to continue, or remove {output.part} and {output.part}.json to start from the beginning"
        )
    log.warning("the texts are not those that are answered in %s: starting from the beginning", output.part)
    output.start_again()
    return _rows(arguments, None, opened)


def _with_progress(
    answers: Iterator[dict], arguments: PredictArguments, stream: TextIO, start: Position
) -> Iterator[dict]:
    """Yield the answers, with a progress bar on the terminal, unless the answers appear there."""
    total = len(arguments.asked) * arguments.answers_per_text if arguments.input is None else None
    hidden = True if stream.isatty() or total == 1 else None  # None: hidden where standard error is no terminal
    return progress_bar(answers, unit=" answers", total=total, initial=start.answers, disable=hidden)
