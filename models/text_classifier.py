"""A classifier with text input and label output in one graph: the object that is exported."""

import tensorflow as tf

from models.classifier import Classifier
from models.graph_methods import graph_method
from models.listed import listed
from models.text import PAD, SentencePieceText

# Variations of a text that `explain` classifies at a time, which limits the memory.
_VARIATIONS = 64


class TextClassifier(tf.Module):
    """Classification of plain text.

    Args:
        model: The network.
        text: The tokenizer.
        labels: Names of the classes, in the order of the logits.

    Example:
        >>> from models.classifier import build_classifier
        >>> from models.network_settings import ClassifierSettings
        >>> from models.recurrent_settings import RecurrentSettings
        >>> from models.text import train_sentencepiece
        >>> vocabulary = train_sentencepiece(["a good film", "a dull plot"], size=30)
        >>> settings = ClassifierSettings(embedding_size=4, wide_ngrams=0)
        >>> model = build_classifier(settings, RecurrentSettings(units=4), vocabulary_size=30, classes=2)
        >>> classifier = TextClassifier(model, SentencePieceText(vocabulary, max_tokens=400), ["neg", "pos"])
        >>> classifier.classify(tf.constant(["a good film"]))["label"].numpy()[0] in (b"neg", b"pos")
        True
    """

    def __init__(self, model: Classifier, text: SentencePieceText, labels: list[str]):
        super().__init__()
        self.model, self.text = model, text
        self.labels = tf.constant(listed(labels, "label"))

    @graph_method(input_signature=[tf.TensorSpec([None], tf.string, name="text")])
    def classify(self, text):
        """Classify texts.

        Args:
            text: String `(batch,)`.

        Returns:
            A dict of

            - label: string `(batch,)`, the most probable class;
            - probability: float32 `(batch,)`, its probability;
            - probabilities: float32 `(batch, classes)`;
            - classes: string `(batch, classes)`, the names in the order of `probabilities`.
        """
        logits = self.model(self.text.ids(text, self.model.timesteps), training=False)
        probabilities = tf.nn.softmax(logits, axis=-1)
        best = tf.argmax(probabilities, axis=-1)
        return {
            "label": tf.gather(self.labels, best),
            "probability": tf.reduce_max(probabilities, axis=-1),
            "probabilities": probabilities,
            "classes": tf.repeat(self.labels[None, :], tf.shape(probabilities)[0], axis=0),
        }

    @graph_method(input_signature=[tf.TensorSpec([None], tf.string, name="text")])
    def explain(self, text):
        """Follow the classification of texts from token to token.

        The contribution of a token is the decision for the text less the decision for the text without the token (Li,
        Monroe and Jurafsky 2016, "Understanding Neural Networks through Representation Erasure"). The decision is the
        logit of the most probable class minus the mean logit of the other classes. This needs no gradient, and is the
        same for all parts of the network. See `models.attribution` for contributions that sum to the decision.

        Args:
            text: String `(batch,)`.

        Returns:
            A dict of

            - label: string `(batch,)`, the most probable class, which the contributions are about;
            - classes: string `(batch, classes)`, the names in the order of `probabilities_after`;
            - tokens: string `(batch, timesteps)`, the pieces of the text, then empty;
            - probabilities_after: float32 `(batch, timesteps, classes)`, the probabilities for the text up to and
              including each token; 0 at padding;
            - contributions: float32 `(batch, timesteps)`; 0 at padding.

            The time is proportional to the square of the number of tokens.
        """
        ids = self.text.ids(text, self.model.timesteps)
        is_token = ids != PAD
        logits = self._logits(ids)
        best = tf.argmax(logits, axis=-1, output_type=tf.int32)
        # A row in place of no row, because map_fn fails on an empty batch.
        batch = tf.shape(ids)[0]
        rows = tf.pad(ids, [[0, tf.cast(batch == 0, tf.int32)], [0, 0]])
        shapes = (tf.TensorSpec([None, self.model.classes]),) * 2
        after, without = (part[:batch] for part in tf.map_fn(self._variations, rows, fn_output_signature=shapes))
        contributions = _decision(logits, best)[:, None] - _decision(without, best[:, None])
        return {
            "label": tf.gather(self.labels, best),
            "classes": tf.repeat(self.labels[None, :], tf.shape(ids)[0], axis=0),
            "tokens": tf.where(is_token, self.text.tokenizer.id_to_string(ids), ""),
            "probabilities_after": tf.where(is_token[..., None], tf.nn.softmax(after), 0.0),
            "contributions": tf.where(is_token, contributions, 0.0),
        }

    def _logits(self, ids):
        return tf.cast(self.model(ids, training=False), tf.float32)

    def _variations(self, ids):
        """Return the logits for the text up to each token, and for the text without it.

        Args:
            ids: int32 `(timesteps,)`, one text.

        Returns:
            Two tensors, float32 `(timesteps, classes)`.
        """
        timesteps = tf.size(ids)
        steps = tf.range(timesteps)
        column, row = steps[:, None], steps[None, :]
        up_to = tf.where(row <= column, ids, PAD)
        others = tf.gather(tf.pad(ids, [[0, 1]]), row + tf.cast(row >= column, tf.int32))
        both = tf.concat([up_to, others], axis=0)
        count = 2 * timesteps
        parts = tf.TensorArray(tf.float32, size=0, dynamic_size=True, infer_shape=False)

        def part(start, parts):
            logits = self._logits(both[start : start + _VARIATIONS])
            return start + _VARIATIONS, parts.write(start // _VARIATIONS, logits)

        _, parts = tf.while_loop(lambda start, _: start < count, part, (0, parts), parallel_iterations=1)
        logits = tf.ensure_shape(parts.concat(), [None, self.model.classes])
        return logits[:timesteps], logits[timesteps:]


def _decision(logits, classes):
    """Return the logits of the classes minus the mean logit of the others; logits `(..., classes)`."""
    count = logits.shape[-1]
    chosen = tf.one_hot(classes, count, 1.0, -1.0 / (count - 1))
    return tf.reduce_sum(logits * chosen, axis=-1)
