"""Many-to-one: ids -> embedding -> recurrent stack -> classes."""

import keras
import numpy as np
import tensorflow as tf

from models.network_settings import ClassifierSettings
from models.ngrams import NgramEmbedding, WideNgrams
from models.recurrent import NotPadding, recurrent_stack, reverse_time
from models.recurrent_settings import RecurrentSettings
from models.text import SentencePieceText


@keras.saving.register_keras_serializable("models")
class MaskedPooling(keras.layers.Layer):
    """(batch, timesteps, features) and a mask (batch, timesteps) -> (batch, features), padding left out.

    Args:
      kind: "max"; "mean"; "max_mean", both side by side: (batch, 2 * features); or "attention": the mean weighted by
        softmax(w . h_t + b), one learned query (Yang et al. 2016, "Hierarchical Attention Networks", without its
        hidden layer).
    """

    def __init__(self, kind: str, **kwargs):
        super().__init__(**kwargs)
        self.kind = kind
        self.supports_masking = True
        if kind == "attention":
            self.score = keras.layers.Dense(1, dtype=self.dtype_policy, name="score")

    def build(self, input_shape):
        if self.kind == "attention":
            self.score.build(input_shape)
        super().build(input_shape)

    def call(self, sequence, mask):
        there = keras.ops.cast(mask, sequence.dtype)[..., None]  # (batch, timesteps, 1)
        number = keras.ops.maximum(keras.ops.sum(there, axis=1), 1.0)
        # Finite, so that a text that is nothing but padding pools to a finite vector; it fits float16.
        far_below = (there - 1.0) * 3e4
        if self.kind == "attention":
            weights = keras.ops.softmax(self.score(sequence) + far_below, axis=1)
            return keras.ops.sum(weights * sequence, axis=1)
        pooled = []
        if "max" in self.kind:
            any_there = keras.ops.max(there, axis=1)
            pooled.append(keras.ops.max(sequence + far_below, axis=1) * any_there)
        if "mean" in self.kind:
            pooled.append(keras.ops.sum(sequence * there, axis=1) / number)
        return keras.ops.concatenate(pooled, axis=-1)

    def compute_mask(self, sequence, mask=None):
        return None  # there are no steps any more

    def get_config(self):
        return {**super().get_config(), "kind": self.kind}


