"""Labelled texts: from a source to ids on disk and batches of them."""

import collections
import json
import logging
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import sentencepiece

from models.text import UNKNOWN, SentencePieceText
from tasks import atomic_files
from tasks.data import look_ahead, vocabularies
from tasks.data.bad_rows import BadRows, usable
from tasks.data.cut_texts import CutTexts
from tasks.data.locations import to_path
from tasks.data.overlap import TrainingTexts, compared_texts
from tasks.data.records import Record, is_blank
from tasks.data.sequence_store import SequenceStore, chunks
from tasks.data.sources import Source
from tasks.data.stored_files import is_text, read_json
from tasks.errors import UserError
from tasks.sentiment import ngram_files, pretrained_head
from tasks.sentiment.labels import (
    LabelIds,
    check_single_labels,
    class_names,
    class_table,
    clean_label,
    label_warnings,
    left_out_line,
)
from tasks.sentiment.settings import SentimentSettings
from tasks.sentiment.source import open_labelled_texts
from tasks.serving.batched_inference import string_tensor
from tasks.training import pretrained
from tasks.training.checkpoint import load_model
from tasks.training.pretrained_texts import MAX_UNKNOWN_SHARE, unknown_pieces
from tasks.training.runs import Run

log = logging.getLogger(__name__)

SPLITS = ("train", "validation")
MAX_LABELS = 10_000


def check(settings: SentimentSettings) -> None:
    """Check that the file of word vectors exists, before anything else is done.

    Raises:
        UserError: If it does not.
    """
    vectors = settings.training.vectors
    path = to_path(vectors) if vectors else None
    if vectors and (path / "vectors.npz").is_file():
        raise UserError(f"--vectors {vectors} is a run; write its file: python -m tasks.vectors export --run {vectors}")
    if vectors and not path.is_file():
        reason = "a folder; name a file in it" if path.is_dir() else "no such file"
        raise UserError(f"--vectors {vectors}: {reason}")


# --- what training needs, written once


def prepare(settings: SentimentSettings, run: Run) -> None:
    """Read the source once for labels and vocabulary, and once more to store ids.

    Writes `vocabulary/` (sentencepiece.model, labels.json), `training_texts.npz` and, below `checkpoint/`, the ids of
    both splits and the vocabularies of n-grams.
    """
    source = open_labelled_texts(settings)
    left_out, empty = source.check(), []
    if settings.training.initial_run is None:
        _write_vocabulary(settings, source, run.vocabulary, pretrained.vocabulary(run))
    processor, labels = load_vocabulary(run.vocabulary)
    label_ids = LabelIds(labels)
    left_out["texts with a label that training does not have"] = _check_labels(source, label_ids)
    # The tokenizer of the graph, which answers: the SentencePiece library breaks some ties otherwise.
    tokenizer = SentencePieceText(processor.serialized_model_proto(), settings.network.max_tokens)
    counts, training_texts = [], TrainingTexts(compared_texts(settings), run.initial.training_texts)
    cut, pieces = CutTexts(processor, settings.network.max_tokens), collections.Counter()
    for split in SPLITS:
        records = source.records(split)
        if split == "train":
            records = training_texts.collected(records)
        rows = _encoded(source, records, tokenizer, label_ids, empty, cut)
        rows = _counted(rows, pieces) if split == "train" else rows
        store = SequenceStore.write(run.checkpoint / split, ("label",), rows, processor.get_piece_size())
        counts.append(np.bincount(store.columns["label"], minlength=len(labels)).tolist())
        if not len(store):
            raise UserError(f"{source.location}: every text of its {split} split is empty or blank, or left out")
    training_texts.save(run.training_texts)
    left_out["empty texts to train or validate on"] = len(empty)
    log.info("%s\n%s", class_table(labels, *counts), left_out_line(left_out))
    if (line := cut.report()) is not None:
        log.warning("%s", line)
    if pieces["unknown"] > MAX_UNKNOWN_SHARE * pieces["all"]:
        name = settings.training.pretrained or settings.training.initial_run or run.path
        log.warning("%s", unknown_pieces(source.location, pieces["unknown"] / pieces["all"], name))
    if settings.training.initial_run is None:
        vocabulary = [processor.id_to_piece(index) for index in range(processor.get_piece_size())]
        ngram_files.write(settings, run, labels, vocabulary)
    else:
        ngram_files.write_of_model(load_model(run.initial), run.checkpoint)
    if settings.training.pretrained is not None:
        pretrained_head.write(settings, run, processor.get_piece_size(), labels)


