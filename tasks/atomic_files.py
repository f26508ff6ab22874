"""Atomic replacement of files and folders: a reader sees the old content or the new one, never a part of either."""

import contextlib
import csv
import errno
import fcntl
import json
import os
import re
import secrets
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from tasks.errors import UserError

# The beginning of a URL, also as `Path` writes it, with one slash.
URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/")


def expanded(location: Path | str) -> Path:
    """Return the path of a location; `~` and `~user` are home folders, but not if there is no such user.

    Raises:
        UserError: If it is no path, or a URL.
    """
    return Path(os.path.expanduser(check_is_local(location)))


def check_is_local(path: Path | str) -> Path:
    """Return a path; raise `UserError` if it is none, or a URL, of which `Path` would make folders of this machine."""
    if not isinstance(path, (str, os.PathLike)):
        kind = type(path).__name__
        raise UserError(f"expected the path of a folder or a file, found a {kind}; give it as text or Path")
    if url := URL.match(str(path)):
        rest = str(path)[url.end() :].lstrip("/")
        raise UserError(
            f"{url[0]}/{rest}: a path of this machine is expected here; only data and texts are read from URLs"
        )
    return Path(path)


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it to `path` on success, remove it on an error.

    The temporary name has the suffix of `path`, because some writers choose the format by it. Several processes may
    replace the same file at the same time: each writes a separate temporary file, and the last one remains.

    Args:
        path: The file to create or replace.

    Yields:
        The temporary path to write to; an empty file.

    Raises:
        IsADirectoryError: If there is a folder at `path`.

    Example:
        >>> with replacing(Path("answers.txt")) as temporary:
        ...     _ = temporary.write_text("complete")
        >>> Path("answers.txt").read_text()
        'complete'
    """
    path = check_is_local(path)
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    temporary, descriptor = _own_file(path.with_name(f".writing-{path.name}"))
    try:
        yield temporary
        with open(temporary, "rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    finally:
        os.close(descriptor)


def _own_file(path: Path) -> tuple[Path, int]:
    """Create a file, and lock it; under another name if another process is writing it.

    A file that a killed process left is not locked, and used again.

    Returns:
        The path, and the descriptor that holds the lock, where there are locks.
    """
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            path = _another_name(path)
            continue
        except OSError:  # without locks, another process may be writing the file
            os.close(descriptor)
            path.unlink(missing_ok=True)
            path = _another_name(path)
            return path, os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
        with contextlib.suppress(OSError):
            if os.path.samestat(os.stat(path), os.fstat(descriptor)):
                os.truncate(descriptor, 0)
                return path, descriptor
        os.close(descriptor)  # the other process has just renamed it


def _another_name(path: Path) -> Path:
    return path.with_name(f".writing-{secrets.token_hex(4)}-{path.name.removeprefix('.writing-')}")


def write_json(path: Path, content: dict) -> None:
    """Write a JSON object, indented so that people can read it.

    Args:
        path: The file to create or replace.
        content: A dictionary that `json` can serialize.
    """
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def write_csv(path: Path, rows: Sequence[dict]) -> None:
    """Write rows as a CSV file with a header.

    Args:
        path: The file to create or replace.
        rows: At least one dictionary, all with the same keys, which become the header. None becomes an empty field.
    """
    with replacing(path) as temporary, open(temporary, "w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, rows[0], lineterminator="\n")
        table.writeheader()
        table.writerows(rows)


@contextlib.contextmanager
def replacing_folder(path: Path) -> Iterator[Path]:
    """Yield an empty temporary folder beside `path`; rename it to `path` on success, remove it on an error.

    An existing folder at `path` stays until the new one is complete.

    Args:
        path: The folder to create or replace.

    Yields:
        The temporary folder to write to.
    """
    path = check_is_local(path)
    temporary = path.with_name(f".writing-{path.name}")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    try:
        yield temporary
        swap_folder(temporary, path)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def swap_folder(new: Path, path: Path) -> None:
    """Rename the folder `new` to `path`, then delete the folder that was at `path`.

    Args:
        new: A complete folder on the same file system.
        path: Its final path; an existing folder there is replaced.
    """
    old = _set_aside(path)
    new.rename(path)
    shutil.rmtree(old, ignore_errors=True)


@contextlib.contextmanager
def put_aside(path: Path) -> Iterator[None]:
    """Move the folder at `path` aside; delete it on success, move it back on an error.

    Args:
        path: A folder, which may not exist.

    Yields:
        Nothing; `path` is free inside the `with` block.
    """
    old = _set_aside(path)
    try:
        yield
    except BaseException:
        if old.exists():
            shutil.rmtree(path, ignore_errors=True)
            old.rename(path)
        raise
    shutil.rmtree(old, ignore_errors=True)


def finish_swap(path: Path) -> None:
    """Complete `swap_folder` or `put_aside` if it was killed: restore the old folder if `path` is free, or remove it.

    Args:
        path: The `path` of that call.
    """
    if swap_killed(path):
        if path.exists():
            shutil.rmtree(_old_path(path), ignore_errors=True)
        else:
            _old_path(path).rename(path)


def swap_killed(path: Path) -> bool:
    """Return whether an old folder is left of `swap_folder` or `put_aside`."""
    return bool(path.name) and _old_path(path).exists()


def remove_temporary(folder: Path) -> None:
    """Remove what killed writers left at any depth of a folder; files that `replacing` is writing stay.

    Args:
        folder: The folder, which may not exist. Nobody else may be writing folders in it.
    """
    for path in [*folder.rglob(".writing-*")]:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            _remove_unlocked(path)


def _remove_unlocked(path: Path) -> None:
    """Remove a temporary file unless `replacing` holds its lock, also that of another process."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
    except FileNotFoundError:
        return
    except OSError:  # a link, or a file of somebody else
        path.unlink(missing_ok=True)
        return
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return  # it is being written
        except OSError:
            pass  # a file system without locks
        if os.path.samestat(os.stat(path), os.fstat(descriptor)):
            path.unlink()
    except FileNotFoundError:
        pass  # it has just been renamed
    finally:
        os.close(descriptor)


def _set_aside(path: Path) -> Path:
    """Rename the folder at `path`, if it exists, and return its temporary name."""
    old = _old_path(path)
    shutil.rmtree(old, ignore_errors=True)
    if path.exists():
        path.rename(old)
    return old


def _old_path(path: Path) -> Path:
    return path.with_name(f".old-{path.name}")
