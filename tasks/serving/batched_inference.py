"""Predictions for streams of texts: texts of similar length share a batch, results keep the input order."""

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple, TypeVar

import numpy as np
import tensorflow as tf

from models.interruptible import interruptible
from tasks.data.library_logs import hidden_retracing_warnings
from tasks.texts import checked_list, checked_texts

# Texts that are sorted by length together. Limits memory for an input of any size.
WINDOW = 2048
# The same for the first window of a command.
FIRST_WINDOW = 64
CHARACTERS_PER_BATCH = 32_768

Prediction = TypeVar("Prediction")


class Window(NamedTuple):
    """How many texts are read before they are answered.

    Attributes:
        size: Maximum number of texts.
        more: Whether another text is there; if not, those that were read are answered.
        growing: Whether the first windows are smaller, so that the first answers come soon.
        taken: With `growing`: number of texts that were answered before.
    """

    size: int = WINDOW
    more: Callable[[], bool] = lambda: True
    growing: bool = False
    taken: int = 0

    def at_most(self, size: int) -> "Window":
        """Return a window of at most this size."""
        return self._replace(size=min(size, self.size))


def windows(texts: Iterable[str], window: int | Window) -> Iterator[list[str]]:
    """Yield the texts in windows. With `growing` the size of a window depends only on the number of texts before it."""
    window = window if isinstance(window, Window) else Window(window)
    texts, taken = iter(checked_list(texts)), window.taken
    for first in texts:
        chunk, size = [first], window.size
        if window.growing:  # each window as large as all before it and one more of the first size
            size = min(size, FIRST_WINDOW << (taken // FIRST_WINDOW + 1).bit_length() - 1)
        while len(chunk) < size and window.more() and (following := list(itertools.islice(texts, 1))):
            chunk += following
        taken += len(chunk)
        yield chunk


def length_sorted_batches(
    predict_batch: Callable[[list[str]], Sequence[Prediction]],
    texts: Iterable[str],
    *,
    window: int | Window = WINDOW,
    max_characters: int = CHARACTERS_PER_BATCH,
    max_batch_size: int | None = None,
) -> Iterator[Prediction]:
    """Yield the prediction for each text, in the order of the texts.

    Each window of texts is sorted by length and divided into batches, so that little of a batch is padding.

    Args:
        predict_batch: A function from a batch of texts to one prediction for each.
        texts: The texts, streamed.
        window: Number of texts that are read before their predictions are yielded, or a `Window`.
        max_characters: Characters in a batch, padding included; a longer text is a batch on its own.
        max_batch_size: Texts in a batch; None for no limit.

    Raises:
        UserError: If `texts` is no list of texts; see `tasks.texts.checked_texts`.

    Example:
        >>> list(length_sorted_batches(lambda texts: [len(text) for text in texts], ["longer", "a", "one"]))
        [6, 1, 3]
    """
    return _length_sorted(predict_batch, checked_texts(texts), window, max_characters, max_batch_size)


def _length_sorted(
    predict_batch: Callable[[list[str]], Sequence[Prediction]],
    texts: Iterable[str],
    window: int | Window,
    max_characters: int,
    max_batch_size: int | None,
) -> Iterator[Prediction]:
    for chunk in windows(texts, window):
        predictions: list = [None] * len(chunk)
        for indexes in _batches(chunk, max_characters, max_batch_size or len(chunk)):
            with hidden_retracing_warnings():
                batch = interruptible(lambda texts=[chunk[index] for index in indexes]: predict_batch(texts))
            for index, prediction in zip(indexes, batch, strict=True):
                predictions[index] = prediction
        yield from predictions


def string_tensor(texts: Iterable[str]) -> tf.Tensor:
    """Return texts as a UTF-8 string tensor `(batch,)`; "?" replaces what UTF-8 cannot encode (lone surrogates)."""
    return tf.constant([text.encode("utf-8", "replace") for text in checked_list(texts)], tf.string)


def _batches(texts: Sequence[str], max_characters: int, max_batch_size: int) -> Iterator[np.ndarray]:
    """Yield the indexes of texts of similar length."""
    order = np.argsort([len(text) for text in texts], kind="stable")
    start = 0
    while start < len(order):
        end = start + 1
        while (
            end < len(order)
            and end - start < max_batch_size
            and (end + 1 - start) * len(texts[order[end]]) <= max_characters
        ):
            end += 1
        yield order[start:end]
        start = end
