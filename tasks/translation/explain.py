"""What a translator attends to in the source as it writes each piece of its translation."""

from pathlib import Path

from tasks.arguments import ExplainArguments
from tasks.data.library_logs import hidden_retracing_warnings
from tasks.errors import UserError
from tasks.serving.weights import load_weights
from tasks.training.runs import Run
from tasks.translation import alignment
from tasks.translation.settings import TranslationSettings
from tasks.translation.task import TRANSLATION


def format_explanation(explanation: dict) -> str:
    """Return the lines that `explain` prints."""
    lines = [
        explanation["translation"],
        "",
        "piece of the translation, piece of the source with the largest weight, weight",
    ]
    for piece, weights in zip(explanation["target_pieces"], explanation["attention"], strict=True):
        largest = max(range(len(weights)), key=weights.__getitem__)
        lines.append(f"{piece}\t{explanation['source_pieces'][largest]}\t{weights[largest]:.2f}")
    return "\n".join(lines)


def explain_arguments(arguments: ExplainArguments) -> dict:
    """Return what `explain` returns for the arguments of the command."""
    return explain(arguments.run, arguments.text, picture=arguments.picture)


@hidden_retracing_warnings()
def explain(run: Path | str, text: str, *, picture: Path | str | None = None) -> dict:
    """Translate a sentence, and return the attention.

    Args:
        run: The run's folder.
        text: The sentence.
        picture: A PNG file to draw the attention into; none if None.

    Returns:
        `translation`; `source_pieces`; `target_pieces`, with the end, </s>; `attention`, weights (target pieces,
        source pieces); `picture`.

    Raises:
        UserError: If the run cannot be used or has no attention, or if the sentence has no piece.
    """
    folder = Run(run)
    settings = folder.open_trained("translation", TranslationSettings)
    if settings.network.attention is None:
        raise UserError(f"{run} was trained with attention=none, so there is none to show; train with attention")
    predictor = load_weights(TRANSLATION, folder, settings)
    found = alignment.align_sentence(predictor.align, text)
    if not found["target_pieces"]:
        raise UserError(f"{text!r} has no piece for this model, so there is nothing to explain; give another sentence")
    if picture is not None:
        alignment.draw(found, Path(picture))
    return {"text": text, **found, "picture": None if picture is None else str(picture)}
