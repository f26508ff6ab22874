"""The first word of a command line: which command it is, or which task."""

import sys
from collections.abc import Callable, Collection

from tasks.errors import UserError, did_you_mean


def dispatched(
    names: Collection[str], what: str, overview: Callable[[], str], run: Callable[[str, list[str]], None]
) -> Callable[[list[str]], int]:
    """Return a function of the arguments that runs what the first one names, and returns the exit code.

    It prints the overview for `--help`, or without any argument.

    Args:
        names: What the first word may be.
        what: What these names are, such as "command of python -m tasks.cluster".
        overview: Returns the help text.
        run: Called with the first word and the words after it.
    """

    def run_first_word(argv: list[str]) -> int:
        if not argv or argv[0] in ("-h", "--help"):
            print(overview(), file=sys.stdout if argv else sys.stderr)
            return 0 if argv else 2
        name, *rest = argv
        if name not in names:
            raise UserError(f"{name!r} is no {what}; expected one of {', '.join(names)}{did_you_mean(name, names)}")
        run(name, rest)
        return 0

    return run_first_word
