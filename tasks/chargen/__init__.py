"""Character generation, one-to-many: a prompt in, text out."""

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
        **overrides: Settings of inference that differ from those of the run, such as `temperature`.

    Returns:
        A `tasks.chargen.generate.CharacterGenerator`.

    Raises:
        UserError: If the folder is neither, or belongs to another task, or a setting is invalid.

    Example:
        >>> generate = load("runs/verse")
        >>> generate("The queen", temperature=0.5)["text"].startswith("The queen")
        True
    """
    return find("tasks.serving.inference:load")(find("tasks.chargen.task:CHARGEN"), path, **overrides)
