"""Exports a character model: a prompt in, text out, in TensorFlow's core ops."""

from pathlib import Path

from tasks.chargen import generate
from tasks.serving import export as exporting
from tasks.settings import ExportArguments
from tasks.training.runs import Run


def main(arguments: ExportArguments) -> None:
    print(export(arguments.run, arguments.to))


def export(run: Path | str, to: Path | str | None = None) -> Path:
    """Writes a run as the next version of a SavedModel, which loads with plain TensorFlow.

    Signatures (see `models.text_generator.TextGenerator`):

    - serving_default: prompt -> text, continuation; with the run's own settings of sampling;
    - generate: prompt, length, temperature, top_k, top_p, seed -> text, continuation;
    - step: ids and states -> logits and states;
    - score: text -> nats_per_character.

    Args:
      run: a finished run.
      to: the model's folder; saved_models/ and the run's name if None.

    Returns: the folder of the new version.
    """
    generator = generate.load(run)
    return exporting.export(
        Run(run),
        generator.step_model.model,
        {
            "serving_default": generator.write_default,
            "generate": generator.generate,
            "step": generator.step,
            "score": generator.score,
        },
        to=to,
        resources=[generator.text],
        warmup=[{"prompt": [""]}, {"prompt": ["".join(generator.text.characters.characters[:8])] * 8}],
    )
