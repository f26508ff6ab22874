"""How many weights a network has, computed from its settings before anything is built. Does not import TensorFlow.

The formulas are those of the Keras layers; a test compares them with the networks.
"""

from typing import NamedTuple

from models.network_settings import ClassifierSettings, LanguageModelSettings, NetworkSettings, TranslatorSettings
from models.recurrent_settings import CELLS, STATES, RecurrentSettings


class Part(NamedTuple):
    """A part of a network.

    Attributes:
        name: What it is, for messages.
        parameters: Number of its weights.
        options: The options that they depend on.
        activations: Numbers that a training step keeps for each token, until the gradients are computed; at least.
        is_table: Whether a step uses and changes few of its rows, as of an embedding.
        slots: Number of variables that its optimizer keeps for each weight; None is that of the other parts.
    """

    name: str
    parameters: int
    options: tuple[str, ...]
    activations: int = 0
    is_table: bool = False
    slots: int | None = None


def stack_parameters(recurrent: RecurrentSettings, features: int) -> int:
    """Return the number of weights of a recurrent stack.

    Args:
        recurrent: Settings of the stack.
        features: Size of its inputs.
    """
    units, directions, total = recurrent.units, 2 if recurrent.bidirectional else 1, 0
    biases = 2 if recurrent.cell == "gru" and recurrent.reset_after is not False else 1
    for _ in range(recurrent.layers):
        weights = (features + units + (biases if recurrent.use_bias else 0)) * units
        total += directions * CELLS[recurrent.cell].blocks * weights
        features = output_size(recurrent)
    return total


def output_size(recurrent: RecurrentSettings) -> int:
    """Return the number of features of a stack's output; of each of the two outputs without a merge mode."""
    return recurrent.units * (2 if recurrent.bidirectional and recurrent.merge_mode == "concat" else 1)


def stack_part(recurrent: RecurrentSettings, features: int, name: str = "recurrent layers") -> Part:
    """Return a recurrent stack; a step keeps its gates and one output of each timestep."""
    directions = 2 if recurrent.bidirectional else 1
    kept = recurrent.layers * directions * (CELLS[recurrent.cell].blocks + 1) * recurrent.units
    return Part(name, stack_parameters(recurrent, features), ("units", "layers", "embedding_size"), kept)


def classifier_parts(
    settings: ClassifierSettings,
    recurrent: RecurrentSettings,
    vocabulary_size: int = 1,
    classes: int = 2,
    ngram_count: int = 0,
    wide_count: int = 0,
    piece_width: int = 0,
) -> list[Part]:
    """Return the parts of a `models.classifier.Classifier`; see there for the arguments."""
    size, directions = settings.embedding_size, 1
    if settings.separate_directions:
        directions = 2 if recurrent.bidirectional else 1
        recurrent = recurrent.model_copy(update={"bidirectional": False})
    embedding, stack = _embedding(settings, vocabulary_size), stack_part(recurrent, size)
    parts = [
        embedding._replace(
            parameters=directions * embedding.parameters, activations=directions * embedding.activations
        ),
        stack._replace(
            parameters=directions * stack.parameters, activations=directions * stack.activations // settings.pool_size
        ),
    ]
    if settings.ngrams > 1:
        ngram_size = settings.ngram_size or size
        count = max(1, ngram_count) + (ngram_count + 1) * ngram_size
        parts.append(
            Part("n-gram vectors", count, ("ngram_vocabulary", "ngram_size", "embedding_size"), is_table=True, slots=1)
        )
        if settings.ngram_size is not None:
            parts.append(Part("projection of n-gram vectors", directions * ngram_size * size, ("ngram_size",)))
    features = output_size(recurrent)
    if recurrent.return_sequences:
        pooling = settings.pooling or ("max_mean_last" if settings.separate_directions else "max_mean")
        if pooling == "attention":
            parts.append(Part("pooling", directions * (features + 1), ("units",)))
        features *= {"max_mean": 2, "max_mean_last": 3}.get(pooling, 1)
    features *= directions
    parts.append(Part("output layer", (features + 1) * classes, ("units",)))
    if settings.wide_ngrams:
        if settings.wide_features == "tf_idf":
            count = max(1, wide_count) + (wide_count + 1) * (classes + 1) + classes
        else:
            count = max(1, wide_count) + 2 * (wide_count + 1) * classes + 2 * classes
        if settings.wide_units == "characters":
            count += vocabulary_size * piece_width
        parts.append(Part("wide path", count, ("wide_vocabulary",), is_table=True, slots=1))
    return parts


