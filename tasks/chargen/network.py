"""The language model that the settings describe, and how it is trained."""

from collections.abc import Callable

import keras
import numpy as np

from models.language_model import LanguageModel, build_language_model
from models.losses import TokenCrossentropy
from models.sampled_softmax import SampledLogits
from tasks.chargen.data import TextWindows
from tasks.chargen.generate import from_run
from tasks.chargen.generated_records import generate_records
from tasks.chargen.piece_data import PieceDocuments
from tasks.chargen.settings import ChargenSettings
from tasks.task_parts import Network
from tasks.training.runs import Run

SAMPLE_LENGTH = 80


def build(settings: ChargenSettings, data: TextWindows | PieceDocuments, run: Run) -> Network:
    """Build the untrained network."""
    if settings.vocabulary.tokenizer == "sentencepiece":
        return _of_pieces(settings, data, run)
    model = build_language_model(settings.network, settings.recurrent, len(data.characters), data.windows.window)
    return Network(
        model=model,
        training_model=model.training_model(),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        weighted_metrics=[keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
        sample_texts=_sample_lines(settings, model, run) if settings.training.sample_lines else None,
    )


def _of_pieces(settings: ChargenSettings, data: PieceDocuments, run: Run) -> Network:
    samples = settings.training.softmax_samples
    recurrent = settings.recurrent.model_copy(update={"go_backwards": False})  # the data are reversed, not the layer
    model = build_language_model(settings.network, recurrent, len(data.characters))
    # The network begins with the frequencies of the pieces, and has not to learn them first.
    frequencies = np.array(data.characters.counts) + 1.0
    (model.output_bias or model.output_layer).bias.assign(np.log(frequencies / frequencies.sum()))
    sampled = None
    if samples:
        sampled = SampledLogits(data.characters.counts, samples, seed=settings.training.seed, name="sampled_logits")
    # With sampled softmax an accuracy of the training would be that among the samples.
    samples_of = _sample_lines(settings, model, run) if settings.training.sample_lines else None
    metrics = [] if samples else [keras.metrics.SparseCategoricalAccuracy(name="accuracy")]
    return Network(
        model=model,
        training_model=model.training_model(sampled),
        loss=TokenCrossentropy(name="crossentropy"),
        weighted_metrics=metrics,
        sample_texts=None if settings.recurrent.go_backwards else samples_of,
    )


def _sample_lines(settings: ChargenSettings, model: LanguageModel, run: Run) -> Callable[[], list[str]]:
    """Return a function that generates lines, each cut at SAMPLE_LENGTH characters: the first of a text, or records."""
    count = settings.training.sample_lines
    predictor = from_run(run, settings, model, {})
    # A text begins on a new line if the vocabulary has line ends.
    prompt = "\n" if "\n" in predictor.characters.symbols else ""

    def generate() -> list[str]:
        if predictor.writes_records:
            lines = generate_records(predictor, count, predictor.sampling.temperature)
        else:
            [answer] = predictor.predict([prompt], length=2 * count * SAMPLE_LENGTH)
            lines = [line for line in answer["continuation"].splitlines() if line.strip()]
        return [line[:SAMPLE_LENGTH] for line in lines[:count]]

    return generate
