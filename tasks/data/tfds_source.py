"""Splits of TensorFlow Datasets data sets, read as records of text."""

import contextlib
import difflib
import importlib
import logging
import sys
from collections.abc import Iterator, Sequence, Set
from functools import partial
from typing import Any

from tasks.data import datasets
from tasks.data.library_logs import log_level
from tasks.data.records import Column, Reader, Record, as_text, find_column, quoted_list
from tasks.errors import UserError

READ_BATCH = 256
DOWNLOAD_RETRIES = 5


def tfds_splits(location: str, columns: Sequence[Column], data_dir: str | None) -> dict[str, Reader]:
    """Open a data set, and download and prepare it if necessary.

    Args:
        location: `tfds:NAME[/CONFIG]`.
        columns: The columns to read. A column without a name is the feature at its position among the data set's
            `supervised_keys` (the first column is the input, the second the target), or else the feature with the
            name of its role. The features of a translation data set are its languages; if one column names the
            language at the other column's position, the other column takes the remaining language, and the set is
            read in the opposite direction.
        data_dir: The data folder of the library; None uses its default (`TFDS_DATA_DIR`).

    Returns:
        A reader for each split of the data set. The order of the records is fixed, and classes are read by name.

    Raises:
        UserError: If the data set or a feature does not exist, or the download fails.
    """
    builder = _prepare_builder(location, data_dir)
    names = {column.name for column in columns}
    features = [_find_feature(column, index, names, builder.info, location) for index, column in enumerate(columns)]
    return {split: partial(_records, builder, split, features, f"{location}/{split}") for split in builder.info.splits}


def _prepare_builder(location: str, data_dir: str | None) -> Any:
    name = location.removeprefix("tfds:")
    with _library_messages_to_stderr():
        tfds = _import_library(location)
        datasets.register(name.split("/")[0].split(":")[0])
        # The library raises exceptions of many classes here, for misspelt names as well as for failed connections and
        # full disks. For the caller they all mean that the data set is not available.
        try:
            builder = tfds.builder(name, data_dir=data_dir)
        except tfds.core.DatasetNotFoundError as error:
            known = {*tfds.list_builders(with_community_datasets=False), *datasets.BUILDER_MODULES}
            close = difflib.get_close_matches(name.split("/")[0], sorted(known))
            hint = f"did you mean {' or '.join(close)}?" if close else "see its catalogue for the names."
            raise UserError(f"{location}: TensorFlow Datasets has no data set of this name; {hint}") from error
        except Exception as error:
            configs = _config_names(name)
            hint = f"\nIts configs are: {quoted_list(configs)}." if configs else ""
            raise UserError(f"{location}: TensorFlow Datasets cannot open it: {_summary(error)}{hint}") from error
        if not builder.is_prepared():
            try:
                with _progress_bar_on_terminal():
                    _download_and_prepare(builder)
            except UserError:  # raised by a builder of this package, which names the file and the line
                raise
            except Exception as error:
                raise UserError(
                    f"{location}: it is not in {builder.data_dir}, and its download failed: "
                    f"{_summary(error)}\nCheck the connection, or set TFDS_DATA_DIR to the folder that contains it."
                ) from error
        return builder


def _import_library(location: str) -> Any:
    """Import TensorFlow Datasets, whose packages need not go together: their requirements are wider than what works.

    Raises:
        UserError: If it cannot be imported.
    """
    try:
        with log_level("absl", logging.CRITICAL):  # of an error, the library logs the traceback, and goes on empty
            library = importlib.import_module("tensorflow_datasets")
        importlib.import_module("tensorflow_datasets.public_api")  # raises the error
        return library
    except Exception as error:
        if type(error).__name__ == "VersionError" and "tensorflow_metadata" in str(error):
            # Version 1.21 needs protobuf 6, and does not say so to pip.
            remedy = "pip install 'tensorflow-metadata<1.18', which goes with the installed protobuf"
        else:
            remedy = "pip install --force-reinstall tensorflow-datasets"
        raise UserError(f"{location}: TensorFlow Datasets cannot be imported: {_summary(error)}\n{remedy}") from error


