"""Lists that are written as one word on the command line: a,b,c. Imports no TensorFlow."""

import re
from collections.abc import Sequence

from tasks.cli.settings_files import did_you_mean


def parts(text: str, example: str = "a,b,c") -> list[str]:
    """Splits at the commas that are in no brackets.

    Args:
      example: how such a list is written, for an error.

    Raises:
      ValueError: a part is empty, or stands there twice.
    """
    found = [part.strip() for part in re.split(r",(?![^(]*\))", text)]
    if not all(found):
        what = "is empty" if not text.strip() else f"{text!r} has an empty part"
        raise ValueError(f"{what}; write {example}")
    twice = next((part for part in found if found.count(part) > 1), None)
    if twice is not None:
        raise ValueError(f"{text!r} names {twice} twice; name each once")
    return found


def check(text: str, known: Sequence[str], what: str) -> str:
    """Gives the text if each of its parts is known.

    Args:
      what: a part is called so, in an error.

    Raises:
      ValueError: one is not.
    """
    for part in parts(text, ",".join(known)):
        if part not in known:
            raise ValueError(f"{part!r} is no {what}; take {', '.join(known)}{did_you_mean(part, known)}")
    return text
