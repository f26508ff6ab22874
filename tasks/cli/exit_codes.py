"""Errors -> messages and exit codes.

0: success. 2: a mistake of the caller, explained in one or two lines. 1: any other failure. 128 and the number of the
signal: ended by a signal; 130 is SIGINT (Ctrl+C), 143 is SIGTERM, 129 is SIGHUP. 75: a training has lost another of its
workers, and can be resumed.
"""

import codecs
import contextlib
import errno
import itertools
import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import TextIO

import pydantic

from tasks.cli.start import end_during_import
from tasks.errors import ShardsFailed, TemporaryError, TrainingFailed, UserError, WorkerLost
from tasks.serving import partial_output
from tasks.training.worker_addresses import LOST_WORKER
from tasks.url_secrets import hidden
from tasks.validation import describe_validation_error

RAISED_AGAIN_AFTER = 0.01  # seconds
DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def guarded(
    run: Callable[[list[str]], int], argv: Sequence[str] | None, *, resumable: Sequence[str] | None = None
) -> int:
    """Return the exit code of `run(argv)`; turn errors and signals into messages on standard error.

    Args:
        run: The command.
        argv: Its arguments; those of the process if None.
        resumable: The commands that continue where they were interrupted; None if all do.
    """
    own_process = argv is None
    argv = list(sys.argv[1:] if argv is None else argv)
    received = [signal.SIGINT]
    try:
        with _signals_interrupt(received, (lambda: _interrupted(argv, resumable)) if own_process else None):
            return _checked(run, argv)
    except UserError as error:
        return _fail(str(error), 1 if isinstance(error, TemporaryError) else 2)
    except WorkerLost as error:
        return _fail(str(error), LOST_WORKER)
    except (TrainingFailed, ShardsFailed) as error:
        return _fail(str(error), 1)
    except pydantic.ValidationError as error:
        return _fail(describe_validation_error(error, option=True), 2)
    except SystemExit as error:  # tyro, after --help
        return int(error.code or 0)
    except KeyboardInterrupt as error:
        return _fail(str(error) or _interrupted(argv, resumable), 128 + received[-1])
    except BrokenPipeError:  # the reader of standard output has closed it
        _drop_output()
        return 0
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package in ("", "models", "tasks"):
            raise
        return _fail(f"{error}; install what is missing: pip install -e . in the folder of this project", 1)
    except OSError as error:
        try:
            sys.stdout.flush()
        except OSError:  # standard output is what cannot be written
            _drop_output()
        return _fail(*os_error(error))
    except Exception as error:
        # TensorFlow's own writers have their own exceptions, with the system's words in them.
        full = next((code for code in DISK_FULL if os.strerror(code) in str(error)), None)
        if full is not None:
            return _fail(*os_error(OSError(full, os.strerror(full))))
        raise


def _checked(run: Callable[[list[str]], int], argv: list[str]) -> int:
    for word in argv:
        if any("\ud800" <= character <= "\udfff" for character in word):  # how Python passes such bytes on
            raise UserError(f"{word!r} is not valid UTF-8; write the command in UTF-8")
    _make_writable(sys.stdout)
    code = run(argv)
    sys.stdout.flush()
    return code


def _make_writable(stream: TextIO) -> None:
    """Escape characters that the stream's encoding lacks as JSON does, with a warning at the first one."""
    if not hasattr(stream, "reconfigure") or (stream.encoding or "").lower().replace("-", "") in ("utf8", "utf16"):
        return
    warned = False

    def escaped(error: UnicodeError) -> tuple[str, int]:
        nonlocal warned
        if not isinstance(error, UnicodeEncodeError):
            raise error
        part = error.object[error.start : error.end]
        if not warned:
            warned = True
            print(
                f"standard output has the encoding {stream.encoding}, which lacks {part[0]!r}: such characters are "
                f"written as {json.dumps(part[0])[1:-1]}; set PYTHONIOENCODING=utf-8 to write them as they are",
                file=sys.stderr,
            )
        return json.dumps(part)[1:-1], error.end

    codecs.register_error("tasks.escaped", escaped)
    stream.reconfigure(errors="tasks.escaped")


@contextlib.contextmanager
def _signals_interrupt(received: list[int], message: Callable[[], str] | None) -> Iterator[None]:
    """Raise KeyboardInterrupt at SIGTERM and SIGHUP, as Python does at SIGINT; append the signal to `received`.

    What is written then is removed or completed as after Ctrl+C. Handlers of a calling program stay. While TensorFlow
    is imported, a signal ends the process with the message, if there is one; see `end_during_import`. Python drops an
    exception that is raised while an object is finalized, so a signal that arrives then is sent again.
    """
    again: list[threading.Timer] = []

    def unraisable(dropped):
        if issubclass(dropped.exc_type, KeyboardInterrupt):
            # Not at once: what is raised here would be dropped too.
            again.append(threading.Timer(RAISED_AGAIN_AFTER, os.kill, (os.getpid(), received[-1])))
            again[-1].start()
        else:
            previous_hook(dropped)

    def interrupt(number, frame):
        if message is not None:
            end_during_import(lambda: f"error: {message()}", 128 + number)
        received.append(number)
        raise KeyboardInterrupt

    replaced, previous_hook = {}, sys.unraisablehook
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            handler = signal.getsignal(number)
            if handler in (signal.SIG_DFL, signal.default_int_handler):
                replaced[number] = handler
                signal.signal(number, interrupt)
    if replaced:
        sys.unraisablehook = unraisable
    try:
        yield
    finally:
        try:
            for timer in again:
                timer.cancel()
                timer.join()
        finally:
            if replaced:
                sys.unraisablehook = previous_hook
            for number, handler in replaced.items():
                signal.signal(number, handler)


def _interrupted(argv: list[str], resumable: Sequence[str] | None) -> str:
    if resumable is not None and argv and argv[0] not in resumable:
        output = next((word for option, word in itertools.pairwise(argv) if option == "--output"), None)
        if output is not None and partial_output.of(output).exists():  # of a command that was interrupted before
            return f"interrupted; the same command continues after the answers in {partial_output.of(output)}"
        return "interrupted; the same command starts from the beginning"
    # Only `train` resumes with --overwrite: it recognizes its own unfinished run.
    # The others put the old results back if nothing was finished.
    without = ", without --overwrite once its first run has finished"
    return f"interrupted; the same command resumes it{without if '--overwrite' in argv and argv[0] != 'train' else ''}"


def _fail(message: str, code: int) -> int:
    print(f"error: {hidden(message)}", file=sys.stderr)
    return code


def _drop_output() -> None:
    """Discard what is still to be written to standard output; Python would fail to write it when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def os_error(error: OSError) -> tuple[str, int]:
    """Return the message for an error of the operating system, and the exit code."""
    # The caller knows the name of the file, but not the temporary name that it has while it is written.
    place = f"{error.filename}: ".replace(".writing-", "") if error.filename else ""
    if error.errno in DISK_FULL:
        return f"{place}{error.strerror}; what was there before is kept. Make room and repeat the command", 1
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EISDIR, errno.ENOENT, errno.EEXIST):
        return f"{place}{error.strerror}; name a place that can be read and written", 2
    return f"{place}{error.strerror or error}", 1
