"""Exports a classifier: text in, label and probability out."""

from pathlib import Path

from tasks import exporting
from tasks.sentiment import predict
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
    folder = Path(to) if to is not None else Path("saved_models") / Path(run).resolve().name
    return exporting.export(classifier, {"serving_default": classifier.classify}, folder)
