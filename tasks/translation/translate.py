"""Translates, with a run or an exported model."""

import itertools
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import keras
import sentencepiece
import tensorflow as tf

from models.generation_settings import SearchSettings
from models.text_aligner import TextAligner
from models.text_translator import NO_SCORE, TextTranslator
from models.translator import StepTranslator
from tasks.errors import UserError
from tasks.predictor import Predictor, check_count
from tasks.reports.tables import format_figure
from tasks.serving.batched_inference import WINDOW, Window, length_sorted_batches, string_tensor
from tasks.serving.export import warmup_texts
from tasks.serving.inference import override_groups
from tasks.serving.unknown_texts import UnknownTexts
from tasks.task_parts import Exportable
from tasks.training.checkpoint import check_size
from tasks.training.runs import Run
from tasks.translation import alignment, length_limit, preprocessing
from tasks.translation.data import SIDES, load_vocabularies
from tasks.translation.settings import TranslateArguments, TranslationEvaluationSettings, TranslationSettings

log = logging.getLogger(__name__)

# Sentences in a batch, and maximum number of hypotheses that are followed at once.
SENTENCES, HYPOTHESES = 64, 640
# The settings of the search that are inputs of an export's `beam` signature; the others are part of its graph.
VARIABLE_IN_EXPORTS = ("beam_size", "length_penalty")


