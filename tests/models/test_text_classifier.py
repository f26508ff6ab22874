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


@pytest.mark.parametrize("unroll", [False, True])
def test_an_explanation_is_that_of_the_shorter_texts(unroll):
    texts, size = ["a good film and a bad film", "bad", ""], 20
    pieces = train_sentencepiece(["a good film", "a bad film, and a long one"] * 20, size=40)
    text = SentencePieceText(pieces, max_tokens=size)
    recurrent = RecurrentSettings(units=4, unroll=unroll)
    model = build_classifier(ClassifierSettings(max_tokens=size), recurrent, vocabulary_size=40, classes=3)
    classifier = TextClassifier(model, text, ["bad", "good", "none"])
    answer = {name: value.numpy() for name, value in classifier.explain(tf.constant(texts)).items()}
    ids = text.ids(tf.constant(texts), size).numpy()

    def logits(rows):
        return model(np.stack([np.pad(row, (0, size - len(row))) for row in rows])).numpy()

    def decision(values, best):
        return values[:, best] - np.delete(values, best, axis=1).mean(axis=1)

    for row in range(len(texts)):
        tokens = ids[row][ids[row] != 0]
        count, whole = len(tokens), logits([tokens])
        best = whole[0].argmax()
        assert answer["label"][row].decode() == ["bad", "good", "none"][best]
        shown = "".join(piece.decode() for piece in answer["tokens"][row]).replace("\N{LOWER ONE EIGHTH BLOCK}", " ")
        assert texts[row].startswith(shown.strip()) and bool(shown) == bool(texts[row])
        if count:
            after = logits([tokens[: place + 1] for place in range(count)])
            assert_close(answer["probabilities_after"][row, :count], tf.nn.softmax(after))
            without = logits([np.delete(tokens, place) for place in range(count)])
            expected = decision(whole, best) - decision(without, best)
            assert_close(answer["contributions"][row, :count], expected)
        assert not answer["contributions"][row, count:].any() and not answer["probabilities_after"][row, count:].any()
