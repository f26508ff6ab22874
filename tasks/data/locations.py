"""Locations of data: a file, folder, URL or data set; several files; or a pattern such as `data/*.txt`."""

import contextlib
import errno
import fnmatch
import glob
import os
import re
import urllib.parse
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path, PurePath

from tasks.data.remote_files import SCHEMES, AnyPath, RemotePath, remote_path
from tasks.errors import Unreadable, UserError
from tasks.in_memory import InMemory, check_not_in_memory

URL = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<rest>.*)", re.DOTALL)
# file:///PATH, or file:/PATH as Hadoop writes it.
FILE_URL = re.compile(r"file:(//(localhost)?(?=/)|(?!//))(?P<path>/.*)", re.DOTALL | re.IGNORECASE)
# In a folder of answers: which command has written them.
MANIFEST = "_manifest.json"
# What Hadoop and Spark, and platforms built on them, write beside data; and so do this suite, Python, macOS and Linux.
MARKERS = re.compile(
    r"_(SUCCESS|metadata|common_metadata|temporary|delta_log|spark_metadata|(committed|started)_.*)|.*\.crc"
    rf"|{re.escape(MANIFEST)}|__pycache__|__MACOSX|lost\+found"
)
# In the folder of a run or a comparison; other programs write files of these names too, but without a task.
RUN_FILES = ("settings.json", "comparison.json")
TASK_KEY = b'"task"'
MAX_RUN_FILE_BYTES = 1 << 20
# Whether `os.access` can check as which user files are opened.
EFFECTIVE_IDS = os.access in os.supports_effective_ids


def to_path(location: str) -> AnyPath:
    """Return the path of a location: of a file here, or of a URL (s3://, gs://, abfss://, file://).

    Raises:
        UserError: If it is a URL of another kind.
    """
    if local := FILE_URL.fullmatch(location):
        return Path(urllib.parse.unquote(local["path"]))
    url = URL.fullmatch(location)
    if url is None:
        scheme, colon, rest = location.partition(":/")
        if colon and scheme.lower() in SCHEMES:
            raise UserError(f"{location!r}: a URL has two slashes after its scheme: {scheme}://{rest}")
        return Path(os.path.expanduser(location))
    scheme = url["scheme"].lower()
    if scheme in SCHEMES:
        return remote_path(scheme, url["rest"])
    if scheme == "file":
        raise UserError(
            f"{location!r}: expected file:///PATH, with three slashes and the absolute path of a file here."
        )
    download = "; download the file, and name it" if scheme in ("http", "https", "ftp", "hf") else ""
    raise UserError(
        f"{location!r}: {scheme}:// is not read{download}. Expected a path, or s3://, gs://, abfss:// or file://."
    )


def shown(data: str | Sequence[str | InMemory] | InMemory) -> str:
    """Return locations, or data in memory, as a message names them."""
    return str(data) if isinstance(data, (str, InMemory)) else ", ".join(map(str, data))


def located(data: str | Sequence[str], sample: Path) -> dict[str, AnyPath]:
    """Return location -> its path, in their order, with the files that match a pattern in its place, sorted by name.

    `**` matches any number of folders. What exists is no pattern, whatever its name. A location is returned once.

    Args:
        data: One location, or several.
        sample: The path of `sample`.

    Raises:
        UserError: If nothing matches a pattern, a data set or the sample is not alone, or the data were in memory.
    """
    found: dict[str, AnyPath] = {}
    for location in [data] if isinstance(data, str) else data:
        check_not_in_memory(location)
        if _is_data_set(location):
            found[location] = sample if location == "sample" else Path(location)
        else:
            found |= _matches(location)
    for location in found if len(found) > 1 else ():
        if _is_data_set(location):
            raise UserError(f"{location} is named alone, as --data {location}; several locations are files.")
    return found


def expand(data: str | Sequence[str]) -> tuple[str, ...]:
    """Return the locations that `located` returns."""
    return tuple(located(data, Path()))


def matching(place: AnyPath) -> list[AnyPath]:
    """Return what matches a pattern, sorted by name, without what is no data by its name, unless the pattern names it.

    Raises:
        Unreadable: If a folder that the pattern stands for cannot be read.
    """
    if isinstance(place, RemotePath):
        bucket, *names = place.parts[1:]
        found = sorted(_remote_matches(RemotePath(place.parts[0], bucket), names), key=str)
    else:
        _check_folders(place)
        found = [*map(Path, sorted(glob.glob(str(place), recursive=True)))]
    return [path for path in found if not any(MARKERS.fullmatch(name) for name in {*path.parts} - {*place.parts})]


def files_below(folder: AnyPath) -> Iterator[AnyPath]:
    """Yield the visible files below a folder, at any depth.

    Those of runs and comparisons, which training changes, are left out, and so are the answers in folders below it.

    Raises:
        Unreadable: If one of the folders cannot be read.
    """
    if isinstance(folder, RemotePath):
        files = [path for path in folder.below() if path.is_file()]
        others = {path.parent for path in files if path.name in RUN_FILES}
        others |= {path.parent for path in files if path.name == MANIFEST} - {folder}
        for path in files:
            if not (any(map(is_hidden, path.relative_to(folder).parts)) or others & {*path.parents}):
                yield path
        return
    for place, folders, names in os.walk(folder, onerror=_raise_unreadable):
        if _is_run(Path(place), names) or (MANIFEST in names and Path(place) != folder):
            folders.clear()
            continue
        folders[:] = [name for name in folders if not is_hidden(name)]
        yield from (Path(place, name) for name in names if not is_hidden(name))


