"""Sentence pairs: from a source to ids on disk and batches of them."""

import dataclasses
import itertools
import logging
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import sentencepiece
import tensorflow as tf

from models.text import BEGIN, END, SentencePieceText
from tasks import atomic_files
from tasks.data import bucketing as batching
from tasks.data import vocabularies
from tasks.data.sources import Column, Record, Source, open_source
from tasks.errors import UserError
from tasks.training.runs import Run
from tasks.translation.segmentation import Ways, WordIds
from tasks.translation.settings import DataSettings, TranslationSettings

log = logging.getLogger(__name__)

SAMPLE = Path(__file__).parents[1] / "samples" / "translation"
SIDES = ("source", "target")


def pair_source(data: DataSettings) -> Source:
    """The source of (source, target) records that the settings name."""
    return open_source(
        data.data,
        [Column(side, name) for side, name in zip(SIDES, data.names, strict=True)],
        sample=SAMPLE,
        validation_fraction=data.validation_fraction,
        test_fraction=data.test_fraction,
    )


@dataclasses.dataclass
class LeftOut:
    """Counts the pairs of a split that training leaves out, and reports them."""

    empty: int = 0
    first_empty: str = ""  # where it is
    too_long: int = 0
    odd: int = 0
    pairs: int = 0

    def see_empty(self, record: Record) -> None:
        """Counts a pair with an empty side."""
        self.empty += 1
        self.first_empty = self.first_empty or record.where

    def report(self, split: str, max_tokens: int, ratio: float) -> None:
        """Says how many pairs were left out, and why."""
        reasons = []
        if self.empty:
            reasons.append(f"{self.empty:,} with an empty side (the first at {self.first_empty})")
        if self.too_long:
            reasons.append(f"{self.too_long:,} with more than {max_tokens} pieces (--max-tokens)")
        if self.odd:
            reasons.append(f"{self.odd:,} with {ratio:g} times the pieces on one side (--max-pair-ratio)")
        if reasons:
            count = self.empty + self.too_long + self.odd
            log.warning("left out %s of %s %s pairs: %s", f"{count:,}", f"{self.pairs:,}", split, "; ".join(reasons))


def with_both_sides(records: Iterable[Record], left_out: LeftOut) -> Iterator[Record]:
    """The records of which neither side is blank."""
    for record in records:
        left_out.pairs += 1
        if all(value.strip() for value in record.values):
            yield record
        else:
            left_out.see_empty(record)


def prepare(settings: TranslationSettings, run: Run) -> None:
    """Reads the source once for the vocabularies, and once more to store ids; what is there already stays.

    Writes `vocabulary/` (source.model, target.model) and, below `checkpoint/`, the ids of both splits and, for sampled
    segmentation, the words of the training pairs and the ways of cutting them.
    """
    done = run.checkpoint / "prepared"
    if done.exists() and run.vocabulary.exists():
        return
    source = pair_source(settings.data)
    _make_vocabularies(settings, source, run.vocabulary)
    processors = load_vocabularies(run.vocabulary)
    # The graph's own op, and not the library: of equally likely ways to cut a word the two take different ones. One
    # piece more than there may be, so that what is too long shows.
    most = settings.network.max_tokens
    tokenizers = [SentencePieceText(processor.serialized_model_proto(), most + 1) for processor in processors]
    for split in ("train", "validation"):
        store = batching.SequenceStore.write(
            run.checkpoint / split,
            _encoded(settings, source, split, tokenizers),
            max(processor.get_piece_size() for processor in processors),
        )
        if not len(store):
            raise UserError(f"{source.location}: every pair of its {split} split was left out; see the reasons above")
    if settings.vocabulary.segmentation_alpha is not None:
        _store_words(settings, run.checkpoint, processors)
    with atomic_files.replacing(done) as path:
        path.touch()


def _make_vocabularies(settings: TranslationSettings, source: Source, folder: Path) -> None:
    chosen = settings.vocabulary
    pairs = vocabularies.sampled(with_both_sides(source.records("train"), LeftOut()), chosen.vocabulary_texts)
    if chosen.joint_vocabulary:
        model = vocabularies.learn(itertools.chain.from_iterable(pairs), chosen, source.location)
        models = [model, model]
    else:
        models = [
            vocabularies.learn((pair[side] for pair in pairs), chosen, source.location) for side in range(len(SIDES))
        ]
    with atomic_files.replacing_folder(folder) as temporary:
        for side, model in zip(SIDES, models, strict=True):
            (temporary / f"{side}.model").write_bytes(model)


def load_vocabularies(folder: Path) -> list[sentencepiece.SentencePieceProcessor]:
    """The tokenizers of a run: source and target.

    Raises:
      UserError: one of them is missing or damaged.
    """
    return [vocabularies.load(folder / f"{side}.model") for side in SIDES]


