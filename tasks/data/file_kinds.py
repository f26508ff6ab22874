"""Recognizes files that are no text by their first bytes, and guesses the encoding of those that are."""

import codecs
import re
import zipfile
from typing import NamedTuple

from tasks.data.remote_files import AnyPath
from tasks.errors import Unreadable, UserError

# Bytes that are looked at: the name of a tar archive's format is at byte 257.
HEAD_BYTES = 512
GZIP, PARQUET = b"\x1f\x8b", b"PAR1"

# The first bytes of files that programs write beside tables and texts -> what the file is, and what to do with it.
_UNPACK = "unpack it, and name the file in it"
_COMPRESS = "unpack it, or compress it with gzip"
_SAVE_AS_CSV = 'save the sheet as "CSV UTF-8"'
KINDS = (
    (rb"PK\x05\x06", "an empty zip archive", _UNPACK),
    (rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Excel workbook or another file of Microsoft Office", _SAVE_AS_CSV),
    (rb"BZh[1-9](1AY&SY|\x17rE8P\x90)", "compressed with bzip2", _COMPRESS),
    (rb"\xfd7zXZ\x00", "compressed with xz", _COMPRESS),
    (rb"\x28\xb5\x2f\xfd", "compressed with Zstandard", _COMPRESS),
    (rb"7z\xbc\xaf\x27\x1c", "a 7z archive", _UNPACK),
    (rb"Rar!\x1a\x07", "a rar archive", _UNPACK),
    (rb"(?s).{257}ustar", "a tar archive", _UNPACK),
    (rb"PAR1", "a Parquet file", "give it a name that ends in .parquet"),
    (rb"ARROW1\x00\x00", "an Arrow or Feather file", "write it as .parquet"),
    (rb"SQLite format 3\x00", "an SQLite database", "write a table of it as .csv"),
    (rb"\x89HDF", "an HDF5 file", "write a table of it as .csv"),
    (rb"%PDF-", "a PDF document", "save its text as plain text"),
    (rb"\{\\rtf", "a Rich Text document", "save it as plain text"),
    (rb"\x80[\x02-\x05][\x95}\]c(]", "a Python pickle", "write it as .parquet or .csv"),
    (rb"\x89PNG|\xff\xd8\xff", "a picture", "name a text or a table"),
)
# What a zip archive is by the names in it.
ZIPPED = (
    ("xl/", "an Excel workbook", _SAVE_AS_CSV),
    ("word/", "a Word document", "save it as plain text"),
    ("content.xml", "an OpenDocument file", 'save it as "CSV", or as plain text'),
    ("model.weights.h5", "a Keras model", "name a text or a table"),
)
# The marks of UTF-32 begin with those of UTF-16.
BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class FrequentCharacters(NamedTuple):
    """What a text in an encoding mostly consists of.

    Attributes:
        encoding: The encoding.
        pattern: Matches its frequent characters that are not ASCII.
        narrow: An encoding of frequent characters only, and the largest first byte of the most frequent; None is no
            limit.
        required: Matches characters of which each such text has some; None requires none.
    """

    encoding: str
    pattern: str
    narrow: tuple[str, int] | None = None
    required: str | None = None


_KANA = "[\u3041-\u3096\u30a1-\u30fc]"
_JAPANESE = "[\u3041-\u3096\u30a1-\u30fc\u3001\u3002\u4e00-\u9fff]"
_CHINESE = "[\u4e00-\u9fff\uff0c\uff1f\uff01\u3002]"
_CYRILLIC = "(?<![a-zA-Z])[\u0430-\u044f\u0451](?![a-zA-Z])"
# Of two with the same share of frequent characters, the first one is taken.
ENCODINGS = (
    FrequentCharacters("cp949", "[\uac00-\ud7a3]", ("euc_kr", 0xC8)),
    FrequentCharacters("cp932", _JAPANESE, required=_KANA),
    FrequentCharacters("euc-jp", _JAPANESE, required=_KANA),
    FrequentCharacters("gb18030", _CHINESE, ("gb2312", 0xD7)),
    FrequentCharacters("big5", _CHINESE, ("big5", 0xC6)),
    FrequentCharacters("cp1251", _CYRILLIC),
    FrequentCharacters("koi8-r", _CYRILLIC),
    FrequentCharacters("cp1252", "[\u00df-\u00f6\u00f8-\u00ff\u2013\u2014\u2018-\u201d\u20ac\u2026]"),
)
# Shares of the characters that are not ASCII.
MIN_SHARE, MIN_REQUIRED_SHARE = 0.5, 0.1


def check_is_text(head: bytes, location: str, path: AnyPath | None = None) -> None:
    """Check that a file is not one of those that are no text.

    Args:
        head: Its first bytes, `HEAD_BYTES` of them if it has as many.
        location: The file, for messages.
        path: The file, if it can be opened again.

    Raises:
        UserError: If it is; names the kind, and what to do.
    """
    if head.startswith(b"PK\x03\x04"):
        raise _zipped(location, path)
    for pattern, kind, remedy in KINDS:
        if re.match(pattern, head):
            raise UserError(f"{location} is {kind}; {remedy}.")


def _zipped(location: str, path: AnyPath | None) -> UserError:
    try:
        with path.open("rb") as file, zipfile.ZipFile(file) as archive:
            names = [name for name in archive.namelist() if not name.endswith("/")]
    except (TypeError, AttributeError, OSError, ValueError, zipfile.BadZipFile, NotImplementedError):
        names = []
    for part, kind, remedy in ZIPPED:
        if any(name.startswith(part) for name in names):
            return UserError(f"{location} is {kind}; {remedy}.")
    content = f" of {', '.join(map(repr, names[:3]))}{' and more' * (len(names) > 3)}" if names else ""
    return UserError(f"{location} is a zip archive{content}; {_UNPACK}.")


def check_format(path: AnyPath, allowed: bytes | None = None) -> None:
    """Raise `UserError` if a file that cannot be read is recognized as something else.

    Args:
        path: The file.
        allowed: The first bytes of the format that its name says.
    """
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError as error:
        raise Unreadable(f"{path}: cannot be read: {error.strerror or error}") from error
    if allowed is None or not head.startswith(allowed):
        check_is_text(head, str(path), path)


def byte_order_mark(head: bytes) -> str | None:
    """Return the encoding of the byte order mark that a file begins with."""
    return next((encoding for mark, encoding in BYTE_ORDER_MARKS if head.startswith(mark)), None)


def wide_encoding(head: bytes) -> str | None:
    """Return the encoding of UTF-16 without a byte order mark: one of the two bytes of ASCII characters is 0.

    Args:
        head: The first bytes of the file.
    """
    pairs = len(head) // 2
    zeros = [head[start : 2 * pairs : 2].count(0) for start in (0, 1)]
    if max(zeros) < max(0.05 * pairs, 3) or min(zeros) > 0.01 * pairs:
        return None
    return "utf-16-be" if zeros[0] > zeros[1] else "utf-16-le"


def guess_encoding(sample: bytes) -> str | None:
    """Guess the encoding of a text that is not UTF-8.

    Args:
        sample: Some of its bytes, from the beginning of a line; the last character may be incomplete.

    Returns:
        The encoding; None if none fits, or if most of the sample is UTF-8 and a few bytes are damaged.
    """
    replaced = sample.decode("utf-8", "replace")
    damaged = replaced.count("\ufffd")
    if 10 * damaged < sum(character > "\x7f" for character in replaced) - damaged:
        return None
    shares = {candidate.encoding: _frequent_share(sample, candidate) for candidate in ENCODINGS}
    best = max(shares, key=shares.get)
    return best if shares[best] >= MIN_SHARE else None


def _frequent_share(sample: bytes, candidate: FrequentCharacters) -> float:
    """Return the share of frequent characters among those that are not ASCII; 0 if the sample does not fit."""
    try:
        text = codecs.getincrementaldecoder(candidate.encoding)().decode(sample)
    except UnicodeDecodeError:
        return 0.0
    count = max(sum(character > "\x7f" for character in text), 1)
    if candidate.required and len(re.findall(candidate.required, text)) < MIN_REQUIRED_SHARE * count:
        return 0.0
    frequent = re.findall(candidate.pattern, text)
    if candidate.narrow is not None:
        encoding, last = candidate.narrow
        encoded = (character.encode(encoding, "ignore") for character in frequent)
        frequent = [one for one in encoded if len(one) == 2 and one[0] <= last]
    return len(frequent) / count
