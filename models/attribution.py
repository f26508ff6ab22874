"""Attribution of a classifier's decision to tokens: integrated gradients, and the exact terms of the wide path.

Sundararajan, Taly and Yan 2017, "Axiomatic Attribution for Deep Networks".
"""

from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from models.classifier import Classifier
from models.ngram_counts import characters_of

# Number of points times timesteps in one batch, which limits the memory.
_BATCH = 8192


class Attribution(NamedTuple):
    """The contributions to a classifier's decision for a class, in logits.

    The decision is the logit of the class minus the mean logit of the other classes; above 0 is in favour of the class.

    Attributes:
        tokens: Float64 `(timesteps,)`, the contribution of each token; 0 at padding.
        baseline: The decision for a text of the same length whose vectors are all zero, without n-grams.
        difference: The decision for the text itself: by the completeness of the method, baseline plus tokens.
    """

    tokens: np.ndarray
    baseline: float
    difference: float

    @property
    def error(self) -> float:
        """The decision minus the sum of the contributions: the error of the integral, which decreases with steps."""
        return self.difference - self.baseline - float(np.sum(self.tokens))


class _RecurrentPath(keras.Function):
    """The path from the ids and the vectors of the tokens, which is the last input, to the logits.

    Keras begins at an inner tensor since 3.14. Before, it computes that tensor again from the ids, so the operation
    that computes it is replaced.
    """

    def call(self, inputs):
        first, vectors = self.inputs[-1]._keras_history.operation, inputs[-1]
        return self._run_through_graph(
            inputs, lambda operation: (lambda *_, **__: vectors) if operation is first else operation
        )


