"""Files of plain text: which files of a folder are read, and to which split each belongs. Imports no TensorFlow."""

import collections
import logging
import re
from collections.abc import Iterator, Sequence
from pathlib import PurePath

from tasks.data import locations, part_files
from tasks.data.records import SPLIT_ALIASES, quoted_list
from tasks.data.remote_files import AnyPath
from tasks.data.table_files import table_format
from tasks.data.text_files import MAX_LINE_BYTES, read_lines
from tasks.errors import Unreadable, UserError

log = logging.getLogger(__name__)

TEXT_SUFFIXES = (".txt", ".txt.gz")
# What is read of a file to see whether it is plain text.
CHECKED_CHARACTERS = 1 << 16


def is_table(path: AnyPath) -> bool:
    """Return whether a file is read as a table where texts are expected: a .txt file is not."""
    kind = table_format(path)
    if kind == "tsv" and part_files.is_part(path):
        return path.name.lower().removesuffix(".gz").endswith(".tsv")
    return kind is not None and not path.name.lower().endswith(TEXT_SUFFIXES)


def lines_of_text(path: AnyPath, encoding: str | None = None, max_bytes: int = MAX_LINE_BYTES) -> Iterator[str]:
    """Yield the lines of a file; raise `UserError` if one holds a NUL character, or as for `read_lines`."""
    for number, line in read_lines(path, encoding, max_bytes):
        if "\0" in line:
            raise UserError(
                f"{path}:{number}: holds a NUL character, so it is no text file; name a file of plain text."
            )
        yield line


def text_files(folder: AnyPath, encoding: str | None = None, tables: bool = False) -> list[AnyPath]:
    """Return the text files below a folder in the order of their names, and log which are left out.

    These are the .txt files, or else all files of plain text, such as the .py files of a program.

    Args:
        folder: The folder.
        encoding: The encoding of the files, as for `read_lines`.
        tables: Whether the tables are read instead, if there is any.

    Raises:
        UserError: If there is none.
    """
    files = [path for path in sorted(locations.files_below(folder)) if path.is_file()]
    chosen = [path for path in files if is_table(path)] if tables else []
    chosen = chosen or [path for path in files if path.name.lower().endswith(TEXT_SUFFIXES)]
    chosen = chosen or [path for path in files if not is_table(path) and _is_plain_text(path, encoding)]
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


def with_files_of_folders(paths: Sequence[AnyPath], encoding: str | None = None, tables: bool = False) -> list[AnyPath]:
    """Return paths with the text files of a folder in its place; see `text_files`."""
    return [file for path in paths for file in (text_files(path, encoding, tables) if path.is_dir() else [path])]


def _is_plain_text(path: AnyPath, encoding: str | None) -> bool:
    """Return whether the beginning of a file can be read as text, and has no NUL character."""
    length = 0
    try:
        for line in lines_of_text(path, encoding):
            length += len(line)
            if length > CHECKED_CHARACTERS:
                break
    except Unreadable:
        raise
    except UserError:
        return False
    return True


def by_split(files: Sequence[AnyPath], folder: AnyPath | None = None) -> dict[str, list[AnyPath]]:
    """Return split -> its files.

    Files whose name contains no split are training text, unless they are in a folder with files that are named so. A
    name such as train.py is no split if there are other files of its kind.

    Args:
        files: The files, in the order in which they are read.
        folder: The folder whose files these are; None if they were named one by one.
    """
    splits = {path: _split_of(name) for path, name in locations.names_below(files, folder).items()}
    others = [path for path in files if not is_table(path) and not path.name.lower().endswith(TEXT_SUFFIXES)]
    if not all(splits[path] for path in others):
        splits |= dict.fromkeys(others)
    found = collections.defaultdict(list)
    for path, split in splits.items():
        if split is None and folder is not None and "train" in splits.values():
            log.warning("%s: left out, since it is in no split and others are", path)
            continue
        found[split or "train"].append(path)
    return dict(found)


def _split_of(path: PurePath) -> str | None:
    """Return the split of train.txt, wiki.train.txt, tst2013.txt or train/chapter.txt; None for train-to-busan.txt.

    Files of the hub of Hugging Face end with their number, as in train-00000-of-00002.parquet.
    """
    stem = re.sub(r"-\d+-of-\d+$", "", PurePath(path.name.lower().removesuffix(".gz")).stem)
    words = [re.split("[._-]", stem)[-1], *(part.lower() for part in path.parent.parts)]
    names = (word.rstrip("0123456789") for word in words)
    return next((SPLIT_ALIASES[name] for name in names if name in SPLIT_ALIASES), None)
