"""How long a translation may be: learned from the training pairs, and stored with the vocabularies.

A search that stops at a fixed ratio of the lengths cuts translations of languages, or of tasks such as writing numbers
in words, in which the target has many more pieces than the source.
"""

import logging
import math
from collections.abc import Sequence
from pathlib import Path

import tensorflow as tf

from models.generation_settings import DEFAULT_MAX_LENGTH_RATIO, SearchSettings
from models.text import truncate_text
from models.text_translator import SPARE_PIECES, TextTranslator
from tasks import atomic_files
from tasks.data import bounded_files
from tasks.data.sequence_store import SequenceStore, chunks
from tasks.errors import UserError
from tasks.serving.batched_inference import string_tensor

log = logging.getLogger(__name__)

FILE = "length_ratio.json"
REMEDY = "train the run again with --overwrite, or add --max-length-ratio"
# A test sentence may have a translation longer than that of any training sentence of its length.
MARGIN = 1.2


def learn(pairs: SequenceStore, folder: Path, minimum: float = DEFAULT_MAX_LENGTH_RATIO) -> None:
    """Write length_ratio.json: the `max_length_ratio` at which no target of the training pairs would be cut.

    The spare pieces of the search are taken into account, so a short pair does not raise the limit of long ones.

    Args:
        pairs: The training pairs.
        folder: The folder of the vocabularies, whose files an export contains.
        minimum: The lowest ratio.
    """
    sources = pairs.columns["source_length"]
    needed = ((pairs.lengths - sources) * MARGIN - SPARE_PIECES) / sources
    ratio = max(minimum, math.ceil(float(needed.max()) * 10) / 10)
    atomic_files.write_json(folder / FILE, {"max_length_ratio": ratio})


def resolved(search: SearchSettings, folder: Path) -> SearchSettings:
    """Return the settings of the search with the ratio of the training pairs where they name none.

    Args:
        search: The settings.
        folder: The folder that `learn` wrote to.

    Raises:
        UserError: If the file is needed and is missing or damaged.
    """
    if search.max_length_ratio is not None:
        return search
    return search.model_copy(update={"max_length_ratio": max(stored(folder), search.min_length_ratio)})


def stored(folder: Path, remedy: str = REMEDY) -> float:
    """Return the ratio that `learn` wrote into a folder.

    Args:
        folder: The folder.
        remedy: What to do if the file cannot be read.

    Raises:
        UserError: If the file is missing or damaged.
    """
    try:
        ratio = float(bounded_files.read_json(folder / FILE)["max_length_ratio"])
        if not 0 < ratio < math.inf:
            raise ValueError(f"max_length_ratio is {ratio}")
    except (ValueError, KeyError, TypeError, OSError, RecursionError, OverflowError) as error:
        raise UserError(f"{folder / FILE} cannot be read ({error}); {remedy}") from None
    return ratio


def references_out_of_reach(translator: TextTranslator, sources: Sequence[str], references: Sequence[str]) -> int:
    """Count the references that have more pieces than a translation of their source may have; warn if there are any."""
    count = 0
    for pairs in chunks(zip(sources, references, strict=True)):
        texts, expected = translator.masked_pairs(*map(string_tensor, zip(*pairs, strict=True)))
        pieces = tf.cast(translator.source.tokens.pieces(texts).row_lengths(), tf.int32)
        limits = translator.max_length(tf.minimum(pieces, translator.max_tokens))
        longest = int(tf.reduce_max(limits))
        beginnings = string_tensor(truncate_text(reference.decode(), longest + 1) for reference in expected.numpy())
        lengths = tf.cast(translator.target.tokenizer.tokenize(beginnings).row_lengths(), tf.int32)
        count += int(tf.reduce_sum(tf.cast((lengths > limits) & (pieces > 0), tf.int32)))
    if count:
        log.warning(
            "%s of %s references have more pieces than a translation may have, %g for each piece of the source and %d "
            "more: raise --max-length-ratio",
            *(f"{count:,}", f"{len(sources):,}", translator.settings.max_length_ratio, SPARE_PIECES),
        )
    return count
