"""Files that options name for a split (`--train-files`, `--validation-files`, `--test-files`), and pairs of files."""

import glob
from collections.abc import Callable, Mapping, Sequence

from tasks.data import locations
from tasks.data.records import Column, FileReader, Reader
from tasks.data.remote_files import AnyPath, RemotePath
from tasks.data.table_files import TABLE_SUFFIXES
from tasks.errors import UserError
from tasks.in_memory import InMemory, check_not_in_memory


def divided(
    files: Mapping[str, Sequence[str | InMemory]],
) -> tuple[dict[str, Sequence[str]], dict[str, InMemory]]:
    """Return the splits whose files are named, and those whose records are in memory."""
    in_memory = {split: of_split[0] for split, of_split in files.items() if isinstance(of_split[0], InMemory)}
    return {split: names for split, names in files.items() if split not in in_memory}, in_memory


def find_split_files(
    files: Mapping[str, Sequence[str]],
    folder: AnyPath | None,
    companions: Callable[[AnyPath], list[AnyPath]] = lambda path: [],
) -> dict[str, list[AnyPath]]:
    """Return the files that options name for each split, in their order.

    Args:
        files: Split -> paths and patterns, as the working directory or `folder` has them.
        folder: The folder of the data, if it is one.
        companions: Returns the files that a name stands for: those of `corpus.en` and `corpus.ko` for each of their
            names and for `corpus`; none if it stands for itself.

    Raises:
        UserError: If there is no such file, or one is named for two splits.
    """
    found: dict[str, list[AnyPath]] = {}
    splits: dict[AnyPath, str] = {}
    for split, names in files.items():
        paths = [path for name in names for path in _matches(name, folder, companions, f"--{split}-files")]
        found[split] = list(dict.fromkeys(paths))
        for path in found[split]:
            other = splits.setdefault(path.resolve(), split)
            if other != split:
                raise UserError(f"{path} is named by --{other}-files and by --{split}-files; leave one of them out.")
    return found


def check_named_once(stored: Mapping[str, Reader], named: Mapping[AnyPath, str]) -> None:
    """Raise `UserError` if a file that is named for a split would be read for another one as well.

    Args:
        stored: Split -> the reader of what is not named.
        named: Resolved path -> the split that it is named for.
    """
    for split, reader in stored.items():
        for path in reader.files if isinstance(reader, FileReader) else ():
            if other := named.get(path.resolve()):
                raise UserError(
                    f"{path} is named by --{other}-files, and is also read for the {split} split; name the files of "
                    f"that split with --{split}-files, without it."
                )


def _matches(
    name: str, folder: AnyPath | None, companions: Callable[[AnyPath], list[AnyPath]], option: str
) -> list[AnyPath]:
    check_not_in_memory(name)
    path = locations.to_path(name)
    inside = folder is not None and not (isinstance(path, RemotePath) or path.is_absolute())
    for place in [path, *([folder / name] if inside else [])]:
        if (pair := companions(place)) or place.exists():
            return pair or [place]
        matches = locations.matching(place) if glob.has_magic(name) else []
        if matches:
            return [file for match in matches for file in companions(match) or [match]]
    where = f", neither here nor in {folder}" if folder else ""
    raise UserError(f"{option} {name}: no such file{where}; expected the name of a file, or a pattern such as '*.csv'.")


def parallel_files(path: AnyPath, columns: Sequence[Column]) -> list[AnyPath]:
    """Return the files of a parallel corpus that a path stands for; none if it is something else.

    Args:
        path: One of the files, such as `corpus.en`, or their common beginning, `corpus`.
        columns: The columns to read; their names are languages.

    Raises:
        UserError: If it is one of the files, and another is missing.
    """
    languages = [column.lookup_name for column in columns]
    stem, _, language = path.name.removesuffix(".gz").rpartition(".")
    one_of_them = language in languages and f".{language.lower()}" not in TABLE_SUFFIXES and path.is_file()
    if path.exists() and not one_of_them:
        return []
    beginning = path.with_name(stem) if one_of_them else path
    found = {name: _with_ending(beginning, name) for name in languages} if beginning.name else {}
    missing = [name for name in languages if not found.get(name)]
    if one_of_them and missing:
        raise UserError(
            f"{path}: expected {beginning.name}.{missing[0]} beside it, line by line the same sentences.\n"
            "The endings of the two files are --source-lang and --target-lang."
        )
    return [] if missing else [path for path in found.values() if path]


def _with_ending(beginning: AnyPath, language: str) -> AnyPath | None:
    paths = (beginning.with_name(f"{beginning.name}.{language}{compressed}") for compressed in ("", ".gz"))
    return next((path for path in paths if path.is_file()), None)
