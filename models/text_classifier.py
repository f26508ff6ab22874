"""A classifier with text input and label output in one graph: the object that is exported."""

import tensorflow as tf

from models.classifier import Classifier
from models.graph_methods import graph_method
from models.text import SentencePieceText


class TextClassifier(tf.Module):
    """Classification of plain text.

    Args:
        model: The network.
        text: The tokenizer.
        labels: Names of the classes, in the order of the logits.

    Example:
        ```python
        classifier = TextClassifier(model, SentencePieceText(vocabulary, max_tokens=400), ["neg", "pos"])
        classifier.classify(tf.constant(["a good film"]))["label"]
        ```
    """

    def __init__(self, model: Classifier, text: SentencePieceText, labels: list[str]):
        super().__init__()
        self.model, self.text = model, text
        self.labels = tf.constant(labels)

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
