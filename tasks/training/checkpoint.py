"""The checkpoint of a training: one file with everything that the next step depends on."""

import dataclasses
import importlib
import json
import logging
import shutil
import zipfile
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from models import keras_objects
from tasks import atomic_files
from tasks.data.bounded_files import check_model, load_arrays
from tasks.data.stored_files import reading
from tasks.errors import UserError
from tasks.training import process_state
from tasks.training.one_process import ONE_PROCESS, OneProcess
from tasks.training.runs import Run
from tasks.training.workers import digest, dropout_seeds

log = logging.getLogger(__name__)


@process_state.preserved_seeds()
def load_model(run: Run) -> keras.Model:
    """Load the model of a finished run.

    Raises:
        UserError: If its file is damaged, or a custom class of its settings is not registered in this process.
    """
    importlib.import_module("models.serialization")  # registers the classes that the file names
    _check_registered(run)
    with reading(run.model_file, "train the run again with --overwrite"):
        check_model(run.model_file)
        model = keras.saving.load_model(run.model_file, compile=False)
    for layer in model._flatten_layers():
        if getattr(layer, "use_cudnn", None) is True:
            layer.use_cudnn = "auto"  # a machine without a GPU answers too
    return model


def check_size(run: Run, name: str, size: int, expected: int) -> None:
    """Check that a file of a run goes with its weights, and is not that of another run.

    Args:
        run: The run.
        name: The name of the file.
        size: The number of its entries.
        expected: The number of entries that the network was built for.

    Raises:
        UserError: If they differ.
    """
    if size != expected:
        raise UserError(
            f"{run.path} has files that do not fit each other ({name} has {size:,} entries, and model.keras is for "
            f"{expected:,}); train the run again with --overwrite"
        )


def _check_registered(run: Run) -> None:
    """Check that Keras knows the custom classes and functions that a caller in Python gave to the settings."""
    groups = run.stored().values() if run.settings_file.exists() else ()
    for value in [value for group in groups if isinstance(group, dict) for value in group.values()]:
        name = keras_objects.registered_name(value)
        if name is not None and keras.saving.get_registered_object(name) is None:
            raise UserError(
                f"{run.path} has {name}, a custom class or function that is not registered in this process; in Python, "
                "import the module that registers it, and then open the run"
            )


def save_model(model: keras.Model, file: Path) -> None:
    """Write a model without its optimizer; equal models give equal files.

    Args:
        model: The model.
        file: The `.keras` file; a former one stays until the new one is complete.
    """
    with atomic_files.replacing(file) as path:
        dated = path.with_name(f"{path.stem}-dated.keras")
        try:
            model.save(dated, include_optimizer=False)
            _copy_without_dates(dated, path)
        finally:
            dated.unlink(missing_ok=True)


def _copy_without_dates(path: Path, copy: Path) -> None:
    """Copy a `.keras` archive without the time at which it was saved."""
    with zipfile.ZipFile(path) as dated, zipfile.ZipFile(copy, "w") as archive:
        for entry in dated.infolist():
            without = zipfile.ZipInfo(entry.filename)  # of 1980, the first year of the format
            without.compress_type = entry.compress_type
            if entry.filename == "metadata.json":
                metadata = json.loads(dated.read(entry))
                archive.writestr(without, json.dumps({"keras_version": metadata["keras_version"], "date_saved": ""}))
                continue
            with dated.open(entry) as source, archive.open(without, "w", force_zip64=True) as target:
                shutil.copyfileobj(source, target, 1 << 20)


def load_initial_weights(model: keras.Model, run: Run) -> None:
    """Set the weights of an untrained model to those of the run that its training goes on from, if there is one.

    Raises:
        UserError: If they do not fit the model.
    """
    if not run.initial.path.exists():
        return
    log.info("trained on from the weights of %s", run.stored()["training"]["initial_run"])
    weights = load_model(run.initial).get_weights()
    shapes, expected = ([tuple(value.shape) for value in values] for values in (weights, model.weights))
    if shapes != expected:
        raise UserError(
            f"--initial-run: {len(shapes)} weights of the shapes {shapes} do not fit a network with {len(expected)} of "
            f"the shapes {expected}; train a new run without --initial-run"
        )
    model.set_weights(weights)


