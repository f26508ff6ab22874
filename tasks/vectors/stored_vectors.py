"""The vectors of a finished run: written by training, and queried for neighbours, analogies and single vectors.

runs/NAME/
  settings.json    every setting in force
  vocabulary/      words.tsv: the words with their counts; sentencepiece.model if they are pieces
  vectors.npz      their vectors, and with fastText those of the n-grams
  history.csv      loss and speed of each epoch
"""

import difflib
import unicodedata
from pathlib import Path
from typing import NamedTuple

import numpy as np
from gensim.models import KeyedVectors, Word2Vec
from gensim.models.fasttext import FastTextKeyedVectors, ft_ngram_hashes

from tasks import atomic_files
from tasks.data.bounded_files import load_arrays
from tasks.data.stored_files import reading
from tasks.errors import UserError
from tasks.training.runs import Run
from tasks.vectors import corpus, words
from tasks.vectors.settings import VectorSettings
from tasks.vectors.words import Pieces, times

NAME = "vectors"  # of the package, and in settings.json
SPELLINGS = 5


class VectorRun(Run):
    """The folder of a training of word vectors."""

    model_name = "vectors.npz"
    trains_on = False


class Word(NamedTuple):
    """A word that was asked for.

    Attributes:
        name: As it is stored, or as its n-grams are taken.
        vector: Its vector, float32 (embedding_size,).
        composed: Whether the vector is composed of those of its n-grams, since the word has none itself.
    """

    name: str
    vector: np.ndarray
    composed: bool


def write(model: Word2Vec, run: VectorRun) -> None:
    """Write the vectors of a trained model."""
    arrays = {"vectors": model.wv.vectors}
    if isinstance(model.wv, FastTextKeyedVectors):
        arrays["ngrams"] = model.wv.vectors_ngrams
    with atomic_files.replacing(run.model_file) as path, open(path, "wb") as file:
        np.savez(file, **arrays)


