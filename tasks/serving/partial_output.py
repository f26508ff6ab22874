"""A file of answers that is written over time: what an interrupted command has finished, the next one continues.

FILE.part        the answers so far
FILE.part.json   how many these are, which texts they answer, and what they depend on

Both disappear when FILE is complete; until then an older FILE stays. Imports no TensorFlow.
"""

import contextlib
import dataclasses
import errno
import hashlib
import json
import logging
import os
import time
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tasks import atomic_files
from tasks.data.stored_files import read_sealed, reading, sealed
from tasks.errors import Interrupted, UserError
from tasks.training import locks, stored_settings

log = logging.getLogger(__name__)

# Seconds between two updates of FILE.part.json.
SECONDS_BETWEEN_UPDATES = 1.0


@dataclasses.dataclass(frozen=True)
class Position:
    """How far the answers have come.

    Attributes:
        texts: Texts of which all answers are written.
        answers: Answers that are written.
        digest: Of the texts of these answers; see `extended`.
        columns: The columns, if the file is a table.
        state: Whatever else is needed to continue, in values that JSON has; or a function that returns it.
    """

    texts: int = 0
    answers: int = 0
    digest: str = ""
    columns: list[str] | None = None
    state: Any = None


def extended(digest: str, row: Iterable[Any]) -> str:
    """Return the digest of some texts, with the columns of their rows, and one more."""
    content = json.dumps([digest, *row], default=str).encode()
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def of(path: Path | str) -> Path:
    """Return the file with the answers of an interrupted command; it may not exist."""
    path = Path(path)
    return path.with_name(f"{path.name}.part")


class _Checksum:
    """The CRC-32 of the beginning of a file that grows; each byte is read once.

    Args:
        path: The file, which may not exist while it is empty.
    """

    def __init__(self, path: Path):
        self._path = path
        self.start_again()

    def start_again(self) -> None:
        """Count the file as empty."""
        self._size = self._code = 0

    def up_to(self, size: int) -> int:
        """Return the checksum of the first bytes of the file, as many as before or more."""
        if size > self._size:
            with open(self._path, "rb") as file:
                file.seek(self._size)
                while self._size < size and (part := file.read(min(1 << 20, size - self._size))):
                    self._size, self._code = self._size + len(part), zlib.crc32(part, self._code)
        return self._code


class PartialOutput:
    """The answers that are written to a file.

    Args:
        path: The file, which is replaced when all answers are written.
        depends_on: What the answers depend on besides the texts: {name: value}, values as in JSON.

    Attributes:
        file: The stream to write to.
        position: Where an interrupted command has ended; then what `mark` was called with.

    Raises:
        UserError: If the answers of the interrupted command depend on something else, or cannot be read.
    """

    def __init__(self, path: Path, depends_on: dict[str, Any]):
        self.path, self.part = path, of(path)
        self._record = self.part.with_name(f"{self.part.name}.json")
        self._depends_on = depends_on
        self._checksum = _Checksum(self.part)
        self.position, self._size = self._stored()
        self._saved = time.monotonic()
        if not self._size:
            self._save()  # before the other file: that one without this one is not ours
        self.file = open(self.part, "a", encoding="utf-8", newline="")  # noqa: SIM115
        self.file.truncate(self._size)
        if self._size:
            log.info("continuing after what is finished in %s", self.part)

    def _stored(self) -> tuple[Position, int]:
        """Return where an interrupted command has ended, and the size of the file there."""
        remedy = f"remove it and {self.part} to start from the beginning"
        if not self.part.exists():  # the record alone is that of a command that was killed when the file was complete
            return Position(), 0
        if not self._record.exists():
            raise UserError(f"{self.part} is in the way: answers are written there first; rename or remove it")
        stored = read_sealed(self._record, remedy)
        with reading(self._record, remedy):  # another version may have written it
            position, size, before = Position(**stored["position"]), int(stored["size"]), stored["depends_on"]
        difference = stored_settings.first_difference(before, json.loads(json.dumps(self._depends_on)))
        if size and difference:
            raise UserError(
                f"{self.part} has the answers of an interrupted command, but {difference}.\nRepeat that command to "
                f"continue, or remove {self.part} and {self._record} to start from the beginning"
            )
        if difference:
            return Position(), 0
        if self.part.stat().st_size < size or self._checksum.up_to(size) != stored.get("part"):
            log.warning("%s is not what was written: starting from the beginning", self.part)
            self._checksum.start_again()
            return Position(), 0
        return position, size

    def mark(self, position: Position) -> None:
        """Record that the file is complete up to here."""
        self.position, self._size = position, self.file.tell()
        if time.monotonic() - self._saved > SECONDS_BETWEEN_UPDATES:
            self.file.flush()
            self._save()

    def start_again(self) -> None:
        """Remove what an interrupted command has written."""
        self.position, self._size = Position(), 0
        self.file.truncate(0)
        self._checksum.start_again()
        self._save()

    def keep(self) -> bool:
        """Close the file, and keep the answers up to the last mark; return whether there are any."""
        self.file.close()
        if not self.part.exists():  # interrupted when the file was complete
            self._record.unlink(missing_ok=True)
            return False
        os.truncate(self.part, self._size)
        if self._size:
            self._save()
        else:
            self.part.unlink()
            self._record.unlink()
        return self._size > 0

    def finish(self) -> None:
        """Replace the file at the path with the answers."""
        self.file.flush()
        os.fsync(self.file.fileno())
        self.file.close()
        self.part.replace(self.path)
        self._record.unlink()

    def _save(self) -> None:
        self._saved = time.monotonic()
        position = vars(self.position)
        if callable(self.position.state):
            position = position | {"state": self.position.state()}
        record = {"position": position, "size": self._size, "depends_on": self._depends_on}
        record["part"] = self._checksum.up_to(self._size)
        atomic_files.write_json(self._record, sealed(record))


@contextlib.contextmanager
def opened(path: Path, depends_on: dict[str, Any]) -> Iterator[PartialOutput]:
    """Open a file of answers; complete it when the block ends, and keep what is finished if the block raises an error.

    Raises:
        UserError: As for `PartialOutput`, or if another process writes the file.
        Interrupted: If the block was interrupted.
    """
    if not path.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
    with locks.locked(path):
        output = PartialOutput(path, depends_on)
        try:
            yield output
            output.finish()
        except BaseException as error:
            kept = output.keep()
            finished = f"what is finished is in {output.part}, and the same command continues after it"
            if isinstance(error, KeyboardInterrupt):
                rest = finished if kept else "the same command starts from the beginning"
                raise Interrupted(f"interrupted; {rest}") from None
            if kept:
                log.warning("%s", finished)
            raise
