"""Compile and fit, and go on after an interruption."""

import contextlib
import logging
import re
from collections.abc import Callable, Iterator

import keras
import tensorflow as tf

from models.recurrent_settings import RecurrentSettings
from tasks.errors import UserError
from tasks.settings import TrainingSettings
from tasks.training.checkpoint import RunKeeper
from tasks.training.optimizers import make_optimizer
from tasks.training.runs import Run

log = logging.getLogger(__name__)


def set_up(settings: TrainingSettings) -> None:
    """Seeds every random generator, and has TensorFlow compute the same numbers in every process.

    Call it before the model is built.
    """
    keras.utils.set_random_seed(settings.seed)
    tf.config.experimental.enable_op_determinism()
    keras.mixed_precision.set_global_policy(settings.precision)


@contextlib.contextmanager
def explained_cudnn() -> Iterator[None]:
    """Turns Keras's error about a missing cuDNN kernel into the caller's; Keras looks for it as the model is built."""
    try:
        yield
    except ValueError as error:
        if "cudnn" not in str(error).lower():
            raise
        raise UserError(f"use_cudnn=True: {error}; take --use-cudnn auto") from None


def train(
    model: keras.Model,
    training_model: keras.Model,
    *,
    loss,
    metrics: list = (),
    weighted_metrics: list = (),
    batches: Callable[[int, int], tf.data.Dataset],
    steps_per_pass: int,
    tokens_per_pass: int,
    validation: tf.data.Dataset,
    settings: TrainingSettings,
    run: Run,
    sparse_rates: dict[str, float] | None = None,
    judge: Callable[[int], dict[str, float | None]] | None = None,
    verbose: int = 1,
) -> list[dict[str, float]]:
    """Trains, or goes on with, the run; leaves its best weights in `run.model_file` and its history beside them.

    Args:
      model: what is kept; shares its weights with `training_model`.
      training_model: what is fitted.
      loss, metrics, weighted_metrics: as for `keras.Model.compile`.
      batches: (pass, step) -> an endless dataset from there on; the same each time it is called with the same two.
      steps_per_pass: batches in a pass over the training data.
      tokens_per_pass: tokens in a pass, padding not counted.
      validation: read after each epoch.
      sparse_rates: see `make_optimizer`; patterns that no variable has are passed over.
      judge: see `RunKeeper`.
      verbose: Keras's: 0 silent, 1 a progress bar, 2 a line for each epoch.

    Returns: the history, a row for each epoch.

    Raises:
      tasks.errors.TrainingDiverged: the loss became NaN or infinite. The best weights so far are kept, or else the
        last good ones.
    """
    steps_per_epoch = settings.steps_per_epoch or steps_per_pass
    total_steps = steps_per_epoch * settings.epochs
    paths = [variable.path for variable in training_model.trainable_variables]
    sparse_rates = {
        pattern: rate for pattern, rate in (sparse_rates or {}).items() if any(re.fullmatch(pattern, p) for p in paths)
    }
    optimizer = make_optimizer(settings, total_steps, sparse_rates)
    # XLA compiles anew for each length, and is slower for recurrent layers on a CPU.
    training_model.compile(
        optimizer=optimizer,
        loss=loss,
        metrics=list(metrics),
        weighted_metrics=list(weighted_metrics),
        jit_compile=False,
    )
    # Keras may have wrapped it, to scale a float16 loss. Built now, its variables can be restored.
    training_model.optimizer.build(training_model.trainable_variables)
    keeper = RunKeeper(model, run, settings, steps_per_epoch, steps_per_epoch / steps_per_pass, tokens_per_pass, judge)
    if run.state_file.exists():
        # Keras makes the metrics' variables at the first batch, and they must be there to be restored. Before the rest
        # is restored: recurrent layers draw dropout masks, and so change the random state, even in an evaluation.
        training_model.evaluate(validation.take(1), verbose=0)
    while True:
        keeper.restore(training_model)
        if keeper.stopped or keeper.epoch >= settings.epochs:
            return keeper.history
        # What is left of an epoch is a fit of its own: Keras takes every epoch to have the same number of steps.
        training_model.fit(
            batches(*divmod(keeper.epoch * steps_per_epoch + keeper.step, steps_per_pass)),
            initial_epoch=keeper.epoch,
            epochs=keeper.epoch + 1 if keeper.step else settings.epochs,
            steps_per_epoch=steps_per_epoch - keeper.step,
            validation_data=validation,
            shuffle=False,
            callbacks=[
                *([keras.callbacks.SwapEMAWeights()] if settings.average_weights else []),
                keeper,
                keras.callbacks.TensorBoard(run.tensorboard, write_graph=False),
            ],
            verbose=verbose,
        )


def describe(model: keras.Model, recurrent: RecurrentSettings, steps_per_pass: int, tokens: int) -> None:
    """Says what a training will cost, and what would slow it down on a GPU."""
    log.info(
        "%s parameters; %s steps in a pass over the training data, %s tokens",
        f"{model.count_params():,}",
        f"{steps_per_pass:,}",
        f"{tokens:,}",
    )
    note = recurrent.off_cudnn()
    if note:
        log.info("%s", note)
