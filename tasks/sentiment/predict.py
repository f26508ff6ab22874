"""Labels for texts, from a run or from an exported model."""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import keras
import sentencepiece

from models.source_text import MOSTLY
from models.text import SentencePieceText
from models.text_classifier import TextClassifier
from tasks.arguments import PredictArguments
from tasks.data.cut_texts import CutTexts
from tasks.errors import UserError
from tasks.predictor import Predictor
from tasks.sentiment import data
from tasks.sentiment.settings import SentimentSettings
from tasks.serving.batched_inference import WINDOW, Window, length_sorted_batches, string_tensor
from tasks.serving.export import warmup_texts
from tasks.serving.unknown_texts import UnknownTexts
from tasks.task_parts import Exportable
from tasks.training.checkpoint import check_size
from tasks.training.runs import Run

log = logging.getLogger(__name__)


class SentimentPredictor(Predictor):
    """A classifier of a run or of an export.

    Args:
        classify: `TextClassifier.classify`, or the exported signature: text, string (batch,) -> label, probability,
            probabilities, classes.
        owner: The object that `classify` belongs to; a `tf.function` does not keep its object alive.
        processor: The tokenizer.
        max_tokens: Maximum number of pieces of a text.
        module: The `TextClassifier` of a run.
        baseline: Whether an evaluation also fits a linear model on the training texts.
    """

    answer_names = ("text", "label", "probability", "probabilities")

    def __init__(
        self,
        classify: Callable,
        processor: sentencepiece.SentencePieceProcessor,
        max_tokens: int,
        *,
        owner=None,
        module: TextClassifier | None = None,
        baseline: bool = False,
    ):
        self._classify, self._owner, self.module, self.baseline = classify, owner, module, baseline
        self._processor, self._max_tokens = processor, max_tokens
        self._tokens = SentencePieceText(processor.serialized_model_proto(), max_tokens)

    def predict(self, texts: Iterable[str], *, window: int | Window = WINDOW) -> Iterator[dict]:
        """Yield an answer for each text, in their order; see `tasks.predictor.Predictor.predict`.

        Returns:
            {"text": str, "label": str, "probability": float, "probabilities": {label: float}} for each text.
            `truncated` is True, and otherwise absent, if the text has too many pieces, so that only its beginning is
            read; `unknown`, if most of its characters are unknown to the vocabulary. The numbers of these are logged
            at the end.
        """
        cut, unknown = CutTexts(self._processor, self._max_tokens), UnknownTexts("texts")
        for answer in length_sorted_batches(lambda batch: self._answer(batch, cut), texts, window=window):
            unknown.add(answer["text"], answer.get("unknown", False))
            yield answer
        unknown.warn("their labels have nothing to do with them")
        if (line := cut.report()) is not None:
            log.warning("%s", line)

    def _answer(self, texts: list[str], cut: CutTexts) -> list[dict]:
        out = {name: value.numpy() for name, value in self._classify(text=string_tensor(texts)).items()}
        names = [name.decode() for name in out["classes"][0]]
        *_, unknown_share = self._tokens.pieces_and_unknown(string_tensor(texts))
        return [
            {
                "text": text,
                "label": out["label"][row].decode(),
                "probability": float(out["probability"][row]),
                "probabilities": dict(zip(names, map(float, out["probabilities"][row]), strict=True)),
                **({"truncated": True} if truncated else {}),
                **({"unknown": True} if unknown_share[row] > MOSTLY else {}),
            }
            for row, (text, truncated) in enumerate(zip(texts, cut.count(texts), strict=True))
        ]


def from_run(run: Run, settings: SentimentSettings, model: keras.Model, overrides: Mapping) -> SentimentPredictor:
    """Make a predictor of a finished run; see `tasks.task.Task.from_run`."""
    processor, labels = data.load_vocabulary(run.vocabulary)
    check_size(run, "labels.json", len(labels), model.classes)
    check_size(run, "sentencepiece.model", processor.get_piece_size(), model.vocabulary_size)
    text = SentencePieceText(processor.serialized_model_proto(), settings.network.max_tokens)
    classifier = TextClassifier(model, text, labels)
    return SentimentPredictor(
        classifier.classify,
        processor,
        settings.network.max_tokens,
        module=classifier,
        **_checked(overrides, "baseline"),
    )


def from_export(saved_model: Any, settings: SentimentSettings, folder: Path, overrides: Mapping) -> SentimentPredictor:
    """Make a predictor of an exported model; see `tasks.task.Task.from_export`."""
    _checked(overrides)
    processor, _ = data.load_vocabulary(folder)
    classify = saved_model.signatures["serving_default"]
    return SentimentPredictor(classify, processor, settings.network.max_tokens, owner=saved_model)


def _checked(overrides: Mapping, *names: str) -> Mapping:
    """Return settings of inference; raise `UserError` if one has another name."""
    if other := next((name for name in overrides if name not in names), None):
        raise UserError(f"{other} is no setting of a classifier's inference; leave it out")
    return overrides


def format_answer(predictor: Predictor, answer: dict, number: int, arguments: PredictArguments) -> str:
    """Return label, probability and text, separated by tabs."""
    return f"{answer['label']}\t{answer['probability']:.4f}\t{' '.join(answer['text'].split())}"


def exportable(predictor: SentimentPredictor, run: Run) -> Exportable:
    """Return what is exported. See `models.text_classifier.TextClassifier`.

    Signatures:

    - serving_default: text -> label, probability, probabilities, classes;
    - explain: text -> tokens, probabilities_after, contributions, label, classes.
    """
    classifier = predictor.module
    processor, _ = data.load_vocabulary(run.vocabulary)
    warmup = warmup_texts(processor, classifier.text.max_tokens)
    return Exportable(
        classifier.model,
        {"serving_default": classifier.classify, "explain": classifier.explain},
        resources=[classifier.text],
        warmup={"serving_default": warmup, "explain": warmup[:1]},
    )
