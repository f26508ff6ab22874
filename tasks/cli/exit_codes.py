"""Errors -> messages and exit codes.

0: success. 2: a mistake of the caller, explained in one or two lines. 1: any other failure. 130: interrupted (SIGINT).
"""

import errno
import os
import sys
from collections.abc import Callable, Sequence

import pydantic

from tasks.errors import TrainingFailed, UserError
from tasks.validation import describe_validation_error

DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def guarded(run: Callable[[list[str]], int], argv: Sequence[str] | None) -> int:
    """Return the exit code of `run(argv)`; turn errors into messages on standard error."""
    argv = list(sys.argv[1:] if argv is None else argv)
    try:
        for word in argv:
            if any("\ud800" <= character <= "\udfff" for character in word):  # how Python passes such bytes on
                raise UserError(f"{word!r} is not valid UTF-8; write the command in UTF-8")
        code = run(argv)
        sys.stdout.flush()
        return code
    except UserError as error:
        return _fail(str(error), 2)
    except TrainingFailed as error:
        return _fail(str(error), 1)
    except pydantic.ValidationError as error:
        return _fail(describe_validation_error(error, option=True), 2)
    except SystemExit as error:  # tyro, after --help
        return int(error.code or 0)
    except KeyboardInterrupt:
        # Only `train` resumes with --overwrite: it recognizes its own unfinished run.
        without = " without --overwrite" if "--overwrite" in argv and argv[0] != "train" else ""
        return _fail(f"interrupted; the same command{without} resumes it", 130)
    except BrokenPipeError:  # the reader of standard output has closed it
        _drop_output()
        return 0
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


def _fail(message: str, code: int) -> int:
    print(f"error: {message}", file=sys.stderr)
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
