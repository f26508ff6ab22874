"""What a training leaves behind as it goes: best weights, history, and a checkpoint to go on from."""

import contextlib
import json
import logging
import math
import time
from collections.abc import Callable, Iterator

import keras
import numpy as np

from tasks import atomic_files
from tasks.errors import TrainingDiverged, UserError
from tasks.reports import plots
from tasks.settings import TrainingSettings
from tasks.training.optimizers import schedule
from tasks.training.runs import Run

log = logging.getLogger(__name__)

# The last good weights are copied this often, for a run that meets NaN.
STEPS_BETWEEN_SNAPSHOTS = 50


def load_model(run: Run) -> keras.Model:
    """The model of a finished run.

    Raises:
      UserError: its file is damaged.
    """
    try:
        return keras.saving.load_model(run.model_file, compile=False)
    except (ValueError, OSError) as error:
        raise UserError(f"{run.model_file} cannot be read ({error}); train the run again with --overwrite") from None


class RunKeeper(keras.callbacks.Callback):
    """Keeps the best weights, the history and the checkpoint of a run, and stops it early or when it diverges.

    A checkpoint is one file with all that the next step depends on: weights, optimizer, the state of the random
    generators and of the metrics, and the place in the data.

    Args:
      kept_model: what is kept; shares its weights with the model that is fitted.
      steps_per_epoch, passes_per_epoch: from one validation to the next.
      tokens_per_pass: in a pass over the training data.
      judge: epoch, from 1 -> more validation figures, of the weights that are kept; None where it measures nothing.

    Attributes:
      epoch, step: where training stands: `step` batches of epoch `epoch` are done.
      history: a row for each finished epoch; None where a figure was not measured.
      stopped: whether early stopping has ended the training.
    """

    def __init__(
        self,
        kept_model: keras.Model,
        run: Run,
        settings: TrainingSettings,
        steps_per_epoch: int,
        passes_per_epoch: float,
        tokens_per_pass: int,
        judge: Callable[[int], dict[str, float | None]] | None = None,
    ):
        super().__init__()
        self.judge = judge
        self.kept_model, self.run, self.settings = kept_model, run, settings
        self.steps_per_epoch = steps_per_epoch
        self.passes_per_epoch, self.tokens_per_pass = passes_per_epoch, tokens_per_pass
        self.epoch, self.step, self.stopped = 0, 0, False
        self.history: list[dict[str, float]] = []
        self.seconds = 0.0  # spent in this epoch before the interruption
        self._validation_seconds = 0.0
        self._metric_values: list[np.ndarray] = []
        self._file = run.state_file

    # --- the checkpoint

    def _variables(self, model: keras.Model) -> list:
        """All that training changes: weights, random states, optimizer; in an order that the settings determine."""
        variables = {id(variable): variable for variable in [*model.variables, *model.optimizer.variables]}
        for metric in model.metrics:
            for variable in metric.variables:
                variables.pop(id(variable), None)
        return list(variables.values())

    def save(self) -> None:
        place = {name: getattr(self, name) for name in ("epoch", "step", "history", "stopped")}
        place["seconds"] = self.seconds + (time.monotonic() - self._began if self.step else 0.0)
        arrays = {f"variable_{i}": np.asarray(v.value) for i, v in enumerate(self._variables(self.model))}
        if self.step:
            arrays |= {f"metric_{i}": np.asarray(v.value) for i, v in enumerate(self.model.metrics_variables)}
        with atomic_files.replacing(self._file) as path, open(path, "wb") as file:
            np.savez(file, place=np.array(json.dumps(place)), **arrays)
        self._saved = time.monotonic()

    def restore(self, model: keras.Model) -> None:
        """Puts the model, and this keeper, where the checkpoint was taken; does nothing if there is none."""
        if not self._file.exists():
            return
        with np.load(self._file) as stored:
            for name, value in json.loads(str(stored["place"])).items():
                setattr(self, name, value)
            variables = self._variables(model)
            values = [stored[f"variable_{i}"] for i in range(sum(name.startswith("variable_") for name in stored))]
            for variable, value in zip(variables, values, strict=True):
                variable.assign(value)
            count = sum(name.startswith("metric_") for name in stored)
            self._metric_values = [stored[f"metric_{index}"] for index in range(count)]
        if self.step:
            log.info("going on at epoch %d, step %d of %d", self.epoch + 1, self.step + 1, self.steps_per_epoch)
        elif self.epoch and self.epoch < self.settings.epochs and not self.stopped and not hasattr(self, "_saved"):
            log.info("going on at epoch %d", self.epoch + 1)

    # --- what Keras calls

    def on_epoch_begin(self, epoch, logs=None):
        self._began = self._saved = time.monotonic()
        self._offset = self.step
        if self._metric_values:
            for variable, value in zip(self.model.metrics_variables, self._metric_values, strict=True):
                variable.assign(value)
        self._metric_values = []
        if not self.history:  # later, the best epoch's weights are on disk
            self._good = self._candidate = self._weights()

    def on_train_batch_end(self, batch, logs=None):
        self.step = self._offset + batch + 1
        if not math.isfinite(logs["loss"]):
            self._diverged(logs["loss"])
        if self.step % STEPS_BETWEEN_SNAPSHOTS == 0 and not self.history:
            # The weights of the snapshot before have been through a forward pass by now; the newest have not.
            self._good, self._candidate = self._candidate, self._weights()
        if (
            time.monotonic() - self._saved > 60.0 * self.settings.checkpoint_minutes
            and self.step < self.steps_per_epoch
        ):
            self.save()

    def on_test_begin(self, logs=None):
        self._validation_began = time.monotonic()

    def on_test_end(self, logs=None):
        self._validation_seconds = time.monotonic() - self._validation_began

    def on_epoch_end(self, epoch, logs=None):
        if not math.isfinite(logs["val_loss"]):
            self._diverged(logs["val_loss"])
        # Of training alone: how often it validates is the caller's choice, and not the network's cost.
        seconds = self.seconds + time.monotonic() - self._began - self._validation_seconds
        last = (epoch + 1) * self.steps_per_epoch - 1
        total = self.steps_per_epoch * self.settings.epochs
        rate = float(schedule(self.settings, self.settings.learning_rate, total)(last))
        with self._kept_weights():
            judged = {f"val_{name}": value for name, value in self.judge(epoch + 1).items()} if self.judge else {}
            logs = {name: float(value) for name, value in logs.items()} | judged
            row = {"epoch": epoch + 1, **logs, "learning_rate": rate, "seconds": seconds}
            row["passes"] = (epoch + 1) * self.passes_per_epoch
            row["tokens_per_second"] = self.tokens_per_pass * self.passes_per_epoch / seconds
            self.history = [*self.history, row]
            self._good = self._candidate = None
            best = self.best_epoch()
            if best == epoch + 1:
                self._save_model()
        self._write_history()
        self.epoch, self.step, self.seconds = epoch + 1, 0, 0.0
        measured = row[f"val_{self.settings.monitor}"] is not None
        if measured and self.settings.patience is not None and self.epoch - best >= self.settings.patience:
            log.info("no better val_%s for %d epochs: stopped", self.settings.monitor, self.settings.patience)
            self.stopped = self.model.stop_training = True
        self.save()

    def best_epoch(self) -> int:
        """The epoch, from 1, with the best validation figure; the first of equals. Not measured is worst."""
        figure = f"val_{self.settings.monitor}"
        sign = 1.0 if self.settings.monitor == "loss" else -1.0
        worth = lambda row: math.inf if row[figure] is None else sign * row[figure]  # noqa: E731
        return int(min(self.history, key=worth)["epoch"])

    # --- what is kept

    def _weights(self) -> list[np.ndarray]:
        return [np.array(variable.value) for variable in self.model.trainable_variables]

    @contextlib.contextmanager
    def _kept_weights(self) -> Iterator[None]:
        """The model has the weights that are validated and kept: their running average, where there is one."""
        if not self.settings.average_weights:
            yield
            return
        own = self._weights()
        self.model.optimizer.finalize_variable_values(self.model.trainable_variables)
        yield
        self._assign(own)

    def _save_model(self) -> None:
        with atomic_files.replacing(self.run.model_file) as path:
            self.kept_model.save(path, include_optimizer=False)

    def _assign(self, weights: list[np.ndarray]) -> None:
        for variable, value in zip(self.model.trainable_variables, weights, strict=True):
            variable.assign(value)

    def _write_history(self) -> None:
        rounded = [
            {name: None if value is None else f"{value:.6g}" for name, value in row.items()} for row in self.history
        ]
        atomic_files.write_csv(self.run.history_file, rounded)
        self.run.plots.mkdir(exist_ok=True)
        plots.learning_curves(self.history, self.run.plots / "learning_curves.png")

    def _diverged(self, loss: float) -> None:
        if self.history:
            kept = f"the weights of epoch {self.best_epoch()}"
        else:
            kept = "the last good weights of this first epoch"
            self._assign(self._good)
            self._save_model()
        ways = ("global_clipnorm", "clipnorm", "clipvalue")
        clipping = next(
            (f"{name}={getattr(self.settings, name)}" for name in ways if getattr(self.settings, name)), None
        )
        raise TrainingDiverged(
            f"loss is {loss} at step {self.step} of epoch {self.epoch + 1}; {self.run.path} keeps {kept}.\n"
            f"Gradients are clipped by {clipping or 'nothing'}: try "
            f"{'a smaller one' if clipping else '--global-clipnorm 1.0'}, or --learning-rate below "
            f"{self.settings.learning_rate:g}; the run counts as finished, so add --overwrite"
        )