class WordVectors:
    """The vectors of a finished run.

    Args:
        path: The folder of the run.

    Attributes:
        settings: The settings of the run.
        vectors: gensim's object of the words and their vectors, for everything that is not offered here.

    Raises:
        UserError: If there is no such run, or it is not finished or damaged.

    Example:
        >>> vectors = WordVectors("runs/vectors")
        >>> [(name, similarity)] = vectors.neighbours("the", count=1)
        >>> len(vectors.analogy("the", "queen", "moon"))
        10
        >>> vectors.find("the").vector.dtype
        dtype('float32')
    """

    def __init__(self, path: Path | str):
        run = VectorRun(path)
        self._run = run
        self.settings = run.open_finished(NAME, VectorSettings)
        self._tokenizer = words.load(self.settings.vocabulary, run.vocabulary)
        counts, training = corpus.read_counts(run), self.settings.training
        with reading(run.model_file, "train the run again with --overwrite"):
            arrays = load_arrays(run.model_file)
            if arrays["vectors"].shape != (len(counts), training.embedding_size):
                raise ValueError("it has another number of vectors than the vocabulary has words")
            self.vectors = KeyedVectors(training.embedding_size)
            if training.algorithm == "fasttext":
                sizes = training.min_n, training.max_n, training.bucket
                self.vectors = FastTextKeyedVectors(training.embedding_size, *sizes)
                self.vectors.vectors_ngrams = arrays["ngrams"]
        self.vectors.index_to_key = list(counts)
        self.vectors.key_to_index = {word: index for index, word in enumerate(counts)}
        self.vectors.vectors = arrays["vectors"]
        self.vectors.expandos["count"] = np.fromiter(counts.values(), np.int64, len(counts))

    def find(self, word: str) -> Word:
        """Return a word with its vector; fastText composes one of its n-grams.

        Raises:
            UserError: If it has no vector; names words of a similar spelling.
        """
        candidates = self._tokenizer.candidates(word)
        for name in candidates:
            if name in self.vectors.key_to_index:
                return Word(name, self.vectors.get_vector(name), composed=False)
        if candidates and self.settings.training.algorithm == "fasttext":
            name = candidates[0]
            sizes = self.vectors.min_n, self.vectors.max_n, self.vectors.bucket
            if len(ft_ngram_hashes(name, *sizes)):
                return Word(name, self.vectors.get_vector(name), composed=True)
        raise UserError(self._without_vector(word))

    def _without_vector(self, word: str) -> str:
        """Return why a word has no vector, and what else to ask for."""
        tokenizer, training = self._tokenizer, self.settings.training
        message = f"{word!r} has no vector in {self._run.path}"
        if isinstance(tokenizer, Pieces):
            pieces = [piece for piece in tokenizer.segmentation(word) if piece in self.vectors.key_to_index]
            message += ", which has vectors of pieces"
            message += f"; its pieces have: {' '.join(pieces)}" if pieces else ""
        elif not tokenizer.candidates(word):
            message += ": it is not one word; give words of letters and digits, one by one"
        elif training.algorithm == "fasttext":
            message += f": it is shorter than the n-grams of {training.min_n} characters that compose one"
        else:
            vocabulary = self.settings.vocabulary
            few = vocabulary.min_count
            message += ": it does not occur" if few == 1 else f": it occurs fewer than {times(few)}"
            message += " in the texts"
            if len(self.vectors.index_to_key) >= vocabulary.vocabulary_size:
                size = f"{vocabulary.vocabulary_size:,}"
                message += f", or is not among the {size} most frequent words (--vocabulary-size)"
        similar = self.similar_spellings(word)
        message += f"\nsimilar: {', '.join(similar)}" if similar else "\nno word has a similar spelling"
        if training.algorithm == "word2vec" and not isinstance(tokenizer, Pieces):
            message += "; --algorithm fasttext composes vectors of other words"
        return message

    def similar_spellings(self, word: str) -> list[str]:
        """Return words of the vocabulary with a spelling like that of a word; Hangul is compared letter by letter."""
        word = unicodedata.normalize("NFD", word.lower())
        margin = max(2, len(word) // 3)
        spelled: dict[str, str] = {}
        for known in self.vectors.index_to_key:
            letters = unicodedata.normalize("NFD", known.lower())
            if abs(len(letters) - len(word)) <= margin:
                spelled.setdefault(letters, known)
        return [spelled[one] for one in difflib.get_close_matches(word, spelled, n=SPELLINGS)]

    def neighbours(self, word: str, count: int = 10) -> list[tuple[str, float]]:
        """Return the nearest words with their cosine similarity, the nearest one first.

        Raises:
            UserError: If the word has no vector.
        """
        return self._nearest([self.find(word)], [], count)

    def analogy(self, a: str, b: str, c: str, count: int = 10) -> list[tuple[str, float]]:
        """Return the words d, best first, such that a is to b as c is to d: the nearest ones to b - a + c.

        Vectors of length 1 are added (Mikolov et al. 2013, "Linguistic Regularities in Continuous Space Word
        Representations", section 4). The words themselves are left out.

        Raises:
            UserError: If a word has no vector.
        """
        first, second, third = map(self.find, (a, b, c))
        return self._nearest([second, third], [first], count)

    def complete(self) -> KeyedVectors:
        """Return the words and their vectors; of a vocabulary of pieces all pieces.

        A piece without a vector has the mean of all vectors, or with fastText that of its n-grams.
        """
        missing = []
        if isinstance(self._tokenizer, Pieces):
            known = self.vectors.key_to_index
            missing = [piece for piece in self._tokenizer.pieces if piece not in known and piece.split() == [piece]]
        found = KeyedVectors(self.settings.training.embedding_size)
        found.add_vectors(self.vectors.index_to_key, self.vectors.vectors)
        if missing:
            mean = self.vectors.vectors.mean(axis=0)
            composing = self.settings.training.algorithm == "fasttext"
            found.add_vectors(missing, [self.vectors.get_vector(one) if composing else mean for one in missing])
        counts = self.vectors.expandos["count"]
        found.expandos["count"] = np.concatenate([counts, np.zeros(len(missing), counts.dtype)])  # the order in files
        return found

    def _nearest(self, positive: list[Word], negative: list[Word], count: int) -> list[tuple[str, float]]:
        names = {word.name for word in (*positive, *negative)}
        vectors = ([word.vector / _length(word.vector) for word in group] for group in (positive, negative))
        found = self.vectors.most_similar(*vectors, topn=count + len(names))
        return [(name, float(similarity)) for name, similarity in found if name not in names][:count]


def _length(vector: np.ndarray) -> float:
    return max(float(np.linalg.norm(vector)), 1e-12)
