"""Losses over sequences."""

import keras


@keras.saving.register_keras_serializable("models")
class SmoothedCrossentropy(keras.losses.Loss):
    """Cross-entropy in nats of ids (batch, steps) under logits (batch, steps, classes), the mean over weighted steps.

    With label smoothing e the target is (1 - e) for the right id and e / classes for each (Szegedy et al. 2016), so the
    loss is logsumexp(z) - (1 - e) z_y - e mean(z). No one-hot targets are made.
    """

    def __init__(
        self, label_smoothing: float = 0.0, name="crossentropy", reduction="mean_with_sample_weight", **kwargs
    ):
        super().__init__(name=name, reduction=reduction, **kwargs)
        self.label_smoothing = label_smoothing

    def call(self, ids, logits):
        loss = keras.losses.sparse_categorical_crossentropy(ids, logits, from_logits=True)
        if self.label_smoothing:
            uniform = keras.ops.logsumexp(logits, axis=-1) - keras.ops.mean(logits, axis=-1)
            loss = (1.0 - self.label_smoothing) * loss + self.label_smoothing * uniform
        return loss

    def get_config(self):
        return {**super().get_config(), "label_smoothing": self.label_smoothing}
