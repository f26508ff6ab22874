"""Encoder of the translator."""

import keras

from models import keras_objects
from models.attention import Memory, key_projection
from models.network import Network, settings_dict
from models.network_settings import TranslatorSettings
from models.recurrent import STATES, PaddingMask, recurrent_layers, recurrent_stack, reverse_time
from models.recurrent_settings import RecurrentSettings


@keras.saving.register_keras_serializable("models")
class Encoder(Network):
    """Source ids to the memory of attention and the initial states of the decoder.

    The input is int32 `(batch, timesteps)`, padded on the right with 0. The outputs are [keys, values, mask, *states],
    without attention [*states]: keys `(batch, timesteps, key size)`; values `(batch, timesteps, value size)`; mask bool
    `(batch, timesteps)`; states `(batch, decoder units)` each, none without a bridge. See `split_outputs`.

    Args:
        settings: `TranslatorSettings`, or their fields.
        recurrent: `RecurrentSettings` of the encoder, or their fields.
        vocabulary_size: Number of source ids.

    Attributes:
        settings: `TranslatorSettings`.
        recurrent: `RecurrentSettings`.
        vocabulary_size: Number of source ids.
        embedding: The `keras.layers.Embedding`.
        recurrent_layers: List of recurrent layers, first to last.
        key_projection: The `keras.layers.Dense` that computes the keys; None if they are the encoder's output.
        bridge: List of the dense layers that compute the decoder's initial states; empty without such a bridge.
    """

    def __init__(self, settings: TranslatorSettings | dict, recurrent: RecurrentSettings | dict, vocabulary_size: int):
        settings = TranslatorSettings.model_validate(settings)
        recurrent = RecurrentSettings.model_validate(recurrent)
        decoder = settings.decoder(recurrent)
        source = keras.Input((None,), dtype="int32", name="source")
        mask = PaddingMask(name="mask")(source)
        embedding, embedded = embed(settings, keras.layers.Embedding, vocabulary_size, source)
        stack = recurrent.model_copy(update={"return_sequences": settings.attention is not None, "return_state": True})
        layers = recurrent_layers(stack)
        output, states = recurrent_stack(
            stack,
            embedded,
            mask=mask,
            layer_dropout=settings.layer_dropout,
            residual=settings.residual,
            layers=layers,
        )
        memory, project = [], None
        if settings.attention:
            if recurrent.go_backwards:  # Keras returns the last timestep first; mask and embeddings run the other way
                output = reverse_time(output)
            project = key_projection(
                settings.attention, settings.attention_score, settings.attention_units or decoder.units
            )
            keys = output if project is None else project(output)
            values = keras.ops.concatenate([output, embedded], axis=-1) if settings.attend_embeddings else output
            memory = [keys, values, mask]
        initial_states, bridge = _bridge(settings, recurrent.cell, decoder, states)
        super().__init__(source, [*memory, *initial_states], name="encoder")
        self.settings, self.recurrent, self.vocabulary_size = settings, recurrent, vocabulary_size
        self.embedding, self.recurrent_layers = embedding, layers
        self.key_projection, self.bridge = project, bridge

    def arguments(self) -> dict:
        """Return the constructor's arguments."""
        return {
            "settings": settings_dict(self.settings, TranslatorSettings),
            "recurrent": settings_dict(self.recurrent, RecurrentSettings),
            "vocabulary_size": self.vocabulary_size,
        }

    def split_outputs(self, outputs) -> tuple[Memory, list]:
        """Split the encoder's outputs.

        Args:
            outputs: What a call of the encoder returned.

        Returns:
            The memory, and the list of initial states of the decoder.
        """
        outputs = list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]
        if self.settings.attention is None:
            return Memory(), outputs
        return Memory(*outputs[:3]), outputs[3:]


def embed(settings: TranslatorSettings, layer_class: type, vocabulary_size: int, ids) -> tuple:
    """Embed ids, with the dropout of the settings.

    Args:
        settings: Settings of the network.
        layer_class: `keras.layers.Embedding` or `keras.layers.ReversibleEmbedding`.
        vocabulary_size: Number of ids.
        ids: Int32 `(batch, timesteps)`.

    Returns:
        The embedding layer, and the embedded ids `(batch, timesteps, embedding_size)`.
    """
    embedding = layer_class(
        vocabulary_size,
        settings.embedding_size,
        embeddings_initializer=keras_objects.build("initializer", settings.embedding_initializer),
        name="embedding",
    )
    embedded = embedding(ids)
    if settings.embedding_dropout:
        embedded = keras.layers.SpatialDropout1D(settings.embedding_dropout, name="embedding_dropout")(embedded)
    return embedding, embedded


def _bridge(settings: TranslatorSettings, cell: str, decoder: RecurrentSettings, states: list[list]) -> tuple:
    """Compute the decoder's initial states from the encoder's last states.

    The decoder's last layer gets the states of the encoder's last layer, the layer below those of the layer below, and
    where the encoder has no such layer those of its first. A decoder's c is computed from h where the encoder has no c.
    The states of two directions are concatenated.

    Args:
        settings: Settings of the network.
        cell: The encoder's cell.
        decoder: Settings of the decoder's stack.
        states: For each layer of the encoder the list of its states.

    Returns:
        The list of initial states, and the list of the dense layers that compute them.
    """
    initial_states, layers = [], []
    for layer in range(decoder.layers if settings.bridge else 0):
        layer_states = states[max(0, len(states) - decoder.layers + layer)]
        names = STATES[cell]
        for name in STATES[decoder.cell]:
            index = names.index(name) if name in names else 0
            directions = layer_states[index :: len(names)]
            state = keras.ops.concatenate(directions, axis=-1) if len(directions) > 1 else directions[0]
            if settings.bridge == "dense":
                layers.append(keras.layers.Dense(decoder.units, activation="tanh", name=f"bridge_{name}_{layer + 1}"))
                state = layers[-1](state)
            initial_states.append(state)
    return initial_states, layers
