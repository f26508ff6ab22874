"""Streaming reader of text files: compression, encoding and lines. Memory holds one line at a time."""

import codecs
import contextlib
import gzip
import io
import re
import zlib
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from tasks.data.file_kinds import GZIP, HEAD_BYTES, byte_order_mark, check_is_text, guess_encoding, wide_encoding
from tasks.data.piped_files import PipedFile
from tasks.data.records import MAX_VALUE_BYTES
from tasks.data.remote_files import AnyPath
from tasks.errors import Unreadable, UserError

# A longer line is an error: a small compressed file may expand to a line that fills the memory.
MAX_LINE_BYTES = MAX_VALUE_BYTES
# A text that is held in memory may be this long, or this many times as long as its compressed file.
MIN_EXPANDED_BYTES, MAX_EXPANSION = 1 << 28, 50
GUESSED_BYTES = 1 << 16
# A carriage return without a line feed after it.
RETURN = re.compile(rb"\r(?!\n)")


@contextlib.contextmanager
def open_binary(path: AnyPath | PipedFile) -> Iterator[BinaryIO]:
    """Open a file, decompressed if it is compressed with gzip. It is read as a stream, so it may be a pipe.

    Raises:
        UserError: If the file cannot be opened or decompressed, also in the `with` block.
    """
    try:
        with (
            _unpacking(str(path)),
            contextlib.nullcontext(path) if isinstance(path, PipedFile) else path.open("rb") as file,
        ):
            compressed = file.peek(len(GZIP)).startswith(GZIP)
            if path.suffix.lower() == ".gz" and not compressed:
                check_is_text(file.peek(HEAD_BYTES), str(path), path)
                raise UserError(f"{path}: not compressed with gzip, as its name says; give it a name without .gz.")
            if not compressed:
                yield file
                return
            with gzip.GzipFile(fileobj=file) as decompressed:
                yield decompressed
    except OSError as error:
        raise Unreadable(f"{path}: cannot be read: {error.strerror or error}") from error


@contextlib.contextmanager
def _unpacking(location: str) -> Iterator[None]:
    """Turn what gzip raises for a file that is cut off or damaged into a `UserError`."""
    try:
        yield
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        kind = "cut off" if isinstance(error, EOFError) else "damaged"
        raise UserError(
            f"{location}: the compressed file is {kind} ({error}); copy or download it again, or compress it again."
        ) from error


def read_lines(
    path: AnyPath, encoding: str | None = None, max_bytes: int = MAX_LINE_BYTES
) -> Iterator[tuple[int, str]]:
    r"""Yield the number and the text of each line of a file, which may be gzip-compressed.

    Lines end at "\n" only: a text may contain the other characters that Unicode counts as line breaks. In a file that
    has no "\n", as old programs of the Mac write them, lines end at "\r", which becomes "\n". The text includes its
    line ending; a byte order mark at the start of the file is removed.

    Args:
        path: The file.
        encoding: Its encoding; None is UTF-8, or UTF-16 or UTF-32 with a byte order mark.
        max_bytes: Maximum length of a line.

    Raises:
        UserError: If the file cannot be opened or decompressed, is no text, has another encoding or an endless line.
    """
    with open_binary(path) as file:
        yield from decode_lines(file, str(path), encoding, path, max_bytes)


def read_text(path: AnyPath, encoding: str | None = None) -> str:
    """Return the text of a file that holds one text, without line breaks at its end.

    Raises:
        UserError: As for `read_lines`, or if the text is too long.
    """
    lines = (line for _, line in read_lines(path, encoding))
    return joined(lines, str(path), MAX_LINE_BYTES).rstrip("\r\n")


def max_expanded_bytes(path: AnyPath) -> int:
    """Return how long the whole text of a file may be; only a compressed file can be longer than that."""
    return max(MIN_EXPANDED_BYTES, MAX_EXPANSION * path.stat().st_size)


def joined(pieces: Iterable[str], location: str, max_characters: int | None = None) -> str:
    """Return pieces of text, joined; memory holds little more than the text, however short the pieces are.

    Raises:
        UserError: If the text is longer than `max_characters`.
    """
    parts, waiting, length = [], [], 0
    for piece in pieces:
        waiting.append(piece)
        length += len(piece)
        if max_characters is not None and length > max_characters:
            raise UserError(
                f"{location}: the text is longer than {max_characters >> 20} million characters; shorten it."
            )
        if len(waiting) >= 10_000:
            parts.append("".join(waiting))
            waiting.clear()
    return "".join([*parts, *waiting])


def decode_lines(
    file: BinaryIO,
    location: str,
    encoding: str | None = None,
    path: AnyPath | None = None,
    max_bytes: int = MAX_LINE_BYTES,
) -> Iterator[tuple[int, str]]:
    """Yield the number and the text of each line of a stream; see `read_lines`.

    Args:
        file: The stream.
        location: Its name, for error messages.
        encoding: Its encoding, as for `read_lines`.
        path: The file, if it can be opened again.
        max_bytes: Maximum length of a line.
    """
    file = file if hasattr(file, "peek") else io.BufferedReader(file)
    head = file.peek(HEAD_BYTES)
    if head.startswith(GZIP):  # standard input, or a file that was compressed twice
        with _unpacking(location), gzip.GzipFile(fileobj=file, mode="rb") as decompressed:
            yield from decode_lines(decompressed, location, encoding, None, max_bytes)
        return
    check_is_text(head, location, path)
    encoding = _encoding(head, location, encoding)
    bytes_of_line = "\n".encode(encoding) == b"\n"
    for number, line in (_lines if bytes_of_line else _wide_lines)(file, location, encoding, max_bytes):
        yield number, line.removeprefix("\ufeff") if number == 1 else line