def _check_labels(source: Source, label_ids: LabelIds) -> int:
    """Return how many rows of other splits than the training split have an unknown label, and are left out.

    Raises:
        UserError: If there are such rows, and they are not left out; names the first ones.
    """
    bad = BadRows()
    for split in ("validation", "test"):
        # A test file may lack the labels; the source has reported that.
        if split not in source.splits or source.location.startswith("tfds:") or not source.has_columns(split):
            continue
        for record in source.readers[split]():
            problem = None if source.problem(record) else label_ids.problem(record)
            if problem:
                bad.add(record, problem)
    if bad.count and not source.skip_bad_rows:
        raise bad.error()
    return bad.count


def _encoded(
    source: Source,
    records: Iterable[Record],
    tokenizer: SentencePieceText,
    label_ids: LabelIds,
    empty: list[str],
    cut: CutTexts,
) -> Iterator[tuple[list[int], int]]:
    """Yield the ids and the class of each record that is not empty; append the places of those that are.

    Texts with the maximum number of pieces may have more; `cut` counts them.
    """
    records = usable(records, label_ids.problem, skip=source.skip_bad_rows)

    def pieces(chunk: list[Record]) -> list[list[int]]:
        return tokenizer.pieces(string_tensor([record.values[0] for record in chunk])).to_list()

    for chunk, ids in look_ahead.mapped(pieces, chunks(_with_text(records, empty))):
        for row, record in zip(ids, chunk, strict=True):
            if len(row) < cut.max_tokens:
                cut.add(len(row))
            else:
                cut.count([record.values[0]])
            yield row, label_ids(record)


def _counted(rows: Iterable[tuple[list[int], int]], pieces: collections.Counter) -> Iterator[tuple[list[int], int]]:
    """Yield the rows, and count their pieces, all and unknown ones."""
    for ids, label in rows:
        pieces["all"] += len(ids)
        pieces["unknown"] += ids.count(UNKNOWN)
        yield ids, label


def _with_text(records: Iterable[Record], empty: list[str] | None = None) -> Iterator[Record]:
    """Yield the records with a text; append the places of the others to `empty`."""
    for record in records:
        if not is_blank(record.values[0]):
            yield record
        elif empty is not None:
            empty.append(record.location)


def _write_vocabulary(settings: SentimentSettings, source: Source, folder: Path, known: bytes | None) -> None:
    """Write the names of the classes, and a vocabulary: the one that is known, or one of the training texts."""
    counts: collections.Counter[str] = collections.Counter()

    def counted(records):
        for record in records:
            counts[clean_label(record.values[1])] += 1
            if len(counts) > MAX_LABELS:
                raise UserError(
                    f"{record.location}: more than {MAX_LABELS:,} different labels; "
                    "name the column of the classes with --label-column"
                )
            yield record

    records = counted(_with_text(source.records("train")))
    sample = vocabularies.hash_sample(records, settings.vocabulary.vocabulary_texts)
    if not counts:
        raise UserError(f"{source.location}: every text of its training split is empty or blank")
    for warning in [*check_single_labels(counts, source.location), *label_warnings(counts)]:
        log.warning("%s: %s", source.location, warning)
    labels = class_names(counts)
    if len(labels) < 2:
        raise UserError(
            f"{source.location}: its training split has one class only, {labels[0]!r}; a classifier needs two or more"
        )
    model = known or vocabularies.learn([values[0] for values in sample], settings.vocabulary, source.location)
    with atomic_files.replacing_folder(folder) as temporary:
        (temporary / "sentencepiece.model").write_bytes(model)
        (temporary / "labels.json").write_text(json.dumps(labels, ensure_ascii=False) + "\n", encoding="utf-8")


def load_vocabulary(folder: Path) -> tuple[sentencepiece.SentencePieceProcessor, list[str]]:
    """Load the tokenizer and the names of the classes of a run.

    Raises:
        UserError: If one of the files is missing or damaged.
    """
    path, remedy = folder / "labels.json", "train the run again with --overwrite"
    labels = read_json(path, remedy)
    if not isinstance(labels, list) or len(labels) < 2 or not all(map(is_text, labels)):
        raise UserError(f"{path} is no list of two classes or more; {remedy}")
    if len({*labels}) < len(labels):
        raise UserError(f"{path} has a class twice; {remedy}")
    return vocabularies.load(folder / "sentencepiece.model"), labels