@keras.saving.register_keras_serializable("models")
class NeighbourSum(keras.layers.Layer):
    """Sums groups of neighbouring steps: (batch, timesteps, features) -> (batch, ceil(timesteps / size), features).

    Padding, where the mask (batch, timesteps) is False, counts as zero.
    """

    def __init__(self, size: int, **kwargs):
        super().__init__(**kwargs)
        self.size = size

    def call(self, sequence, there):
        sequence = sequence * keras.ops.cast(there, sequence.dtype)[..., None]
        missing = -keras.ops.shape(sequence)[1] % self.size
        sequence = tf.pad(sequence, [[0, 0], [0, missing], [0, 0]])
        return keras.ops.sum(keras.ops.reshape(sequence, (tf.shape(sequence)[0], -1, self.size, sequence.shape[-1])), 2)

    def compute_output_shape(self, sequence_shape, there_shape):
        steps = sequence_shape[1]
        return (sequence_shape[0], None if steps is None else -(-steps // self.size), sequence_shape[2])

    def get_config(self):
        return {**super().get_config(), "size": self.size}


def build_classifier(
    settings: ClassifierSettings,
    recurrent: RecurrentSettings,
    *,
    vocabulary_size: int,
    classes: int,
    vectors: np.ndarray | None = None,
    ngram_keys: np.ndarray | None = None,
    wide_keys: np.ndarray | None = None,
    wide_counts: np.ndarray | None = None,
) -> keras.Model:
    """Builds the network.

    Args:
      settings: of the embedding, the pooling and the wide path.
      recurrent: of the stack.
      vocabulary_size: number of ids.
      classes: number of classes, two or more.
      vectors: float (vocabulary_size, embedding_size) to begin the embedding with; random if None.
      ngram_keys, wide_keys: int32 (n-grams,), the vocabularies of the n-gram embedding and of the wide path, from
        `models.ngrams.frequent_ngrams`; needed where `ngrams` or `wide_ngrams` is set.
      wide_counts: float32 (n-grams + 1, classes), from `models.ngrams.ngram_class_counts`; needed with `wide_ngrams`.

    Returns:
      A model from ids, int32 (batch, timesteps) padded on the right with 0, to logits (batch, classes). With
      `wide_ngrams` the logits are the average of those of its layers `recurrent_logits` and `wide_logits`. With
      `unroll` timesteps is fixed at `max_tokens`.
    """
    settings.check_recurrent(recurrent)
    ids = keras.Input((settings.max_tokens if recurrent.unroll else None,), dtype="int32", name="ids")
    mask = NotPadding(name="mask")(ids)
    embedding = keras.layers.Embedding(vocabulary_size, settings.embedding_size, name="embedding")
    x = embedding(ids)  # (batch, timesteps, embedding_size)
    if vectors is not None:
        embedding.set_weights([vectors])
    if settings.ngrams > 1:
        ngrams = NgramEmbedding(
            2, settings.ngrams, len(ngram_keys), settings.embedding_size, settings.ngram_dropout, name="ngrams"
        )
        x = x + ngrams(ids)
        ngrams.set_keys(ngram_keys)
    if settings.spatial_dropout:
        x = keras.layers.SpatialDropout1D(settings.spatial_dropout, name="spatial_dropout")(x)
    if settings.stride > 1:
        x = NeighbourSum(settings.stride, name="stride")(x, mask)
        mask = mask[:, :: settings.stride]  # padding is on the right, so a group's first step tells
    x = recurrent_stack(recurrent, x, mask=mask, layer_dropout=settings.layer_dropout)
    if recurrent.return_sequences:
        if recurrent.go_backwards:  # Keras gives the last step first; the mask runs the other way
            x = reverse_time(x)
        x = MaskedPooling(settings.pooling or "max_mean", name="pooling")(x, mask=mask)
    if settings.head_dropout:
        x = keras.layers.Dropout(settings.head_dropout, name="head_dropout")(x)
    # Logits stay float32 under a mixed precision policy: a softmax needs the range.
    logits = keras.layers.Dense(classes, dtype="float32", name="recurrent_logits")(x)
    if settings.wide_ngrams:
        wide = WideNgrams(1, settings.wide_ngrams, len(wide_keys), classes, dtype="float32", name="wide_logits")
        wide_logits = wide(ids)
        wide.set_keys(wide_keys)
        wide.set_counts(wide_counts)
        logits = (1.0 - settings.wide_share) * logits + settings.wide_share * wide_logits
    return keras.Model(ids, logits, name="classifier")


def has_wide_path(model: keras.Model) -> bool:
    return any(layer.name == "wide_logits" for layer in model.layers)


def training_view(model: keras.Model) -> keras.Model:
    """The same weights with the logits of each path apart: ids -> (batch, paths, classes).

    With a wide path it also takes the labels, int (batch,), for the counts of `WideNgrams`: (ids, labels).

    Each path then gets a loss of its own (`PathCrossentropy`). Under one loss on their average the linear path alone
    soon fits the training texts, and leaves the recurrent one no gradient to learn from.
    """
    inputs, paths = model.input, [model.get_layer("recurrent_logits").output]
    if has_wide_path(model):
        labels = keras.Input((), dtype="int32", name="labels")
        paths.append(model.get_layer("wide_logits")(model.input, labels))
        inputs = (model.input, labels)
    return keras.Model(inputs, keras.ops.stack(paths, axis=1), name="classifier_training")


@keras.saving.register_keras_serializable("models")
class PathCrossentropy(keras.losses.Loss):
    """Cross-entropy in nats, summed over the paths: labels (batch,) and logits (batch, paths, classes) -> (batch,).

    Args:
      label_smoothing: this share of the target is spread over all classes (Szegedy et al. 2016).
    """

    def __init__(self, label_smoothing: float = 0.0, name="crossentropy", **kwargs):
        super().__init__(name=name, **kwargs)
        self.label_smoothing = label_smoothing

    def call(self, labels, logits):
        classes = logits.shape[-1]
        target = keras.ops.one_hot(keras.ops.cast(labels, "int32"), classes)
        target = target * (1.0 - self.label_smoothing) + self.label_smoothing / classes
        log_probabilities = keras.ops.log_softmax(logits, axis=-1)
        return -keras.ops.sum(target[:, None, :] * log_probabilities, axis=(1, 2))

    def get_config(self):
        return {**super().get_config(), "label_smoothing": self.label_smoothing}


class PathAccuracy(keras.metrics.MeanMetricWrapper):
    """Accuracy of the paths' weighted average: labels (batch,) and logits (batch, paths, classes).

    Args:
      wide_share: weight of the second path where there are two.
    """

    def __init__(self, wide_share: float, name="accuracy", **kwargs):
        def correct(labels, logits):
            shares = [1.0] if logits.shape[1] == 1 else [1.0 - wide_share, wide_share]
            mixed = keras.ops.sum(logits * keras.ops.reshape(keras.ops.array(shares), (1, -1, 1)), axis=1)
            return keras.ops.cast(keras.ops.argmax(mixed, axis=-1) == keras.ops.cast(labels, "int32"), "float32")

        super().__init__(fn=correct, name=name, **kwargs)


class TextClassifier(tf.Module):
    """Text in, label and probability out, in one graph: what is exported, and what predicts.

    Args:
      model: from `build_classifier`.
      text: the tokenizer.
      labels: the classes' names, in the order of the logits.
    """

    def __init__(self, model: keras.Model, text: SentencePieceText, labels: list[str]):
        super().__init__()
        self.model, self.text = model, text
        self.labels = tf.constant(labels)
        self._length = model.input_shape[1]

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="text")])
    def classify(self, text):
        """Texts, string (batch,), -> a dict of

        - label: string (batch,), the likeliest class;
        - probability: float32 (batch,), its probability;
        - probabilities: float32 (batch, classes);
        - classes: string (batch, classes), the names in the order of `probabilities`.
        """
        logits = self.model(self.text.ids(text, self._length), training=False)
        probabilities = tf.nn.softmax(logits, axis=-1)
        best = tf.argmax(probabilities, axis=-1)
        return {
            "label": tf.gather(self.labels, best),
            "probability": tf.reduce_max(probabilities, axis=-1),
            "probabilities": probabilities,
            "classes": tf.repeat(self.labels[None, :], tf.shape(probabilities)[0], axis=0),
        }
