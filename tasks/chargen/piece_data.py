"""Separate texts as pieces: the vocabulary of a run, and windows to train on."""

import itertools
import json
import logging
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import tensorflow as tf

from models.ngram_counts import characters_of
from models.piece_characters import character_table
from models.pieces import LINE_END, MAX_PIECES, Pieces, PieceText
from models.text import EOS, UNKNOWN
from tasks import atomic_files
from tasks.chargen import separate_texts
from tasks.chargen.document_windows import DocumentWindows
from tasks.chargen.settings import ChargenSettings
from tasks.chargen.text_source import TextSource, compared_texts
from tasks.data import look_ahead, vocabularies
from tasks.data.overlap import TrainingTexts
from tasks.data.records import Record
from tasks.data.scripts import ScriptCounts, largest_ngram, ngram_units
from tasks.data.sequence_store import SequenceStore, chunks, pad_sequences
from tasks.data.sources import Source
from tasks.errors import UserError
from tasks.serving.batched_inference import string_tensor
from tasks.task_parts import TrainingData
from tasks.training import lsa
from tasks.training.run_copies import lsa_of
from tasks.training.runs import Run

log = logging.getLogger(__name__)

SPLITS = ("train", "validation")
# Texts in a block.
BLOCK = 1 << 16
# A text of lines is stored in rows of about this number of pieces.
ROW = 1 << 18
# A text of more characters is read in parts. A shorter one has fewer pieces than `MAX_PIECES`: the normalization does
# not make four characters of each.
LONG = MAX_PIECES // 4
# Pieces of a text that its LSA reads, at most.
LONGEST = 2000
# The share of unknown pieces from which on a warning is logged: the vocabulary or the text is probably the wrong one.
UNKNOWN_SHARE = 0.1


def prepare(settings: ChargenSettings, run: Run) -> None:
    """Write `vocabulary/`, what is learned of the training texts and, below `checkpoint/`, the ids of both splits."""
    source = separate_texts.open_separate_texts(settings)
    if isinstance(source, Source):
        source.check()
    if settings.training.initial_run is None:
        _write_vocabulary(settings, source, run.vocabulary)
    pieces = load_pieces(run.vocabulary)
    text = PieceText(pieces)
    training_texts = TrainingTexts(compared_texts(settings), run.initial.training_texts)
    counts, scripts = np.zeros(len(pieces), np.int64), ScriptCounts()
    for split in SPLITS:
        records = separate_texts.texts(source, split, bool(settings.data.records))
        records = _looked_at(training_texts.collected(records), scripts) if split == "train" else records
        rows = _counted(encoded(records, text), counts if split == "train" else None)
        if not write_blocks(run.checkpoint / split, rows, len(pieces)):
            raise UserError(f"{source.location}: every text of its {split} split is empty or blank")
    training_texts.save(run.training_texts)
    lsa_of(run).unlink(missing_ok=True)  # a preparation with other settings may have left one
    if settings.vocabulary.lsa_size and pieces.has_line_ends:
        log.info("no LSA: %s is one text; --text-column or --records makes several", source.location)
    elif settings.vocabulary.lsa_size:
        _write_lsa(settings, run, pieces, scripts)
    share = counts[UNKNOWN] / max(1, counts.sum())
    if share > UNKNOWN_SHARE:
        log.warning(
            "%s: %.1f%% of the pieces of the training texts are unknown to the vocabulary%s",
            source.location,
            100 * share,
            "" if settings.training.initial_run is None else f" of {settings.training.initial_run}",
        )
    if settings.training.initial_run is None:
        with atomic_files.replacing(run.vocabulary / "counts.json") as temporary:
            temporary.write_text(json.dumps(counts.tolist()), encoding="utf-8")


def _looked_at(records: Iterable[Record], scripts: ScriptCounts) -> Iterator[Record]:
    for record in records:
        scripts.add(record.values[0])
        yield record


def _write_lsa(settings: ChargenSettings, run: Run, pieces: Pieces, scripts: ScriptCounts) -> None:
    """Analyze the stored training texts; the n-grams are those that a classifier chooses for such texts."""
    vocabulary_type = settings.vocabulary.vocabulary_type
    units = ngram_units(vocabulary_type, scripts.character_script_share)
    last = largest_ngram(vocabulary_type, units)
    table = character_table(pieces.names) if units == "characters" else None
    chosen = sample(run.checkpoint / "train", lsa.MAX_PIECES[last])

    def batches() -> Iterator[np.ndarray]:
        for store, indexes in chosen:
            for start in range(0, len(indexes), 256):
                part = indexes[start : start + 256]
                stops = np.minimum(store.lengths[part] - 1, 1 + LONGEST)  # without the boundaries
                rows = zip(part, stops, strict=True)
                ids = pad_sequences([store.read(index, 1, max(1, int(stop))) for index, stop in rows])
                yield ids if table is None else characters_of(ids, table)

    lsa.write(lsa_of(run), batches, settings.vocabulary.lsa_size, last, units)


def sample(folder: Path, max_pieces: int) -> list[tuple[SequenceStore, np.ndarray]]:
    """Draw texts without regard to their order, until they have this number of pieces.

    Args:
        folder: The folder that `write_blocks` wrote.
        max_pieces: Maximum number of pieces of all of them; of a text, `LONGEST` are counted at most.

    Returns:
        Each block, and the indexes of its texts, those of similar length together.
    """
    stores = [SequenceStore(path) for path in blocks(folder)]
    starts = np.cumsum([0, *map(len, stores)])
    lengths = np.minimum(np.concatenate([store.lengths for store in stores]), LONGEST)
    order = np.random.default_rng(0).permutation(len(lengths))
    drawn = order[np.cumsum(lengths[order], dtype=np.int64) <= max_pieces]
    drawn = drawn[np.argsort(lengths[drawn], kind="stable")]
    parts = [drawn[(drawn >= start) & (drawn < stop)] - start for start, stop in itertools.pairwise(starts)]
    return list(zip(stores, parts, strict=True))


