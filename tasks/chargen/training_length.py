"""How long to train if `epochs` is auto: as many passes over a text as its length needs."""

import math

from tasks.chargen.settings import ChargenSettings
from tasks.task_parts import TrainingData

# The passes over the bundled sample, and its characters.
SAMPLE_PASSES, SAMPLE_CHARACTERS = 8, 320_000
# With the default network, texts of 6,000 and 19,000 characters have their lowest validation loss after 25 to 30
# passes, and one of 75,000 after 15 to 20.
MAX_PASSES = 30
# Where an epoch is not a pass over the text: the number of validations.
VALIDATIONS = 10


def resolve_epochs(settings: ChargenSettings, data: TrainingData) -> tuple[ChargenSettings, str]:
    """Replace epochs that are "auto" by numbers of epochs and of their steps; see `tasks.task.Task.resolve_epochs`."""
    training, steps = settings.training, data.steps_per_pass
    if training.epochs != "auto":
        return settings, ""
    wanted, reason = passes(data.tokens_per_pass)
    if training.steps_per_epoch is not None:
        changes = {"epochs": max(1, round(wanted * steps / training.steps_per_epoch))}
    elif 3 <= round(wanted) <= VALIDATIONS:
        changes = {"epochs": round(wanted)}
    else:
        # A pass over a short text is too short for a validation, and one over a long text too long.
        changes = {"epochs": VALIDATIONS, "steps_per_epoch": math.ceil(wanted * steps / VALIDATIONS)}
    training = training.model_copy(update=changes)
    each = training.steps_per_epoch or steps
    line = (
        f"--epochs auto: {training.epochs:,} epochs of {each:,} steps, {training.epochs * each / steps:.3g} passes "
        f"over the text; {reason}"
    )
    return settings.model_copy(update={"training": training}), line


def passes(characters: int) -> tuple[float, str]:
    """Return how often a text is read in training, and why.

    Args:
        characters: Characters of a pass over the training text.

    Returns:
        The number of passes, not rounded, and the reason for the log.
    """
    ratio = SAMPLE_CHARACTERS / characters
    # The number of steps grows with the power 1/3 of the length of a short text, and 2/3 of a long one.
    wanted = SAMPLE_PASSES * ratio ** (2 / 3 if ratio > 1 else 1 / 3)
    if wanted > MAX_PASSES:
        return MAX_PASSES, "a text this short is then known by heart"
    return max(1.0, wanted), "a longer text is read less often"
