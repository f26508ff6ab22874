"""Translations, from a run or from an exported model."""

import itertools
import json
import logging
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pydantic
import sentencepiece
import tensorflow as tf
from tqdm import tqdm

from models.network_settings import SearchSettings
from models.text import shortened
from models.text_translator import TextTranslator
from models.translator import StepTranslator
from tasks.cli.settings_files import explain
from tasks.errors import UserError
from tasks.reports import plots, results
from tasks.serving import export as exporting
from tasks.serving import text_io as lines
from tasks.serving.batched_inference import WINDOW, answered
from tasks.training.checkpoint import load_model
from tasks.training.runs import Run
from tasks.translation import data
from tasks.translation.settings import TranslateArguments, TranslationSettings

log = logging.getLogger(__name__)

# Sentences of a batch, and hypotheses that are followed at once at the most.
SENTENCES, HYPOTHESES = 64, 640


def main(arguments: TranslateArguments) -> None:
    asked = {name: getattr(arguments, name) for name in ("beam_size", "length_penalty")}
    asked = {name: value for name, value in asked.items() if value is not None}
    # A run may be searched in any way; an export has its own in `translate`, and others in `beam`.
    model = _of_run(arguments.run, asked) if arguments.run is not None else _exported(Path(arguments.model), asked)
    beam_size, size = model.search.beam_size, model.target.get_piece_size()
    if beam_size > size:
        raise UserError(f"--beam-size {beam_size}: the vocabulary has no more than {size} pieces; take fewer")
    if arguments.n_best > beam_size:
        raise UserError(
            f"--n-best {arguments.n_best} is more than the beam holds, {beam_size}: add --beam-size {arguments.n_best}"
        )
    if arguments.attention is not None and model.align is None:
        raise UserError("--attention: this model was trained without attention, so there is none to draw")
    given = arguments.texts if arguments.input is None else lines.read(arguments.input, arguments.input_key)
    texts = iter(_warned(given, model.source, model.max_tokens))
    if arguments.attention is not None:
        if asked and arguments.model is not None:
            option = next(iter(asked)).replace("_", "-")
            raise UserError(
                f"--attention: an exported model draws what its own search finds, so --{option} does not go with it; "
                "leave it out, or name the run with --run"
            )
        first = list(itertools.islice(texts, 1))
        found = alignment(model.align, "".join(first))
        if not found["target_pieces"]:
            raise UserError("--attention: the first sentence is empty, so there is nothing to draw")
        draw_attention(found, Path(arguments.attention))
        texts = itertools.chain(first, texts)
    typed = arguments.input == "-" and sys.stdin.isatty()  # somebody waits for the answer to each line
    window = 1 if typed else WINDOW
    if arguments.n_best > 1 or (asked and arguments.model is not None):
        answers = n_best(model.beam, texts, model.search, arguments.n_best, window)
    else:
        answers = translations(model.translate, texts, window, beam_size)
    # On a terminal only, and where it does not stand between the answers.
    quiet = None if arguments.input is not None and arguments.output is not None else True
    with lines.writer(arguments.output) as out:
        for number, answer in enumerate(tqdm(answers, unit=" sentences", disable=quiet), start=1):
            if arguments.json_:
                print(json.dumps(answer, ensure_ascii=False), file=out)
            elif arguments.n_best > 1:
                for one in answer["n_best"]:
                    print(number, results.shown(one["score"]), one["translation"], sep="\t", file=out)
            else:
                print(answer["translation"], file=out)


class Translator(NamedTuple):
    """A run or an export, ready to translate.

    Attributes:
      owner: what they belong to; a `tf.function` does not keep its object alive.
      translate, beam, align: see `TextTranslator`; align is None without attention.
      search: the settings that are in force.
      source, target: the tokenizers.
      max_tokens: pieces of a sentence at the most.
    """

    owner: object
    translate: Callable
    beam: Callable
    align: Callable | None
    search: SearchSettings
    source: sentencepiece.SentencePieceProcessor
    target: sentencepiece.SentencePieceProcessor
    max_tokens: int


def load(run: Path | str, **search) -> TextTranslator:
    """The translator of a finished run.

    Args:
      search: settings of the search that are to be others than the run's.

    Raises:
      UserError: the run is missing, of another task, or not finished; or a setting is none.
    """
    folder = Run(run)
    settings = folder.open_finished("translation", TranslationSettings)
    pieces = [processor.serialized_model_proto() for processor in data.load_vocabularies(folder.vocabulary)]
    network = StepTranslator(load_model(folder), settings.network, settings.recurrent)
    return TextTranslator(network, *pieces, _changed(settings.search, search))


