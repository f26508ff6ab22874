"""Compiles and fits a network, and resumes an interrupted training."""

import contextlib
import logging
from collections.abc import Iterator

import keras
import tensorflow as tf

from models.network_settings import NetworkSettings
from models.recurrent_settings import RecurrentSettings
from models.trial import try_values
from tasks.errors import TrainingFailed, UserError
from tasks.metrics import Metric
from tasks.reports.progress import EpochLog
from tasks.settings import TrainingSettings
from tasks.task_parts import Network, TrainingData
from tasks.training.callbacks import TrainingCallback
from tasks.training.one_process import ONE_PROCESS, OneProcess
from tasks.training.optimizers import make_optimizer
from tasks.training.runs import Run

log = logging.getLogger(__name__)


def set_up(settings: TrainingSettings) -> None:
    """Seed every random generator, and make TensorFlow compute the same numbers in every process.

    Call it before the network is built, inside of `process_state.trains`, which restores what was before.
    """
    keras.utils.set_random_seed(settings.seed)
    tf.config.experimental.enable_op_determinism()
    keras.mixed_precision.set_global_policy(settings.precision)


def check_keras_values(recurrent: RecurrentSettings, network: NetworkSettings, features: int | None = None) -> None:
    """Check that the initializers, regularizers, constraints and activations can be used; see `models.trial`.

    Call it before `set_up`: it draws random numbers.

    Raises:
        UserError: If one cannot; names the option.
    """
    try:
        try_values(recurrent, network, features)
    except ValueError as error:
        name, _, problem = str(error).partition("=")
        raise UserError(f"--{name.replace('_', '-')} {problem}") from None


@contextlib.contextmanager
def explained_memory(training: TrainingSettings) -> Iterator[None]:
    """Turn TensorFlow's error about memory that it does not get into a `TrainingFailed`."""
    try:
        yield
    except (tf.errors.ResourceExhaustedError, MemoryError) as error:
        batch = "tokens-per-batch" if hasattr(training, "tokens_per_batch") else "batch-size"
        reason = " ".join(str(error).split())[:200]
        raise TrainingFailed(
            f"the memory does not suffice ({reason}); what is finished is kept\nlower --{batch} or --units, and add "
            "--overwrite"
        ) from None


def check_cudnn(recurrent: RecurrentSettings) -> None:
    """Raise `UserError` if `use_cudnn=True` cannot be satisfied. Keras itself reports this only in the first step."""
    if recurrent.use_cudnn is not True:
        return
    reason = recurrent.off_cudnn()
    if reason is not None:
        reason = f"{reason.partition(':')[0]} has no cuDNN kernel"
    elif not tf.config.list_physical_devices("GPU"):
        reason = "TensorFlow sees no GPU here"
    if reason is not None:
        raise UserError(f"--use-cudnn True: {reason}; take --use-cudnn auto")


def fit(
    network: Network,
    data: TrainingData,
    settings: TrainingSettings,
    run: Run,
    *,
    monitor: Metric,
    verbose: int = 1,
    workers: OneProcess = ONE_PROCESS,
) -> list[dict[str, float | None]]:
    """Train a network, or resume its training; leave its best weights in `run.model_file`, and its history.

    Args:
        network: The network.
        data: The training and validation data.
        settings: The settings.
        run: The run's folder.
        monitor: The validation metric that selects the weights, with its direction.
        verbose: See `tasks.training.train.train`.
        workers: The workers of the training.

    Returns:
        The history, a row for each epoch.

    Raises:
        TrainingDiverged: If the loss became NaN or infinite. The best weights so far are kept, or else the last good
            ones.
        KeyboardInterrupt: If the process received SIGINT, or another signal with a handler that raises this; the step
            that was reached is saved.
    """
    model = network.training_model
    steps_per_epoch = settings.steps_per_epoch or data.steps_per_pass
    optimizer = make_optimizer(
        settings,
        steps_per_epoch * settings.epochs,
        variables=model.trainable_variables,
        sparse_learning_rates=network.sparse_learning_rates,
        layer_rates=network.layer_rates,
        steps_per_epoch=steps_per_epoch,
    )
    # XLA compiles again for each length, and is slower for recurrent layers on a CPU.
    model.compile(
        optimizer=optimizer,
        loss=network.loss,
        metrics=list(network.metrics),
        weighted_metrics=list(network.weighted_metrics),
        jit_compile=False,
    )
    # Keras may have wrapped the optimizer, to scale a float16 loss. Built now, its variables can be restored.
    model.optimizer.build(model.trainable_variables)
    workers.attach(network)
    with EpochLog(settings.epochs, steps_per_epoch, verbose if workers.is_first else 0) as epoch_log:
        return _fit(network, data, settings, run, monitor, epoch_log, workers, with_samples=verbose > 0)


def _fit(
    network: Network,
    data: TrainingData,
    settings: TrainingSettings,
    run: Run,
    monitor: Metric,
    epoch_log: EpochLog,
    workers: OneProcess,
    *,
    with_samples: bool,
) -> list[dict[str, float | None]]:
    """Fit a compiled network; see `fit`."""
    model, steps_per_epoch = network.training_model, settings.steps_per_epoch or data.steps_per_pass
    callback = TrainingCallback(
        network.model,
        run,
        settings,
        monitor=monitor,
        steps_per_epoch=steps_per_epoch,
        passes_per_epoch=steps_per_epoch / data.steps_per_pass,
        tokens_per_pass=data.tokens_per_pass,
        epoch_log=epoch_log,
        validation_metrics=network.validation_metrics,
        sample_texts=network.sample_texts if with_samples else None,
        workers=workers,
    )
    validation = data.validation_batches()
    if workers.shared(callback.checkpoint.exists()):
        # Keras creates the metrics' variables at the first batch, and they must exist to be restored. This comes before
        # everything else is restored: recurrent layers draw dropout masks, which change the random state, even in an
        # evaluation.
        model.evaluate(validation.take(1), verbose=0)
    elif network.is_fitted:
        callback.record_fitted(model, validation)
    while True:
        callback.restore(model)
        progress = callback.progress
        if progress.stopped or progress.epoch >= settings.epochs or not model.trainable_variables:
            return progress.history
        # The rest of an interrupted epoch needs a separate call: Keras assumes the same number of steps in every epoch.
        with callback.signals.deferred():
            model.fit(
                data.training_batches(*divmod(progress.epoch * steps_per_epoch + progress.step, data.steps_per_pass)),
                initial_epoch=progress.epoch,
                epochs=progress.epoch + 1 if progress.step else settings.epochs,
                steps_per_epoch=steps_per_epoch - progress.step,
                validation_data=validation,
                shuffle=False,
                callbacks=[
                    *([keras.callbacks.SwapEMAWeights()] if settings.ema_momentum else []),
                    callback,
                    *([keras.callbacks.TensorBoard(run.tensorboard, write_graph=False)] if workers.is_first else []),
                ],
                verbose=0,  # `epoch_log` shows the epochs
            )


def log_cost(model: keras.Model, recurrent: RecurrentSettings, data: TrainingData) -> None:
    """Log what a training will cost, and which options prevent the fast kernel on a GPU."""
    log.info(
        "%s parameters; %s steps in a pass over the training data, %s tokens",
        f"{model.count_params():,}",
        f"{data.steps_per_pass:,}",
        f"{data.tokens_per_pass:,}",
    )
    note = recurrent.off_cudnn()
    if note:
        log.info("%s", note)
