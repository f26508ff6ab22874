"""Chooses how much the linear model counts in the average of both paths, on the validation texts."""

import logging

import keras
import numpy as np

from models.classifier import Classifier
from models.graph_methods import as_graph
from tasks.sentiment import pretrained_head
from tasks.sentiment.labelled_texts import LabelledTexts
from tasks.sentiment.settings import SentimentSettings
from tasks.sentiment.task import SENTIMENT
from tasks.training.checkpoint import load_model, save_model
from tasks.training.runs import Run

log = logging.getLogger(__name__)

SHARES = np.arange(1, 20) / 20


def choose(settings: SentimentSettings, asked: SentimentSettings, data: LabelledTexts, run: Run) -> SentimentSettings:
    """Set the share of the linear model by its log loss on the validation texts, if it is "auto".

    Of the shares that are worse than the best one by at most a standard error of the difference, it is the largest:
    with few validation texts the best one is chance, and the linear model is the safe choice (the rule of one standard
    error, Breiman et al. 1984, "Classification and Regression Trees", section 3.4.3).

    Beside a language model it is the best one. While that is frozen, both paths are linear models, and the training
    texts count too, with what models of the other texts predict for them: there are more of them.

    Changes model.keras; what it chooses depends on nothing that it changes. See `tasks.task.Task.complete`.
    """
    network = settings.network
    if asked.network.wide_share != "auto" or not network.wide_ngrams:
        return settings
    model = load_model(run)
    logits, labels = _path_logits(model, data)
    of = "the validation texts"
    pretrained = settings.training.pretrained is not None
    if pretrained and network.wide_features == "tf_idf" and _is_frozen(settings, run):
        others = pretrained_head.held_out_logits(run.checkpoint, data.training_labels)
        logits, labels = (np.concatenate(parts) for parts in zip((logits, labels), others, strict=True))
        of += " and held-out training texts"
    averages = [(1.0 - share) * logits[:, 0] + share * logits[:, 1] for share in SHARES]
    losses_of_shares = np.stack([losses(average, labels) for average in averages])
    index = int(losses_of_shares.mean(axis=1).argmin()) if pretrained else _largest_good(losses_of_shares)
    share = float(SHARES[index])
    parts = {"together": averages[index], "recurrent path alone": logits[:, 0], "linear model alone": logits[:, 1]}
    shown = [
        f"{name} {losses(values, labels).mean():.4f} (accuracy {(values.argmax(axis=1) == labels).mean():.4f})"
        for name, values in parts.items()
    ]
    log.info("wide_share=%g, by the log loss of %s: %s", share, of, ", ".join(shown))
    network = network.model_copy(update={"wide_share": share})
    chosen = Classifier.from_config({**model.get_config(), "settings": network})
    chosen.set_weights(model.get_weights())
    save_model(chosen, run.model_file)
    return settings.model_copy(update={"network": network})


def _is_frozen(settings: SentimentSettings, run: Run) -> bool:
    """Return whether the weights that were kept are those before the training."""
    metric = next(one for one in SENTIMENT.validation_metrics if one.name == settings.training.monitor)
    return metric.best_epoch(run.history()) == 0


def _path_logits(model: Classifier, data: LabelledTexts) -> tuple[np.ndarray, np.ndarray]:
    """Return the logits of each path for the validation texts, (texts, paths, classes), and the classes, (texts,)."""
    outputs = [model.recurrent_logits.output, model.wide.output]
    paths = as_graph(keras.Model(model.input, keras.ops.stack(outputs, axis=1)))
    logits, labels = [], []
    for inputs, classes, _ in data.validation_batches():
        ids = inputs[0] if isinstance(inputs, tuple) else inputs
        logits.append(np.asarray(paths(ids), np.float64))
        labels.append(classes.numpy())
    return np.concatenate(logits), np.concatenate(labels)


def _largest_good(losses_of_shares: np.ndarray) -> int:
    """Return the index of the largest share that is not clearly worse than the best; losses (shares, texts)."""
    worse = losses_of_shares - losses_of_shares[losses_of_shares.mean(axis=1).argmin()]
    errors = worse.std(axis=1) / np.sqrt(worse.shape[1])
    return int(np.flatnonzero(worse.mean(axis=1) <= errors)[-1])


def losses(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return -ln p of the true class, (texts,), in nats; logits (texts, classes), labels (texts,)."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_probabilities = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return -log_probabilities[np.arange(len(labels)), labels]
