"""Measures a translator on a split."""

import csv
import json
import logging
import math
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf
from sacrebleu.metrics import BLEU, CHRF, TER

from models.text_translator import TextTranslator
from tasks import atomic_files
from tasks.data.bucketing import chunks
from tasks.errors import UserError
from tasks.reports import plots, results
from tasks.training.runs import Run
from tasks.translation import data, translate
from tasks.translation.settings import DataSettings, TranslationEvaluateArguments, TranslationSettings

log = logging.getLogger(__name__)

SHOWN = 5
# Upper ends of the groups of sentences whose BLEU is told apart, in words of the source.
LENGTHS = (5, 10, 15, 20, 30)


def main(arguments: TranslationEvaluateArguments) -> None:
    search = {name: getattr(arguments, name) for name in ("beam_size", "length_penalty")}
    result = evaluate(
        arguments.run,
        location=arguments.data,
        split=arguments.split,
        languages=(arguments.source_lang, arguments.target_lang),
        columns=(arguments.source_column, arguments.target_column),
        **{name: value for name, value in search.items() if value is not None},
    )
    if arguments.json_:
        print(json.dumps(result))
        return
    run = Run(arguments.run)
    stored = json.loads(run.evaluation_file.read_text(encoding="utf-8"))
    results.show(result)
    print(f"\n{stored['bleu_signature']}\n\nBLEU by words of the source")
    for words, bleu in stored["bleu_by_length"].items():
        print(f"{words:>7} {bleu:6.2f}")
    with open(run.translations_file, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    print("\nsource, translation, reference")
    for row in rows[:SHOWN]:
        print(*(row[name] for name in ("source", "translation", "reference")), "", sep="\n")
    print(run.translations_file)
    for picture in sorted(run.plots.glob("*.png")):
        print(picture)


def evaluate(
    run: Path | str,
    *,
    location: str | None = None,
    split: str = "test",
    languages: tuple[str | None, str | None] = (None, None),
    columns: tuple[str | None, str | None] = (None, None),
    **search,
) -> dict[str, float | int]:
    """Measures a run; writes evaluation.json, translations.csv and pictures of attention and of BLEU by length.

    Args:
      run: the run's folder.
      location: another source than the run's own. A single file is read whole.
      split: splits of the source, joined with +.
      languages: of that source, from and to; those that the run was trained on where None.
      columns: of that source, where it calls the two sides otherwise.
      search: settings of the search that are to be others than the run's.

    Returns:
      bleu (sacreBLEU, in percent), bleu_lowercase, chrf, ter (percent), exact_match (share of translations that are the
      reference), perplexity (of a piece of the reference, its end counted), loss (its logarithm, nats), examples,
      seconds (of translating).

    Raises:
      UserError: the run or the source cannot be used.
    """
    folder = Run(run)
    settings = folder.open_finished("translation", TranslationSettings)
    named = _named_data(settings.data, location, languages, columns)
    source = data.pair_source(named)
    if location is not None and source.single_file:
        split = "all"
    left_out = data.LeftOut()
    records = data.with_both_sides(source.records(split), left_out)
    translator = translate.load(run, **search)
    pairs = [record.values for record in records]
    left_out.report(split, settings.network.max_tokens, settings.data.max_pair_ratio)
    if not pairs:
        raise UserError(f"{source.location}: no pair of its {split} split has both sides")
    sources, references = zip(*pairs, strict=True)

    began = time.monotonic()
    answers = list(translate.translations(translator.translate, sources, beam_size=translator.settings.beam_size))
    seconds = time.monotonic() - began
    found = [answer["translation"] for answer in answers]
    bleu = BLEU(tokenize=settings.evaluation.sacrebleu_tokenizer)
    nats = loss(translator, sources, references)
    result = {
        "bleu": bleu.corpus_score(found, [references]).score,
        "bleu_lowercase": BLEU(tokenize=settings.evaluation.sacrebleu_tokenizer, lowercase=True)
        .corpus_score(found, [references])
        .score,
        "chrf": CHRF().corpus_score(found, [references]).score,
        "ter": TER().corpus_score(found, [references]).score,
        "exact_match": float(np.mean([one == other for one, other in zip(found, references, strict=True)])),
        "perplexity": math.exp(min(nats, 700.0)),
        "loss": nats,
        "examples": len(pairs),
        "seconds": seconds,
    }
    by_length = bleu_by_length(bleu, sources, found, references)
    told = {"bleu_signature": str(bleu.get_signature()), "bleu_by_length": by_length}
    _write_table(folder.translations_file, answers, references)
    _draw(folder, translator, sources, by_length, settings)
    results.keep(folder, location or settings.data.data, split, result | told)
    return result


def _named_data(trained: DataSettings, location: str | None, languages: tuple, columns: tuple) -> DataSettings:
    """Where to read, and by which names; refuses languages that are not those which the run translates."""
    names = trained.names
    for given, own, other in zip(languages, names, names[::-1], strict=True):
        if given is not None and given == other != own:
            raise UserError(
                f"the run translates {names[0]} to {names[1]}, not {languages[0] or names[0]} to "
                f"{languages[1] or names[1]}; name a run of that direction"
            )
    chosen = [column or language or own for column, language, own in zip(columns, languages, names, strict=True)]
    if chosen[0] is not None and chosen[0] == chosen[1]:
        raise UserError(f"source and target are both {chosen[0]!r}; name two different languages or columns")
    named = {"source_lang": chosen[0], "target_lang": chosen[1], "source_column": None, "target_column": None}
    return trained.model_copy(update={"data": location or trained.data, **named})


def loss(translator: TextTranslator, sources: Sequence[str], references: Sequence[str]) -> float:
    """-ln p of the references in nats, per piece; ends count, and what is cut off does not."""
    log_probability = pieces = 0.0
    like = sorted(zip(sources, references, strict=True), key=lambda pair: len(pair[1]))  # little is padding then
    for some in chunks(like, translate.SENTENCES):
        out = translator.score(*map(translate.strings, zip(*some, strict=True)))
        log_probability += float(tf.reduce_sum(tf.cast(out["log_probability"], tf.float64)))
        pieces += int(tf.reduce_sum(out["pieces"]))
    return -log_probability / pieces


def bleu_by_length(bleu: BLEU, sources, found, references) -> dict[str, float]:
    """BLEU of the pairs whose source has so many words; groups without a pair are left out."""
    groups: dict[str, list[int]] = {}
    for index, text in enumerate(sources):
        words = len(text.split())
        upper = next((end for end in LENGTHS if words <= end), None)
        lower = max([0, *(end for end in LENGTHS if end < words)]) + 1
        groups.setdefault((lower, f"{lower}-{upper}" if upper else f"{lower}-"), []).append(index)
    return {
        name: bleu.corpus_score([found[i] for i in group], [[references[i] for i in group]]).score
        for (_, name), group in sorted(groups.items())
    }


def _write_table(path: Path, answers: list[dict], references: Sequence[str]) -> None:
    with atomic_files.replacing(path) as temporary, open(temporary, "w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["source", "translation", "reference", "score"])
        for answer, reference in zip(answers, references, strict=True):
            table.writerow([answer["text"], answer["translation"], reference, results.shown(answer["score"])])


def _draw(
    folder: Run, translator: TextTranslator, sources: Sequence[str], by_length: dict, settings: TranslationSettings
) -> None:
    folder.plots.mkdir(exist_ok=True)
    plots.bars(by_length, "words of the source", "BLEU", folder.plots / "bleu_by_length.png")
    for picture in folder.plots.glob("attention_*.png"):
        picture.unlink()  # of an earlier evaluation
    if translator.network.attends:
        for number in settings.evaluation.attention_pairs:
            if number <= len(sources):
                found = translate.alignment(translator.align, sources[number - 1])
                if found["target_pieces"]:  # else nothing is left of it when its spelling is normalized
                    translate.draw_attention(found, folder.plots / f"attention_{number}.png")
