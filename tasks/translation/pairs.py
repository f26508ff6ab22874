"""Batches of stored sentence pairs."""

import numpy as np
import tensorflow as tf

from models.text import BOS, EOS
from tasks.data import bucketing
from tasks.data.sequence_store import SequenceStore, pad_sequences
from tasks.task_parts import TrainingData
from tasks.training.runs import Run
from tasks.translation.data import SIDES, SPLITS, load_vocabularies
from tasks.translation.segmentation import Segmentations
from tasks.translation.settings import TranslationSettings


class SentencePairs(TrainingData):
    """The stored pairs of a run, and batches of them.

    With subword regularization a batch has some more pieces than `tokens_per_batch`, which counts the best
    segmentation.

    Args:
        settings: The settings.
        run: The run; `tasks.translation.data.prepare` wrote its files.

    Attributes:
        vocabulary_sizes: Number of pieces of source and target.
    """

    def __init__(self, settings: TranslationSettings, run: Run):
        folder = run.checkpoint
        self.vocabulary_sizes = [processor.get_piece_size() for processor in load_vocabularies(run.vocabulary)]
        self._seed = settings.training.seed
        self._store, self._held_out = (SequenceStore(folder / split) for split in SPLITS)
        self._buckets, self._validation_buckets = (
            _buckets(store, settings.training.tokens_per_batch) for store in (self._store, self._held_out)
        )
        sampled = settings.vocabulary.subword_regularization is not None
        self._words = SequenceStore(folder / "words") if sampled else None
        self._segmentations = [Segmentations(folder / f"{side}_segmentations.npz") for side in SIDES if sampled]
        self.steps_per_pass = bucketing.steps_per_pass(self._buckets)
        self.tokens_per_pass = int(self._store.lengths.sum())
        self.summary = (
            f"{len(self._store):,} pairs to train on, {len(self._held_out):,} to validate on; vocabularies of "
            f"{self.vocabulary_sizes[0]:,} and {self.vocabulary_sizes[1]:,} pieces"
        )

    def training_batches(self, epoch: int, step: int) -> tf.data.Dataset:
        """Return endless batches; see `teacher_forcing`."""

        def generate():
            batches = bucketing.endless_batches(self._buckets, self._seed, epoch, step)
            for number, indexes in enumerate(batches, start=epoch * self.steps_per_pass + step):
                if self._words is None:
                    yield teacher_forcing(*_sides(self._store, indexes))
                else:
                    yield teacher_forcing(*self._sampled_sides(indexes, np.random.default_rng([self._seed, number])))

        return _dataset(generate)

    def validation_batches(self) -> tf.data.Dataset:
        """Return one pass from short pairs to long ones."""

        def generate():
            for indexes in bucketing.ordered_batches(self._validation_buckets):
                yield teacher_forcing(*_sides(self._held_out, indexes))

        steps = bucketing.steps_per_pass(self._validation_buckets)
        return _dataset(generate).apply(tf.data.experimental.assert_cardinality(steps))

    def _sampled_sides(self, indexes: np.ndarray, random: np.random.Generator) -> tuple:
        """Return source ids and target ids, each word segmented at random."""
        pairs = zip(*_sides(self._words, indexes), strict=True)
        source, target = self._segmentations
        sampled = [(source.sample(one, random), target.sample(other, random)) for one, other in pairs]
        return tuple(zip(*sampled, strict=True))


def _buckets(store: SequenceStore, tokens_per_batch: int) -> list[bucketing.Bucket]:
    source_lengths = store.columns["source_length"]
    # The end of each sentence counts.
    return bucketing.pair_buckets(store.lengths - source_lengths + 1, source_lengths + 1, tokens_per_batch)


def _sides(store: SequenceStore, indexes: np.ndarray) -> tuple[tuple[np.ndarray, ...], tuple[np.ndarray, ...]]:
    """Return the source ids and the target ids of the pairs."""
    lengths = store.columns["source_length"]
    return tuple(zip(*(np.split(store[index], [lengths[index]]) for index in indexes), strict=True))


def teacher_forcing(sources, targets):
    """Return an example for teacher forcing: ((source, target before each step), target, weights).

    Args:
        sources: Ids of each source sentence.
        targets: Ids of each target sentence.

    Returns:
        Arrays (batch, steps) and (batch, target steps).
    """
    source = pad_sequences([np.append(ids, EOS) for ids in sources])
    before = pad_sequences([np.append(BOS, ids) for ids in targets])
    target = pad_sequences([np.append(ids, EOS) for ids in targets])
    return (source, before), target, (target != 0).astype(np.float32)


def _dataset(generate) -> tf.data.Dataset:
    ids = tf.TensorSpec((None, None), tf.int32)
    signature = ((ids, ids), ids, tf.TensorSpec((None, None), tf.float32))
    return tf.data.Dataset.from_generator(generate, output_signature=signature).prefetch(4)
