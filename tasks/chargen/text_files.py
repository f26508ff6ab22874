"""Files of text: single ones, several, and those below a folder. Imports no TensorFlow."""

import collections
import logging
import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from tasks.atomic_files import expanded
from tasks.chargen.settings import ChargenSourceSettings
from tasks.data import locations
from tasks.data.records import REPEATED_HEADER, SPLIT_ALIASES, SPLITS, Column, Record, quoted_list
from tasks.data.sources import check_options, open_source
from tasks.data.split_files import find_split_files
from tasks.data.table_files import find_columns, table_format
from tasks.data.text_files import joined, max_expanded_bytes, read_lines
from tasks.errors import UserError

log = logging.getLogger(__name__)

SAMPLE = Path(__file__).parents[1] / "samples" / "chargen" / "verse.txt"
TEXT_SUFFIXES = (".txt", ".txt.gz")
# What is read of a file to see whether it is plain text.
CHECKED_CHARACTERS = 1 << 16


def check_files(location: str | Sequence[str], settings: ChargenSourceSettings) -> list[Path]:
    """Check what can be checked of texts without reading them; return their files and folders.

    Args:
        location: As `tasks.data.locations.expand` takes it.
        settings: The column of tables, and how files are written.

    Raises:
        UserError: If one does not exist, or is a table without the column of the texts.
    """
    found, column = locations.expand(location), Column("text", settings.text_column)
    paths = [SAMPLE if one == "sample" else expanded(one) for one in found]
    if found[0].startswith("tfds:"):
        check_options(found[0], paths[0], settings)
        return paths
    for one, path in zip(found, paths, strict=True):
        if not one or not path.exists():
            raise UserError(
                f"{one!r}: no such file or folder; expected `sample`, `tfds:NAME`, a text file or a folder of them."
            )
        if path.is_dir():
            continue
        if not _is_table(path):
            next(read_lines(path, settings.encoding, max_expanded_bytes(path)), None)
        elif settings.text_column is None:
            raise UserError(f"{one} is a table, not a text; name the column of its texts with --text-column")
        else:
            check_options(one, path, settings)
            find_columns(path, [column], settings)
    if settings.table_options and not any(path.is_dir() or _is_table(path) for path in paths):
        raise UserError(f"{settings.table_options[0]} does not go with {found[0]}, which is a text; leave it out")
    return paths


def check_sources(location: str | Sequence[str], settings: ChargenSourceSettings, files: Mapping[str, Sequence[str]]):
    """Check what can be checked of the texts of `read_texts` without reading them; raise `UserError`."""
    if files:
        _named_files(location, settings, files)
    if location != "sample" or "train" not in files:
        check_files(location, settings)


def read_texts(
    location: str | Sequence[str], settings: ChargenSourceSettings, files: Mapping[str, Sequence[str]]
) -> tuple[dict[str, str], bool]:
    """Read the texts at a location, or at several.

    Args:
        location: As `tasks.data.locations.expand` takes it.
        settings: The column of tables, and how files are written.
        files: Split -> names and patterns of the files of this split, also of files in the folder `location`. Files of
            the training split replace the sample.

    Returns:
        Split -> text, and whether it is a single file, or several without splits.

    Raises:
        UserError: If one does not exist, or is not a text.
    """
    if not files:
        return _located_texts(location, settings)
    found = _named_files(location, settings, files)
    replaced = location == "sample" and "train" in found
    without = {path.resolve() for paths in found.values() for path in paths}
    stored = {} if replaced else _located_texts(location, settings, without, required="train" not in found)[0]
    for split, paths in found.items():
        stored[split] = "".join(_joined_texts(paths, settings).values())
    return stored, False


def _named_files(
    location: str | Sequence[str], settings: ChargenSourceSettings, files: Mapping[str, Sequence[str]]
) -> dict[str, list[Path]]:
    """Return the text files that are named for each split; raise `UserError` if one is missing or cannot be used."""
    folder = expanded(location) if isinstance(location, str) and expanded(location).is_dir() else None
    found = find_split_files(files, folder)
    for paths in found.values():
        check_files([str(path) for path in paths], settings)
    return {
        split: [file for path in paths for file in (_text_files(path, settings) if path.is_dir() else [path])]
        for split, paths in found.items()
    }


def _located_texts(
    location: str | Sequence[str],
    settings: ChargenSourceSettings,
    without: Collection[Path] = (),
    *,
    required: bool = True,
) -> tuple[dict[str, str], bool]:
    paths = check_files(location, settings)
    first = locations.expand(location)[0]
    if first.startswith("tfds:"):
        return _table_texts(first, settings), False
    if len(paths) == 1 and not paths[0].is_dir():
        return {"train": _file_text(paths[0], settings)}, first != "sample"
    if len(paths) == 1:
        files = [path for path in _text_files(paths[0], settings) if path.resolve() not in without]
        if not (files or required):
            return {}, False
        return _joined_texts(files, settings, folder=paths[0]), False
    files = [file for path in paths for file in (_text_files(path, settings) if path.is_dir() else [path])]
    stored = _joined_texts(files, settings)
    return stored, {*stored} == {"train"}


