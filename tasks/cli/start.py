"""A start of TensorFlow without messages, and start and end of a process without avoidable work."""

import contextlib
import gc
import importlib
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from typing import NoReturn

# What Keras and TensorFlow import where it is installed, for functions that no command uses. It takes about a second.
OPTIONAL_IMPORTS = ("IPython", "matplotlib", "pandas", "scipy", "sklearn")
# How little the C++ code of TensorFlow logs.
LOG_LEVEL = "TF_CPP_MIN_LOG_LEVEL"
# Standard error, last: `quiet_start` redirects file descriptor 2.
_standard_error = [2]
# Whether `import_tensorflow` is at work.
_importing = False


def import_tensorflow(*, start: bool = True, intra_op_threads: int = 0) -> None:
    """Import TensorFlow and Keras quickly: without optional packages, and without garbage collections in between.

    Does nothing if TensorFlow is imported already.

    Args:
        start: Whether TensorFlow starts too; what connects workers has to come before that.
        intra_op_threads: Threads that share one operation, which cannot be changed after the start; 0 leaves the number
            to TensorFlow.
    """
    if "tensorflow" in sys.modules:
        return
    global _importing
    hidden = [name for name in OPTIONAL_IMPORTS if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # None: an import raises ModuleNotFoundError
    _importing = True
    try:
        with _no_garbage_collection():
            tensorflow = importlib.import_module("tensorflow")
            if intra_op_threads:
                tensorflow.config.threading.set_intra_op_parallelism_threads(intra_op_threads)
            if start:
                tensorflow.config.list_logical_devices()
            importlib.import_module("keras")
    finally:
        _importing = False
        for name in hidden:
            del sys.modules[name]


def end_during_import(message: Callable[[], str], code: int) -> None:
    """End the process if TensorFlow is being imported; do nothing otherwise.

    For handlers of signals: modules that are being imported drop some exceptions, and the command would go on. Nothing
    has been started then that would have to be ended or removed.

    Args:
        message: Returns what is written to standard error.
        code: The exit code.
    """
    if _importing:
        with contextlib.suppress(OSError):
            os.write(_standard_error[-1], f"{message()}\n".encode())
        os._exit(code)


@contextlib.contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Skip garbage collections: an import makes hundreds of thousands of objects, and nearly no garbage."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()  # later collections need not look at these objects
        if enabled:
            gc.enable()


def end(code: int) -> NoReturn:
    """End the process.

    What Python does at the end is done, such as the functions of `atexit`, but for the search for garbage among the
    objects of TensorFlow, which takes more than a second: the system gets the memory back anyway.

    Args:
        code: The exit code.
    """
    gc.disable()
    gc.freeze()
    sys.exit(code)


@contextlib.contextmanager
def quiet_start() -> Iterator[None]:
    """Hide what TensorFlow writes to standard error while it starts; show it only if the start fails.

    C++ code writes these lines before its logger reads TF_CPP_MIN_LOG_LEVEL, so the file descriptor is redirected.
    TensorFlow reads the variable once, so it is set only meanwhile.
    """
    unset = LOG_LEVEL not in os.environ
    os.environ.setdefault(LOG_LEVEL, "3")
    sys.stderr.flush()
    own = os.dup(2)
    # A pipe would block when it is full.
    with tempfile.TemporaryFile() as kept:
        os.dup2(kept.fileno(), 2)
        _standard_error.append(own)
        try:
            yield
        except BaseException:
            kept.seek(0)
            os.write(own, kept.read())
            raise
        finally:
            sys.stderr.flush()
            os.dup2(own, 2)
            _standard_error.pop()
            os.close(own)
            if unset:
                os.environ.pop(LOG_LEVEL, None)
