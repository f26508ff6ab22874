"""The splits of a folder: a parallel corpus, tables with the split in their names, or class folders."""

import itertools
import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path

from tasks.data.locations import files_below
from tasks.data.parallel_corpus import check_languages, parallel_corpus_splits, parallel_reader
from tasks.data.records import (
    SPLIT_ALIASES,
    Column,
    FileReader,
    Reader,
    Record,
    find_column,
    quoted_list,
    split_in_file_name,
)
from tasks.data.table_files import TABLE_SUFFIXES, find_columns, read_tables, table_format
from tasks.data.text_files import read_text
from tasks.errors import UserError
from tasks.file_options import FileOptions

CLASS_FOLDER_COLUMNS = ("text", "label")
UNLABELLED_FOLDERS = ("unsup", "unsupervised")  # IMDB's folder of reviews without labels


def folder_splits(
    folder: Path,
    columns: Sequence[Column],
    options: FileOptions,
    *,
    without: Collection[Path] = (),
    required: bool = True,
) -> dict[str, Reader]:
    """Find the splits in a folder.

    If no name contains a split, everything that has the columns is training data.

    Args:
        folder: A folder in one of the forms that `sources.open_source` describes.
        columns: The columns to read.
        options: How the files are written.
        without: Entries of the folder that are not read.
        required: Whether training data is needed; otherwise only what has a split in its name is read.

    Returns:
        A reader for each split.

    Raises:
        UserError: If the folder has none of these forms, or lacks a column.
    """
    files, folders = ([path for path in paths if path not in without] for paths in _list_folder(folder))
    readers = parallel_corpus_splits(folder, files, columns, options.encoding) or _table_splits(files, columns, options)
    split_folders = [(SPLIT_ALIASES[path.name.lower()], path) for path in folders if path.name.lower() in SPLIT_ALIASES]
    if readers or not (required or split_folders):
        return readers

    classes = all(column.lookup_name in CLASS_FOLDER_COLUMNS for column in columns)
    if not classes or not folders:
        readers = parallel_corpus_splits(folder, files, columns, options.encoding, unnamed="train")
        readers = readers or _tables_with_columns(files, columns, options)
        if readers:
            return readers
        if not classes:
            check_languages(folder, files, columns)
    if not folders:
        raise _nothing_to_read(folder, files)
    for split, path in split_folders or [("train", folder)]:
        readers |= _class_folder_splits(path, split, columns, options.encoding)
    return readers


def file_splits(files: Sequence[Path], columns: Sequence[Column], options: FileOptions) -> dict[str, Reader]:
    """Find the splits of several files: tables, or line-aligned files in one folder.

    A table whose name contains no split is training data.

    Args:
        files: The files, in the order in which they are read.
        columns: The columns to read.
        options: How the files are written.

    Returns:
        A reader for each split.

    Raises:
        UserError: If one is missing, is a folder, or lacks a column.
    """
    for path in files:
        if path.is_dir():
            raise UserError(f"{path} is a folder, which is named alone; its files are named by '{path}/*.csv'.")
        if not path.exists():
            raise UserError(f"{str(path)!r}: no such file.")
    folders = {path.parent for path in files}
    readers = {}
    if len(folders) == 1:
        readers = parallel_corpus_splits(folders.pop(), sorted(files), columns, options.encoding, unnamed="train")
    return readers or _table_splits(files, columns, options, unnamed="train")


def _table_splits(
    files: Sequence[Path], columns: Sequence[Column], options: FileOptions, unnamed: str | None = None
) -> dict[str, Reader]:
    """Return a reader for each split; files without a split in their names are in `unnamed`, or left out."""
    by_split: dict[str, list[Path]] = {}
    for path in files:
        if (table_format(path) or unnamed) and (split := split_in_file_name(path) or unnamed):
            by_split.setdefault(split, []).append(path)
    for split, paths in by_split.items():
        if split != "test":  # a test file may lack the labels, and training does not read it
            for path in paths:
                find_columns(path, columns, options)
    return {split: _table_reader(paths, columns, options) for split, paths in by_split.items()}


def _table_reader(paths: Sequence[Path], columns: Sequence[Column], options: FileOptions) -> FileReader:
    return FileReader(tuple(paths), partial(read_tables, paths, columns, options))


def _tables_with_columns(files: Sequence[Path], columns: Sequence[Column], options: FileOptions) -> dict[str, Reader]:
    """Return a reader of the tables that have the columns, as training data; raise `UserError` if none of them has."""
    tables, error = [], None
    for path in filter(table_format, files):
        try:
            find_columns(path, columns, options)
            tables.append(path)
        except UserError as found:
            error = error or found
    if error is not None and not tables:
        raise error
    return {"train": _table_reader(tables, columns, options)} if tables else {}


