"""Exports a run of any task: a model -> saved_models/NAME/VERSION, laid out as TensorFlow Serving reads it."""

import logging
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import sentencepiece
import tensorflow as tf

from models.recurrent_settings import Settings
from models.text import SPECIALS
from tasks import atomic_files
from tasks.arguments import ExportArguments
from tasks.data.library_logs import hidden_retracing_warnings, log_level
from tasks.data.stored_files import checksums
from tasks.errors import UserError
from tasks.serving import shared_vocabularies
from tasks.serving.weights import load_weights, uninterrupted
from tasks.task import Task, check_task
from tasks.task_parts import Exportable
from tasks.training import locks
from tasks.training.runs import Run

# The checksums of the files of a version.
CHECKSUMS = Path("assets.extra") / "checksums.json"
# The JSON Schemas of the numbers that signatures accept.
INPUTS = Path("assets.extra") / "inputs.json"
# Files that may be changed or removed: inference does not read them.
NOT_NEEDED = ("evaluation.json", "tf_serving_warmup_requests")


def main(task: Task, arguments: ExportArguments) -> None:
    """Run the command `export`."""
    print(export(task, arguments.run, arguments.to, **arguments.overrides))


@hidden_retracing_warnings()
def export(task: Task, run: Path | str, to: Path | str | None = None, **overrides: Any) -> Path:
    """Write a run as the next version of a SavedModel.

    Args:
        task: The task.
        run: A finished run.
        to: The model's folder; its sub-folders are versions. saved_models/ and the run's name if None.
        **overrides: Settings of inference that differ from those of the run, such as `beam_size`.

    Returns:
        The folder of the new version.

    Raises:
        UserError: If the run is missing, of another task, or not finished, if a setting is invalid, or if another
            process writes to the folder.

    Example:
        >>> from tasks.sentiment.task import SENTIMENT
        >>> str(export(SENTIMENT, "runs/mine", to="saved_models/mine"))
        'saved_models/mine/1'
    """
    check_task(task)
    folder = Run(run)
    settings = folder.open_finished(task.name, task.settings_class)
    with locks.locked(_model_folder(folder, to)):  # another process would write the same version
        predictor = load_weights(task, folder, settings, overrides)
        stored = None
        if overrides:
            stored = {"task": task.name, **_with_overrides(settings, overrides).model_dump(mode="json")}
        with uninterrupted("the graphs are built"):
            exportable = task.exportable(predictor, folder)
        return write_saved_model(folder, exportable, to, stored)


def _with_overrides(settings: Settings, overrides: Mapping[str, Any]) -> Settings:
    """Return the settings with the overrides in the group that has settings of these names."""
    group = next(name for name, group in settings if {*overrides} <= {*type(group).model_fields})
    changed = getattr(settings, group).model_copy(update=dict(overrides))
    return settings.model_copy(update={group: changed})


def _model_folder(run: Run, to: Path | str | None) -> Path:
    return Path(to) if to is not None else Path("saved_models") / run.path.resolve().name


def versions(folder: Path) -> list[int]:
    """Return the version numbers in a model's folder, lowest first."""
    if not folder.is_dir():
        return []
    return sorted(int(path.name) for path in folder.iterdir() if path.is_dir() and path.name.isdigit())


def write_saved_model(
    run: Run, exportable: Exportable, to: Path | str | None = None, settings: Mapping | None = None
) -> Path:
    """Write the next version of a SavedModel; it appears complete or not at all.

    `assets.extra/` contains the settings, the evaluation if there is one, the vocabulary, the ranges of the inputs,
    and a warm-up file: the first client then need not wait for what TensorFlow sets up at a first call.

    Args:
        run: The run that is exported.
        exportable: The model, its signatures and resources.
        to: See `export`.
        settings: The content of the export's settings.json; that of the run if None.

    Returns:
        The folder of the new version.
    """
    folder = _model_folder(run, to)
    atomic_files.remove_temporary(folder)
    version = folder / str((versions(folder) or [0])[-1] + 1)
    folder.mkdir(parents=True, exist_ok=True)
    with atomic_files.replacing_folder(version) as temporary:
        # The first use of the log sets its level.
        with log_level("absl", logging.WARNING), uninterrupted("the graphs are built"):
            _save(exportable, temporary)
        (temporary / "assets.extra").mkdir()
        for path in (run.settings_file, run.evaluation_file, *run.vocabulary.iterdir()):
            if path.exists():
                shutil.copy(path, temporary / "assets.extra")
        if settings is not None:
            atomic_files.write_json(temporary / "assets.extra" / run.settings_file.name, settings)
        atomic_files.write_json(temporary / INPUTS, dict(exportable.inputs))
        _write_warmup(temporary / "assets.extra" / "tf_serving_warmup_requests", folder.name, exportable)
        needed = [path for path in temporary.rglob("*") if path.name not in NOT_NEEDED]
        atomic_files.write_json(temporary / CHECKSUMS, checksums(temporary, needed))
    return version


