"""Every setting of the translation task, in groups. Imports no TensorFlow.

Example:
    >>> data = {"data": "pairs.csv", "source_column": "en", "target_column": "ko"}
    >>> settings = TranslationSettings(data=data, search={"beam_size": 5})
    >>> settings.search.beam_size
    5
"""

from typing import Annotated, Literal

import tyro
from pydantic import BeforeValidator, Field, model_validator

from models.generation_settings import SearchSettings
from models.network_settings import TranslatorSettings
from models.recurrent_settings import Settings
from tasks.arguments import EvaluateRowsArguments, ExportArguments, PredictArguments
from tasks.in_memory import InMemory
from tasks.settings import (
    BucketedTrainingSettings,
    Normalization,
    RecurrentOptions,
    RowSourceSettings,
    VocabularySettings,
)

# The languages of the bundled sample, used if the settings name no others.
SAMPLE_LANGUAGES = ("en", "ko")


class TranslationSourceSettings(RowSourceSettings, defaults={"validation_fraction": 0.05}):
    """Where the sentence pairs come from."""

    source_lang: str | None = None
    """The language to translate from: in a folder the ending of its files (train.en), elsewhere a column."""
    target_lang: str | None = None
    """The language to translate to."""
    source_column: str | None = None
    """The column of the sentences to translate in a table; another name for source_lang."""
    target_column: str | None = None
    """The column of the translations in a table; another name for target_lang."""
    max_pair_length_ratio: float = Field(9.0, gt=1.0)
    """Leaves out training pairs of which one side has at least this many times the pieces of the other."""

    @model_validator(mode="after")
    def _one_name_for_each_side(self):
        for side in ("source", "target"):
            language, column = getattr(self, f"{side}_lang"), getattr(self, f"{side}_column")
            if language is not None and column is not None and language != column:
                raise ValueError(
                    f"{side}_lang={language} and {side}_column={column} name the same thing; keep one of them"
                )
        names = self.names
        if names[0] is not None and names[0] == names[1]:
            raise ValueError(f"source and target are both {names[0]!r}; name two different languages or columns")
        return self

    @property
    def names(self) -> tuple[str | None, str | None]:
        """The names of source and target in the data; None where the data itself determines the name."""
        names = (self.source_lang or self.source_column, self.target_lang or self.target_column)
        if self.data != "sample" or any(isinstance(one, InMemory) for one in self.train_files):
            return names
        english, korean = SAMPLE_LANGUAGES
        source = names[0] or (english if names[1] != english else korean)
        return source, names[1] or (korean if source != korean else english)

    @property
    def read_columns(self) -> tuple[str, ...]:
        """The names of both columns."""
        source, target = self.names
        return source or "source", target or "target"


# The grammar of the sample has about 100 words, and an ending is separated from its word. Where words are few, unigram
# splits frequent ones: it only takes pieces that several words share.
class TranslationVocabularySettings(
    VocabularySettings,
    defaults={"vocabulary_size": 1200, "vocabulary_type": "bpe", "split_digits": True, "character_coverage": 1.0},
):
    """The SentencePiece vocabularies, learned from the training pairs; vocabulary_size is that of each language."""

    target_normalization: Normalization | None = None
    """The rule for the target language, and so for translations; None is that of normalization without case folding."""
    placeholders: bool = True
    """Copies URLs, e-mail addresses, tags, placeholders such as {name} and %s, times and numbers with units where they
    are the same on both sides of the training pairs; symbols of the vocabulary, which is not one of words, stand for
    them."""
    joint_vocabulary: bool = False
    """Learns one vocabulary from both languages."""
    subword_regularization: float | None = Field(None, gt=0.0, le=1.0)
    """Samples the segmentation of words in training. unigram: with probabilities p ** this value (Kudo 2018).
    bpe: drops each merge with this probability (BPE-dropout, Provilkov et al. 2020). None samples nothing."""

    @model_validator(mode="after")
    def _type_has_several_segmentations(self):
        if self.subword_regularization is not None and self.vocabulary_type not in ("unigram", "bpe"):
            raise ValueError(
                f"subword_regularization={self.subword_regularization} does not go with vocabulary_type="
                f"{self.vocabulary_type}, which segments a word in one way only; take unigram or bpe"
            )
        return self

    @property
    def normalizations(self) -> tuple[Normalization, Normalization]:
        """The rules for source and target."""
        return self.normalization, self.target_normalization or self.normalization.removesuffix("_cf")


class TranslationRecurrentOptions(
    RecurrentOptions, defaults={"cell": "gru", "bidirectional": True, "return_sequences": True}
):
    """The encoder's recurrent stack, and by default the decoder's: the cell, and every option of the Keras layer."""


# With these the network learns the bundled sample almost perfectly in three minutes; the recipes are for larger data.
class TranslationTrainingSettings(
    BucketedTrainingSettings,
    defaults={
        "epochs": 6,
        "tokens_per_batch": 1200,
        "learning_rate": 4e-3,
        "schedule": "linear",
        "beta_2": 0.98,
        "warmup_steps": 50,
        "global_clipnorm": 1.0,
    },
):
    """How the network is trained; tokens_per_batch counts the pieces of both languages."""

    monitor: Literal["loss", "bleu"] = "loss"
    """The validation metric that selects the weights to save; in loss each pair has the same weight."""
    bleu_epochs: int = Field(3, ge=0)
    """Measures BLEU of greedy translations of validation data every N epochs, and after the last; 0 never."""
    bleu_pairs: int = Field(500, ge=1)
    """Maximum number of validation pairs translated for it."""

    @model_validator(mode="after")
    def _monitored_metric_is_measured(self):
        if self.monitor == "bleu" and not self.bleu_epochs:
            raise ValueError("monitor=bleu does not go with bleu_epochs=0, which never measures it; take 1, or loss")
        return self