def language_model_parts(
    settings: LanguageModelSettings, recurrent: RecurrentSettings, vocabulary_size: int = 1
) -> list[Part]:
    """Return the parts of a `models.language_model.LanguageModel`; see there for the arguments."""
    size, units = settings.embedding_size, recurrent.units
    output = _output(units, vocabulary_size, ("units",))
    if settings.tied_embeddings:
        projection = (units + 1) * size if units != size else 0
        bias = vocabulary_size if settings.output_bias else 0
        output = output._replace(parameters=projection + bias, options=("units", "embedding_size"))
    return [_embedding(settings, vocabulary_size), stack_part(recurrent, size), output]


def translator_parts(
    settings: TranslatorSettings, recurrent: RecurrentSettings, source_size: int = 1, target_size: int = 1
) -> list[Part]:
    """Return the parts of a `models.translator.Translator`; see there for the arguments.

    Half of the tokens of a batch count as those of the targets.
    """
    size, decoder, encoder_size = settings.embedding_size, settings.decoder(recurrent), settings.encoder_size(recurrent)
    attentional = size if settings.tied_embeddings else decoder.units
    attention = 0
    if settings.attention:
        value_size = encoder_size + (size if settings.attend_embeddings else 0)
        key_size = settings.attention_units or decoder.units
        attention = attentional * (decoder.units + value_size + 1)
        if settings.attention == "additive":
            attention += key_size * (encoder_size + decoder.units + 2)  # keys, queries, and the score's weights
        elif not settings.scores_by_dot:
            attention += key_size * encoder_size
    elif settings.tied_embeddings and size != decoder.units:
        attention = size * (decoder.units + 1)
    bridge = 0
    if settings.bridge == "dense":
        # Each state of a layer of the decoder comes from one state of each direction of a layer of the encoder.
        states = recurrent.units * (2 if recurrent.bidirectional else 1)
        bridge = decoder.layers * len(STATES[decoder.cell]) * decoder.units * (states + 1)
    decoder_input = size + (attentional if settings.input_feeding else 0)
    decoder_part = stack_part(decoder, decoder_input, "decoder layers")
    encoder_part = stack_part(recurrent, size, "encoder layers")
    output = _output(decoder.units, target_size, ("decoder_units", "vocabulary_size"))
    return [
        _embedding(settings, source_size + target_size),
        encoder_part._replace(activations=encoder_part.activations // 2),
        decoder_part._replace(
            options=("decoder_units", "decoder_layers", "units", "layers", "embedding_size"),
            activations=decoder_part.activations // 2,
        ),
        Part(
            "attention and bridge", attention + bridge, ("decoder_units", "units", "attention_units", "embedding_size")
        ),
        output._replace(
            parameters=0 if settings.tied_embeddings else output.parameters, activations=output.activations // 2
        ),
    ]


def _embedding(settings: NetworkSettings, rows: int) -> Part:
    size = settings.embedding_size
    return Part("embedding", rows * size, ("embedding_size", "vocabulary_size"), size, is_table=True)


def _output(features: int, vocabulary_size: int, options: tuple[str, ...]) -> Part:
    """Return an output layer over a vocabulary: a step keeps the logits and their gradients."""
    return Part("output layer", (features + 1) * vocabulary_size, options, 2 * vocabulary_size)
