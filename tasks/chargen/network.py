"""The language model that the settings describe, and how it is trained."""

import keras

from models.language_model import build_language_model, training_model
from tasks.chargen.data import TextWindows
from tasks.chargen.settings import ChargenSettings
from tasks.task_parts import Network
from tasks.training.runs import Run


def build(settings: ChargenSettings, data: TextWindows, run: Run) -> Network:
    """Build the untrained network."""
    model = build_language_model(settings.network, settings.recurrent, len(data.characters), data.windows.window)
    return Network(
        model=model,
        training_model=training_model(model, data.windows.batch_size),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        weighted_metrics=[keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
    )
