"""Texts without labels, as a stream: the rows of tables, the records of a data set, the lines of text files.

What `tasks.data.sources` reads as records and what `tasks.data.plain_text` reads as files are one kind of source here.
Memory holds one text at a time.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from tasks.data import locations, plain_text
from tasks.data.bad_rows import BadRows, usable
from tasks.data.class_folders import has_class_folders
from tasks.data.records import REPEATED_HEADER, Column, FileReader, Reader, Record, resolve_splits
from tasks.data.sources import Source, open_source
from tasks.data.text_files import read_lines
from tasks.errors import Unreadable, UserError
from tasks.file_options import FileOptions
from tasks.in_memory import InMemory

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Documents:
    """Texts in named splits, as the source has them; none is drawn.

    Attributes:
        location: The location as the caller wrote it.
        readers: Split -> a reader of its texts, each the first value of a record.
        has_rows: Whether each row of a table or a data set, or each file of a class, is a text; otherwise each line is.
        skip_bad_rows: Whether rows that cannot be used are left out; otherwise they are errors.
    """

    location: str
    readers: Mapping[str, Reader] = field(repr=False)
    has_rows: bool
    skip_bad_rows: bool = False

    def texts(self, splits: str) -> Iterator[str]:
        """Stream the texts of a split, of several joined with "+", or of "all", always in the same order.

        Raises:
            UserError: If there is no such split, or a text cannot be read.
        """
        for split in resolve_splits(splits, self.readers, self.location):
            bad = BadRows()
            rows = (record for record in self.readers[split]() if record.problem != REPEATED_HEADER)
            for record in usable(rows, lambda record: record.problem, skip=self.skip_bad_rows, bad=bad):
                yield record.values[0]
            bad.report_left_out(self.location, split)


def open_documents(
    location: str | Sequence[str] | InMemory,
    text_column: str | None,
    *,
    sample: Path,
    options: FileOptions = FileOptions(),  # noqa: B008
    skip_bad_rows: bool = False,
) -> Documents:
    """Find texts and their splits, without reading more than headers.

    Args:
        location: `sample`, `tfds:NAME[/CONFIG]`, tables or text files, a pattern, or a folder; see
            `tasks.data.sources.open_source`. A file that is no table has a text on each line, and so has a .txt file
            unless a column is named. Or data in memory.
        text_column: The column of the texts in tables and data sets.
        sample: The folder that `sample` stands for.
        options: How the files are written.
        skip_bad_rows: Whether rows that cannot be used are left out.

    Raises:
        UserError: If the location does not exist, or a table lacks the column.
    """
    records = partial(_records, location, text_column, sample, options)
    if isinstance(location, InMemory):
        return _of_records(records(), skip_bad_rows)
    located = locations.located(location, sample)
    found, paths = (*located,), [*located.values()]
    shown = locations.shown(location)
    if text_column is not None or found[0] == "sample" or found[0].startswith("tfds:"):
        return _of_records(records(), skip_bad_rows)
    for one, path in zip(found, paths, strict=True):
        if not one or not path.exists():
            raise UserError(f"{one!r}: no such file or folder; expected `sample`, `tfds:NAME`, or a path that exists.")
    folder = paths[0] if len(paths) == 1 and paths[0].is_dir() else None
    if folder is not None and not _has_lines(folder):
        try:
            return _of_records(records(), skip_bad_rows)
        except Unreadable:
            raise
        except UserError:
            if any(map(plain_text.is_table, locations.visible(folder))):
                raise  # a table lacks the column
            table = next(filter(plain_text.is_table, sorted(locations.files_below(folder))), None)
            if table is not None:
                raise UserError(
                    f"{folder}: has tables in its sub-folders, such as {table.relative_to(folder)}; name them, or "
                    f"texts, with a pattern such as '{folder}/**/*{table.suffix}'"
                ) from None
    elif all(map(plain_text.is_table, paths)):
        return _of_records(records(), skip_bad_rows)
    if options.table_options:
        raise UserError(f"{options.table_options[0]} does not go with {shown}, which is read as lines of text")
    tables = [path for path in paths if plain_text.is_table(path)]
    if tables:
        other = next(path for path in paths if path not in tables)
        raise UserError(f"{tables[0]} is a table, and {other} is not; name tables and texts in separate commands")
    files = plain_text.with_files_of_folders(paths, options.encoding)
    for path in files[:1]:
        _warn_of_columns(path, options)
    readers = {
        split: FileReader(tuple(of_split), tuple(partial(_lines, [path], options.encoding) for path in of_split))
        for split, of_split in plain_text.by_split(files, folder).items()
    }
    return Documents(shown, readers, False, skip_bad_rows)


def _records(
    location: str | Sequence[str] | InMemory, column: str | None, sample: Path, options: FileOptions
) -> Source:
    return open_source(
        location, [Column("text", column)], sample=sample, validation_fraction=0, test_fraction=0, options=options
    )


def _of_records(source: Source, skip_bad_rows: bool) -> Documents:
    source.report_files("A pattern with --data names others")
    return Documents(source.location, source.stored, True, skip_bad_rows)


def _has_lines(folder: Path) -> bool:
    """Return whether the lines of a folder's .txt files are texts: it has such files, no table and no class folders."""
    files = locations.list_folder(folder)[0]
    texts = [path for path in files if path.name.lower().endswith(plain_text.TEXT_SUFFIXES)]
    return bool(texts) and not any(map(plain_text.is_table, files)) and not has_class_folders(folder)


def _warn_of_columns(path: Path, options: FileOptions) -> None:
    """Warn if a file that is read as lines of text looks like a table."""
    _, first = next(read_lines(path, options.encoding), (0, ""))
    if "\t" in first.strip():
        names = ", ".join(name.strip() for name in first.split("\t")[:5])
        log.warning("%s: read as lines of text; if it is a table, name a column with --text-column: %s", path, names)


def _lines(paths: Sequence[Path], encoding: str | None) -> Iterator[Record]:
    for path in paths:
        for number, line in enumerate(plain_text.lines_of_text(path, encoding), start=1):
            yield Record((line,), f"{path}:{number}")