class IntegratedGradients:
    """Attributions for one classifier. The first call traces a graph that later calls use.

    Args:
        model: A classifier from `models.classifier.build_classifier`.

    Raises:
        ValueError: If it is another model.

    Example:
        >>> from models.classifier import build_classifier
        >>> from models.network_settings import ClassifierSettings
        >>> from models.recurrent_settings import RecurrentSettings
        >>> settings = ClassifierSettings(embedding_size=4, wide_ngrams=0)
        >>> model = build_classifier(settings, RecurrentSettings(units=4), vocabulary_size=20, classes=2)
        >>> explain = IntegratedGradients(model)
        >>> explain(np.array([[4, 7, 5]], np.int32), class_index=1).tokens.shape
        (3,)
    """

    def __init__(self, model: Classifier):
        if not isinstance(model, Classifier):
            raise ValueError(f"{model.name} is no model of build_classifier")
        self.classes = model.classes
        self._wide, self._characters, self._shares = model.wide, model.piece_characters, (1.0, 0.0)
        if model.wide is not None:  # in float32, as in the model
            share = model.settings.wide_share
            self._shares = float(np.float32(1.0 - share)), float(np.float32(share))
        # Functions instead of models: a model that begins at an inner tensor makes the whole model impossible to save.
        self._token_vectors = keras.Function(model.inputs, model.token_vectors)
        recurrent_path = _RecurrentPath([*model.inputs, model.token_vectors], model.recurrent_logits.output)

        @tf.function(
            input_signature=[
                tf.TensorSpec([1, model.timesteps], tf.int32),
                tf.TensorSpec([1, model.timesteps, model.token_vectors.shape[-1]], tf.float32),
                tf.TensorSpec([None], tf.float32),
                tf.TensorSpec([self.classes], tf.float32),
            ],
            autograph=False,
        )
        def along_path(ids, vectors, positions, signs):
            """Compute the decisions at positions of the path, 0 to 1, and the summed contributions of the tokens.

            Args:
                ids: `(1, timesteps)`.
                vectors: The tokens' vectors, the end of the path, `(1, timesteps, embedding_size)`.
                positions: `(positions,)`.
                signs: Factors of the logits in the decision, `(classes,)`.

            Returns:
                The decisions `(positions,)`, and vectors . gradients `(timesteps,)`, summed over the positions.
            """
            points = positions[:, None, None] * vectors
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(points)
                logits = recurrent_path([tf.repeat(ids, tf.shape(positions)[0], axis=0), points])
                decisions = tf.linalg.matvec(logits, signs)
            return decisions, tf.reduce_sum(tape.gradient(decisions, points) * vectors, axis=[0, 2])

        self._along_path = along_path

    def __call__(self, ids: np.ndarray, class_index: int, *, steps: int = 64) -> Attribution:
        """Compute the contribution of each token of a text to the decision for a class.

        For the recurrent path it is the integrated gradient (equation 3 of the paper) of the token's vector x_t, from
        the zero vector, by the midpoint rule:

          x_t . (1 / steps) * sum over k = 1..steps of d decision / d x_t at (k - 1/2) / steps * x

        x_t includes the vectors of the n-grams that end at t. The wide path is linear in the text's n-grams, so it
        needs no integral: the contribution of an n-gram is divided equally among its occurrences in the text, and
        within each of them among its tokens.

        Args:
            ids: Int `(1, timesteps)`, one text, padded with 0 or not.
            class_index: Index of the class.
            steps: Number of steps of the integral. See `Attribution.error`; pooling by a maximum needs more.

        Returns:
            The contributions.

        Raises:
            ValueError: For more than one text, for a class that the model does not have, or for no steps.
        """
        ids = np.asarray(ids, np.int32)
        if ids.ndim != 2 or len(ids) != 1:
            raise ValueError(f"the ids have the shape {ids.shape}; take one text, (1, timesteps)")
        if not 0 <= class_index < self.classes:
            raise ValueError(f"no class {class_index}: the model has the classes 0 to {self.classes - 1}")
        if steps < 1:
            raise ValueError(f"steps={steps}: an integral has at least one step")
        signs = np.full(self.classes, -1.0 / (self.classes - 1), np.float32)
        signs[class_index] = 1.0

        vectors = tf.cast(self._token_vectors([tf.constant(ids)]), tf.float32)
        decide = lambda positions: self._along_path(ids, vectors, positions, signs)  # noqa: E731
        (baseline, difference), _ = decide(np.array([0.0, 1.0], np.float32))
        positions = ((np.arange(steps) + 0.5) / steps).astype(np.float32)
        batch = max(1, _BATCH // ids.shape[1])
        sums = [decide(positions[start : start + batch])[1] for start in range(0, steps, batch)]
        share, wide_share = self._shares
        tokens = share * np.sum(sums, axis=0, dtype=np.float64) / steps
        baseline, difference = share * float(baseline), share * float(difference)
        if self._wide is not None:
            counts = np.ones(ids.shape[1], np.int64)
            wide_ids = ids
            if self._characters is not None:
                table = keras.ops.convert_to_numpy(self._characters.table)
                counts, wide_ids = (table[ids[0]] > 0).sum(axis=1), characters_of(ids, table)
            contributions = _wide_contributions(self._wide, wide_ids)[: counts.sum()] @ signs
            np.add.at(tokens, np.repeat(np.arange(len(counts)), counts), wide_share * contributions)
            baseline += wide_share * float(signs @ keras.ops.convert_to_numpy(self._wide.bias))
            difference += wide_share * float(signs @ keras.ops.convert_to_numpy(self._wide(wide_ids))[0])
        return Attribution(tokens, baseline, difference)


def _wide_contributions(wide, ids: np.ndarray) -> np.ndarray:
    """Return the contributions of the units of a text, its pieces or characters, to the logits of the wide path.

    Args:
        wide: The `WideNgrams`.
        ids: Those of the units, `(1, timesteps)`.

    Returns:
        `(timesteps, classes)`.
    """
    occurrences = keras.ops.convert_to_numpy(wide.occurrences(ids))[0].astype(np.float64)  # (timesteps, n, classes)
    tokens = np.zeros((occurrences.shape[0], occurrences.shape[2]))
    for length in range(wide.first, min(wide.last, len(tokens)) + 1):
        share = occurrences[:, length - wide.first] / length
        for offset in range(length):  # an n-gram's last token, the one before it, and so on
            tokens[: len(tokens) - offset] += share[offset:]
    return tokens
