"""What is learned from the training pairs besides vocabularies: the spans that are copied, and the case of words."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from models.placeholders import KINDS, MAX_SYMBOLS, VERBATIM, Placeholders, symbols
from models.text import SPECIALS
from models.truecasing import Casing
from tasks import atomic_files
from tasks.data import vocabularies
from tasks.data.sequence_store import chunks
from tasks.data.stored_files import is_text, read_json, reading
from tasks.serving.batched_inference import string_tensor
from tasks.translation.settings import TranslationVocabularySettings

FILE = "preprocessing.json"
REMEDY = "train the run again with --overwrite"
# A kind of span is copied if at least this many training pairs have one on both sides ...
MIN_PAIRS = 10
# ... and if at least this share of those in the sources is the same in the targets.
MIN_SHARE, MIN_SHARE_VERBATIM = 0.9, 0.5
# Training pairs for each symbol, if there are so many.
PAIRS_PER_SYMBOL = 100
_ANY_KIND = re.compile("|".join(f"(?P<{kind}>{pattern})" for kind, pattern in KINDS.items()), re.ASCII)


class Preprocessing(NamedTuple):
    """What a translator does with a sentence before it is tokenized.

    Attributes:
        placeholders: The spans that are masked; None if there are none.
        casing: The case of the words of the source language; None if capital letters are read as they are.
    """

    placeholders: Placeholders | None = None
    casing: Casing | None = None

    @property
    def symbols(self) -> list[str]:
        """The symbols of the vocabularies."""
        return [] if self.placeholders is None else symbols(self.placeholders.count)

    def masked(self, pairs: Iterable[Sequence[str]]) -> Iterator[tuple[str, str]]:
        """Yield (source, target) with symbols for the spans that they share."""
        for chunk in chunks(pairs):
            if self.placeholders is None:
                yield from chunk
                continue
            sides = self.placeholders.mask_pairs(*map(string_tensor, zip(*chunk, strict=True)))
            yield from zip(*([text.decode() for text in side.numpy()] for side in sides), strict=True)

    def write(self, folder: Path) -> None:
        """Write preprocessing.json."""
        masks = self.placeholders
        content = {
            "placeholders": None if masks is None else {"kinds": list(masks.kinds), "symbols": masks.count},
            "casing": None if self.casing is None else self.casing._asdict(),
        }
        atomic_files.write_json(folder / FILE, content)


def learn(pairs: Sequence[Sequence[str]], settings: TranslationVocabularySettings) -> Preprocessing:
    """Learn from training pairs, (source, target) each."""
    # In a vocabulary of words a symbol is a part of different words.
    has_symbols = settings.placeholders and settings.vocabulary_type != "word"
    placeholders = _shared_spans(pairs) if has_symbols else None
    return Preprocessing(placeholders, Casing.learned(_ANY_KIND.sub(" ", source) for source, _ in pairs))


def _shared_spans(pairs: Sequence[Sequence[str]]) -> Placeholders | None:
    """Return the kinds of spans that sources and targets share, and as many symbols as the pairs can train."""
    occurrences, shared, shared_in = Counter(), Counter(), []
    for source, target in pairs:
        found = [(match[0], match.lastgroup) for match in _ANY_KIND.finditer(source)]
        if not found:
            continue
        occurrences.update(kind for _, kind in found)
        left, of_pair = Counter(match[0] for match in _ANY_KIND.finditer(target)), Counter()
        for span, kind in found:
            if left[span]:
                left[span] -= 1
                of_pair[kind] += 1
        shared.update(of_pair)
        shared_in.append(of_pair)
    pairs_with = Counter(kind for of_pair in shared_in for kind in of_pair)

    def is_copied(kind: str) -> bool:
        least = MIN_SHARE_VERBATIM if kind in VERBATIM else MIN_SHARE
        return shared[kind] >= least * occurrences[kind]

    kinds = [kind for kind in KINDS if pairs_with[kind] >= MIN_PAIRS and is_copied(kind)]
    if not kinds:
        return None
    # The symbols serve all kinds, also those that mean the same in every language and of which the pairs have few.
    kinds = [kind for kind in KINDS if kind in kinds or (kind in VERBATIM and is_copied(kind))]
    counts = [count for of_pair in shared_in if (count := sum(of_pair[kind] for kind in kinds))]
    return Placeholders(kinds, min(MAX_SYMBOLS, max(*counts, len(counts) // PAIRS_PER_SYMBOL)))


def load(folder: Path) -> Preprocessing:
    """Read preprocessing.json; runs of earlier versions have none.

    Raises:
        UserError: If the file is damaged, or missing although the vocabulary has symbols.
    """
    path = folder / FILE
    model = vocabularies.load(folder / "source.model")
    with reading(path, REMEDY):
        has_symbols = model.get_piece_size() > SPECIALS and model.id_to_piece(SPECIALS) in symbols(1)
        if not path.exists() and not has_symbols:
            return Preprocessing()
        stored = read_json(path, REMEDY)
        masks, casing = stored["placeholders"], stored["casing"]
        if (masks is not None) != has_symbols:
            raise ValueError("it does not go with the vocabulary")
        if masks is not None:
            kinds, count = masks["kinds"], masks["symbols"]
            if not {*kinds} <= {*KINDS} or [model.id_to_piece(SPECIALS + i) for i in range(count)] != symbols(count):
                raise ValueError("it does not go with the vocabulary")
            masks = Placeholders(kinds, count)
        if casing is not None:
            words, capitalize = casing["words"], casing["capitalize"]
            if not isinstance(capitalize, bool) or not all(map(is_text, [*words.keys(), *words.values()])):
                raise ValueError("casing is no table of words")
            casing = Casing(words, capitalize)
        return Preprocessing(masks, casing)
