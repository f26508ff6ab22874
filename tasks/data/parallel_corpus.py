"""Parallel corpora in line-aligned files: line n of `train.de` is the translation of line n of `train.en`.

Files with the same stem belong together, and their suffixes are their languages: `test_2016_flickr.en.gz` and
`test_2016_flickr.de.gz`. Any suffix that is not that of a table is a language, also in `train.source`, `train.target`.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from tasks.data.records import Column, FileReader, Reader, Record, find_column, split_in_file_name
from tasks.data.remote_files import AnyPath
from tasks.data.table_files import TABLE_SUFFIXES
from tasks.data.text_files import read_lines
from tasks.errors import UserError

Stems = Mapping[str, Mapping[str, AnyPath]]  # stem -> language -> file


def parallel_corpus_splits(
    folder: AnyPath,
    files: Sequence[AnyPath],
    columns: Sequence[Column],
    encoding: str | None = None,
    unnamed: str | None = None,
) -> dict[str, Reader]:
    """Find the splits of a parallel corpus.

    Several stems of training files (`train-1`, `train-2`) are read one after the other. Several test sets are not
    joined, because results are reported for each: every set is a split under its stem (`test_2016_flickr`,
    `test_2017_flickr`), and `test` is the stem of that name or else the first by name. The same applies to validation.

    Args:
        folder: The folder of the corpus.
        files: The files in it, sorted by name.
        columns: The columns to read; their names are languages.
        encoding: The encoding of the files, as for `text_files.read_lines`.
        unnamed: The split of files with every requested language whose name contains no split; if None, these are not
            read.

    Returns:
        A reader for each split; empty if no stem has every requested language.

    Raises:
        UserError: If a stem for training or validation has one of the languages and lacks another.
    """
    requested = {column.lookup_name for column in columns}
    stems = {stem: languages for stem, languages in _group_by_stem(files).items() if requested & languages.keys()}
    by_split: dict[str, dict[str, Mapping[str, AnyPath]]] = {}
    for stem, languages in stems.items():
        split = split_in_file_name(folder / stem) or (unnamed if requested <= languages.keys() else None)
        if split:
            by_split.setdefault(split, {})[stem] = languages
    if not any(requested <= languages.keys() for found in by_split.values() for languages in found.values()):
        return {}

    readers: dict[str, Reader] = {}
    for split, found in by_split.items():
        if split != "test":  # a test set may lack a language, and training does not read it
            for stem in found:
                _find_files(folder, stem, found[stem], columns)
        for name, split_stems in _name_splits(split, found).items():
            read = [file for languages in split_stems.values() for file in _of_columns(languages, columns)]
            parts = (partial(_read_stem, folder, stem, split_stems[stem], columns, encoding) for stem in split_stems)
            readers[name] = FileReader(tuple(read), tuple(parts))
    return readers


def parallel_reader(files: Sequence[AnyPath], columns: Sequence[Column], encoding: str | None = None) -> FileReader:
    """Return a reader of line-aligned files, one stem after the other.

    Args:
        files: The files.
        columns: The columns to read; their names are languages.
        encoding: The encoding of the files.

    Raises:
        UserError: If one has no partner.
    """
    groups: list[list[AnyPath]] = []
    for folder in dict.fromkeys(path.parent for path in files):
        stems = _group_by_stem([path for path in files if path.parent == folder])
        groups += [_find_files(folder, stem, languages, columns) for stem, languages in stems.items()]
    read = tuple(path for group in groups for path in group)
    return FileReader(read, tuple(partial(read_parallel, group, encoding) for group in groups))


def check_languages(folder: AnyPath, files: Sequence[AnyPath], columns: Sequence[Column]) -> None:
    """Check that every set of parallel files has the requested languages.

    Args:
        folder: The folder of the corpus.
        files: The files in it, sorted by name.
        columns: The columns to read; their names are languages.

    Raises:
        UserError: If one lacks a language; the message lists the available ones.
    """
    stems = {stem: languages for stem, languages in _group_by_stem(files).items() if len(languages) > 1}
    for stem in sorted(stems, key=lambda stem: split_in_file_name(folder / stem) is None):
        _find_files(folder, stem, stems[stem], columns)


def read_parallel(paths: Sequence[AnyPath], encoding: str | None = None) -> Iterator[Record]:
    """Yield a record for each line of parallel files; memory holds one line of each.

    Args:
        paths: Files in the same folder, in the order of the record's values.
        encoding: Their encoding, as for `text_files.read_lines`.

    Raises:
        UserError: If a file cannot be read or is not UTF-8, or the numbers of lines differ.
    """
    files = [read_lines(path, encoding) for path in paths]
    # An empty last line counts, as any other empty line: a line that only one of the files has is an error.
    for number, lines in enumerate(itertools.zip_longest(*files), start=1):
        if None in lines:
            counts = [
                number - 1 if line is None else number + sum(1 for _ in rest)
                for line, rest in zip(lines, files, strict=True)
            ]
            raise _different_line_counts(paths, counts)
        values = tuple([text.removesuffix("\n").removesuffix("\r") for _, text in lines])
        # The files are in the same folder, so the folder is named once.
        yield Record(values, ", ".join([f"{paths[0]}:{number}", *(f"{path.name}:{number}" for path in paths[1:])]))


def _group_by_stem(files: Sequence[AnyPath]) -> dict[str, dict[str, AnyPath]]:
    """Return the files that are not tables by stem and language; `train.en` takes precedence over `train.en.gz`."""
    stems: dict[str, dict[str, AnyPath]] = {}
    for path in files:
        name = path.name[:-3] if path.name.lower().endswith(".gz") else path.name
        stem, _, language = name.rpartition(".")
        if stem and language and f".{language.lower()}" not in TABLE_SUFFIXES:
            stems.setdefault(stem, {}).setdefault(language, path)
    return stems


def _name_splits(split: str, stems: Stems) -> dict[str, Stems]:
    """Return the splits that the stems of one split form: one of all training files, but one for each test set."""
    if split == "train" or len(stems) == 1:
        return {split: stems}
    first = split if split in stems else min(stems)
    return {stem: {stem: stems[stem]} for stem in stems} | {split: {first: stems[first]}}


def _read_stem(
    folder: AnyPath, stem: str, languages: Mapping[str, AnyPath], columns: Sequence[Column], encoding: str | None
) -> Iterator[Record]:
    yield from read_parallel(_find_files(folder, stem, languages, columns), encoding)


def _of_columns(languages: Mapping[str, AnyPath], columns: Sequence[Column]) -> list[AnyPath]:
    return [languages[column.lookup_name] for column in columns if column.lookup_name in languages]


def _find_files(
    folder: AnyPath, stem: str, languages: Mapping[str, AnyPath], columns: Sequence[Column]
) -> list[AnyPath]:
    """Return the file of each column; raise `UserError` with the available languages if one is missing."""
    location = f"{folder / stem}.* (a file for each language)"
    return [languages[find_column(column, list(languages), location)] for column in columns]


def _different_line_counts(paths: Sequence[AnyPath], counts: Sequence[int]) -> UserError:
    listed = " and ".join(f"{path.name} {count:,}" for path, count in zip(paths, counts, strict=True))
    return UserError(
        f"{paths[0].parent}: the files differ in their number of lines: {listed}; expected the same number in each, "
        "line by line the same sentence.\n"
        "Find the line that one of them lacks or has in addition: all lines after it are paired wrongly."
    )
