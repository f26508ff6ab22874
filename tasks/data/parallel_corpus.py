"""Folders of line-aligned files: line n of `train.de` is the translation of line n of `train.en`.

The files of one stem belong together, and their endings are their languages: `test_2016_flickr.en.gz` stands beside
`test_2016_flickr.de.gz`. Any ending that is no table's is a language: `train.source` and `train.target` will do.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from tasks.data.records import Column, Reader, Record, find_column, split_in_name
from tasks.data.table_files import TABLE_SUFFIXES, text_lines
from tasks.errors import UserError

Stems = Mapping[str, Mapping[str, Path]]  # stem -> language -> file


def aligned_splits(folder: Path, files: Sequence[Path], columns: Sequence[Column]) -> dict[str, Reader]:
    """Finds the splits that the files of a folder hold; the columns' names are languages.

    Several stems of training files (`train-1`, `train-2`) are read one after the other. Several test sets are never
    joined, since figures are told of each: `test` is the stem of this name or else the first in the order of their
    names, and each is a split under its whole stem too (`test_2016_flickr`, `test_2017_flickr`). The same goes for
    validation.

    Args:
        folder: the folder.
        files: the files in it, in the order of their names.
        columns: what to read.

    Returns:
        For each split a function that begins to read it; none where no stem has every language asked for.

    Raises:
        UserError: a stem for training or validation has one of the languages and lacks another.
    """
    sought = {column.sought for column in columns}
    stems = {stem: languages for stem, languages in _stems(files).items() if sought & languages.keys()}
    by_split: dict[str, dict[str, Mapping[str, Path]]] = {}
    for stem, languages in stems.items():
        if split := split_in_name(folder / stem):
            by_split.setdefault(split, {})[stem] = languages
    if not any(sought <= languages.keys() for found in by_split.values() for languages in found.values()):
        return {}

    readers: dict[str, Reader] = {}
    for split, found in by_split.items():
        if split != "test":  # a test set may lack a language, and training does not read it
            for stem in found:
                _paths(folder, stem, found[stem], columns)
        for name, named in _named_splits(split, found).items():
            readers[name] = partial(_aligned_records, folder, named, columns)
    return readers


def check_languages(folder: Path, files: Sequence[Path], columns: Sequence[Column]) -> None:
    """Raises `UserError` where files belong together but not in every language asked for; it names their languages."""
    for stem, languages in _stems(files).items():
        if len(languages) > 1 and split_in_name(folder / stem):
            _paths(folder, stem, languages, columns)


def read_aligned(paths: Sequence[Path]) -> Iterator[Record]:
    """Yields a record for each line, its values in the order of the files; holds one line of each.

    Raises:
        UserError: a file cannot be read, or is not UTF-8, or they have different numbers of lines.
    """
    files = [text_lines(path) for path in paths]
    # An empty line at the end counts, as it does between others: it is a line of its own in one file and a mistake.
    for number, lines in enumerate(itertools.zip_longest(*files), start=1):
        if None in lines:
            counts = [
                number - 1 if line is None else number + sum(1 for _ in rest)
                for line, rest in zip(lines, files, strict=True)
            ]
            raise _unequal(paths, counts)
        values = tuple([text.removesuffix("\n").removesuffix("\r") for _, text in lines])
        # The files lie side by side: the folder is told once.
        yield Record(values, ", ".join([f"{paths[0]}:{number}", *(f"{path.name}:{number}" for path in paths[1:])]))


def _stems(files: Sequence[Path]) -> dict[str, dict[str, Path]]:
    """Returns the files that are no tables by stem and language; of `train.en` and `train.en.gz` it is the first."""
    stems: dict[str, dict[str, Path]] = {}
    for path in files:
        name = path.name[:-3] if path.name.lower().endswith(".gz") else path.name
        stem, _, language = name.rpartition(".")
        if stem and language and f".{language.lower()}" not in TABLE_SUFFIXES:
            stems.setdefault(stem, {}).setdefault(language, path)
    return stems


def _named_splits(split: str, stems: Stems) -> dict[str, Stems]:
    """Returns the splits that the stems of one split make: one of all training files, but one of each test set."""
    if split == "train" or len(stems) == 1:
        return {split: stems}
    first = split if split in stems else min(stems)
    return {stem: {stem: stems[stem]} for stem in stems} | {split: {first: stems[first]}}


def _aligned_records(folder: Path, stems: Stems, columns: Sequence[Column]) -> Iterator[Record]:
    for stem, languages in stems.items():
        yield from read_aligned(_paths(folder, stem, languages, columns))


def _paths(folder: Path, stem: str, languages: Mapping[str, Path], columns: Sequence[Column]) -> list[Path]:
    """Returns the file of each column, or raises `UserError` naming the languages that are there."""
    place = f"{folder / stem}.* (a file for each language)"
    return [languages[find_column(column, list(languages), place)] for column in columns]


def _unequal(paths: Sequence[Path], counts: Sequence[int]) -> UserError:
    told = " and ".join(f"{path.name} {count:,}" for path, count in zip(paths, counts, strict=True))
    return UserError(
        f"{paths[0].parent}: the files differ in their number of lines: {told}; expected as many in each, line by line "
        "the same sentence.\nFind the line that one of them has too many or too few: all after it are paired wrongly."
    )