def named_reader(paths: Sequence[Path], split: str, columns: Sequence[Column], options: FileOptions) -> FileReader:
    """Return a reader of files that are named for a split: tables, pairs of files, or folders of class folders.

    Args:
        paths: The files or folders.
        split: The split.
        columns: The columns to read.
        options: How the files are written.

    Raises:
        UserError: If one cannot be read or lacks a column.
    """
    readers: list[Reader] = []
    pairs = [path for path in paths if not path.is_dir() and _is_parallel(path, columns)]
    for path in paths:
        if path.is_dir():
            readers.append(_class_folder_splits(path, split, columns, options.encoding)[split])
        elif path not in pairs:
            if split != "test":
                find_columns(path, columns, options)
            readers.append(_table_reader([path], columns, options))
    if pairs:
        readers.append(parallel_reader(pairs, columns, options.encoding))
    files = tuple(file for reader in readers for file in reader.files)
    return FileReader(files, lambda: itertools.chain.from_iterable(reader() for reader in readers))


def _is_parallel(path: Path, columns: Sequence[Column]) -> bool:
    language = path.name.removesuffix(".gz").rpartition(".")[2]
    return table_format(path) is None and language in [column.lookup_name for column in columns]


def left_out(folder: Path, readers: Iterable[Reader]) -> list[str]:
    """Return the names of the visible files below a folder that no reader reads."""
    read = {file for reader in readers for file in reader.files}
    return sorted(
        str(path.relative_to(folder))
        for path in files_below(folder)
        if path not in read and not (path.parent in read and path.suffix == ".txt")
    )


def _list_folder(folder: Path) -> tuple[list[Path], list[Path]]:
    """Return the visible files and the visible sub-folders, both sorted by name."""
    try:
        entries = sorted(path for path in folder.iterdir() if not path.name.startswith((".", "__")))
    except OSError as error:
        raise UserError(f"{folder}: cannot be read: {error.strerror}") from error
    return [path for path in entries if path.is_file()], [path for path in entries if path.is_dir()]


def _nothing_to_read(folder: Path, entries: Sequence[Path]) -> UserError:
    return UserError(
        f"{folder}: expected files with train, validation or test in their names (ending in "
        f"{', '.join(TABLE_SUFFIXES)}, or in a language, two of each: train.en, train.de), or a sub-folder of .txt "
        "files for each class.\n"
        f"Found: {quoted_list([path.name for path in entries], max_count=5)}. "
        "Files of other names: --train-files, --validation-files and --test-files."
    )


# --- Class folders ----------------------------------------------------------------------------------------------------


def has_class_folders(folder: Path) -> bool:
    """Return whether two or more sub-folders of a folder, or of the folder of a split, hold .txt files themselves."""
    folders = _list_folder(folder)[1]
    of_splits = [path for path in folders if path.name.lower() in SPLIT_ALIASES]
    groups = [[path for path in folders if path not in of_splits], *(_list_folder(path)[1] for path in of_splits)]
    return any(sum(any(_text_files(path)) for path in group) > 1 for group in groups)


def _class_folder_splits(
    folder: Path, split: str, columns: Sequence[Column], encoding: str | None
) -> dict[str, Reader]:
    """Return the splits in a folder of class folders: `split`, and "unsupervised" for texts without a label."""
    names = [find_column(column, CLASS_FOLDER_COLUMNS, f"{folder} (a folder of class folders)") for column in columns]
    files, folders = _list_folder(folder)
    classes = [path for path in folders if path.name not in UNLABELLED_FOLDERS]
    unlabelled = [path for path in folders if path.name in UNLABELLED_FOLDERS]
    empty = [path for path in classes if not any(_text_files(path))]
    if len(empty) == len(classes):
        raise _nothing_to_read(folder, files + folders)
    if empty:
        raise UserError(f"{empty[0]}: a class without an example; expected .txt files in it, one text in each.")
    readers = {split: FileReader(tuple(classes), partial(_class_folder_records, classes, names, encoding))}
    if unlabelled:
        read = partial(_unlabelled_records, unlabelled, names, encoding)
        readers["unsupervised"] = FileReader(tuple(unlabelled), read)
    return readers


def _class_folder_records(classes: Sequence[Path], names: Sequence[str], encoding: str | None) -> Iterator[Record]:
    for folder in classes:
        for path in _text_files(folder):
            fields = {"text": read_text(path, encoding), "label": folder.name}
            yield Record(tuple([fields[name] for name in names]), str(path))


def _unlabelled_records(folders: Sequence[Path], names: Sequence[str], encoding: str | None) -> Iterator[Record]:
    for folder in folders:
        if "label" in names:
            raise UserError(f"{folder}: these texts have no label; read them without labels, or choose another split.")
        for path in _text_files(folder):
            yield Record(tuple([read_text(path, encoding) for _ in names]), str(path))


def _text_files(folder: Path) -> Iterator[Path]:
    names = (name for name in os.listdir(folder) if name.endswith(".txt") and not name.startswith("."))
    return (folder / name for name in sorted(names))
