"""Locations of data: one file, folder or data set; several files; or a pattern such as `data/*.txt`."""

import glob
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from tasks.atomic_files import expanded
from tasks.errors import UserError
from tasks.in_memory import InMemory, check_not_in_memory


def shown(data: str | Sequence[str | InMemory] | InMemory) -> str:
    """Return locations, or data in memory, as a message names them."""
    return str(data) if isinstance(data, (str, InMemory)) else ", ".join(map(str, data))


def expand(data: str | Sequence[str]) -> tuple[str, ...]:
    """Return the locations, in their order, with the files that match a pattern in its place, sorted by name.

    `**` matches any number of folders. What exists is no pattern, whatever its name. A location is returned once.

    Raises:
        UserError: If nothing matches a pattern, a data set or the sample is not alone, or the data were in memory.
    """
    found: dict[str, None] = {}
    for location in [data] if isinstance(data, str) else data:
        found |= dict.fromkeys(_matches(location))
    for location in found if len(found) > 1 else ():
        if _is_data_set(location):
            raise UserError(f"{location} is named alone, as --data {location}; several locations are files.")
    return tuple(found)


def files_below(folder: Path) -> Iterator[Path]:
    """Yield the visible files below a folder, without those of runs and comparisons, which training changes."""
    for place, folders, names in os.walk(folder):
        if not {"settings.json", "comparison.json"}.isdisjoint(names):
            folders.clear()
            continue
        folders[:] = [name for name in folders if not name.startswith(".") and name != "__pycache__"]
        yield from (Path(place, name) for name in names if not name.startswith("."))


def _is_data_set(location: str) -> bool:
    return location == "sample" or location.startswith("tfds:")


def _matches(location: str) -> list[str]:
    check_not_in_memory(location)
    if _is_data_set(location) or not glob.has_magic(location) or expanded(location).exists():
        return [location]
    matches = sorted(glob.glob(str(expanded(location)), recursive=True))
    if not matches:
        raise UserError(f"{location!r}: no file matches this pattern; expected the name of a file, or * for any part.")
    return [match for match in matches if os.path.isfile(match)] or matches
