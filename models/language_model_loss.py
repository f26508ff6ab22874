"""The loss of the language models that a classifier began with, as a second loss of its training."""

import keras
import tensorflow as tf

from models.classifier import Classifier
from models.language_model import LanguageModel
from models.sampled_softmax import SampledLogits
from models.separate_directions import Direction
from models.text import PAD

# With a larger vocabulary, the next piece is compared with this number of sampled ones; see `models.sampled_softmax`.
SAMPLES = 1024


class LanguageModelLoss(keras.layers.Layer):
    """Adds the cross-entropy of the pieces of a text to the loss of a training step.

    The output of the stack at each piece predicts the next one, the first after the end token. With L the loss of the
    classifier and L_d the mean over the pieces of a batch, in nats, the loss is

        L + weight * (sum over the directions d of L_d)

    (Rei 2017, "Semi-supervised Multitask Learning for Sequence Labeling", section 3). A validation does not add it.

    Args:
        direction: The direction of the classifier.
        model: The language model, whose output layers are used; with tied embeddings, the embedding is that of the
            classifier.
        counts: Number of occurrences of each id, `(vocabulary_size,)`.
        weight: The weight.
        seed: Seed of the sampled pieces.
        **kwargs: Arguments of `keras.layers.Layer`.

    Attributes:
        share: A scalar `tf.Variable` that the loss is multiplied by, for a training on several workers; None without.
    """

    def __init__(self, direction: Direction, model: LanguageModel, counts, weight: float, seed: int = 0, **kwargs):
        super().__init__(**{"autocast": False, **kwargs})  # the logits are float32 under every policy
        self.weight, self.reverse, self.share = weight, direction.name == "backward", None
        self.embedding = direction.embedding if model.output_layer is None else None
        self.projection, self.output_layer, self.output_bias = model.projection, model.output_layer, model.output_bias
        self.sampled_logits = None
        if len(counts) > SAMPLES:
            self.sampled_logits = SampledLogits(counts, SAMPLES, seed=seed, name="sampled_logits")

    def build(self, *shapes):
        """Create nothing: the layers have their weights already."""

    @property
    def output_layers(self) -> list[keras.layers.Layer]:
        """The layers between the stack and the pieces that the classifier itself does not have."""
        return [layer for layer in (self.projection, self.output_layer, self.output_bias) if layer is not None]

    def call(self, logits, outputs, ids, training=None):
        """Add the loss.

        Args:
            logits: What is returned as it is.
            outputs: The outputs of the stack, after the end token and after each piece, in the order in which they are
                read: `(batch, 1 + timesteps, units)`.
            ids: Int32 `(batch, timesteps)`.
            training: Whether the loss is added.
        """
        if not training:
            return logits
        counted = tf.not_equal(ids, PAD)
        if self.reverse:
            lengths = tf.reduce_sum(tf.cast(counted, tf.int32), axis=1)
            ids = tf.reverse_sequence(ids, lengths, seq_axis=1, batch_axis=0)
        features = outputs[:, :-1]
        if self.projection is not None:
            features = self.projection(features)
        if self.output_layer is None:
            vectors, bias = self.embedding.embeddings, None if self.output_bias is None else self.output_bias.bias
        else:
            vectors, bias = keras.ops.transpose(self.output_layer.kernel), self.output_layer.bias
        nats = self._nats(features, ids, vectors, bias)
        counted = tf.cast(counted, nats.dtype)
        loss = self.weight * tf.reduce_sum(nats * counted) / tf.reduce_sum(counted)
        self.add_loss(loss if self.share is None else loss * tf.cast(self.share, loss.dtype))
        return logits

    def _nats(self, features, ids, vectors, bias):
        """Return the cross-entropy of each id, float32 `(batch, timesteps)`; see `SampledLogits.call`."""
        if self.sampled_logits is not None:
            logits = self.sampled_logits(features, ids, vectors, bias)  # the target first
            return tf.reduce_logsumexp(logits, axis=-1) - logits[..., 0]
        logits = tf.cast(tf.einsum("btd,sd->bts", features, tf.cast(vectors, features.dtype)), tf.float32)
        logits = logits if bias is None else logits + tf.cast(bias, tf.float32)
        return tf.nn.sparse_softmax_cross_entropy_with_logits(labels=ids, logits=logits)


def training_model(model: Classifier, losses: list[LanguageModelLoss]) -> keras.Model:
    """Return the training model of a classifier, with the loss of each of its directions added.

    Args:
        model: The classifier.
        losses: The second loss of each direction.
    """
    first = model.training_model()
    logits = first.output
    for loss, direction in zip(losses, model.directions, strict=True):
        logits = loss(logits, direction.outputs, model.input)
    return keras.Model(first.input, logits, name=first.name)
