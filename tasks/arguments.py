"""Arguments of the commands that all tasks share. Imports no TensorFlow."""

import glob
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import tyro
from pydantic import BeforeValidator, Field, field_validator, model_validator

from models.recurrent_settings import Settings
from tasks.comma_lists import split
from tasks.errors import UserError
from tasks.file_options import DELIMITED, INPUT_TABLES, OUTPUT_TABLES, FileOptions, kind_of
from tasks.settings import Location, paths_as_text

# One file, or several.
Inputs = Annotated[
    str | Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Field(min_length=1)],
    BeforeValidator(paths_as_text),
    tyro.conf.arg(metavar="FILE [FILE ...]"),
]
# Endings of files that are not written: plain text under such a name would look like a damaged file.
NOT_WRITTEN = frozenset(
    (
        *(".xlsx", ".xls", ".xlsm", ".xlsb", ".ods", ".numbers", ".docx", ".doc", ".odt", ".rtf", ".pdf", ".pptx"),
        *(".parquet", ".feather", ".arrow", ".orc", ".avro", ".npy", ".npz", ".pkl", ".pickle", ".pt", ".tfrecord"),
        *(".h5", ".hdf5", ".keras", ".mat", ".sav", ".dta", ".rds", ".db", ".sqlite", ".sqlite3", ".sql"),
        *(".gz", ".bz2", ".xz", ".zst", ".lz4", ".zip", ".7z", ".rar", ".tar", ".tgz"),
        *(".json", ".ndjson", ".xml", ".html", ".htm", ".yaml", ".yml", ".toml", ".png", ".jpg", ".svg"),
    )
)


def is_folder(location: str) -> bool:
    """Return whether a location is a folder, or named as one: with a / at its end."""
    return location.endswith(("/", os.sep)) or os.path.isdir(location)


def shown(locations: str | Sequence[str]) -> str:
    """Return one or several locations as a message names them."""
    return locations if isinstance(locations, str) else f"{locations[0]} and {len(locations) - 1} more"


class InferenceArguments(Settings):
    """Arguments of a command that runs a model."""

    @property
    def overrides(self) -> dict:
        """The settings of inference, such as the beam size, that are given here and so override those of the run."""
        return {}


class EvaluatedData(InferenceArguments):
    """The run to evaluate, and the data."""

    run: str
    """The run's folder."""
    data: Location | None = None
    """Another source than the run's: sample, tfds:NAME, a file or several, a folder, or URLs of these."""
    split: str | None = None
    """train, validation or test; several joined with +. If not given, test, or all of a file that data names."""
    json_: Annotated[bool, tyro.conf.arg(name="json")] = False
    """Prints one JSON object."""


class EvaluateArguments(FileOptions, EvaluatedData):
    """Evaluates a run on a split."""

    @model_validator(mode="after")
    def _options_of_other_data(self):
        if self.data is None and self.given_options:
            raise ValueError(f"{self.given_options[0]} is for other data than the run's; name them with --data")
        return self


class EvaluateRowsArguments(EvaluateArguments):
    """Evaluates a run on a split."""

    skip_bad_rows: bool = False
    """Leaves out rows that cannot be used, and counts them; otherwise they are errors."""


class Texts(InferenceArguments):
    """The texts to answer, and the run or exported model."""

    texts: Annotated[tuple[str, ...], tyro.conf.Positional] = ()
    """The texts."""
    run: str | None = None
    """The run's folder."""
    model: str | None = None
    """An exported model instead of a run: saved_models/NAME or saved_models/NAME/VERSION."""
    trust: bool = False
    """Loads a model whose graph has operations on files, which can read and write what you can. Exports have none."""
    input: Inputs | None = None
    """Reads texts from this file: a table (.csv, .tsv, .jsonl, .parquet), or one text per line; - is standard input.
    Without a text in it, there is a warning, and the answers to a table are a header. A folder, several files, or a
    pattern such as 'data/*.csv' are shards: the answers to each are a file of the same name in the folder --output.
    Each may be a URL: s3://, gs://, abfss://, file://; that of a folder ends with /."""
    input_format: Literal["text", "csv", "tsv", "jsonl", "parquet"] | None = None
    """text: each line is a text; otherwise the format of a table. None goes by the file's ending."""
    text_column: str | None = None
    """The column of the texts in a table; text if not given."""
    keep: str | None = None
    """The columns of a table that are written beside the answer, such as id,date; all of them if not given."""
    output: str | None = None
    """Writes to this file, not to standard output; a table with the answers if it ends in .csv, .tsv or .jsonl. The
    same command continues after the answers of an interrupted one, which are in FILE.part. Of shards: the folder."""
    shard: str | None = None
    """K/N, such as 2/8: answers every N-th shard of the input, beginning with the K-th. N commands, with K from 1
    to N, answer them all."""
    json_: Annotated[bool, tyro.conf.arg(name="json")] = False
    """Prints one JSON object per line."""
    window: int | None = Field(None, ge=1)
    """Maximum number of texts that are read before they are answered; if not given, 64 at first and 2,048 later. When
    the input pauses for 0.1 s, what was read is answered."""

    @field_validator("keep")
    @classmethod
    def _names_columns(cls, value: str | None) -> str | None:
        if value is not None:
            split(value, "id,date")
        return value

    @field_validator("shard")
    @classmethod
    def _is_one_of_several(cls, value: str | None) -> str | None:
        found = re.fullmatch(r"([0-9]{1,9})/([0-9]{1,9})", value or "")
        if value is not None and not (found and 1 <= int(found[1]) <= int(found[2])):
            raise ValueError(f"{value!r} is no shard: expected K/N with K from 1 to N, such as 2/8")
        return value

    @property
    def asked(self) -> tuple[str, ...]:
        """The texts to answer if there is no input file."""
        return self.texts

    @property
    def kept(self) -> tuple[str, ...] | None:
        """The columns that are written beside the answer; None for all."""
        return None if self.keep is None else tuple(split(self.keep))

    @property
    def sharded(self) -> bool:
        """Whether the input is answered in shards: files, each answered in a file of the folder `output`."""
        if self.input is None or self.input == "-":
            return self.shard is not None
        if self.shard is not None or isinstance(self.input, tuple) or is_folder(self.input):
            return True
        pattern = glob.has_magic(self.input) and not Path(self.input).exists()
        return pattern or (self.output is not None and is_folder(self.output))

    def kind_of_input(self, location: str) -> str:
        """Return the format of an input: "text" for a text on each line, or that of a table."""
        return self.input_format or kind_of(location, INPUT_TABLES)


