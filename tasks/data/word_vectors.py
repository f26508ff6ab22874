"""Word vectors in the text format of word2vec and fastText: a header "WORDS SIZE", then lines of a word and numbers."""

import gzip
import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tasks.errors import UserError

log = logging.getLogger(__name__)


def read(path: Path, pieces: Sequence[str], size: int) -> np.ndarray:
    """The vectors of the vocabulary's pieces; random ones, of the same spread, for those that the file lacks.

    A piece is looked up without the mark of a word's beginning, and then in lower case.

    Args:
      path: a .vec file, also .gz. Read as a stream: only the pieces' vectors are held.
      pieces: the SentencePiece pieces by id.
      size: what each vector must have.

    Returns: float32 (pieces, size).

    Raises:
      UserError: no such file, another size, or a line that is no vector.
    """
    wanted: dict[str, list[int]] = {}
    for index, piece in enumerate(pieces):
        word = piece.removeprefix("\u2581")
        for form in {word, word.lower()} - {""}:
            wanted.setdefault(form, []).append(index)
    table, found = np.zeros((len(pieces), size), np.float32), np.zeros(len(pieces), bool)
    try:
        with (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="utf-8", errors="replace") as file:
            for number, line in enumerate(file, start=1):
                word, *values = line.rstrip().split(" ")
                if number == 1 and len(values) == 1:
                    continue  # the header
                if len(values) != size:
                    raise UserError(
                        f"{path}:{number}: {len(values)} numbers and not {size}; "
                        "--embedding-size must be the size of the vectors"
                    )
                if word in wanted:
                    vector = np.array(values, np.float32)
                    for index in wanted[word]:
                        exact = pieces[index].removeprefix("\u2581") == word
                        if exact or not found[index]:  # the exact spelling beats lower case
                            table[index], found[index] = vector, True
    except FileNotFoundError:
        raise UserError(f"--vectors {path}: no such file") from None
    except ValueError:
        raise UserError(
            f"{path}:{number}: a number was expected after the word; is it a .vec file in text format?"
        ) from None
    if not found.any():
        raise UserError(f"{path} has none of the vocabulary's pieces; --vocabulary-type word finds the most")
    log.info("%s: vectors for %d of %d pieces", path, found.sum(), len(pieces))
    spread = float(table[found].std())
    table[~found] = np.random.default_rng(0).normal(0.0, spread, (int((~found).sum()), size))
    return table
