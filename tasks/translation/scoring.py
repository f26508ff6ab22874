"""How translations are compared with references: the text normalization of both, and BLEU's tokenizer."""

import logging
import re
import unicodedata
from collections.abc import Iterable, Sequence

from sacrebleu.metrics import BLEU

from models.text import normalizer
from tasks.translation.settings import TranslationEvaluationSettings, TranslationVocabularySettings

log = logging.getLogger(__name__)

# Letters of scripts that are written without spaces between words: each class with sacreBLEU's tokenizer for it, which
# splits it into characters. In the order in which they are tried: Japanese has Han characters too.
UNSPACED = (
    # Thai, Lao, Tibetan, Myanmar, Khmer, New Tai Lue, Tai Tham, Javanese, Hiragana, Katakana.
    ("char", re.compile(r"[\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff\u1980-\u19df\u1a20-\u1aaf\ua980-\ua9df"
                        r"\u3041-\u309f\u30a0-\u30ff\uff66-\uff9f]")),
    # Han.
    ("zh", re.compile(r"[\u3400-\u9fff\uf900-\ufaff\U00020000-\U000323af]")),
)  # fmt: skip
# From this share of such letters on, words cannot be found at spaces.
UNSPACED_SHARE = 0.2
# From this share of Japanese kana or similar letters among them on, the text is not Chinese.
NOT_CHINESE_SHARE = 0.1
# BLEU counts runs of up to this many tokens.
MAX_NGRAM = 4


class Normalizer:
    """The normalization of the target vocabulary, without case folding, for translations and references.

    Translations consist of pieces of a normalized vocabulary. References are normalized in the same way before the two
    are compared; otherwise a correct translation differs in full-width punctuation, in Unicode's normalization form or
    in repeated spaces. Case is left as it is. Without a normalization rule, both get normalization form C.

    Args:
        settings: The settings of the vocabularies.
    """

    def __init__(self, settings: TranslationVocabularySettings):
        self.rule = settings.normalizations[1].removesuffix("_cf")
        self._normalizer = normalizer(self.rule)

    def __call__(self, texts: Iterable[str]) -> list[str]:
        """Normalize texts."""
        if self.rule == "identity":
            texts = (unicodedata.normalize("NFC", text) for text in texts)
        return [self._normalizer.normalize(text.encode("utf-8", "replace").decode()) for text in texts]


def choose_tokenizer(settings: TranslationEvaluationSettings, references: Sequence[str]) -> str:
    """Return sacreBLEU's name of the tokenizer, and log it; warn if it does not suit the references.

    Args:
        settings: With `bleu_tokenizer`; "auto" chooses by the script of the references, and characters if none of them
            has as many words as BLEU counts together.
        references: The references, normalized.
    """
    share, suitable = _script(references)
    if settings.bleu_tokenizer == "auto":
        short = suitable == "13a" and not _has_ngrams(references, "13a")
        chosen = "char" if short else suitable
        log.info("BLEU tokenizer: %s, by the %s of the references", chosen, "length" if short else "script")
    else:
        chosen = settings.sacrebleu_tokenizer
        if chosen in ("13a", "intl", "none") and suitable not in ("13a", chosen):
            log.warning(
                "--bleu-tokenizer %s splits at spaces and punctuation, but %.0f %% of the letters of the references "
                "are of a script without spaces, so BLEU is too low: take %s or auto",
                *(chosen, 100 * share, suitable),
            )
    if not _has_ngrams(references, chosen):
        log.warning(
            "BLEU is 0 whatever the translations: with the tokenizer %s no reference has %d tokens; %sread chrF",
            *(chosen, MAX_NGRAM, "" if chosen == "char" else "take --bleu-tokenizer char, or "),
        )
    return chosen


def is_unspaced(references: Sequence[str]) -> bool:
    """Return whether the references are in a script without spaces between words."""
    return _script(references)[1] != "13a"


def _script(references: Sequence[str]) -> tuple[float, str]:
    """Return the share of letters of scripts without spaces, and the tokenizer that suits the references."""
    letters = sum(map(str.isalpha, "".join(references)))
    counts = {name: sum(len(pattern.findall(text)) for text in references) for name, pattern in UNSPACED}
    unspaced = sum(counts.values())
    share = min(1.0, unspaced / max(1, letters))
    if share < UNSPACED_SHARE:
        return share, "13a"
    return share, "char" if counts["char"] >= NOT_CHINESE_SHARE * unspaced else "zh"


def _has_ngrams(references: Sequence[str], tokenizer: str) -> bool:
    tokenize = BLEU(tokenize=tokenizer).tokenizer
    return any(len(tokenize(text).split()) >= MAX_NGRAM for text in references)
