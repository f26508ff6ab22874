"""Sentence pairs: from a source to vocabularies and ids on disk."""

import dataclasses
import functools
import logging
from collections.abc import Iterable, Iterator
from pathlib import Path

import sentencepiece

from models.generation_settings import DEFAULT_MAX_LENGTH_RATIO
from models.text import SentencePieceText, normalizer, with_normalization
from tasks import atomic_files
from tasks.data import look_ahead, vocabularies
from tasks.data.overlap import ComparedTexts, TrainingTexts
from tasks.data.records import Record
from tasks.data.sequence_store import SequenceStore, chunks
from tasks.data.sources import Source
from tasks.errors import UserError
from tasks.serving.batched_inference import string_tensor
from tasks.training.runs import Run
from tasks.translation import length_limit, preprocessing, validation_pairs
from tasks.translation.segmentation import Segmentations, WordIds
from tasks.translation.settings import TranslationSettings
from tasks.translation.source import SIDES, open_pairs

log = logging.getLogger(__name__)

SPLITS = ("train", "validation")


@dataclasses.dataclass
class LeftOut:
    """Counts the pairs of a split that training leaves out, and reports them.

    Attributes:
        empty: Pairs with an empty side.
        first_empty: The place of the first one.
        too_long: Pairs with too many pieces.
        odd: Pairs whose sides differ too much in length.
        pairs: All pairs.
    """

    empty: int = 0
    first_empty: str = ""
    too_long: int = 0
    odd: int = 0
    pairs: int = 0

    def add_empty(self, record: Record) -> None:
        """Count a pair with an empty side."""
        self.empty += 1
        self.first_empty = self.first_empty or record.location

    def report(self, split: str, max_tokens: int, ratio: float) -> None:
        """Log how many pairs were left out, and why."""
        reasons = []
        if self.empty:
            reasons.append(f"{self.empty:,} with an empty side (the first at {self.first_empty})")
        if self.too_long:
            reasons.append(f"{self.too_long:,} with more than {max_tokens} pieces (--max-tokens)")
        if self.odd:
            reasons.append(f"{self.odd:,} with {ratio:g} times the pieces on one side (--max-pair-length-ratio)")
        if reasons:
            count = self.empty + self.too_long + self.odd
            log.warning("left out %s of %s %s pairs: %s", f"{count:,}", f"{self.pairs:,}", split, "; ".join(reasons))


def with_both_sides(records: Iterable[Record], left_out: LeftOut) -> Iterator[Record]:
    """Yield the records of which neither side is blank."""
    for record in records:
        left_out.pairs += 1
        if all(value.strip() for value in record.values):
            yield record
        else:
            left_out.add_empty(record)


def compared_texts(settings: TranslationSettings) -> ComparedTexts:
    """Return which texts of an evaluation are looked up among the training texts: both sides of each pair."""
    return ComparedTexts("pair", SIDES, lambda record: [record.values], whole=True)


def prepare(settings: TranslationSettings, run: Run) -> None:
    """Read the source once for the vocabularies, and once more to store ids.

    Writes `vocabulary/` (source.model, target.model, preprocessing.json, length_ratio.json), `training_texts.npz` and,
    below `checkpoint/`, the ids of both splits, validation pairs for BLEU and, for subword regularization, the words of
    the training pairs and their segmentations.
    """
    source = open_pairs(settings)
    for reason, count in source.check().items():
        if count:
            log.warning("%s: left out %s %s", source.location, f"{count:,}", reason)
    if settings.training.initial_run is None:
        _write_vocabularies(settings, source, run.vocabulary)
    rules = preprocessing.load(run.vocabulary)
    processors = load_vocabularies(run.vocabulary)
    # One piece more than is allowed, so that pairs that are too long are noticed.
    limit = settings.network.max_tokens + 1
    tokenizers = [SentencePieceText(processor.serialized_model_proto(), limit) for processor in processors]
    training_texts = TrainingTexts(compared_texts(settings), run.initial.training_texts)
    for split in SPLITS:
        records = source.records(split)
        if split == "train":
            records = training_texts.collected(records)
        store = SequenceStore.write(
            run.checkpoint / split,
            ("source_length",),
            _encoded(settings, records, split, tokenizers, rules, run),
            max(processor.get_piece_size() for processor in processors),
        )
        if not len(store):
            raise UserError(f"{source.location}: every pair of its {split} split was left out; see the reasons above")
        if split == "train":
            minimum = DEFAULT_MAX_LENGTH_RATIO
            if settings.training.initial_run is not None:  # the model also translates what that run was trained on
                initial = settings.training.initial_run
                remedy = f"it is the copy of that of --initial-run {initial}: train that run again, then this one"
                minimum = length_limit.stored(run.initial.vocabulary, f"{remedy} with --overwrite")
            length_limit.learn(store, run.vocabulary, minimum)
            training_texts.save(run.training_texts)
    if settings.vocabulary.subword_regularization is not None:
        _write_segmentations(settings, run.checkpoint, processors)


