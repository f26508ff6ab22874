"""One long text: from files, folders or TensorFlow Datasets to splits, cut by position."""

import collections
import functools
import logging
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tasks.atomic_files import expanded
from tasks.chargen import records
from tasks.chargen.settings import ChargenEvaluateArguments, ChargenSettings, ChargenSourceSettings
from tasks.data.records import SPLIT_ALIASES, SPLITS, Column, Record, resolve_splits
from tasks.data.sources import check_options, open_source, options_of_other_data
from tasks.data.table_files import find_columns, table_format
from tasks.data.text_files import read_lines
from tasks.errors import UserError

log = logging.getLogger(__name__)

SAMPLE = Path(__file__).parents[1] / "samples" / "chargen" / "verse.txt"
TEXT_SUFFIXES = (".txt", ".txt.gz")
# A split begins with a line, unless the next line is further away than this number of characters.
MAX_LINE_DISTANCE = 1000
JOINERS = "\u200d\ufe0e\ufe0f"  # zero width joiner and variation selectors: they belong to the character before them


@dataclass(frozen=True)
class TextSource:
    """A text in named splits, in memory; the counterpart of `tasks.data.sources.Source`.

    Attributes:
        location: The location as the caller wrote it.
        single_file: Whether the location is one file, whose splits are all cut from it.
        stored: Split -> text, as the source has them.
        settings: The shares of the splits that are cut from the training text.
    """

    location: str
    single_file: bool
    stored: Mapping[str, str] = field(repr=False)
    settings: ChargenSourceSettings

    @functools.cached_property
    def splits(self) -> dict[str, str]:
        """Split -> text, splits cut from the training text included.

        Raises:
            UserError: If the text is too short.
        """
        if self.settings.records:
            fractions = self.settings.validation_fraction, self.settings.test_fraction
            return records.with_missing_splits(self.stored, *fractions, self.location)
        return _with_missing_splits(self.stored, self.settings, self.location)

    def records(self, split: str) -> Iterator[Record]:
        """Yield one record, the text of a split; see `text`."""
        return iter([Record((self.text(split),), self.location)])

    def text(self, split: str) -> str:
        """Return the text of a split; of several joined with "+", one after the other; or of "all", as it is stored.

        Raises:
            UserError: If the source has no such split, or the split has no character.
        """
        texts = self.stored if split == "all" else self.splits
        joined = "".join(texts[name] for name in resolve_splits(split, texts, self.location))
        if not joined:
            raise UserError(f"{self.location}: there is no text in its {split} split; expected a character at least.")
        return joined


def open_text(settings: ChargenSettings, location: str | None = None) -> TextSource:
    """Read a text, and cut it into splits if the source has none: by position, at the beginning of a line.

    With records, lines are drawn instead, and the text has one record in each line, see `records.clean`.

    Args:
        settings: The settings of a run.
        location: Another source than that of the settings.

    Raises:
        UserError: If the location does not exist, or is not a text.
    """
    location = settings.data.data if location is None else location
    path, column = check_text(settings, location), Column("text", settings.data.text_column)
    if location.startswith("tfds:") or (path.is_file() and _is_table(path)):
        source = open_source(location, [column], sample=SAMPLE, options=settings.data)
        stored = {
            split: "\n".join(record.values[0] for record in reader())
            for split, reader in source.stored.items()
            if split in SPLITS
        }
    elif path.is_dir():
        stored = _folder_texts(path, settings.data.encoding)
    else:
        stored = {"train": _file_text(path, settings.data.encoding)}
    # Files of Windows end their lines with two characters, which the model would have to write both.
    stored = {split: text.replace("\r\n", "\n") for split, text in stored.items()}
    if settings.data.records:
        stored = {split: records.clean(text) for split, text in stored.items()}
    return TextSource(location, location != "sample" and path.is_file(), stored, settings.data)


def check_text(settings: ChargenSettings, location: str | None = None) -> Path:
    """Check what can be checked of a text without reading it; return its path.

    Raises:
        UserError: If it does not exist, or is a table without the column of the texts.
    """
    location = settings.data.data if location is None else location
    path, column = SAMPLE if location == "sample" else expanded(location), settings.data.text_column
    if location.startswith("tfds:"):
        check_options(location, path, settings.data)
        return path
    if not location or not path.exists():
        raise UserError(
            f"{location!r}: no such file or folder; expected `sample`, `tfds:NAME`, a text file or a folder of them."
        )
    if path.is_dir():
        return path
    table = _is_table(path)
    if table and column is None:
        raise UserError(f"{location} is a table, not a text; name the column of its texts with --text-column")
    if table:
        check_options(location, path, settings.data)
        find_columns(path, [Column("text", column)], settings.data)
    elif settings.data.table_options:
        raise UserError(f"{settings.data.table_options[0]} does not go with {location}, which is a text; leave it out")
    else:
        next(read_lines(path, settings.data.encoding), None)
    return path


