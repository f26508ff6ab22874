"""Exports a classifier: text in, label and probability out."""

from pathlib import Path

from tasks.sentiment import data, predict
from tasks.serving import export as exporting
from tasks.settings import ExportArguments
from tasks.training.runs import Run


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
    processor, _ = data.load_vocabulary(stored.vocabulary)
    return exporting.export(
        stored,
        classifier.model,
        {"serving_default": classifier.classify},
        to=to,
        resources=[classifier.text],
        warmup=[{"text": texts} for texts in exporting.warmup_texts(processor, classifier.text.max_tokens)],
    )
