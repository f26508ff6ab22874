"""Every setting of the sentiment task, in groups. Imports no TensorFlow.

Example:
    >>> data = {"data": "reviews.csv", "text_column": "text"}
    >>> settings = SentimentSettings(data=data, recurrent={"cell": "gru"}, training={"epochs": 3})
    >>> settings.recurrent.cell, settings.training.epochs
    ('gru', 3)
"""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from models.network_settings import ClassifierSettings
from models.recurrent_settings import RecurrentSettings, Settings
from tasks import comma_lists
from tasks.arguments import EvaluateRowsArguments, ExplainGatesArguments
from tasks.data.locations import shown
from tasks.settings import (
    Auto,
    BucketedTrainingSettings,
    Location,
    RecurrentOptions,
    RowSourceSettings,
    VocabularySettings,
    paths_as_text,
)


class SentimentSourceSettings(RowSourceSettings):
    """Where the labelled texts come from."""

    text_column: str | None = None
    """The column of the texts; if not given, text, or the input of a TensorFlow data set."""
    label_column: str | None = None
    """The column of the labels; if not given, label, or the target of a TensorFlow data set."""

    @property
    def read_columns(self) -> tuple[str, ...]:
        """The names of both columns."""
        return self.text_column or "text", self.label_column or "label"


class SentimentVocabularySettings(VocabularySettings):
    """The SentencePiece vocabulary, learned from the training texts."""

    vocabulary_type: Literal["auto", "unigram", "bpe", "char", "word"] = "auto"
    """The segmentation algorithm of SentencePiece; auto is char for Korean, Chinese, Japanese, Thai, else unigram."""


class SentimentNetworkSettings(ClassifierSettings):
    """The network around the recurrent stack: embedding, n-grams, pooling and the linear model beside it."""

    max_tokens: Auto | Annotated[int, Field(ge=1, le=1_000_000)] = "auto"
    """Maximum number of pieces of a text; longer texts are truncated. auto: 1,000 for long texts, else 400."""
    pool_size: Auto | Annotated[int, Field(ge=1, le=16)] = "auto"
    """Number of neighbouring embedding vectors to sum before the recurrent layers. auto: 2 or 4 for long texts."""
    wide_ngrams: Auto | Annotated[int, Field(ge=0, le=8)] = "auto"
    """Above 0, add a wide path: a linear model on the n-grams of 1 to N pieces. auto: 4 for characters, else 2 or 3."""
    wide_units: Literal["auto", "pieces", "characters"] = "auto"
    """What the n-grams of the wide path consist of. auto: characters for Korean, Chinese, Japanese, Thai."""
    wide_features: Literal["auto", "log_count_ratios", "tf_idf"] = "auto"
    """log_count_ratios is trained with the network; tf_idf is fitted before it. auto: tf_idf up to 20,000 texts."""
    wide_min_texts: Auto | Annotated[int, Field(ge=1)] = "auto"
    """Minimum number of training texts that contain an n-gram of the linear model. auto: 1 up to 2,000 texts, or 2."""
    wide_share: Auto | Annotated[float, Field(gt=0.0, lt=1.0)] = "auto"
    """Weight of the linear model's logits in the average of both paths. auto: chosen on the validation texts."""

    def check_recurrent(self, recurrent: RecurrentSettings) -> None:
        """Reject recurrent options that a classifier cannot use; see `ClassifierSettings.check_recurrent`."""
        ClassifierSettings.check_recurrent(self.provisional(), recurrent)

    def provisional(self) -> "SentimentNetworkSettings":
        """Return these settings with values in place of "auto", for checks before the data are read."""
        values = {"max_tokens": 400, "pool_size": 1, "wide_ngrams": 0, "wide_units": "pieces"}
        return self.model_copy(update={name: value for name, value in values.items() if getattr(self, name) == "auto"})


class SentimentRecurrentOptions(
    RecurrentOptions, defaults={"units": 64, "bidirectional": True, "return_sequences": True}
):
    """The recurrent stack: the cell, the number of layers, and every option of the Keras layer."""


