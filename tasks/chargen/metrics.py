"""The metrics of `evaluate`, each with its direction and its formula. Imports no TensorFlow."""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from tasks.metrics import Metric

if TYPE_CHECKING:
    from tasks.chargen.evaluate import Generations


def bits_per_character(outcome: "Generations") -> float:
    """Return the mean of -log2 p of a character given the characters before it."""
    return outcome.nats_per_character / math.log(2)


def perplexity(outcome: "Generations") -> float:
    """Return exp of the nats per character."""
    return math.exp(min(outcome.nats_per_character, 700.0))


def word_perplexity(outcome: "Generations") -> float | None:
    """Return exp of the nats per word; None without words. It compares models of characters and of pieces."""
    if not outcome.words:
        return None
    return math.exp(min(outcome.nats_per_character * outcome.examples / outcome.words, 700.0))


def word_share(outcome: "Generations") -> float | None:
    """Return the share of the generated words that occur in the training text; None without words or that text."""
    return sum(outcome.known_words) / len(outcome.known_words) if outcome.known_words else None


def longest_copy(outcome: "Generations") -> int | None:
    """Return the length of the longest generated passage that occurs in the training text; None without that text."""
    return None if outcome.longest_passage is None else len(outcome.longest_passage)


def _record_share(name: str) -> Callable[["Generations"], float | None]:
    """Return the function for a share of the records that are generated at the temperature of the run."""

    def share(outcome: "Generations") -> float | None:
        shares = outcome.record_shares.get(outcome.temperature)
        return None if shares is None else getattr(shares, name)

    return share


METRICS = (
    # Of a Hangul syllable also if the model reads jamo.
    Metric("nats_per_character", higher_is_better=False, compute=lambda outcome: outcome.nats_per_character),
    Metric("bits_per_character", higher_is_better=False, compute=bits_per_character),
    Metric("perplexity", higher_is_better=False, compute=perplexity),
    # Words are separated by blanks.
    Metric("word_perplexity", higher_is_better=False, compute=word_perplexity),
    # What counts of two and of three characters reach: a model that is not better has not learned enough.
    Metric("bigram_nats_per_character", None, compute=lambda outcome: outcome.bigram_nats_per_character),
    Metric("trigram_nats_per_character", None, compute=lambda outcome: outcome.trigram_nats_per_character),
    Metric("unknown_share", higher_is_better=None, compute=lambda outcome: outcome.unknown_share),
    # In nats per symbol that the network predicts, a character, a jamo or a piece; that of the training log.
    Metric("loss", higher_is_better=False, compute=lambda outcome: outcome.nats_per_symbol),
    Metric("word_share", higher_is_better=None, compute=word_share),
    Metric("longest_copy", higher_is_better=None, compute=longest_copy),
    # Of records that are generated without a prompt; none if the text has no records.
    Metric("new_share", higher_is_better=None, compute=_record_share("new")),
    Metric("known_share", higher_is_better=None, compute=_record_share("known")),
    Metric("repeated_share", higher_is_better=None, compute=_record_share("repeated")),
)
