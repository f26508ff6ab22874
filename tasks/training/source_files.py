"""The files that a run's data come from, and whether they have changed since the data were prepared."""

import contextlib
import glob
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from models.recurrent_settings import Settings
from tasks.data.locations import files_below, matching, to_path
from tasks.data.remote_files import AnyPath, RemotePath
from tasks.data.table_files import TABLE_SUFFIXES
from tasks.errors import Unreadable
from tasks.in_memory import PREFIX

SAMPLES = Path(__file__).parents[1] / "samples"
SAMPLE_OF = {"vectors": "sentiment"}  # word vectors are learned from its texts
# A larger file is hashed in parts of one size, evenly spaced, and its time of modification counts as well.
MAX_HASHED_BYTES = 1 << 28
PARTS = 64
PART_BYTES = 1 << 20

Fingerprint = dict[str, list]


def fingerprint(task: str, settings: Settings) -> Fingerprint:
    """Return what changes when the files of the source change: path -> size, hash, and time if it counts.

    Args:
        task: The name of the task.
        settings: Its settings; the files are those that values of the group `data` name: files, folders and patterns.
            Of data in memory, the entry is what settings.json says of them.
            TensorFlow Datasets are not followed: a data set of a given version does not change.
    """
    return fingerprint_of_data(task, settings.data.model_dump(mode="json"))


def fingerprint_of_data(task: str, data: dict[str, Any]) -> Fingerprint:
    """Return the `fingerprint` of the values of a group `data`, of which only those that name files are needed."""
    found = {str(path): fingerprint_of(path) for path in sorted(_files(task, data))}
    in_memory = [one for one in _locations(data) if one.startswith(PREFIX)]
    return found | {description: [] for description in in_memory}  # which has a digest


def changed(before: Fingerprint, now: Fingerprint) -> str | None:
    """Return the first file that was changed, added or removed; None if none was."""
    return next((path for path in sorted({*before, *now}) if before.get(path) != now.get(path)), None)


def _files(task: str, data: dict[str, Any]) -> set[AnyPath]:
    found: set[AnyPath] = set()
    for location in _locations(data):
        if location == "sample":
            sample = SAMPLES / SAMPLE_OF.get(task, task)
            found |= {path for path in sample.glob("*") if path.suffix in (".csv", ".txt")}
        elif location and not location.startswith(("tfds:", PREFIX)):
            path = to_path(location)
            paths = [path] if path.exists() else matching(path) if glob.has_magic(location) else []
            if path.suffix not in TABLE_SUFFIXES and not path.is_dir():
                # One file of a parallel corpus, or the common beginning of the names, stands for both.
                paths = [*paths, *_same_stem(path), *_same_stem(path.with_suffix(""))]
            for path in paths:
                # Not a pipe, which can be read only once.
                found |= {file for file in (files_below(path) if path.is_dir() else [path]) if file.is_file()}
    return found


def _same_stem(path: AnyPath) -> Iterator[AnyPath]:
    """Yield the files that a name stands for to which the endings of languages are added."""
    with contextlib.suppress(Unreadable):  # a folder that cannot be listed: the files that are read are named
        yield from matching(type(path)(f"{glob.escape(str(path))}.*")) if path.name else ()


def _locations(group: dict[str, Any]) -> Iterator[str]:
    """Yield the values of `data` and of settings such as `train_files`, each of which may be a list."""
    for name, value in group.items():
        if name == "data" or name.endswith("files"):
            yield from [value] if isinstance(value, str) else map(str, value or ())


def fingerprint_of(path: AnyPath) -> list:
    """Return the entry of a file in a `fingerprint`; one in cloud storage is not read for it."""
    status, digest = path.stat(), hashlib.blake2b(digest_size=16)
    if isinstance(path, RemotePath):
        return [status.st_size, status.st_mtime_ns]
    with open(path, "rb") as file:
        if status.st_size <= MAX_HASHED_BYTES:
            while part := file.read(PART_BYTES):
                digest.update(part)
            return [status.st_size, digest.hexdigest()]
        for number in range(PARTS):
            file.seek(number * (status.st_size - PART_BYTES) // (PARTS - 1))
            digest.update(file.read(PART_BYTES))
    return [status.st_size, digest.hexdigest(), status.st_mtime_ns]
