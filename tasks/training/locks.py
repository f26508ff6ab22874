"""Locks of files and folders: one process at a time writes a run, an exported model or a result.

A lock ends with the process that has it, however it ends. Processes on several machines see each other's locks where
the file system of the folder has them, as NFS does.
"""

import contextlib
import errno
import fcntl
import os
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tasks.atomic_files import check_is_local
from tasks.errors import UserError

# What file systems without locks answer.
NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS)
# Seconds that `shared` waits for a process that prepares the folder.
PATIENCE = 10.0


class _Busy(Exception):
    """Another process has the lock.

    Attributes:
        alone: Whether it has the lock for itself, and not to prepare a folder that it shares.
    """

    def __init__(self, path: Path, holder: str, alone: bool):
        self.alone = alone
        super().__init__(f"{path} is being written by {holder}; wait until it ends, or name another folder")


class Lock:
    """A lock of a path; see `locked`, `shared` and `claimed`.

    Attributes:
        descriptors: The descriptor that holds the lock, for a child process that shall hold it too: a lock ends when
            all of them are closed. Empty where nothing can be locked.
    """

    def __init__(self, path: Path, work: str = "", *, exclusive: bool = True):
        self._work = work
        self._file = _lock_file(path)
        descriptor = self._acquired(path, fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH)
        self.descriptors = () if descriptor is None else (descriptor,)

    def _acquired(self, path: Path, operation: int) -> int | None:
        while True:
            try:
                self._file.parent.mkdir(parents=True, exist_ok=True)
                descriptor = os.open(self._file, os.O_RDWR | os.O_CREAT, 0o666)
            except OSError:
                if not path.is_dir():
                    return None  # the caller reports why it cannot write there
                # A folder that is mounted: nothing can be written beside it.
                descriptor = os.open(path, os.O_RDONLY)
                self._file = path
            try:
                fcntl.flock(descriptor, operation | fcntl.LOCK_NB)
            except OSError as error:
                process, _, work = _written(descriptor)
                busy = _Busy(path, _holder(descriptor), alone=bool(process) and not work)
                os.close(descriptor)
                if error.errno in NO_LOCKS:
                    return None
                raise busy from None
            with contextlib.suppress(OSError):
                if os.path.samestat(os.stat(self._file), os.fstat(descriptor)):
                    if self._file != path and operation == fcntl.LOCK_EX:
                        _write(descriptor, self._work)
                    return descriptor
            os.close(descriptor)  # the process before has just removed this file; the next one needs a new one

    @property
    def work(self) -> str:
        """The work that the processes with the lock have named."""
        return next((_written(descriptor)[2] for descriptor in self.descriptors), self._work)

    def share(self) -> bool:
        """Let other processes share the lock; return False if another one has taken it instead."""
        try:
            for descriptor in self.descriptors:
                fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def release(self) -> None:
        """End the lock; remove its file unless others share it."""
        for descriptor in self.descriptors:
            with contextlib.suppress(OSError):
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if os.path.samestat(os.stat(self._file), os.fstat(descriptor)):
                    os.unlink(self._file)
            os.close(descriptor)
        self.descriptors = ()


@contextlib.contextmanager
def locked(folder: Path | str) -> Iterator[None]:
    """Lock a folder; the lock ends with the `with` block, or with the process, however it ends.

    The lock is a file beside the folder, since the folder itself may be replaced by another one.

    Args:
        folder: The folder, which may not exist.

    Raises:
        UserError: If another process has locked it; the message names the process.
    """
    try:
        lock = Lock(check_is_local(folder).resolve())
    except _Busy as busy:
        raise UserError(str(busy)) from None
    try:
        yield
    finally:
        lock.release()


@contextlib.contextmanager
def shared(folder: Path | str, prepare: Callable[[], None], work: str) -> Iterator[None]:
    """Lock a folder together with other processes that do the same work in it; `locked` keeps all of them out.

    Args:
        folder: The folder, which may not exist.
        prepare: Called if no other process has the lock, before another one can get it. It takes less than `PATIENCE`.
        work: A name for the work, without spaces.

    Raises:
        UserError: If another process has locked the folder for itself, or for other work.
    """
    path = check_is_local(folder).resolve()
    lock = _shared(path, prepare, work)
    try:
        if lock.work not in ("", work):
            raise UserError(
                f"{path} is being written by a process with other options; wait until it ends, or name another folder"
            )
        yield
    finally:
        lock.release()


def _shared(path: Path, prepare: Callable[[], None], work: str) -> Lock:
    end = time.monotonic() + PATIENCE
    while True:
        try:
            lock = Lock(path, work)
        except _Busy:
            try:
                return Lock(path, work, exclusive=False)
            except _Busy as busy:
                if busy.alone or time.monotonic() > end:
                    raise UserError(str(busy)) from None
            time.sleep(0.05)
            continue
        try:
            prepare()
            if lock.share():
                return lock
        except BaseException:
            lock.release()
            raise
        lock.release()


@contextlib.contextmanager
def claimed(path: Path | str) -> Iterator[Lock | None]:
    """Lock a path if nobody has locked it.

    Args:
        path: A file or folder, which may not exist.

    Yields:
        The lock; None if another process, or another thread of this one, has it.
    """
    try:
        lock = Lock(Path(path).resolve())
    except _Busy:
        yield None
        return
    try:
        yield lock
    finally:
        lock.release()


def machine_of(path: Path | str) -> str | None:
    """Return the name of the machine on which a process has locked a path; None if none has."""
    try:
        descriptor = os.open(_lock_file(Path(path).resolve()), os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _written(descriptor)[1]
    except OSError:  # a file system without locks
        return None
    else:
        return None
    finally:
        os.close(descriptor)


def _lock_file(path: Path) -> Path:
    return path.with_name(f".lock-{path.name}") if path.name else path


def _holder(descriptor: int) -> str:
    """Return what a message calls the processes that have a lock."""
    with contextlib.suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return "other processes, which share it"
    process, machine, _ = _written(descriptor)
    if not process:
        return "another process"
    return f"process {process}" + ("" if machine == socket.gethostname() else f" on {machine}")


def _write(descriptor: int, work: str) -> None:
    os.truncate(descriptor, 0)
    os.pwrite(descriptor, " ".join(filter(None, (str(os.getpid()), socket.gethostname(), work))).encode() + b"\n", 0)


def _written(descriptor: int) -> tuple[str, str, str]:
    """Return the process, its machine and its work, as the file of a lock names them; empty words where it does not."""
    words = []
    with contextlib.suppress(IsADirectoryError):  # a folder that is locked itself
        words = os.pread(descriptor, 1000, 0).decode("utf-8", "replace").split()
    process, machine, work, *_ = [*words, "", "", ""]
    return process, machine, work
