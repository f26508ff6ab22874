"""Labelled texts: from a source to ids on disk and batches of them."""

import collections
import json
import logging
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import sentencepiece
import tensorflow as tf

from models import ngrams, text
from tasks import atomic_files
from tasks.data import bucketing as batching
from tasks.data import vocabularies
from tasks.data.sources import Column, Record, Source, open_source
from tasks.errors import UserError
from tasks.sentiment.settings import DataSettings, SentimentSettings
from tasks.training.runs import Run

log = logging.getLogger(__name__)

SAMPLE = Path(__file__).parents[1] / "samples" / "sentiment"
MOST_LABELS = 10_000
# Texts that the n-grams are counted on: bounds the memory of the count, however large the corpus.
NGRAM_TEXTS = 200_000


def labelled_source(data: DataSettings, location: str | None = None) -> Source:
    """The source of (text, label) records that the settings name, or another one read with the same columns."""
    return open_source(
        location or data.data,
        [Column("text", data.text_column), Column("label", data.label_column, required=True)],
        sample=SAMPLE,
        validation_fraction=data.validation_fraction,
        test_fraction=data.test_fraction,
    )


def clean(value: str) -> str:
    """A label as it is compared: without the blanks around it."""
    return value.strip()


def _label_order(labels: Iterable[str]) -> list[str]:
    """Sorted, numbers by their value."""
    labels = list(labels)
    try:
        return sorted(labels, key=float)
    except ValueError:
        return sorted(labels)


class LabelIds:
    """Labels <-> class ids.

    Args:
      labels: the classes' names in the order of their ids.
    """

    def __init__(self, labels: list[str]):
        self.labels = labels
        self._ids = {label: index for index, label in enumerate(labels)}

    def __call__(self, record: Record) -> int:
        """The class id of a (text, label) record.

        Raises:
          UserError: a label that training did not have; names the place.
        """
        label = clean(record.values[1])
        if label not in self._ids:
            shown = ", ".join(self.labels[:20])
            raise UserError(
                f"{record.where}: unknown label {label!r}; the model knows: {shown}. Mend or remove the row"
            )
        return self._ids[label]


def prepare(settings: SentimentSettings, run: Run) -> None:
    """Reads the source once for labels and vocabulary, and once more to store ids; what is there already stays.

    Writes `vocabulary/` (sentencepiece.model, labels.json) and, below `checkpoint/`, the ids of both splits and the
    vocabularies of n-grams.
    """
    if (run.checkpoint / "validation").exists() and run.vocabulary.exists():  # written last
        return
    source = labelled_source(settings.data)
    _make_vocabulary(settings, source, run.vocabulary)
    processor, labels = load_vocabulary(run.vocabulary)
    ids_of = LabelIds(labels)

    def encoded(split: str) -> Iterator[tuple[list[int], int]]:
        for records in batching.chunks(source.records(split)):
            try:
                classes = [ids_of(record) for record in records]
            except UserError as error:
                if split == "train" or "validation" in source.stored:
                    raise
                raise UserError(
                    f"{error}. The row was drawn for validation, and no row with its label is left to train on: "
                    "add some, or lower --validation-fraction"
                ) from None
            texts = [text.shortened(record.values[0], settings.classifier.max_tokens) for record in records]
            for ids, label in zip(processor.encode(texts, num_threads=2), classes, strict=True):
                yield ids[: settings.classifier.max_tokens], label

    for split in ("train", "validation"):
        batching.SequenceStore.write(run.checkpoint / split, encoded(split), processor.get_piece_size())


def _make_vocabulary(settings: SentimentSettings, source: Source, folder: Path) -> None:
    counts: collections.Counter[str] = collections.Counter()

    def counted(records):
        for record in records:
            counts[clean(record.values[1])] += 1
            if len(counts) > MOST_LABELS:
                raise UserError(
                    f"{record.where}: more than {MOST_LABELS:,} different labels; "
                    "name the column of the classes with --label-column"
                )
            yield record

    texts = [
        values[0]
        for values in vocabularies.sampled(counted(source.records("train")), settings.vocabulary.vocabulary_texts)
    ]
    if len(counts) < 2:
        raise UserError(
            f"{source.location}: its training split has one class only, {next(iter(counts))!r}; "
            "a classifier needs two or more"
        )
    model = vocabularies.learn(texts, settings.vocabulary, source.location)
    with atomic_files.replacing_folder(folder) as temporary:
        (temporary / "sentencepiece.model").write_bytes(model)
        (temporary / "labels.json").write_text(
            json.dumps(_label_order(counts), ensure_ascii=False) + "\n", encoding="utf-8"
        )


