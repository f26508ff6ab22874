"""Texts as callers in Python have them: one, a list, a column of a data frame. Imports no TensorFlow."""

import numbers
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tasks.errors import UserError

# How missing values of Python, NumPy and pandas are written.
MISSING = ("None", "nan", "<NA>", "NaT")


def is_missing(value: Any) -> bool:
    """Return whether a value is what Python, NumPy and pandas have for a missing one, such as None or NaN."""
    return not isinstance(value, Iterable) and str(value) in MISSING


def is_single(texts: Any) -> bool:
    """Return whether a caller gave one text, or what stands in the place of one: bytes, a number, a missing value."""
    return isinstance(texts, (str, bytes, bytearray, numbers.Number)) or is_missing(texts)


def one_text_or_missing(text: str | None) -> str | None:
    """Return the text of a caller, or None for a missing value; raise `UserError` if it is something else."""
    return None if is_missing(text) else _checked_text(text, "the text")


def texts_or_missing(texts: Iterable[str | None]) -> list[str | None]:
    """Return the texts of a caller as a list, with None in the place of each missing value.

    Raises:
        UserError: As for `checked_texts`, but not for missing values.
    """
    return [
        None if is_missing(text) else _checked_text(text, _place(index))
        for index, text in enumerate(checked_list(texts))
    ]


def checked_texts(texts: Iterable[str]) -> Iterator[str]:
    """Return an iterator over the texts of a caller.

    Raises:
        UserError: If `texts` is a single text or a table, which yield letters or names of columns; or, when it is
            reached, if one of the texts is missing or no text.
    """
    return (_checked_text(text, _place(index)) for index, text in enumerate(checked_list(texts)))


def checked_list(texts: Iterable) -> Iterable:
    """Return what yields texts; raise `UserError` if it yields letters or names of columns, or nothing."""
    if isinstance(texts, (str, bytes, bytearray)):
        raise UserError(f"expected a list of texts, found the single text {texts[:50]!r}; put it in a list: [text]")
    if isinstance(texts, Mapping) or hasattr(texts, "columns"):
        raise UserError(f"expected a list of texts, found a {type(texts).__name__}; pass one of its columns")
    if not isinstance(texts, Iterable) or getattr(texts, "ndim", 1) == 0:
        raise UserError(
            f"expected a list of texts, found a {type(texts).__name__}; for the lines of a file, take "
            "tasks.serving.text_io.read(path)"
        )
    return texts


def _place(index: int) -> str:
    return f"text {index} (counted from 0)"


def _checked_text(text: Any, place: str) -> str:
    if isinstance(text, str):
        return text
    if is_missing(text):
        raise UserError(f"{place} is missing ({text}); leave it out, such as with dropna() of a pandas Series")
    remedy = "such as with decode('utf-8')" if isinstance(text, (bytes, bytearray)) else "such as with str()"
    raise UserError(f"{place} is a {type(text).__name__}, no str; convert it, {remedy}")