class PredictArguments(FileOptions, Texts):
    """Answers texts with a run or an exported model."""

    @property
    def input_kind(self) -> str:
        """The format of the input, if it is one file; see `kind_of_input`."""
        return self.kind_of_input("" if isinstance(self.input, tuple) else self.input or "")

    @property
    def output_kind(self) -> str:
        """The format of the output: "text" for the lines that the task prints, "jsonl", "csv" or "tsv"."""
        return "jsonl" if self.json_ else kind_of(self.output, OUTPUT_TABLES)

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
        if self.trust and self.model is None:
            raise ValueError("--trust is for an exported model; name it with --model, or leave out --trust")
        if (self.texts and self.input is not None) or (self.texts_required and not self.texts and self.input is None):
            raise ValueError("give texts, or a file with --input FILE (- for standard input), and not both")
        return self

    @model_validator(mode="after")
    def _tables(self):
        if self.input is None and self.given_options:
            raise ValueError(f"{self.given_options[0]}: no file is read; name it with --input")
        if self.sharded:  # the shards may have different formats; see `check_shard`
            return self
        if self.input_kind not in DELIMITED and self.table_options:
            raise ValueError(
                f"{self.table_options[0]}: {self.input} is read as {self.input_kind}; give --input-format csv or tsv"
            )
        if self.text_column is not None and self.input_kind == "text":
            read = f"{self.input} is read as one text per line" if self.input else "no table is read"
            raise ValueError(f"--text-column {self.text_column}: {read}; give --input TABLE, or --input-format csv")
        if self.keep is not None and "text" in (self.input_kind, self.output_kind):
            which = f"{self.input} has" if self.input_kind == "text" and self.input else "the answers have"
            raise ValueError(
                f"--keep {self.keep}: {which} no columns; read a table with --input TABLE, and write one with "
                "--output TABLE or --json"
            )
        if self.json_ and kind_of(self.output, OUTPUT_TABLES) in ("csv", "tsv"):
            raise ValueError(f"--json writes JSON objects, and --output {self.output} a table; leave out one of them")
        ending = Path((self.output or "").lower()).suffix
        if ending in NOT_WRITTEN and (ending, self.json_) != (".json", True):
            raise ValueError(
                f"--output {self.output}: answers are not written as {ending}; take a name that ends in .csv, .tsv, "
                ".jsonl or, for plain text, .txt"
            )
        return self

    @model_validator(mode="after")
    def _shards(self):
        if self.shard is not None and self.input is None:
            raise ValueError(f"--shard {self.shard}: there are no shards; name their folder with --input")
        if isinstance(self.input, tuple) and "-" in self.input:
            raise ValueError("--input -: standard input is no shard among others; name it alone, or leave it out")
        if self.sharded and self.output is None:
            folder = "name the folder of the answers to its files with --output"
            if isinstance(self.input, tuple):
                folder = (
                    "name the folder of the answers to these files with --output, or leave --input out to give texts"
                )
            raise ValueError(f"--input {shown(self.input)}: {folder}")
        if self.output is not None and "://" in self.output:
            raise ValueError(f"--output {self.output}: answers are written to files and folders of this machine")
        return self

    def check_shard(self, location: str, kind: str) -> None:
        """Check that the options go with the format of a shard.

        Args:
            location: The shard.
            kind: Its format, as of `kind_of_input`.

        Raises:
            UserError: If they do not.
            pydantic.ValidationError: The same.
        """
        if self.json_ and kind not in ("text", "jsonl"):
            raise UserError(f"--json writes JSON objects, and the answers to {location} are a table; leave out --json")
        # The answers to a table are a table.
        alone = {"input": location, "input_format": kind, "output": None, "shard": None}
        type(self).model_validate(self.model_dump() | alone | {"json_": self.json_ or kind != "text"})


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