def translations(translate: Callable, texts: Iterable[str], window: int = WINDOW, beam_size: int = 1) -> Iterator[dict]:
    """Translations of sentences, in their order.

    Args:
      translate: `TextTranslator.translate`, or an exported signature: string (batch,) -> translation, score.
      texts: any number of them.
      window: so many are read before their translations come; those of like length share a batch.
      beam_size: that of its search; a wide beam has fewer sentences in a batch.

    Returns: {"text": str, "translation": str, "score": float} for each; None is the score where the settings of the
      search allow no translation.
    """

    def answer(texts: list[str]) -> list[dict]:
        out = translate(text=strings(texts))
        rows = zip(texts, out["translation"].numpy(), out["score"].numpy(), strict=True)
        return [
            {"text": text, "translation": found.decode(), "score": float(score) if score > -float("inf") else None}
            for text, found, score in rows
        ]

    return answered(answer, texts, window=window, most=_batch_size(beam_size))


def n_best(
    beam: Callable, texts: Iterable[str], search: SearchSettings, most: int, window: int = WINDOW
) -> Iterator[dict]:
    """The best translations of sentences, in their order.

    Args:
      beam: `TextTranslator.beam`, or an exported signature.
      texts, window: see `translations`.
      search: beam_size and length_penalty count.
      most: translations of each.

    Returns: as `translations`, and n_best: a list of {"translation": str, "score": float}, the best first, if `most`
      is above 1.
    """

    def answer(texts: list[str]) -> list[dict]:
        out = beam(
            text=strings(texts),
            beam_size=tf.constant(search.beam_size, tf.int32),
            length_penalty=tf.constant(search.length_penalty, tf.float32),
        )
        found = []
        for text, row, scores in zip(texts, out["translations"].numpy(), out["scores"].numpy(), strict=True):
            best = [
                {"translation": one.decode(), "score": float(score)}
                for one, score in zip(row[:most], scores, strict=False)
                if score > -float("inf")
            ]
            best = best or [{"translation": "", "score": None}]  # nothing is allowed by the settings of the search
            found.append({"text": text, **best[0], **({"n_best": best} if most > 1 else {})})
        return found

    return answered(answer, texts, window=window, most=_batch_size(search.beam_size))


def _batch_size(beam_size: int) -> int:
    """Sentences that are searched for at once: the fewer, the wider the beam."""
    return max(1, min(SENTENCES, HYPOTHESES // beam_size))


def alignment(align: Callable, text: str) -> dict:
    """Translates a sentence, and tells what was attended to.

    Args:
      align: see `TextTranslator`.

    Returns: translation, source_pieces, target_pieces (with the end, </s>; none where nothing of the sentence is read),
      and attention, (target pieces, source pieces), as lists.
    """
    out = {name: value.numpy()[0] for name, value in align(text=strings([text])).items()}
    source, target = ([piece.decode() for piece in out[f"{side}_pieces"] if piece] for side in data.SIDES)
    return {
        "translation": out["translation"].decode(),
        "source_pieces": source,
        "target_pieces": target,
        "attention": out["attention"][: len(target), : len(source)].tolist(),
    }


def draw_attention(found: dict, path: Path) -> Path:
    """Draws an `alignment`; gives the path."""
    return plots.attention(np.array(found["attention"]), found["source_pieces"], found["target_pieces"], path)


def strings(texts: Iterable[str]) -> tf.Tensor:
    """string (texts,), in UTF-8."""
    return tf.constant([text.encode("utf-8", "replace") for text in texts])


def _changed(search: SearchSettings, changes: dict) -> SearchSettings:
    try:
        return SearchSettings.model_validate(search.model_dump() | changes)
    except pydantic.ValidationError as error:
        raise UserError(explain(error, option=True)) from None


def _warned(texts: Iterable[str], source: sentencepiece.SentencePieceProcessor, max_tokens: int) -> Iterator[str]:
    """The sentences, with a warning before the first that is too long."""
    warned = False
    for text in texts:
        # A piece is a character or more, but for the blank that is put before the first.
        if not warned and len(text) >= max_tokens and len(source.encode(shortened(text, max_tokens + 1))) > max_tokens:
            log.warning("a sentence of more than %d pieces is translated up to there, and so are others", max_tokens)
            warned = True
        yield text


def _of_run(run: str, asked: dict) -> Translator:
    translator = load(run, **asked)
    processors = data.load_vocabularies(Run(run).vocabulary)
    return Translator(
        translator,
        translator.translate,
        translator.beam,
        translator.align if translator.network.attends else None,
        translator.settings,
        *processors,
        translator.source.max_tokens,
    )


def _exported(path: Path, asked: dict) -> Translator:
    model, settings, extra = exporting.load_with_settings(path, "translation", TranslationSettings, "beam")

    def signature(name: str) -> Callable:
        return lambda **inputs: model.signatures[name](**inputs)

    return Translator(
        model,
        signature("serving_default"),
        signature("beam"),
        signature("align") if "align" in model.signatures else None,
        _changed(settings.search, asked),
        *data.load_vocabularies(extra),
        settings.network.max_tokens,
    )
