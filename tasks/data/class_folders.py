"""Folders of class folders: a sub-folder of .txt files for each class, one text in each file."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from tasks.data.locations import list_folder, visible
from tasks.data.records import SPLIT_ALIASES, Column, FileReader, Reader, Record, find_column, quoted_list
from tasks.data.remote_files import AnyPath
from tasks.data.table_files import TABLE_SUFFIXES
from tasks.data.text_files import read_text
from tasks.errors import UserError

CLASS_FOLDER_COLUMNS = ("text", "label")
UNLABELLED_FOLDERS = ("unsup", "unsupervised")  # IMDB's folder of reviews without labels


def nothing_to_read(folder: AnyPath, entries: Sequence[AnyPath]) -> UserError:
    """Return the error for a folder in which nothing is data.

    Args:
        folder: The folder.
        entries: What is in it.
    """
    return UserError(
        f"{folder}: expected files with train, validation or test in their names (ending in "
        f"{', '.join(TABLE_SUFFIXES)}, or in a language, two of each: train.en, train.de), or a sub-folder of .txt "
        "files for each class.\n"
        f"Found: {quoted_list([path.name for path in entries], max_count=5)}. "
        "Files of other names: --train-files, --validation-files and --test-files."
    )


def has_texts(folder: AnyPath) -> bool:
    """Return whether a folder holds .txt files itself."""
    return any(_text_files(folder))


def has_class_folders(folder: AnyPath) -> bool:
    """Return whether two or more sub-folders of a folder, or of the folder of a split, hold .txt files themselves."""
    folders = list_folder(folder)[1]
    of_splits = [path for path in folders if path.name.lower() in SPLIT_ALIASES]
    groups = [[path for path in folders if path not in of_splits], *(list_folder(path)[1] for path in of_splits)]
    return any(sum(map(has_texts, group)) > 1 for group in groups)


def class_folder_splits(
    folder: AnyPath, split: str, columns: Sequence[Column], encoding: str | None
) -> dict[str, Reader]:
    """Return the splits in a folder of class folders: `split`, and "unsupervised" for texts without a label."""
    names = [find_column(column, CLASS_FOLDER_COLUMNS, f"{folder} (a folder of class folders)") for column in columns]
    files, folders = list_folder(folder)
    classes = [path for path in folders if path.name not in UNLABELLED_FOLDERS]
    unlabelled = [path for path in folders if path.name in UNLABELLED_FOLDERS]
    empty = [path for path in classes if not has_texts(path)]
    if len(empty) == len(classes):
        raise nothing_to_read(folder, files + folders)
    if empty:
        raise UserError(f"{empty[0]}: a class without an example; expected .txt files in it, one text in each.")
    readers = {split: _reader(_class_folder_records, classes, names, encoding)}
    if unlabelled:
        readers["unsupervised"] = _reader(_unlabelled_records, unlabelled, names, encoding)
    return readers


def _reader(read: Callable, folders: Sequence[AnyPath], names: Sequence[str], encoding: str | None) -> FileReader:
    return FileReader(tuple(folders), tuple(partial(read, [folder], names, encoding) for folder in folders))


def _class_folder_records(classes: Sequence[AnyPath], names: Sequence[str], encoding: str | None) -> Iterator[Record]:
    for folder in classes:
        for path in _text_files(folder):
            fields = {"text": read_text(path, encoding), "label": folder.name}
            yield Record(tuple([fields[name] for name in names]), str(path))


def _unlabelled_records(folders: Sequence[AnyPath], names: Sequence[str], encoding: str | None) -> Iterator[Record]:
    for folder in folders:
        if "label" in names:
            raise UserError(f"{folder}: these texts have no label; read them without labels, or choose another split.")
        for path in _text_files(folder):
            yield Record(tuple([read_text(path, encoding) for _ in names]), str(path))


def _text_files(folder: AnyPath) -> Iterator[AnyPath]:
    return (path for path in visible(folder) if path.name.endswith(".txt"))
