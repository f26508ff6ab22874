"""Translates a split, and writes the translations and the pictures of an evaluation."""

import csv
import functools
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import tensorflow as tf
from sacrebleu.metrics import BLEU

from models.interruptible import interruptible
from models.text_translator import TextTranslator
from tasks import atomic_files
from tasks.data.quoted_rows import long_fields
from tasks.data.records import Record
from tasks.data.sequence_store import chunks
from tasks.data.sources import Source
from tasks.errors import UserError
from tasks.reports import plots
from tasks.reports.tables import format_figure
from tasks.serving.batched_inference import string_tensor
from tasks.task_parts import Outcome
from tasks.training.runs import Run
from tasks.translation import alignment, data, length_limit, scoring, translate
from tasks.translation.settings import TranslationSettings

TRANSLATIONS_FILE = "translations.csv"
PRINTED_TRANSLATIONS = 5
# Upper limits of the groups of sentences whose BLEU is reported separately, in words of the source.
LENGTHS = (5, 10, 15, 20, 30)


@dataclass
class Translations(Outcome):
    """The translated sentences of a split.

    Attributes:
        answers: The answers of the predictor.
        found: The translations, normalized as the references are; see `scoring.Normalizer`.
        references: The reference translation of each sentence, normalized.
        changed_references: Number of references that the normalization changed.
        nats_per_piece: Mean of -ln p of a piece of the references, ends counted.
        tokenizer: sacreBLEU's name of the tokenizer.
        out_of_reach: Number of references that are longer than the search may write.
    """

    answers: list[dict]
    found: list[str]
    references: list[str]
    changed_references: int
    nats_per_piece: float
    tokenizer: str
    out_of_reach: int

    @functools.cached_property
    def sources(self) -> list[str]:
        """The sentences."""
        return [answer["text"] for answer in self.answers]

    @property
    def truncated(self) -> int:
        """Number of sentences of which only the beginning was translated."""
        return sum(answer.get("truncated", False) for answer in self.answers)

    @functools.cached_property
    def scorer(self) -> BLEU:
        """The scorer of sacreBLEU."""
        return BLEU(tokenize=self.tokenizer)

    @functools.cached_property
    def bleu(self) -> tuple[float, str]:
        """BLEU of all sentences, in percent, and the signature of sacreBLEU."""
        score = self.scorer.corpus_score(self.found, [self.references]).score
        return score, str(self.scorer.get_signature())


def run_inference(
    predictor: translate.TranslationPredictor,
    settings: TranslationSettings,
    source: Source,
    split: str,
    records: Iterator[Record],
) -> Translations:
    """Translate the records of (source, target) that have both sides.

    Raises:
        UserError: If no record has both sides.
    """
    left_out = data.LeftOut()
    pairs = [record.values for record in data.with_both_sides(records, left_out)]
    left_out.report(split, settings.network.max_tokens, settings.data.max_pair_length_ratio)
    if not pairs:
        raise UserError(f"{source.location}: no pair of its {split} split has both sides")
    sources, references = zip(*pairs, strict=True)
    out_of_reach = length_limit.references_out_of_reach(predictor.module, sources, references)
    start = time.monotonic()
    answers = list(predictor.predict(sources))
    seconds = time.monotonic() - start  # of translation alone, not of the scores of the references
    normalize = scoring.Normalizer(settings.vocabulary)
    normalized = normalize(references)
    return Translations(
        answers,
        normalize(answer["translation"] for answer in answers),
        normalized,
        sum(one != other for one, other in zip(references, normalized, strict=True)),
        nats_per_piece(predictor.module, sources, references),
        scoring.choose_tokenizer(predictor.evaluation, normalized),
        out_of_reach,
        examples=len(pairs),
        seconds=seconds,
    )


def nats_per_piece(translator: TextTranslator, sources: Sequence[str], references: Sequence[str]) -> float:
    """Return the mean of -ln p of a piece of the references, in nats; ends count, pieces that are cut off do not."""
    log_probability = pieces = 0.0
    by_length = sorted(zip(sources, references, strict=True), key=lambda pair: len(pair[1]))  # less padding
    for pairs in chunks(by_length, translate.SENTENCES):
        sides = [string_tensor(texts) for texts in zip(*pairs, strict=True)]
        out = interruptible(lambda sides=sides: translator.score(*sides))
        log_probability += float(tf.reduce_sum(tf.cast(out["log_probability"], tf.float64)))
        pieces += int(tf.reduce_sum(out["pieces"]))
    return -log_probability / pieces


def bleu_by_length(outcome: Translations) -> dict[str, float]:
    """Return BLEU for groups of pairs by the number of words of the source; groups without a pair are left out."""
    groups: dict[tuple[int, str], list[int]] = {}
    for index, text in enumerate(outcome.sources):
        words = len(text.split())
        upper = next((end for end in LENGTHS if words <= end), None)
        lower = max([0, *(end for end in LENGTHS if end < words)]) + 1
        groups.setdefault((lower, f"{lower}-{upper}" if upper else f"{lower}-"), []).append(index)
    found, references, scorer = outcome.found, outcome.references, outcome.scorer
    return {
        name: scorer.corpus_score([found[i] for i in group], [[references[i] for i in group]]).score
        for (_, name), group in sorted(groups.items())
    }


def write_evaluation(
    run: Run, settings: TranslationSettings, predictor: translate.TranslationPredictor, outcome: Translations
) -> dict:
    """Write translations.csv, and pictures of BLEU by length and of attention."""
    by_length = bleu_by_length(outcome)
    _write_table(run.path / TRANSLATIONS_FILE, outcome)
    plots.bars(by_length, "words of the source", "BLEU", run.plots / "bleu_by_length.png")
    for picture in run.plots.glob("attention_*.png"):
        picture.unlink()  # of an earlier evaluation
    sources = outcome.sources
    if predictor.align is not None:
        for number in predictor.evaluation.attention_pairs:
            found = alignment.align_sentence(predictor.align, sources[number - 1]) if number <= len(sources) else {}
            if found.get("target_pieces"):  # otherwise normalization left nothing of the sentence
                alignment.draw(found, run.plots / f"attention_{number}.png")
    return {
        "bleu_tokenizer": outcome.tokenizer,
        "bleu_signature": outcome.bleu[1],
        "normalization": scoring.Normalizer(settings.vocabulary).rule,
        "changed_references": outcome.changed_references,
        "bleu_by_length": by_length,
        "search": predictor.search.model_dump(),
    }


def _write_table(path: Path, outcome: Translations) -> None:
    with atomic_files.replacing(path) as temporary, open(temporary, "w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["source", "translation", "reference", "score"])
        for answer, found, reference in zip(outcome.answers, outcome.found, outcome.references, strict=True):
            table.writerow([answer["text"], found, reference, format_figure(answer["score"])])


def print_evaluation(run: Run, stored: Mapping) -> None:
    """Print BLEU by length, and the first rows of translations.csv."""
    print(f"\n{stored['bleu_signature']}")
    if stored["changed_references"]:
        print(f"references changed by the normalization {stored['normalization']}: {stored['changed_references']:,}")
    print("\nBLEU by words of the source")
    for words, bleu in stored["bleu_by_length"].items():
        print(f"{words:>7} {bleu:6.2f}")
    with open(run.path / TRANSLATIONS_FILE, encoding="utf-8", newline="") as file, long_fields:
        rows = list(csv.DictReader(file))
    print("\nsource, translation, reference")
    for row in rows[:PRINTED_TRANSLATIONS]:
        print(*(row[name] for name in ("source", "translation", "reference")), "", sep="\n")
