"""Reads files that training and export have written; a damaged one is an error with its name and the remedy."""

import contextlib
import json
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tasks.data import bounded_files
from tasks.errors import UserError

# Longer parts of an error's text are cut: it may quote the file.
MAX_ERROR_LENGTH = 200

# The entry of a JSON file with the checksum of the others.
SEAL = "checksum"

# The size of a file and the CRC-32 of its content.
Checksum = list[int]


@contextlib.contextmanager
def reading(path: Path, remedy: str, problem: str = "cannot be read") -> Iterator[None]:
    """Turn any error of a reader into a `UserError`.

    The readers of NumPy, Keras, HDF5, SentencePiece and TensorFlow raise errors of many classes when a file is damaged.

    Args:
        path: The file or folder that is read inside the `with` block.
        remedy: What to do.
        problem: What the message says about the file.

    Raises:
        UserError: If the block raises an error.
    """
    try:
        yield
    except (UserError, MemoryError):
        raise
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        if len(reason) > MAX_ERROR_LENGTH:
            reason = reason[:MAX_ERROR_LENGTH] + " ..."
        raise UserError(f"{path} {problem} ({reason}); {remedy}") from None


def read_json(path: Path, remedy: str, max_bytes: int = bounded_files.MAX_JSON_BYTES) -> Any:
    """Return the content of a JSON file.

    Args:
        path: The file.
        remedy: What to do if it cannot be read.
        max_bytes: A larger file is not read.

    Raises:
        UserError: If it is missing or not JSON.
    """
    with reading(path, remedy, "is not readable as JSON"):
        return bounded_files.read_json(path, max_bytes)


def sealed(content: dict[str, Any]) -> dict[str, Any]:
    """Return the content of a JSON file with its checksum, with which `read_sealed` finds damage."""
    return content | {SEAL: zlib.crc32(json.dumps(content, sort_keys=True).encode())}


def read_sealed(path: Path, remedy: str) -> dict[str, Any]:
    """Return the content of a JSON file that was written with `sealed`.

    Args:
        path: The file.
        remedy: What to do if it cannot be read.

    Raises:
        UserError: If it is missing, or not what was written.
    """
    stored = read_json(path, remedy)
    content = {name: value for name, value in stored.items() if name != SEAL} if isinstance(stored, dict) else {}
    if stored != sealed(content):
        raise UserError(f"{path} is damaged: its content is not what was written; {remedy}")
    return content


def is_text(value: Any) -> bool:
    """Return whether a value of a JSON file is a text that UTF-8 can encode."""
    return isinstance(value, str) and not any("\ud800" <= character <= "\udfff" for character in value)


def checksum(path: Path) -> Checksum:
    """Return the checksum of a file; it finds damage, not malice."""
    size = code = 0
    with open(path, "rb") as file:
        while part := file.read(1 << 20):
            size, code = size + len(part), zlib.crc32(part, code)
    return [size, code]


def checksums(folder: Path, paths: Iterable[Path]) -> dict[str, Checksum]:
    """Return the checksums of files below a folder, by their path within it."""
    return {path.relative_to(folder).as_posix(): checksum(path) for path in sorted(paths) if path.is_file()}


def verify(folder: Path, expected: dict[str, Checksum], remedy: str) -> None:
    """Check that files are as they were written.

    Args:
        folder: The folder.
        expected: From `checksums`.
        remedy: What to do if one of them is not.

    Raises:
        UserError: If a file is missing or damaged.
    """
    for name, value in expected.items():
        path = folder / name
        if not path.is_file():
            raise UserError(f"{path} is missing; {remedy}")
        if checksum(path) != value:
            raise UserError(f"{path} is damaged: its content is not what was written; {remedy}")
