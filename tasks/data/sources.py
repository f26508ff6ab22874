"""Sources of text: the bundled sample, TensorFlow Datasets, files and folders, read as records in named splits.

A source is streamed: memory holds a few records, and each split can be read repeatedly, always in the same order.
"""

import dataclasses
import logging
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import MappingProxyType

from tasks.data import locations
from tasks.data.bad_rows import BadRows, usable
from tasks.data.drawing import draw_missing_splits
from tasks.data.folders import file_splits, folder_splits, left_out, named_reader
from tasks.data.memory_source import MemoryReader, memory_reader
from tasks.data.parallel_corpus import parallel_reader
from tasks.data.records import (
    REPEATED_HEADER,
    SPLIT_ALIASES,
    SPLITS,
    Column,
    FileReader,
    Reader,
    Record,
    problem_of,
    quoted_list,
    resolve_splits,
    split_in_file_name,
)
from tasks.data.split_files import check_named_once, divided, find_split_files, parallel_files
from tasks.data.table_files import find_columns, table_format, table_reader
from tasks.data.tfds_source import tfds_splits
from tasks.errors import Unreadable, UserError
from tasks.file_options import DELIMITED, FileOptions
from tasks.in_memory import InMemory

log = logging.getLogger(__name__)

__all__ = ["Column", "Record", "Source", "open_source"]


@dataclass(frozen=True)
class Source:
    """Records of text in named splits.

    Attributes:
        location: The location that was passed to `open_source`.
        columns: The requested columns; the values of a record have the same order.
        single_file: Whether the location is one file, from which all splits are drawn, or several without splits, also
            in a folder. Evaluation of such files reads all of them: split "all".
        stored: A reader for each split in the data.
        readers: A reader for each available split, including those drawn from the training data.
        skip_bad_rows: Whether rows that cannot be used are left out; otherwise they are errors.
        folder: The folder of the data, if it is one.
        origin: What settings.json says of data in memory; otherwise empty.
    """

    location: str
    columns: tuple[Column, ...]
    single_file: bool
    stored: Mapping[str, Reader] = field(repr=False)
    readers: Mapping[str, Reader] = field(repr=False)
    skip_bad_rows: bool = False
    folder: Path | None = None
    origin: str = ""
    _reported: set[str] = field(default_factory=set, repr=False, compare=False)

    @property
    def splits(self) -> tuple[str, ...]:
        """The available splits: "train", "validation", "test", then any others in the data ("unsupervised")."""
        return tuple(sorted(self.readers, key=lambda name: SPLITS.index(name) if name in SPLITS else len(SPLITS)))

    def records(self, split: str) -> Iterator[Record]:
        """Stream the records of a split, always in the same order.

        Args:
            split: One of `splits`; several joined with "+"; or "all" for train, validation and test as they are in
                the data, which for a single file is the whole file in its own order.

        Raises:
            UserError: If the split does not exist or is empty, or a record cannot be read.
        """
        readers = self.stored if split == "all" else {name: self.readers[name] for name in self.splits}
        return self._stream({name: readers[name] for name in resolve_splits(split, readers, self.location)})

    def _stream(self, readers: Mapping[str, Reader]) -> Iterator[Record]:
        for split, reader in readers.items():
            record, bad = None, BadRows()
            rows = (record for record in reader() if record.problem != REPEATED_HEADER)
            for record in usable(rows, self.problem, skip=self.skip_bad_rows, bad=bad):
                yield record
            if bad.count and not self._reported & {split, "all"}:
                self._reported.add(split)
                bad.report_left_out(self.location, split)
            if record is None:
                raise self._no_record(split)

    def _no_record(self, split: str) -> UserError:
        if split in self.stored:
            option = f"; --{split}-files names others" if split in SPLITS else ""
            return UserError(f"{self.location}: no record in its {split} split; expected at least one{option}.")
        return UserError(
            f"{self.location}: too few records to draw a {split} split from: each class needs a text to train on, and "
            f"records with a common text stay together.\nAdd records, or name files for it with --{split}-files."
        )

    def problem(self, record: Record) -> str | None:
        """Return why a record cannot be used; None if it can."""
        return problem_of(record, self.columns)

    def has_columns(self, split: str) -> bool:
        """Return whether the first record of a split can be read: a file of test data may lack the labels."""
        try:
            reader = self.readers[split]
            next(iter(reader.directly() if isinstance(reader, FileReader) else reader()), None)
        except Unreadable:
            raise
        except UserError:
            return False
        return True

    def report_files(
        self, remedy: str = "--train-files, --validation-files and --test-files name files for a split"
    ) -> None:
        """Log from which files each split is read, and warn of the files of the folder that are not read.

        Args:
            remedy: How other files are chosen.
        """
        readers = {split: reader for split, reader in self.stored.items() if isinstance(reader, FileReader)}
        if self.folder is None and (self.location == "sample" or {*readers} <= {"train"}):
            return  # the files are not the caller's, or are of one split
        for split, reader in readers.items():
            names = [_relative(path, self.folder) for path in reader.files]
            log.info("%s split: %s", split, quoted_list(names, max_count=6))
        unread = left_out(self.folder, readers.values()) if self.folder else []
        if unread:
            log.warning(
                "%s: files that are in no split are left out: %s. %s",
                *(self.location, quoted_list(unread, max_count=6), remedy),
            )

    def check(self) -> dict[str, int]:
        """Report the files, and read every row of the data once, the test split included, before a training.

        Data of TensorFlow Datasets is not read; it has no rows that somebody could correct.

        Returns:
            The number of rows that are left out, by reason.

        Raises:
            UserError: If rows cannot be used and are not left out; names the first ones in all splits.
        """
        self.report_files()
        bad, headers = BadRows(), 0
        for split in [] if self.location.startswith("tfds:") else [name for name in SPLITS if name in self.stored]:
            if split == "test" and not self.has_columns(split):
                log.info("%s: its test split lacks a column, and is not checked", self.location)
                continue
            for record in self.stored[split]():
                if record.problem == REPEATED_HEADER:
                    headers += 1
                elif (problem := self.problem(record)) is not None:
                    bad.add(record, problem)
        if bad.count and not self.skip_bad_rows:
            raise bad.error()
        self._reported.add("all")
        return {"bad rows": bad.count, "rows that repeat the header": headers}


