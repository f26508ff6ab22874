"""Scores a text, and generates samples and compares them with the training text."""

import itertools
import logging
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from models.characters import Characters, normalize
from models.interruptible import interruptible
from models.pieces import Pieces
from tasks import atomic_files
from tasks.chargen.data import encode, unknown_share
from tasks.chargen.generate import CharacterGenerator
from tasks.chargen.generated_records import RecordShares, generate_records
from tasks.chargen.generated_records import page as record_page
from tasks.chargen.memorization import longest_common_passage, shorten_runs
from tasks.chargen.records import BOUNDARY
from tasks.chargen.scoring import count_nats, network_nats
from tasks.chargen.settings import ChargenSettings
from tasks.chargen.text_source import TextSource, line_beginnings, open_text
from tasks.data.evaluated_data import is_of_training
from tasks.data.records import Record
from tasks.errors import UserError
from tasks.references import find
from tasks.serving.batched_inference import string_tensor
from tasks.task_parts import Outcome
from tasks.training.runs import Run

log = logging.getLogger(__name__)

SAMPLES_FILE = "samples.md"
# Prompts that are taken from the evaluated text if none are given, and the characters of each, at most.
PROMPTS, PROMPT_LENGTH = 3, 20
SEPARATOR = "\0"  # occurs in no text: no passage that spans two texts is found


@dataclass
class Generations(Outcome):
    """A scored text, and what the model generated.

    Attributes:
        nats_per_character: Mean of -ln p of a character, a Hangul syllable counted as one.
        words: Number of words of the text, separated by blanks.
        bigram_nats_per_character: The same by counts of two characters (jamo, pieces) in the training text, with
            Witten-Bell smoothing; None if that text cannot be read.
        trigram_nats_per_character: The same by counts of three.
        nats_per_symbol: The first figure per symbol that the network predicts, a character, a jamo or a piece: all but
            the first of the text. This is the loss of the training log.
        unknown_share: Share of the characters that are not in the vocabulary.
        prompts: The prompts that were continued.
        continuations: Temperature -> the continuation of each prompt.
        records: Temperature -> records that were generated without a prompt; empty if the model writes no records.
        record_shares: The same -> how many of them are new; empty if the training text cannot be read.
        temperature: The temperature of the run, whose shares are metrics.
        known_words: Whether each generated word occurs in the training text; empty if that text cannot be read.
        longest_passage: The longest generated passage that occurs in the training text, where a run of one repeated
            character is shortened, see `memorization.shorten_runs`; None if that text cannot be read.
    """

    nats_per_character: float
    words: int
    bigram_nats_per_character: float | None
    trigram_nats_per_character: float | None
    nats_per_symbol: float
    unknown_share: float
    prompts: tuple[str, ...]
    continuations: dict[float, list[str]]
    records: dict[float, list[str]]
    record_shares: dict[float, RecordShares]
    temperature: float
    known_words: list[bool]
    longest_passage: str | None


def run_inference(
    predictor: CharacterGenerator, settings: ChargenSettings, source: TextSource, split: str, records: Iterator[Record]
) -> Generations:
    """Score a text, with the state carried from its beginning to its end, or record by record; generate samples."""
    if isinstance(predictor.characters, Pieces):
        return find("tasks.chargen.evaluate_pieces:run_inference")(predictor, settings, source, records)
    generator, characters = predictor.module, predictor.characters
    (text,) = next(records).values
    start = time.monotonic()
    scored = characters.normalize_for_scoring(text)
    read = normalize(text, characters.normalization, characters.hangul)
    boundary = generator.step_model.boundary
    ids = encode(read if boundary is None else BOUNDARY + read, characters)
    nats = network_nats(generator.step_model.model, ids, boundary)
    seconds = time.monotonic() - start
    # The network predicts all symbols but the first, which counts with its frequency; of records, that is no part.
    first = float(generator.score(string_tensor([read[0]]))["nats_per_character"][0]) if boundary is None else 0.0
    training_text = _training_text(settings, source)
    bigram, trigram = interruptible(lambda: _count_models(training_text, ids, characters, boundary))
    evaluation, temperature = predictor.evaluation, predictor.sampling.temperature
    prompts, records = evaluation.prompts, {}
    if boundary is None:
        prompts = prompts or line_beginnings(text, PROMPTS, PROMPT_LENGTH)
    else:
        for chosen in sorted({*evaluation.temperatures, temperature}):
            records[chosen] = generate_records(predictor, evaluation.evaluation_records, chosen)
    continuations = {chosen: continuations_of(predictor, prompts, chosen) for chosen in evaluation.temperatures}
    if training_text is not None:
        training_text = characters.normalize_for_scoring(training_text)
    known_words, longest_passage = interruptible(lambda: compare(training_text, continuations, records))
    compared = {} if training_text is None else records
    outcome = Generations(
        nats_per_character=(nats + first) / len(scored),
        words=len(scored.split()),
        nats_per_symbol=nats / (len(ids) - 1) if len(ids) > 1 else first,
        bigram_nats_per_character=None if bigram is None else bigram / len(scored),
        trigram_nats_per_character=None if trigram is None else trigram / len(scored),
        unknown_share=unknown_share(read, characters),
        prompts=prompts,
        continuations=continuations,
        records=records,
        record_shares={chosen: RecordShares.of(texts, training_text) for chosen, texts in compared.items()},
        temperature=temperature,
        known_words=known_words,
        longest_passage=longest_passage,
        examples=len(scored),
        seconds=seconds,
    )
    if bigram is not None and outcome.nats_per_character > outcome.bigram_nats_per_character:
        log.warning(
            "the model predicts this text worse than counts of two characters do (%.4g nats per character): train it "
            "longer (--epochs), or with more text",
            outcome.bigram_nats_per_character,
        )
    return outcome


