"""A text read as language models read it: each direction with a separate embedding and stack, after an end token."""

from typing import NamedTuple

import keras
import tensorflow as tf

from models.language_model import LanguageModel
from models.network_settings import ClassifierSettings
from models.ngrams import projected
from models.pooling import MaskedPooling
from models.recurrent import recurrent_layers, recurrent_stack
from models.recurrent_settings import RecurrentSettings
from models.text import EOS


class Direction(NamedTuple):
    """A direction in which a text is read.

    Attributes:
        name: "forward" or "backward".
        embedding: The `keras.layers.Embedding`.
        layers: List of recurrent layers, first to last.
        end_vector: Symbolic `(batch, 1, embedding_size)`: the embedding of the end token, which is read first.
        outputs: Symbolic `(batch, 1 + timesteps, units)`: the outputs of the stack, after the end token and after each
            token, in the order in which they are read.
    """

    name: str
    embedding: keras.layers.Layer
    layers: list[keras.layers.Layer]
    end_vector: keras.KerasTensor
    outputs: keras.KerasTensor


@keras.saving.register_keras_serializable("models")
class ReadingOrder(keras.layers.Layer):
    """Puts the vectors of a text in the order in which they are read, after a first vector.

    Args:
        reverse: Whether the text is read from its end to its beginning; padding stays on the right.
        **kwargs: Arguments of `keras.layers.Layer`.
    """

    def __init__(self, reverse: bool, **kwargs):
        super().__init__(**kwargs)
        self.reverse = reverse

    def call(self, vectors, first, padding_mask):
        """Order the vectors.

        Args:
            vectors: `(batch, timesteps, features)`.
            first: The vector that is read first, `(batch, 1, features)`.
            padding_mask: Bool `(batch, timesteps)`, False at padding; for its name see `models.pooling.SumPooling1D`.

        Returns:
            `(batch, 1 + timesteps, features)`.
        """
        if self.reverse:
            lengths = tf.reduce_sum(tf.cast(padding_mask, tf.int32), axis=1)
            vectors = tf.reverse_sequence(vectors, lengths, seq_axis=1, batch_axis=0)
        return keras.ops.concatenate([first, vectors], axis=1)

    def compute_output_shape(self, vectors_shape, first_shape, padding_mask_shape=None):
        """Return the shape of the output. Keras passes no shape of the mask before 3.14."""
        steps = vectors_shape[1]
        return (vectors_shape[0], None if steps is None else steps + 1, vectors_shape[2])

    def get_config(self):
        """Return the constructor's arguments."""
        return {**super().get_config(), "reverse": self.reverse}


def direction_names(recurrent: RecurrentSettings) -> tuple[str, ...]:
    """Return the names of the directions in which a stack with these settings reads."""
    if recurrent.bidirectional:
        return "forward", "backward"
    return ("backward",) if recurrent.go_backwards else ("forward",)


def read(
    settings: ClassifierSettings, recurrent: RecurrentSettings, vocabulary_size: int, ids, mask, ngram_vectors=None
) -> tuple:
    """Connect the directions of a classifier to its input.

    Args:
        settings: Settings of the classifier.
        recurrent: Settings of the recurrent stack of each direction.
        vocabulary_size: Number of ids.
        ids: Int32 `(batch, timesteps)`.
        mask: Bool `(batch, timesteps)`, False at padding.
        ngram_vectors: `(batch, timesteps, ngram_size)`, of the n-grams that end at each token; they are added to the
            embedding of each direction. None without n-grams.

    Returns:
        The list of `Direction`s; the vectors of the tokens `(batch, timesteps, directions * embedding_size)`, and the
        pooled outputs of all directions, side by side, `(batch, features)`.
    """
    stack = recurrent.model_copy(update={"bidirectional": False, "go_backwards": False})
    names, size = direction_names(recurrent), settings.embedding_size
    suffixes = {name: f"_{name}" if len(names) > 1 else "" for name in names}
    embeddings = [keras.layers.Embedding(vocabulary_size, size, name=f"embedding{suffixes[name]}") for name in names]
    vectors = [embedding(ids) for embedding in embeddings]
    if ngram_vectors is not None:
        vectors = [
            one + projected(settings, ngram_vectors, suffixes[name]) for name, one in zip(names, vectors, strict=True)
        ]
    token_vectors = keras.ops.concatenate(vectors, axis=-1) if len(vectors) > 1 else vectors[0]
    end_ids = keras.ops.full_like(ids[:, :1], EOS)
    read_mask = keras.ops.pad(mask, [[0, 0], [1, 0]], constant_values=True)
    directions, pooled = [], []
    for number, (name, embedding) in enumerate(zip(names, embeddings, strict=True)):
        x = token_vectors[..., number * size : (number + 1) * size]
        end_vector = embedding(end_ids)
        x = ReadingOrder(name == "backward", name=f"{name}_order")(x, end_vector, mask)
        if settings.embedding_dropout:
            x = keras.layers.SpatialDropout1D(settings.embedding_dropout, name=f"{name}_embedding_dropout")(x)
        layers = recurrent_layers(stack, name=f"recurrent_{name}")
        x = recurrent_stack(
            stack, x, mask=read_mask, layer_dropout=settings.layer_dropout, residual=settings.residual, layers=layers
        )
        pooling = MaskedPooling(settings.pooling or "max_mean_last", name=f"{name}_pooling")
        pooled.append(pooling(x[:, 1:], mask=mask))  # not the output after the end token
        directions.append(Direction(name, embedding, layers, end_vector, x))
    features = keras.ops.concatenate(pooled, axis=-1) if len(pooled) > 1 else pooled[0]
    return directions, token_vectors, features


def set_language_model(direction: Direction, model: LanguageModel) -> None:
    """Set the weights of a direction to those of a language model.

    Raises:
        ValueError: If they do not fit.
    """
    if len(direction.layers) != len(model.recurrent_layers):
        raise ValueError(f"{len(model.recurrent_layers)} recurrent layers, not {len(direction.layers)}")
    direction.embedding.set_weights([model.embedding.embeddings])
    for layer, other in zip(direction.layers, model.recurrent_layers, strict=True):
        layer.set_weights(other.get_weights())
