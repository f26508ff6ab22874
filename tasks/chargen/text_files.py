"""Files of text: single ones, several, and those below a folder. Imports no TensorFlow."""

import logging
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from tasks.chargen.settings import ChargenSourceSettings
from tasks.data import locations, plain_text
from tasks.data.bad_rows import BadRows, usable
from tasks.data.records import REPEATED_HEADER, SPLITS, Column, Record
from tasks.data.sources import Source, check_options, open_source
from tasks.data.split_files import divided, find_split_files
from tasks.data.table_files import find_columns
from tasks.data.text_files import joined, max_expanded_bytes, read_lines
from tasks.errors import UserError
from tasks.in_memory import InMemory

log = logging.getLogger(__name__)

Located = str | Sequence[str] | InMemory
SplitFiles = Mapping[str, Sequence[str | InMemory]]
SAMPLE = Path(__file__).parents[1] / "samples" / "chargen" / "verse.txt"


def check_files(location: str | Sequence[str], settings: ChargenSourceSettings) -> list[Path]:
    """Check what can be checked of texts without reading them; return their files and folders.

    Args:
        location: As `tasks.data.locations.expand` takes it.
        settings: The column of tables, and how files are written.

    Raises:
        UserError: If one does not exist, or is a table without the column of the texts.
    """
    located, column = locations.located(location, SAMPLE), Column("text", settings.text_column)
    found, paths = (*located,), [*located.values()]
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
        if not plain_text.is_table(path):
            next(read_lines(path, settings.encoding, max_expanded_bytes(path)), None)
        elif settings.text_column is None:
            raise UserError(f"{one} is a table, not a text; name the column of its texts with --text-column")
        else:
            check_options(one, path, settings)
            find_columns(path, [column], settings)
    if settings.table_options and not any(path.is_dir() or plain_text.is_table(path) for path in paths):
        raise UserError(f"{settings.table_options[0]} does not go with {found[0]}, which is a text; leave it out")
    return paths


def check_sources(location: Located, settings: ChargenSourceSettings, files: SplitFiles) -> None:
    """Check what can be checked of the texts of `read_texts` without reading them; raise `UserError`."""
    named, in_memory = divided(files)
    if named:
        _named_files(location, settings, named)
    for data in [*in_memory.values(), *([location] if isinstance(location, InMemory) else [])]:
        _opened(data, settings)
    if not isinstance(location, InMemory) and (location != "sample" or "train" not in files):
        check_files(location, settings)


def read_texts(location: Located, settings: ChargenSourceSettings, files: SplitFiles) -> tuple[dict[str, str], bool]:
    """Read the texts at a location, or at several.

    Args:
        location: As `tasks.data.locations.expand` takes it, or data in memory.
        settings: The column of tables, and how files are written.
        files: Split -> names and patterns of the files of this split, also of files in the folder `location`; or its
            texts in memory. Those of the training split replace the sample.

    Returns:
        Split -> text, and whether it is a single file, or several without splits.

    Raises:
        UserError: If one does not exist, or is not a text.
    """
    if not files:
        return _located_texts(location, settings)
    named, in_memory = divided(files)
    found = _named_files(location, settings, named)
    replaced = location == "sample" and "train" in files
    without = {path.resolve() for paths in found.values() for path in paths}
    stored = {} if replaced else _located_texts(location, settings, without, required="train" not in files)[0]
    for split, paths in found.items():
        stored[split] = "".join(_joined_texts(paths, settings).values())
    for split, data in in_memory.items():
        stored[split] = _with_line_end("".join(_table_texts(data, settings).values()))
    return stored, False


def _named_files(
    location: str | Sequence[str], settings: ChargenSourceSettings, files: Mapping[str, Sequence[str]]
) -> dict[str, list[Path]]:
    """Return the text files that are named for each split; raise `UserError` if one is missing or cannot be used."""
    folder = locations.to_path(location) if isinstance(location, str) and not location.startswith("tfds:") else None
    folder = folder if folder is not None and folder.is_dir() else None
    found = find_split_files(files, folder)
    for paths in found.values():
        check_files([str(path) for path in paths], settings)
    tables = settings.text_column is not None
    return {split: plain_text.with_files_of_folders(paths, settings.encoding, tables) for split, paths in found.items()}


def _located_texts(
    location: Located,
    settings: ChargenSourceSettings,
    without: Collection[Path] = (),
    *,
    required: bool = True,
) -> tuple[dict[str, str], bool]:
    if isinstance(location, InMemory):
        return _table_texts(location, settings), True
    paths = check_files(location, settings)
    first = locations.expand(location)[0]
    if first.startswith("tfds:"):
        return _table_texts(first, settings), False
    if len(paths) == 1 and not paths[0].is_dir():
        if paths[0].resolve() in without:
            raise UserError(
                f"{paths[0]} is the data, and is named for another split too; name the files of the training split "
                "with --train-files, without it"
            )
        return {"train": _file_text(paths[0], settings)}, first != "sample"
    if len(paths) == 1:
        found = plain_text.text_files(paths[0], settings.encoding, tables=settings.text_column is not None)
        files = [path for path in found if path.resolve() not in without]
        if not (files or required):
            return {}, False
        return _joined_texts(files, settings, folder=paths[0]), False
    tables = settings.text_column is not None
    files = plain_text.with_files_of_folders(paths, settings.encoding, tables)
    stored = _joined_texts([path for path in files if path.resolve() not in without], settings)
    return stored, {*stored} == {"train"}


def _opened(location: str | InMemory, settings: ChargenSourceSettings) -> Source:
    return open_source(location, [Column("text", settings.text_column)], sample=SAMPLE, options=settings)


def _table_texts(location: str | InMemory, settings: ChargenSourceSettings) -> dict[str, str]:
    """Return split -> the texts of a column, one after the other."""
    source, shown, limit = _opened(location, settings), str(location), None
    if not isinstance(location, InMemory) and not location.startswith("tfds:"):
        limit = max_expanded_bytes(locations.to_path(location))
    return {
        split: joined(_rows(reader(), shown, settings.skip_bad_rows), shown, limit)
        for split, reader in source.stored.items()
        if split in SPLITS
    }


def _rows(records: Iterable[Record], location: str, skip_bad_rows: bool) -> Iterator[str]:
    """Yield the texts of records, with line breaks between them; raise `UserError` if some cannot be read."""
    separator, bad = "", BadRows()
    rows = (record for record in records if record.problem != REPEATED_HEADER)
    for record in usable(rows, lambda one: one.problem, skip=skip_bad_rows, bad=bad):
        yield separator + record.values[0]
        separator = "\n"
    if bad.count:
        log.warning("%s: left out %s bad rows", location, f"{bad.count:,}")


def _file_text(path: Path, settings: ChargenSourceSettings) -> str:
    if plain_text.is_table(path):
        return "".join(_table_texts(str(path), settings).values())
    limit = max_expanded_bytes(path)
    return joined(plain_text.lines_of_text(path, settings.encoding, limit), str(path), limit)


def _joined_texts(files: Sequence[Path], settings: ChargenSourceSettings, folder: Path | None = None) -> dict[str, str]:
    """Return split -> the text of its files, one after the other; see `plain_text.by_split`."""
    return {
        split: "".join(_with_line_end(_file_text(path, settings)) for path in paths)
        for split, paths in plain_text.by_split(files, folder).items()
    }


def _with_line_end(text: str) -> str:
    return text if text.endswith("\n") or not text else text + "\n"
