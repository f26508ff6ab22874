"""Every setting of the character generation task, in groups. Imports no TensorFlow."""

from typing import Annotated, Literal

import tyro
from pydantic import Field, field_validator, model_validator

from models.network_settings import LanguageModelSettings, SamplingSettings
from models.recurrent_settings import Rate, Settings
from tasks.settings import PredictArguments, RecurrentOptions, TrainingSettings


class DataSettings(Settings):
    """Where the text comes from."""

    data: str = "sample"
    """sample, tfds:NAME[/CONFIG], a text file (also .gz) or a folder of .txt files."""
    validation_fraction: float = Field(0.05, gt=0.0, lt=1.0)
    """Share of the text that validates, where the source has no validation split: the part before the test."""
    test_fraction: float = Field(0.05, ge=0.0, lt=1.0)
    """Share of the text that tests, where the source has no test split: its end."""


class CharacterSettings(Settings):
    """What a character is."""

    normalization: Literal["nfc", "identity"] = "nfc"
    """nfc makes one character of a letter and its marks, where Unicode has one."""
    hangul: Literal["syllables", "jamo"] = "syllables"
    """jamo reads a syllable as its two or three letters, and writes them as a syllable again."""
    min_count: int = Field(1, ge=1)
    """Characters that occur less often in the training text share one unknown symbol."""


class ChargenRecurrentOptions(RecurrentOptions):
    """The recurrent stack: which cell, how many layers, and every option of the Keras layer."""

    units: int = Field(256, ge=1)
    """Size of the state."""
    return_sequences: bool = True
    """Learns the character after each position of a window; if not, only the one after its end."""
    stateful: bool = True
    """The state at the end of a window begins the next one."""
    # All windows have one length, and on a CPU a step of an unrolled network takes three quarters of the time.
    unroll: bool = True
    """One copy of the step for each character of a window: quicker, but slow to start where windows are long."""


class ChargenTrainingSettings(TrainingSettings):
    """How the network is trained."""

    # These read the bundled sample well in a minute; the recipes have others for other texts.
    epochs: int = Field(8, ge=1)
    """Passes over the training text."""
    batch_size: int = Field(32, ge=1)
    """Windows in a batch; with stateful the text is read at so many places at once."""
    window: int = Field(32, ge=1)
    """Characters in a window: so far back the gradient goes."""
    window_step: int | None = Field(None, ge=1)
    """Without stateful: characters from the beginning of a window to that of the next; None is the window's length."""
    optimizer: Literal["adam", "adamw", "sgd", "rmsprop"] = "adamw"
    """The keras.optimizers class."""
    beta_2: Rate = 0.99
    """Of Adam and AdamW: the decay of the mean of squared gradients; lower for short trainings."""
    warmup_steps: int = Field(50, ge=0)
    """Steps in which the rate rises to its height; a fifth of all steps at the most."""
    learning_rate: float = Field(4e-3, gt=0.0)
    """The highest learning rate of the schedule."""
    schedule: Literal["constant", "linear", "cosine"] = "cosine"
    """How the rate falls, to zero at the last step."""
    global_clipnorm: float | None = Field(1.0, gt=0.0)
    """Clips all gradients together to this norm."""


class EvaluationSettings(Settings):
    """What evaluate has the model write."""

    prompts: tuple[str, ...] = ("THE ", "There lived a ", '"Good day," ')
    """The beginnings to go on from."""
    temperatures: tuple[Annotated[float, Field(ge=0.0, le=100.0)], ...] = (0.5, 0.8, 1.0)
    """Each prompt is gone on from at each of these."""
    evaluation_length: int = Field(400, ge=1)
    """Characters to write each time."""

    @field_validator("prompts", "temperatures")
    @classmethod
    def _one_at_least(cls, value: tuple) -> tuple:
        if not value:
            raise ValueError("expected one at least")
        return value


class ChargenSettings(Settings):
    """Trains a character model: a prompt in, text out."""

    data: DataSettings = DataSettings()
    characters: CharacterSettings = CharacterSettings()
    network: LanguageModelSettings = LanguageModelSettings()
    recurrent: ChargenRecurrentOptions = ChargenRecurrentOptions()
    training: ChargenTrainingSettings = ChargenTrainingSettings()
    sampling: SamplingSettings = SamplingSettings()
    evaluation: EvaluationSettings = EvaluationSettings()

    @model_validator(mode="after")
    def _groups_agree(self):
        self.network.check_recurrent(self.recurrent)
        if self.recurrent.stateful and self.training.window_step is not None:
            raise ValueError(
                f"window_step={self.training.window_step} does not go with stateful=True: windows follow each other "
                "where the state is carried; leave it out, or take --no-stateful"
            )
        return self


class GenerateArguments(PredictArguments):
    """Writes on from prompts, by a run or an exported model; what is not given is as in the run's settings."""

    texts: Annotated[tuple[str, ...], tyro.conf.Positional] = ()
    """The prompts; without one the model begins by itself."""
    length: int | None = None
    """Characters to write at the most."""
    temperature: float | None = None
    """Below 1 is more cautious, above 1 wilder; 0 always takes the likeliest character."""
    top_k: int | None = None
    """Draws from the K likeliest characters only; 0 from all."""
    top_p: float | None = None
    """Draws from the likeliest characters that together have this probability."""
    repetition_penalty: float | None = None
    """Above 1, makes characters of the last repetition_window less likely."""
    repetition_window: int | None = None
    """So many characters back the penalty looks."""
    stop: Annotated[tyro.conf.UseAppendAction[tuple[str, ...]], tyro.conf.arg(metavar="TEXT")] = ()
    """Writing ends after this text; may be given several times."""
    seed: int | None = Field(None, ge=0, lt=1 << 31)
    """The same seed writes the same text."""
    samples: int = Field(1, ge=1)
    """Texts for each prompt; the second has the next seed, and so on."""
    choose: int | None = Field(None, ge=1)
    """Shows the N likeliest next characters at each step, and lets you pick one."""

    @model_validator(mode="after")
    def _one_model_and_one_input(self):
        if (self.run is None) == (self.model is None):
            raise ValueError("name one of --run and --model")
        if self.texts and self.input is not None:
            raise ValueError("give prompts, or a file with --input FILE (- for standard input), and not both")
        if self.choose is not None:
            if self.run is None:
                raise ValueError("--choose needs --run: an exported model is asked for whole texts")
            if len(self.texts) > 1 or self.input is not None or self.json_ or self.output or self.samples > 1:
                raise ValueError("--choose writes one text, at the terminal, from one prompt at the most")
            drawing = ("temperature", "top_k", "top_p", "repetition_penalty", "repetition_window", "stop", "seed")
            given = [name for name in drawing if getattr(self, name) not in (None, ())]
            if given:
                raise ValueError(f"--{given[0].replace('_', '-')} does not go with --choose: you draw, not the model")
        if self.model is not None:
            for name in ("repetition_penalty", "repetition_window", "stop"):
                if getattr(self, name) not in (None, ()):
                    raise ValueError(
                        f"--{name.replace('_', '-')} is fixed in an exported model: give it to train, or take --run"
                    )
        return self

    def sampling(self, settings: SamplingSettings) -> SamplingSettings:
        """The settings with what was given here in their place.

        Raises:
          pydantic.ValidationError: something given here is out of its range.
        """
        given = {name: getattr(self, name) for name in SamplingSettings.model_fields if hasattr(self, name)}
        given["sampling_seed"] = self.seed
        given = {name: value for name, value in given.items() if value not in (None, ())}
        return SamplingSettings.model_validate({**settings.model_dump(), **given})
