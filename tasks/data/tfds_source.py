"""Reading the splits of a TensorFlow Datasets data set as records of text."""

import contextlib
import difflib
import logging
import sys
from collections.abc import Iterator, Sequence, Set
from functools import partial
from typing import Any

from tasks.data import datasets
from tasks.data.records import Column, Reader, Record, as_text, find_column, listing
from tasks.errors import UserError

READ_BATCH = 256
DOWNLOAD_RETRIES = 5


def tfds_splits(location: str, columns: Sequence[Column], data_dir: str | None) -> dict[str, Reader]:
    """Opens a data set; downloads and prepares it first where that has not been done.

    Args:
        location: `tfds:NAME[/CONFIG]`.
        columns: what to read. One without a name is the feature in its place among the data set's `supervised_keys`
            (the first column is the input, the second the target), or else the feature called like its role. The
            features of a translation set are its languages, and one named for the other column changes places: the
            set is read in the other direction.
        data_dir: the library's data folder; None leaves it to the library (`TFDS_DATA_DIR`).

    Returns:
        For each split that the data set brings, a function that begins to read it, always in the same order.
        Classes come out under their names.

    Raises:
        UserError: there is no such data set or feature, or it cannot be downloaded.
    """
    builder = _prepared_builder(location, data_dir)
    named = {column.name for column in columns}
    features = [_find_feature(column, place, named, builder.info, location) for place, column in enumerate(columns)]
    return {split: partial(_records, builder, split, features, f"{location}/{split}") for split in builder.info.splits}


def _prepared_builder(location: str, data_dir: str | None) -> Any:
    name = location.removeprefix("tfds:")
    with _library_messages_to_stderr():
        import tensorflow_datasets as tfds

        datasets.register(name.split("/")[0].split(":")[0])
        # The library raises exceptions of many classes here, for misspelt names as well as for broken connections
        # and full disks, and to the caller all of them say: this data set cannot be had like this.
        try:
            builder = tfds.builder(name, data_dir=data_dir)
        except tfds.core.DatasetNotFoundError as error:
            known = {*tfds.list_builders(with_community_datasets=False), *datasets.BUILDER_MODULES}
            close = difflib.get_close_matches(name.split("/")[0], sorted(known))
            hint = f"did you mean {' or '.join(close)}?" if close else "its catalogue lists the names."
            raise UserError(f"{location}: TensorFlow Datasets has no data set of this name; {hint}") from error
        except Exception as error:
            configs = _config_names(name)
            hint = f"\nIts configs are: {listing(configs)}." if configs else ""
            raise UserError(f"{location}: TensorFlow Datasets cannot open it: {_summary(error)}{hint}") from error
        if not builder.is_prepared():
            if not sys.stderr.isatty():
                tfds.disable_progress_bar()
            try:
                _download_and_prepare(builder)
            except UserError:  # a builder of ours names the file and the line
                raise
            except Exception as error:
                raise UserError(
                    f"{location}: it is not in {builder.data_dir} yet, and downloading it there failed: "
                    f"{_summary(error)}\nCheck the connection, or set TFDS_DATA_DIR to the folder that has it."
                ) from error
        return builder


def _config_names(name: str) -> list[str]:
    """Returns the configs of a data set; what the library says of a wrong one seldom names the right ones."""
    import tensorflow_datasets as tfds

    with contextlib.suppress(Exception):  # the data set itself may be what cannot be opened
        return list(tfds.builder_cls(name.split("/")[0].split(":")[0]).builder_configs)
    return []


def _download_and_prepare(builder: Any) -> None:
    from tensorflow_datasets.core.download import downloader

    # The library retries ten times at growing intervals: more than three minutes for somebody without a network. Five
    # retries take some seconds. There is no setting for it.
    retries, downloader.MAX_RETRIES = downloader.MAX_RETRIES, DOWNLOAD_RETRIES
    try:
        builder.download_and_prepare()
    finally:
        downloader.MAX_RETRIES = retries


@contextlib.contextmanager
def _library_messages_to_stderr() -> Iterator[None]:
    """Keeps standard output for results: the library announces downloads there. Its warnings are held back."""
    logger = logging.getLogger("absl")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    finally:
        logger.setLevel(level)


def _summary(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"


def _is_translation(info: Any) -> bool:
    import tensorflow_datasets as tfds

    return isinstance(info.features, tfds.features.Translation)


def _find_feature(column: Column, place: int, named: Set[str | None], info: Any, location: str) -> str:
    keys = info.supervised_keys
    if column.name is None and isinstance(keys, tuple) and place < len(keys) and isinstance(keys[place], str):
        # A language that was named for the other column leaves its own place to the other language.
        name = keys[1 - place] if keys[place] in named and _is_translation(info) else keys[place]
    else:
        name = find_column(column, list(info.features), location)
    feature = info.features[name]
    # A feature of features has a dictionary of shapes, a picture or a sequence a longer one.
    if feature.shape != ():
        raise UserError(
            f"{location}: the feature {name!r} is of type {type(feature).__name__}; "
            f"expected text, a class or a number.\nChoose another with --{column.role}-column."
        )
    return name


def _records(builder: Any, split: str, names: Sequence[str], place: str) -> Iterator[Record]:
    import tensorflow_datasets as tfds

    with _library_messages_to_stderr():
        dataset = builder.as_dataset(
            split=split,
            shuffle_files=False,
            # Of a Translation the library cannot leave features out; it has nothing but texts anyway.
            decoders=None if _is_translation(builder.info) else tfds.decode.PartialDecoding(dict.fromkeys(names, True)),
            # One shard after the other: the order never depends on the machine. The cache would hold the whole split.
            read_config=tfds.ReadConfig(try_autocache=False, interleave_cycle_length=1),
        )
    features = [builder.info.features[name] for name in names]
    number = 0
    for batch in dataset.batch(READ_BATCH).prefetch(2).as_numpy_iterator():
        for values in zip(*(batch[name].tolist() for name in names), strict=True):
            number += 1
            where = f"{place}, record {number}"
            yield Record(tuple(map(_feature_text, features, values, names, [where] * len(names))), where)


def _feature_text(feature: Any, value: Any, name: str, where: str) -> str:
    if hasattr(feature, "int2str"):  # a ClassLabel
        if value < 0:  # how the library writes that a record has no label
            raise UserError(f"{where}: it has no {name!r}; read this split without its labels, or choose another one.")
        return feature.int2str(value)
    return as_text(value, where, name)
