"""The one exception that means: the caller can mend this."""


class UserError(Exception):
    """A mistake of the caller's: a setting, a file or a command line that cannot be used as it is.

    The message is one or two lines that say what was given, what was expected and how to mend it. The command line
    prints it without a traceback and exits with code 2.
    """
