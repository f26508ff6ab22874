"""Settings of the networks around the recurrent stack, and of what is made of their probabilities.

Imports no TensorFlow.
"""

from typing import Literal

from pydantic import Field, field_validator, model_validator

from models.recurrent_settings import ABSENT, Cell, Initializer, Rate, RecurrentSettings, Settings


def refuse(recurrent: RecurrentSettings, network: str, **reasons: str) -> None:
    """Refuses options that are off by default and make no sense for a network.

    Args:
      network: what it is, for the message.
      reasons: option -> why not.

    Raises:
      ValueError: names the first such option that is on, and why it makes no sense.
    """
    for name, why in reasons.items():
        value = getattr(recurrent, name)
        if value != type(recurrent).model_fields[name].default:
            raise ValueError(f"{name}={value} makes no sense for {network}: {why}")


Pooling = Literal["max", "mean", "max_mean", "attention"]


class ClassifierSettings(Settings):
    """The network around the recurrent stack: embedding, pooling, and what stands beside it."""

    max_tokens: int = Field(400, ge=1)
    """Longer texts are cut after so many pieces."""
    embedding_size: int = Field(64, ge=1)
    """Size of a piece's vector."""
    ngrams: int = Field(1, ge=1, le=8)
    """Above 1, each position also gets the vectors of the runs of 2 to N pieces that end there."""
    ngram_vocabulary: int = Field(200_000, ge=1)
    """So many n-grams get a vector at the most, the most frequent ones."""
    ngram_min_texts: int = Field(2, ge=1)
    """An n-gram gets a vector if it occurs in so many training texts."""
    ngram_dropout: Rate = 0.0
    """Share of the n-grams dropped in training."""
    stride: int = Field(1, ge=1, le=16)
    """The vectors of so many neighbouring pieces are summed before the recurrent layers read them: fewer steps."""
    spatial_dropout: Rate = 0.1
    """Share of the embedding's dimensions dropped, the same ones at each step."""
    layer_dropout: Rate = 0.0
    """Share of a layer's output dropped on its way to the next layer."""
    pooling: Pooling | None = None
    """With return_sequences: how the steps become one vector; None is max_mean."""
    head_dropout: Rate = 0.1
    """Share of the vector dropped before it is classified."""
    wide_ngrams: int = Field(0, ge=0, le=8)
    """Above 0, a linear model on the runs of 1 to N pieces, trained by a loss of its own, is averaged in."""
    wide_vocabulary: int = Field(1_000_000, ge=1)
    """So many n-grams get a weight in the linear model at the most."""
    wide_min_texts: int = Field(2, ge=1)
    """An n-gram gets a weight in the linear model if it occurs in so many training texts."""
    wide_share: float = Field(0.5, gt=0.0, lt=1.0)
    """The linear model's part in the average."""

    def check_recurrent(self, recurrent: RecurrentSettings) -> None:
        """Refuses options that make no sense for a classifier.

        Raises:
          ValueError: names the option, its value, and why.
        """
        refuse(
            recurrent,
            "a classifier",
            stateful="its texts are not parts of one long text",
            return_state="it reads the output, not the state",
            time_major="its batches are (batch, timesteps)",
        )
        if recurrent.merge_mode is None:
            raise ValueError("merge_mode=None makes no sense for a classifier: it reads one output, not two")
        if self.pooling is not None and not recurrent.return_sequences:
            raise ValueError(
                f"pooling={self.pooling} needs the output of every step: add return_sequences, or leave pooling out"
            )


class LanguageModelSettings(Settings):
    """The network around the recurrent stack of a language model: embedding, dropout, output."""

    embedding_size: int = Field(64, ge=1)
    """Size of a character's vector."""
    tied_embeddings: bool = False
    """The output layer has the embedding's weights; where sizes differ, a layer before it changes the size."""
    residual: bool = False
    """Each layer but the first adds its output to its input."""
    embedding_dropout: Rate = 0.0
    """Share of the embedding's dimensions dropped, the same ones at each step."""
    layer_dropout: Rate = 0.0
    """Share of a layer's output dropped on its way to the next layer."""
    output_dropout: Rate = 0.0
    """Share of the last layer's output dropped before the next character is told from it."""

    def check_recurrent(self, recurrent: RecurrentSettings) -> None:
        """Refuses options that make no sense for a language model.

        Raises:
          ValueError: names the option, its value, and why.
        """
        refuse(
            recurrent,
            "a language model",
            bidirectional="from the other direction it would see the characters that it is to tell",
            go_backwards="it would see the characters that it is to tell",
            return_state="its one-step view gives the states in any case",
            time_major="its batches are (batch, timesteps)",
        )


