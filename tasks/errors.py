"""Exceptions whose message is shown to the user without a traceback, and hints for such messages."""

import difflib
from collections.abc import Iterable

from tasks.url_secrets import hidden


class UserError(Exception):
    """A setting, a file or a command line that cannot be used as given.

    The message has one or two lines: what was given, what was expected and how to fix it. The command line prints it
    without a traceback and exits with code 2. Secrets in URLs are left out of it.

    Args:
        message: The message.
    """

    def __init__(self, message: str):
        super().__init__(hidden(message))


class Unreadable(UserError):
    """A file or folder that is there and cannot be read, so nothing is known of what it holds.

    Code that finds out what a file is passes this error on: such a file would be left out without a word.
    """


class TemporaryError(Unreadable):
    """A failure of a network or a service, such as a lost connection: the same command may succeed later.

    The command line exits with code 1.
    """


class Interrupted(KeyboardInterrupt):
    """A command that a signal has ended; the message says what is kept, and what the same command does."""


class TrainingFailed(Exception):
    """A training that could not be completed, through no mistake of the user.

    The message states the reason and what to try. The command line prints it without a traceback and exits with code 1.
    """


class ShardsFailed(Exception):
    """Some of the files that a command answers could not be read; the others are finished.

    The message names them. The command line prints it without a traceback and exits with code 1.
    """


class WorkerLost(TrainingFailed):
    """Another process of the training has ended or cannot be reached; the training can be resumed."""


class TrainingDiverged(TrainingFailed):
    """The loss became NaN or infinite; the message names the step, the loss and what to try."""


def did_you_mean(given: str, known: Iterable[str]) -> str:
    """Return a hint such as `; did you mean units?`, or an empty string if no known name is similar.

    Args:
        given: The unknown name.
        known: The valid names.
    """
    close = difflib.get_close_matches(given, list(known), n=1)
    return f"; did you mean {close[0]}?" if close else ""
