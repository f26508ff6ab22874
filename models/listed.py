"""Lists of texts, where a single text would be read letter by letter."""

from collections.abc import Iterable


def listed(texts: Iterable[str], noun: str = "text") -> Iterable[str]:
    """Return the texts; raise `TypeError` if they are a single one.

    Args:
        texts: The texts.
        noun: What each of them is, for the message.
    """
    if isinstance(texts, (str, bytes)):
        raise TypeError(
            f"expected a list of {noun}s, found the single {noun} {texts[:50]!r}; put it in a list: [{noun}]"
        )
    return texts