@contextlib.contextmanager
def _progress_bar_on_terminal() -> Iterator[None]:
    """Switch the library's progress bars off where standard error is no terminal, until the block ends."""
    from tensorflow_datasets.core.utils import tqdm_utils

    active = tqdm_utils._active  # the library has functions to change it, and none to read it
    tqdm_utils.display_progress_bar(active and sys.stderr.isatty())
    try:
        yield
    finally:
        tqdm_utils.display_progress_bar(active)


def _config_names(name: str) -> list[str]:
    """Return the configs of a data set, which the library's own error message often omits."""
    import tensorflow_datasets as tfds

    with contextlib.suppress(Exception):  # the data set itself may be missing
        return list(tfds.builder_cls(name.split("/")[0].split(":")[0]).builder_configs)
    return []


def _download_and_prepare(builder: Any) -> None:
    from tensorflow_datasets.core.download import downloader

    # By default the library retries ten times at growing intervals, which takes more than three minutes without a
    # network; five retries take some seconds. The library has no setting for the number.
    retries, downloader.MAX_RETRIES = downloader.MAX_RETRIES, DOWNLOAD_RETRIES
    try:
        builder.download_and_prepare()
    finally:
        downloader.MAX_RETRIES = retries


@contextlib.contextmanager
def _library_messages_to_stderr() -> Iterator[None]:
    """Redirect the library's download messages to standard error, and suppress its warnings."""
    with log_level("absl", logging.ERROR), contextlib.redirect_stdout(sys.stderr):
        yield


def _summary(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"


def _is_translation(info: Any) -> bool:
    import tensorflow_datasets as tfds

    return isinstance(info.features, tfds.features.Translation)


def _find_feature(column: Column, index: int, names: Set[str | None], info: Any, location: str) -> str:
    keys = info.supervised_keys
    if column.name is None and isinstance(keys, tuple) and index < len(keys) and isinstance(keys[index], str):
        # If the other column names the language at this position, this column takes the remaining language.
        name = keys[1 - index] if keys[index] in names and _is_translation(info) else keys[index]
    else:
        name = find_column(column, list(info.features), location)
    feature = info.features[name]
    # The shape of a nested feature is a dictionary; an image or a sequence has at least one dimension.
    if feature.shape != ():
        raise UserError(
            f"{location}: the feature {name!r} is of type {type(feature).__name__}; "
            f"expected text, a class or a number.\nChoose another with --{column.role}-column."
        )
    return name


def _records(builder: Any, split: str, names: Sequence[str], split_location: str) -> Iterator[Record]:
    import tensorflow_datasets as tfds

    with _library_messages_to_stderr():
        dataset = builder.as_dataset(
            split=split,
            shuffle_files=False,
            # The library cannot omit features of a Translation, which contains only texts anyway.
            decoders=None if _is_translation(builder.info) else tfds.decode.PartialDecoding(dict.fromkeys(names, True)),
            # One shard after the other, so that the order is the same on every machine; no cache of the whole split.
            read_config=tfds.ReadConfig(try_autocache=False, interleave_cycle_length=1),
        )
    features = [builder.info.features[name] for name in names]
    number = 0
    for batch in dataset.batch(READ_BATCH).prefetch(2).as_numpy_iterator():
        for values in zip(*(batch[name].tolist() for name in names), strict=True):
            number += 1
            location = f"{split_location}, record {number}"
            yield Record(tuple(map(_feature_text, features, values, names, [location] * len(names))), location)


def _feature_text(feature: Any, value: Any, name: str, location: str) -> str:
    if hasattr(feature, "int2str"):  # a ClassLabel
        if value < 0:  # the library's value for a missing label
            raise UserError(f"{location}: it has no {name!r}; read this split without labels, or choose another one.")
        return feature.int2str(value)
    return as_text(value, location, name)
