"""The settings and arguments that all tasks share. Imports no TensorFlow."""

from pathlib import Path
from typing import Annotated, Literal

import tyro
from pydantic import Field, field_validator, model_validator

from models.recurrent_settings import Rate, RecurrentSettings, Settings


class RecurrentOptions(RecurrentSettings):
    """RecurrentSettings, on the command line."""

    # `--seed` is the whole training's, so the layer's own gets a longer name.
    seed: Annotated[int | None, tyro.conf.arg(name="recurrent-seed")] = Field(None, ge=0)
    """Of the layers' dropout masks; layer i of a stack takes seed + i."""


class VocabularySettings(Settings):
    """The SentencePiece vocabulary, learned from the training texts."""

    vocabulary_size: int = Field(8000, ge=16, le=1_000_000)
    """Pieces at the most; a small corpus gives fewer."""
    vocabulary_type: Literal["unigram", "bpe", "char", "word"] = "unigram"
    """How text is cut into pieces."""
    normalization: Literal["nmt_nfkc", "nmt_nfkc_cf", "nfkc", "nfkc_cf", "identity"] = "nmt_nfkc"
    """SentencePiece's rule for spelling; those in _cf fold case."""
    character_coverage: float = Field(0.9995, gt=0.0, le=1.0)
    """Share of all characters that get a piece; the rest is unknown."""
    split_digits: bool = False
    """Each digit is a piece of its own, so that numbers never seen are read like others."""
    vocabulary_texts: int = Field(100_000, ge=1)
    """The vocabulary is learned from a sample of so many texts at the most."""


class TrainingSettings(Settings):
    """How the network is trained."""

    epochs: int = Field(10, ge=1)
    """Passes over the training data, or so many times steps_per_epoch."""
    steps_per_epoch: int | None = Field(None, ge=1)
    """Steps from one validation to the next; None is one pass over the training data."""
    optimizer: Literal["adam", "adamw", "sgd", "rmsprop"] = "adam"
    """The keras.optimizers class."""
    learning_rate: float = Field(1e-3, gt=0.0)
    """The highest learning rate of the schedule."""
    schedule: Literal["constant", "linear", "cosine"] = "constant"
    """How the rate falls, to zero at the last step."""
    warmup_steps: int = Field(0, ge=0)
    """Steps in which the rate rises to its height; a fifth of all steps at the most."""
    weight_decay: float = Field(0.0, ge=0.0)
    """Of AdamW and SGD, on every weight but biases."""
    momentum: float = Field(0.0, ge=0.0, lt=1.0)
    """Of SGD and RMSprop."""
    beta_2: Rate = 0.999
    """Of Adam and AdamW: the decay of the mean of squared gradients; lower for short trainings."""
    clipnorm: float | None = Field(None, gt=0.0)
    """Clips each variable's gradient to this norm."""
    global_clipnorm: float | None = Field(None, gt=0.0)
    """Clips all gradients together to this norm."""
    clipvalue: float | None = Field(None, gt=0.0)
    """Clips each gradient value to [-clipvalue, clipvalue]."""
    average_weights: Rate = 0.0
    """Decay of the running average of the weights that is validated and kept (0.999, say); 0 keeps the last weights."""
    monitor: Literal["loss", "accuracy"] = "loss"
    """The validation figure that picks the weights to keep."""
    patience: int | None = Field(None, ge=1)
    """Stops after so many epochs without a better validation figure; None never stops early."""
    precision: Literal["float32", "mixed_bfloat16", "mixed_float16", "float64"] = "float32"
    """Keras's dtype policy; the mixed ones are for accelerators."""
    seed: int = Field(0, ge=0, lt=1 << 32)
    """Of the initial weights, the order of the batches and the dropout."""
    checkpoint_minutes: float = Field(5.0, gt=0.0)
    """A checkpoint at least so often, and after each epoch."""

    @model_validator(mode="after")
    def _options_of_the_optimizer(self):
        clippings = {name: getattr(self, name) for name in ("clipnorm", "global_clipnorm", "clipvalue")}
        given = [f"{name}={value}" for name, value in clippings.items() if value is not None]
        if len(given) > 1:
            raise ValueError(f"{' and '.join(given)}: Keras clips one way at a time; keep one of them")
        for name, off, having in (
            ("weight_decay", 0.0, ("adamw", "sgd")),
            ("momentum", 0.0, ("sgd", "rmsprop")),
            ("beta_2", type(self).model_fields["beta_2"].default, ("adam", "adamw")),
        ):
            value = getattr(self, name)
            if value != off and self.optimizer not in having:
                raise ValueError(
                    f"{name}={value} does not go with optimizer={self.optimizer}; take {' or '.join(having)}"
                )
        return self


