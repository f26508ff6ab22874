"""Every setting of the translation task, in groups. Imports no TensorFlow."""

from typing import Annotated, Literal

import tyro
from pydantic import Field, model_validator

from models.network_settings import SearchSettings, TranslatorSettings
from models.recurrent_settings import Rate, Settings
from tasks.settings import (
    BucketedTrainingSettings,
    EvaluateArguments,
    PredictArguments,
    RecurrentOptions,
    VocabularySettings,
)

# The bundled sample's, where no others are named.
SAMPLE_LANGUAGES = ("en", "ko")


class DataSettings(Settings):
    """Where the sentence pairs come from."""

    data: str = "sample"
    """sample, tfds:NAME[/CONFIG], a file (.csv .tsv .txt .jsonl .parquet, also .gz) or a folder."""
    source_lang: str | None = None
    """The language to translate from: in a folder the ending of its files (train.en), elsewhere a column."""
    target_lang: str | None = None
    """The language to translate to."""
    source_column: str | None = None
    """A table's column of the sentences to translate; another name for source_lang."""
    target_column: str | None = None
    """A table's column of their translations; another name for target_lang."""
    max_pair_ratio: float = Field(9.0, gt=1.0)
    """Training pairs are left out where one side has so many times the pieces of the other."""
    validation_fraction: float = Field(0.05, gt=0.0, lt=1.0)
    """Share of the training pairs that validate, where the source has no validation split."""
    test_fraction: float = Field(0.1, ge=0.0, lt=1.0)
    """Share of the pairs that test, where the source is all training pairs."""

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
        """What the data calls the two sides; None each where it is to tell by itself."""
        names = (self.source_lang or self.source_column, self.target_lang or self.target_column)
        if self.data != "sample":
            return names
        english, korean = SAMPLE_LANGUAGES
        source = names[0] or (english if names[1] != english else korean)
        return source, names[1] or (korean if source != korean else english)


class TranslationVocabularySettings(VocabularySettings):
    """The SentencePiece vocabularies, learned from the training pairs."""

    # The sample's grammar has some hundred words, and an ending stands apart from its word.
    vocabulary_size: int = Field(1200, ge=16, le=1_000_000)
    """Pieces of each language at the most; a small corpus gives fewer."""
    # Where words are few, unigram leaves frequent ones in parts: it only takes pieces that several words share.
    vocabulary_type: Literal["unigram", "bpe", "char", "word"] = "bpe"
    """How text is cut into pieces."""
    split_digits: bool = True
    """Each digit is a piece of its own, so that numbers never seen are read like others."""
    character_coverage: float = Field(1.0, gt=0.0, le=1.0)
    """Share of all characters that get a piece; the rest is unknown."""
    joint_vocabulary: bool = False
    """One vocabulary, learned from both languages."""
    segmentation_alpha: float | None = Field(None, gt=0.0, le=1.0)
    """In training words are cut in ways drawn anew: unigram with p ** alpha (Kudo 2018), bpe without this share of the
    merges (Provilkov et al. 2020). None always takes the best way."""

    @model_validator(mode="after")
    def _words_have_ways(self):
        if self.segmentation_alpha is not None and self.vocabulary_type not in ("unigram", "bpe"):
            raise ValueError(
                f"segmentation_alpha={self.segmentation_alpha} does not go with vocabulary_type="
                f"{self.vocabulary_type}, which cuts a word in one way only; take unigram or bpe"
            )
        return self


class TranslationRecurrentOptions(RecurrentOptions):
    """The encoder's recurrent stack, and by default the decoder's: which cell, and every option of the Keras layer."""

    cell: Literal["lstm", "gru", "simple_rnn"] = "gru"
    """The layer: keras.layers.LSTM, GRU or SimpleRNN."""
    bidirectional: bool = True
    """Reads in both directions (keras.layers.Bidirectional)."""
    return_sequences: bool = True
    """Gives the output of every step, which attention reads; without attention only the last counts."""


class TranslationTrainingSettings(BucketedTrainingSettings):
    """How the network is trained."""

    # These read the bundled sample almost without a mistake in three minutes; the recipes have others for larger data.
    epochs: int = Field(6, ge=1)
    """Passes over the training data, or so many times steps_per_epoch."""
    tokens_per_batch: int = Field(1200, ge=1)
    """Size of a batch in pieces of both languages, padding included; pairs of like lengths share a batch."""
    learning_rate: float = Field(4e-3, gt=0.0)
    """The highest learning rate of the schedule."""
    schedule: Literal["constant", "linear", "cosine"] = "linear"
    """How the rate falls, to zero at the last step."""
    beta_2: Rate = 0.98
    """Of Adam and AdamW: the decay of the mean of squared gradients; lower for short trainings."""
    warmup_steps: int = Field(50, ge=0)
    """Steps in which the rate rises to its height; a fifth of all steps at the most."""
    global_clipnorm: float | None = Field(1.0, gt=0.0)
    """Clips all gradients together to this norm."""
    label_smoothing: Rate = 0.0
    """This share of the target is spread over all pieces."""
    monitor: Literal["loss", "bleu"] = "loss"
    """The validation figure that picks the weights to keep; in loss each pair counts the same, however long."""
    bleu_epochs: int = Field(3, ge=0)
    """BLEU of greedy translations of validation data after every so many epochs, and after the last; 0 never."""
    bleu_pairs: int = Field(500, ge=1)
    """So many validation pairs are translated for it at the most."""

    @model_validator(mode="after")
    def _monitored_is_measured(self):
        if self.monitor == "bleu" and not self.bleu_epochs:
            raise ValueError("monitor=bleu does not go with bleu_epochs=0, which never measures it; take 1, or loss")
        return self


class TranslationEvaluationSettings(Settings):
    """What evaluate measures and draws."""

    bleu_tokenizer: Literal["13a", "intl", "zh", "char"] | None = "13a"
    """sacreBLEU's tokenizer; None splits at blanks alone, and for Korean and Japanese char is of use."""

    @property
    def sacrebleu_tokenizer(self) -> str:
        """sacreBLEU's own name of it."""
        return self.bleu_tokenizer or "none"

    attention_pairs: tuple[Annotated[int, Field(ge=1)], ...] = (1, 2, 3)
    """The attention for these pairs of the split, counted from 1, is drawn."""


class TranslationSettings(Settings):
    """Trains a translator: a sentence in, a sentence out."""

    data: DataSettings = DataSettings()
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
                f"({self.vocabulary.vocabulary_size} at the most); take fewer"
            )
        return self


class TranslationEvaluateArguments(EvaluateArguments):
    """Measures a run on a split."""

    source_lang: str | None = None
    """With --data: the language to translate from; that of the training data if not given."""
    target_lang: str | None = None
    """With --data: the language to translate to; that of the training data if not given."""
    source_column: str | None = None
    """With --data: a table's column of the sentences to translate, whatever it was called in training."""
    target_column: str | None = None
    """With --data: a table's column of their translations."""
    beam_size: int | None = None
    """Another than the run's."""
    length_penalty: float | None = None
    """Another than the run's."""


class TranslateArguments(PredictArguments):
    """Translates, by a run or an exported model; what is not given is as in the run's settings."""

    texts: Annotated[tuple[str, ...], tyro.conf.Positional] = ()
    """The sentences."""
    n_best: int = Field(1, ge=1)
    """So many translations of each sentence, the best first; needs a beam as wide."""
    beam_size: int | None = None
    """Hypotheses that are followed side by side."""
    length_penalty: float | None = None
    """Above 0 favours longer translations."""
    attention: str | None = None
    """Draws the attention for the first sentence into this PNG file."""
