"""Where text comes from: the bundled sample, TensorFlow Datasets, files and folders, as records split for training.

A source streams: nothing holds more than a few records of it, and each split can be read again, in the same order.
"""

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from tasks.data.parallel_corpus import aligned_splits, check_languages
from tasks.data.records import (
    SPLIT_WORDS,
    SPLITS,
    Column,
    Reader,
    Record,
    find_column,
    listing,
    named_splits,
    split_in_name,
)
from tasks.data.table_files import TABLE_SUFFIXES, column_names, read_table, table_format, text_lines
from tasks.data.tfds_source import tfds_splits
from tasks.errors import UserError

__all__ = ["Column", "Record", "Source", "open_source"]

CLASS_FOLDER_COLUMNS = ("text", "label")
UNLABELLED_FOLDERS = ("unsup", "unsupervised")  # what the folder of IMDB's reviews without a label is called


@dataclass(frozen=True)
class Source:
    """Records of text in named splits.

    Attributes:
        location: where they are, as the caller wrote it.
        columns: the columns asked for; a record's values stand in their order.
        single_file: whether the location is one file, whose splits are all drawn from it. Such a file, when it is
            named for evaluation, is read whole: split "all".
        stored: a reader for each split as it is stored.
        readers: a reader for each split there is, those drawn from the training data included.
    """

    location: str
    columns: tuple[Column, ...]
    single_file: bool
    stored: Mapping[str, Reader] = field(repr=False)
    readers: Mapping[str, Reader] = field(repr=False)

    @property
    def splits(self) -> tuple[str, ...]:
        """The splits there are: of "train", "validation", "test" and what else the data brings ("unsupervised")."""
        return tuple(sorted(self.readers, key=lambda name: SPLITS.index(name) if name in SPLITS else len(SPLITS)))

    def records(self, split: str) -> Iterator[Record]:
        """Streams the records of a split, in the same order each time.

        Args:
            split: one of `splits`; several joined with "+"; or "all": train, validation and test as they are stored,
                a single file from its first row to its last.

        Raises:
            UserError: there is no such split, it has no records, or a record cannot be read.
        """
        readers = self.stored if split == "all" else {name: self.readers[name] for name in self.splits}
        return self._stream({name: readers[name] for name in named_splits(split, readers, self.location)})

    def _stream(self, readers: Mapping[str, Reader]) -> Iterator[Record]:
        required = [(place, column) for place, column in enumerate(self.columns) if column.required]
        for split, reader in readers.items():
            record = None
            for record in reader():
                for place, column in required:
                    if not record.values[place].strip():
                        raise UserError(f"{record.where}: the {column.role} is empty; expected a value in each row.")
                yield record
            if record is None:
                raise UserError(f"{self.location}: there is no record in its {split} split; expected one at least.")


def open_source(
    location: str,
    columns: Sequence[Column],
    *,
    sample: Path,
    validation_fraction: float = 0.1,
    test_fraction: float = 0.1,
    data_dir: str | None = None,
) -> Source:
    """Finds the data, its splits and its columns; reads no more than headers.

    Where there is no validation split a fixed one is drawn from the training data, and where there is nothing but
    training data (one file, for example) a test split too. What is drawn depends on the first value of each record
    alone: it is the same on every machine, for every choice of the other columns, and equal texts stay together.

    Args:
        location: `sample`, `tfds:NAME[/CONFIG]`, a file or a folder. A folder has files with their split in the name
            (`train.csv`, `ratings_test.txt`), or line-aligned files with their split and their language in the name
            (`train.en` and `train.de`, see `aligned_files`), or one sub-folder of `.txt` files for each class (`pos/`,
            `neg/`), these perhaps below a folder for each split. Tables and aligned files may be gzip-compressed.
        columns: what to read, the input first. The columns of line-aligned files are their languages.
        sample: the folder that `sample` stands for.
        validation_fraction: the share of the training data drawn for validation; 0 draws none.
        test_fraction: the share drawn for test; 0 draws none.
        data_dir: the data folder of TensorFlow Datasets; None leaves it to the library.

    Returns:
        The source.

    Raises:
        UserError: nothing is there, or it is in no form described above, or it lacks a column.
    """
    columns = tuple(columns)
    path = sample if location == "sample" else Path(location).expanduser()
    if location.startswith("tfds:"):
        # A few data sets call their validation split "dev".
        readers = tfds_splits(location, columns, data_dir)
        stored = {SPLIT_WORDS.get(split, split): reader for split, reader in readers.items()}
    elif location and path.is_dir():
        stored = _folder_splits(path, columns)
    elif location and path.exists():
        _check_columns(path, columns)
        stored = {"train": partial(_table_records, [path], columns)}
    else:
        raise UserError(f"{location!r}: no such file or folder; expected `sample`, `tfds:NAME`, or a path that exists.")
    return Source(
        location, columns, path.is_file(), stored, _draw_missing_splits(stored, validation_fraction, test_fraction)
    )


# --- Tables ---------------------------------------------------------------------------------------------------------


def _check_columns(path: Path, columns: Sequence[Column]) -> list[str]:
    """Returns the table's own names of the columns, or raises `UserError` naming those that it has."""
    available = column_names(path)
    return [find_column(column, available, str(path)) for column in columns]


def _table_records(paths: Sequence[Path], columns: Sequence[Column]) -> Iterator[Record]:
    for path in paths:
        yield from read_table(path, _check_columns(path, columns))