class SamplingSettings(Settings):
    """How characters are drawn from the model's probabilities."""

    temperature: float = Field(0.8, ge=0.0, le=100.0)
    """Divides the logits: below 1 is more cautious, above 1 wilder; 0 always takes the likeliest character."""
    top_k: int = Field(0, ge=0, lt=1 << 31)
    """Draws from the K likeliest characters only; 0 from all."""
    top_p: float = Field(1.0, gt=0.0, le=1.0)
    """Draws from the likeliest characters that together have this probability."""
    repetition_penalty: float = Field(1.0, gt=0.0, le=1e6)
    """Above 1, makes characters of the last repetition_window less likely."""
    repetition_window: int = Field(16, ge=1, le=1000)
    """So many characters back the penalty looks."""
    length: int = Field(500, ge=1, le=10_000_000)
    """Characters to write at the most."""
    stop: tuple[str, ...] = ()
    """Writing ends after any of these texts."""
    sampling_seed: int = Field(0, ge=0, lt=1 << 31)
    """The same seed writes the same text."""

    @field_validator("stop")
    @classmethod
    def _no_empty_stop(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if "" in value:
            raise ValueError("an empty text stops before it begins; leave it out")
        return value


class TranslatorSettings(Settings):
    """The network around the two recurrent stacks of a translator: encoder, attention, decoder, output."""

    max_tokens: int = Field(100, ge=1)
    """Longer sentences are cut after so many pieces; in training such pairs are left out."""
    embedding_size: int = Field(128, ge=1)
    """Size of a piece's vector, in both languages."""
    embedding_initializer: Initializer = "random_normal(0, 1)"
    """Of both embeddings; attention forms sooner from larger values than Keras's default."""
    tied_embeddings: bool = False
    """The output layer has the weights of the target's embedding."""
    attention: Literal["additive", "multiplicative"] | None = "multiplicative"
    """additive (Bahdanau et al. 2015) or multiplicative (Luong et al. 2015); None gives only the last state."""
    attention_score: Literal["dot", "general"] | None = None
    """Of multiplicative attention: dot needs equal sizes, general has a matrix between them; None is dot."""
    attention_units: int | None = Field(None, ge=1)
    """Hidden size of additive attention; None is the decoder's."""
    attend_embeddings: bool = True
    """With attention: it reads the pieces' own vectors beside the encoder's output."""
    input_feeding: bool = False
    """Each step of the decoder also reads what attention made of the step before (Luong et al. 2015, 3.3): slower."""
    bridge: Literal["dense", "copy"] | None = "dense"
    """The encoder's last states begin the decoder: through a layer, as they are, or (None) not at all."""
    decoder_cell: Cell | None = None
    """The decoder's cell; the encoder's if not given."""
    decoder_layers: int | None = Field(None, ge=1)
    """The decoder's layers; as many as the encoder's if not given."""
    decoder_units: int | None = Field(None, ge=1)
    """Size of the decoder's state; that of the encoder's output (both directions) if not given."""
    residual: bool = False
    """In both stacks each layer but the first adds its output to its input."""
    embedding_dropout: Rate = 0.1
    """Share of the embeddings' dimensions dropped, the same ones at each step."""
    layer_dropout: Rate = 0.0
    """Share of a layer's output dropped on its way to the next layer."""
    output_dropout: Rate = 0.2
    """Share of the values dropped from which the next piece is told."""

    @model_validator(mode="after")
    def _attention_and_its_options(self):
        needs = {
            "attention_score": "multiplicative",
            "attention_units": "additive",
            "input_feeding": "additive or multiplicative",
        }
        for name, kind in needs.items():
            value = getattr(self, name)
            if value != type(self).model_fields[name].default and (self.attention or "none") not in kind:
                raise ValueError(
                    f"{name}={value} does not go with attention={(self.attention or 'none')}: it is an option of "
                    f"{kind} attention; leave it out or change the attention"
                )
        if self.attention is None and self.bridge is None:
            raise ValueError(
                "attention=none does not go with bridge=none: the decoder would know nothing of the source; "
                "take the one or the other"
            )
        return self

    @property
    def scores_by_dot(self) -> bool:
        """Whether attention compares outputs as they are."""
        return self.attention == "multiplicative" and self.attention_score != "general"

    def decoder(self, recurrent: RecurrentSettings) -> RecurrentSettings:
        """The decoder's stack: the encoder's options with its own cell and sizes, reading forwards."""
        cell = self.decoder_cell or recurrent.cell
        fields = type(recurrent).model_fields
        absent = {name: fields[name].default for name in ABSENT[cell]}
        changed = {
            "cell": cell,
            "layers": self.decoder_layers or recurrent.layers,
            "units": self.decoder_units or self.encoder_size(recurrent),
            "bidirectional": False,
            "merge_mode": "concat",
            "go_backwards": False,
            "return_sequences": True,
        }
        return recurrent.model_copy(update=absent | changed)

    def encoder_size(self, recurrent: RecurrentSettings) -> int:
        """Size of the encoder's output at each step."""
        both = recurrent.bidirectional and recurrent.merge_mode == "concat"
        return recurrent.units * (2 if both else 1)

    def check_recurrent(self, recurrent: RecurrentSettings) -> None:
        """Refuses options that make no sense for a translator, or that contradict its attention or its bridge.

        Raises:
          ValueError: names the option, its value, and why.
        """
        refuse(
            recurrent,
            "a translator",
            stateful="its sentences are not parts of one long text",
            return_state="its decoder begins with the encoder's states in any case",
            time_major="its batches are (batch, timesteps)",
            unroll="its batches have different lengths",
        )
        if recurrent.merge_mode is None:
            raise ValueError("merge_mode=None makes no sense for a translator: attention reads one output, not two")
        if self.attention and not recurrent.return_sequences:
            raise ValueError(
                f"attention={self.attention} needs the encoder's output of every step: leave out no-return-sequences, "
                "or take attention none"
            )
        if self.input_feeding and recurrent.activity_regularizer is not None:
            raise ValueError(
                f"activity_regularizer={recurrent.activity_regularizer} does not go with input_feeding=True, which "
                "steps through the decoder's cells; leave one of them out"
            )
        decoder, encoder_size = self.decoder(recurrent), self.encoder_size(recurrent)
        if self.scores_by_dot and encoder_size != decoder.units:
            raise ValueError(
                f"attention_score=dot compares the encoder's output, of size {encoder_size}, with the decoder's, of "
                f"size {decoder.units}: take general, or decoder_units={encoder_size}"
            )
        if self.bridge == "copy":
            states = recurrent.units * (2 if recurrent.bidirectional else 1)
            if (decoder.cell, decoder.units) != (recurrent.cell, states):
                raise ValueError(
                    f"bridge=copy begins the decoder ({decoder.cell}, size {decoder.units}) with the encoder's states "
                    f"({recurrent.cell}, size {states}), which must be alike: take dense, or decoder_units={states} "
                    "and one cell for both"
                )


class SearchSettings(Settings):
    """How translations are searched for among all that the model can write."""

    beam_size: int = Field(5, ge=1, le=1000)
    """Hypotheses that are followed side by side; 1 is greedy: always the likeliest piece."""
    length_penalty: float = Field(1.0, ge=0.0, le=10.0)
    """Scores are ln p / ((5 + length) / 6) ** length_penalty (Wu et al. 2016): above 0 favours longer translations."""
    coverage_penalty: float = Field(0.0, ge=0.0, le=10.0)
    """Above 0 favours translations that attend to all of the source (Wu et al. 2016)."""
    min_length_ratio: float = Field(0.0, ge=0.0, le=100.0)
    """A translation has at least so many pieces for each piece of the source."""
    max_length_ratio: float = Field(2.0, gt=0.0, le=100.0)
    """A translation has at most so many pieces for each piece of the source, and ten more."""
    block_unknown: bool = True
    """Never writes the unknown piece."""
    block_repeats: int = Field(0, ge=0, le=100)
    """Above 0: no run of so many pieces comes twice in a translation."""

    @model_validator(mode="after")
    def _lengths_in_order(self):
        if self.min_length_ratio > self.max_length_ratio:
            raise ValueError(
                f"min_length_ratio={self.min_length_ratio} is above max_length_ratio={self.max_length_ratio}; "
                "lower the one or raise the other"
            )
        return self
