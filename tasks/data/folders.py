"""The splits of a folder: a parallel corpus, tables, class folders, or a folder of one of these for each split."""

import re
from collections.abc import Collection, Iterable, Sequence

from tasks.data.class_folders import CLASS_FOLDER_COLUMNS, class_folder_splits, has_texts, nothing_to_read
from tasks.data.locations import files_below, list_folder
from tasks.data.parallel_corpus import check_languages, parallel_corpus_splits, parallel_reader
from tasks.data.records import (
    SPLIT_ALIASES,
    Column,
    FileReader,
    Reader,
    quoted_list,
    split_in_file_name,
)
from tasks.data.remote_files import AnyPath
from tasks.data.table_files import find_columns, table_format, table_reader
from tasks.errors import Unreadable, UserError
from tasks.file_options import FileOptions

# A table without labels beside one with "train" in its name, as the hub of Hugging Face has them.
UNLABELLED = re.compile(r"(?<![a-z])unsup(ervised)?(?![a-z])")


def folder_splits(
    folder: AnyPath,
    columns: Sequence[Column],
    options: FileOptions,
    *,
    without: Collection[AnyPath] = (),
    required: bool = True,
) -> dict[str, Reader]:
    """Find the splits in a folder.

    If no name contains a split, everything that has the columns is training data.

    Args:
        folder: A folder in one of the forms that `sources.open_source` describes.
        columns: The columns to read.
        options: How the files are written.
        without: Entries of the folder that are not read, as resolved paths.
        required: Whether training data is needed; otherwise only what has a split in its name is read.

    Returns:
        A reader for each split.

    Raises:
        UserError: If the folder has none of these forms, or lacks a column.
    """
    files, folders = ([path for path in paths if path.resolve() not in without] for paths in list_folder(folder))
    readers = parallel_corpus_splits(folder, files, columns, options.encoding) or _table_splits(files, columns, options)
    if readers:
        return readers
    classes = all(column.lookup_name in CLASS_FOLDER_COLUMNS for column in columns)
    for path in folders:
        split = split_of_folder(path)
        # A folder of logs may be named `test` too. Instead of class folders, it is an error that says what is in it.
        if split and (classes or _holds_tables_or_pairs(path, split, columns, options)):
            readers |= _split_folder(path, split, columns, options)
    if "train" in readers or (readers and (classes or not required)):
        return readers
    if not readers and (inner := _inner_folder(folder, files, folders)):
        return folder_splits(inner, columns, options, without=without, required=required)
    if not required:
        return {}

    if not classes or not folders:
        unnamed = parallel_corpus_splits(folder, files, columns, options.encoding, unnamed="train")
        unnamed = unnamed or _tables_with_columns(files, columns, options)
        if unnamed or readers:
            return readers | unnamed
        if not classes:
            check_languages(folder, files, columns)
    if not folders:
        raise nothing_to_read(folder, files)
    if not any(map(has_texts, folders)) and (tables := _tables_below(folder)):
        return _table_splits(tables, columns, options, unnamed="train")
    return class_folder_splits(folder, "train", columns, options.encoding)


def split_of_folder(path: AnyPath) -> str | None:
    """Return the split that the name of a folder is: `train`, or `train.parquet` as Spark names folders."""
    name = path.name.lower()
    return SPLIT_ALIASES.get(name.rpartition(".")[0] if table_format(path) else name)


def _holds_tables_or_pairs(folder: AnyPath, split: str, columns: Sequence[Column], options: FileOptions) -> bool:
    files = list_folder(folder)[0]
    pairs = parallel_corpus_splits(folder, files, columns, options.encoding, unnamed=split)
    return bool(pairs or _tables_below(folder))


def _split_folder(folder: AnyPath, split: str, columns: Sequence[Column], options: FileOptions) -> dict[str, Reader]:
    """Return the reader of a split whose files are in a folder; and one of texts without a label in class folders."""
    files, folders = list_folder(folder)
    if parallel := parallel_corpus_splits(folder, files, columns, options.encoding, unnamed=split):
        paths = [path for reader in parallel.values() for path in reader.files]
        return {split: parallel_reader([*dict.fromkeys(paths)], columns, options.encoding)}
    if any(map(has_texts, folders)) or not (tables := _tables_below(folder)):
        return class_folder_splits(folder, split, columns, options.encoding)
    if split != "test":
        for path in tables:
            find_columns(path, columns, options)
    return {split: table_reader(tables, columns, options)}


def _tables_below(folder: AnyPath) -> list[AnyPath]:
    """Return the tables in a folder and in its partitions, such as `day=1/part-0.csv`, sorted by name."""
    inside = {path: path.relative_to(folder).parts[:-1] for path in files_below(folder) if table_format(path)}
    return sorted(path for path, folders in inside.items() if all("=" in name for name in folders))