def open_source(
    location: str | Sequence[str] | InMemory,
    columns: Sequence[Column],
    *,
    sample: Path,
    validation_fraction: float = 0.1,
    test_fraction: float = 0.1,
    skip_bad_rows: bool = False,
    data_dir: str | None = None,
    linked: Sequence[int] = (0,),
    class_of: Callable[[Record], str] | None = None,
    options: FileOptions = FileOptions(),  # noqa: B008
    files: Mapping[str, Sequence[str | InMemory]] = MappingProxyType({}),
) -> Source:
    """Find data, its splits and its columns, without reading more than headers.

    If the data has no validation split, a fixed one is drawn from the training data; if it has only training data
    (one file, for example), a test split is drawn as well; see `tasks.data.drawing`.

    Args:
        location: `sample`, `tfds:NAME[/CONFIG]`, a file or a folder. A folder contains tables with their split in the
            name (`train.csv`, `ratings_test.txt`), or a parallel corpus with split and language in the file names
            (`train.en` and `train.de`, see `parallel_corpus`), or one sub-folder of `.txt` files for each class
            (`pos/`, `neg/`), optionally inside one folder for each split. Tables and parallel files may be
            gzip-compressed. Or several files, a pattern (`locations.expand`, `folders.file_splits`), or data in memory.
        columns: The columns to read, the input first. The columns of a parallel corpus are its languages.
        sample: The folder that `sample` stands for.
        validation_fraction: The share of the training data drawn for validation; 0 draws none.
        test_fraction: The share of the training data drawn for test; 0 draws none.
        skip_bad_rows: Whether rows that cannot be used are left out; otherwise they are errors.
        data_dir: The data folder of TensorFlow Datasets; None uses the library's default.
        linked: The positions of the columns of which no two drawn splits share a value.
        class_of: The class of a record; each class has its share of each drawn split.
        options: How the files are written.
        files: Split -> names and patterns of the files of this split, also of files in the folder `location`; or its
            records in memory. Those of the training split replace the sample.

    Raises:
        UserError: If the location does not exist, has none of these forms, or lacks a column.

    Example:
        >>> source = open_source("reviews.csv", [Column("text"), Column("label")], sample=Path("."))
        >>> source.splits
        ('train', 'validation', 'test')
        >>> text, label = next(iter(source.records("train"))).values
    """
    options = options.of_files
    columns, located = tuple(columns), {} if isinstance(location, InMemory) else locations.located(location, sample)
    if {*located} == {"sample"} and "train" in files:
        located = {}
    found, paths = (*located,), [*located.values()]
    folder = paths[0] if len(paths) == 1 and paths[0].is_dir() else None
    split_files, in_memory = divided(files)
    if isinstance(location, InMemory):
        in_memory = {"train": location} | in_memory
    if in_memory and options.given_options:
        raise UserError(f"{options.given_options[0]} is for files, and the data are in memory; leave it out")
    named = find_split_files(split_files, folder, partial(parallel_files, columns=columns))
    for one, path in zip(found, paths, strict=True):
        check_options(one, path, options)
    without = {path.resolve(): split for split, paths_of_split in named.items() for path in paths_of_split}
    required = "train" not in {*named, *in_memory}
    stored = _stored_splits(found, paths, columns, options, data_dir, without, required=required)
    check_named_once(stored, without)
    stored |= {split: named_reader(chosen, split, columns, options) for split, chosen in named.items()}
    stored = {split: _linking(reader, linked) for split, reader in stored.items()}
    stored |= {split: memory_reader(data, columns) for split, data in in_memory.items()}
    readers = draw_missing_splits(
        stored,
        validation_fraction,
        test_fraction,
        problem=partial(problem_of, columns=columns),
        linked=linked,
        class_of=class_of,
    )
    shown = locations.shown(files["train"] if "train" in files and not found else location)
    single_file = {*stored} == {"train"} and isinstance(stored["train"], (FileReader, MemoryReader)) and not files
    if single_file and folder is not None:
        single_file = not any(split_in_file_name(path) for path in stored["train"].files)
    folder = None if found == ("sample",) else folder
    origin = location.described([column.lookup_name for column in columns]) if isinstance(location, InMemory) else ""
    return Source(shown, columns, single_file, stored, readers, skip_bad_rows, folder, origin)