class SentimentTrainingSettings(BucketedTrainingSettings, defaults={"schedule": "cosine"}):
    """How the network is trained."""

    epochs: Auto | Annotated[int, Field(ge=1)] = "auto"
    """Passes over the training data. auto: about 400 steps, in 2 to 14 passes."""
    tokens_per_batch: Auto | Annotated[int, Field(ge=1)] = "auto"
    """Maximum number of tokens in a batch, padding included. auto: 512 to 16,384, with at least 25 batches in a pass if
    there are enough texts."""
    learning_rate: Auto | Annotated[float, Field(gt=0.0)] = "auto"
    """The highest learning rate of the schedule. auto: 4e-3, or 1e-3 where a language model is fine-tuned."""

    patience: Auto | Annotated[int, Field(ge=1)] | None = "auto"
    """Stops after this number of epochs without improvement of the monitored metric; None never stops early. auto: 3 if
    epochs is auto too and monitor is loss, without steps_per_epoch and a language model."""
    monitor: Literal["loss", "accuracy", "macro_f1"] = "loss"
    """The validation metric that selects the weights to save; macro_f1 is of use where classes are unequal."""
    ngram_learning_rate: float = Field(0.03, gt=0.0)
    """Learning rate of the n-gram vectors. Adagrad trains them, without clipping, weight decay and moving average."""
    wide_learning_rate: float = Field(0.1, gt=0.0)
    """Learning rate of the linear model on n-grams. Adagrad trains it, without clipping, weight decay and moving
    average."""
    class_weight: str | None = None
    """balanced (each class has the same total weight), or NAME=WEIGHT,... ; None gives each text the same weight."""
    vectors: str | None = None
    """Initializes the embedding with word vectors: a word2vec or fastText file in .vec format."""
    pretrained: Annotated[str, BeforeValidator(paths_as_text)] | None = None
    """Begins with a language model of tasks.chargen: its run, or RUN,RUN of both directions. Vocabulary, embedding and
    recurrent stack are taken from there."""
    fine_tuning: Auto | Literal["off", "gradual"] = "auto"
    """With a language model. off: a linear classifier on the frozen language model is fitted. gradual: the layers are
    then trained too, one more in each epoch, from the last one to the embedding; gradients are clipped for each group
    of layers with its own learning rate. auto: gradual from 10,000 texts on, and with ngrams, lm_loss_weight or
    adversarial_epsilon."""
    unlabelled: Location | None = None
    """First trains language models on the texts of this source, in RUN-lm or where pretrained says; finished ones are
    not trained again. bidirectional adds RUN-lm-backward."""
    unlabelled_column: str | None = None
    """The column of these texts; if not given, that of the labelled texts, or text. Files without it have a text on
    each line."""
    unlabelled_splits: Annotated[str, Field(min_length=1)] | None = None
    """The splits that are read, such as train+unsupervised; if not given, train, and unsupervised if there is one."""
    lm_epochs: Annotated[int, Field(ge=1)] | None = None
    """Passes over the texts without labels; if not given, by their length."""
    lm_loss_weight: float = Field(0.0, ge=0.0)
    """With fine-tuning: the weight of the language models' loss, which is added to that of the classifier, such as 0.1.
    loss includes it, val_loss does not."""
    adversarial_epsilon: float = Field(0.0, ge=0.0)
    """Above 0, adversarial training (Miyato et al. 2017): adds the loss with token vectors that were moved, by this
    share of their length, to where the cross-entropy grows fastest, such as 0.02. loss includes it, val_loss does not.
    A step takes two to three times as long."""

    @model_validator(mode="after")
    def _weights_begin_in_one_way(self):
        names = ("vectors", "unlabelled", "pretrained", "initial_run")
        given = {name: shown(value) for name in names if (value := getattr(self, name))}
        if len(given) > 1 and {*given} != {"unlabelled", "pretrained"}:
            (first, value), *_, (second, other) = given.items()
            raise ValueError(
                f"{first}={value} does not go with {second}={other}: the weights begin in one way; leave one of them "
                "out"
            )
        if self.fine_tuning == "gradual" and self.pretrained is None and self.unlabelled is None:
            raise ValueError(
                "fine_tuning=gradual needs a language model: add --pretrained or --unlabelled, or leave it out"
            )
        if self.lm_loss_weight and (self.fine_tuning == "off" or not (self.pretrained or self.unlabelled)):
            reason = "add --fine-tuning gradual" if self.fine_tuning == "off" else "add --pretrained or --unlabelled"
            raise ValueError(
                f"lm_loss_weight={self.lm_loss_weight:g} is for the fine-tuning of a language model: {reason}, or "
                "leave it out"
            )
        if self.adversarial_epsilon and self.fine_tuning == "off" and (self.pretrained or self.unlabelled):
            raise ValueError(
                f"adversarial_epsilon={self.adversarial_epsilon:g} needs fine_tuning=gradual: with fine_tuning=off the "
                "language model is not trained; leave one of them out"
            )
        if self.adversarial_epsilon and self.lm_loss_weight:
            raise ValueError(
                f"adversarial_epsilon={self.adversarial_epsilon:g} does not go with "
                f"lm_loss_weight={self.lm_loss_weight:g}; leave one of them out"
            )
        for name in ("unlabelled_column", "unlabelled_splits", "lm_epochs"):
            if self.unlabelled is None and (value := getattr(self, name)) is not None:
                raise ValueError(f"{name}={value} is for texts without labels: add --unlabelled, or leave it out")
        return self

    @field_validator("class_weight")
    @classmethod
    def _class_weight_has_its_form(cls, value: str | None) -> str | None:
        for name, number in comma_lists.pairs(value, "NAME=WEIGHT") if value not in (None, "balanced") else []:
            try:
                float(number)
            except ValueError:
                raise ValueError(
                    f"{f'{name}={number}'!r} is not NAME=WEIGHT; give one for each class to weigh, or balanced"
                ) from None
        return value


class SentimentSettings(Settings):
    """Trains a classifier: a text in, a label and its probability out."""

    data: SentimentSourceSettings = SentimentSourceSettings()
    vocabulary: SentimentVocabularySettings = SentimentVocabularySettings()
    network: SentimentNetworkSettings = SentimentNetworkSettings()
    recurrent: SentimentRecurrentOptions = SentimentRecurrentOptions()
    training: SentimentTrainingSettings = SentimentTrainingSettings()

    @model_validator(mode="after")
    def _groups_agree(self):
        self.network.check_recurrent(self.recurrent)
        training, ngrams = self.training, self.network.ngrams
        for name in ("pretrained", "unlabelled"):
            if not (value := getattr(training, name)):
                continue
            if self.network.pooling == "attention":
                raise ValueError(
                    f"pooling=attention does not go with {name}={shown(value)}: the linear classifier is fitted "
                    "before attention is trained; leave it out"
                )
            if ngrams > 1 and training.fine_tuning == "off":
                raise ValueError(
                    f"ngrams={ngrams} needs fine_tuning=gradual: with fine_tuning=off the n-gram vectors stay zero; "
                    "leave one of them out"
                )
            backward = self.recurrent.bidirectional or self.recurrent.go_backwards
            if ngrams > 1 and training.lm_loss_weight and backward:
                raise ValueError(
                    f"ngrams={ngrams} does not go with lm_loss_weight={training.lm_loss_weight:g}: an n-gram contains "
                    "the piece that a backward language model predicts; leave one of them out"
                )
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