def _is_run(folder: Path, names: Collection[str]) -> bool:
    """Return whether a folder with files of these names is that of a run or of a comparison."""
    for name in RUN_FILES:
        with contextlib.suppress(OSError):
            if name in names:
                with open(folder / name, "rb") as file:
                    if TASK_KEY in file.read(MAX_RUN_FILE_BYTES):
                        return True
    return False


def visible(folder: AnyPath) -> list[AnyPath]:
    """Return the visible files and folders in a folder, sorted by name.

    Raises:
        Unreadable: If the folder cannot be read.
    """
    try:
        return sorted(path for path in folder.iterdir() if not is_hidden(path.name))
    except OSError as error:
        raise _unreadable(error) from error


def list_folder(folder: AnyPath) -> tuple[list[AnyPath], list[AnyPath]]:
    """Return the visible files and the visible sub-folders, both sorted by name.

    Raises:
        Unreadable: If the folder cannot be read.
    """
    entries = visible(folder)
    try:
        return [path for path in entries if path.is_file()], [path for path in entries if path.is_dir()]
    except OSError as error:
        raise _unreadable(error) from error


def names_below(files: Sequence[AnyPath], folder: AnyPath | None) -> dict[AnyPath, PurePath]:
    """Return file -> its path within the folder, or within the one that holds all of them."""
    absolute = {path: path.absolute() for path in files}
    above = folder.absolute() if folder is not None else next(iter(absolute.values())).parent
    while not all(path.is_relative_to(above) for path in absolute.values()):
        if above == above.parent:  # of files here and of others in cloud storage
            return {path: PurePath(path.name) for path in files}
        above = above.parent
    return {path: one.relative_to(above) for path, one in absolute.items()}


def is_hidden(name: str) -> bool:
    """Return whether a file or folder is no data by its name: `.part-0.crc`, `_SUCCESS`, `_temporary`, `__MACOSX`."""
    return name.startswith(".") or MARKERS.fullmatch(name) is not None


def _is_data_set(location: str) -> bool:
    return location == "sample" or location.startswith("tfds:")


def _matches(location: str) -> dict[str, AnyPath]:
    path = to_path(location)
    if not glob.has_magic(str(path)) or path.exists():
        return {location: path}
    matches = matching(path)
    if not matches:
        raise UserError(f"{location!r}: no file matches this pattern; expected the name of a file, or * for any part.")
    return {str(match): match for match in [match for match in matches if match.is_file()] or matches}


def _check_folders(pattern: Path) -> None:
    """Raise `Unreadable` if a folder in which a pattern looks for names cannot be read: glob leaves it out."""
    first = next((number for number, part in enumerate(pattern.parts) if glob.has_magic(part)), len(pattern.parts))
    for number in range(first, len(pattern.parts)):
        part = pattern.parts[number]
        above = os.path.join(*pattern.parts[:number], "**" if part == "**" else "", "")
        for folder in glob.iglob(above, recursive=True) if above else ["."]:
            needed = os.X_OK | (os.R_OK if glob.has_magic(part) else 0)
            named = {*Path(folder).parts} - {*pattern.parts}
            if not (any(map(is_hidden, named)) or os.access(folder, needed, effective_ids=EFFECTIVE_IDS)):
                raise _unreadable(PermissionError(errno.EACCES, os.strerror(errno.EACCES), folder))


def _raise_unreadable(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):  # it was removed meanwhile
        raise _unreadable(error) from error


def _unreadable(error: OSError) -> Unreadable:
    return Unreadable(
        f"{error.filename}: cannot be read: {error.strerror}; make it readable, or name what is to be read without it."
    )


def _remote_matches(folder: RemotePath, names: Sequence[str]) -> set[RemotePath]:
    """Return what matches a pattern in cloud storage.

    Args:
        folder: What its beginning stands for.
        names: The rest, name by name.
    """
    if not any(map(glob.has_magic, names)):
        path = folder.joinpath(*names)
        return {path} if path.exists() else set()
    name, *rest = names
    if not glob.has_magic(name):
        return _remote_matches(folder / name, rest)
    if name == "**":
        inside = [path for path in folder.below() if not any(map(is_hidden, path.relative_to(folder).parts))]
        if not rest:
            return {*inside}
        folders = [folder, *(path for path in inside if path.is_dir())]
        return {match for place in folders for match in _remote_matches(place, rest)}
    found: set[RemotePath] = set()
    for path in folder.iterdir():
        visible = name.startswith(".") or not path.name.startswith(".")
        if visible and fnmatch.fnmatchcase(path.name, name) and (not rest or path.is_dir()):
            found |= _remote_matches(path, rest)
    return found