def _encoded(
    settings: TranslationSettings, source: Source, split: str, tokenizers: list[SentencePieceText]
) -> Iterator[tuple[list[int], int]]:
    """Ids of the source and then of the target, and how many are the source's, of the pairs that are not left out."""
    most, ratio, left_out = settings.network.max_tokens, settings.data.max_pair_ratio, LeftOut()
    for records in batching.chunks(with_both_sides(source.records(split), left_out)):
        sides = [
            tokenizer.pieces(
                tf.constant([record.values[side].encode("utf-8", "replace") for record in records])
            ).to_list()
            for side, tokenizer in enumerate(tokenizers)
        ]
        for record, source_ids, target_ids in zip(records, *sides, strict=True):
            longer, shorter = max(len(source_ids), len(target_ids)), min(len(source_ids), len(target_ids))
            if not shorter:  # nothing is left when spelling is normalized
                left_out.see_empty(record)
            elif longer > most:
                left_out.too_long += 1
            elif longer >= ratio * shorter:
                left_out.odd += 1
            else:
                yield source_ids + target_ids, len(source_ids)
    left_out.report(split, most, ratio)


def _store_words(settings: TranslationSettings, folder: Path, processors) -> None:
    pieces = batching.SequenceStore(folder / "train")
    words_of = [WordIds(processor) for processor in processors]

    def words() -> Iterator[tuple[list[int], int]]:
        for index in range(len(pieces)):
            ids, border = pieces[index].tolist(), pieces.labels[index]
            source_words, target_words = words_of[0](ids[:border]), words_of[1](ids[border:])
            yield source_words + target_words, len(source_words)

    batching.SequenceStore.write(folder / "words", words(), 1 << 31)  # how many there are shows only at the end
    chosen = settings.vocabulary
    for side, ids in zip(SIDES, words_of, strict=True):
        Ways.write(folder / f"{side}_ways.npz", ids.ways(chosen.segmentation_alpha, chosen.vocabulary_type))


class Pairs:
    """The stored pairs of a split, and batches of them.

    Args:
      folder: the run's checkpoint.
      split: "train" or "validation".
      tokens_per_batch: see `batching.pair_buckets`; of words cut in the best way, and a batch of words cut in other
        ways has some more.
      sampled: whether words are cut in ways drawn anew.
    """

    def __init__(self, folder: Path, split: str, tokens_per_batch: int, sampled: bool = False):
        self.store = batching.SequenceStore(folder / split)
        source_lengths = self.store.labels + 1  # the end counts
        self.buckets = batching.pair_buckets(
            self.store.lengths - self.store.labels + 1, source_lengths, tokens_per_batch
        )
        self.steps_per_pass = batching.steps_per_pass(self.buckets)
        self.words = batching.SequenceStore(folder / "words") if sampled else None
        self.ways = [Ways(folder / f"{side}_ways.npz") for side in SIDES] if sampled else []

    def __len__(self) -> int:
        return len(self.store)

    @property
    def tokens(self) -> int:
        """Pieces of both sides together."""
        return int(self.store.lengths.sum())

    def training_batches(self, seed: int, epoch: int, step: int) -> tf.data.Dataset:
        """Endless batches from (epoch, step) on: see `_dataset`."""

        def generate():
            first = epoch * self.steps_per_pass + step
            for number, indexes in enumerate(batching.stream(self.buckets, seed, epoch, step), start=first):
                yield self._batch(indexes, np.random.default_rng([seed, number]))

        return _dataset(generate)

    def validation_batches(self) -> tf.data.Dataset:
        """One pass from short pairs to long ones."""

        def generate():
            for indexes in batching.ordered_batches(self.buckets):
                yield self._batch(indexes, None)

        return _dataset(generate).apply(tf.data.experimental.assert_cardinality(self.steps_per_pass))

    def _batch(self, indexes: np.ndarray, random: np.random.Generator | None):
        drawn = self.words is not None and random is not None
        store = self.words if drawn else self.store
        pairs = [np.split(store[index], [store.labels[index]]) for index in indexes]
        if drawn:
            pairs = [[ways.sampled(side, random) for ways, side in zip(self.ways, pair, strict=True)] for pair in pairs]
        return training_example([pair[0] for pair in pairs], [pair[1] for pair in pairs])


def training_example(sources: list[np.ndarray], targets: list[np.ndarray]):
    """Teacher forcing: ((source, what is written before each step), what is to be written, its weights)."""
    source = batching.padded([np.append(ids, END) for ids in sources])
    before = batching.padded([np.append(BEGIN, ids) for ids in targets])
    target = batching.padded([np.append(ids, END) for ids in targets])
    return (source, before), target, (target != 0).astype(np.float32)


def _dataset(generate) -> tf.data.Dataset:
    """Batches of `training_example`: ((batch, steps), (batch, target steps)), (batch, target steps) twice."""
    ids = tf.TensorSpec((None, None), tf.int32)
    signature = ((ids, ids), ids, tf.TensorSpec((None, None), tf.float32))
    return tf.data.Dataset.from_generator(generate, output_signature=signature).prefetch(4)
