"""Writers of answers: lines of text, JSON objects, and tables. Each keeps the columns of the input."""

import csv
import io
import json
import math
from collections.abc import Sequence
from typing import Any, Protocol, TextIO

from tasks.arguments import PredictArguments
from tasks.errors import UserError
from tasks.predictor import Predictor
from tasks.serving.batched_inference import Window
from tasks.serving.text_io import Row
from tasks.task import Task

# Entries that only some answers have: a table, whose columns are those of its first row, leaves them out.
FLAGS = ("truncated", "unknown")
# Where an answer repeats the text that was asked.
ASKED = ("prompt", "text")


class AnswerWriter(Protocol):
    """Writes the answers to the rows of an input, in their order."""

    def write(self, answer: dict, row: Row, number: int) -> None:
        """Write an answer.

        Args:
            answer: The answer.
            row: The row that it belongs to.
            number: Of the answer, counted from 1.

        Raises:
            UserError: If a table has no column for a value of the row.
        """

    def write_columns(self, answer: dict, names: Sequence[str]) -> None:
        """Write the columns that a table without rows has; nothing in a format without columns.

        Args:
            answer: The answer to any text.
            names: The columns of the input.
        """


def stream_writer(
    task: Task,
    predictor: Predictor,
    arguments: PredictArguments,
    kind: str,
    stream: TextIO,
    columns: list[str] | None = None,
) -> "LineWriter | TableWriter":
    """Return a writer of answers to a stream.

    Args:
        task: The task.
        predictor: The model.
        arguments: Of the command.
        kind: "text" for the lines that the task prints, "jsonl", "csv" or "tsv".
        stream: The stream.
        columns: The columns of a table that has its header already.
    """
    if kind in ("csv", "tsv"):
        return TableWriter(stream, kind, columns)
    return LineWriter(task, predictor, arguments, kind, stream)


def write_no_answers(
    writer: AnswerWriter,
    task: Task,
    predictor: Predictor,
    arguments: PredictArguments,
    names: Sequence[str] | None,
) -> None:
    """Write what a file without answers has: the header of a table.

    Args:
        writer: The writer.
        task: The task.
        predictor: The model.
        arguments: Of the command.
        names: The columns of the input; None if it names none, so that there is no header either.
    """
    if names is not None and not isinstance(writer, LineWriter):
        answer = next(iter(task.answers(predictor, [""], arguments, Window(), 0)))
        writer.write_columns(answer, names)


class LineWriter:
    """Writes each answer as the task prints it, or as a JSON object on a line.

    Args:
        task: The task.
        predictor: The model.
        arguments: Of the command.
        kind: "text" or "jsonl".
        stream: The stream to write to.

    Attributes:
        names: None: there are no columns.
    """

    names: list[str] | None = None

    def __init__(self, task: Task, predictor: Predictor, arguments: PredictArguments, kind: str, stream: TextIO):
        self._task, self._predictor, self._arguments = task, predictor, arguments
        self._as_json, self._stream = kind == "jsonl", stream

    def write(self, answer: dict, row: Row, number: int) -> None:
        """Write an answer; see `AnswerWriter`."""
        if self._as_json:
            joined = row.fields | added(answer, row, repeat_text=self._arguments.kept is None)
            line = encodable(json.dumps(_finite(joined), ensure_ascii=False, allow_nan=False))
        else:
            line = self._task.format_answer(self._predictor, answer, number, self._arguments)
        print(line, file=self._stream)

    def write_columns(self, answer: dict, names: Sequence[str]) -> None:
        """Write nothing; see `AnswerWriter`."""


def _finite(value: Any) -> Any:
    """Return a value in which numbers that JSON does not have, NaN and infinity, are None."""
    if isinstance(value, dict):
        return {name: _finite(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def added(answer: dict, row: Row, *, repeat_text: bool = True) -> dict:
    """Return what an answer adds to the columns of its row.

    An entry with the name of a column gets the prefix `predicted_`, so that no column is lost.

    Args:
        answer: The answer.
        row: The row.
        repeat_text: Whether the text is repeated beside a column that holds it under another name.
    """
    asked = next((name for name in ASKED if name in answer), None)
    if row.fields and (asked in row.fields or not repeat_text):
        answer = {name: value for name, value in answer.items() if name != asked}
    return {_unused(name, row): value for name, value in answer.items()}


def _unused(name: str, row: Row) -> str:
    while name in row.fields:  # the input may be answers, too
        name = f"predicted_{name}"
    return name


def added_columns(answer: dict, row: Row) -> dict[str, Any]:
    """Return the columns that an answer adds to a table: of probabilities, one for each class."""
    columns: dict[str, Any] = {}
    answer = {name: value for name, value in answer.items() if name not in FLAGS}
    for name, value in added(answer, row, repeat_text=False).items():
        if isinstance(value, dict):
            columns |= {_unused(f"{name}_{key}", row): one for key, one in value.items()}
        else:
            columns[name] = value
    return columns


class TableWriter:
    """Writes answers as the rows of a CSV or tab-separated table; the first one determines the columns.

    Args:
        file: The stream to write to.
        kind: "csv" or "tsv".
        names: The columns of a table that has its header already.

    Attributes:
        names: The columns; None before the first row.
    """

    def __init__(self, file: TextIO, kind: str, names: list[str] | None = None):
        self._file, self._row = file, io.StringIO()
        # csv quotes a carriage return in a field only if it is part of the end of a line.
        self._table = csv.writer(self._row, delimiter="\t" if kind == "tsv" else ",", lineterminator="\r\n")
        self.names = names

    def write(self, answer: dict, row: Row, number: int = 1) -> None:
        """Write the columns of the row, and what the answer adds to them; see `AnswerWriter`.

        Raises:
            UserError: If the row has a column that the first one lacks.
        """
        cells = {name: _cell(value) for name, value in row.fields.items()}
        cells |= {name: _cell(value, "{:.6g}") for name, value in added_columns(answer, row).items()}
        if self.names is None:
            self._write_header(list(cells))
        for name in cells:
            if name not in self.names:
                raise UserError(
                    f"{row.location}: the first row has no {name!r}, so the table has no such column; "
                    "write the answers to a .jsonl file"
                )
        self._write_row([cells.get(name, "") for name in self.names])

    def write_columns(self, answer: dict, names: Sequence[str]) -> None:
        """Write the header; see `AnswerWriter`."""
        self._write_header([*names, *added_columns(answer, blank_row(names))])

    def _write_header(self, names: list[str]) -> None:
        self.names = names
        self._write_row([encodable(name) for name in names])

    def _write_row(self, cells: Sequence[str]) -> None:
        self._row.seek(0)
        self._row.truncate()
        self._table.writerow(cells)
        self._file.write(self._row.getvalue().removesuffix("\r\n") + "\n")


def blank_row(names: Sequence[str]) -> Row:
    """Return a row with nothing in its columns."""
    return Row("", dict.fromkeys(names), "")


def _cell(value: Any, number_format: str = "{!r}") -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return number_format.format(value)
    return encodable(value if isinstance(value, str) else json.dumps(_finite(value), ensure_ascii=False))


def encodable(text: str) -> str:
    """Return a text that UTF-8 can encode: "?" replaces lone surrogates, which JSON can hold."""
    return text.encode("utf-8", "replace").decode("utf-8")