def _none(value):
    return None if value == "none" else value


PairNumbers = tuple[Annotated[int, Field(ge=1)], ...]


class TranslationEvaluationSettings(Settings):
    """What evaluate measures and draws."""

    bleu_tokenizer: Annotated[Literal["auto", "13a", "intl", "zh", "char"] | None, BeforeValidator(_none)] = "auto"
    """sacreBLEU's tokenizer; None splits at blanks only. auto goes by the script of the references: zh for Chinese,
    char for Japanese, Thai and other scripts without spaces, otherwise 13a."""
    attention_pairs: PairNumbers = (1, 2, 3)
    """Draws the attention for these pairs of the split, counted from 1; none draws nothing."""

    @property
    def sacrebleu_tokenizer(self) -> str:
        """The name that sacreBLEU gives to the tokenizer."""
        return self.bleu_tokenizer or "none"


class TranslationSettings(Settings):
    """Trains a translator: a sentence in, a sentence out."""

    data: TranslationSourceSettings = TranslationSourceSettings()
    vocabulary: TranslationVocabularySettings = TranslationVocabularySettings()
    network: TranslatorSettings = TranslatorSettings()
    recurrent: TranslationRecurrentOptions = TranslationRecurrentOptions()
    training: TranslationTrainingSettings = TranslationTrainingSettings()
    search: SearchSettings = SearchSettings()
    evaluation: TranslationEvaluationSettings = TranslationEvaluationSettings()

    @model_validator(mode="after")
    def _groups_agree(self):
        self.network.check_recurrent(self.recurrent)
        if self.search.coverage_penalty and self.network.attention is None:
            raise ValueError(
                f"coverage_penalty={self.search.coverage_penalty} does not go with attention=none: it counts what was "
                "attended to; leave it out"
            )
        if self.search.beam_size > self.vocabulary.vocabulary_size:
            raise ValueError(
                f"beam_size={self.search.beam_size} is more than the vocabulary has pieces "
                f"(at most {self.vocabulary.vocabulary_size}); take fewer"
            )
        return self


class SearchArguments(Settings):
    """Settings of the search that a command changes; those of the run if not given."""

    beam_size: int | None = None
    """Hypotheses followed at the same time; 1 is greedy search."""
    length_penalty: float | None = None
    """Above 0, favors longer translations."""
    coverage_penalty: float | None = None
    """Above 0, favors translations that attend to the whole source sentence."""
    min_length_ratio: float | None = None
    """Minimum number of pieces of a translation per piece of the source."""
    max_length_ratio: float | None = None
    """Maximum number of pieces of a translation per piece of the source, plus ten."""
    block_unknown: bool | None = None
    """Never generates the unknown piece; --no-block-unknown allows it."""
    no_repeat_ngram_size: int | None = None
    """Above 0, no n-gram of this many pieces occurs twice in a translation."""
    fold_upper_case: bool | None = None
    """Reads texts in capital letters in their usual case; --no-fold-upper-case reads them as they are."""
    copy_unknown: bool | None = None
    """Copies texts of which most characters are unknown to the vocabulary; --no-copy-unknown translates them."""

    @property
    def overrides(self) -> dict:
        """The settings of the search that are given here."""
        given = {name: getattr(self, name) for name in SearchArguments.model_fields}
        return {name: value for name, value in given.items() if value is not None}


class TranslationEvaluateArguments(SearchArguments, EvaluateRowsArguments):
    """Evaluates a run on a split; options that are not given are those of the run."""

    bleu_tokenizer: Literal["auto", "13a", "intl", "zh", "char", "none"] | None = None
    """sacreBLEU's tokenizer; auto chooses by the script of the references, none splits at blanks only."""
    attention_pairs: PairNumbers | None = None
    """Draws the attention for these pairs of the split, counted from 1; none draws nothing."""

    source_lang: str | None = None
    """With --data: the language to translate from; that of the training data if not given."""
    target_lang: str | None = None
    """With --data: the language to translate to; that of the training data if not given."""
    source_column: str | None = None
    """With --data: the column of the sentences to translate, whatever its name was in training."""
    target_column: str | None = None
    """With --data: the column of their translations."""

    @property
    def overrides(self) -> dict:
        """The settings of the search and of the evaluation that are given here."""
        given = {name: getattr(self, name) for name in TranslationEvaluationSettings.model_fields}
        return super().overrides | {name: value for name, value in given.items() if value is not None}


class TranslationExportArguments(SearchArguments, ExportArguments):
    """Writes a run as a SavedModel, the next version in its folder; the search is that of the run if not given."""


class TranslateArguments(SearchArguments, PredictArguments):
    """Translates with a run or an exported model; options that are not given are those of the run."""

    texts: Annotated[tuple[str, ...], tyro.conf.Positional] = ()
    """The sentences."""
    num_return_sequences: int = Field(1, ge=1)
    """Translations of each sentence, the best first; at most the beam size."""
    attention: str | None = None
    """Draws the attention for the first sentence into this PNG file."""

    @model_validator(mode="after")
    def _attention_of_one_input(self):
        if self.attention is not None and self.sharded:
            raise ValueError("--attention draws the first sentence of one input; leave it out, or name one file")
        return self
