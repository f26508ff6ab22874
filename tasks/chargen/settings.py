"""Every setting of the character generation task, in groups. Imports no TensorFlow."""

from typing import Annotated, Literal, get_args

import tyro
from pydantic import AfterValidator, Field, model_validator

from models.generation_settings import SamplingSettings
from models.network_settings import LanguageModelSettings
from models.recurrent_settings import Settings
from tasks.arguments import EvaluateRowsArguments, ExportArguments, PredictArguments
from tasks.settings import (
    Auto,
    Location,
    Normalization,
    RecurrentOptions,
    RowSourceSettings,
    TrainingSettings,
    VocabularySettings,
)


class ChargenSourceSettings(RowSourceSettings, defaults={"validation_fraction": 0.05, "test_fraction": 0.05}):
    """Where the text comes from. Missing splits are cut off its end, the test split last; records are drawn."""

    data: Location = "sample"
    """sample, tfds:NAME[/CONFIG], a text file (also .gz), several, a pattern such as 'src/**/*.py', a folder of texts,
    or a table with --text-column; also as URLs: s3://, gs://, abfss://, file://."""
    text_column: str | None = None
    """The column of a table (.csv .tsv .jsonl .parquet) whose rows are the text, one after the other."""
    records: Literal["lines"] | None = None
    """lines: each line is a separate text, such as a name or a title, with a beginning and an end; None: one text."""
    splits: str = Field("train", min_length=1)
    """With tokenizer sentencepiece: the splits of the source that are trained on, such as train+unsupervised."""


class TextVocabularySettings(VocabularySettings):
    """What the text consists of: characters, or pieces of a SentencePiece vocabulary."""

    tokenizer: Literal["characters", "sentencepiece"] = "characters"
    """sentencepiece: pieces of words; each row of a table, and each line with records, is then a separate text."""
    normalization: Literal["auto", "nfc", Normalization] = "auto"
    """nfc composes a letter and its marks into one character where Unicode has one; the other rules are those of
    SentencePiece. auto: nfc for characters, nmt_nfkc for pieces."""
    hangul: Literal["syllables", "jamo"] = "syllables"
    """jamo reads a syllable as its two or three letters, and writes them as a syllable again."""
    min_count: int = Field(1, ge=1)
    """Characters that occur less often in the training text share one unknown symbol."""
    lsa_size: int = Field(0, ge=0, le=1000)
    """With separate texts of pieces: dimensions of their latent semantic analysis, for classifiers of few labels."""

    @model_validator(mode="after")
    def _options_of_the_tokenizer(self):
        pieces = self.tokenizer == "sentencepiece"
        allowed = ("auto", *get_args(Normalization)) if pieces else ("auto", "nfc", "identity")
        if self.normalization not in allowed:
            raise ValueError(
                f"normalization={self.normalization} does not go with tokenizer={self.tokenizer}; take one of "
                f"{', '.join(allowed)}"
            )
        for name in ("hangul", "min_count") if pieces else ("lsa_size", *VocabularySettings.model_fields):
            value = getattr(self, name)
            if name != "normalization" and value != type(self).model_fields[name].default:
                remedy = f"leave it out, or take {'characters' if pieces else 'sentencepiece'}"
                raise ValueError(f"{name}={value} does not go with tokenizer={self.tokenizer}; {remedy}")
        return self

    def resolved(self) -> "TextVocabularySettings":
        """Return these settings with a value in place of "auto"."""
        values = {"normalization": "nmt_nfkc" if self.tokenizer == "sentencepiece" else "nfc"}
        return self.model_copy(update=values) if self.normalization == "auto" else self


# All windows have one length, and on a CPU a step of an unrolled network takes three quarters of the time.
class ChargenRecurrentOptions(
    RecurrentOptions, defaults={"units": 256, "return_sequences": True, "stateful": True, "unroll": True}
):
    """The recurrent stack: the cell, the number of layers, and every option of the Keras layer."""


