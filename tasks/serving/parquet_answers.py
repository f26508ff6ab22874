"""Answers as a Parquet file, with the columns of the input in their types."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tasks.serving.answer_writers import added_columns, blank_row
from tasks.serving.text_io import Row

# Answers that become one chunk of a Parquet file, and bytes of chunks that become a row group.
CHUNK_ROWS, ROW_GROUP_BYTES = 2048, 1 << 26


class ParquetWriter:
    """Writes answers as a Parquet file, with the columns of the input in their types; used in a `with` block.

    Args:
        path: The file.
        kept: The `pyarrow.Schema` of the columns of the rows; the rows have their values as arrays of length 1.
    """

    def __init__(self, path: Path, kept: Any):
        self._path, self._kept = path, kept
        self._rows: list[Mapping[str, Any]] = []
        self._answers: list[dict[str, Any]] = []
        self._bytes = 0
        self._tables: list[Any] = []
        self._schema = self._file = None

    def __enter__(self) -> "ParquetWriter":
        return self

    def write(self, answer: dict, row: Row, number: int = 1) -> None:
        """Write the columns of the row, and what the answer adds to them; see `AnswerWriter`."""
        self._rows.append(row.fields)
        self._answers.append(added_columns(answer, row))
        self._bytes += sum(array.nbytes for array in row.fields.values())
        if len(self._rows) == CHUNK_ROWS or self._bytes > ROW_GROUP_BYTES:
            self._end_chunk()

    def write_columns(self, answer: dict, names: Sequence[str]) -> None:
        """Set the columns of the file, whose types are those of the input; see `AnswerWriter`."""
        self._schema = self._schema_of([added_columns(answer, blank_row(names))])

    def _schema_of(self, answers: list[dict[str, Any]]) -> Any:
        import pyarrow

        types = {name: _arrow_type([one[name] for one in answers]) for name in answers[0]}
        return pyarrow.schema([*self._kept, *(pyarrow.field(name, kind) for name, kind in types.items())])

    def __exit__(self, kind, error, traceback) -> None:
        try:
            if error is None:
                self._end_chunk(last=True)
        finally:
            if self._file is not None:
                self._file.close()

    def _end_chunk(self, *, last: bool = False) -> None:
        import pyarrow

        if self._answers:
            if self._schema is None:
                self._schema = self._schema_of(self._answers)
            arrays = [pyarrow.chunked_array([row[name] for row in self._rows]) for name in self._kept.names]
            for field in list(self._schema)[len(arrays) :]:
                arrays.append(pyarrow.array([one.get(field.name) for one in self._answers], field.type))
            self._tables.append(pyarrow.table(arrays, schema=self._schema).combine_chunks())
            self._rows, self._answers, self._bytes = [], [], 0
        if last or sum(table.nbytes for table in self._tables) > ROW_GROUP_BYTES:
            self._write_row_group()

    def _write_row_group(self) -> None:
        import pyarrow
        import pyarrow.parquet

        if self._file is None and self._schema is not None:
            self._file = pyarrow.parquet.ParquetWriter(self._path, self._schema)
        if self._tables:
            table = pyarrow.concat_tables(self._tables).unify_dictionaries()
            self._file.write_table(table, row_group_size=max(len(table), 1))
            self._tables = []


def _arrow_type(values: list[Any]) -> Any:
    """Return the `pyarrow.DataType` of values of answers; where they are all None, these are numbers."""
    import pyarrow

    values = [value for value in values if value is not None]
    match values[:1]:
        case [str()]:
            return pyarrow.string()
        case [bool()]:
            return pyarrow.bool_()
        case [int()]:
            return pyarrow.int64()
        case [list()]:
            return pyarrow.list_(_arrow_type([one for value in values for one in value]))
        case [dict() as first]:
            return pyarrow.struct([(name, _arrow_type([value[name] for value in values])) for name in first])
        case _:
            return pyarrow.float64()
