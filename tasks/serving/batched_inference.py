"""Answers for any number of texts: those of like length in a batch, given back in their order."""

from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np

from tasks.data.bucketing import chunks

# Texts that are sorted by length together; bounds the memory, whatever the size of the input.
WINDOW = 2048
CHARACTERS_PER_BATCH = 32_768


def answered(
    answer: Callable[[list[str]], Sequence],
    texts: Iterable[str],
    *,
    window: int = WINDOW,
    characters: int = CHARACTERS_PER_BATCH,
    most: int | None = None,
) -> Iterator:
    """Yields the answer to each text, in their order.

    Args:
      answer: a batch of texts -> an answer for each.
      texts: any number of them.
      window: so many texts are read before their answers come.
      characters: of a batch, padding included; one longer text is a batch of its own.
      most: texts of a batch.
    """
    for some in chunks(texts, window):
        answers: list = [None] * len(some)
        for indexes in _batches(some, characters, most or len(some)):
            found = answer([some[index] for index in indexes])
            for index, one in zip(indexes, found, strict=True):
                answers[index] = one
        yield from answers


def _batches(texts: list[str], characters: int, most: int) -> Iterator[np.ndarray]:
    """Indexes of texts of like length, so that little is padding."""
    order = np.argsort([len(text) for text in texts], kind="stable")
    start = 0
    while start < len(order):
        end = start + 1
        while end < len(order) and end - start < most and (end + 1 - start) * len(texts[order[end]]) <= characters:
            end += 1
        yield order[start:end]
        start = end
