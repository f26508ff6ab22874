"""A text: from a source to its splits, its characters, and ids."""

import collections
import functools
import json
import logging
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from models.characters import UNKNOWN, Characters, as_read
from tasks import atomic_files
from tasks.chargen.settings import ChargenSettings, DataSettings
from tasks.data.records import SPLIT_WORDS, SPLITS, Column, named_splits
from tasks.data.sources import open_source
from tasks.data.table_files import text_lines
from tasks.errors import UserError
from tasks.training.runs import Run

log = logging.getLogger(__name__)

SAMPLE = Path(__file__).parents[1] / "samples" / "chargen" / "verse.txt"
TEXT_SUFFIXES = (".txt", ".txt.gz")
# A split begins with a line, unless the next one is further away than this.
LONGEST_LINE = 1000
JOINERS = "\u200d\ufe0e\ufe0f"  # zero width joiner and variation selectors: they belong to what stands before them


@dataclass(frozen=True)
class TextSource:
    """A text in named splits, in memory.

    Attributes:
        location: where it is, as the caller wrote it.
        single_file: whether the location is one file, whose splits are all cut from it.
        stored: split -> text, as the source has them.
        settings: the shares of the splits that are cut from the training text.
    """

    location: str
    single_file: bool
    stored: Mapping[str, str] = field(repr=False)
    settings: DataSettings

    @functools.cached_property
    def splits(self) -> dict[str, str]:
        """split -> text, those cut from the training text included.

        Raises:
            UserError: there is too little of it.
        """
        return _with_missing_splits(self.stored, self.settings, self.location)

    def text(self, split: str) -> str:
        """The text of a split; of several joined with "+", one after the other; or of "all", as it is stored.

        Raises:
            UserError: there is no such split, or no character in it.
        """
        texts = self.stored if split == "all" else self.splits
        joined = "".join(texts[name] for name in named_splits(split, texts, self.location))
        if not joined:
            raise UserError(f"{self.location}: there is no text in its {split} split; expected a character at least.")
        return joined


def open_text(settings: DataSettings, location: str | None = None) -> TextSource:
    """Reads a text and cuts it into splits where the source brings none: by position, at the beginning of a line.

    Args:
        settings: the source and the shares of its splits.
        location: another source than that of the settings.

    Raises:
        UserError: nothing is there, or it is no text.
    """
    location = settings.data if location is None else location
    path = SAMPLE if location == "sample" else Path(location).expanduser()
    if location.startswith("tfds:"):
        source = open_source(location, [Column("text")], sample=SAMPLE)
        stored = {
            split: "\n".join(record.values[0] for record in reader())
            for split, reader in source.stored.items()
            if split in SPLITS
        }
    elif location and path.is_dir():
        stored = _folder_texts(path)
    elif location and path.exists():
        stored = {"train": _file_text(path)}
    else:
        raise UserError(
            f"{location!r}: no such file or folder; expected `sample`, `tfds:NAME`, a text file or a folder of them."
        )
    return TextSource(location, location != "sample" and path.is_file(), stored, settings)


def _file_text(path: Path) -> str:
    lines = []
    for number, line in text_lines(path):
        if "\0" in line:
            raise UserError(
                f"{path}:{number}: holds a NUL character, so it is no text file; name a file of plain text."
            )
        lines.append(line)
    return "".join(lines)


def _folder_texts(folder: Path) -> dict[str, str]:
    """split -> its files in the order of their names; all of them are training text where no name speaks of a split."""
    below = (path.relative_to(folder) for path in sorted(folder.rglob("*")))
    visible = (path for path in below if not any(part.startswith(".") for part in path.parts))
    files = [path for path in visible if path.name.lower().endswith(TEXT_SUFFIXES) and (folder / path).is_file()]
    if not files:
        raise UserError(f"{folder}: expected files ending in {' or '.join(TEXT_SUFFIXES)}; found none.")
    splits = {path: _split_of(path) for path in files}
    named = any(splits.values())
    by_split = collections.defaultdict(list)
    for path, split in splits.items():
        if named and split is None:
            log.warning("%s: left out, since it is in no split and others are", folder / path)
            continue
        text = _file_text(folder / path)
        by_split[split or "train"].append(text if text.endswith("\n") or not text else text + "\n")
    return {split: "".join(texts) for split, texts in by_split.items()}


