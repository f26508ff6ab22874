"""Options of the files that are read: how tables and texts are written. Imports no TensorFlow."""

import re
from typing import Annotated

from pydantic import AfterValidator

from models.recurrent_settings import Settings

# The endings of files that the commands which answer texts read and write as tables; other files have a text per line.
INPUT_TABLES, OUTPUT_TABLES = ("csv", "tsv", "jsonl", "parquet"), ("csv", "tsv", "jsonl")
# The formats whose columns are separated by a character.
DELIMITED = ("csv", "tsv")
# Words for characters that are hard to type in a shell.
DELIMITER_NAMES = {"tab": "\t", r"\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|", "space": " "}


def kind_of(file: str | None, tables: tuple[str, ...]) -> str:
    """Return the ending of a table's name without that of a compressed file; "text" if it is none of `tables`."""
    name = (file or "").lower().removesuffix(".gz")
    ending = name.rpartition(".")[2]
    if ending == "json" and "jsonl" in tables and re.match(r"part-([mr]-)?\d", name.rpartition("/")[2]):
        return "jsonl"  # as Spark calls it
    return ending if ending in tables else "text"


def _check_delimiter(value: str | None) -> str | None:
    value = DELIMITER_NAMES.get((value or "").lower(), value)
    if value is not None and (len(value) != 1 or value in '"\r\n\0'):
        raise ValueError(
            f"{value!r} is not one character that can separate columns; take one, or {', '.join(DELIMITER_NAMES)}"
        )
    return value


def _check_encoding(value: str | None) -> str | None:
    if value is not None:
        try:
            "a".encode(value)
        except (LookupError, UnicodeError, ValueError):  # also the codecs that encode no text, such as hex
            raise ValueError(f"{value!r} is no encoding; take one such as utf-8, cp949, utf-16 or cp1252") from None
    return value


class FileOptions(Settings):
    """How the files of the data are written."""

    delimiter: Annotated[str | None, AfterValidator(_check_delimiter)] = None
    """What separates the columns of .csv, .tsv and .txt: a character, or tab; found in the file if not given."""
    encoding: Annotated[str | None, AfterValidator(_check_encoding)] = None
    """The encoding of texts and tables, such as cp949; UTF-8 if not given, or UTF-16 with a byte order mark."""
    header: bool = True
    """no: the first row holds data, and columns are named by number: 1, 2, 3."""

    @property
    def of_files(self) -> "FileOptions":
        """These options alone, without the other settings of a subclass."""
        return FileOptions(delimiter=self.delimiter, encoding=self.encoding, header=self.header)

    @property
    def given_options(self) -> list[str]:
        """The options that are given."""
        return self.table_options + [f"--encoding {self.encoding}"] * (self.encoding is not None)

    @property
    def table_options(self) -> list[str]:
        """The options that are given and only go with tables whose columns are separated by a character."""
        return [f"--delimiter {self.delimiter!r}"] * (self.delimiter is not None) + ["--no-header"] * (not self.header)
