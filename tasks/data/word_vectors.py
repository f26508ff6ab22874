"""Word vectors in the text format of word2vec and fastText.

After a header with the number of words and the dimension, each line contains a word and its vector.
"""

import logging
import unicodedata
from collections.abc import Sequence

import numpy as np

from tasks.data.remote_files import AnyPath
from tasks.data.text_files import byte_lines, open_binary
from tasks.errors import UserError

log = logging.getLogger(__name__)

# SentencePiece's names of pieces that stand for no text.
SPECIAL_PIECES = ("<pad>", "<unk>", "<s>", "</s>")


def read(path: AnyPath, pieces: Sequence[str], embedding_size: int) -> np.ndarray:
    """Read the vectors of a vocabulary's pieces.

    A piece is looked up as it is, as `python -m tasks.vectors` writes pieces; then without SentencePiece's mark of a
    word boundary, in its own spelling and in lower case. The words of the file are normalized as the pieces are (form
    NFKC of Unicode). Pieces that the file lacks get random vectors with the same standard deviation.

    Args:
        path: A .vec file, which may be gzip-compressed. It is streamed; memory holds only the vectors of the pieces.
        pieces: The SentencePiece pieces, in the order of their ids.
        embedding_size: The dimension of the vectors.

    Returns:
        The vectors, float32 `(pieces, embedding_size)`.

    Raises:
        UserError: If the file does not exist, has vectors of another dimension, or has a line that is not a vector.
    """
    # Word -> the pieces that it may be, with a rank for each: of several words the one with the highest rank counts.
    ids_by_word: dict[str, list[tuple[int, int]]] = {}
    for index, piece in enumerate(pieces):
        word = piece.removeprefix("\u2581")
        for form, rank in {word.lower(): 1, word: 2, piece: 3}.items():
            if form:
                ids_by_word.setdefault(form, []).append((index, rank))
    vectors, ranks = np.zeros((len(pieces), embedding_size), np.float32), np.zeros(len(pieces), np.int8)
    if not path.exists():
        raise UserError(f"--vectors {path}: no such file")
    try:
        with open_binary(path) as file:
            for number, content in byte_lines(file, str(path)):
                word, *values = content.decode("utf-8", "replace").rstrip().split(" ", embedding_size + 1)
                word = unicodedata.normalize("NFKC", word)
                if number == 1 and len(values) == 1:
                    continue  # the header
                if len(values) != embedding_size:
                    raise UserError(
                        f"{path}:{number}: {len(values)} numbers and not {embedding_size}; "
                        "--embedding-size must be the size of the vectors"
                    )
                if word in ids_by_word:
                    vector = np.array(values, np.float32)
                    for index, rank in ids_by_word[word]:
                        if rank > ranks[index]:  # of several lines with one word the first one counts
                            vectors[index], ranks[index] = vector, rank
    except ValueError:
        raise UserError(
            f"{path}:{number}: a number was expected after the word; is it a .vec file in text format?"
        ) from None
    found = ranks > 0
    if not found.any():
        raise UserError(f"{path} has none of the vocabulary's pieces; --vocabulary-type word finds the most")
    in_texts = np.array([piece not in SPECIAL_PIECES for piece in pieces])
    log.info("%s: vectors for %d of %d pieces", path, (found & in_texts).sum(), in_texts.sum())
    standard_deviation = float(vectors[found].std())
    missing = (int((~found).sum()), embedding_size)
    vectors[~found] = np.random.default_rng(0).normal(0.0, standard_deviation, missing)
    return vectors
