"""A start of TensorFlow without messages, and start and end of a process without avoidable work."""

import contextlib
import gc
import importlib
import os
import sys
import tempfile
from collections.abc import Iterator
from typing import NoReturn

# What Keras and TensorFlow import where it is installed, for functions that no command uses. It takes about a second.
OPTIONAL_IMPORTS = ("IPython", "matplotlib", "pandas", "scipy", "sklearn")
# How little the C++ code of TensorFlow logs.
LOG_LEVEL = "TF_CPP_MIN_LOG_LEVEL"


def import_tensorflow(*, start: bool = True) -> None:
    """Import TensorFlow and Keras quickly: without optional packages, and without garbage collections in between.

    Does nothing if TensorFlow is imported already.

    Args:
        start: Whether TensorFlow starts too; what connects workers has to come before that.
    """
    if "tensorflow" in sys.modules:
        return
    hidden = [name for name in OPTIONAL_IMPORTS if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # None: an import raises ModuleNotFoundError
    try:
        with _no_garbage_collection():
            tensorflow = importlib.import_module("tensorflow")
            if start:
                tensorflow.config.list_logical_devices()
            importlib.import_module("keras")
    finally:
        for name in hidden:
            del sys.modules[name]


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
        try:
            yield
        except BaseException:
            kept.seek(0)
            os.write(own, kept.read())
            raise
        finally:
            sys.stderr.flush()
            os.dup2(own, 2)
            os.close(own)
            if unset:
                os.environ.pop(LOG_LEVEL, None)
