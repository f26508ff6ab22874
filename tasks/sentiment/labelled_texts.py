"""Batches of stored labelled texts."""

import numpy as np
import tensorflow as tf

from tasks.data import bucketing
from tasks.data.sequence_store import SequenceStore, pad_sequences
from tasks.sentiment import ngram_files
from tasks.sentiment.data import SPLITS, load_vocabulary
from tasks.sentiment.labels import class_weights
from tasks.sentiment.settings import SentimentSettings
from tasks.task_parts import TrainingData
from tasks.training.runs import Run


class LabelledTexts(TrainingData):
    """The stored texts of a run, and batches of them.

    Args:
        settings: The settings.
        run: The run; `prepare` wrote its files.

    Attributes:
        labels: The names of the classes.
        pieces: The pieces of the vocabulary, in the order of their ids.
        training_labels: int32 (texts,), the classes of the training texts.
        ngrams: The vocabularies of n-grams, and what the linear model starts from.
    """

    def __init__(self, settings: SentimentSettings, run: Run):
        network, folder = settings.network, run.checkpoint
        processor, self.labels = load_vocabulary(run.vocabulary)
        self.pieces = [processor.id_to_piece(index) for index in range(processor.get_piece_size())]
        self.ngrams = ngram_files.read(settings, folder, self.pieces)
        self._store, self._held_out = (SequenceStore(folder / split) for split in SPLITS)
        self.training_labels = self._store.columns["label"]
        counts = np.bincount(self.training_labels, minlength=len(self.labels))
        self._class_weight = class_weights(settings.training.class_weight, self.labels, counts)
        self._seed = settings.training.seed
        self._timesteps = network.max_tokens if settings.recurrent.unroll else None
        # A wide path that is trained, and adversarial training, need the classes as an input; see `models.classifier`.
        wide = bool(network.wide_ngrams) and network.wide_features != "tf_idf"
        self._labels_as_input = wide or settings.training.adversarial_epsilon > 0.0
        self._buckets, self._validation_buckets = (
            bucketing.length_buckets(
                part.lengths if self._timesteps is None else np.full_like(part.lengths, self._timesteps),
                settings.training.tokens_per_batch,
            )
            for part in (self._store, self._held_out)
        )
        self.steps_per_pass = bucketing.steps_per_pass(self._buckets)
        self.tokens_per_pass = int(self._store.lengths.sum())
        self.summary = (
            f"{len(self._store):,} texts to train on, {len(self._held_out):,} to validate on; "
            f"classes: {', '.join(self.labels[:20])}"
        )

    def training_batches(self, epoch: int, step: int) -> tf.data.Dataset:
        """Return endless batches: ids (batch, timesteps), classes (batch,), weights (batch,)."""
        return self._dataset(
            self._store,
            lambda: bucketing.endless_batches(self._buckets, self._seed, epoch, step),
            self._class_weight,
        )

    def validation_batches(self) -> tf.data.Dataset:
        """Return one pass from short texts to long ones; every example has the weight 1."""
        dataset = self._dataset(
            self._held_out,
            lambda: bucketing.ordered_batches(self._validation_buckets),
            np.ones(len(self.labels), np.float32),
        )
        steps = bucketing.steps_per_pass(self._validation_buckets)
        return dataset.apply(tf.data.experimental.assert_cardinality(steps))

    def _dataset(self, store: SequenceStore, index_batches, weights: np.ndarray) -> tf.data.Dataset:
        def generate():
            for indexes in index_batches():
                labels = store.columns["label"][indexes]
                ids = pad_sequences([store[index] for index in indexes], self._timesteps)
                yield (ids, labels) if self._labels_as_input else ids, labels, weights[labels]

        ids, labels = tf.TensorSpec((None, self._timesteps), tf.int32), tf.TensorSpec((None,), tf.int32)
        inputs = (ids, labels) if self._labels_as_input else ids
        signature = (inputs, labels, tf.TensorSpec((None,), tf.float32))
        return tf.data.Dataset.from_generator(generate, output_signature=signature).prefetch(4)
