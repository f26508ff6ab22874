"""The vocabularies of n-grams of a run, and what its linear model starts from: written once, before the training."""

import logging
from pathlib import Path
from typing import NamedTuple

import numpy as np

from models.classifier import Classifier
from models.linear_ngrams import LinearModel, LinearNgrams
from models.piece_characters import character_table
from tasks import atomic_files
from tasks.data.bounded_files import load_array
from tasks.data.sequence_store import SequenceStore
from tasks.sentiment import ngram_parts
from tasks.sentiment.labels import class_weights
from tasks.sentiment.settings import SentimentSettings
from tasks.training import lsa, pretrained
from tasks.training.lsa import LatentSemantics
from tasks.training.run_copies import lsa_of
from tasks.training.runs import Run

log = logging.getLogger(__name__)

# Number of texts that n-grams are counted on: bounds the memory of the count, however large the corpus.
MAX_NGRAM_TEXTS = 200_000


class NgramFiles(NamedTuple):
    """Arguments of `models.classifier.build_classifier`; None where the settings use none."""

    ngram_keys: np.ndarray | None
    wide_keys: np.ndarray | None
    wide_counts: np.ndarray | None
    wide_model: LinearModel | None
    piece_characters: np.ndarray | None


def write(settings: SentimentSettings, run: Run, labels: list[str], pieces: list[str]) -> None:
    """Write the frequent n-grams of the training texts, and their counts in each class or their fitted weights.

    Args:
        settings: The settings.
        run: The run, with the store "train" and copies of the language models.
        labels: The names of the classes.
        pieces: The pieces of the vocabulary, in the order of their ids.
    """
    network, folder = settings.network, run.checkpoint
    stored = folder / "train"
    if network.ngrams > 1:
        limits = {"min_count": network.ngram_min_texts, "max_size": network.ngram_vocabulary}
        _save(folder / "ngrams.npy", _frequent_ngrams(stored, 2, network.ngrams, **limits))
    if not network.wide_ngrams:
        return
    limits = {"min_count": network.wide_min_texts, "max_size": network.wide_vocabulary}
    table = _character_table(settings, pieces)
    keys = _frequent_ngrams(stored, 1, network.wide_ngrams, table, **limits)
    if network.wide_features == "tf_idf":
        keys, model, held_out = _fitted(settings, run, labels, keys, table)
        _save(folder / "wide_held_out.npy", held_out)
        for name, values in model._asdict().items():
            _save(folder / f"wide_{name}.npy", values)
    else:
        counts = ngram_parts.class_counts(stored, keys, network.wide_ngrams, table, len(labels))
        _save(folder / "wide_counts.npy", counts)
    _save(folder / "wide_ngrams.npy", keys)


def _fitted(
    settings: SentimentSettings, run: Run, labels: list[str], keys: np.ndarray, table: np.ndarray | None
) -> tuple[np.ndarray, LinearModel, np.ndarray]:
    """Fit the linear model of the frequent n-grams, or that of an LSA if it is better on held-out texts.

    Args:
        settings: See `write`.
        run: See `write`.
        labels: See `write`.
        keys: The frequent n-grams of the training texts.
        table: The characters of each piece, if n-grams consist of them.

    Returns:
        The n-grams of the model, the model, and the log-probabilities of held-out texts, (texts, classes).
    """
    from tasks.sentiment import linear_model  # scikit-learn takes a second to import

    store = SequenceStore(run.checkpoint / "train")
    counts = np.bincount(store.columns["label"], minlength=len(labels))
    weights = class_weights(settings.training.class_weight, labels, counts)
    everything = np.arange(len(store))
    order = ngram_parts.order(store, everything)
    batches = lambda: ngram_parts.batches_by_length(store, everything, table)  # noqa: E731
    model, held_out = linear_model.fit(batches(), keys, settings.network.wide_ngrams, weights)
    analysis = _lsa_of_language_model(settings, run)
    if analysis is not None:
        other, other_held_out = linear_model.fit_with_lsa(batches(), analysis, weights)
        classes = store.columns["label"][order]
        if linear_model.loss(other_held_out, classes) <= linear_model.loss(held_out, classes):
            keys, model, held_out = analysis.keys, other, other_held_out
            log.info("the linear model with the LSA is kept: it is better on held-out texts")
    return keys, model, held_out[np.argsort(order)]


def _lsa_of_language_model(settings: SentimentSettings, run: Run) -> LatentSemantics | None:
    """Return the LSA of a language model, if the linear model has n-grams of the same kind."""
    network = settings.network
    for copied in pretrained.copies(run).values():
        analysis = lsa.read(lsa_of(copied))
        if analysis is None:
            continue
        if (analysis.last, analysis.units) == (network.wide_ngrams, network.wide_units):
            return analysis
        log.info(
            "the LSA of the language model is not used: it is of 1 to %d %s, and the linear model of 1 to %d %s",
            *(analysis.last, analysis.units, network.wide_ngrams, network.wide_units),
        )
    return None


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


def _frequent_ngrams(stored: Path, first: int, last: int, table: np.ndarray | None = None, **limits) -> np.ndarray:
    chosen = np.random.default_rng(0).permutation(len(SequenceStore(stored)))[:MAX_NGRAM_TEXTS]
    return ngram_parts.frequent_ngrams(stored, chosen, first, last, table, **limits)


def _save(path: Path, array: np.ndarray) -> None:
    with atomic_files.replacing(path) as temporary:
        np.save(temporary, array)