def _inner_folder(folder: AnyPath, files: Sequence[AnyPath], folders: Sequence[AnyPath]) -> AnyPath | None:
    """Return the sub-folder with the tables of a data set that was copied from the hub of Hugging Face; None if none.

    It is named `data`, or as the configuration, and its files have the split in their names, as in
    `data/train-00000-of-00002.parquet`. Beside it there are pages, scripts and licenses.

    Raises:
        UserError: If the data set has several configurations.
    """
    tables = [path for path in files if table_format(path) and path.suffix != ".txt"]
    copied = {"README.md", ".gitattributes", "dataset_infos.json"} & {path.name for path in folder.iterdir()}
    if tables or not (copied or [path.name for path in folders] == ["data"]):
        return None
    # Texts of class folders, such as `travel/train-to-busan.txt`, are no tables.
    classes = sum(map(has_texts, folders)) > 1
    inner = [
        path
        for path in folders
        if any(_is_table_of_split(file) for file in list_folder(path)[0] if not (classes and file.suffix == ".txt"))
    ]
    if len(inner) > 1:
        raise UserError(
            f"{folder}: has tables in {quoted_list([path.name for path in inner], max_count=5)}; name one of these "
            f"folders, such as {inner[0]}."
        )
    return inner[0] if inner else None


def file_splits(files: Sequence[AnyPath], columns: Sequence[Column], options: FileOptions) -> dict[str, Reader]:
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
    files: Sequence[AnyPath], columns: Sequence[Column], options: FileOptions, unnamed: str | None = None
) -> dict[str, Reader]:
    """Return a reader for each split; files without a split in their names are in `unnamed`, or left out."""
    splits = {path: split_in_file_name(path) for path in files if table_format(path) or unnamed}
    # Alone it is data like any other: IMDB has a file `train/urls_unsup.txt` beside its class folders.
    if "train" in splits.values():
        splits |= {path: "unsupervised" for path, split in splits.items() if not split and _is_unlabelled(path)}
    by_split: dict[str, list[AnyPath]] = {}
    for path, name in splits.items():
        if split := name or unnamed:
            by_split.setdefault(split, []).append(path)
    for split, paths in by_split.items():
        # A test file may lack the labels, and training does not read it.
        if split in ("train", "validation"):
            for path in paths:
                find_columns(path, columns, options)
    return {split: table_reader(paths, columns, options) for split, paths in by_split.items()}


def _is_table_of_split(path: AnyPath) -> bool:
    return table_format(path) is not None and split_in_file_name(path) is not None


def _is_unlabelled(path: AnyPath) -> bool:
    return UNLABELLED.search(path.name.lower()) is not None


def _tables_with_columns(
    files: Sequence[AnyPath], columns: Sequence[Column], options: FileOptions
) -> dict[str, Reader]:
    """Return a reader of the tables that have the columns, as training data; raise `UserError` if none of them has."""
    tables, error = [], None
    for path in filter(table_format, files):
        try:
            find_columns(path, columns, options)
            tables.append(path)
        except Unreadable:
            raise
        except UserError as found:
            error = error or found
    if error is not None and not tables:
        raise error
    return {"train": table_reader(tables, columns, options)} if tables else {}


def named_reader(paths: Sequence[AnyPath], split: str, columns: Sequence[Column], options: FileOptions) -> FileReader:
    """Return a reader of files that are named for a split: tables, pairs of files, or folders of class folders.

    Args:
        paths: The files or folders.
        split: The split.
        columns: The columns to read.
        options: How the files are written.

    Raises:
        UserError: If one cannot be read or lacks a column.
    """
    readers: list[FileReader] = []
    pairs = [path for path in paths if not path.is_dir() and _is_parallel(path, columns)]
    for path in paths:
        if path.is_dir():
            readers.append(_split_folder(path, split, columns, options)[split])
        elif path not in pairs:
            if split != "test":
                find_columns(path, columns, options)
            readers.append(table_reader([path], columns, options))
    if pairs:
        readers.append(parallel_reader(pairs, columns, options.encoding))
    files, parts = ([one for reader in readers for one in getattr(reader, name)] for name in ("files", "parts"))
    return FileReader(tuple(files), tuple(parts))


def _is_parallel(path: AnyPath, columns: Sequence[Column]) -> bool:
    language = path.name.removesuffix(".gz").rpartition(".")[2]
    return table_format(path) is None and language in [column.lookup_name for column in columns]


def left_out(folder: AnyPath, readers: Iterable[Reader]) -> list[str]:
    """Return the names of the visible files below a folder that no reader reads."""
    read = {file for reader in readers for file in reader.files}
    return sorted(
        str(path.relative_to(folder))
        for path in files_below(folder)
        if path not in read and not (path.parent in read and path.suffix == ".txt")
    )
