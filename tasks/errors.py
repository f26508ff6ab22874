"""The exceptions whose message is all that a person needs to see."""


class UserError(Exception):
    """A mistake of the caller's: a setting, a file or a command line that cannot be used as it is.

    The message is one or two lines that say what was given, what was expected and how to mend it. The command line
    prints it without a traceback and exits with code 2.
    """


class TrainingFailed(Exception):
    """A training that could not be carried through: not the caller's mistake, so exit code 1, but no traceback either.

    The message says what became of it and what to try.
    """


class TrainingDiverged(TrainingFailed):
    """The loss became NaN or infinite; the message names the step, the loss and what to try."""
