"""A linear classifier on the pooled states of frozen language models: fitted once, before the network is trained.

Logistic regression on standardized features. The standardization is then part of its weights, so the network has an
ordinary dense layer.
"""

import logging
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np

from models.classifier import Classifier
from models.graph_methods import as_graph
from models.language_model_loss import LanguageModelLoss
from models.separate_directions import set_language_model
from tasks import atomic_files
from tasks.data import bucketing, vocabularies
from tasks.data.bounded_files import load_array, load_arrays
from tasks.data.sequence_store import SequenceStore, pad_sequences
from tasks.data.stored_files import reading
from tasks.sentiment.labels import class_weights
from tasks.sentiment.settings import SentimentSettings
from tasks.task_parts import LayerRate
from tasks.training import pretrained
from tasks.training.checkpoint import load_model
from tasks.training.runs import Run

log = logging.getLogger(__name__)

# The inverse regularization strengths that are compared.
STRENGTHS = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 0.1, 1.0)
# Texts that the classifier is fitted on, at most: a matrix of their features is held in memory.
MAX_TEXTS = 20_000
# Tokens in a batch.
TOKENS = 8192
# The factor between the learning rates of two layers.
RATE = 2.6


def write(settings: SentimentSettings, run: Run, vocabulary_size: int, labels: list[str]) -> None:
    """Fit the linear classifier on the training texts, and write its weights.

    Args:
        settings: The settings in force.
        run: The run, with the store "train" and copies of the language models.
        vocabulary_size: Number of ids.
        labels: The names of the classes.
    """
    from tasks.sentiment import linear_model  # scikit-learn takes a second to import

    store = SequenceStore(run.checkpoint / "train")
    network = settings.network.model_copy(update={"wide_ngrams": 0, "ngrams": 1})  # n-gram vectors start at zero
    model = Classifier(network, settings.recurrent, vocabulary_size, len(labels))
    _set_language_models(model, run)
    chosen = np.sort(np.random.default_rng(0).permutation(len(store))[:MAX_TEXTS])
    values, classes = features(model, store, chosen), store.columns["label"][chosen]
    mean = values.mean(axis=0, dtype=np.float64)
    values -= mean.astype(np.float32)  # in place: the matrix is large
    deviation = np.maximum(np.sqrt(np.mean(np.square(values), axis=0, dtype=np.float64)), 1e-6)
    values /= deviation.astype(np.float32)
    counts = np.bincount(store.columns["label"], minlength=len(labels))
    weights = class_weights(settings.training.class_weight, labels, counts)[classes]
    fitted = linear_model.fit_logistic_regression(values, classes, weights, STRENGTHS, count=len(labels))
    weight, bias = linear_model.weights_of(fitted.model, len(labels))
    kernel = weight / deviation[:, None]
    log.info(
        "linear classifier on %d features of the frozen language model: logistic regression, C=%g",
        *(len(kernel), fitted.model.C),
    )
    with atomic_files.replacing(run.checkpoint / "head.npz") as temporary, open(temporary, "wb") as file:
        arrays = {"kernel": kernel, "bias": bias - mean @ kernel, "held_out": fitted.held_out, "texts": chosen}
        np.savez(file, **{name: values.astype(np.float32) for name, values in arrays.items()})


def features(model: Classifier, store: SequenceStore, indexes: np.ndarray) -> np.ndarray:
    """Return what the output layer reads of stored texts: float32 (texts, features)."""
    compute = as_graph(keras.Model(model.inputs, model.recurrent_logits.input))
    values = np.zeros((len(indexes), model.recurrent_logits.input.shape[-1]), np.float32)
    for rows in bucketing.ordered_batches(bucketing.length_buckets(store.lengths[indexes], TOKENS)):
        values[rows] = compute(pad_sequences([store[index] for index in indexes[rows]]))
    return values


def set_weights(model: Classifier, run: Run) -> None:
    """Set the weights of an untrained network to those of the language models and of the linear classifier."""
    _set_language_models(model, run)
    stored = load_arrays(run.checkpoint / "head.npz")
    model.recurrent_logits.set_weights([stored["kernel"], stored["bias"]])


def held_out_logits(folder: Path, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return what both linear models of a training predict for texts that they were not fitted on.

    Args:
        folder: The folder that `write` and `tasks.sentiment.ngram_files` wrote to.
        labels: int (texts,), the classes of the training texts.

    Returns:
        The log-probabilities of each path, (texts, paths, classes), and the classes, (texts,), of the training texts
        that both have held out.
    """
    stored, wide = load_arrays(folder / "head.npz"), load_array(folder / "wide_held_out.npy")
    chosen = stored["texts"].astype(np.int64)
    both = np.stack([stored["held_out"], wide[chosen]], axis=1)
    known = np.isfinite(both).all(axis=(1, 2))
    return both[known].astype(np.float64), labels[chosen][known]


def freeze(model: Classifier) -> None:
    """Exclude the language models and the linear classifier from the training."""
    for layer in model.layers:
        if layer is not model.wide:
            layer.trainable = False


def layer_rates(model: Classifier, losses: Sequence[LanguageModelLoss] = ()) -> list[LayerRate]:
    """Return how the layers of language models are trained (Howard and Ruder 2018, section 3.2 and 3.3).

    Discriminative fine-tuning: the learning rate decreases by `RATE` from a layer to the one below it. Gradual
    unfreezing: the last layer is trained from the first epoch on, and in each further epoch one layer more; the
    embedding is the last one. The output layer is fitted already, and trained from the first epoch on too. The output
    layers of the language models, if their loss is added, are trained like the last recurrent layers.
    """
    count = len(model.directions[0].layers)
    groups = [[one.layers[count - 1 - depth] for one in model.directions] for depth in range(count)]
    groups[0] += [layer for loss in losses for layer in loss.output_layers]
    groups.append([one.embedding for one in model.directions])
    return [LayerRate(layers, RATE ** -(depth + 1), depth) for depth, layers in enumerate(groups)]


def language_model_losses(settings: SentimentSettings, model: Classifier, run: Run) -> list[LanguageModelLoss]:
    """Return the loss of the language model of each direction, as a second loss of the fine-tuning."""
    training, copies, losses = settings.training, pretrained.copies(run), []
    for number, direction in enumerate(model.directions):
        copied = copies[direction.name]
        counts = vocabularies.read_counts(copied.vocabulary, model.vocabulary_size)
        loss = LanguageModelLoss(
            direction,
            load_model(copied),
            counts,
            training.lm_loss_weight,
            seed=training.seed + number,
            name=f"{direction.name}_language_model_loss",
        )
        losses.append(loss)
    return losses


def _set_language_models(model: Classifier, run: Run) -> None:
    copies = pretrained.copies(run)
    for direction in model.directions:
        copied = copies[direction.name]
        with reading(copied.model_file, "train the language model again", "does not fit its settings"):
            set_language_model(direction, load_model(copied))
