"""The metrics of `evaluate`, each with its direction and its formula. Imports no TensorFlow, and sacreBLEU late."""

import math
from typing import TYPE_CHECKING

from tasks.metrics import Metric

if TYPE_CHECKING:
    from tasks.translation.evaluate import Translations


def bleu(outcome: "Translations") -> float:
    """Return sacreBLEU's BLEU, in percent, with the tokenizer that `scoring.choose_tokenizer` returns."""
    return outcome.bleu[0]


def bleu_lowercase(outcome: "Translations") -> float:
    """Return BLEU without regard to case, in percent."""
    from sacrebleu.metrics import BLEU

    scorer = BLEU(tokenize=outcome.tokenizer, lowercase=True)
    return scorer.corpus_score(outcome.found, [outcome.references]).score


def chrf(outcome: "Translations") -> float:
    """Return chrF, in percent."""
    from sacrebleu.metrics import CHRF

    return CHRF().corpus_score(outcome.found, [outcome.references]).score


def ter(outcome: "Translations") -> float:
    """Return the translation edit rate, in percent; of characters in Chinese and Japanese, otherwise of words."""
    from sacrebleu.metrics import TER

    from tasks.translation import scoring

    characters = scoring.is_unspaced(outcome.references)
    return TER(normalized=characters, asian_support=characters).corpus_score(outcome.found, [outcome.references]).score


def exact_match(outcome: "Translations") -> float:
    """Return the share of translations that equal the reference."""
    pairs = zip(outcome.found, outcome.references, strict=True)
    return sum(one == other for one, other in pairs) / len(outcome.references)


METRICS = (
    Metric("bleu", higher_is_better=True, compute=bleu),
    Metric("bleu_lowercase", higher_is_better=True, compute=bleu_lowercase),
    Metric("chrf", higher_is_better=True, compute=chrf),
    Metric("ter", higher_is_better=False, compute=ter),
    Metric("exact_match", higher_is_better=True, compute=exact_match),
    # Of a piece of the reference, its end counted.
    Metric("perplexity", higher_is_better=False, compute=lambda outcome: math.exp(min(outcome.nats_per_piece, 700.0))),
    # In nats per piece of the reference, its end counted.
    Metric("loss", higher_is_better=False, compute=lambda outcome: outcome.nats_per_piece),
    # Sentences with more than max_tokens pieces, and references longer than the search may write.
    Metric("truncated_sources", higher_is_better=None, compute=lambda outcome: outcome.truncated),
    Metric("references_out_of_reach", higher_is_better=None, compute=lambda outcome: outcome.out_of_reach),
)