# --- Folders --------------------------------------------------------------------------------------------------------


def _folder_splits(folder: Path, columns: Sequence[Column]) -> dict[str, Reader]:
    files, folders = _entries(folder)
    readers = aligned_splits(folder, files, columns) or _table_splits(files, columns)
    if readers:
        return readers

    if not folders or any(column.sought not in CLASS_FOLDER_COLUMNS for column in columns):
        check_languages(folder, files, columns)
    if not folders:
        raise _nothing_to_read(folder, files)
    split_folders = [(SPLIT_WORDS[path.name.lower()], path) for path in folders if path.name.lower() in SPLIT_WORDS]
    for split, path in split_folders or [("train", folder)]:
        readers |= _class_folder_splits(path, split, columns)
    return readers


def _table_splits(files: Sequence[Path], columns: Sequence[Column]) -> dict[str, Reader]:
    by_split: dict[str, list[Path]] = {}
    for path in files:
        if table_format(path) and (split := split_in_name(path)):
            by_split.setdefault(split, []).append(path)
    for split, paths in by_split.items():
        if split != "test":  # a test file may come without its labels, and training does not read it
            for path in paths:
                _check_columns(path, columns)
    return {split: partial(_table_records, paths, columns) for split, paths in by_split.items()}


def _nothing_to_read(folder: Path, entries: Sequence[Path]) -> UserError:
    return UserError(
        f"{folder}: expected files with train, validation or test in their names (ending in "
        f"{', '.join(TABLE_SUFFIXES)}, or in a language, two of each: train.en, train.de), or a sub-folder of .txt "
        "files for each class.\n"
        f"Found: {listing([path.name for path in entries], most=5)}. One file can be named in place of the folder."
    )


def _entries(folder: Path) -> tuple[list[Path], list[Path]]:
    """Returns the visible files and sub-folders, each in the order of their names."""
    try:
        entries = sorted(path for path in folder.iterdir() if not path.name.startswith((".", "__")))
    except OSError as error:
        raise UserError(f"{folder}: cannot be read: {error.strerror}") from error
    return [path for path in entries if path.is_file()], [path for path in entries if path.is_dir()]


def _class_folder_splits(folder: Path, split: str, columns: Sequence[Column]) -> dict[str, Reader]:
    """Returns the splits that a folder of class folders holds: `split`, and what has no label."""
    names = [find_column(column, CLASS_FOLDER_COLUMNS, f"{folder} (a folder of class folders)") for column in columns]
    files, folders = _entries(folder)
    classes = [path for path in folders if path.name not in UNLABELLED_FOLDERS]
    unlabelled = [path for path in folders if path.name in UNLABELLED_FOLDERS]
    empty = [path for path in classes if not any(_text_files(path))]
    if len(empty) == len(classes):
        raise _nothing_to_read(folder, files + folders)
    if empty:
        raise UserError(f"{empty[0]}: a class without an example; expected .txt files in it, one text in each.")
    readers = {split: partial(_class_folder_records, classes, names)}
    if unlabelled:
        readers["unsupervised"] = partial(_unlabelled_records, unlabelled, names)
    return readers


def _class_folder_records(classes: Sequence[Path], names: Sequence[str]) -> Iterator[Record]:
    for folder in classes:
        for path in _text_files(folder):
            fields = {"text": _whole_text(path), "label": folder.name}
            yield Record(tuple([fields[name] for name in names]), str(path))


def _unlabelled_records(folders: Sequence[Path], names: Sequence[str]) -> Iterator[Record]:
    for folder in folders:
        if "label" in names:
            raise UserError(f"{folder}: these texts have no label; read them without labels, or choose another split.")
        for path in _text_files(folder):
            yield Record(tuple([_whole_text(path) for _ in names]), str(path))


def _text_files(folder: Path) -> Iterator[Path]:
    names = (name for name in os.listdir(folder) if name.endswith(".txt") and not name.startswith("."))
    return (folder / name for name in sorted(names))


def _whole_text(path: Path) -> str:
    return "".join(line for _, line in text_lines(path)).rstrip("\r\n")


# --- Splits drawn from the training data ------------------------------------------------------------------------------


def _draw_missing_splits(
    stored: Mapping[str, Reader], validation_fraction: float, test_fraction: float
) -> dict[str, Reader]:
    """Adds the validation split, and where there is only training data the test split, and takes them out of train."""
    if "train" not in stored or "validation" in stored:
        return dict(stored)
    test_end = 0.0 if "test" in stored else test_fraction
    validation_end = test_end + validation_fraction
    if validation_end >= 1:
        raise UserError(f"validation and test fractions add up to {validation_end:g}: nothing is left to train on.")
    drawn = {"test": (0.0, test_end), "validation": (test_end, validation_end), "train": (validation_end, 1.0)}
    return dict(stored) | {
        split: partial(_drawn_records, stored["train"], start, end)
        for split, (start, end) in drawn.items()
        if start < end
    }


def _drawn_records(whole: Reader, start: float, end: float) -> Iterator[Record]:
    return (record for record in whole() if start <= _position(record) < end)


def _position(record: Record) -> float:
    """Returns a number in [0, 1) that depends on the record's first value alone."""
    digest = hashlib.blake2b(record.values[0].encode("utf-8"), digest_size=6).digest()  # 48 bits fit a float exactly
    return int.from_bytes(digest) / 2**48
