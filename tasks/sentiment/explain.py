"""How a classification forms: its probability after each token, what each token contributes, and the gates."""

from pathlib import Path

import numpy as np
import tensorflow as tf

from models.attribution import IntegratedGradients
from models.graph_methods import as_graph
from models.text import vocabulary
from models.text_classifier import TextClassifier
from tasks.data.library_logs import hidden_retracing_warnings
from tasks.errors import UserError
from tasks.reports import explanation_plots
from tasks.sentiment.labels import clean_label
from tasks.sentiment.settings import SentimentExplainArguments, SentimentSettings
from tasks.sentiment.task import SENTIMENT
from tasks.serving.batched_inference import string_tensor
from tasks.serving.weights import load_weights
from tasks.training.runs import Run

# Number of tokens named as those with the largest contributions.
LARGEST_CONTRIBUTIONS = 3
# Prefixes of a text that are classified at a time.
BATCH = 64


def format_explanation(explanation: dict) -> str:
    """Return the lines that `explain` prints."""
    lines = [f"{explanation['label']}  {explanation['probability']:.4f}", ""]
    lines.append(f"p({explanation['explained']}) after the token, contribution of the token (in logits), token")
    columns = [explanation[name] for name in ("probability_after", "contributions", "tokens")]
    lines += ["{:.4f}  {:+.3f}  {}".format(*row) for row in zip(*columns, strict=True)]
    pairs = zip(explanation["tokens"], explanation["contributions"], strict=True)
    largest = sorted(pairs, key=lambda pair: -abs(pair[1]))[:LARGEST_CONTRIBUTIONS]
    lines += ["", "largest contributions: " + ", ".join(f"{token} {value:+.3f}" for token, value in largest)]
    return "\n".join(lines)


def explain_arguments(arguments: SentimentExplainArguments) -> dict:
    """Return what `explain` returns for the arguments of the command."""
    return explain(
        arguments.run,
        arguments.text,
        label=arguments.label,
        layer=arguments.layer,
        direction=arguments.direction,
        picture=arguments.picture,
    )


@hidden_retracing_warnings()
def explain(
    run: Path | str,
    text: str,
    *,
    label: str | None = None,
    layer: int = 1,
    direction: str = "forward",
    picture: Path | str | None = None,
) -> dict:
    """Follow a classifier through a text.

    Args:
        run: The run's folder.
        text: The text; not empty.
        label: The class that is explained; the most probable one if None.
        layer: The recurrent layer whose gates are shown, counted from 1.
        direction: Of a bidirectional layer, "forward" or "backward".
        picture: A PNG file to draw into; none if None.

    Returns:
        `label` and `probability` of the classification; `explained`, the class that the rest is about; `tokens`;
        `probability_after` (tokens,), the probability of that class for the text up to each token; `contributions`
        (tokens,), what each token adds to the logit of the class less the mean logit of the others (integrated
        gradients, see `models.attribution`); `gates`, name -> (steps, units), see `models.gates`, where a step is
        `pool_size` tokens; `picture`.

    Raises:
        UserError: If the run cannot be used, or has no such class, layer or direction, or if the text has no token.
    """
    folder = Run(run)
    settings = folder.open_trained("sentiment", SentimentSettings)
    classifier = load_weights(SENTIMENT, folder, settings).module
    names = [name.decode() for name in classifier.labels.numpy()]
    if label is not None and label not in names:
        label = clean_label(label)
    if label is not None and label not in names:
        raise UserError(f"--label {label}: the run's classes are {', '.join(names)}")
    model = classifier.model
    ids = classifier.text.ids(string_tensor([text]), model.timesteps).numpy()
    count = int((ids[0] != 0).sum())
    if not count:
        raise UserError(f"{text!r} has no token for this model, so there is nothing to explain; give another text")
    probabilities = _probabilities_after(classifier, ids, count)
    predicted = int(probabilities[-1].argmax())
    explained = predicted if label is None else names.index(label)
    try:
        states = model.gates(layer, ids, direction=direction)
    except ValueError as error:
        raise UserError(f"{run}: {error}; name another --layer or --direction") from None
    pool_size = settings.network.pool_size
    pieces = vocabulary((folder.vocabulary / "sentencepiece.model").read_bytes())
    found = {
        "text": text,
        "label": names[predicted],
        "probability": float(probabilities[-1, predicted]),
        "explained": names[explained],
        "tokens": [pieces[index] for index in ids[0, :count]],
        "probability_after": probabilities[:, explained].tolist(),
        "contributions": IntegratedGradients(model)(ids, explained).tokens[:count].tolist(),
        "gates": {name: values[0, : -(-count // pool_size)].tolist() for name, values in states.items()},
        "picture": None if picture is None else str(picture),
    }
    if picture is not None:
        explanation_plots.explanation(
            found["tokens"],
            (f"p({found['explained']})", np.array(found["probability_after"])),
            {name: np.array(values) for name, values in found["gates"].items()},
            Path(picture),
            contributions=np.array(found["contributions"]),
            pool_size=pool_size,
            chance=1.0 / len(names),
        )
    return found


def _probabilities_after(classifier: TextClassifier, ids: np.ndarray, count: int) -> np.ndarray:
    """Return (count, classes): for the first token alone, the first two, and so on; ids (1, timesteps)."""
    prefixes = np.where(np.tri(count, ids.shape[1], dtype=bool), ids, 0)
    logits = as_graph(classifier.model)
    parts = [logits(prefixes[start : start + BATCH]) for start in range(0, count, BATCH)]
    return tf.nn.softmax(tf.concat(parts, axis=0)).numpy()
