"""Settings of the networks around the recurrent stack. Does not import TensorFlow."""

from typing import Literal

from pydantic import Field, model_validator

from models.recurrent_settings import ABSENT, Cell, Initializer, Rate, RecurrentSettings, Settings


def refuse(recurrent: RecurrentSettings, network: str, **reasons: str) -> None:
    """Reject recurrent options that a network cannot use.

    Args:
        recurrent: The settings to check.
        network: What the network is, for the message.
        **reasons: For each option that must keep its default, why.

    Raises:
        ValueError: If one of the options is set; the message contains the option, its value and the reason.
    """
    for name, reason in reasons.items():
        value = getattr(recurrent, name)
        if value != type(recurrent).model_fields[name].default:
            raise ValueError(f"{name}={value} makes no sense for {network}: {reason}")


class NetworkSettings(Settings):
    """Settings that the three networks share."""

    embedding_size: int = Field(64, ge=1)
    """Size of the embedding vectors."""
    embedding_dropout: Rate = 0.0
    """Fraction of the embedding's features to drop, the same ones at each timestep (SpatialDropout1D)."""
    layer_dropout: Rate = 0.0
    """Fraction of each recurrent layer's output to drop before the next layer."""
    output_dropout: Rate = 0.0
    """Fraction of the features to drop before the output layer."""


Pooling = Literal["max", "mean", "max_mean", "max_mean_last", "attention"]


class ClassifierSettings(NetworkSettings, defaults={"embedding_dropout": 0.1, "output_dropout": 0.1}):
    """The network around the recurrent stack of a classifier: embedding, n-grams, pooling and the wide path."""

    max_tokens: int = Field(400, ge=1, le=1_000_000)
    """Maximum number of pieces of a text; longer texts are truncated."""
    ngrams: int = Field(1, ge=1, le=8)
    """Above 1, the vectors of the n-grams of 2 to N pieces that end at a position are added to its embedding."""
    ngram_vocabulary: int = Field(200_000, ge=1)
    """Maximum number of n-grams with a vector; the most frequent ones are kept."""
    ngram_min_texts: int = Field(2, ge=1)
    """Minimum number of training texts that contain an n-gram with a vector."""
    ngram_size: int | None = Field(None, ge=1)
    """Size of the n-gram vectors, which a dense layer projects to that of the embedding; None is embedding_size."""
    ngram_dropout: Rate = 0.0
    """Fraction of the n-grams to drop in training."""
    pool_size: int = Field(1, ge=1, le=16)
    """Number of neighbouring embedding vectors to sum before the recurrent layers, which shortens the sequence."""
    pooling: Pooling | None = None
    """With return_sequences: how the timesteps are reduced to one vector; None is max_mean, or max_mean_last with
    separate_directions."""
    separate_directions: bool = False
    """Reads a text as language models do: after an end token, each direction with a separate embedding and stack."""
    residual: bool = False
    """Add the input of each layer except the first to its output."""
    wide_ngrams: int = Field(0, ge=0, le=8)
    """Above 0, add a wide path: a linear model on the n-grams of 1 to N pieces."""
    wide_units: Literal["pieces", "characters"] = "pieces"
    """What the n-grams of the wide path consist of; characters are those of the pieces."""
    wide_features: Literal["log_count_ratios", "tf_idf"] = "log_count_ratios"
    """log_count_ratios: the linear model is trained with the network; tf_idf: it is fitted before, for few labels."""
    wide_vocabulary: int = Field(1_000_000, ge=1)
    """Maximum number of n-grams with a weight in the linear model."""
    wide_min_texts: int = Field(2, ge=1)
    """Minimum number of training texts that contain an n-gram of the linear model."""
    wide_share: float = Field(0.5, gt=0.0, lt=1.0)
    """Weight of the linear model's logits in the average with those of the recurrent path."""

    def check_recurrent(self, recurrent: RecurrentSettings) -> None:
        """Reject recurrent options that a classifier cannot use.

        Args:
            recurrent: Settings of the recurrent stack.

        Raises:
            ValueError: If an option cannot be used; the message contains the option, its value and the reason.
        """
        refuse(
            recurrent,
            "a classifier",
            stateful="its texts are not parts of one long text",
            return_state="it uses the output, not the state",
            time_major="its batches are (batch, timesteps)",
        )
        recurrent.check_unrolled(self.max_tokens, "max_tokens")
        if recurrent.merge_mode is None:
            raise ValueError("merge_mode=None makes no sense for a classifier: it uses one output, not two")
        for name in ("pooling", "residual", "separate_directions"):
            value = getattr(self, name)
            if value and not recurrent.return_sequences:
                raise ValueError(
                    f"{name}={value} needs the output of every step: add return_sequences, or leave {name} out"
                )
        if self.separate_directions:
            self._check_separate_directions(recurrent)
        elif self.pooling == "max_mean_last":
            raise ValueError(
                "pooling=max_mean_last needs separate_directions=True: otherwise the last output of the backward "
                "direction is that of one token; use max_mean"
            )

    def _check_separate_directions(self, recurrent: RecurrentSettings) -> None:
        if self.pool_size != 1:
            raise ValueError(
                f"pool_size={self.pool_size} does not go with separate_directions=True: each token is read by itself; "
                "leave it out"
            )
        refuse(
            recurrent,
            "a classifier with separate_directions",
            unroll="it reads one token more than a text has",
            merge_mode="the outputs of both directions are pooled, and concatenated",
        )
        if recurrent.bidirectional and recurrent.go_backwards:
            raise ValueError(
                "go_backwards=True does not go with bidirectional=True and separate_directions=True, where each "
                "direction is read; leave it out"
            )


