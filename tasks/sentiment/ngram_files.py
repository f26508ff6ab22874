"""The vocabularies of n-grams of a run, and what its linear model starts from: written once, before the training."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from models import ngrams
from models.classifier import Classifier
from models.linear_ngrams import LinearModel, LinearNgrams
from models.piece_characters import character_table, characters_of
from tasks import atomic_files
from tasks.data.bounded_files import load_array
from tasks.data.sequence_store import SequenceStore, pad_sequences
from tasks.sentiment.labels import class_weights
from tasks.sentiment.settings import SentimentSettings

# Number of texts that n-grams are counted on: bounds the memory of the count, however large the corpus.
MAX_NGRAM_TEXTS = 200_000


class NgramFiles(NamedTuple):
    """Arguments of `models.classifier.build_classifier`; None where the settings use none."""

    ngram_keys: np.ndarray | None
    wide_keys: np.ndarray | None
    wide_counts: np.ndarray | None
    wide_model: LinearModel | None
    piece_characters: np.ndarray | None


def write(settings: SentimentSettings, folder: Path, labels: list[str], pieces: list[str]) -> None:
    """Write the frequent n-grams of the training texts, and their counts in each class or their fitted weights.

    Args:
        settings: The settings.
        folder: The folder with the store "train".
        labels: The names of the classes.
        pieces: The pieces of the vocabulary, in the order of their ids.
    """
    network, store = settings.network, SequenceStore(folder / "train")
    if network.ngrams > 1:
        limits = {"min_count": network.ngram_min_texts, "max_size": network.ngram_vocabulary}
        _save(folder / "ngrams.npy", _frequent_ngrams(store, 2, network.ngrams, **limits))
    if not network.wide_ngrams:
        return
    limits = {"min_count": network.wide_min_texts, "max_size": network.wide_vocabulary}
    table = _character_table(settings, pieces)
    keys = _frequent_ngrams(store, 1, network.wide_ngrams, table, **limits)
    _save(folder / "wide_ngrams.npy", keys)
    batches = _batches_by_length(store, np.arange(len(store)), table)
    if network.wide_features == "tf_idf":
        from tasks.sentiment import linear_model  # scikit-learn takes a second to import

        counts = np.bincount(store.columns["label"], minlength=len(labels))
        weights = class_weights(settings.training.class_weight, labels, counts)
        model, held_out = linear_model.fit(batches, keys, network.wide_ngrams, weights)
        _save(folder / "wide_held_out.npy", held_out[np.argsort(_order(store, np.arange(len(store))))])
        for name, values in model._asdict().items():
            _save(folder / f"wide_{name}.npy", values)
    else:
        _save(
            folder / "wide_counts.npy",
            ngrams.ngram_class_counts(batches, keys, 1, network.wide_ngrams, len(labels)),
        )


def write_of_model(model: Classifier, folder: Path) -> None:
    """Write the same from the network that a training goes on from."""
    if model.ngrams is not None:
        _save(folder / "ngrams.npy", model.ngrams.keys.numpy()[: model.ngrams.size])
    if model.wide is not None:
        _save(folder / "wide_ngrams.npy", model.wide.keys.numpy()[: model.wide.size])
        for name in LinearModel._fields if isinstance(model.wide, LinearNgrams) else ("counts",):
            _save(folder / f"wide_{name}.npy", getattr(model.wide, name).numpy())


def read(settings: SentimentSettings, folder: Path, pieces: list[str]) -> NgramFiles:
    """Read what `write` wrote; see there."""
    network = settings.network
    load = lambda name: load_array(folder / f"{name}.npy")  # noqa: E731
    fitted = network.wide_ngrams and network.wide_features == "tf_idf"
    return NgramFiles(
        ngram_keys=load("ngrams") if network.ngrams > 1 else None,
        wide_keys=load("wide_ngrams") if network.wide_ngrams else None,
        wide_counts=load("wide_counts") if network.wide_ngrams and not fitted else None,
        wide_model=LinearModel(*(load(f"wide_{name}") for name in LinearModel._fields)) if fitted else None,
        piece_characters=_character_table(settings, pieces),
    )


def _character_table(settings: SentimentSettings, pieces: list[str]) -> np.ndarray | None:
    """Return the characters of each piece, if n-grams of the linear model consist of them."""
    characters = settings.network.wide_ngrams and settings.network.wide_units == "characters"
    return character_table(pieces) if characters else None


def _frequent_ngrams(
    store: SequenceStore, first: int, last: int, table: np.ndarray | None = None, **limits
) -> np.ndarray:
    chosen = np.random.default_rng(0).permutation(len(store))[:MAX_NGRAM_TEXTS]
    return ngrams.frequent_ngrams((ids for ids, _ in _batches_by_length(store, chosen, table)), first, last, **limits)


def _batches_by_length(
    store: SequenceStore, indexes: np.ndarray, table: np.ndarray | None = None
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield padded ids and classes of the given sequences, 256 at a time, those of similar length together.

    With a `table` the ids are those of the characters of the pieces.
    """
    ordered = _order(store, indexes)
    for start in range(0, len(ordered), 256):
        part = ordered[start : start + 256]
        ids = pad_sequences([store[index] for index in part])
        yield ids if table is None else characters_of(ids, table), store.columns["label"][part]


def _order(store: SequenceStore, indexes: np.ndarray) -> np.ndarray:
    return indexes[np.argsort(store.lengths[indexes], kind="stable")]


def _save(path: Path, array: np.ndarray) -> None:
    with atomic_files.replacing(path) as temporary:
        np.save(temporary, array)