def _split_of(path: Path) -> str | None:
    """The split of train.txt, wiki.train.txt or train/chapter.txt; None for train-to-busan.txt."""
    stem = path.name.lower().removesuffix(".gz").removesuffix(".txt")
    words = [re.split("[._-]", stem)[-1], *(part.lower() for part in path.parent.parts)]
    return next((SPLIT_WORDS[word] for word in words if word in SPLIT_WORDS), None)


def _with_missing_splits(stored: Mapping[str, str], settings: DataSettings, location: str) -> dict[str, str]:
    """Cuts a validation split off the training text's end, and where there is only training text a test split."""
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
    """Where to cut near a position: before a line, or else before what is no part of the character before it."""
    place = round(position)
    line = text.find("\n", max(place - 1, 0), place + min(LONGEST_LINE, len(text) // 50)) + 1
    if 0 < line < len(text):
        return line
    while place < len(text) and _belongs_to_the_one_before(text, place):
        place += 1
    return place


def _belongs_to_the_one_before(text: str, place: int) -> bool:
    return (
        unicodedata.combining(text[place]) > 0
        or text[place] in JOINERS
        or text[place - 1] == JOINERS[0]
        or "\u1160" <= text[place] <= "\u11ff"  # a jamo that is no lead
    )


# --- characters and ids


def prepare(settings: ChargenSettings, run: Run) -> tuple[Characters, np.ndarray, np.ndarray]:
    """The characters of the run, and the ids of its training and validation texts; what is there already stays.

    Writes `vocabulary/characters.json` and, below `checkpoint/`, the ids of both splits.
    """
    files = [run.checkpoint / f"{split}.npy" for split in ("train", "validation")]
    if not (run.vocabulary.exists() and files[-1].exists()):  # written last
        chosen = settings.characters
        source = open_text(settings.data)
        reading = {"normalization": chosen.normalization, "hangul": chosen.hangul}
        texts = [as_read(source.text(split), **reading) for split in ("train", "validation")]
        for split, text in zip(("train", "validation"), texts, strict=True):
            if len(text) < 2:
                raise UserError(
                    f"{source.location}: its {split} split has one character; expected two at least, one to tell the "
                    "other from."
                )
        characters = Characters.learned(collections.Counter(texts[0]), chosen.min_count, **reading)
        if not characters.characters:
            raise UserError(
                f"--min-count {chosen.min_count}: no character of {source.location} occurs so often; lower it"
            )
        with atomic_files.replacing_folder(run.vocabulary) as temporary:
            save_characters(characters, temporary)
        for path, text in zip(files, texts, strict=True):
            with atomic_files.replacing(path) as temporary:
                np.save(temporary, encoded(text, characters))
    return load_characters(run.vocabulary), *(np.load(path, mmap_mode="r") for path in files)


def encoded(text: str, characters: Characters) -> np.ndarray:
    """The ids of a text that was read `as_read`: uint16 or int32 (characters,)."""
    points = np.frombuffer(text.encode("utf-32-le"), np.uint32)
    ids = np.full(0x110000, UNKNOWN, np.uint16 if len(characters) <= 1 << 16 else np.int32)
    ids[[ord(character) for character in characters.characters]] = np.arange(1, len(characters))
    return ids[points]


def save_characters(characters: Characters, folder: Path) -> None:
    """Writes characters.json: how text is read, and [character, count] for each, the unknown one under null."""
    stored = {
        "normalization": characters.normalization,
        "hangul": characters.hangul,
        "characters": list(map(list, zip([None, *characters.characters], characters.counts, strict=True))),
    }
    (folder / "characters.json").write_text(json.dumps(stored, ensure_ascii=False) + "\n", encoding="utf-8")


def load_characters(folder: Path) -> Characters:
    """What `save_characters` wrote.

    Raises:
      UserError: the file is missing or damaged.
    """
    try:
        stored = json.loads((folder / "characters.json").read_text(encoding="utf-8"))
        (_, *known), counts = zip(*stored["characters"], strict=True)
        return Characters(tuple(known), counts, stored["normalization"], stored["hangul"])
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise UserError(f"{folder} cannot be read ({error}); train the run again with --overwrite") from None