def _encoding(head: bytes, location: str, given: str | None) -> str:
    """Return the encoding of a file that begins with `head`."""
    mark = byte_order_mark(head)
    if given is None:
        if mark is None and (wide := wide_encoding(head)):
            raise UserError(f"{location}: not UTF-8; it looks like {wide}: add --encoding {wide}.")
        return mark or "utf-8"
    name = codecs.lookup(given).name
    if mark is not None and not name.startswith(mark):
        raise UserError(
            f"{location}: not {given}: it begins with the byte order mark of {mark.upper()}; leave out --encoding."
        )
    return "utf-8" if name == "utf-8-sig" else name


def byte_lines(file: BinaryIO, location: str, max_bytes: int = MAX_LINE_BYTES) -> Iterator[tuple[int, bytes]]:
    """Yield the number and the bytes of each line; see `read_lines`.

    Raises:
        UserError: If a line is too long.
    """
    number = 0
    while line := file.readline(max_bytes + 1):
        number += 1
        if number == 1 and RETURN.search(line) and _is_all(line, file):
            yield from _lines_of_returns(line, file, location, max_bytes)
            return
        if len(line) > max_bytes:
            raise endless_line(location, number, max_bytes)
        yield number, line


def _is_all(line: bytes, file: BinaryIO) -> bool:
    """Return whether the first line is the whole file, or too long to be a line; a pipe is not waited for."""
    return not line.endswith(b"\n") or not (isinstance(file, PipedFile) or file.peek(1))


def _lines_of_returns(beginning: bytes, file: BinaryIO, location: str, max_bytes: int) -> Iterator[tuple[int, bytes]]:
    r"""Yield the lines of a file that end with "\r"; `beginning` has been read from it."""
    number, rest, ended = 0, beginning, False
    while not ended:
        chunk = file.read(1 << 20)
        rest, ended = rest + chunk, not chunk
        lines = rest.splitlines(keepends=True)  # those of bytes end with "\r", "\n" or both
        complete = ended or (lines and lines[-1].endswith(b"\n"))
        rest = b"" if complete else lines.pop()  # a "\n" may follow
        for line in lines:
            number += 1
            if len(line) > max_bytes:
                raise endless_line(location, number, max_bytes)
            yield number, (line.rstrip(b"\r\n") + b"\n" if line.endswith((b"\r", b"\n")) else line)
        if len(rest) > max_bytes:
            raise endless_line(location, number + 1, max_bytes)


def _lines(file: BinaryIO, location: str, encoding: str, max_bytes: int) -> Iterator[tuple[int, str]]:
    for number, line in byte_lines(file, location, max_bytes):
        try:
            yield number, line.decode(encoding)
        except UnicodeError as error:  # UTF-16 without a byte order mark is no UnicodeDecodeError
            raise _wrong_encoding(location, number, encoding, error, line + file.read1(GUESSED_BYTES)) from error


def _wide_lines(file: BinaryIO, location: str, encoding: str, max_bytes: int) -> Iterator[tuple[int, str]]:
    """Yield the lines of an encoding in which a line does not end with the byte 10, such as UTF-16."""
    decoder, number, parts, length = codecs.getincrementaldecoder(encoding)(), 1, [], 0
    while True:
        chunk = file.read1(1 << 16)
        try:
            text = decoder.decode(chunk, final=not chunk)
        except UnicodeError as error:  # UTF-16 without a byte order mark is no UnicodeDecodeError
            raise _wrong_encoding(location, number, encoding, error, chunk) from error
        for piece in re.split(r"(?<=\n)", text):
            parts.append(piece)
            length += len(piece)
            if length > max_bytes // 2:
                raise endless_line(location, number, max_bytes)
            if piece.endswith("\n"):
                yield number, "".join(parts)
                number, parts, length = number + 1, [], 0
        if not chunk:
            break
    last = "".join(parts)
    if number == 1 and "\r" in last:
        lines = re.split("\r\n?", last.removesuffix("\r"))
        yield from ((number, f"{line}\n") for number, line in enumerate(lines, start=1))
    elif last:
        yield number, last


def endless_line(location: str, number: int, max_bytes: int = MAX_LINE_BYTES) -> UserError:
    """Return the error for a line, or a row of several lines, that is too long."""
    return UserError(
        f"{location}:{number}: the line is longer than {max_bytes >> 20} MB; expected a text or a row per line."
    )


def _wrong_encoding(location: str, number: int, encoding: str, error: UnicodeError, sample: bytes) -> UserError:
    guess = guess_encoding(sample)
    remedy = "save the file as UTF-8, or name its encoding with --encoding"
    if guess is not None and codecs.lookup(guess).name != encoding:
        remedy = f"it looks like {guess}: add --encoding {guess}, or save the file as UTF-8"
    if encoding == "utf-8":
        return UserError(f"{location}:{number}: not valid UTF-8 at byte {error.start + 1} of the line; {remedy}.")
    return UserError(f"{location}:{number}: not valid {encoding}; {remedy}.")