class LanguageModelSettings(NetworkSettings):
    """The network around the recurrent stack of a language model: embedding, dropout and output."""

    tied_embeddings: bool = False
    """Use the embedding's weights in the output layer; where the sizes differ, a projection comes before it."""
    output_bias: bool = False
    """With tied embeddings: add a bias to the logits; always with tokenizer sentencepiece."""
    residual: bool = False
    """Add the input of each layer except the first to its output."""

    @model_validator(mode="after")
    def _bias_of_tied_embeddings(self):
        if self.output_bias and not self.tied_embeddings:
            raise ValueError(
                "output_bias=True needs tied_embeddings=True: without it the output layer has a bias; leave it out"
            )
        return self

    def check_recurrent(self, recurrent: RecurrentSettings) -> None:
        """Reject recurrent options that a language model cannot use.

        Args:
            recurrent: Settings of the recurrent stack.

        Raises:
            ValueError: If an option cannot be used; the message contains the option, its value and the reason.
        """
        refuse(
            recurrent,
            "a language model",
            bidirectional="the backward direction would see the characters that are to be predicted",
            go_backwards="it would see the characters that are to be predicted",
            return_state="the network returns its states in any case",
            time_major="its batches are (batch, timesteps)",
        )


class TranslatorSettings(
    NetworkSettings, defaults={"embedding_size": 128, "embedding_dropout": 0.1, "output_dropout": 0.2}
):
    """The network around the two recurrent stacks of a translator: encoder, attention, decoder and output."""

    max_tokens: int = Field(100, ge=1, le=1_000_000)
    """Maximum number of pieces of a sentence; longer sentences are truncated, and left out in training."""
    embedding_initializer: Initializer = "random_normal(0, 1)"
    """Initializer of both embeddings; attention is learned sooner with larger values than Keras's default."""
    tied_embeddings: bool = False
    """Use the weights of the target embedding in the output layer."""
    attention: Literal["additive", "multiplicative"] | None = "multiplicative"
    """additive (Bahdanau et al. 2015), multiplicative (Luong et al. 2015), or None: the decoder sees the last state."""
    attention_score: Literal["dot", "general"] | None = None
    """Multiplicative attention: dot needs equal sizes, general has a weight matrix; None is dot."""
    attention_units: int | None = Field(None, ge=1)
    """Additive attention: hidden size; None is the size of the decoder."""
    attend_embeddings: bool = True
    """With attention: the values are the encoder's output and the source embeddings, concatenated."""
    input_feeding: bool = False
    """Feed the attentional hidden state to the next step of the decoder (Luong et al. 2015, 3.3): slower."""
    bridge: Literal["dense", "copy"] | None = "dense"
    """Initial states of the decoder: the encoder's last states through a dense layer, as they are, or zeros (None)."""
    decoder_cell: Cell | None = None
    """Cell of the decoder; None is the cell of the encoder."""
    decoder_layers: int | None = Field(None, ge=1, le=100)
    """Number of decoder layers; None is the number of encoder layers."""
    decoder_units: int | None = Field(None, ge=1)
    """Size of the decoder's state; None is the size of the encoder's output (both directions)."""
    residual: bool = False
    """In both stacks, add the input of each layer except the first to its output."""

    @model_validator(mode="after")
    def _check_attention_options(self):
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
                "use one of them"
            )
        return self

    @property
    def scores_by_dot(self) -> bool:
        """Whether the attention score is the dot product of encoder and decoder outputs."""
        return self.attention == "multiplicative" and self.attention_score != "general"

    def decoder(self, recurrent: RecurrentSettings) -> RecurrentSettings:
        """Return the settings of the decoder's stack.

        Args:
            recurrent: Settings of the encoder's stack.

        Returns:
            The encoder's options with the decoder's cell and sizes, in the forward direction.
        """
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
        """Return the number of features of the encoder's output at each timestep."""
        both = recurrent.bidirectional and recurrent.merge_mode == "concat"
        return recurrent.units * (2 if both else 1)

    def check_recurrent(self, recurrent: RecurrentSettings) -> None:
        """Reject recurrent options that a translator cannot use, or that contradict its attention or bridge.

        Args:
            recurrent: Settings of the encoder's stack.

        Raises:
            ValueError: If an option cannot be used; the message contains the option, its value and the reason.
        """
        refuse(
            recurrent,
            "a translator",
            stateful="its sentences are not parts of one long text",
            return_state="the encoder returns its states in any case",
            time_major="its batches are (batch, timesteps)",
            unroll="its batches have different lengths",
        )
        if recurrent.merge_mode is None:
            raise ValueError("merge_mode=None makes no sense for a translator: attention uses one output, not two")
        if self.attention and not recurrent.return_sequences:
            raise ValueError(
                f"attention={self.attention} needs the encoder's output of every step: leave out no-return-sequences, "
                "or use attention none"
            )
        if self.input_feeding and recurrent.activity_regularizer is not None:
            raise ValueError(
                f"activity_regularizer={recurrent.activity_regularizer} does not go with input_feeding=True, which "
                "calls the decoder's cells directly; leave one of them out"
            )
        decoder, encoder_size = self.decoder(recurrent), self.encoder_size(recurrent)
        if self.scores_by_dot and encoder_size != decoder.units:
            raise ValueError(
                f"attention_score=dot multiplies the encoder's output, of size {encoder_size}, with the decoder's, of "
                f"size {decoder.units}: use general, or decoder_units={encoder_size}"
            )
        if self.bridge == "copy":
            states = recurrent.units * (2 if recurrent.bidirectional else 1)
            if (decoder.cell, decoder.units) != (recurrent.cell, states):
                raise ValueError(
                    f"bridge=copy initializes the decoder ({decoder.cell}, size {decoder.units}) with the encoder's "
                    f"states ({recurrent.cell}, size {states}), which must be alike: use dense, or "
                    f"decoder_units={states} and one cell for both"
                )
