"""Exports a translator: a sentence in, a sentence out."""

from pathlib import Path

from tasks.serving import export as exporting
from tasks.settings import ExportArguments
from tasks.training.runs import Run
from tasks.translation import data, translate


def main(arguments: ExportArguments) -> None:
    print(export(arguments.run, arguments.to))


def export(run: Path | str, to: Path | str | None = None) -> Path:
    """Writes a run as the next version of a SavedModel with three signatures.

    - serving_default: text: string (batch,) -> translation: string (batch,), score: float32 (batch,);
    - beam: text, beam_size: int32 (), length_penalty: float32 () -> translations: string (batch, beam_size), scores:
      float32 (batch, beam_size);
    - align: text -> translation, source_pieces: string (batch, steps), target_pieces: string (batch, target steps),
      attention: float32 (batch, target steps, steps); only with attention.

    Args:
      run: a finished run.
      to: the model's folder; saved_models/ and the run's name if None.

    Returns: the folder of the new version.
    """
    translator = translate.load(run)
    stored = Run(run)
    source = data.load_vocabularies(stored.vocabulary)[0]
    signatures = {"serving_default": translator.translate, "beam": translator.beam}
    if translator.network.attends:
        signatures["align"] = translator.align
    return exporting.export(
        stored,
        translator.network.model,
        signatures,
        to=to,
        resources=[translator.source, translator.target],
        warmup=[{"text": texts} for texts in exporting.warmup_texts(source, translator.source.max_tokens)],
    )
