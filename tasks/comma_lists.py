"""Lists written as one word on the command line: `a,b,c`. Imports no TensorFlow."""

import re
from collections.abc import Sequence

from tasks.errors import did_you_mean


def split(text: str, example: str = "a,b,c") -> list[str]:
    """Split a list at its commas, except those inside parentheses.

    Args:
        text: The list, such as `lstm,gru` or `zeros,identity(0.5)`.
        example: A valid list, quoted in error messages.

    Returns:
        The items, without surrounding blanks.

    Raises:
        ValueError: If an item is empty or occurs twice.
    """
    items = [item.strip() for item in re.split(r",(?![^(]*\))", text)]
    if not all(items):
        problem = "is empty" if not text.strip() else f"{text!r} has an empty part"
        raise ValueError(f"{problem}; write {example}")
    duplicate = next((item for item in items if items.count(item) > 1), None)
    if duplicate is not None:
        raise ValueError(f"{text!r} names {duplicate} twice; name each once")
    return items


def pairs(text: str, form: str) -> list[tuple[str, str]]:
    """Split a list of names with values, `a=1,b, c=2`; a name may contain commas.

    Args:
        text: The list.
        form: What an item is, for error messages: "NAME=WEIGHT".

    Returns:
        The names, as they are, and the values.

    Raises:
        ValueError: If an item has another form.
    """
    found = []
    while text:
        item = re.match(r"(.+?)=\s*([^,=\s]+)\s*(?:,(?=.)|$)", text, re.S)
        if item is None:
            raise ValueError(f"{text!r} is not {form}")
        found.append((item[1], item[2]))
        text = text[item.end() :]
    return found


def check_known(text: str, known: Sequence[str], noun: str) -> str:
    """Check that every item of a list is a known name.

    Args:
        text: The list, as for `split`.
        known: The valid names.
        noun: What an item is, for error messages: "cell".

    Returns:
        `text`, unchanged.

    Raises:
        ValueError: If an item is unknown, empty or occurs twice.
    """
    for item in split(text, ",".join(known)):
        if item not in known:
            raise ValueError(f"{item!r} is no {noun}; take {', '.join(known)}{did_you_mean(item, known)}")
    return text
