"""Exports a classifier: text in, label and probability out."""

from pathlib import Path

from models.text import SPECIALS
from tasks import exporting
from tasks.runs import Run
from tasks.sentiment import data, predict
from tasks.settings import ExportArguments


def main(arguments: ExportArguments) -> None:
    print(export(arguments.run, arguments.to))


def export(run: Path | str, to: Path | str | None = None) -> Path:
    """Writes a run as the next version of a SavedModel with the signature `serving_default`.

    text: string (batch,) -> label: string (batch,), probability: float32 (batch,), probabilities: float32
    (batch, classes), classes: string (batch, classes).

    Args:
      run: a finished run.
      to: the model's folder; saved_models/ and the run's name if None.

    Returns: the folder of the new version.
    """
    classifier = predict.load(run)
    stored = Run(run)
    return exporting.export(
        stored,
        classifier.model,
        {"serving_default": classifier.classify},
        to=to,
        resources=[classifier.text],
        warmup=[{"text": texts} for texts in _warmup_texts(stored, classifier.text.max_tokens)],
    )


def _warmup_texts(run: Run, max_tokens: int) -> list[list[str]]:
    """Batches of one text and of eight, short and of full length, made of the vocabulary's own pieces."""
    processor, _ = data.load_vocabulary(run.vocabulary)
    pieces = range(SPECIALS, processor.get_piece_size())
    short, full = (processor.decode([pieces[i % len(pieces)] for i in range(size)]) for size in (8, max_tokens))
    return [[short], [full], [short, full] * 4]
