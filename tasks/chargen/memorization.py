"""Whether a model repeats its training text: the longest passage that two texts share."""

import re

import numpy as np

# Characters that a run of one repeated character counts, at most.
LONGEST_RUN = 8
BLOCK = 1 << 20  # passages hashed at once: bounds the memory
BASE = np.uint64(0x9E3779B97F4A7C15)  # odd: powers of it do not vanish modulo 2^64


def shorten_runs(text: str) -> str:
    """Shorten each run of one repeated character to `LONGEST_RUN`.

    A line of dashes or an indentation is no copy of the text that also has one, however long it is.
    """
    return re.sub(rf"(.)\1{{{LONGEST_RUN},}}", lambda run: run[1] * LONGEST_RUN, text, flags=re.DOTALL)


def longest_common_passage(text: str, other: str) -> str:
    """Return the longest passage of `text` that occurs in `other`; the first of equals, "" if there is none.

    If a passage of n characters is in both, so is one of n - 1: a binary search finds the length. For one length, the
    hashes of all passages of `other` are looked up at once (Karp and Rabin 1987), and matches are compared in full.
    """
    best, low, high = "", 1, min(len(text), len(other))
    points, other_points = (np.frombuffer(part.encode("utf-32-le"), np.uint32) for part in (text, other))
    while low <= high:
        length = (low + high) // 2
        hashes = _hashes(points, length)
        found = np.isin(hashes, _shared(np.unique(hashes), other_points, length)).nonzero()[0]
        passage = next((text[i : i + length] for i in found.tolist() if text[i : i + length] in other), None)
        if passage is None:
            high = length - 1
        else:
            best, low = passage, length + 1
    return best


def _shared(wanted: np.ndarray, points: np.ndarray, length: int) -> np.ndarray:
    """Return the given hashes, sorted, that also occur in the text; the text is read in blocks."""
    found = []
    for start in range(0, len(points) - length + 1, BLOCK):
        block = _hashes(points[start : start + BLOCK + length - 1], length)
        place = np.minimum(np.searchsorted(wanted, block), len(wanted) - 1)
        found.append(np.unique(block[wanted[place] == block]))
    return np.concatenate(found)


def _hashes(points: np.ndarray, length: int) -> np.ndarray:
    """Return a polynomial of the characters of each passage, modulo 2^64: uint64 (characters - length + 1,)."""
    size = len(points) - length + 1
    result = np.zeros(size, np.uint64)
    # By doubling: the hash of 2n characters is that of the first n, shifted, plus that of the next n.
    done, block, width, factor = 0, points.astype(np.uint64) + np.uint64(1), 1, BASE
    with np.errstate(over="ignore"):
        while True:
            if length & width:
                result = result * factor + block[done : done + size]
                done += width
            if 2 * width > length:
                return result
            block = block[:-width] * factor + block[width:]
            factor, width = factor * factor, 2 * width
