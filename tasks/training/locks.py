"""Locks of folders: only one process at a time writes a run, an exported model or a comparison."""

import contextlib
import errno
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from tasks.errors import UserError

# What file systems without locks answer.
NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS)


@contextlib.contextmanager
def locked(folder: Path | str) -> Iterator[None]:
    """Lock a folder; the lock ends with the `with` block, or with the process, however it ends.

    The lock is a file beside the folder, since the folder itself may be replaced by another one.

    Args:
        folder: The folder, which may not exist.

    Raises:
        UserError: If another process has locked it; the message names the process.
    """
    folder = Path(folder).resolve()
    file = folder.with_name(f".lock-{folder.name}") if folder.name else folder
    descriptor = _acquired(file, folder)
    try:
        yield
    finally:
        if descriptor is not None:
            with contextlib.suppress(OSError):
                if os.path.samestat(os.stat(file), os.fstat(descriptor)):
                    os.unlink(file)
            os.close(descriptor)


def _acquired(file: Path, folder: Path) -> int | None:
    """Return the descriptor of the locked file; None where nothing can be locked."""
    while True:
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError:
            if not folder.is_dir():
                return None  # the caller reports why it cannot write there
            # A folder that is mounted: nothing can be written beside it.
            descriptor = os.open(folder, os.O_RDONLY)
            file = folder
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = "" if file == folder else os.read(descriptor, 20).decode("ascii", "replace").strip()
            os.close(descriptor)
            if error.errno in NO_LOCKS:
                return None
            process = f"process {holder}" if holder else "another process"
            raise UserError(
                f"{folder} is being written by {process}; wait until it ends, or name another folder"
            ) from None
        with contextlib.suppress(OSError):
            if os.path.samestat(os.stat(file), os.fstat(descriptor)):
                if file != folder:
                    os.truncate(descriptor, 0)
                    os.write(descriptor, f"{os.getpid()}\n".encode())
                return descriptor
        os.close(descriptor)  # the process before has just removed this file; the next one needs a new one
