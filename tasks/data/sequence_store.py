"""Sequences of ids on disk, with named columns of integers beside them."""

import itertools
import json
import os
import weakref
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from tasks import atomic_files
from tasks.data import bounded_files


class SequenceStore:
    """Sequences of ids in one file; memory holds their lengths and columns, and ids are read when they are asked for.

    Args:
        folder: Written by `write`.

    Attributes:
        lengths: int32 (sequences,), in tokens.
        columns: Name -> int32 (sequences,), such as "label" or "source_length".
    """

    def __init__(self, folder: Path):
        stored = bounded_files.read_json(folder / "store.json")
        self.dtype = np.dtype(stored["dtype"])
        self.lengths = bounded_files.load_array(folder / "lengths.npy")
        self.columns = {name: bounded_files.load_array(folder / f"{name}.npy") for name in stored["columns"]}
        self._starts = np.concatenate([[0], np.cumsum(self.lengths, dtype=np.int64)])
        self._file = os.open(folder / "ids", os.O_RDONLY)
        weakref.finalize(self, os.close, self._file)

    def __len__(self) -> int:
        """Return the number of sequences."""
        return len(self.lengths)

    def __getitem__(self, index: int) -> np.ndarray:
        """Return the ids of one sequence."""
        return self.read(index, 0, int(self.lengths[index]))

    def read(self, index: int, start: int, stop: int) -> np.ndarray:
        """Return part of the ids of one sequence.

        Read with `pread`: a memory map would count towards the process's memory.
        """
        size = self.dtype.itemsize
        data = os.pread(self._file, (stop - start) * size, (int(self._starts[index]) + start) * size)
        return np.frombuffer(data, self.dtype)

    @classmethod
    def write(
        cls, folder: Path, columns: Sequence[str], rows: Iterable[tuple[list[int], ...]], vocabulary_size: int
    ) -> "SequenceStore":
        """Store sequences in their order; memory holds a length and the columns for each.

        Args:
            folder: The folder to write; it appears complete or not at all.
            columns: Names of the columns.
            rows: The ids of a sequence, and a value for each column.
            vocabulary_size: Number of ids; ids of a small vocabulary take two bytes.
        """
        dtype = np.dtype(np.uint16 if vocabulary_size <= 1 << 16 else np.int32)
        lengths, values = _GrowingArray(), [_GrowingArray() for _ in columns]
        with atomic_files.replacing_folder(folder) as temporary:
            with open(temporary / "ids", "wb") as file:
                for ids, *row in rows:
                    file.write(np.asarray(ids, dtype).tobytes())
                    lengths.append(len(ids))
                    for column, value in zip(values, row, strict=True):
                        column.append(value)
            np.save(temporary / "lengths.npy", lengths.array())
            for name, column in zip(columns, values, strict=True):
                np.save(temporary / f"{name}.npy", column.array())
            (temporary / "store.json").write_text(json.dumps({"dtype": dtype.name, "columns": list(columns)}))
        return cls(folder)


class _GrowingArray:
    """An int32 array to append to; a Python list would take nine times its memory."""

    def __init__(self):
        self._data, self._size = np.empty(1024, np.int32), 0

    def append(self, value: int) -> None:
        if self._size == len(self._data):
            self._data = np.resize(self._data, 2 * self._size)
        self._data[self._size] = value
        self._size += 1

    def array(self) -> np.ndarray:
        return self._data[: self._size]


def chunks(items: Iterable, size: int = 1024) -> Iterator[list]:
    """Yield lists of `size` items, and one of the rest."""
    items = iter(items)
    while chunk := list(itertools.islice(items, size)):
        yield chunk


def pad_sequences(sequences: list[np.ndarray], length: int | None = None) -> np.ndarray:
    """Return the sequences as rows, padded on the right with 0: int32 (batch, timesteps).

    Args:
        sequences: One array of ids for each row.
        length: Number of timesteps; if None, the length of the longest sequence, and at least 1.
    """
    lengths = np.fromiter(map(len, sequences), np.int64, len(sequences))
    steps = max(1, int(lengths.max())) if length is None else length
    result = np.zeros((len(sequences), steps), np.int32)
    result[np.arange(steps) < lengths[:, None]] = np.concatenate(sequences)
    return result
