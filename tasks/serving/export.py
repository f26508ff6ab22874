"""A model -> saved_models/NAME/VERSION, laid out as TensorFlow Serving reads it."""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import keras
import sentencepiece
import tensorflow as tf

from models.text import SPECIALS
from tasks import atomic_files
from tasks.cli.settings_files import read_settings
from tasks.errors import UserError
from tasks.training.runs import Run, SettingsOfTask


def versions(folder: Path) -> list[int]:
    """The version numbers in a model's folder, lowest first."""
    if not folder.is_dir():
        return []
    return sorted(int(path.name) for path in folder.iterdir() if path.is_dir() and path.name.isdigit())


def export(
    run: Run,
    model: keras.Model,
    signatures: dict[str, Callable],
    *,
    to: Path | str | None = None,
    resources: Sequence[tf.Module] = (),
    warmup: Sequence[dict[str, tf.Tensor]] = (),
) -> Path:
    """Writes a run as the next version of a SavedModel; it appears whole or not at all.

    `assets.extra/` gets the settings, the evaluation if there is one, the vocabulary, and a warm-up file.

    Args:
      run: what is exported.
      model: the Keras model that the signatures use.
      signatures: name -> a `tf.function` with an input signature; `serving_default` among them.
      to: the model's folder; versions are its sub-folders. saved_models/ and the run's name if None.
      resources: what else they use, such as a tokenizer.
      warmup: inputs of `serving_default` that TensorFlow Serving answers when it loads the model, so that the first
        client need not wait for what is set up on a first call.

    Returns: the folder of the new version.
    """
    folder = Path(to) if to is not None else Path("saved_models") / run.path.resolve().name
    version = folder / str((versions(folder) or [0])[-1] + 1)
    folder.mkdir(parents=True, exist_ok=True)
    # Not tf.saved_model.save: it leaves out a Keras 3 model's variables for the session loader of TensorFlow Serving.
    archive = keras.export.ExportArchive()
    archive.track(model)
    for module in resources:
        archive.track(module)
    for name, function in signatures.items():
        archive.add_endpoint(name, function)
    with atomic_files.replacing_folder(version) as temporary:
        archive.write_out(temporary, verbose=False)
        (temporary / "assets.extra").mkdir()
        for path in (run.settings_file, run.evaluation_file, *run.vocabulary.iterdir()):
            if path.exists():
                shutil.copy(path, temporary / "assets.extra")
        if warmup:
            _write_warmup(temporary / "assets.extra" / "tf_serving_warmup_requests", folder.name, warmup)
    return version


def warmup_texts(tokenizer: sentencepiece.SentencePieceProcessor, max_tokens: int) -> list[list[str]]:
    """Batches of one text and of eight, short and of full length, made of the vocabulary's own pieces."""
    pieces = range(SPECIALS, tokenizer.get_piece_size())
    short, full = (tokenizer.decode([pieces[i % len(pieces)] for i in range(size)]) for size in (8, max_tokens))
    return [[short], [full], [short, full] * 4]


def _write_warmup(path: Path, name: str, requests: Sequence[dict[str, tf.Tensor]]) -> None:
    """TFRecords of PredictionLog, as TensorFlow Serving's page on SavedModel warm-up asks for."""
    from tensorflow_serving.apis import model_pb2, predict_pb2, prediction_log_pb2

    spec = model_pb2.ModelSpec(name=name, signature_name="serving_default")
    with tf.io.TFRecordWriter(str(path)) as file:
        for inputs in requests:
            protos = {key: tf.make_tensor_proto(value) for key, value in inputs.items()}
            request = predict_pb2.PredictRequest(model_spec=spec, inputs=protos)
            log = prediction_log_pb2.PredictionLog(predict_log=prediction_log_pb2.PredictLog(request=request))
            file.write(log.SerializeToString())


def version_folder(path: Path) -> Path:
    """The folder of an exported model: of its newest version, or the one named.

    Raises:
      UserError: there is no SavedModel.
    """
    newest = versions(path)
    chosen = path if (path / "saved_model.pb").exists() else path / str(newest[-1]) if newest else None
    if chosen is None or not (chosen / "saved_model.pb").exists():
        raise UserError(f"{path} is no exported model: expected saved_models/NAME or saved_models/NAME/VERSION")
    return chosen


def load(path: Path) -> tf.Module:
    """Loads an exported model: its folder, for the newest version, or the folder of one version.

    Raises:
      UserError: there is no SavedModel.
    """
    return tf.saved_model.load(version_folder(path))


def load_with_settings(
    path: Path, task: str, settings_class: type[SettingsOfTask], signature: str
) -> tuple[tf.Module, SettingsOfTask, Path]:
    """Loads an exported model of `task`, its settings, and the folder with its vocabulary.

    Args:
      path: see `load`.
      signature: one that each export of the task has.

    Raises:
      UserError: there is no SavedModel, it is of another task, or its settings are gone.
    """
    model = load(path)
    if signature not in model.signatures:
        raise UserError(f"{path} has no signature `{signature}`; name an export of a {task} run")
    extra = version_folder(path) / "assets.extra"
    if not (extra / "settings.json").exists():
        raise UserError(f"{path}: its assets.extra/settings.json is missing; export the run again")
    return model, read_settings(extra / "settings.json", task, settings_class), extra
