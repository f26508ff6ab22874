"""Sampled segmentation: in training a word is cut into pieces in ways drawn anew each time.

SentencePiece's own sampling cannot be seeded, and a training that goes on must draw what it would have
drawn. So the ways of cutting each word are found once, with their probabilities, and drawn from here. A sentence's
probability is the product of its words', and pieces do not reach over a blank, so words can be drawn one by one.
"""

import heapq
from collections import Counter
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
        find = self._bpe_ways if vocabulary_type == "bpe" else self._unigram_ways
        unknown = self.processor.unk_id()
        return [([word], np.ones(1)) if unknown in word else find(word, alpha) for word in self._words]

    def _unigram_ways(self, word: tuple[int, ...], alpha: float) -> tuple[list[tuple[int, ...]], np.ndarray]:
        surface = self.processor.decode(list(word))
        ways = [tuple(way) for way in self.processor.nbest_encode(surface, nbest_size=WAYS)] or [word]
        scores = np.array([sum(map(self.processor.get_score, way)) for way in ways])
        weights = np.exp(alpha * (scores - scores.max()))
        return ways, weights / weights.sum()

    def _bpe_ways(self, word: tuple[int, ...], dropout: float) -> tuple[list[tuple[int, ...]], np.ndarray]:
        # Of its own for each word: what a word gives does not depend on the words before it.
        random = np.random.default_rng(word)
        pieces = [self.processor.id_to_piece(index) for index in word]
        draws = Counter(self._merged("".join(pieces), dropout, random) for _ in range(WAYS))
        ways = sorted({word, *draws})
        counts = np.array([draws[way] for way in ways], float) + 1e-9
        return ways, counts / counts.sum()

    def _merged(self, surface: str, dropout: float, random: np.random.Generator) -> tuple[int, ...]:
        """BPE with each merge left out with probability `dropout`; 0 gives SentencePiece's own segmentation.

        Of the pairs of neighbours that are a piece together the one with the best score is merged, the first of equals.
        A merge that is left out comes up again only if a neighbour changes, as in SentencePiece, whose own sampling of
        BPE cannot be seeded.
        """
        processor, unknown = self.processor, self.processor.unk_id()
        parts, after = list(surface), [*range(1, len(surface)), -1]
        agenda: list[tuple[float, int, int, str]] = []

        def consider(left: int, right: int) -> None:
            if left >= 0 and right >= 0:
                joined = parts[left] + parts[right]
                index = processor.piece_to_id(joined)
                if index != unknown:
                    heapq.heappush(agenda, (-processor.get_score(index), left, right, joined))

        for left in range(len(parts) - 1):
            consider(left, left + 1)
        while agenda:
            _, left, right, joined = heapq.heappop(agenda)
            if parts[left] + parts[right] != joined or after[left] != right:
                continue  # one of the two has been merged with another since
            if dropout and random.random() < dropout:
                continue
            before = next((place for place in range(left) if after[place] == left and parts[place]), -1)
            parts[left], parts[right], after[left] = joined, "", after[right]
            consider(before, left)
            consider(left, after[left])
        return tuple(processor.piece_to_id(part) for part in parts if part)


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
