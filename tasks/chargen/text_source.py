"""One long text: from files, folders or TensorFlow Datasets to splits, cut by position."""

import functools
import logging
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from tasks.chargen import records
from tasks.chargen.settings import ChargenSettings, ChargenSourceSettings
from tasks.chargen.text_files import check_sources, read_texts
from tasks.data import locations
from tasks.data.overlap import ComparedTexts
from tasks.data.records import Record, resolve_splits
from tasks.errors import UserError
from tasks.in_memory import InMemory, is_in_memory

log = logging.getLogger(__name__)

# A split begins with a line, unless the next line is further away than this number of characters.
MAX_LINE_DISTANCE = 1000
# Shorter lines are not compared with the training text.
MIN_LINE_LENGTH = 20
JOINERS = "\u200d\ufe0e\ufe0f"  # zero width joiner and variation selectors: they belong to the character before them


@dataclass(frozen=True)
class TextSource:
    """A text in named splits, in memory; the counterpart of `tasks.data.sources.Source`.

    Attributes:
        location: The location as the caller wrote it.
        single_file: Whether the location is one file, whose splits are all cut from it, or several without splits.
        stored: Split -> text, as the source has them.
        settings: The shares of the splits that are cut from the training text.
        origin: What settings.json says of a text in memory; otherwise empty.
    """

    location: str
    single_file: bool
    stored: Mapping[str, str] = field(repr=False)
    settings: ChargenSourceSettings
    origin: str = ""

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


def open_text(settings: ChargenSettings, location: str | Sequence[str] | InMemory | None = None) -> TextSource:
    """Read a text, and cut it into splits if the source has none: by position, at the beginning of a line.

    With records, lines are drawn instead, and the text has one record in each line, see `records.clean`.

    Args:
        settings: The settings of a run.
        location: Another source than that of the settings.

    Raises:
        UserError: If the location does not exist, or is not a text.
    """
    files = settings.data.split_files if location is None else {}
    location = settings.data.data if location is None else location
    stored, single_file = read_texts(location, settings.data, files)
    # Files of Windows end their lines with two characters, which the model would have to write both.
    stored = {split: text.replace("\r\n", "\n") for split, text in stored.items()}
    if settings.data.records:
        stored = {split: records.clean(text) for split, text in stored.items()}
    shown = files["train"] if location == "sample" and "train" in files else location
    origin = location.described(settings.data.read_columns) if isinstance(location, InMemory) else ""
    return TextSource(locations.shown(shown), single_file, stored, settings.data, origin)


def check_text(settings: ChargenSettings, location: str | Sequence[str] | InMemory | None = None) -> None:
    """Check what can be checked of a text without reading it.

    Raises:
        UserError: If it does not exist, or is a table without the column of the texts.
    """
    files = settings.data.split_files if location is None else {}
    check_sources(settings.data.data if location is None else location, settings.data, files)


def compared_texts(settings: ChargenSettings) -> ComparedTexts:
    """Return which texts of an evaluation are looked up among the training texts.

    Where each row is a separate text, these are compared as a whole. Otherwise they are the lines, without short ones:
    a short line, such as a closing bracket, is not copied from elsewhere. Records are compared whatever their length.
    """
    if settings.vocabulary.tokenizer == "sentencepiece" and has_rows(settings.data.data, settings.data):
        return ComparedTexts("text", ("text",), lambda record: [record.values[:1]], whole=True)
    least = 1 if settings.data.records else MIN_LINE_LENGTH

    def lines(record: Record) -> Iterator[tuple[str, ...]]:
        return ((line,) for line in record.values[0].split("\n") if len(line.strip()) >= least)

    return ComparedTexts("line", ("line",), lines)


def has_rows(location: str | Sequence[str] | InMemory, settings: ChargenSourceSettings) -> bool:
    """Return whether a location has rows, of which pieces read each as a text; otherwise it is a text of lines."""
    if settings.text_column is not None or is_in_memory(location) or any(map(is_in_memory, settings.train_files)):
        return True
    return isinstance(location, str) and location.startswith("tfds:")


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
            "in lines, or files named by --validation-files and --test-files."
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
