"""Labels for texts, from a run or from an exported model."""

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import tensorflow as tf

from models.classifier import TextClassifier
from models.text import SentencePieceText
from tasks.sentiment import data
from tasks.sentiment.settings import SentimentSettings
from tasks.serving import export as exporting
from tasks.serving import text_io as lines
from tasks.serving.batched_inference import WINDOW, answered
from tasks.settings import PredictArguments
from tasks.training.checkpoint import load_model
from tasks.training.runs import Run


def main(arguments: PredictArguments) -> None:
    if arguments.run is not None:
        classifier = load(arguments.run)  # a tf.function does not keep its object alive
        classify = classifier.classify
    else:
        signature = exporting.load(Path(arguments.model)).signatures["serving_default"]
        classify = lambda text: signature(text=text)  # noqa: E731
    texts = arguments.texts if arguments.input is None else lines.read(arguments.input, arguments.input_key)
    with lines.writer(arguments.output) as out:
        typed = arguments.input == "-" and sys.stdin.isatty()  # somebody waits for the answer to each line
        for answer in predict(classify, texts, window=1 if typed else WINDOW):
            if arguments.json_:
                print(json.dumps(answer, ensure_ascii=False), file=out)
            else:
                print(
                    answer["label"],
                    f"{answer['probability']:.4f}",
                    " ".join(answer["text"].split()),
                    sep="\t",
                    file=out,
                )


def load(run: Path | str) -> TextClassifier:
    """The classifier of a finished run: text in, label and probability out.

    Raises:
      UserError: the run is missing, of another task, or not finished.
    """
    folder = Run(run)
    settings = folder.open_finished("sentiment", SentimentSettings)
    _, labels = data.load_vocabulary(folder.vocabulary)
    pieces = (folder.vocabulary / "sentencepiece.model").read_bytes()
    return TextClassifier(load_model(folder), SentencePieceText(pieces, settings.classifier.max_tokens), labels)


def predict(classify: Callable, texts: Iterable[str], window: int = WINDOW) -> Iterator[dict]:
    """Answers for texts, in their order.

    Args:
      classify: `TextClassifier.classify`, or an exported signature: string (batch,) -> label, probability,
        probabilities, classes.
      texts: any number of them.
      window: so many texts are read before their answers come; those of like length share a batch.

    Returns: {"text": str, "label": str, "probability": float, "probabilities": {label: float}} for each text.
    """

    def answer(texts: list[str]) -> list[dict]:
        out = classify(tf.constant([text.encode("utf-8", "replace") for text in texts]))
        out = {name: value.numpy() for name, value in out.items()}
        names = [name.decode() for name in out["classes"][0]]
        return [
            {
                "text": text,
                "label": out["label"][row].decode(),
                "probability": float(out["probability"][row]),
                "probabilities": dict(zip(names, map(float, out["probabilities"][row]), strict=True)),
            }
            for row, text in enumerate(texts)
        ]

    return answered(answer, texts, window=window)
