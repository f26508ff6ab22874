"""Part files: what Spark, Hadoop and similar programs write in place of one file, such as `part-00000-c000.csv.gz`."""

import functools
import re
import zlib

from tasks.data.file_kinds import GZIP, HEAD_BYTES, PARQUET
from tasks.data.remote_files import AnyPath
from tasks.errors import Unreadable, UserError

NAME = re.compile(r"part-([mr]-)?\d+.*", re.IGNORECASE)


def is_part(path: AnyPath) -> bool:
    """Return whether a file is one of several by its name."""
    return NAME.fullmatch(path.name) is not None


def format_of(path: AnyPath) -> str | None:
    """Return the format of a part file without a suffix: "parquet", "jsonl", or else "tsv", as for .txt.

    Returns:
        The format; None if it is no file, or cannot be read.
    """
    if not path.is_file():
        return None
    status = path.stat()
    return _format_of(path, (status.st_size, status.st_mtime_ns))


@functools.lru_cache(maxsize=1024)
def _format_of(path: AnyPath, version: tuple[int, int | None]) -> str | None:
    """Return the format of a file; it is found once, as long as the file stays the same."""
    try:
        with path.open("rb", buffering=0) as file:
            head = file.read(HEAD_BYTES)
    except Unreadable:
        raise
    except (OSError, UserError):
        return None
    if head.startswith(PARQUET):
        return "parquet"
    if head.startswith(GZIP):
        head = _expanded(head)
    return "jsonl" if re.match(rb'(\xef\xbb\xbf)?\s*\{\s*"', head) else "tsv"


def _expanded(head: bytes) -> bytes:
    """Return what the beginning of a compressed file expands to."""
    try:
        return zlib.decompressobj(wbits=16 + zlib.MAX_WBITS).decompress(head, HEAD_BYTES)
    except zlib.error:
        return b""