class TranslationPredictor(Predictor):
    """A translator of a run or of an export.

    Args:
        translate: `TextTranslator.translate`, or the exported signature: text, string (batch,) -> translation, score.
        beam: `TextTranslator.beam`, or the exported signature.
        align: `TextAligner.align`, or the exported signature; None without attention.
        search: The settings of the search.
        fixed_search: Whether `translate` searches with other settings, so that `beam` must be called.
        processors: The tokenizers of source and target.
        max_tokens: Maximum number of pieces of a sentence.
        evaluation: What `evaluate` measures and draws.
        owner: The object that the functions belong to; a `tf.function` does not keep its object alive.
        module: The `TextTranslator` of a run.
    """

    answer_names = ("text", "translation", "score")

    def __init__(
        self,
        translate: Callable,
        beam: Callable,
        align: Callable | None,
        search: SearchSettings,
        processors: list[sentencepiece.SentencePieceProcessor],
        max_tokens: int,
        *,
        fixed_search: bool = False,
        evaluation: TranslationEvaluationSettings | None = None,
        owner=None,
        module: TextTranslator | None = None,
    ):
        self._translate, self._beam, self.align = translate, beam, align
        self.search, self.fixed_search = search, fixed_search
        self.evaluation = evaluation or TranslationEvaluationSettings()
        self._target, self._max_tokens = processors[1], max_tokens
        self._owner, self.module = owner, module

    def check(self, num_return_sequences: int = 1) -> None:
        """Raise `UserError` if the vocabulary or the beam is not large enough, or the number is not 1 or more."""
        check_count("--num-return-sequences", num_return_sequences)
        beam_size, size = self.search.beam_size, self._target.get_piece_size()
        if beam_size > size:
            raise UserError(f"--beam-size {beam_size}: the vocabulary has no more than {size} pieces; take fewer")
        if num_return_sequences > beam_size:
            raise UserError(
                f"--num-return-sequences {num_return_sequences} is more than the beam holds, {beam_size}: add "
                f"--beam-size {num_return_sequences}"
            )

    def predict(
        self, texts: Iterable[str], *, window: int | Window = WINDOW, num_return_sequences: int = 1
    ) -> Iterator[dict]:
        """Yield a translation of each sentence, in their order; see `tasks.predictor.Predictor.predict`.

        Args:
            texts: The sentences.
            window: Number of sentences that are read before their translations are yielded.
            num_return_sequences: Translations of each sentence.

        Returns:
            {"text": str, "translation": str, "score": float} for each sentence, and `translations`, a list of
            {"translation": str, "score": float}, the best first, if there are several. The score is None if the
            settings of the search allow no translation. `truncated` is True, and otherwise absent, if the sentence has
            too many pieces, so that only its beginning is translated; `unknown`, if most of its characters are unknown
            to the vocabulary. The numbers of these are logged at the end.
        """
        self.check(num_return_sequences)
        if num_return_sequences > 1 or self.fixed_search:
            answer = lambda batch: self._search_beam(batch, num_return_sequences)  # noqa: E731
        else:
            answer = self._search_best
        # A wide beam has fewer sentences in a batch.
        max_batch_size = max(1, min(SENTENCES, HYPOTHESES // self.search.beam_size))
        answers = length_sorted_batches(answer, texts, window=window, max_batch_size=max_batch_size)
        return self._counted(answers)

    def _search_best(self, texts: list[str]) -> list[dict]:
        out = self._translate(text=string_tensor(texts))
        rows = zip(texts, *(out[name].numpy() for name in ("translation", "score")), _flags(out), strict=True)
        return [
            {
                "text": text,
                "translation": found.decode(),
                "score": float(score) if score > NO_SCORE else None,
                **flags,
            }
            for text, found, score, flags in rows
        ]

    def _search_beam(self, texts: list[str], count: int) -> list[dict]:
        out = self._beam(
            text=string_tensor(texts),
            beam_size=tf.fill([len(texts)], tf.constant(self.search.beam_size, tf.int32)),
            length_penalty=tf.fill([len(texts)], tf.constant(self.search.length_penalty, tf.float32)),
        )
        answers = []
        rows = zip(texts, *(out[name].numpy() for name in ("translations", "scores")), _flags(out), strict=True)
        for text, row, scores, flags in rows:
            best = [
                {"translation": one.decode(), "score": float(score)}
                for one, score in zip(row[:count], scores, strict=False)
                if score > NO_SCORE
            ]
            best = best or [{"translation": "", "score": None}]  # the settings of the search allow nothing
            several = {"translations": best} if count > 1 else {}
            answers.append({"text": text, **best[0], **several, **flags})
        return answers

    def _counted(self, answers: Iterator[dict]) -> Iterator[dict]:
        """Yield the answers; at the end, log how many sentences were cut, and how many could not be read."""
        cut, count, unknown = 0, 0, UnknownTexts("sentences")
        for count, answer in enumerate(answers, start=1):  # noqa: B007
            cut += answer.get("truncated", False)
            unknown.add(answer["text"], answer.get("unknown", False))
            yield answer
        unknown.warn(
            "they were copied"
            if self.search.copy_unknown
            else "their translations have nothing to do with them; --copy-unknown copies such sentences"
        )
        if cut:
            log.warning(
                "%s of %s sentences have more than %d pieces (--max-tokens of train): only the beginning of each was "
                "translated",
                *(f"{cut:,}", f"{count:,}", self._max_tokens),
            )


def _flags(out: Mapping[str, tf.Tensor]) -> list[dict[str, bool]]:
    """Return for each sentence the flags that are True: `truncated` and `unknown`."""
    rows = zip(*(out[name].numpy().tolist() for name in ("truncated", "unknown")), strict=True)
    return [
        {**({"truncated": True} if truncated else {}), **({"unknown": True} if unknown else {})}
        for truncated, unknown in rows
    ]


def from_run(
    run: Run, settings: TranslationSettings, model: keras.Model, overrides: Mapping[str, Any]
) -> TranslationPredictor:
    """Make a predictor of a finished run; see `tasks.task.Task.from_run`."""
    search, evaluation = override_groups(settings, overrides, "search", "evaluation")
    if search.coverage_penalty and settings.network.attention is None:
        raise UserError("--coverage-penalty: this model was trained without attention, which it counts; leave it out")
    search = length_limit.resolved(search, run.vocabulary)
    rules, processors = preprocessing.load(run.vocabulary), load_vocabularies(run.vocabulary)
    for side, processor, network in zip(SIDES, processors, (model.encoder, model.decoder), strict=True):
        check_size(run, f"{side}.model", processor.get_piece_size(), network.vocabulary_size)
    return from_model(model, processors, search, evaluation, rules)


def from_model(
    model: keras.Model,
    processors: list[sentencepiece.SentencePieceProcessor],
    search: SearchSettings,
    evaluation: TranslationEvaluationSettings | None = None,
    rules: preprocessing.Preprocessing | None = None,
) -> TranslationPredictor:
    """Make a predictor of a `models.translator.Translator`, the tokenizers, the settings, and the preprocessing."""
    pieces = [processor.serialized_model_proto() for processor in processors]
    translator = TextTranslator(StepTranslator(model), *pieces, search, *(rules or ()))
    return TranslationPredictor(
        translator.translate,
        translator.beam,
        TextAligner(translator).align if translator.network.attends else None,
        search,
        processors,
        translator.max_tokens,
        evaluation=evaluation,
        module=translator,
    )


def from_export(
    saved_model: Any, settings: TranslationSettings, folder: Path, overrides: Mapping[str, Any]
) -> TranslationPredictor:
    """Make a predictor of an exported model; see `tasks.task.Task.from_export`."""
    search, _ = override_groups(settings, overrides, "search", "evaluation")
    fixed = [name for name in overrides if name not in VARIABLE_IN_EXPORTS]
    if fixed:
        raise UserError(
            f"--{fixed[0].replace('_', '-')} is fixed in an exported model: give it to export, or take --run"
        )
    signatures = saved_model.signatures
    if "count" not in signatures["beam"].structured_outputs:
        raise UserError(f"{folder.parent} was exported by another version; export the run again")
    return TranslationPredictor(
        signatures["serving_default"],
        signatures["beam"],
        signatures.get("align"),
        search,
        load_vocabularies(folder),
        settings.network.max_tokens,
        fixed_search=bool(overrides),
        owner=saved_model,
    )


def exportable(predictor: TranslationPredictor, run: Run) -> Exportable:
    """Return what is exported, with three signatures.

    - serving_default: text: string (batch,) -> translation: string (batch,), score: float32 (batch,), truncated: bool
      (batch,), whether the sentence was too long and cut, unknown: bool (batch,), whether most of its characters are;
    - beam: text, beam_size: int32 (batch,), length_penalty: float32 (batch,) -> translations: string
      (batch, beam_size), scores: float32 (batch, beam_size), count: int32 (batch,), truncated, unknown;
    - align: text -> translation, source_pieces: string (batch, steps), target_pieces: string (batch, target steps),
      attention: float32 (batch, target steps, steps), source_length, target_length; only with attention.
    """
    translator = predictor.module
    signatures = {"serving_default": translator.translate, "beam": translator.beam}
    if predictor.align is not None:
        signatures["align"] = predictor.align
    warmup = warmup_texts(load_vocabularies(run.vocabulary)[0], translator.max_tokens)
    numbers = {"beam": {name: [schema["default"]] for name, schema in translator.inputs.items()}}
    return Exportable(
        translator.network.model,
        signatures,
        resources=[translator.source, translator.target],
        warmup={name: [{**texts, **numbers.get(name, {})} for texts in warmup] for name in signatures},
        inputs={"beam": translator.inputs},
    )


def answers(
    predictor: TranslationPredictor, texts: Iterable[str], arguments: TranslateArguments, window: Window, done: int
) -> Iterator[dict]:
    """Yield the translations; first draw the attention for the first sentence, if the arguments ask for it."""
    predictor.check(arguments.num_return_sequences)
    if arguments.attention is not None and not done:
        texts = _draw_first_attention(predictor, iter(texts), arguments)
    return predictor.predict(texts, window=window, num_return_sequences=arguments.num_return_sequences)


def format_answer(predictor: Predictor, answer: dict, number: int, arguments: TranslateArguments) -> str:
    """Return the translation; of several, a line each with the number of the sentence and the score."""
    if arguments.num_return_sequences == 1:
        return answer["translation"]
    return "\n".join(f"{number}\t{format_figure(one['score'])}\t{one['translation']}" for one in answer["translations"])


def _draw_first_attention(
    predictor: TranslationPredictor, texts: Iterator[str], arguments: TranslateArguments
) -> Iterator[str]:
    """Draw the attention for the first sentence; return all sentences."""
    if predictor.align is None:
        raise UserError("--attention: this model was trained without attention, so there is none to draw")
    if predictor.fixed_search:
        option = next(iter(arguments.overrides)).replace("_", "-")
        raise UserError(
            f"--attention: an exported model draws what its own search finds, so --{option} does not go with it; "
            "leave it out, or name the run with --run"
        )
    first = list(itertools.islice(texts, 1))
    found = alignment.align_sentence(predictor.align, "".join(first))
    if not found["target_pieces"]:
        raise UserError("--attention: the first sentence is empty, so there is nothing to draw")
    alignment.draw(found, Path(arguments.attention))
    return itertools.chain(first, texts)