@dataclasses.dataclass
class Progress:
    """How far a training has come.

    Attributes:
        epoch: Finished epochs.
        step: Finished steps of the current epoch.
        history: A row for each finished epoch; None where a metric was not measured.
        stopped: Whether early stopping has ended the training.
        seconds: Seconds spent in the current epoch before an interruption.
    """

    epoch: int = 0
    step: int = 0
    history: list[dict[str, float | None]] = dataclasses.field(default_factory=list)
    stopped: bool = False
    seconds: float = 0.0


class Checkpoint:
    """Saves and restores weights, optimizer, random generators, metrics and progress.

    Args:
        file: The `.npz` file.
        workers: The workers of the training. The file is that of a training in one process: it has the carried states
            of all rows, and the random states of the first worker.
    """

    def __init__(self, file: Path, workers: OneProcess = ONE_PROCESS):
        self.file, self.workers = file, workers

    def exists(self) -> bool:
        """Whether there is something to resume from."""
        return self.file.exists()

    def save(self, model: keras.Model, progress: Progress) -> None:
        """Write the checkpoint; the former one stays until the new one is complete. All workers call it."""
        carried = _carried(model)
        values = [
            self.workers.whole_rows(np.asarray(one)) if id(one) in carried else np.asarray(one)
            for one in self._variables(model)
        ]
        if not self.workers.is_first:
            return
        arrays = {f"variable_{i}": value for i, value in enumerate(values)}
        if progress.step:  # between epochs, Keras resets the metrics
            arrays |= {f"metric_{i}": np.asarray(v.value) for i, v in enumerate(model.metrics_variables)}
        with atomic_files.replacing(self.file) as path, open(path, "wb") as file:
            np.savez(file, place=np.array(json.dumps(dataclasses.asdict(progress))), **arrays)

    def restore(self, model: keras.Model) -> tuple[Progress, list[np.ndarray]]:
        """Set the variables of the model to those of the checkpoint.

        Returns:
            The progress, and the values of the metrics' variables, which Keras resets when an epoch begins and which
            must therefore be set after that.

        Raises:
            UserError: If the file is damaged; the best weights, which are another file, stay.
        """
        remedy = (
            f"remove the folder {self.file.parent}: the run then counts as finished, with its best weights so far, "
            "and --overwrite trains it again"
        )
        with reading(self.file, remedy):
            stored = load_arrays(self.file)
            progress = Progress(**json.loads(str(stored["place"])))
            variables = self._variables(model)
            values = [stored[f"variable_{i}"] for i in range(sum(name.startswith("variable_") for name in stored))]
            carried = _carried(model)
            for variable, value in zip(variables, values, strict=True):
                variable.assign(self.workers.own_rows(value) if id(variable) in carried else value)
            count = sum(name.startswith("metric_") for name in stored)
            return progress, [stored[f"metric_{index}"] for index in range(count)]

    def digest(self, model: keras.Model) -> int:
        """Return a checksum of what all workers have alike: everything but carried states and random states."""
        carried, generators = _carried(model), {id(one.state) for one in dropout_seeds(model)}
        return digest(one for one in self._variables(model) if id(one) not in carried and id(one) not in generators)

    def _variables(self, model: keras.Model) -> list[keras.Variable]:
        """Everything that training changes, in an order that the settings determine.

        These are weights, random states, the optimizer, and the states that a language model carries between batches.
        """
        carried = _carried(model).values()
        variables = {id(variable): variable for variable in [*model.variables, *model.optimizer.variables, *carried]}
        for metric in model.metrics:
            for variable in metric.variables:
                variables.pop(id(variable), None)
        return list(variables.values())


def _carried(model: keras.Model) -> dict[int, tf.Variable]:
    """Return the states that a language model carries between batches, by `id`."""
    return {id(variable): variable for variable in getattr(model, "carried_states", ())}
