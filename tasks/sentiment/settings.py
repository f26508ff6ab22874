"""Every setting of the sentiment task, in groups. Imports no TensorFlow."""

from typing import Literal

from pydantic import Field, field_validator, model_validator

from models.network_settings import ClassifierSettings
from models.recurrent_settings import Settings
from tasks.arguments import EvaluateRowsArguments, ExplainGatesArguments
from tasks.settings import BucketedTrainingSettings, RecurrentOptions, RowSourceSettings, VocabularySettings


class SentimentSourceSettings(RowSourceSettings):
    """Where the labelled texts come from."""

    text_column: str | None = None
    """The column of the texts; if not given, text, or the input of a TensorFlow data set."""
    label_column: str | None = None
    """The column of the labels; if not given, label, or the target of a TensorFlow data set."""


class SentimentRecurrentOptions(
    RecurrentOptions, defaults={"units": 64, "bidirectional": True, "return_sequences": True}
):
    """The recurrent stack: the cell, the number of layers, and every option of the Keras layer."""


# With these the network learns the bundled sample almost perfectly in half a minute; the recipes are for larger data.
class SentimentTrainingSettings(
    BucketedTrainingSettings,
    defaults={"epochs": 14, "tokens_per_batch": 2048, "learning_rate": 4e-3, "schedule": "cosine"},
):
    """How the network is trained."""

    monitor: Literal["loss", "accuracy", "macro_f1"] = "loss"
    """The validation metric that selects the weights to save; macro_f1 is of use where classes are unequal."""
    ngram_learning_rate: float = Field(0.03, gt=0.0)
    """Learning rate of the n-gram vectors, which Adagrad trains."""
    wide_learning_rate: float = Field(0.1, gt=0.0)
    """Learning rate of the linear model on n-grams, which Adagrad trains."""
    class_weight: str | None = None
    """balanced (each class has the same total weight), or NAME=WEIGHT,... ; None gives each text the same weight."""
    vectors: str | None = None
    """Initializes the embedding with word vectors: a word2vec or fastText file in .vec format."""

    @model_validator(mode="after")
    def _weights_begin_in_one_way(self):
        if self.vectors is not None and self.initial_run is not None:
            raise ValueError(
                f"vectors={self.vectors} does not go with initial_run={self.initial_run}, whose embedding is trained "
                "on; leave one of them out"
            )
        return self

    @field_validator("class_weight")
    @classmethod
    def _class_weight_has_its_form(cls, value: str | None) -> str | None:
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

    data: SentimentSourceSettings = SentimentSourceSettings()
    vocabulary: VocabularySettings = VocabularySettings()
    network: ClassifierSettings = ClassifierSettings()
    recurrent: SentimentRecurrentOptions = SentimentRecurrentOptions()
    training: SentimentTrainingSettings = SentimentTrainingSettings()

    @model_validator(mode="after")
    def _groups_agree(self):
        self.network.check_recurrent(self.recurrent)
        return self


class SentimentEvaluateArguments(EvaluateRowsArguments):
    """Evaluates a run on a split."""

    text_column: str | None = None
    """The column of the texts; the one used in training if not given."""
    label_column: str | None = None
    """The column of the labels; the one used in training if not given."""
    baseline: bool = True
    """Also fits a linear model on the training texts and reports its accuracy."""

    @property
    def overrides(self) -> dict:
        """Whether a linear model is fitted too."""
        return {"baseline": self.baseline}


class SentimentExplainArguments(ExplainGatesArguments):
    """Shows how a run classifies a text: the probability after each token, each token's contribution, and the gates."""

    label: str | None = None
    """The class that is explained; the most probable one if not given."""