def _stored_splits(
    found: Sequence[str],
    paths: Sequence[Path],
    columns: Sequence[Column],
    options: FileOptions,
    data_dir: str | None,
    without: Collection[Path],
    required: bool,
) -> dict[str, Reader]:
    """Return a reader for each split of a location, without the files that are named for a split."""
    if not found:
        return {}
    location, path = found[0], paths[0]
    if location.startswith("tfds:"):
        # A few data sets call their validation split "dev".
        readers = tfds_splits(location, columns, data_dir)
        return {SPLIT_ALIASES.get(split, split): reader for split, reader in readers.items()}
    if len(paths) > 1:
        return file_splits([one for one in paths if one.resolve() not in without], columns, options)
    if location and path.is_dir():
        return folder_splits(path, columns, options, without=without, required=required)
    if location and (pair := parallel_files(path, columns)):
        return {"train": parallel_reader(pair, columns, options.encoding)}
    if location and path.exists():
        find_columns(path, columns, options)
        return {"train": table_reader([path], columns, options)}
    raise UserError(f"{location!r}: no such file or folder; expected `sample`, `tfds:NAME`, or a path that exists.")


def _linking(reader: Reader, linked: Sequence[int]) -> Reader:
    return dataclasses.replace(reader, linked=tuple(linked)) if isinstance(reader, FileReader) else reader


def _relative(path: Path, folder: Path | None) -> str:
    return str(path.relative_to(folder) if folder is not None and path.is_relative_to(folder) else path)


def check_options(location: str, path: Path, options: FileOptions) -> None:
    """Raise `UserError` if an option is given that does not go with the data."""
    given = options.table_options
    if given and not path.is_dir() and (location.startswith("tfds:") or table_format(path) not in (*DELIMITED, None)):
        raise UserError(f"{given[0]} does not go with {location}, but with .csv, .tsv and .txt; leave it out.")