def _is_table(path: Path) -> bool:
    return table_format(path) is not None and not path.name.lower().endswith(TEXT_SUFFIXES)


def _table_texts(location: str, settings: ChargenSourceSettings) -> dict[str, str]:
    """Return split -> the texts of a column, one after the other."""
    source = open_source(location, [Column("text", settings.text_column)], sample=SAMPLE, options=settings)
    limit = None if location.startswith("tfds:") else max_expanded_bytes(Path(location).expanduser())
    return {
        split: joined(_rows(reader()), location, limit) for split, reader in source.stored.items() if split in SPLITS
    }


def _rows(records: Iterable[Record]) -> Iterator[str]:
    """Yield the texts of records, with line breaks between them; raise `UserError` if one cannot be read."""
    separator = ""
    for record in records:
        if record.problem == REPEATED_HEADER:
            continue
        if record.problem:
            raise UserError(f"{record.location}: {record.problem}")
        yield separator + record.values[0]
        separator = "\n"


def _file_text(path: Path, settings: ChargenSourceSettings) -> str:
    if _is_table(path):
        return "".join(_table_texts(str(path), settings).values())
    limit = max_expanded_bytes(path)

    def lines() -> Iterator[str]:
        for number, line in read_lines(path, settings.encoding, limit):
            if "\0" in line:
                raise UserError(
                    f"{path}:{number}: holds a NUL character, so it is no text file; name a file of plain text."
                )
            yield line

    return joined(lines(), str(path), limit)


def _text_files(folder: Path, settings: ChargenSourceSettings) -> list[Path]:
    """Return the text files below a folder in the order of their names, and log which are left out.

    These are the .txt files, or else all files of plain text, such as the .py files of a program.
    """
    files = [path for path in sorted(locations.files_below(folder)) if path.is_file()]
    chosen = [path for path in files if path.name.lower().endswith(TEXT_SUFFIXES)]
    chosen = chosen or [path for path in files if not _is_table(path) and _is_plain_text(path, settings)]
    if not chosen:
        raise UserError(
            f"{folder}: expected files ending in {' or '.join(TEXT_SUFFIXES)}; found none, and no other plain text. A "
            "table is named by its file, with --text-column."
        )
    left_out = [path for path in files if path not in {*chosen}]
    if left_out:
        kinds = collections.Counter(path.suffix or path.name for path in chosen)
        read = ", ".join(f"{count:,} {kind}" for kind, count in kinds.most_common(5))
        others = quoted_list([str(path.relative_to(folder)) for path in left_out], max_count=3)
        log.info(
            "%s: reads %s; left out: %s. A pattern such as '%s/**/*.md' chooses others", folder, read, others, folder
        )
    return chosen


def _is_plain_text(path: Path, settings: ChargenSourceSettings) -> bool:
    """Return whether the beginning of a file can be read as text, and has no NUL character."""
    length = 0
    try:
        for _, line in read_lines(path, settings.encoding):
            length += len(line)
            if "\0" in line:
                return False
            if length > CHECKED_CHARACTERS:
                break
    except UserError:
        return False
    return True


def _joined_texts(files: Sequence[Path], settings: ChargenSourceSettings, folder: Path | None = None) -> dict[str, str]:
    """Return split -> the text of its files, one after the other.

    Files whose name contains no split are training text, unless they are in a folder with files that are named so. A
    name such as train.py is no split if there are other files of its kind.

    Args:
        files: The files, in the order in which they are read.
        settings: The column of tables, and how files are written.
        folder: The folder whose files these are; None if they were named one by one.
    """
    above = folder or Path(os.path.commonpath([path.absolute().parent for path in files]))
    splits = {path: _split_of(path.absolute().relative_to(above.absolute())) for path in files}
    others = [path for path in files if not _is_table(path) and not path.name.lower().endswith(TEXT_SUFFIXES)]
    if not all(splits[path] for path in others):
        splits |= dict.fromkeys(others)
    by_split = collections.defaultdict(list)
    for path, split in splits.items():
        if split is None and folder is not None and "train" in splits.values():
            log.warning("%s: left out, since it is in no split and others are", path)
            continue
        text = _file_text(path, settings)
        by_split[split or "train"].append(text if text.endswith("\n") or not text else text + "\n")
    return {split: "".join(texts) for split, texts in by_split.items()}


def _split_of(path: Path) -> str | None:
    """Return the split of train.txt, wiki.train.txt or train/chapter.txt; None for train-to-busan.txt."""
    stem = Path(path.name.lower().removesuffix(".gz")).stem
    words = [re.split("[._-]", stem)[-1], *(part.lower() for part in path.parent.parts)]
    return next((SPLIT_ALIASES[word] for word in words if word in SPLIT_ALIASES), None)
