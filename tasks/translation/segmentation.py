"""Subword regularization: in training, the segmentation of each word is sampled.

SentencePiece's own sampling cannot be seeded, and a resumed training must sample what it would have sampled. So the
segmentations of each word are found once, with their probabilities, and sampled here. The probability of a sentence is
the product of the probabilities of its words, and pieces do not cross a blank, so words can be sampled one by one.
"""

import heapq
from collections import Counter
from pathlib import Path

import numpy as np
import sentencepiece

from tasks import atomic_files
from tasks.data.bounded_files import load_arrays

# Maximum number of segmentations of a word.
MAX_SEGMENTATIONS = 32


class WordIds:
    """Splits sentences of pieces into words, and numbers the words in order of appearance.

    Args:
        processor: The tokenizer.
    """

    def __init__(self, processor: sentencepiece.SentencePieceProcessor):
        self.processor = processor
        pieces = [processor.id_to_piece(index) for index in range(processor.get_piece_size())]
        self._begins = np.array([piece.startswith("▁") for piece in pieces])
        self._words: dict[tuple[int, ...], int] = {}

    def __len__(self) -> int:
        """Return the number of different words."""
        return len(self._words)

    def __call__(self, pieces: list[int]) -> list[int]:
        """Return the ids of the words of a sentence, from the ids of its pieces."""
        starts = [place for place in range(1, len(pieces)) if self._begins[pieces[place]]]
        words = [tuple(pieces[start:end]) for start, end in zip([0, *starts], [*starts, len(pieces)], strict=True)]
        return [self._words.setdefault(word, len(self._words)) for word in words]

    def segmentations(self, alpha: float, vocabulary_type: str) -> list[tuple[list[tuple[int, ...]], np.ndarray]]:
        """Return for each word its segmentations and their probabilities.

        unigram: the most probable ones, with p ** alpha (Kudo 2018). bpe: the results of dropping each merge with
        probability alpha (Provilkov et al. 2020), by their frequency. A word with unknown characters has one.
        """
        find = self._bpe if vocabulary_type == "bpe" else self._unigram
        unknown = self.processor.unk_id()
        return [([word], np.ones(1)) if unknown in word else find(word, alpha) for word in self._words]

    def _unigram(self, word: tuple[int, ...], alpha: float) -> tuple[list[tuple[int, ...]], np.ndarray]:
        surface = self.processor.decode(list(word))
        found = [tuple(ids) for ids in self.processor.nbest_encode(surface, nbest_size=MAX_SEGMENTATIONS)] or [word]
        scores = np.array([sum(map(self.processor.get_score, ids)) for ids in found])
        weights = np.exp(alpha * (scores - scores.max()))
        return found, weights / weights.sum()

    def _bpe(self, word: tuple[int, ...], dropout: float) -> tuple[list[tuple[int, ...]], np.ndarray]:
        # A generator for each word: its segmentations do not depend on the words before it.
        random = np.random.default_rng(word)
        pieces = [self.processor.id_to_piece(index) for index in word]
        draws = Counter(self._merged("".join(pieces), dropout, random) for _ in range(MAX_SEGMENTATIONS))
        found = sorted({word, *draws})
        counts = np.array([draws[ids] for ids in found], float) + 1e-9
        return found, counts / counts.sum()

    def _merged(self, surface: str, dropout: float, random: np.random.Generator) -> tuple[int, ...]:
        """Apply BPE with each merge dropped with probability `dropout`; 0 is SentencePiece's own segmentation.

        Of the neighbours that together are a piece, the pair with the best score is merged, the first of equals. A
        dropped merge is considered again only if a neighbour changes, as in SentencePiece.
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


class Segmentations:
    """The segmentations of each word.

    Args:
        file: Written by `write`.
    """

    def __init__(self, file: Path):
        stored = load_arrays(file)
        self._pieces, self._starts, self._cumulative = stored["pieces"], stored["starts"], stored["cumulative"]

    @staticmethod
    def write(file: Path, segmentations: list[tuple[list[tuple[int, ...]], np.ndarray]]) -> None:
        """Store the result of `WordIds.segmentations`."""
        pieces = [piece for found, _ in segmentations for ids in found for piece in ids]
        lengths = [len(ids) for found, _ in segmentations for ids in found]
        # One sorted row: the number of the word plus the cumulative probability of its segmentations.
        cumulative = []
        for number, (_, probabilities) in enumerate(segmentations):
            sums = np.cumsum(probabilities)
            sums[-1] = 1.0  # rounding may give a little less
            cumulative.append(number + sums)
        with atomic_files.replacing(file) as temporary, open(temporary, "wb") as out:
            np.savez(
                out,
                pieces=np.array(pieces, np.int32),
                starts=np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]),
                cumulative=np.concatenate([[], *cumulative]),
            )

    def sample(self, words: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """Return the ids of the pieces, int32, of words (count,), each segmented at random."""
        uniform = np.minimum(random.random(len(words)), 1.0 - 1e-9)  # stays below the number of the next word
        chosen = np.searchsorted(self._cumulative, words + uniform, side="right")
        starts, lengths = self._starts[chosen], self._starts[chosen + 1] - self._starts[chosen]
        ends = np.cumsum(lengths)
        return self._pieces[np.repeat(starts - ends + lengths, lengths) + np.arange(ends[-1] if len(ends) else 0)]
