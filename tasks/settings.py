"""Settings and arguments that all tasks share. Imports no TensorFlow.

A task changes the defaults of a group with the class keyword `defaults`, and declares only the fields that it adds.
"""

from pathlib import Path
from typing import Annotated, Literal

import tyro
from pydantic import BeforeValidator, Field, field_validator, model_validator

from models.recurrent_settings import Rate, RecurrentSettings, Settings
from tasks.optimizer_options import OPTIMIZERS

OptimizerName = Literal[tuple(OPTIMIZERS)]
Schedule = Literal["constant", "linear", "cosine"]
Auto = Literal["auto"]  # a task resolves it when it knows the training data; see `tasks.task.Task.resolve`


class RecurrentOptions(RecurrentSettings):
    """The recurrent stack: the cell, the number of layers, and every option of the Keras layer."""

    # `--seed` is the seed of the whole training, so the layers' own seed has a longer name.
    seed: Annotated[int | None, tyro.conf.arg(name="recurrent-seed")] = Field(None, ge=0)
    """Seed of the layers' dropout masks; layer i of a stack uses seed + i."""


def _path_as_text(value):
    """Return a `Path` as text: a caller in Python may have one."""
    if hasattr(value, "columns"):
        raise ValueError("a table in memory is no source; write it to a file, such as to_parquet('data.parquet')")
    return str(value) if isinstance(value, Path) else value


# A location of data, or a folder; in Python a `Path` too.
Location = Annotated[str, BeforeValidator(_path_as_text)]


class SourceSettings(Settings):
    """Where the training data comes from."""

    data: Location = "sample"
    """sample, tfds:NAME[/CONFIG], a file (.csv .tsv .txt .jsonl .parquet, also .gz) or a folder."""
    validation_fraction: float = Field(0.1, gt=0.0, lt=1.0)
    """Share of the training data used for validation if the source has no validation split."""
    test_fraction: float = Field(0.1, ge=0.0, lt=1.0)
    """Share of the data used for testing if the source has nothing but training data."""


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
    """Maximum number of training texts that the vocabulary is learned from."""


class TrainingSettings(Settings):
    """How the network is trained."""

    epochs: int = Field(10, ge=1)
    """Passes over the training data; with steps_per_epoch, the number of validations."""
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
    """Keras's dtype policy; the mixed policies are for accelerators."""
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


# The endings of files that the commands which answer texts read and write as tables; other files have a text per line.
INPUT_TABLES, OUTPUT_TABLES = ("csv", "tsv", "jsonl", "parquet"), ("csv", "tsv", "jsonl")


def _kind_of(file: str | None, tables: tuple[str, ...]) -> str:
    ending = (file or "").lower().removesuffix(".gz").rpartition(".")[2]
    return ending if ending in tables else "text"


class InferenceArguments(Settings):
    """Arguments of a command that runs a model."""

    @property
    def overrides(self) -> dict:
        """The settings of inference, such as the beam size, that are given here and so override those of the run."""
        return {}


class EvaluateArguments(InferenceArguments):
    """Evaluates a run on a split."""

    run: str
    """The run's folder."""
    data: Location | None = None
    """Another source than the run's: sample, tfds:NAME, a file (read whole) or a folder."""
    split: str = "test"
    """train, validation or test; several joined with +."""
    json_: Annotated[bool, tyro.conf.arg(name="json")] = False
    """Prints one JSON object."""


class EvaluateRowsArguments(EvaluateArguments):
    """Evaluates a run on a split."""

    skip_bad_rows: bool = False
    """Leaves out rows that cannot be used, and counts them; otherwise they are errors."""


class PredictArguments(InferenceArguments):
    """Answers texts with a run or an exported model."""

    texts: Annotated[tuple[str, ...], tyro.conf.Positional] = ()
    """The texts."""
    run: str | None = None
    """The run's folder."""
    model: str | None = None
    """An exported model instead of a run: saved_models/NAME or saved_models/NAME/VERSION."""
    input: str | None = None
    """Reads texts from this file: a table (.csv, .tsv, .jsonl, .parquet), or one text per line; - is standard input."""
    input_format: Literal["text", "csv", "tsv", "jsonl", "parquet"] | None = None
    """text: each line is a text; otherwise the format of a table. None goes by the file's ending."""
    text_column: str | None = None
    """The column of the texts in a table; text if not given."""
    output: str | None = None
    """Writes to this file, not to standard output; a table with the answers if it ends in .csv, .tsv or .jsonl."""
    json_: Annotated[bool, tyro.conf.arg(name="json")] = False
    """Prints one JSON object per line."""

    @property
    def input_kind(self) -> str:
        """The format of the input: "text" for a text on each line, or that of a table."""
        return self.input_format or _kind_of(self.input, INPUT_TABLES)

    @property
    def output_kind(self) -> str:
        """The format of the output: "text" for the lines that the task prints, "jsonl", "csv" or "tsv"."""
        return "jsonl" if self.json_ else _kind_of(self.output, OUTPUT_TABLES)

    @property
    def answers_per_text(self) -> int:
        """How many answers follow one another for each text."""
        return 1

    @property
    def texts_required(self) -> bool:
        """Whether the command needs a text or an input file."""
        return True

    @model_validator(mode="after")
    def _one_model_and_one_input(self):
        if (self.run is None) == (self.model is None):
            raise ValueError("name one of --run and --model")
        if (self.texts and self.input is not None) or (self.texts_required and not self.texts and self.input is None):
            raise ValueError("give texts, or a file with --input FILE (- for standard input), and not both")
        return self

    @model_validator(mode="after")
    def _tables(self):
        if self.text_column is not None and self.input_kind == "text":
            read = f"{self.input} is read as one text per line" if self.input else "no table is read"
            raise ValueError(f"--text-column {self.text_column}: {read}; give --input TABLE, or --input-format csv")
        written = (self.output or "").lower()
        if self.json_ and _kind_of(self.output, OUTPUT_TABLES) in ("csv", "tsv"):
            raise ValueError(f"--json writes JSON objects, and --output {self.output} a table; leave out one of them")
        if written.endswith((".parquet", ".gz")):
            raise ValueError(f"--output {self.output}: answers are written as .csv, .tsv, .jsonl or plain text")
        return self


class ExportArguments(InferenceArguments):
    """Writes a run as a SavedModel, the next version in its folder."""

    run: str
    """The run's folder."""
    to: str | None = None
    """The model's folder; saved_models/ and the run's name if not given."""


class ExplainArguments(Settings):
    """Shows how a run processes a text: numbers, and a picture of them."""

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
        """The file to draw into."""
        return Path(self.plot or Path(self.run) / "plots" / "explanation.png")


class ExplainGatesArguments(ExplainArguments):
    """Shows how a run processes a text step by step, with the gates and states of a recurrent layer."""

    layer: int = Field(1, ge=1)
    """The recurrent layer whose gates are shown, counted from 1."""
    direction: Literal["forward", "backward"] = "forward"
    """The direction of a bidirectional layer."""
