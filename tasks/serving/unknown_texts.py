"""Counts texts of which most characters are unknown to the vocabulary: a model cannot read them, and answers anyway."""

import logging

log = logging.getLogger(__name__)


class UnknownTexts:
    """Counts the texts that a model cannot read.

    Args:
        noun: What a text is called in the message, in the plural.
    """

    def __init__(self, noun: str):
        self._noun, self._texts, self._unknown, self._first = noun, 0, 0, ""

    def add(self, text: str, unknown: bool) -> None:
        """Count a text.

        Args:
            text: The text.
            unknown: Whether most of its characters are unknown.
        """
        self._texts += 1
        if unknown:
            self._unknown, self._first = self._unknown + 1, self._first or text

    def warn(self, consequence: str) -> None:
        """Log the number of unknown texts if there are any, with the first one and with what follows from it."""
        if self._unknown:
            log.warning(
                "%s of %s %s, such as %.40r, consist mostly of characters that the vocabulary does not have: %s",
                *(f"{self._unknown:,}", f"{self._texts:,}", self._noun, self._first, consequence),
            )
