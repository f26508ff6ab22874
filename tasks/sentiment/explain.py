"""How a verdict forms: its probability after each token, what each token adds, and the gates at work."""

import json
from pathlib import Path

import numpy as np
import tensorflow as tf

from models.attribution import IntegratedGradients
from models.classifier import TextClassifier
from models.gates import layer_gates
from models.text import vocabulary
from tasks.errors import UserError
from tasks.reports import plots
from tasks.sentiment import predict
from tasks.sentiment.settings import SentimentExplainArguments, SentimentSettings
from tasks.training.runs import Run

# Tokens named as those that moved the verdict most.
MOST = 3
# Beginnings of a text that are read at a time.
AT_ONCE = 64


def main(arguments: SentimentExplainArguments) -> None:
    found = explain(
        arguments.run,
        arguments.text,
        label=arguments.label,
        layer=arguments.layer,
        direction=arguments.direction,
        picture=arguments.picture,
    )
    if arguments.json_:
        print(json.dumps(found, ensure_ascii=False))
        return
    print(f"{found['label']}  {found['probability']:.4f}\n")
    print(f"p({found['explained']}) after it, what it adds (in logits), token")
    for row in zip(found["probability_after"], found["contributions"], found["tokens"], strict=True):
        print("{:.4f}  {:+.3f}  {}".format(*row))
    pairs = zip(found["tokens"], found["contributions"], strict=True)
    most = sorted(pairs, key=lambda pair: -abs(pair[1]))[:MOST]
    print("\nmoved it most: " + ", ".join(f"{token} {added:+.3f}" for token, added in most))
    print(f"\n{found['picture']}")


def explain(
    run: Path | str,
    text: str,
    *,
    label: str | None = None,
    layer: int = 1,
    direction: str = "forward",
    picture: Path | str | None = None,
) -> dict:
    """Follows a classifier through a text.

    Args:
      run: the run's folder.
      text: not empty.
      label: the class that is explained; the likeliest if None.
      layer: the recurrent layer whose gates are shown, counted from 1.
      direction: of a bidirectional layer, "forward" or "backward".
      picture: a PNG file to draw into; none if None.

    Returns:
      label and probability of the verdict; explained (the class that the rest is about); tokens; probability_after
      (tokens,), of that class for the text up to and with each token; contributions (tokens,), what each adds to the
      class's logit less the mean of the others' (integrated gradients: see `models.attribution`); gates, name ->
      (steps, units): see `models.gates`, a step being `stride` tokens; picture.

    Raises:
      UserError: the run cannot be used, or has no such class, layer or direction; or the text has no token.
    """
    settings = Run(run).open_finished("sentiment", SentimentSettings)
    classifier = predict.load(run)
    names = [name.decode() for name in classifier.labels.numpy()]
    if label is not None and label not in names:
        raise UserError(f"--label {label}: the run's classes are {', '.join(names)}")
    model = classifier.model
    ids = classifier.text.ids(tf.constant([text.encode("utf-8", "replace")]), model.input_shape[1]).numpy()
    count = int((ids[0] != 0).sum())
    if not count:
        raise UserError(f"{text!r} has no token for this model, so there is nothing to explain; give another text")
    probabilities = _probabilities_after(classifier, ids, count)
    verdict = int(probabilities[-1].argmax())
    explained = verdict if label is None else names.index(label)
    try:
        states = layer_gates(model, layer, ids, direction=direction)
    except ValueError as error:
        raise UserError(f"{run}: {error}; name another --layer or --direction") from None
    stride = settings.classifier.stride
    pieces = vocabulary((Run(run).vocabulary / "sentencepiece.model").read_bytes())
    found = {
        "text": text,
        "label": names[verdict],
        "probability": float(probabilities[-1, verdict]),
        "explained": names[explained],
        "tokens": [pieces[index] for index in ids[0, :count]],
        "probability_after": probabilities[:, explained].tolist(),
        "contributions": IntegratedGradients(model)(ids, explained).tokens[:count].tolist(),
        "gates": {name: values[0, : -(-count // stride)].tolist() for name, values in states.items()},
        "picture": None if picture is None else str(picture),
    }
    if picture is not None:
        plots.explanation(
            found["tokens"],
            (f"p({found['explained']})", np.array(found["probability_after"])),
            {name: np.array(values) for name, values in found["gates"].items()},
            Path(picture),
            contributions=np.array(found["contributions"]),
            stride=stride,
            chance=1.0 / len(names),
        )
    return found


def _probabilities_after(classifier: TextClassifier, ids: np.ndarray, count: int) -> np.ndarray:
    """(count, classes): for the first token alone, the first two, and so on; ids (1, timesteps)."""
    beginnings = np.where(np.tri(count, ids.shape[1], dtype=bool), ids, 0)
    parts = [
        classifier.model(beginnings[start : start + AT_ONCE], training=False) for start in range(0, count, AT_ONCE)
    ]
    return tf.nn.softmax(tf.concat(parts, axis=0)).numpy()
