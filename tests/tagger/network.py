"""A recurrent stack with an output for each timestep."""

import keras

from models.recurrent import PaddingMask, recurrent_stack
from tasks.task_parts import Network
from tests.tagger.data import TaggedTexts
from tests.tagger.settings import TaggerSettings


class ErrorRate(keras.metrics.Mean):
    """Share of wrong tags; padding has the weight 0."""

    def update_state(self, tags, logits, sample_weight):
        """Counts the wrong tags of a batch: tags and logits (batch, timesteps, 1), weights (batch, timesteps)."""
        wrong = keras.ops.not_equal(logits > 0, keras.ops.cast(tags, bool))
        super().update_state(keras.ops.ravel(wrong), keras.ops.ravel(sample_weight))


def build(settings: TaggerSettings, data: TaggedTexts) -> Network:
    """Builds the untrained network: ids (batch, timesteps) -> logits (batch, timesteps, 1)."""
    ids = keras.Input((None,), dtype="int32", name="ids")
    x = keras.layers.Embedding(len(data.characters) + 1, settings.network.embedding_size)(ids)
    x = recurrent_stack(settings.recurrent, x, mask=PaddingMask()(ids), layer_dropout=settings.network.layer_dropout)
    model = keras.Model(ids, keras.layers.Dense(1, dtype="float32")(x), name="tagger")
    return Network(
        model=model,
        training_model=model,
        loss=keras.losses.BinaryCrossentropy(from_logits=True),
        weighted_metrics=[ErrorRate(name="error_rate")],
    )
