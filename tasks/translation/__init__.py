"""Translation, sequence-to-sequence with attention: a sentence in, a sentence out."""

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
        **overrides: Settings of inference that differ from those of the run, such as `beam_size`.

    Returns:
        A `tasks.translation.translate.TranslationPredictor`.

    Raises:
        UserError: If the folder is neither, or belongs to another task, or a setting is invalid.

    Example:
        >>> translate = load("runs/en-ko", beam_size=2)
        >>> list(translate("Please close the door."))
        ['text', 'translation', 'score']
    """
    return find("tasks.serving.inference:load")(find("tasks.translation.task:TRANSLATION"), path, **overrides)