# With these the network learns the bundled sample well in a minute; the recipes are for other texts.
class ChargenTrainingSettings(
    TrainingSettings,
    defaults={
        "optimizer": "adamw",
        "beta_2": 0.99,
        "warmup_steps": 50,
        "learning_rate": 4e-3,
        "schedule": "cosine",
        "global_clipnorm": 1.0,
    },
):
    """How the network is trained."""

    epochs: Annotated[int, Field(ge=1)] | Auto = "auto"
    """Passes over the text; with steps_per_epoch, the number of validations. auto sets both, by the text's length."""
    batch_size: int = Field(32, ge=1)
    """Windows in a batch; with stateful, the number of positions at which the text is read at once."""
    window: int = Field(32, ge=1)
    """Characters or pieces in a window: the length of truncated backpropagation through time."""
    window_step: int | None = Field(None, ge=1)
    """Without stateful: characters from the beginning of a window to that of the next; None is the window's length."""
    softmax_samples: int = Field(0, ge=0)
    """Above 0, each training step compares the next piece with this number of sampled pieces, not with all of them."""
    validation_steps: int | None = Field(200, ge=1)
    """Maximum number of batches of a validation, evenly spread over the held-out text (with pieces, about that number);
    None reads all of it."""
    sample_lines: int = Field(3, ge=0)
    """Lines that are generated and logged after each epoch; 0 generates none."""


def _not_empty(value: tuple) -> tuple:
    if not value:
        raise ValueError("must not be empty; give one at least")
    return value


Temperatures = Annotated[tuple[Annotated[float, Field(ge=0.0, le=100.0)], ...], AfterValidator(_not_empty)]


class EvaluationSettings(Settings):
    """What evaluate generates."""

    prompts: tuple[str, ...] = ()
    """The prompts to continue; with none, beginnings of lines of the text that is evaluated."""
    temperatures: Temperatures = (0.5, 0.8, 1.0)
    """The temperatures at which each prompt is continued."""
    evaluation_length: int = Field(400, ge=1)
    """Characters or pieces to generate each time."""
    evaluation_records: int = Field(1000, ge=1)
    """With records: how many to generate, to measure which share of them is new."""


class ChargenSettings(Settings):
    """Trains a language model: a prompt in, text out."""

    data: ChargenSourceSettings = ChargenSourceSettings()
    vocabulary: TextVocabularySettings = TextVocabularySettings()
    network: LanguageModelSettings = LanguageModelSettings()
    recurrent: ChargenRecurrentOptions = ChargenRecurrentOptions()
    training: ChargenTrainingSettings = ChargenTrainingSettings()
    sampling: SamplingSettings = SamplingSettings()
    evaluation: EvaluationSettings = EvaluationSettings()

    @model_validator(mode="after")
    def _groups_agree(self):
        pieces = self.vocabulary.tokenizer == "sentencepiece"
        # Pieces are read backwards as data, not by the layer: each text from its last piece to its first.
        changes = {"go_backwards": False, "unroll": False} if pieces else {}
        read = self.recurrent.model_copy(update=changes)
        self.network.check_recurrent(read)
        self._check_tokenizer(pieces)
        read.check_unrolled(self.training.window, "window")
        if self.recurrent.stateful and self.training.window_step is not None:
            raise ValueError(
                f"window_step={self.training.window_step} does not go with stateful=True: windows follow each other "
                "where the state is carried; leave it out, or take --no-stateful"
            )
        for name in ("stateful", "return_sequences") if self.data.records else ():
            if not getattr(self.recurrent, name):
                raise ValueError(
                    f"{name}=False does not go with records={self.data.records}: a record is read from its beginning "
                    "to its end, and all of its characters are predicted; leave it out"
                )
        return self

    def _check_tokenizer(self, pieces: bool) -> None:
        if pieces:
            for name in ("stateful", "return_sequences"):
                if not getattr(self.recurrent, name):
                    raise ValueError(
                        f"{name}=False does not go with tokenizer=sentencepiece: a text is read from its beginning to "
                        "its end, and all of its pieces are predicted; leave it out"
                    )
            if self.sampling.stop:
                raise ValueError(
                    f"stop={self.sampling.stop[0]!r} does not go with tokenizer=sentencepiece: one text has several "
                    "segmentations, and generation stops at the end token; leave it out"
                )
            return
        if self.training.softmax_samples:
            raise ValueError(
                f"softmax_samples={self.training.softmax_samples} needs tokenizer=sentencepiece: characters are few, "
                "and all of them are compared; leave it out"
            )
        if self.data.splits != "train":
            raise ValueError(
                f"splits={self.data.splits} needs tokenizer=sentencepiece: characters are read from the training split "
                "alone; leave it out"
            )


