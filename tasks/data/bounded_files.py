"""Checks the size of what a file expands to before it is read: a small file may fill the memory."""

import json
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    import numpy as np

# A file of settings, and any other JSON file of a run. JSON of many small values takes twenty times its size in memory.
MAX_SETTINGS_BYTES = 1 << 20
MAX_JSON_BYTES = 1 << 24
# What a .keras file holds beside the weights: the configuration of the network.
MAX_CONFIG_BYTES = 1 << 20
# The parts of a .npz or .keras file are not compressed; each has a header in the file besides.
WEIGHTS = "model.weights.h5"


def read_limited(path: Path, max_bytes: int) -> str:
    """Return the text of a UTF-8 file.

    Raises:
        ValueError: If it is longer than `max_bytes`, or not UTF-8.
        OSError: If it cannot be opened.
    """
    with open(path, "rb") as file:
        content = file.read(max_bytes + 1)
    if len(content) > max_bytes:
        raise ValueError(f"it is larger than {max_bytes >> 20} MB")
    return content.decode("utf-8")


def read_json(path: Path, max_bytes: int = MAX_JSON_BYTES) -> Any:
    """Return the content of a JSON file.

    Raises:
        ValueError: If it is too long, or not JSON.
        RecursionError: If it is nested too deeply.
    """
    return json.loads(read_limited(path, max_bytes))


def load_array(path: Path) -> "np.ndarray":
    """Return the array of a `.npy` file.

    Raises:
        ValueError: If the file does not hold an array of the size that its header declares.
    """
    import numpy as np

    with open(path, "rb") as file:
        _check_array(file, path.stat().st_size)
        file.seek(0)
        return np.load(file)


def load_arrays(path: Path) -> "dict[str, np.ndarray]":
    """Return the arrays of a `.npz` file.

    Raises:
        ValueError: If it is compressed, or an array does not have the size that its header declares.
        zipfile.BadZipFile: If it is damaged.
    """
    import numpy as np

    with zipfile.ZipFile(path) as archive:
        _check_members(archive, path.stat().st_size)
        for member in archive.infolist():
            with archive.open(member) as file:
                _check_array(file, member.file_size)
    with np.load(path) as stored:
        return dict(stored)


def check_model(path: Path) -> None:
    """Check that a `.keras` file expands to no more than it holds.

    Raises:
        ValueError: If it does not, or holds other parts than Keras writes.
        zipfile.BadZipFile: If it is damaged.
    """
    import h5py

    with zipfile.ZipFile(path) as archive:
        _check_members(archive, path.stat().st_size)
        for member in archive.infolist():
            if member.filename != WEIGHTS and member.file_size > MAX_CONFIG_BYTES:
                raise ValueError(f"its {member.filename} is larger than {MAX_CONFIG_BYTES >> 20} MB")
        if WEIGHTS not in archive.namelist():
            return
        with archive.open(WEIGHTS) as member, h5py.File(member) as weights:
            sizes: list[int] = []
            weights.visititems(lambda _, one: sizes.append(one.nbytes) if isinstance(one, h5py.Dataset) else None)
            if sum(sizes) > archive.getinfo(WEIGHTS).file_size:
                raise ValueError("its weights are larger than the file")


def _check_members(archive: zipfile.ZipFile, size: int) -> None:
    members = archive.infolist()
    for member in members:
        if member.compress_type != zipfile.ZIP_STORED:
            raise ValueError(f"its {member.filename} is compressed, as it was not written")
    if sum(member.file_size for member in members) > size:
        raise ValueError("its parts are larger than the file")


def _check_array(file: BinaryIO, size: int) -> None:
    """Raise `ValueError` if an array in the `.npy` format is not of the size of its file."""
    import numpy as np

    version = np.lib.format.read_magic(file)
    read_header = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    if version not in read_header:
        raise ValueError("it is no array of this project")
    shape, _, dtype = read_header[version](file)
    declared = dtype.itemsize
    for length in shape:
        declared *= length
    if dtype.hasobject or declared != size - file.tell():
        raise ValueError(f"its header declares {declared:,} bytes of numbers, and {size - file.tell():,} follow")