def open_evaluation_text(settings: ChargenSettings, arguments: ChargenEvaluateArguments) -> TextSource:
    """Open the text that `evaluate` reads: that of the run, or `--data`."""
    column = {} if arguments.text_column is None else {"text_column": arguments.text_column}
    options = options_of_other_data(settings.data, arguments, columns_named=bool(column))
    data = settings.data.model_copy(update=column | options)
    return open_text(settings.model_copy(update={"data": data}), arguments.data)


def _is_table(path: Path) -> bool:
    return table_format(path) is not None and not path.name.lower().endswith(TEXT_SUFFIXES)


def _file_text(path: Path, encoding: str | None) -> str:
    lines = []
    for number, line in read_lines(path, encoding):
        if "\0" in line:
            raise UserError(
                f"{path}:{number}: holds a NUL character, so it is no text file; name a file of plain text."
            )
        lines.append(line)
    return "".join(lines)


def _folder_texts(folder: Path, encoding: str | None) -> dict[str, str]:
    """Return split -> the text of its files in the order of their names.

    All files are training text if no name contains the name of a split.
    """
    below = (path.relative_to(folder) for path in sorted(folder.rglob("*")))
    visible = (path for path in below if not any(part.startswith(".") for part in path.parts))
    files = [path for path in visible if path.name.lower().endswith(TEXT_SUFFIXES) and (folder / path).is_file()]
    if not files:
        raise UserError(
            f"{folder}: expected files ending in {' or '.join(TEXT_SUFFIXES)}; found none. A table is "
            "named by its file, with --text-column."
        )
    splits = {path: _split_of(path) for path in files}
    named = any(splits.values())
    by_split = collections.defaultdict(list)
    for path, split in splits.items():
        if named and split is None:
            log.warning("%s: left out, since it is in no split and others are", folder / path)
            continue
        text = _file_text(folder / path, encoding)
        by_split[split or "train"].append(text if text.endswith("\n") or not text else text + "\n")
    return {split: "".join(texts) for split, texts in by_split.items()}


def _split_of(path: Path) -> str | None:
    """Return the split of train.txt, wiki.train.txt or train/chapter.txt; None for train-to-busan.txt."""
    stem = path.name.lower().removesuffix(".gz").removesuffix(".txt")
    words = [re.split("[._-]", stem)[-1], *(part.lower() for part in path.parent.parts)]
    return next((SPLIT_ALIASES[word] for word in words if word in SPLIT_ALIASES), None)


def _with_missing_splits(stored: Mapping[str, str], settings: ChargenSourceSettings, location: str) -> dict[str, str]:
    """Cut a validation split off the end of the training text, and a test split if there is only training text."""
    text = stored.get("train", "")
    if "validation" in stored or "train" not in stored:
        return dict(stored)
    if not text:
        raise UserError(f"{location}: there is no text to train on; expected some hundred characters at least.")
    test_fraction = 0.0 if "test" in stored else settings.test_fraction
    if settings.validation_fraction + test_fraction >= 1:
        raise UserError(
            f"--validation-fraction and --test-fraction add up to {settings.validation_fraction + test_fraction:g}: "
            "nothing is left to train on."
        )
    first = _cut(text, len(text) * (1 - settings.validation_fraction - test_fraction))
    second = _cut(text, len(text) * (1 - test_fraction)) if test_fraction else len(text)
    if min(first, second - first) < 2 or (test_fraction and second == len(text)):
        raise UserError(
            f"{location}: {len(text):,} characters are too few to cut into splits; expected some hundred at least, "
            "in lines, or files with train, validation and test in their names."
        )
    cut = {"train": text[:first], "validation": text[first:second]}
    return {**stored, **cut, **({"test": text[second:]} if test_fraction else {})}


def _cut(text: str, position: float) -> int:
    """Return where to cut near a position: before a line, or else between two characters as a reader sees them."""
    place = round(position)
    line = text.find("\n", max(place - 1, 0), place + min(MAX_LINE_DISTANCE, len(text) // 50)) + 1
    if 0 < line < len(text):
        return line
    while place < len(text) and _continues_character(text, place):
        place += 1
    return place


def line_beginnings(text: str, count: int, length: int) -> tuple[str, ...]:
    """Return the beginnings of `count` evenly spaced lines of a text, without blank lines; fewer if some are equal.

    Args:
        text: The text; not empty.
        count: Number of lines.
        length: Maximum number of characters of a beginning. It ends before a blank, if it has one.
    """
    lines = [line.strip() for line in text.splitlines() if line.strip()] or [text]
    found = {}
    for number in range(count):
        line = lines[len(lines) * (2 * number + 1) // (2 * count)]
        end = min(length, len(line))
        while 1 < end < len(line) and _continues_character(line, end):
            end -= 1
        if end < len(line) and " " in line[1 : end + 1]:
            end = line.rindex(" ", 1, end + 1)
        found[line[:end]] = True
    return tuple(found)


def _continues_character(text: str, place: int) -> bool:
    return (
        unicodedata.combining(text[place]) > 0
        or text[place] in JOINERS
        or text[place - 1] == JOINERS[0]
        or "\u1160" <= text[place] <= "\u11ff"  # a jamo that is no lead
    )