# Options of `generate` that change the drawing; an exported model has the last three fixed.
DRAWING = ("temperature", "top_k", "top_p", "repetition_penalty", "repetition_window", "stop")
FIXED_IN_EXPORTS = DRAWING[3:]


class DrawingArguments(Settings):
    """Settings of sampling that a command changes; those of the run if not given."""

    top_k: int | None = None
    """Draws only from the K most probable characters or pieces; 0 draws from all."""
    top_p: float | None = None
    """Draws only from the most probable characters that together have this probability."""
    repetition_penalty: float | None = None
    """Above 1, makes characters of the last repetition_window less probable."""
    repetition_window: int | None = None
    """Number of characters that the penalty looks back."""
    stop: Annotated[tyro.conf.UseAppendAction[tuple[str, ...]], tyro.conf.arg(metavar="TEXT")] = ()
    r"""Generation ends after this text, in which \n is a line end and \t a tab; may be given several times.
    none: after no text, also where the run has some."""
    seed: int | None = Field(None, ge=0, lt=1 << 31)
    """The same seed generates the same text."""

    @property
    def overrides(self) -> dict:
        """The settings of sampling that are given here."""
        given = {name: getattr(self, name, None) for name in (*DRAWING, "length")} | {"sampling_seed": self.seed}
        given["stop"] = () if self.stop == ("none",) else self.stop or None
        return {name: value for name, value in given.items() if value is not None}


class SamplingArguments(DrawingArguments):
    """All settings of sampling; those of the run if not given."""

    length: int | None = None
    """Maximum number of characters or pieces to generate."""
    temperature: float | None = None
    """Below 1 is more conservative, above 1 more varied; 0 always takes the most probable character."""


class ChargenEvaluateArguments(DrawingArguments, EvaluateRowsArguments):
    """Evaluates a run on a split; options that are not given are those of the run."""

    text_column: str | None = None
    """With --data: the column of a table; that of the training data if not given."""

    prompts: tuple[str, ...] | None = None
    """The prompts to continue; with none, beginnings of lines of the text that is evaluated."""
    temperatures: Temperatures | None = None
    """The temperatures at which each prompt is continued."""
    evaluation_length: int | None = Field(None, ge=1)
    """Characters to generate each time."""
    evaluation_records: int | None = Field(None, ge=1)
    """With records: how many to generate, to measure which share of them is new."""

    @property
    def overrides(self) -> dict:
        """The settings of sampling and of the evaluation that are given here."""
        given = {name: getattr(self, name) for name in EvaluationSettings.model_fields}
        return super().overrides | {name: value for name, value in given.items() if value is not None}


class ChargenExportArguments(SamplingArguments, ExportArguments):
    """Writes a run as a SavedModel, the next version in its folder; the sampling is that of the run if not given."""


class GenerateArguments(SamplingArguments, PredictArguments):
    """Continues prompts with a run or an exported model; options that are not given are those of the run."""

    texts: Annotated[tuple[str, ...], tyro.conf.Positional] = ()
    """The prompts; without one the model starts from nothing."""
    samples: int = Field(1, ge=1)
    """Texts for each prompt; the second uses the next seed, and so on."""
    choose: int | None = Field(None, ge=1)
    """Shows the N most probable next characters or pieces at each step, and lets you choose one."""

    @property
    def asked(self) -> tuple[str, ...]:
        """The prompts; without one, the empty one."""
        return self.texts or ("",)

    @property
    def texts_required(self) -> bool:
        """Whether the command needs a prompt; without one the model starts from nothing."""
        return False

    @property
    def answers_per_text(self) -> int:
        """The continuations of each prompt."""
        return self.samples

    @model_validator(mode="after")
    def _options_fit_the_model(self):
        given = [name for name in (*DRAWING, "seed") if getattr(self, name) not in (None, ())]
        if self.choose is not None:
            if self.run is None:
                raise ValueError("--choose needs --run: an exported model is asked for whole texts")
            if len(self.texts) > 1 or self.input is not None or self.json_ or self.output or self.samples > 1:
                raise ValueError("--choose writes one text, at the terminal, from at most one prompt")
            if given:
                raise ValueError(f"--{given[0].replace('_', '-')} does not go with --choose: you draw, not the model")
        fixed = [name for name in given if name in FIXED_IN_EXPORTS]
        if self.model is not None and fixed:
            raise ValueError(
                f"--{fixed[0].replace('_', '-')} is fixed in an exported model: give it to train or export, or take "
                "--run"
            )
        return self
