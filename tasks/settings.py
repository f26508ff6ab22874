"""Settings that all tasks share. Imports no TensorFlow.

A task changes the defaults of a group with the class keyword `defaults`, and declares only the fields that it adds.
"""

import numbers
import os
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import tyro
from pydantic import (
    BeforeValidator,
    Field,
    SerializationInfo,
    WrapSerializer,
    WrapValidator,
    field_serializer,
    model_validator,
)

from models.recurrent_settings import Rate, RecurrentSettings, Settings
from tasks.errors import UserError
from tasks.file_options import FileOptions
from tasks.in_memory import EXPECTED, InMemory, in_memory
from tasks.optimizer_options import OPTIMIZERS
from tasks.url_secrets import has_secret

OptimizerName = Literal[tuple(OPTIMIZERS)]
Schedule = Literal["constant", "linear", "cosine"]
Auto = Literal["auto"]  # a task resolves it when it knows the training data; see `tasks.task.Task.resolve`


class RecurrentOptions(RecurrentSettings):
    """The recurrent stack: the cell, the number of layers, and every option of the Keras layer."""

    # `--seed` is the seed of the whole training, so the layers' own seed has a longer name.
    seed: Annotated[int | None, tyro.conf.arg(name="recurrent-seed")] = Field(None, ge=0)
    """Seed of the layers' dropout masks; layer i of a stack uses seed + i."""


def paths_as_text(value):
    """Return a `Path` as text, and the only one of several locations as one; a caller in Python may have these.

    Raises:
        UserError: If a location is a URL with a secret.
    """
    if isinstance(value, (list, tuple)):
        values = tuple(paths_as_text(one) for one in value)
        return values[0] if len(values) == 1 else values
    value = os.fspath(value) if isinstance(value, os.PathLike) else value
    if isinstance(value, str) and has_secret(value):
        raise UserError(
            f"{value}: credentials are not part of a URL, which is stored with the settings; those of cloud storage "
            "are read from where its own tools put them, and other files are downloaded before"
        )
    return value


def _located(value: Any, validate) -> Any:
    """Validate a location, unless it is data that a caller in Python has in memory."""
    found = in_memory(value)
    if found is not None:
        return found
    if isinstance(value, (numbers.Number, bytes, bytearray)):
        raise UserError(f"a {type(value).__name__} is no source of data; expected {EXPECTED}")
    return validate(paths_as_text(value))


def _located_files(value: Any, validate) -> Any:
    """Validate the files of a split, of which a caller in Python may have the records in memory."""
    if isinstance(value, tuple) and any(isinstance(one, InMemory) for one in value):
        return value
    found = None if isinstance(value, (list, tuple)) and not value else in_memory(value)
    if found is not None:
        return (found,)
    values = [value] if isinstance(value, (str, os.PathLike)) else value
    return validate(tuple(map(paths_as_text, values)) if values else values)


def _kept(value: Any, serialize, info: SerializationInfo) -> Any:
    """Serialize a location; of data in memory, settings.json contains a description with a digest."""
    if not isinstance(value, InMemory):
        return serialize(value)
    return value.described(value.names or ()) if info.mode == "json" else value


# Where data is: a location, or several files; see `tasks.data.locations`. In Python a `Path` too, or the data itself.
Location = Annotated[
    str | Annotated[tuple[str, ...], Field(min_length=1)],
    WrapValidator(_located),
    WrapSerializer(_kept),
    tyro.conf.arg(metavar="LOCATION [LOCATION ...]"),
]
Files = Annotated[
    tuple[Annotated[str, Field(min_length=1)], ...],
    WrapValidator(_located_files),
    tyro.conf.arg(metavar="FILE [FILE ...]"),
]


class DataSettings(Settings):
    """The training data."""

    data: Location = "sample"
    """sample, tfds:NAME[/CONFIG], a file (.csv .tsv .txt .jsonl .parquet, also .gz), several, a pattern such as
    'data/*.csv', or a folder; also as URLs: s3://, gs://, abfss://, file://."""

    @model_validator(mode="before")
    @classmethod
    def _data_alone(cls, value: Any) -> Any:
        """Take `data=frame` for `data={"data": frame}`."""
        return value if isinstance(value, (Mapping, DataSettings)) else {"data": value}

    @property
    def read_columns(self) -> tuple[str, ...]:
        """The names of the columns that are read, as tables in memory have them."""
        return (getattr(self, "text_column", None) or "text",)

    @field_serializer("data", "train_files", "validation_files", "test_files", mode="wrap", check_fields=False)
    def _described(self, value: Any, serialize, info) -> Any:
        """Describe data in memory for settings.json, with a digest of the columns that are read."""
        if info.mode != "json":
            return value
        if isinstance(value, tuple):
            return [one.described(self.read_columns) if isinstance(one, InMemory) else one for one in value]
        return value.described(self.read_columns) if isinstance(value, InMemory) else value


class SourceSettings(FileOptions, DataSettings):
    """Where the training data comes from."""

    validation_fraction: float = Field(0.1, gt=0.0, lt=1.0)
    """Share of the training data used for validation if the source has no validation split."""
    test_fraction: float = Field(0.1, ge=0.0, lt=1.0)
    """Share of the data used for testing if the source has nothing but training data."""
    train_files: Files = ()
    """Files of the training split: names or patterns, also of files in the folder of data. Without data, all of it."""
    validation_files: Files = ()
    """Files of the validation split, likewise."""
    test_files: Files = ()
    """Files of the test split, likewise."""

    @model_validator(mode="after")
    def _training_data_once(self):
        if isinstance(self.data, InMemory) and self.train_files:
            raise UserError(f"data and train_files are both given, and data is a {self.data}; leave out one of them")
        return self

    @property
    def split_files(self) -> dict[str, tuple[str | InMemory, ...]]:
        """Split -> the files that are named for it, or its records in memory, of the splits that have any."""
        named = {"train": self.train_files, "validation": self.validation_files, "test": self.test_files}
        return {split: files for split, files in named.items() if files}


