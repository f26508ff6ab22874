"""Scores separate texts with a model of pieces, and generates samples and compares them with the training texts."""

import logging
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from models.interruptible import interruptible
from models.language_model import LanguageModel
from models.pieces import PieceText
from models.text import EOS, UNKNOWN
from tasks.chargen import evaluate, separate_texts
from tasks.chargen.document_windows import DocumentWindows
from tasks.chargen.generate import CharacterGenerator
from tasks.chargen.generated_records import RecordShares, generate_records
from tasks.chargen.piece_data import blocks, encoded, write_blocks
from tasks.chargen.scoring import ROWS, WINDOW, count_nats, summed_nats
from tasks.chargen.settings import ChargenSettings
from tasks.chargen.text_source import TextSource, line_beginnings
from tasks.data.evaluated_data import is_of_training
from tasks.data.records import Record
from tasks.data.sequence_store import SequenceStore
from tasks.data.sources import Source
from tasks.errors import UserError

log = logging.getLogger(__name__)

# Of the training texts, the first ones are compared with what is evaluated and generated: this number of characters.
COMPARED_CHARACTERS = 20_000_000
# Beginnings of prompts are taken from this number of texts.
PROMPT_TEXTS = 1000


class TextCounts:
    """Collects what scores of texts are divided by.

    Args:
        text: The conversion between text and ids.

    Attributes:
        characters: Number of characters; the end of each text counts as one.
        words: Number of words, separated by blanks.
        first: The first texts.
    """

    def __init__(self, text: PieceText):
        self._pieces = text.characters
        self.characters = self.words = 0
        self.first: list[str] = []

    def counted(self, records: Iterator[Record]) -> Iterator[Record]:
        """Yield the records, and count their texts."""
        for record in records:
            text = self._pieces.normalize_for_scoring(record.values[0])
            self.characters += len(text) + 1
            self.words += len(text.split())
            if len(self.first) < PROMPT_TEXTS:
                self.first.append(text)
            yield record


def run_inference(
    predictor: CharacterGenerator,
    settings: ChargenSettings,
    source: Source | TextSource,
    records: Iterator[Record],
) -> evaluate.Generations:
    """Score texts, each from its beginning to its end, and generate samples."""
    generator, text = predictor.module, predictor.module.text
    start = time.monotonic()
    counts = TextCounts(text)
    reverse = settings.recurrent.go_backwards
    with tempfile.TemporaryDirectory() as folder:
        rows = encoded(counts.counted(separate_texts.texts_of(records, bool(settings.data.records))), text)
        if not write_blocks(Path(folder) / "ids", rows, len(text.characters)):
            raise UserError(f"{source.location}: every text is empty or blank")
        stores = blocks(Path(folder) / "ids")
        nats = _network_nats(generator.step_model.model, stores, reverse)
        ids = np.concatenate([np.array([EOS], np.int32), *_predicted(stores)])
    seconds = time.monotonic() - start
    predicted = len(ids) - 1
    training_texts = _training_texts(settings, source)
    bigram, trigram = _count_models(training_texts, ids, text)
    prompts, continuations = (), {}
    if not reverse:  # a model that reads backwards would continue a text in front of its beginning
        prompts = predictor.evaluation.prompts or line_beginnings(
            "\n".join(counts.first), evaluate.PROMPTS, evaluate.PROMPT_LENGTH
        )
        continuations = {
            chosen: evaluate.continuations_of(predictor, prompts, chosen)
            for chosen in predictor.evaluation.temperatures
        }
    joined = None
    if training_texts is not None:  # as the model writes them: generated texts are compared with them
        joined = "\n".join(text.characters.as_written(record.values[0]) for record in training_texts)
    generated = {}
    if predictor.writes_records and settings.data.records and not reverse:
        for chosen in sorted({*predictor.evaluation.temperatures, predictor.sampling.temperature}):
            generated[chosen] = generate_records(predictor, predictor.evaluation.evaluation_records, chosen)
    compared = interruptible(lambda: evaluate.compare(joined, continuations, generated))
    known_words, longest_passage = compared
    compared = {} if joined is None else generated
    return evaluate.Generations(
        nats_per_character=nats / counts.characters,
        nats_per_symbol=nats / predicted,
        words=counts.words,
        bigram_nats_per_character=None if bigram is None else bigram / counts.characters,
        trigram_nats_per_character=None if trigram is None else trigram / counts.characters,
        unknown_share=float(np.mean(ids[1:] == UNKNOWN)),
        prompts=prompts,
        continuations=continuations,
        records=generated,
        record_shares={chosen: RecordShares.of(texts, joined) for chosen, texts in compared.items()},
        temperature=predictor.sampling.temperature,
        known_words=known_words,
        longest_passage=longest_passage,
        examples=counts.characters,
        seconds=seconds,
    )


def _predicted(stores: Sequence[Path]) -> Iterator[np.ndarray]:
    """Yield the ids of each stored text that are predicted."""
    for store in map(SequenceStore, stores):
        yield from (store[index][1:] for index in range(len(store)))


def _network_nats(model: LanguageModel, stores: Sequence[Path], reverse: bool) -> float:
    """Compute -ln p of all stored texts with the full softmax, the end of each included; the sum in nats."""
    windows = DocumentWindows(stores, window=WINDOW, rows=ROWS, reverse=reverse)
    return summed_nats(model.training_model(), windows.one_pass())


def _training_texts(settings: ChargenSettings, source: Source | TextSource) -> list[Record] | None:
    """Return the first training texts, of `COMPARED_CHARACTERS` together; None if they cannot be read."""
    try:
        of_run = is_of_training(source, settings.data)
        training = source if of_run else separate_texts.open_separate_texts(settings)
        records = separate_texts.texts(training, "train", bool(settings.data.records))
        found, characters = [], 0
        for record in records:
            found.append(record)
            characters += len(record.values[0])
            if characters > COMPARED_CHARACTERS:
                break
        return found
    except UserError as error:
        log.warning("no comparison with the training text: %s", error)
        return None


def _count_models(
    training_texts: list[Record] | None, ids: np.ndarray, text: PieceText
) -> tuple[float | None, float | None]:
    """Return -ln p of texts by counts of two and of three pieces in training texts; None without them."""
    if training_texts is None:
        return None, None
    counted = np.concatenate([[EOS], *(np.array(row[1:]) for row in encoded(training_texts, text))])
    first, *_ = count_nats(counted, ids[:1], len(text.characters), 1)
    _, bigram, trigram = interruptible(lambda: count_nats(counted, ids, len(text.characters), 3))
    return bigram - first, trigram - first
