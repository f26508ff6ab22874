"""Trains a character model, or goes on with an interrupted training."""

import logging
from pathlib import Path

import keras

from models.language_model import build_language_model, training_view
from tasks.chargen import data
from tasks.chargen.settings import ChargenSettings
from tasks.chargen.windows import TrainingWindows, validation_windows
from tasks.training import fit as training
from tasks.training import runs
from tasks.training.runs import Run

log = logging.getLogger(__name__)


def train(settings: ChargenSettings, run: Path | str, *, overwrite: bool = False, verbose: int = 1) -> Run:
    """Trains a character model in the folder `run`.

    Args:
      settings: all of them.
      run: a new folder, or that of the same training, interrupted, which then goes on.
      overwrite: puts the new run in the place of a finished one.
      verbose: Keras's: 0 silent, 1 a progress bar, 2 a line for each epoch.

    Returns: the finished run.

    Raises:
      UserError: the data or the folder cannot be used.
      tasks.errors.TrainingDiverged: the loss became NaN; the run is finished with the last good weights.
    """
    folder = runs.begin(run, "chargen", settings, overwrite=overwrite)
    characters, text, held_out = data.prepare(settings, folder)
    chosen, recurrent = settings.training, settings.recurrent
    windows = TrainingWindows(
        text,
        window=chosen.window,
        batch_size=chosen.batch_size,
        carried=recurrent.stateful,
        step=chosen.window_step,
        last_only=not recurrent.return_sequences,
        seed=chosen.seed,
    )
    training.set_up(chosen)
    with training.explained_cudnn():
        model = build_language_model(settings.network, recurrent, len(characters), windows.window)
    log.info(
        "%s characters to train on, %s to validate on; %s different ones",
        f"{len(text):,}",
        f"{len(held_out):,}",
        f"{len(characters.characters):,}",
    )
    if (windows.window, windows.batch_size) != (chosen.window, chosen.batch_size):
        log.info("the text is short: batches of %d windows of %d characters", windows.batch_size, windows.window)
    characters_per_pass = windows.steps_per_pass * windows.batch_size * windows.window
    training.describe(model, recurrent, windows.steps_per_pass, characters_per_pass)
    with runs.finishing(folder, run):
        training.train(
            model,
            training_view(model, recurrent, windows.batch_size),
            loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            weighted_metrics=[keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
            batches=windows.batches,
            steps_per_pass=windows.steps_per_pass,
            tokens_per_pass=characters_per_pass,
            validation=validation_windows(held_out, windows.window, windows.batch_size, fixed=recurrent.unroll),
            settings=chosen,
            run=folder,
            verbose=verbose,
        )
    return Run(run)