def load_vocabulary(folder: Path) -> tuple[sentencepiece.SentencePieceProcessor, list[str]]:
    """The tokenizer and the classes' names of a run.

    Raises:
      UserError: a file of them is missing or damaged.
    """
    try:
        labels = json.loads((folder / "labels.json").read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise UserError(f"{folder} cannot be read ({error}); train the run again with --overwrite") from None
    return vocabularies.load(folder / "sentencepiece.model"), labels


def _read_in_parts(store: batching.SequenceStore, indexes: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Padded ids and classes of the sequences named, some 256 at a time, those of like length together."""
    ordered = indexes[np.argsort(store.lengths[indexes], kind="stable")]
    for start in range(0, len(ordered), 256):
        part = ordered[start : start + 256]
        yield batching.padded([store[index] for index in part]), store.labels[part]


def ngram_vocabulary(store: batching.SequenceStore, folder: Path, name: str, **arguments) -> np.ndarray:
    """The frequent n-grams of the training texts (`models.ngrams.frequent_ngrams`), kept in `folder` for a resume."""
    path = folder / f"{name}.npy"
    if not path.exists():
        chosen = np.random.default_rng(0).permutation(len(store))[:NGRAM_TEXTS]
        keys = ngrams.frequent_ngrams((ids for ids, _ in _read_in_parts(store, chosen)), **arguments)
        _save(path, keys)
    return np.load(path)


def ngram_counts(
    store: batching.SequenceStore, folder: Path, name: str, keys: np.ndarray, last: int, classes: int
) -> np.ndarray:
    """The classes' counts of the n-grams 1 to `last` (`models.ngrams.ngram_class_counts`), kept likewise."""
    path = folder / f"{name}_counts.npy"
    if not path.exists():
        parts = _read_in_parts(store, np.arange(len(store)))
        _save(path, ngrams.ngram_class_counts(parts, keys, 1, last, classes))
    return np.load(path)


def _save(path: Path, array: np.ndarray) -> None:
    with atomic_files.replacing(path) as temporary:
        np.save(temporary, array)


def class_weights(setting: str | None, labels: list[str], counts: np.ndarray) -> np.ndarray:
    """The weight of each class's examples: float32 (classes,).

    Args:
      setting: None; "balanced": examples / (classes * examples of the class); or "NAME=WEIGHT,...", 1 for the others.
      counts: examples of each class.

    Raises:
      UserError: text in none of these forms, or an unknown class.
    """
    weights = np.ones(len(labels), np.float32)
    if setting == "balanced":
        return (counts.sum() / (len(labels) * counts)).astype(np.float32)
    for part in (setting or "").split(",") if setting else []:
        name, _, value = part.rpartition("=")
        try:
            weights[labels.index(clean(name))] = weight = float(value)
            if not 0.0 <= weight < float("inf"):
                raise ValueError
        except ValueError:
            raise UserError(
                f"--class-weights {setting}: {part!r} is not NAME=WEIGHT with a class of {', '.join(labels[:20])}; "
                "or give balanced"
            ) from None
    return weights


def training_batches(
    store: batching.SequenceStore, buckets, weights: np.ndarray, *, seed: int, epoch: int, step: int, **arguments
) -> tf.data.Dataset:
    """Endless batches from (epoch, step) on: ids (batch, timesteps), classes (batch,), weights (batch,)."""
    return _dataset(store, lambda: batching.stream(buckets, seed, epoch, step), weights, **arguments)


def validation_batches(store: batching.SequenceStore, buckets, **arguments) -> tf.data.Dataset:
    """One pass from short texts to long ones; every example weighs 1."""
    weights = np.ones(store.labels.max() + 1, np.float32)
    dataset = _dataset(store, lambda: batching.ordered_batches(buckets), weights, **arguments)
    return dataset.apply(tf.data.experimental.assert_cardinality(batching.steps_per_pass(buckets)))


def _dataset(
    store: batching.SequenceStore, index_batches, weights: np.ndarray, length: int | None, with_labels: bool
) -> tf.data.Dataset:
    """With `with_labels` the input is (ids, classes), as the training view of a model with a wide path takes it."""

    def generate():
        for indexes in index_batches():
            labels = store.labels[indexes]
            ids = batching.padded([store[index] for index in indexes], length)
            yield (ids, labels) if with_labels else ids, labels, weights[labels]

    ids, labels = tf.TensorSpec((None, length), tf.int32), tf.TensorSpec((None,), tf.int32)
    signature = ((ids, labels) if with_labels else ids, labels, tf.TensorSpec((None,), tf.float32))
    return tf.data.Dataset.from_generator(generate, output_signature=signature).prefetch(4)
