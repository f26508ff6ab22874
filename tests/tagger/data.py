"""Texts with a tag for each character: from a source to ids on disk and batches of them."""

import collections
import json
from pathlib import Path

import numpy as np
import tensorflow as tf

from models.characters import Characters, CharacterText
from tasks import atomic_files
from tasks.data import bucketing
from tasks.data.records import Column, Record
from tasks.data.sequence_store import SequenceStore, chunks, pad_sequences
from tasks.data.sources import Source, open_source
from tasks.errors import UserError
from tasks.serving.batched_inference import string_tensor
from tasks.settings import SourceSettings
from tasks.task_parts import TrainingData
from tasks.training.runs import Run
from tests.tagger.settings import TaggerSettings

SPLITS = ("train", "validation")


def tagged_source(settings: SourceSettings, location: str | None = None) -> Source:
    """Opens records of (text, tags): a 1 for each character of a number, a 0 for the others."""
    return open_source(
        location or settings.data,
        [Column("text"), Column("tags", required=True)],
        sample=Path(__file__).with_name("sample"),
        validation_fraction=settings.validation_fraction,
        test_fraction=settings.test_fraction,
    )


def tags_of(record: Record) -> list[int]:
    """Returns the tags of a record; raises `UserError` if they do not fit its text."""
    text, tags = record.values
    if len(tags) != len(text) or not {*tags} <= {"0", "1"}:
        raise UserError(f"{record.location}: expected a 0 or a 1 for each of the {len(text)} characters, not {tags!r}")
    return [int(tag) for tag in tags]


def prepare(settings: TaggerSettings, run: Run) -> None:
    """Writes vocabulary/characters.json, and the ids and tags of both splits."""
    source = tagged_source(settings.data)
    if settings.training.initial_run is None:
        counts = collections.Counter(character for record in source.records("train") for character in record.values[0])
        characters = Characters.learned(counts, normalization="identity")
        with atomic_files.replacing_folder(run.vocabulary) as temporary:
            stored = {"characters": characters.characters, "counts": characters.counts}
            (temporary / "characters.json").write_text(json.dumps(stored), encoding="utf-8")
    characters = load_characters(run.vocabulary)
    text = CharacterText(characters)

    def rows(split):
        for records in chunks(source.records(split)):
            ids = text.ids(string_tensor([record.values[0] for record in records])).to_list()
            for record, row in zip(records, ids, strict=True):
                yield row + tags_of(record), len(row)

    for split in SPLITS:
        SequenceStore.write(run.checkpoint / split, ("text_length",), rows(split), len(characters))


def load_characters(folder: Path) -> Characters:
    """Reads what `prepare` wrote."""
    stored = json.loads((folder / "characters.json").read_text(encoding="utf-8"))
    return Characters(tuple(stored["characters"]), tuple(stored["counts"]), normalization="identity")


class TaggedTexts(TrainingData):
    """The stored texts of a run, and batches of them."""

    def __init__(self, settings: TaggerSettings, run: Run):
        self.characters = load_characters(run.vocabulary)
        self._store, self._held_out = (SequenceStore(run.checkpoint / split) for split in SPLITS)
        self._buckets, self._validation_buckets = (
            bucketing.length_buckets(store.columns["text_length"], settings.training.tokens_per_batch)
            for store in (self._store, self._held_out)
        )
        self._seed = settings.training.seed
        self.steps_per_pass = bucketing.steps_per_pass(self._buckets)
        self.tokens_per_pass = int(self._store.columns["text_length"].sum())
        self.summary = f"{len(self._store)} texts to train on, {len(self._held_out)} to validate on"

    def training_batches(self, epoch, step):
        """Returns endless batches: ids, tags and weights, all (batch, timesteps)."""
        return self._dataset(
            self._store, lambda: bucketing.endless_batches(self._buckets, self._seed, epoch, step)
        ).prefetch(4)

    def validation_batches(self):
        """Returns one pass from short texts to long ones."""
        dataset = self._dataset(self._held_out, lambda: bucketing.ordered_batches(self._validation_buckets))
        steps = bucketing.steps_per_pass(self._validation_buckets)
        return dataset.apply(tf.data.experimental.assert_cardinality(steps))

    def _dataset(self, store, index_batches):
        def generate():
            for indexes in index_batches():
                halves = [np.split(store[index], 2) for index in indexes]
                # Id 0 is an unknown character here, and padding in the network.
                ids, tags = pad_sequences([ids + 1 for ids, _ in halves]), pad_sequences([tags for _, tags in halves])
                yield ids, tags[..., None], (ids > 0).astype(np.float32)

        int_, shape = tf.int32, (None, None)
        signature = (tf.TensorSpec(shape, int_), tf.TensorSpec((*shape, 1), int_), tf.TensorSpec(shape, tf.float32))
        return tf.data.Dataset.from_generator(generate, output_signature=signature)
