"""Latent semantic analysis (LSA) of texts without labels: each n-gram has a vector.

A language model of separate texts has it beside its weights. In a linear model of few labelled texts, n-grams that
occur in the same texts then have similar weights, also those that its training texts lack (Deerwester et al. 1990,
"Indexing by Latent Semantic Analysis").
"""

import logging
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from models.ngram_counts import frequent_ngrams, known_ngrams
from tasks import atomic_files
from tasks.data.bounded_files import load_arrays
from tasks.data.stored_files import reading

if TYPE_CHECKING:
    import scipy.sparse

log = logging.getLogger(__name__)

# Pieces of the texts that are read, at most, by the largest n: they bound time and memory.
MAX_PIECES = {2: 6_000_000, 4: 1_500_000}
# The vocabulary: n-grams in at least this number of texts, and at most this number of n-grams.
MIN_TEXTS, MAX_NGRAMS = 5, 100_000
# With fewer texts for each dimension, the dimensions are chance.
TEXTS_PER_DIMENSION = 10


class LatentSemantics(NamedTuple):
    """N-grams and their vectors; row 0 of `idf` and `vectors` stands for no n-gram.

    Attributes:
        keys: The vocabulary, int32 (n-grams,), from `models.ngram_counts.frequent_ngrams`.
        idf: Inverse document frequencies, float32 (n-grams + 1,).
        vectors: float32 (n-grams + 1, size): the TF-IDF features of a text times these are its coordinates.
        last: Largest n.
        units: What the n-grams consist of, "pieces" or "characters".
    """

    keys: np.ndarray
    idf: np.ndarray
    vectors: np.ndarray
    last: int
    units: str


def tf_idf(
    batches: Iterable[np.ndarray], keys: np.ndarray, last: int, idf: np.ndarray | None = None
) -> tuple["scipy.sparse.csr_matrix", np.ndarray]:
    """Compute the TF-IDF features of texts, as `models.linear_ngrams.LinearNgrams` does.

    Args:
        batches: Batches of ids, int32 (batch, timesteps).
        keys: The vocabulary of n-grams.
        last: Largest n.
        idf: Inverse document frequencies, (n-grams + 1,); those of these texts if None.

    Returns:
        The features, (texts, n-grams + 1), column 0 is zero; and the inverse document frequencies.
    """
    import scipy.sparse  # answering a text needs none of it

    columns, sizes = [np.empty(0, np.int32)], [np.zeros(1, np.int64)]
    for ids in batches:
        found, indexes = known_ngrams(ids, keys, 1, last)
        columns.append(indexes.astype(np.int32))
        sizes.append(np.bincount(found, minlength=len(ids)))
    column, size = np.concatenate(columns), np.concatenate(sizes)
    texts = len(size) - 1
    if idf is None:
        counts = np.bincount(column, minlength=len(keys) + 1)
        idf = np.where(counts > 0, np.log((1.0 + texts) / (1.0 + counts)) + 1.0, 0.0)
    row = np.repeat(np.arange(texts, dtype=np.int32), size[1:])
    values = idf[column]
    values /= np.maximum(np.sqrt(np.bincount(row, weights=values**2, minlength=texts)), 1e-6)[row]
    return scipy.sparse.csr_matrix((values, column, np.cumsum(size)), shape=(texts, len(keys) + 1)), idf


def write(path: Path, batches: Callable[[], Iterable[np.ndarray]], size: int, last: int, units: str) -> None:
    """Analyze texts, and write the result.

    Nothing is written, and the reason is logged, if there are too few texts or n-grams.

    Args:
        path: The file.
        batches: Returns batches of ids, int32 (batch, timesteps), at each call the same.
        size: Dimensions of the vectors.
        last: Largest n.
        units: See `LatentSemantics`.
    """
    from sklearn.decomposition import TruncatedSVD  # takes a second to import

    keys = frequent_ngrams(batches(), 1, last, min_count=MIN_TEXTS, max_size=MAX_NGRAMS)
    features, idf = tf_idf(batches(), keys, last)
    texts = features.shape[0]
    if min(texts, len(keys)) < TEXTS_PER_DIMENSION * size:
        log.info(
            "no LSA: %s texts with %s n-grams are too few for %d dimensions",
            *(f"{texts:,}", f"{len(keys):,}", size),
        )
        return
    analysis = TruncatedSVD(size, n_iter=2, random_state=0).fit(features.astype(np.float32))
    with atomic_files.replacing(path) as temporary, open(temporary, "wb") as file:
        vectors = analysis.components_.T.astype(np.float32)
        vectors[0] = 0.0  # up to rounding, it is
        np.savez(file, keys=keys, idf=idf.astype(np.float32), vectors=vectors, last=last, units=units)
    log.info("LSA of %s n-grams in %s texts", f"{len(keys):,}", f"{texts:,}")


def read(path: Path) -> LatentSemantics | None:
    """Read what `write` wrote; None if there is no such file.

    Raises:
        UserError: If the file is damaged.
    """
    if not path.exists():
        return None
    with reading(path, "train the language model again"):
        stored = load_arrays(path)
        arrays = (stored[name] for name in ("keys", "idf", "vectors"))
        return LatentSemantics(*arrays, int(stored["last"]), str(stored["units"]))
