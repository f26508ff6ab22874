"""The callback of a training: best weights, early stopping, history, divergence, timing, and when to checkpoint."""

import contextlib
import logging
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

import keras
import numpy as np
import tensorflow as tf

from tasks import atomic_files
from tasks.errors import TrainingDiverged
from tasks.metrics import Metric
from tasks.reports import plots
from tasks.reports.progress import EpochLog
from tasks.settings import TrainingSettings
from tasks.training.checkpoint import Checkpoint, Progress, save_model
from tasks.training.one_process import ONE_PROCESS, OneProcess
from tasks.training.optimizers import make_schedule
from tasks.training.runs import Run
from tasks.training.signals import DeferredSignals

log = logging.getLogger(__name__)

# Steps between two copies of the last good weights, for a first epoch that diverges.
STEPS_BETWEEN_SNAPSHOTS = 50
# Seconds between two drawings of the learning curves, which take longer than an epoch of a small network.
SECONDS_BETWEEN_PLOTS = 10.0


class TrainingCallback(keras.callbacks.Callback):
    """Saves the best weights, the history and the checkpoint of a run, and stops it early or when it diverges.

    Args:
        saved_model: The model that is saved; shares its weights with the model that is fitted.
        run: The run.
        settings: The settings.
        monitor: The validation metric that selects the weights, with its direction.
        steps_per_epoch: Steps between two validations.
        passes_per_epoch: The same in passes over the training data.
        tokens_per_pass: Tokens in a pass.
        epoch_log: What is shown of the epochs.
        validation_metrics: See `tasks.task_parts.Network`.
        sample_texts: See `tasks.task_parts.Network`.
        workers: The workers of the training. The first one measures, writes and shows; all decide the same.

    Attributes:
        progress: How far the training has come.
        signals: Signals that end the training once the step that was reached is saved.
    """

    def __init__(
        self,
        saved_model: keras.Model,
        run: Run,
        settings: TrainingSettings,
        *,
        monitor: Metric,
        steps_per_epoch: int,
        passes_per_epoch: float,
        tokens_per_pass: int,
        epoch_log: EpochLog,
        validation_metrics: Callable[[int], Mapping[str, float | None]] | None = None,
        sample_texts: Callable[[], Sequence[str]] | None = None,
        workers: OneProcess = ONE_PROCESS,
    ):
        super().__init__()
        self.saved_model, self.run, self.settings, self.monitor = saved_model, run, settings, monitor
        self.steps_per_epoch = steps_per_epoch
        self.passes_per_epoch, self.tokens_per_pass = passes_per_epoch, tokens_per_pass
        self.epoch_log, self.validation_metrics, self.sample_texts = epoch_log, validation_metrics, sample_texts
        self.workers, self.checkpoint = workers, Checkpoint(run.state_file, workers)
        self.progress, self.signals = Progress(), DeferredSignals()
        self._validation_seconds = 0.0
        self._metric_values: list[np.ndarray] = []
        self._last_checkpoint: float | None = None
        self._last_plot, self._drawn_epochs = time.monotonic(), 0

    # --- checkpoints

    def restore(self, model: keras.Model) -> None:
        """Restore the model and the progress from the checkpoint, if there is one."""
        exists = self.workers.shared(self.checkpoint.exists())
        if exists:
            self.workers.wait_for(self.checkpoint.file)
            self.progress, self._metric_values = self.checkpoint.restore(model)
        if self.workers.count > 1:
            self.workers.check_equal(weights=self.checkpoint.digest(model))
            self.workers.separate_draws(model)
        if not exists:
            return
        progress = self.progress
        if progress.step:
            log.info("resuming at epoch %d, step %d of %d", progress.epoch + 1, progress.step + 1, self.steps_per_epoch)
        elif 0 < progress.epoch < self.settings.epochs and not progress.stopped and self._last_checkpoint is None:
            log.info("resuming at epoch %d", progress.epoch + 1)

    def _save_checkpoint(self) -> None:
        progress, before = self.progress, self.progress.seconds
        progress.seconds = before + (time.monotonic() - self._epoch_start if progress.step else 0.0)
        self.checkpoint.save(self.model, progress)
        progress.seconds = before
        self._last_checkpoint = time.monotonic()

    def record_fitted(self, model: keras.Model, validation: tf.data.Dataset) -> None:
        """Validate, as epoch 0, and save weights that are of use before the training; see `tasks.task_parts.Network`.

        Args:
            model: The compiled model.
            validation: The validation data.
        """
        self.set_model(model)
        results = model.evaluate(validation, verbose=0, return_dict=True)
        if not math.isfinite(results["loss"]):
            raise TrainingDiverged(f"loss is {results['loss']} before the training")
        logs = dict.fromkeys(results) | {f"val_{name}": value for name, value in results.items()}
        self.progress.history = [self.workers.first_alone(lambda: self._row(0, logs, 0.0))]  # no training step
        self._save_model()
        self._write_history()
        self.epoch_log.print_epoch(self.progress.history[-1])
        self._save_checkpoint()

    # --- what Keras calls

    def on_epoch_begin(self, epoch, logs=None):
        """Restore the metrics of an interrupted epoch."""
        self.epoch_log.move(self.progress.epoch, self.progress.step)
        self._epoch_start = self._last_checkpoint = time.monotonic()
        self._first_step = self.progress.step
        if self._metric_values:
            for variable, value in zip(self.model.metrics_variables, self._metric_values, strict=True):
                variable.assign(value)
        self._metric_values = []
        if not self.progress.history:  # later, the weights of the best epoch are on disk
            self._good_weights = self._candidate_weights = self._weights()

    def on_train_batch_end(self, batch, logs=None):
        """Check for divergence; write a checkpoint when it is time."""
        progress = self.progress
        progress.step = self._first_step + batch + 1
        self.epoch_log.move(progress.epoch, progress.step)
        if not math.isfinite(logs["loss"]):
            self._diverged(logs["loss"])
        if progress.step % STEPS_BETWEEN_SNAPSHOTS == 0 and not progress.history:
            # The weights of the snapshot before have been through a forward pass since then; the newest have not.
            self._good_weights, self._candidate_weights = self._candidate_weights, self._weights()
        minutes = (time.monotonic() - self._last_checkpoint) / 60.0
        is_due, interrupted = self.workers.decided(
            minutes > self.settings.checkpoint_minutes, self.signals.received is not None
        )
        # After the last step the validation follows, and the end of the epoch is saved.
        if (interrupted or is_due) and progress.step < self.steps_per_epoch:
            self._save_checkpoint()
            if interrupted:
                self.epoch_log.clear()
                log.info("saved at epoch %d, step %d of %d", progress.epoch + 1, progress.step, self.steps_per_epoch)
                self._draw_history()
                self._end()

    def on_test_begin(self, logs=None):
        """Start the clock of the validation."""
        self._validation_start = time.monotonic()

    def on_test_end(self, logs=None):
        """Stop the clock of the validation."""
        self._validation_seconds = time.monotonic() - self._validation_start

    def on_epoch_end(self, epoch, logs=None):
        """Extend the history, save the weights if they are the best, stop early, and write a checkpoint."""
        if not math.isfinite(logs["val_loss"]):
            self._diverged(logs["val_loss"])
        progress, samples = self.progress, ()
        # Of training alone: how often to validate is the caller's choice, not a cost of the network.
        seconds = progress.seconds + time.monotonic() - self._epoch_start - self._validation_seconds
        with self._averaged_weights():
            row = self.workers.first_alone(lambda: self._row(epoch + 1, logs, seconds))
            progress.history = [*progress.history, row]
            self._good_weights = self._candidate_weights = None
            best = self.monitor.best_epoch(progress.history)
            if best == epoch + 1:
                self._save_model()
            if self.sample_texts and self.workers.is_first:
                samples = self.sample_texts()
        self._write_history()
        self.epoch_log.print_epoch(progress.history[-1])
        if samples:
            log.info("%s", "\n    ".join([f"samples after epoch {epoch + 1}:", *samples]))
        progress.epoch, progress.step, progress.seconds = epoch + 1, 0, 0.0
        measured = progress.history[-1][self.monitor.column] is not None
        patience = self.settings.patience
        if measured and patience is not None and progress.epoch - best >= patience:
            log.info("no better %s for %d epochs: stopped", self.monitor.column, patience)
            progress.stopped = self.model.stop_training = True
        interrupted = self.workers.any(self.signals.received is not None)
        last = interrupted or progress.stopped or progress.epoch == self.settings.epochs
        if last or time.monotonic() - self._last_plot > SECONDS_BETWEEN_PLOTS:
            self._draw_history()
        self.workers.separate_draws(self.model, equal=True)
        self._save_checkpoint()
        if interrupted:
            log.info("saved at the end of epoch %d", progress.epoch)
            self._end()

    def _end(self) -> None:
        """End the training after a signal, which another worker may have received."""
        self.signals.deliver()
        raise KeyboardInterrupt

    def _row(self, epoch: int, logs: dict, seconds: float) -> dict[str, float | None]:
        total_steps = self.steps_per_epoch * self.settings.epochs
        learning_rate = make_schedule(self.settings, self.settings.learning_rate, total_steps)
        further = self.validation_metrics(epoch) if self.validation_metrics else {}
        return {
            "epoch": epoch,
            **{name: None if value is None else float(value) for name, value in logs.items()},
            **{f"val_{name}": value for name, value in further.items()},
            "learning_rate": float(learning_rate(epoch * self.steps_per_epoch - 1)) if epoch else 0.0,
            "seconds": seconds,
            "passes": epoch * self.passes_per_epoch,
            "tokens_per_second": self.tokens_per_pass * self.passes_per_epoch / seconds if epoch else None,
        }

    # --- weights and files

    def _weights(self) -> list[np.ndarray]:
        return [np.array(variable.value) for variable in self.model.trainable_variables]

    @contextlib.contextmanager
    def _averaged_weights(self) -> Iterator[None]:
        """The model has the weights that are validated and saved: their moving average, if the settings ask for one."""
        if not self.settings.ema_momentum:
            yield
            return
        weights = self._weights()
        self.model.optimizer.finalize_variable_values(self.model.trainable_variables)
        yield
        self._assign(weights)

    def _save_model(self) -> None:
        if self.workers.is_first:
            save_model(self.saved_model, self.run.model_file)

    def _assign(self, weights: list[np.ndarray]) -> None:
        for variable, value in zip(self.model.trainable_variables, weights, strict=True):
            variable.assign(value)

    def _write_history(self) -> None:
        if not self.workers.is_first:
            return
        history = self.progress.history
        rounded = [{name: None if value is None else f"{value:.6g}" for name, value in row.items()} for row in history]
        atomic_files.write_csv(self.run.history_file, rounded)

    def _draw_history(self) -> None:
        """Draw the learning curves, unless the newest epoch is drawn already."""
        history = self.progress.history
        if len(history) > self._drawn_epochs and self.workers.is_first:
            self.run.plots.mkdir(exist_ok=True)
            plots.learning_curves(history, self.run.plots / "learning_curves.png")
            self._last_plot, self._drawn_epochs = time.monotonic(), len(history)

    def _diverged(self, loss: float) -> None:
        if self.progress.history:
            kept = f"the weights of epoch {self.monitor.best_epoch(self.progress.history)}"
            self._draw_history()
        else:
            kept = "the last good weights of this first epoch"
            self._assign(self._good_weights)
            self._save_model()
        ways = ("global_clipnorm", "clipnorm", "clipvalue")
        clipping = next((f"{name}={value}" for name in ways if (value := getattr(self.settings, name))), None)
        remedy = "a smaller value" if clipping else "--global-clipnorm 1.0"
        raise TrainingDiverged(
            f"loss is {loss} at step {self.progress.step} of epoch {self.progress.epoch + 1}; {self.run.path} keeps "
            f"{kept}.\nGradients are clipped by {clipping or 'nothing'}: try {remedy}, or --learning-rate below "
            f"{self.settings.learning_rate:g}; the run counts as finished, so add --overwrite"
        )