def _save(exportable: Exportable, folder: Path) -> None:
    """Write the SavedModel alone.

    Not with `keras.export.ExportArchive`, which stores the graph of each signature twice and, with `track(model)`, each
    weight as well. The variables are stored, and not the Keras model, whose variables the session loader of TensorFlow
    Serving does not find.
    """
    _disable_cudnn(exportable.model)
    signatures = {name: function.get_concrete_function() for name, function in exportable.signatures.items()}
    stored = tf.Module()
    # Each variable once, in the order in which the signatures use them.
    stored.weights = list({id(one): one for function in signatures.values() for one in function.variables}.values())
    stored.resources = list(exportable.resources)
    tf.saved_model.save(stored, str(folder), signatures)
    shared_vocabularies.share(folder)


def _disable_cudnn(model: keras.Model) -> None:
    """Have the recurrent layers traced without cuDNN's kernel, which a server without a GPU does not have.

    Keras decides this at the trace, by whether it sees a GPU.
    """
    for layer in model._flatten_layers():
        if hasattr(layer, "use_cudnn"):
            layer.use_cudnn = False


def warmup_texts(tokenizer: sentencepiece.SentencePieceProcessor, max_tokens: int) -> list[dict[str, list[str]]]:
    """Return requests of one text, short and of full length, made of the pieces of the vocabulary."""
    pieces = range(SPECIALS, tokenizer.get_piece_size())
    texts = (tokenizer.decode([pieces[i % len(pieces)] for i in range(size)]) for size in (8, max_tokens))
    return [{"text": [text]} for text in texts]


def _write_warmup(path: Path, name: str, exportable: Exportable) -> None:
    """Write TFRecords of PredictionLog, as TensorFlow Serving's page on SavedModel warm-up asks for.

    A request has one row: a server that accepts batches of fewer rows than a request has does not load the model.
    """
    from tensorflow_serving.apis import model_pb2, predict_pb2, prediction_log_pb2

    with tf.io.TFRecordWriter(str(path)) as file:
        for signature, requests in exportable.warmup.items():
            specs = exportable.signatures[signature].input_signature
            for given in requests:
                values = {
                    one.name: given.get(one.name, np.zeros([1, *one.shape[1:]], one.dtype.as_numpy_dtype))
                    for one in specs
                }
                request = predict_pb2.PredictRequest(
                    model_spec=model_pb2.ModelSpec(name=name, signature_name=signature),
                    inputs={one.name: tf.make_tensor_proto(values[one.name], one.dtype) for one in specs},
                )
                log = prediction_log_pb2.PredictionLog(predict_log=prediction_log_pb2.PredictLog(request=request))
                file.write(log.SerializeToString())


def version_folder(path: Path) -> Path:
    """Return the folder of an exported model: its newest version, or the version that the path names.

    Raises:
        UserError: If there is no SavedModel.
    """
    chosen = _version_folder(atomic_files.check_is_local(path))
    if chosen is None:
        raise UserError(f"{path} is no exported model: expected saved_models/NAME or saved_models/NAME/VERSION")
    return chosen


def is_exported(path: Path) -> bool:
    """Return whether a folder is an exported model or a version of one."""
    return _version_folder(path) is not None


def _version_folder(path: Path) -> Path | None:
    newest = versions(path)
    chosen = path if (path / "saved_model.pb").exists() else path / str(newest[-1]) if newest else None
    return chosen if chosen is not None and (chosen / "saved_model.pb").exists() else None