def _training_text(settings: ChargenSettings, source: TextSource) -> str | None:
    """Return the training text; None if it cannot be read."""
    try:
        return (source if is_of_training(source, settings.data) else open_text(settings)).text("train")
    except UserError as error:
        log.warning("no comparison with the training text: %s", error)
        return None


def _count_models(
    training_text: str | None, ids: np.ndarray, characters: Characters, boundary: int | None
) -> tuple[float | None, float | None]:
    """Return -ln p of a text by counts of two and of three symbols; None without the training text."""
    if training_text is None:
        return None, None
    before = "" if boundary is None else BOUNDARY
    counted = encode(normalize(before + training_text, characters.normalization, characters.hangul), characters)
    _, bigram, trigram = count_nats(counted, ids, len(characters), 3)
    if before:  # the boundary before the first record is given
        first, _, _ = count_nats(counted, ids[:1], len(characters), 3)
        return bigram - first, trigram - first
    return bigram, trigram


def compare(
    training_text: str | None, continuations: dict[float, list[str]], records: dict[float, list[str]]
) -> tuple[list[bool], str | None]:
    """Compare generated texts with the training text; see `Generations`."""
    if training_text is None:
        return [], None
    continued, complete = ([text for texts in of.values() for text in texts] for of in (continuations, records))
    texts, training_words = continued + complete, {*words(training_text)}
    generated_words = [*itertools.chain(*map(whole_words, continued), *map(words, complete))]
    known_words = [word in training_words for word in generated_words]
    return known_words, longest_common_passage(shorten_runs(SEPARATOR.join(texts)), shorten_runs(training_text))


def continuations_of(predictor: CharacterGenerator, prompts: tuple[str, ...], temperature: float) -> list[str]:
    """Return the continuation of each prompt."""
    length = predictor.evaluation.evaluation_length
    answers = predictor.predict(prompts, window=len(prompts), temperature=temperature, length=length)
    return [answer["continuation"] for answer in answers]


def words(text: str) -> list[str]:
    """Return the words of a text as the metrics count them, in lower case."""
    return re.findall(r"\w+(?:['’]\w+)*", text.lower())


def whole_words(text: str) -> list[str]:
    """Return the words that neither the length cut off nor the prompt began."""
    return words(re.sub(r"\A[\w'’]+|[\w'’]+\Z", "", text))


def write_evaluation(run: Run, settings: ChargenSettings, predictor: CharacterGenerator, outcome: Generations) -> dict:
    """Write samples.md; return the prompts."""
    records = record_page(outcome.records, outcome.record_shares)
    page = records + _page(outcome.prompts, outcome.continuations, outcome.longest_passage or "")
    with atomic_files.replacing(run.path / SAMPLES_FILE) as path:
        path.write_text(page, encoding="utf-8")
    return {"prompts": list(outcome.prompts)}


def print_evaluation(run: Run, stored: Mapping) -> None:
    """Print samples.md."""
    print(f"\n{(run.path / SAMPLES_FILE).read_text(encoding='utf-8')}")


def _page(prompts: tuple[str, ...], continuations: dict[float, list[str]], longest_passage: str) -> str:
    """Return Markdown: a section for each prompt, with its continuation at each temperature."""
    sections = []
    for number, prompt in enumerate(prompts):
        sections.append(f"## Prompt {prompt!r}\n")
        for temperature, texts in continuations.items():
            sections.append(f"Temperature {temperature:g}:\n\n```text\n{prompt}{texts[number]}\n```\n")
    sections.append(f"## Longest passage that occurs in the training text\n\n```text\n{longest_passage}\n```\n")
    return "\n".join(sections)
