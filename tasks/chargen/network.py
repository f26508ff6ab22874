"""The language model that the settings describe, and how it is trained."""

from collections.abc import Callable

import keras

from models.language_model import LanguageModel, build_language_model, training_model
from tasks.chargen.data import TextWindows
from tasks.chargen.generate import from_run
from tasks.chargen.generated_records import generate_records
from tasks.chargen.settings import ChargenSettings
from tasks.task_parts import Network
from tasks.training.runs import Run

SAMPLE_LENGTH = 80


def build(settings: ChargenSettings, data: TextWindows, run: Run) -> Network:
    """Build the untrained network."""
    model = build_language_model(settings.network, settings.recurrent, len(data.characters), data.windows.window)
    return Network(
        model=model,
        training_model=training_model(model, data.windows.batch_size),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        weighted_metrics=[keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
        sample_texts=_sample_lines(settings, model, run) if settings.training.sample_lines else None,
    )


def _sample_lines(settings: ChargenSettings, model: LanguageModel, run: Run) -> Callable[[], list[str]]:
    """Return a function that generates lines, each cut at SAMPLE_LENGTH characters: the first of a text, or records."""
    count = settings.training.sample_lines
    predictor = from_run(run, settings, model, {})
    # A text begins on a new line if the vocabulary has line ends.
    prompt = "\n" if "\n" in predictor.characters.characters else ""

    def generate() -> list[str]:
        if predictor.writes_records:
            lines = generate_records(predictor, count, predictor.sampling.temperature)
        else:
            [answer] = predictor.predict([prompt], length=2 * count * SAMPLE_LENGTH)
            lines = [line for line in answer["continuation"].splitlines() if line.strip()]
        return [line[:SAMPLE_LENGTH] for line in lines[:count]]

    return generate
