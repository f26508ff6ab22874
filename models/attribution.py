"""Which tokens a classifier's decision comes from: integrated gradients of the recurrent path, exact parts of the wide.

Sundararajan, Taly and Yan 2017, "Axiomatic Attribution for Deep Networks".
"""

from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from models.classifier import has_wide_path

# Points of the path times timesteps that are computed at a time, which bounds the memory.
_AT_ONCE = 8192


class Attribution(NamedTuple):
    """The parts of a classifier's decision for a class, in logits.

    The decision is the class's logit less the mean logit of the other classes; above 0 speaks for the class.

    Attributes:
      tokens: float64 (timesteps,), what each token adds; 0 at padding.
      baseline: the decision for a text of as many tokens whose vectors are all zero, without n-grams.
      difference: the decision for the text itself: by the method's completeness, baseline and tokens summed.
    """

    tokens: np.ndarray
    baseline: float
    difference: float

    @property
    def error(self) -> float:
        """What the sum lacks of the decision: the error of the integral, which falls with its steps."""
        return self.difference - self.baseline - float(np.sum(self.tokens))


class IntegratedGradients:
    """Explains the decisions of one classifier: `IntegratedGradients(model)(ids, class_index)`.

    Made once for a model, as the first call traces a graph that the next ones use.

    Args:
      model: from `models.classifier.build_classifier`. How much weight its wide path has is read from its graph.

    Raises:
      ValueError: if it is another model.
    """

    def __init__(self, model: keras.Model):
        names = [layer.name for layer in model.layers]
        if "recurrent_logits" not in names or "embedding" not in names:
            raise ValueError(f"{model.name} is no model of build_classifier: it has no layer recurrent_logits")
        # Where the tokens' vectors go first; they come before the mask among what it reads.
        first = next(name for name in ("spatial_dropout", "stride", "recurrent_1") if name in names)
        vectors = keras.tree.flatten(model.get_layer(first).input)[0]  # (batch, timesteps, embedding_size)
        logits = model.get_layer("recurrent_logits").output
        self.classes = model.output_shape[-1]
        # Functions and no models: a model that begins in the middle of another leaves that one unfit to be saved.
        self._vectors = keras.Function(model.inputs, vectors)
        self._wide, self._shares = None, (1.0, 0.0)
        if has_wide_path(model):
            self._wide = model.get_layer("wide_logits")
            mixture = keras.Function([logits, self._wide.output], model.outputs[0])
            one, none = np.ones((1, self.classes), np.float32), np.zeros((1, self.classes), np.float32)
            self._shares = float(mixture([one, none])[0, 0]), float(mixture([none, one])[0, 0])

        head = keras.Function([*model.inputs, vectors], logits)
        length = model.input_shape[1]

        @tf.function(
            input_signature=[
                tf.TensorSpec([1, length], tf.int32),
                tf.TensorSpec([1, length, vectors.shape[-1]], tf.float32),
                tf.TensorSpec([None], tf.float32),
                tf.TensorSpec([self.classes], tf.float32),
            ]
        )
        def along_path(ids, vectors, places, signs):
            """The decisions at places of the path, 0 to 1: (places,); and vectors . gradients, summed: (timesteps,)."""
            points = places[:, None, None] * vectors
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(points)
                decisions = tf.linalg.matvec(head([tf.repeat(ids, tf.shape(places)[0], axis=0), points]), signs)
            return decisions, tf.reduce_sum(tape.gradient(decisions, points) * vectors, axis=[0, 2])

        self._along_path = along_path

    def __call__(self, ids: np.ndarray, class_index: int, *, steps: int = 64) -> Attribution:
        """What each token of a text adds to the decision for a class.

        Of the recurrent path it is the integrated gradient (equation 3 of the paper) of the token's vector x_t, from
        the zero vector on, by the midpoint rule:

          x_t . (1 / steps) * sum over k = 1..steps of d decision / d x_t at (k - 1/2) / steps * x

        x_t includes the vectors of the n-grams that end at t. The wide path is linear in the text's n-grams, so there
        is nothing to integrate: what an n-gram adds goes in equal parts to its places in the text, and there to its
        tokens.

        Args:
          ids: int (1, timesteps), one text, padded with 0 or not.
          class_index: the class.
          steps: of the integral. See `Attribution.error`; pooling by a maximum needs more.

        Raises:
          ValueError: for more than one text, no such class, or no steps.
        """
        ids = np.asarray(ids, np.int32)
        if ids.ndim != 2 or len(ids) != 1:
            raise ValueError(f"the ids have the shape {ids.shape}; take one text, (1, timesteps)")
        if not 0 <= class_index < self.classes:
            raise ValueError(f"there is no class {class_index}: the model has the classes 0 to {self.classes - 1}")
        if steps < 1:
            raise ValueError(f"steps={steps}: an integral has one step at least")
        signs = np.full(self.classes, -1.0 / (self.classes - 1), np.float32)
        signs[class_index] = 1.0

        vectors = tf.cast(self._vectors([tf.constant(ids)]), tf.float32)
        decide = lambda places: self._along_path(ids, vectors, places, signs)  # noqa: E731
        (baseline, difference), _ = decide(np.array([0.0, 1.0], np.float32))
        places = ((np.arange(steps) + 0.5) / steps).astype(np.float32)
        at_once = max(1, _AT_ONCE // ids.shape[1])
        sums = [decide(places[start : start + at_once])[1] for start in range(0, steps, at_once)]
        share, wide_share = self._shares
        tokens = share * np.sum(sums, axis=0, dtype=np.float64) / steps
        baseline, difference = share * float(baseline), share * float(difference)
        if self._wide is not None:
            tokens += wide_share * (_by_token(self._wide, ids) @ signs)
            baseline += wide_share * float(signs @ keras.ops.convert_to_numpy(self._wide.bias))
            difference += wide_share * float(signs @ keras.ops.convert_to_numpy(self._wide(ids))[0])
        return Attribution(tokens, baseline, difference)


def _by_token(wide, ids: np.ndarray) -> np.ndarray:
    """What each token of a text, (1, timesteps), adds to the logits of a `WideNgrams`: (timesteps, classes)."""
    occurrences = keras.ops.convert_to_numpy(wide.occurrences(ids))[0].astype(np.float64)  # (timesteps, n, classes)
    tokens = np.zeros((occurrences.shape[0], occurrences.shape[2]))
    for length in range(wide.first, min(wide.last, len(tokens)) + 1):
        part = occurrences[:, length - wide.first] / length
        for back in range(length):  # an n-gram's last token, the one before, and so on
            tokens[: len(tokens) - back] += part[back:]
    return tokens
