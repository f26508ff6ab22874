"""Plain text to a label and its probability, in one graph."""

import numpy as np
import pytest
import tensorflow as tf

from models.classifier import build_classifier
from models.network_settings import ClassifierSettings
from models.recurrent_settings import RecurrentSettings
from models.text import SentencePieceText, train_sentencepiece
from models.text_classifier import TextClassifier


def assert_close(actual, expected, tolerance=1e-5):
    np.testing.assert_allclose(np.asarray(actual), np.asarray(expected), rtol=0, atol=tolerance)


@pytest.mark.parametrize("unroll", [False, True])
def test_text_in_label_out(unroll):
    texts = ["a good film", "a bad film, and a long one", "", "  ", "good\0bad", "👍 좋은 영화"]
    pieces = train_sentencepiece(["a good film", "a bad film, and a long one"] * 20, size=40)
    text = SentencePieceText(pieces, max_tokens=8)
    model = build_classifier(
        ClassifierSettings(max_tokens=8),
        RecurrentSettings(units=4, unroll=unroll),
        vocabulary_size=40,
        classes=2,
    )
    classifier = TextClassifier(model, text, ["bad", "good"])
    answer = classifier.classify(tf.constant(texts))
    logits = model(text.ids(tf.constant(texts), 8))
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert_close(answer["probabilities"], probabilities)
    assert_close(answer["probability"], probabilities.max(axis=1))
    names = np.array([b"bad", b"good"])
    assert answer["label"].numpy().tolist() == names[probabilities.argmax(axis=1)].tolist()
    assert answer["classes"].numpy().tolist() == [names.tolist()] * len(texts)
    assert_close(answer["probabilities"][2], answer["probabilities"][3])  # both are no text
    for one, expected in zip(texts, probabilities, strict=True):
        alone = classifier.classify(tf.constant([one]))
        assert_close(alone["probabilities"][0], expected)
