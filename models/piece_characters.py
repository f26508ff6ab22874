"""The characters of a text, from the ids of its pieces: n-grams of characters beside a network that reads pieces."""

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from models.listed import listed
from models.text import SPECIALS, UNKNOWN


def character_table(pieces: Sequence[str]) -> np.ndarray:
    """Return the ids of the characters of each piece.

    Args:
        pieces: The pieces of a SentencePiece vocabulary, in the order of their ids.

    Returns:
        Int32 `(pieces, characters of the longest one)`, padded on the right with 0. The unknown piece counts as one
        character, and the other special pieces have none.
    """
    pieces = ["" if index < SPECIALS else piece for index, piece in enumerate(listed(pieces, "piece"))]
    ids = {character: 2 + index for index, character in enumerate(sorted({*"".join(pieces)}))}
    table = np.zeros((len(pieces), max(1, *map(len, pieces))), np.int32)
    for row, piece in zip(table, pieces, strict=True):
        row[: len(piece)] = [ids[character] for character in piece]
    table[UNKNOWN, 0] = 1
    return table


@keras.saving.register_keras_serializable("models")
class PieceCharacters(keras.layers.Layer):
    """Ids of pieces, int32 `(batch, timesteps)`, to ids of their characters, int32 `(batch, characters)`.

    Both are padded on the right with 0.

    Args:
        size: Number of pieces.
        width: Number of characters of the longest one.
        **kwargs: Arguments of `keras.layers.Layer`.
    """

    def __init__(self, size: int, width: int, **kwargs):
        super().__init__(**kwargs)
        self.size, self.width = size, width
        self.supports_jit = False  # XLA has no ragged tensors; Keras warns, and does without it

    def build(self, input_shape):
        """Create the variable that holds the table."""
        shape = (self.size, self.width)
        self.table = self.add_weight(shape=shape, dtype="int32", initializer="zeros", trainable=False, name="table")

    def call(self, ids):
        """Look up the characters."""
        characters = tf.gather(tf.convert_to_tensor(self.table), ids)
        characters = tf.reshape(characters, [tf.shape(ids)[0], tf.shape(ids)[1] * self.width])
        return tf.ragged.boolean_mask(characters, characters > 0).to_tensor(0)

    def compute_output_spec(self, ids):
        """Return what the symbolic output is."""
        return keras.KerasTensor((ids.shape[0], None), "int32")

    def get_config(self):
        """Return the constructor's arguments."""
        return {**super().get_config(), "size": self.size, "width": self.width}