def _write_vocabularies(settings: TranslationSettings, source: Source, folder: Path) -> None:
    chosen = settings.vocabulary
    pairs = vocabularies.hash_sample(with_both_sides(source.records("train"), LeftOut()), chosen.vocabulary_texts)
    learned = preprocessing.learn(pairs, chosen)
    pairs = list(learned.masked(pairs))
    rules = chosen.normalizations
    learn = functools.partial(vocabularies.learn, settings=chosen, location=source.location, symbols=learned.symbols)
    if chosen.joint_vocabulary:
        model = learn(_normalized(pairs, rules), normalization=rules[1])
        models = [model if rules[0] == rules[1] else with_normalization(model, rules[0]), model]
    else:
        models = [learn((pair[side] for pair in pairs), normalization=rule) for side, rule in enumerate(rules)]
    with atomic_files.replacing_folder(folder) as temporary:
        for side, model in zip(SIDES, models, strict=True):
            (temporary / f"{side}.model").write_bytes(model)
        learned.write(temporary)


def _normalized(pairs: Iterable[tuple[str, str]], rules: tuple[str, str]) -> Iterator[str]:
    """Yield the texts from which a joint vocabulary with the second rule is learned."""
    normalize = normalizer(rules[0]).normalize if rules[0] != rules[1] else str
    for source, target in pairs:
        yield normalize(source)
        yield target


def load_vocabularies(folder: Path) -> list[sentencepiece.SentencePieceProcessor]:
    """Return the tokenizers of a run: source and target.

    Raises:
        UserError: If one of them is missing or damaged.
    """
    return [vocabularies.load(folder / f"{side}.model") for side in SIDES]


def _encoded(
    settings: TranslationSettings,
    records: Iterable[Record],
    split: str,
    tokenizers: list[SentencePieceText],
    rules: preprocessing.Preprocessing,
    run: Run,
) -> Iterator[tuple[list[int], int]]:
    """Yield the ids of source and target in one list, and the number of source ids, of pairs that are not left out."""
    max_tokens, ratio, left_out = settings.network.max_tokens, settings.data.max_pair_length_ratio, LeftOut()

    def pieces(chunk: list[Record]) -> list[list[list[int]]]:
        texts = zip(*rules.masked(record.values for record in chunk), strict=True)
        return [
            tokenizer.pieces(string_tensor(of_side)).to_list()
            for tokenizer, of_side in zip(tokenizers, texts, strict=True)
        ]

    records = with_both_sides(records, left_out)
    if split == "validation":
        records = validation_pairs.stored(records, run, settings.training.bleu_pairs)
    for chunk, sides in look_ahead.mapped(pieces, chunks(records)):
        for record, source_ids, target_ids in zip(chunk, *sides, strict=True):
            longer, shorter = max(len(source_ids), len(target_ids)), min(len(source_ids), len(target_ids))
            if not shorter:  # normalization left nothing
                left_out.add_empty(record)
            elif longer > max_tokens:
                left_out.too_long += 1
            elif longer >= ratio * shorter:
                left_out.odd += 1
            else:
                yield source_ids + target_ids, len(source_ids)
    left_out.report(split, max_tokens, ratio)


def _write_segmentations(settings: TranslationSettings, folder: Path, processors) -> None:
    pieces = SequenceStore(folder / "train")
    words_of = [WordIds(processor) for processor in processors]

    def rows() -> Iterator[tuple[list[int], int]]:
        for index, source_length in enumerate(pieces.columns["source_length"]):
            ids = pieces[index].tolist()
            source_words, target_words = words_of[0](ids[:source_length]), words_of[1](ids[source_length:])
            yield source_words + target_words, len(source_words)

    # The number of words is known only at the end.
    SequenceStore.write(folder / "words", ("source_length",), rows(), 1 << 31)
    chosen = settings.vocabulary
    for side, words in zip(SIDES, words_of, strict=True):
        found = words.segmentations(chosen.subword_regularization, chosen.vocabulary_type)
        Segmentations.write(folder / f"{side}_segmentations.npz", found)
