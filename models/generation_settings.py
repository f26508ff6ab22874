"""Settings of decoding: how text is sampled from a language model, and how a translation is searched for.

Imports no TensorFlow.

Example:
    >>> SamplingSettings(temperature=0.7, length=200).temperature
    0.7
    >>> SearchSettings(beam_size=5).beam_size
    5
"""

from pydantic import Field, field_validator, model_validator

from models.recurrent_settings import Settings


class SamplingSettings(Settings):
    """How the next character is sampled from the model's probabilities."""

    temperature: float = Field(0.8, ge=0.0, le=100.0)
    """Divides the logits: below 1 less varied text, above 1 more varied; 0 takes the most probable character."""
    top_k: int = Field(0, ge=0, lt=1 << 31)
    """Samples from the K most probable characters or pieces only; 0 is all."""
    top_p: float = Field(1.0, gt=0.0, le=1.0)
    """Samples from the smallest set of the most probable characters whose probabilities add up to P."""
    repetition_penalty: float = Field(1.0, gt=0.0, le=1e6)
    """Above 1, makes the characters of the last repetition_window less probable."""
    repetition_window: int = Field(16, ge=1, le=1000)
    """Number of previous characters that the repetition penalty applies to."""
    length: int = Field(500, ge=1, le=10_000_000)
    """Maximum number of characters or pieces to generate."""
    stop: tuple[str, ...] = ()
    r"""Generation stops after any of these texts; \n, \t and \r in them are a line end, a tab and a return."""
    sampling_seed: int = Field(0, ge=0, lt=1 << 31)
    """Seed of the random numbers; the same seed generates the same text."""

    @field_validator("stop")
    @classmethod
    def _no_empty_stop(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if "" in value:
            raise ValueError("an empty text stops before it begins; leave it out")
        return tuple(_unescaped(text) for text in value)


def _unescaped(text: str) -> str:
    r"""Replace \n, \t and \r, which a shell passes on as two characters each, with the character they stand for."""
    for escape, character in (("\\n", "\n"), ("\\t", "\t"), ("\\r", "\r")):
        text = text.replace(escape, character)
    return text


# `SearchSettings.max_length_ratio` where neither the settings nor the training pairs ask for another.
DEFAULT_MAX_LENGTH_RATIO = 2.0


class SearchSettings(Settings):
    """Beam search for the translation."""

    beam_size: int = Field(5, ge=1, le=1000)
    """Number of hypotheses kept for each sentence; 1 is greedy search, which always takes the most probable piece."""
    length_penalty: float = Field(1.0, ge=0.0, le=10.0)
    """Exponent A of the score ln p / ((5 + length) / 6)^A (Wu et al. 2016); higher values favor longer translations."""
    coverage_penalty: float = Field(0.0, ge=0.0, le=10.0)
    """Above 0, favors translations that attend to the whole source sentence (Wu et al. 2016)."""
    min_length_ratio: float = Field(0.0, ge=0.0, le=100.0)
    """Minimum number of pieces of a translation per piece of the source."""
    max_length_ratio: float | None = Field(None, gt=0.0, le=100.0)
    """Maximum number of pieces of a translation per piece of the source, plus ten; None is what the training pairs
    need, at least 2."""
    block_unknown: bool = True
    """Never generates the unknown piece."""
    no_repeat_ngram_size: int = Field(0, ge=0, le=100)
    """Above 0, no n-gram of this many pieces occurs twice in a translation."""

    fold_upper_case: bool = True
    """Reads texts in capital letters with the case that their words have in the training texts, and writes their
    translations in capital letters."""
    copy_unknown: bool = False
    """Copies texts of which most characters are unknown to the vocabulary, and, where it has symbols for placeholders,
    unknown characters of other texts."""

    @model_validator(mode="after")
    def _lengths_in_order(self):
        if self.max_length_ratio is not None and self.min_length_ratio > self.max_length_ratio:
            raise ValueError(
                f"min_length_ratio={self.min_length_ratio} is above max_length_ratio={self.max_length_ratio}; "
                "lower the one or raise the other"
            )
        return self
