"""Lists the shards of an input: the files of folders, several files, or those that match a pattern.

Imports no TensorFlow.
"""

import contextlib
import glob
import logging
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from tasks.arguments import PredictArguments, is_folder, shown
from tasks.data import locations
from tasks.data.part_files import is_part
from tasks.data.records import quoted_list
from tasks.data.remote_files import AnyPath, RemotePath
from tasks.errors import UserError
from tasks.file_options import INPUT_TABLES, kind_of
from tasks.serving import text_io

log = logging.getLogger(__name__)


class Shard(NamedTuple):
    """A file of the input.

    Attributes:
        name: The path of its answers in the output folder, with slashes.
        location: Where it is read.
        modified: When it was written last, in seconds since 1970; None if that is unknown.
    """

    name: str
    location: str
    modified: float | None = None


def find_shards(arguments: PredictArguments) -> list[Shard]:
    """Return the shards of `--input`, sorted by name; those of `--shard` if it is given.

    Raises:
        UserError: If there is none, one does not exist, two have the same name, or the options do not fit one.
    """
    of_name: dict[str, Shard] = {}
    for shard in _all_shards(arguments):
        other = of_name.setdefault(shard.name, shard)
        if other.location != shard.location:
            raise UserError(
                f"--input: the answers to {other.location} and {shard.location} would both be "
                f"{os.path.join(arguments.output, shard.name)}; rename one, or name the folder above them"
            )
    shards = sorted(of_name.values())
    for kind, shard in _first_of_each_kind(arguments, shards).items():
        arguments.check_shard(shard.location, kind)
    if arguments.shard is None:
        return shards
    number, count = map(int, arguments.shard.split("/"))
    chosen = shards[number - 1 :: count]
    if not chosen:
        log.warning("--shard %s: the input has %s shards, so there is none for it", arguments.shard, f"{len(shards):,}")
    return chosen


def roots(arguments: PredictArguments) -> list[str]:
    """Return the folders that the names of the shards are relative to, as absolute paths."""
    found = map(_root, _given(arguments))
    return sorted({str(root) if isinstance(root, RemotePath) else os.path.abspath(root) for root in found})


def _given(arguments: PredictArguments) -> Sequence[str]:
    return [arguments.input] if isinstance(arguments.input, str) else arguments.input


def _root(location: str) -> AnyPath:
    """Return the folder that the names of the shards of a location are relative to.

    Of a pattern, that is the folder before the first part with a wildcard.
    """
    path = locations.to_path(location)
    if is_folder(location):
        return path
    while True:
        path = path.parent
        if not glob.has_magic(str(path)) or path.exists():
            return path


def _all_shards(arguments: PredictArguments) -> list[Shard]:
    found, others = [], []
    for given in _given(arguments):
        root = _root(given)
        for location, path in locations.located(given, Path("sample")).items():
            if is_folder(location) or path.is_dir():
                for shard in _below(path, root):
                    known = arguments.input_format or kind_of(shard.name, (*INPUT_TABLES, "txt")) != "text"
                    known = known or is_part(Path(shard.name))
                    (found if known else others).append(shard)
            else:
                text_io.check_exists(location)
                found.append(_shard(path, root))
    names = quoted_list([shard.name for shard in sorted(others)], 3)
    if not found:
        raise UserError(
            f"--input {shown(arguments.input)}: expected files that end in .txt, .csv, .tsv, .jsonl or .parquet, and "
            f"found {names}.\nIf these have one of the formats, name it with --input-format"
        )
    if others:
        log.warning("--input: not answered, since the ending of the name says no format: %s", names)
    return found


def _shard(path: AnyPath, root: AnyPath) -> Shard:
    modified = None
    with contextlib.suppress(FileNotFoundError):  # it is reported with the shards that cannot be read
        modified = path.stat().st_mtime
    return Shard(Path(os.path.relpath(path, root)).as_posix(), str(path), modified)


def _below(folder: AnyPath, root: AnyPath) -> Iterator[Shard]:
    """Yield the files below a folder; see `tasks.data.locations.files_below`."""
    if not folder.is_dir():
        raise UserError(f"--input {folder}: no such folder")
    for path in locations.files_below(folder):
        if path.is_file() or not path.exists():  # a link whose file is missing is a shard that cannot be read
            yield _shard(path, root)
    if isinstance(folder, Path):
        _warn_of_links(folder)


def _warn_of_links(folder: Path) -> None:
    links = []
    for place, folders, _ in os.walk(folder):
        folders[:] = [name for name in folders if not locations.is_hidden(name)]
        paths = [os.path.join(place, name) for name in folders]
        links += [os.path.relpath(path, folder) for path in paths if os.path.islink(path)]
    if links:
        log.warning(
            "--input %s: links to folders are not followed: %s; name these folders with --input, too",
            *(folder, quoted_list(sorted(links), 3)),
        )


def _first_of_each_kind(arguments: PredictArguments, shards: Sequence[Shard]) -> dict[str, Shard]:
    return {text_io.kind_of_input(arguments, shard.location): shard for shard in shards[::-1]}
