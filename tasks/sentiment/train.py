"""Trains a classifier, or goes on with an interrupted training."""

import logging
from pathlib import Path

import numpy as np

from models import classifier
from models.text import vocabulary
from tasks.data import bucketing as batching
from tasks.data import word_vectors
from tasks.errors import UserError
from tasks.sentiment import data
from tasks.sentiment.settings import SentimentSettings
from tasks.training import fit as training
from tasks.training import runs
from tasks.training.runs import Run

log = logging.getLogger(__name__)


def train(settings: SentimentSettings, run: Path | str, *, overwrite: bool = False, verbose: int = 1) -> Run:
    """Trains a classifier in the folder `run`.

    Args:
      settings: all of them.
      run: a new folder, or that of the same training, interrupted, which then goes on.
      overwrite: puts the new run in the place of a finished one.
      verbose: Keras's: 0 silent, 1 a progress bar, 2 a line for each epoch.

    Returns: the finished run.

    Raises:
      UserError: the data or the folder cannot be used.
      tasks.errors.TrainingDiverged: the loss became NaN; the run is finished with the last good weights.
    """
    if settings.training.vectors and not Path(settings.training.vectors).is_file():
        raise UserError(f"--vectors {settings.training.vectors}: no such file")
    folder = runs.begin(run, "sentiment", settings, overwrite=overwrite)
    data.prepare(settings, folder)
    processor, labels = data.load_vocabulary(folder.vocabulary)
    store = batching.SequenceStore(folder.checkpoint / "train")
    held_out = batching.SequenceStore(folder.checkpoint / "validation")
    weights = data.class_weights(
        settings.training.class_weights, labels, np.bincount(store.labels, minlength=len(labels))
    )
    training.set_up(settings.training)
    model = build(settings, folder, store, processor, labels)

    shape = {"length": model.input_shape[1], "with_labels": classifier.has_wide_path(model)}
    buckets, validation_buckets = (
        batching.length_buckets(
            part.lengths if shape["length"] is None else np.full_like(part.lengths, shape["length"]),
            settings.training.tokens_per_batch,
        )
        for part in (store, held_out)
    )
    steps = batching.steps_per_pass(buckets)
    log.info(
        "%s texts to train on, %s to validate on; classes: %s",
        f"{len(store):,}",
        f"{len(held_out):,}",
        ", ".join(labels[:20]),
    )
    training.describe(model, settings.recurrent, steps, int(store.lengths.sum()))
    with runs.finishing(folder, run):
        training.train(
            model,
            classifier.training_view(model),
            loss=classifier.PathCrossentropy(settings.training.label_smoothing),
            metrics=[classifier.PathAccuracy(settings.classifier.wide_share)],
            batches=lambda epoch, step: data.training_batches(
                store, buckets, weights, seed=settings.training.seed, epoch=epoch, step=step, **shape
            ),
            steps_per_pass=steps,
            tokens_per_pass=int(store.lengths.sum()),
            validation=data.validation_batches(held_out, validation_buckets, **shape),
            settings=settings.training,
            sparse_rates={
                "ngrams/.*": settings.training.ngram_learning_rate,
                "wide_logits/.*": settings.training.wide_learning_rate,
            },
            run=folder,
            verbose=verbose,
        )
    return Run(run)


def build(settings: SentimentSettings, run: Run, store: batching.SequenceStore, processor, labels: list[str]):
    """The untrained model, with the vocabularies of n-grams and the word vectors that the settings ask for."""
    sizes = settings.classifier
    keys, begun = {}, None
    pieces = vocabulary(processor.serialized_model_proto())
    if settings.training.vectors:
        begun = word_vectors.read(Path(settings.training.vectors), pieces, sizes.embedding_size)
    if sizes.ngrams > 1:
        limits = {"least": sizes.ngram_min_texts, "most": sizes.ngram_vocabulary}
        keys["ngram_keys"] = data.ngram_vocabulary(
            store, run.checkpoint, "ngrams", first=2, last=sizes.ngrams, **limits
        )
    if sizes.wide_ngrams:
        limits = {"least": sizes.wide_min_texts, "most": sizes.wide_vocabulary}
        keys["wide_keys"] = data.ngram_vocabulary(
            store, run.checkpoint, "wide_ngrams", first=1, last=sizes.wide_ngrams, **limits
        )
        keys["wide_counts"] = data.ngram_counts(
            store, run.checkpoint, "wide_ngrams", keys["wide_keys"], sizes.wide_ngrams, len(labels)
        )
    with training.explained_cudnn():
        return classifier.build_classifier(
            sizes, settings.recurrent, vocabulary_size=len(pieces), classes=len(labels), vectors=begun, **keys
        )
