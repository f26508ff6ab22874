"""The loss of negative sampling on a fixed sample, the same for both algorithms.

gensim adds up the loss of word2vec in single precision, which stops growing in a long epoch, and has none for fastText.
"""

import itertools
import math
from collections.abc import Iterator, Sequence

import numpy as np
from gensim.models import Word2Vec

MAX_PAIRS = 4_000  # the arrays of a measurement have some MiB


class SampleLoss:
    """Measures the mean loss over words of a sample, in nats, with their neighbours in the whole window.

    For a word with the output vector u, the input vector h of a neighbour (skipgram) or the mean of all (CBOW), and
    random words with the output vectors u_k: -log s(u h) - sum over k of log s(-u_k h), s the logistic function
    (Mikolov et al. 2013, "Distributed Representations of Words and Phrases and their Compositionality", equation 4).

    Args:
        model: The model, with its vocabulary.
        sample: Lines of words.
        seed: Draws the random words.
    """

    def __init__(self, model: Word2Vec, sample: Sequence[Sequence[str]], seed: int):
        self._model = model
        stride = math.ceil(sum(1 for _ in self._pairs(sample)) / MAX_PAIRS) or 1
        words, neighbours, owners = [], [], []
        for word, group in itertools.islice(self._pairs(sample), 0, None, stride):  # from all lines of the sample
            owners += [len(words)] * len(group)
            neighbours += group
            words.append(word)
        self._words, self._neighbours = np.array(words, np.int64), np.array(neighbours, np.int64)
        self._owners = np.array(owners, np.int64)
        drawn = np.random.default_rng(seed).integers(0, model.cum_table[-1], (len(words), model.negative))
        self._negatives = np.searchsorted(model.cum_table, drawn)

    def __call__(self) -> float:
        """Return the loss; NaN if a vector is not finite. 0 if the sample has no two neighbours with a vector."""
        if not len(self._words):
            return 0.0
        distinct, places = np.unique(self._neighbours, return_inverse=True)
        inputs = np.zeros((len(self._words), self._model.vector_size), np.float32)
        np.add.at(inputs, self._owners, self._input_vectors(distinct)[places])
        inputs /= np.bincount(self._owners)[:, None].astype(np.float32)
        outputs = self._model.syn1neg
        positive = np.einsum("pd,pd->p", inputs, outputs[self._words])
        negative = np.einsum("pd,pnd->pn", inputs, outputs[self._negatives])
        # A random word that is the word itself is left out, as in training.
        different = self._negatives != self._words[:, None]
        return float(np.mean(np.logaddexp(0.0, -positive) + (np.logaddexp(0.0, negative) * different).sum(axis=1)))

    def _pairs(self, sample: Sequence[Sequence[str]]) -> Iterator[tuple[int, list[int]]]:
        """Yield each word with each neighbour, or in CBOW with all, as ids."""
        index, window = self._model.wv.key_to_index, self._model.window
        for line in sample:
            ids = [index[word] for word in line if word in index]
            for place, word in enumerate(ids):
                around = ids[max(0, place - window) : place] + ids[place + 1 : place + 1 + window]
                for group in [[one] for one in around] if self._model.sg else [around] if around else []:
                    yield word, group

    def _input_vectors(self, ids: np.ndarray) -> np.ndarray:
        """Return the input vectors of words; in fastText the mean of those of the word and of its n-grams."""
        wv = self._model.wv
        if not hasattr(wv, "vectors_ngrams"):
            return wv.vectors[ids]
        return np.stack(
            [
                (wv.vectors_vocab[i] + wv.vectors_ngrams[b].sum(axis=0)) / (len(b) + 1)
                for i, b in ((i, wv.buckets_word[i]) for i in ids)
            ]
        )