def write_blocks(folder: Path, rows: Iterable[list[int]], vocabulary_size: int) -> int:
    """Store the ids of texts in blocks of `BLOCK` texts; return the number of texts.

    The folder appears complete or not at all.
    """
    count, rows = 0, iter(rows)
    with atomic_files.replacing_folder(folder) as temporary:
        for number in itertools.count():
            block = ((row,) for row in itertools.islice(rows, BLOCK))
            size = len(SequenceStore.write(temporary / f"{number:06}", (), block, vocabulary_size))
            count += size
            if size < BLOCK:
                return count


def blocks(folder: Path) -> list[Path]:
    """Return the blocks that `write_blocks` wrote; the last may be empty if it is not the only one."""
    found = sorted(folder.iterdir())
    return found[:-1] if len(found) > 1 and not len(SequenceStore(found[-1])) else found


def _counted(rows: Iterable[list[int]], counts: np.ndarray | None) -> Iterator[list[int]]:
    """Yield the rows, and count their ids; the id before the first is counted with the row before."""
    for row in rows:
        if counts is not None:
            counts += np.bincount(row[1:], minlength=len(counts))
        yield row


def encoded(records: Iterable[Record], text: PieceText) -> Iterator[list[int]]:
    """Yield the ids of texts, with a boundary before the first and after the last.

    A long text, or one where line ends are pieces, is read in parts. It may be stored in several rows: each begins with
    the last id of the row before.
    """
    if text.characters.has_line_ends:
        for record in records:
            yield from _encoded_in_parts(record.values[0], text)
        return

    def ids_of(texts: list[str]) -> list[list[int]]:
        return text.ids(string_tensor(["" if len(one) > LONG else one for one in texts])).to_list()

    for texts, rows in look_ahead.mapped(ids_of, chunks(record.values[0] for record in records)):
        for one, ids in zip(texts, rows, strict=True):
            if len(one) > LONG:
                yield from _encoded_in_parts(one, text)
            else:
                yield [EOS, *ids, EOS]


def _encoded_in_parts(whole: str, text: PieceText) -> Iterator[list[int]]:
    row = [EOS]
    for chunk in chunks(separate_texts.parts(whole)):
        for ids in text.ids(string_tensor(chunk)).to_list():
            row += ids
            if len(row) > ROW:
                yield row
                row = row[-1:]
    yield [*row, EOS]


def _write_vocabulary(settings: ChargenSettings, source: Source | TextSource, folder: Path) -> None:
    records = separate_texts.texts(source, "train", bool(settings.data.records))
    symbols = ()
    if isinstance(source, TextSource) and not source.settings.records:
        # A text of lines: its parts are the sample, and a line end is a piece.
        records = (
            Record((part,), record.location) for record in records for part in separate_texts.parts(record.values[0])
        )
        symbols = (LINE_END,)
    sample = vocabularies.hash_sample(records, settings.vocabulary.vocabulary_texts)
    if not sample:
        raise UserError(f"{source.location}: every text of its training split is empty or blank")
    texts = [values[0] for values in sample]
    if symbols:
        texts = [line for text in texts for line in text.split(LINE_END) if line.strip()]
    model = vocabularies.learn(texts, settings.vocabulary, source.location, symbols=symbols)
    with atomic_files.replacing_folder(folder) as temporary:
        (temporary / "sentencepiece.model").write_bytes(model)


def load_pieces(folder: Path) -> Pieces:
    """Read the vocabulary of a run.

    Raises:
        UserError: If a file is missing or damaged.
    """
    processor = vocabularies.load(folder / "sentencepiece.model")
    counts = vocabularies.read_counts(folder, processor.get_piece_size())
    return Pieces(processor.serialized_model_proto(), tuple(counts))


class PieceDocuments(TrainingData):
    """The stored texts of a run, and windows of them.

    Args:
        settings: The settings.
        run: The run; `prepare` wrote its files.

    Attributes:
        characters: The vocabulary.
        windows: The training windows.
    """

    def __init__(self, settings: ChargenSettings, run: Run):
        training = settings.training
        self.characters = load_pieces(run.vocabulary)
        training_blocks, held_out_blocks = (blocks(run.checkpoint / split) for split in SPLITS)
        options = {
            "window": training.window,
            "rows": training.batch_size,
            "reverse": settings.recurrent.go_backwards,
            "targets_as_input": training.softmax_samples > 0,
        }
        self.windows = DocumentWindows(training_blocks, seed=training.seed, shorten=True, **options)
        self._validation = held_out = DocumentWindows(held_out_blocks, max_steps=training.validation_steps, **options)
        self.steps_per_pass, self.tokens_per_pass = self.windows.steps_per_pass, self.windows.tokens
        self.summary = (
            f"{self.windows.texts:,} texts to train on, {held_out.texts:,} to validate on; {self.tokens_per_pass:,} "
            f"pieces of {len(self.characters):,} different ones"
        )
        if held_out.tokens < held_out.all_tokens:
            self.summary += (
                f"\neach validation reads {held_out.tokens:,} of {held_out.all_tokens:,} pieces, evenly spread; "
                "--validation-steps none reads all of them"
            )

    def training_batches(self, epoch: int, step: int) -> tf.data.Dataset:
        """Return endless batches; see `DocumentWindows.batches`."""
        return self.windows.batches(epoch, step)

    def validation_batches(self) -> tf.data.Dataset:
        """Return one pass over the validation texts, or over evenly spread ones."""
        return self._validation.one_pass()