class RowSourceSettings(SourceSettings):
    """Where training data comes from that has rows."""

    skip_bad_rows: bool = False
    """Leaves out rows that cannot be used, and counts them; otherwise they are errors."""


Normalization = Literal["nmt_nfkc", "nmt_nfkc_cf", "nfkc", "nfkc_cf", "identity"]


class VocabularySettings(Settings):
    """The SentencePiece vocabulary, learned from the training texts."""

    vocabulary_size: int = Field(8000, ge=16, le=1_000_000)
    """Maximum number of pieces; a small corpus has fewer."""
    vocabulary_type: Literal["unigram", "bpe", "char", "word"] = "unigram"
    """The segmentation algorithm of SentencePiece."""
    normalization: Normalization = "nmt_nfkc"
    """SentencePiece's normalization rule; the rules that end in _cf fold case."""
    character_coverage: float = Field(0.9995, gt=0.0, le=1.0)
    """Share of all characters that the vocabulary covers; the others are unknown."""
    split_digits: bool = False
    """Makes each digit a piece, so that unseen numbers are segmented like known ones."""
    vocabulary_texts: int = Field(100_000, ge=1)
    """Maximum number of training texts that the vocabulary is learned from; of them, at most 15 million characters."""


class TrainingSettings(Settings):
    """How the network is trained."""

    epochs: int = Field(10, ge=1)
    """Passes over the training data; with steps_per_epoch, the number of validations."""
    initial_run: Annotated[str, BeforeValidator(paths_as_text)] | None = None
    """Trains on from the weights and with the vocabulary of this finished run, and a new optimizer. Settings that are
    not given, the data too, are those of that run."""
    steps_per_epoch: int | None = Field(None, ge=1)
    """Steps between two validations; None is one pass over the training data."""
    optimizer: OptimizerName = "adam"
    """The keras.optimizers class."""
    learning_rate: float = Field(1e-3, gt=0.0)
    """The highest learning rate of the schedule."""
    schedule: Schedule = "constant"
    """How the learning rate decreases, to zero at the last step."""
    warmup_steps: int = Field(0, ge=0)
    """Steps in which the learning rate rises to its maximum; at most a fifth of all steps."""
    weight_decay: float = Field(0.0, ge=0.0)
    """Weight decay of AdamW and SGD, on every weight but biases."""
    momentum: float = Field(0.0, ge=0.0, lt=1.0)
    """Momentum of SGD and RMSprop."""
    beta_2: Rate = 0.999
    """Decay of Adam's and AdamW's mean of squared gradients; lower for short trainings."""
    clipnorm: float | None = Field(None, gt=0.0)
    """Clips the gradient of each variable to this norm."""
    global_clipnorm: float | None = Field(None, gt=0.0)
    """Clips all gradients together to this norm."""
    clipvalue: float | None = Field(None, gt=0.0)
    """Clips each gradient value to [-clipvalue, clipvalue]."""
    ema_momentum: Rate = 0.0
    """Decay of the moving average of the weights, which is then validated and saved, such as 0.999; 0 uses none."""
    monitor: Literal["loss", "accuracy"] = "loss"
    """The validation metric that selects the weights to save."""
    patience: int | None = Field(None, ge=1)
    """Stops after this number of epochs without improvement of the monitored metric; None never stops early."""
    precision: Literal["float32", "mixed_bfloat16", "mixed_float16", "float64"] = "float32"
    """Keras's dtype policy. The mixed policies are for accelerators; mixed_bfloat16 is also faster for layers of some
    hundred units on a processor with instructions for it (AVX512_BF16, AMX)."""
    seed: int = Field(0, ge=0, lt=1 << 32)
    """Seed of the initial weights, the order of the batches and the dropout."""
    checkpoint_minutes: float = Field(5.0, gt=0.0)
    """Maximum minutes between two checkpoints; one is also written after each epoch."""

    @model_validator(mode="after")
    def _options_of_the_optimizer(self):
        clippings = {name: getattr(self, name) for name in ("clipnorm", "global_clipnorm", "clipvalue")}
        given = [f"{name}={value}" for name, value in clippings.items() if value is not None]
        if len(given) > 1:
            raise ValueError(f"{' and '.join(given)}: Keras clips one way at a time; keep one of them")
        for name in sorted({name for optimizer in OPTIMIZERS.values() for name in optimizer.options}):
            value = getattr(self, name)
            if value != type(self).model_fields[name].default and name not in OPTIMIZERS[self.optimizer].options:
                others = [other for other, optimizer in OPTIMIZERS.items() if name in optimizer.options]
                raise ValueError(
                    f"{name}={value} does not go with optimizer={self.optimizer}; take {' or '.join(others)}"
                )
        return self


class BucketedTrainingSettings(TrainingSettings):
    """How a network is trained on texts of different lengths."""

    tokens_per_batch: int = Field(8192, ge=1)
    """Maximum number of tokens in a batch, padding included; texts of similar length share a batch."""
    label_smoothing: Rate = 0.0
    """Share of the target probability that is spread over all classes or pieces."""
