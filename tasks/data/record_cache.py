"""Files that are read once while data are prepared, although several steps need their records.

Their parts are parsed in separate processes, and the records are kept on the disk until the data are prepared:
compressed, in their order, with the hashes by which texts are compared. The result is the same as without this.
"""

import contextlib
import itertools
import os
import pickle
import shutil
import zlib
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import BinaryIO, NamedTuple

from tasks.data import records, worker_processes
from tasks.data.hashes import comparison_hashes
from tasks.data.records import FileReader, Reader, Record
from tasks.data.remote_files import RemotePath
from tasks.errors import UserError

# Less than this is read again in less time than processes need to start.
MIN_BYTES = 1 << 24
# What a small file costs to read, in bytes of a large one.
FILE_BYTES = 1 << 12
# Creating a file may take longer than to read a small one, so with more parts several are written to one file.
MAX_FILES = 256
# Records, and characters of texts, that are compressed and read together.
FRAME_RECORDS, FRAME_CHARACTERS = 1024, 1 << 22
_LENGTH = 8  # bytes of the length of a frame
_LEVEL = 1  # of zlib: texts take 45 % of their size, and levels 2 to 9 save little of it


@contextlib.contextmanager
def reading_once(folder: Path, *, repeatedly: bool = True) -> Iterator[None]:
    """Read the files of each reader once inside the `with` block, unless they are small.

    Args:
        folder: Where the records are kept; it is removed at the end of the block.
        repeatedly: Whether several steps read the files; otherwise only what several processes read is kept.
    """
    token = records.read_through.set(_RecordCache(folder, repeatedly).records)
    try:
        yield
    finally:
        records.read_through.reset(token)
        shutil.rmtree(folder, ignore_errors=True)


class _Place(NamedTuple):
    """Where the records of a part are: a file, and their first byte and the one after them."""

    path: Path
    start: int
    stop: int


class _RecordCache:
    """Records that have been read.

    Args:
        folder: Where they are kept.
        repeatedly: See `reading_once`.
    """

    def __init__(self, folder: Path, repeatedly: bool):
        self._folder, self._repeatedly, self._numbers = folder, repeatedly, itertools.count()
        self._written: dict[str, _Place] = {}

    def records(self, reader: FileReader) -> Iterator[Record]:
        """Yield the records of a reader; those of a part that is read for the first time are kept."""
        parts = {_name(part, reader.linked): part for part in reader.parts}
        useful = self._repeatedly or min(worker_processes.count(), len(parts)) > 1
        if parts.keys().isdisjoint(self._written) and not (useful and _is_large(reader)):
            yield from reader.directly()
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        new = [name for name in parts if name not in self._written]
        size = max(1, len(new) // MAX_FILES)
        groups = [new[start : start + size] for start in range(0, len(new), size)]
        jobs = [([parts[name] for name in group], self._folder / f"{next(self._numbers):06}") for group in groups]
        with contextlib.closing(worker_processes.mapped(partial(write, reader.linked), jobs)) as written:
            results = zip(groups, written, strict=True)
            for part in reader.parts:
                name = _name(part, reader.linked)
                while name not in self._written:
                    self._written |= zip(*next(results), strict=True)
                yield from _read(self._written[name])


def _name(part: Reader, linked: tuple[int, ...]) -> str:
    """Return a name that identifies a part; it is the same when the source is opened again."""
    return repr((part.func.__qualname__, part.args, linked))


def _is_large(reader: FileReader) -> bool:
    """Return whether files are larger than `MIN_BYTES` together, or in cloud storage."""
    if any(isinstance(path, RemotePath) for path in reader.files):
        return True
    size = 0
    for path in reader.files:
        with contextlib.suppress(OSError):  # reading reports it
            entries = os.scandir(path) if path.is_dir() else [path]
            size += sum(max(entry.stat().st_size, FILE_BYTES) for entry in entries)
    return size >= MIN_BYTES


def write(linked: tuple[int, ...], job: tuple[Sequence[Reader], Path]) -> list[_Place]:
    """Write the records of parts to a file; a `UserError` of a reader is raised again where its part is read.

    Args:
        linked: The positions of the values whose hashes are computed.
        job: The parts, and the path of the file.

    Returns:
        Where the records of each part are.
    """
    parts, path = job
    with open(path, "wb") as file:
        ends = [0]
        for part in parts:
            _write_part(file, part, linked)
            ends.append(file.tell())
    return [_Place(path, start, stop) for start, stop in itertools.pairwise(ends)]


def _write_part(file: BinaryIO, part: Reader, linked: tuple[int, ...]) -> None:
    waiting, characters, error = [], 0, None
    try:
        for record in part():
            if record.problem is None:
                hashes = comparison_hashes([record.values[at] for at in linked])
                record = record._replace(compared=hashes)
            characters += sum(map(len, record.values))  # also of a row that cannot be used
            waiting.append(tuple(record))
            if len(waiting) >= FRAME_RECORDS or characters >= FRAME_CHARACTERS:
                _write_frame(file, waiting)
                waiting, characters = [], 0
    except UserError as raised:
        error = type(raised)(*raised.args)
    _write_frame(file, waiting)
    if error is not None:
        _write_frame(file, error)


def _write_frame(file: BinaryIO, content: list[tuple] | UserError) -> None:
    data = zlib.compress(pickle.dumps(content, pickle.HIGHEST_PROTOCOL), _LEVEL)
    file.write(len(data).to_bytes(_LENGTH))
    file.write(data)


def _read(place: _Place) -> Iterator[Record]:
    with open(place.path, "rb") as file:
        file.seek(place.start)
        while file.tell() < place.stop:
            length = int.from_bytes(file.read(_LENGTH))
            content = pickle.loads(zlib.decompress(file.read(length)))
            if isinstance(content, UserError):
                raise content
            yield from map(Record._make, content)
