"""Every setting of the sentiment task, in groups. Imports no TensorFlow."""

from typing import Literal

from pydantic import Field, field_validator, model_validator

from models.network_settings import ClassifierSettings
from models.recurrent_settings import Rate, Settings
from tasks.settings import (
    BucketedTrainingSettings,
    EvaluateArguments,
    ExplainGatesArguments,
    RecurrentOptions,
    VocabularySettings,
)


class DataSettings(Settings):
    """Where the texts come from."""

    data: str = "sample"
    """sample, tfds:NAME[/CONFIG], a file (.csv .tsv .txt .jsonl .parquet, also .gz) or a folder."""
    text_column: str | None = None
    """The column of the texts; text, or the data set's own, if not given."""
    label_column: str | None = None
    """The column of the labels; label, or the data set's own, if not given."""
    validation_fraction: float = Field(0.1, gt=0.0, lt=1.0)
    """Share of the training texts that validate, where the source has no validation split."""
    test_fraction: float = Field(0.1, ge=0.0, lt=1.0)
    """Share of the texts that test, where the source is all training texts."""


class SentimentRecurrentOptions(RecurrentOptions):
    """The recurrent stack: which cell, how many layers, and every option of the Keras layer."""

    units: int = Field(64, ge=1)
    """Size of the state."""
    bidirectional: bool = True
    """Reads in both directions (keras.layers.Bidirectional)."""
    return_sequences: bool = True
    """Gives the output of every step, not only the last."""


class SentimentTrainingSettings(BucketedTrainingSettings):
    """How the network is trained."""

    # These read the bundled sample almost perfectly in half a minute; the recipes have others for larger data.
    epochs: int = Field(14, ge=1)
    """Passes over the training data, or so many times steps_per_epoch."""
    tokens_per_batch: int = Field(2048, ge=1)
    """Size of a batch in tokens, padding included; texts of like length share a batch."""
    learning_rate: float = Field(4e-3, gt=0.0)
    """The highest learning rate of the schedule."""
    schedule: Literal["constant", "linear", "cosine"] = "cosine"
    """How the rate falls, to zero at the last step."""
    ngram_learning_rate: float = Field(0.03, gt=0.0)
    """Of the n-gram vectors, which Adagrad trains."""
    wide_learning_rate: float = Field(0.1, gt=0.0)
    """Of the linear model on n-grams, which Adagrad trains."""
    label_smoothing: Rate = 0.0
    """This share of the target is spread over all classes."""
    class_weights: str | None = None
    """balanced (each class counts the same), or NAME=WEIGHT,... ; None counts each text the same."""
    vectors: str | None = None
    """Begins the embedding with word vectors: a word2vec or fastText file in .vec format."""

    @field_validator("class_weights")
    @classmethod
    def _class_weights_have_their_form(cls, value: str | None) -> str | None:
        for part in (value or "").split(",") if value not in (None, "balanced") else []:
            try:
                _, number = part.rsplit("=", 1)
                float(number)
            except ValueError:
                raise ValueError(
                    f"{part!r} is not NAME=WEIGHT; give one for each class to weigh, or balanced"
                ) from None
        return value


class SentimentSettings(Settings):
    """Trains a classifier: a text in, a label and its probability out."""

    data: DataSettings = DataSettings()
    vocabulary: VocabularySettings = VocabularySettings()
    classifier: ClassifierSettings = ClassifierSettings()
    recurrent: SentimentRecurrentOptions = SentimentRecurrentOptions()
    training: SentimentTrainingSettings = SentimentTrainingSettings()

    @model_validator(mode="after")
    def _groups_agree(self):
        self.classifier.check_recurrent(self.recurrent)
        return self


class SentimentEvaluateArguments(EvaluateArguments):
    """Measures a run on a split."""

    text_column: str | None = None
    """The column of the texts; that of the training data if not given."""
    label_column: str | None = None
    """The column of the labels; that of the training data if not given."""


class SentimentExplainArguments(ExplainGatesArguments):
    """Shows how a run's verdict forms: after each token, with what each adds, and the gates at work."""

    label: str | None = None
    """The class that is explained; the likeliest if not given."""
