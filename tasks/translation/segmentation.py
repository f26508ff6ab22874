"""Sampled segmentation: in training a word is cut into pieces in ways drawn anew each time.

SentencePiece's own sampling cannot be seeded for each batch, and a training that goes on must draw what it would have
drawn. So the ways of cutting each word are found once, with their probabilities, and drawn from here. A sentence's
probability is the product of its words', and pieces do not reach over a blank, so words can be drawn one by one.
"""

import threading
from pathlib import Path

import numpy as np
import sentencepiece

from tasks import atomic_files

# Ways of cutting a word that are drawn from.
WAYS = 32


class WordIds:
    """Splits sentences of pieces into words, and numbers the words as they come.

    Args:
      processor: the tokenizer.
    """

    def __init__(self, processor: sentencepiece.SentencePieceProcessor):
        self.processor = processor
        pieces = [processor.id_to_piece(index) for index in range(processor.get_piece_size())]
        self._begins = np.array([piece.startswith("▁") for piece in pieces])
        self._words: dict[tuple[int, ...], int] = {}

    def __len__(self) -> int:
        return len(self._words)

    def __call__(self, pieces: list[int]) -> list[int]:
        """The ids of a sentence's words, from the ids of its pieces."""
        starts = [place for place in range(1, len(pieces)) if self._begins[pieces[place]]]
        words = [tuple(pieces[start:end]) for start, end in zip([0, *starts], [*starts, len(pieces)], strict=True)]
        return [self._words.setdefault(word, len(self._words)) for word in words]

    def ways(self, alpha: float, vocabulary_type: str) -> list[tuple[list[tuple[int, ...]], np.ndarray]]:
        """For each word the ways of cutting it, and their probabilities.

        unigram: the likeliest ways, with p ** alpha (Kudo 2018); bpe: what dropping each merge with probability alpha
        gives (Provilkov et al. 2020), as often as it does. A word with unknown characters keeps its own way.
        """
        found: list = []

        def find() -> None:
            found.extend(self._ways_of(word, alpha, vocabulary_type) for word in self._words)

        # The library's generator belongs to a thread and takes its seed when it is first used there.
        sentencepiece.set_random_generator_seed(1)
        thread = threading.Thread(target=find, daemon=True)  # Ctrl-C need not wait for it
        thread.start()
        thread.join()
        if len(found) != len(self._words):
            raise RuntimeError("the ways of cutting words could not be found")
        return found

    def _ways_of(self, word: tuple[int, ...], alpha: float, vocabulary_type: str):
        if self.processor.unk_id() in word:
            return [word], np.ones(1)
        surface = self.processor.decode(list(word))
        if vocabulary_type == "bpe":
            draws = [tuple(self.processor.encode(surface, enable_sampling=True, alpha=alpha)) for _ in range(WAYS)]
            ways = sorted({word, *draws})
            counts = np.array([draws.count(way) for way in ways], float) + 1e-9
            return ways, counts / counts.sum()
        ways = [tuple(way) for way in self.processor.nbest_encode(surface, nbest_size=WAYS)] or [word]
        scores = np.array([sum(map(self.processor.get_score, way)) for way in ways])
        weights = np.exp(alpha * (scores - scores.max()))
        return ways, weights / weights.sum()


class Ways:
    """The ways of cutting each word, drawn from by `sampled`.

    Args:
      file: written by `write`.
    """

    def __init__(self, file: Path):
        with np.load(file) as stored:
            self._pieces, self._starts, self._cumulated = stored["pieces"], stored["starts"], stored["cumulated"]

    @staticmethod
    def write(file: Path, ways: list[tuple[list[tuple[int, ...]], np.ndarray]]) -> None:
        """Stores what `WordIds.ways` gives."""
        pieces = [piece for found, _ in ways for way in found for piece in way]
        lengths = [len(way) for found, _ in ways for way in found]
        # One sorted row: the word's number plus the probability of its ways up to this one.
        cumulated = []
        for number, (_, probabilities) in enumerate(ways):
            sums = np.cumsum(probabilities)
            sums[-1] = 1.0  # and not a little less, as rounding has it
            cumulated.append(number + sums)
        with atomic_files.replacing(file) as temporary, open(temporary, "wb") as out:
            np.savez(
                out,
                pieces=np.array(pieces, np.int32),
                starts=np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]),
                cumulated=np.concatenate([[], *cumulated]),
            )

    def sampled(self, words: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """Ids of words (count,) -> ids of pieces, int32, the words cut as chance has it."""
        chance = np.minimum(random.random(len(words)), 1.0 - 1e-9)  # added to a word's number, it stays below the next
        chosen = np.searchsorted(self._cumulated, words + chance, side="right")
        starts, lengths = self._starts[chosen], self._starts[chosen + 1] - self._starts[chosen]
        ends = np.cumsum(lengths)
        return self._pieces[np.repeat(starts - ends + lengths, lengths) + np.arange(ends[-1] if len(ends) else 0)]
