"""Counts texts with more pieces than a network reads, of which it reads the beginning."""

from collections.abc import Sequence

import sentencepiece

# Characters that are tokenized at once: the time is quadratic in the length of a run of unknown characters.
PART = 4000


class CutTexts:
    """Counts cut texts, and the pieces that are cut off.

    Args:
        processor: The tokenizer.
        max_tokens: Maximum number of pieces of a text.

    Attributes:
        texts: Number of texts.
        cut: Number of those that are cut.
        pieces: Pieces of all texts.
        cut_off: Pieces that are cut off.
    """

    def __init__(self, processor: sentencepiece.SentencePieceProcessor, max_tokens: int):
        self._processor, self.max_tokens = processor, max_tokens
        self.texts = self.cut = self.pieces = self.cut_off = 0

    def count(self, texts: Sequence[str]) -> list[bool]:
        """Count texts, and return for each whether it is cut. Long texts are tokenized in parts."""
        parts = [[text[start : start + PART] for start in range(0, len(text), PART)] for text in texts]
        flat = [part.encode("utf-8", "replace") for text in parts for part in text]
        lengths = iter(map(len, self._processor.encode(flat)))
        return [self.add(sum(next(lengths) for _ in text)) for text in parts]

    def add(self, pieces: int) -> bool:
        """Count a text with this number of pieces, and return whether it is cut."""
        excess = max(0, pieces - self.max_tokens)
        self.texts += 1
        self.pieces += pieces
        self.cut_off += excess
        self.cut += excess > 0
        return excess > 0

    def report(self) -> str | None:
        """Return one line with the shares of texts and of pieces; None if no text is cut."""
        if not self.cut:
            return None
        return (
            f"{self.cut:,} of {self.texts:,} texts ({self.cut / self.texts:.1%}) have more than {self.max_tokens} "
            f"pieces (--max-tokens of train) and are cut: {self.cut_off / self.pieces:.1%} of all pieces are not read"
        )
