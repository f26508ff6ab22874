"""Losses. All are cross-entropies in nats, of logits."""

import keras


@keras.saving.register_keras_serializable("models")
class PathCrossentropy(keras.losses.Loss):
    """Cross-entropy of a classifier's training model, summed over its paths.

    Each path has its own loss, because one loss on the averaged logits lets the linear path fit the training texts
    alone and leaves the recurrent path without a gradient.

    Args:
        label_smoothing: Fraction of the target that is distributed over all classes (Szegedy et al. 2016, "Rethinking
            the Inception Architecture for Computer Vision", section 7).
        name: Name of the loss.
        **kwargs: Arguments of `keras.losses.Loss`.
    """

    def __init__(self, label_smoothing: float = 0.0, name="crossentropy", **kwargs):
        super().__init__(name=name, **kwargs)
        self.label_smoothing = label_smoothing

    def call(self, labels, logits):
        """Compute the loss of each example.

        Args:
            labels: Int `(batch,)`.
            logits: `(batch, paths, classes)`.

        Returns:
            `(batch,)`, in nats.
        """
        classes = logits.shape[-1]
        target = keras.ops.one_hot(keras.ops.cast(labels, "int32"), classes)
        target = target * (1.0 - self.label_smoothing) + self.label_smoothing / classes
        log_probabilities = keras.ops.log_softmax(logits, axis=-1)
        return -keras.ops.sum(target[:, None, :] * log_probabilities, axis=(1, 2))

    def get_config(self):
        """Return the constructor's arguments."""
        return {**super().get_config(), "label_smoothing": self.label_smoothing}


@keras.saving.register_keras_serializable("models")
class SmoothedCrossentropy(keras.losses.Loss):
    """Cross-entropy of ids with label smoothing, by default the mean over the weighted timesteps.

    With label smoothing e the target is (1 - e) for the correct id plus e / classes for each id (Szegedy et al. 2016,
    section 7), so the loss is logsumexp(z) - (1 - e) z_y - e mean(z). This needs no one-hot targets.

    Args:
        label_smoothing: The fraction e.
        name: Name of the loss.
        reduction: As in `keras.losses.Loss`.
        **kwargs: Arguments of `keras.losses.Loss`.
    """

    def __init__(
        self, label_smoothing: float = 0.0, name="crossentropy", reduction="mean_with_sample_weight", **kwargs
    ):
        super().__init__(name=name, reduction=reduction, **kwargs)
        self.label_smoothing = label_smoothing

    def call(self, ids, logits):
        """Compute the loss of each timestep.

        Args:
            ids: Int `(batch, timesteps)`.
            logits: `(batch, timesteps, classes)`.

        Returns:
            `(batch, timesteps)`, in nats.
        """
        loss = keras.losses.sparse_categorical_crossentropy(ids, logits, from_logits=True)
        if self.label_smoothing:
            uniform = keras.ops.logsumexp(logits, axis=-1) - keras.ops.mean(logits, axis=-1)
            loss = (1.0 - self.label_smoothing) * loss + self.label_smoothing * uniform
        return loss

    def get_config(self):
        """Return the constructor's arguments."""
        return {**super().get_config(), "label_smoothing": self.label_smoothing}


@keras.saving.register_keras_serializable("models")
class TokenCrossentropy(keras.losses.Loss):
    """Cross-entropy of a language model on batches of windows of different lengths.

    The loss of a timestep is multiplied by the number of timesteps. Keras divides the sum of a batch by its rows and
    timesteps, and weights the losses of several batches by their rows, so what it reports is the sum of the weighted
    cross-entropies over all tokens, divided by the rows of all batches.
    """

    def call(self, ids, logits):
        """Compute the loss of each timestep.

        Args:
            ids: Int `(batch, timesteps)`.
            logits: `(batch, timesteps, classes)`.

        Returns:
            `(batch, timesteps)`, in nats times the number of timesteps.
        """
        loss = keras.losses.sparse_categorical_crossentropy(ids, logits, from_logits=True)
        return loss * keras.ops.cast(keras.ops.shape(ids)[1], loss.dtype)
