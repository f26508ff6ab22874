"""Sentiment, many-to-one: a text in, a label and its probability out."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tasks.references import find

if TYPE_CHECKING:
    from tasks.predictor import Predictor


def load(path: Path | str, **overrides: Any) -> "Predictor":
    """Open a run or an exported model, to be called with a text or with several.

    TensorFlow is imported at the first call.

    Args:
        path: The folder of a run, or saved_models/NAME or saved_models/NAME/VERSION.
        **overrides: Settings of inference that differ from those of the run.

    Returns:
        A `tasks.sentiment.predict.SentimentPredictor`.

    Raises:
        UserError: If the folder is neither, or belongs to another task, or a setting is invalid.

    Example:
        >>> classify = load("runs/mine")
        >>> answer = classify("Arrived late and broken.")
        >>> list(answer)
        ['text', 'label', 'probability', 'probabilities']
    """
    return find("tasks.serving.inference:load")(find("tasks.sentiment.task:SENTIMENT"), path, **overrides)