class BucketedTrainingSettings(TrainingSettings):
    """How a network is trained on texts of different lengths."""

    tokens_per_batch: int = Field(8192, ge=1)
    """Size of a batch in tokens, padding included; texts of like length share a batch."""


class EvaluateArguments(Settings):
    """Measures a run on a split."""

    run: str
    """The run's folder."""
    data: str | None = None
    """Another source than the run's own: sample, tfds:NAME, a file (read whole) or a folder."""
    split: str = "test"
    """train, validation or test; several joined with +."""
    json_: Annotated[bool, tyro.conf.arg(name="json")] = False
    """Prints one JSON object."""


class PredictArguments(Settings):
    """Answers for texts, from a run or from an exported model."""

    texts: Annotated[tuple[str, ...], tyro.conf.Positional] = ()
    """The texts."""
    run: str | None = None
    """The run's folder."""
    model: str | None = None
    """An exported model in place of a run: saved_models/NAME or saved_models/NAME/VERSION."""
    input: str | None = None
    """Reads texts from this file, one a line; - is standard input."""
    input_format: Literal["text", "jsonl"] | None = None
    """text: each line is a text; jsonl: each is a JSON object with a text. None goes by the file's ending."""
    text_column: str = "text"
    """With JSON lines: the key of the text."""
    output: str | None = None
    """Writes here and not to standard output."""
    json_: Annotated[bool, tyro.conf.arg(name="json")] = False
    """Prints one JSON object a line."""

    @property
    def input_key(self) -> str | None:
        """The key of the text in JSON lines; None where a line is the text."""
        by_name = "jsonl" if (self.input or "").removesuffix(".gz").endswith(".jsonl") else "text"
        return self.text_column if (self.input_format or by_name) == "jsonl" else None

    @model_validator(mode="after")
    def _one_model_and_one_input(self):
        if (self.run is None) == (self.model is None):
            raise ValueError("name one of --run and --model")
        if bool(self.texts) == (self.input is not None):
            raise ValueError("give texts, or a file with --input FILE (- for standard input), and not both")
        return self


class ExportArguments(Settings):
    """Writes a run as a SavedModel, the next version in its folder."""

    run: str
    """The run's folder."""
    to: str | None = None
    """The model's folder; saved_models/ and the run's name if not given."""


class ExplainArguments(Settings):
    """Shows what a run makes of a text: the numbers, and a picture of them."""

    text: Annotated[str, tyro.conf.Positional]
    """The text."""
    run: str
    """The run's folder."""
    plot: str | None = None
    """Draws into this PNG file; plots/explanation.png in the run's folder if not given."""
    json_: Annotated[bool, tyro.conf.arg(name="json")] = False
    """Prints one JSON object."""

    @field_validator("text")
    @classmethod
    def _not_empty(cls, value: str) -> str:
        if not value.strip():
            raise ValueError("the text is empty, so there is nothing to explain; give one")
        return value

    @property
    def picture(self) -> Path:
        """Where it is drawn."""
        return Path(self.plot or Path(self.run) / "plots" / "explanation.png")


class ExplainGatesArguments(ExplainArguments):
    """Shows what a run makes of a text: step by step, gates and states of a recurrent layer included."""

    layer: int = Field(1, ge=1)
    """The recurrent layer whose gates are shown, counted from 1."""
    direction: Literal["forward", "backward"] = "forward"
    """Of a bidirectional layer: which of the two."""
