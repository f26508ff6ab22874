"""Attention against the published equations, in NumPy."""

import numpy as np
import pytest

from models.attention import Attention, key_projection

random = np.random.default_rng(0)
QUERIES, OUTPUTS = (random.normal(size=size).astype(np.float32) for size in ((2, 3, 4), (2, 5, 6)))
MASK = np.array([[True] * 5, [True, True, False, False, False]])


def softmax(scores):
    exponentials = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


def by_hand(score):
    """Weights and means of each query, one pair of query and step after the other."""
    weights = np.zeros((2, 3, 5))
    for sentence in range(2):
        steps = np.flatnonzero(MASK[sentence])
        for query in range(3):
            scores = [score(QUERIES[sentence, query], OUTPUTS[sentence, step]) for step in steps]
            weights[sentence, query, steps] = softmax(np.array(scores))
    return weights, np.einsum("bqs,bsv->bqv", weights, OUTPUTS)


def test_additive_attention_is_that_of_bahdanau():
    attention, project = Attention("additive", 7), key_projection("additive", None, 7)
    means, weights = attention(QUERIES, project(OUTPUTS), OUTPUTS, MASK)
    w, b, v = (np.array(variable) for variable in attention.get_weights())
    u = project.get_weights()[0]
    expected = by_hand(lambda s, h: float((np.tanh(s @ w + b + h @ u) @ v).item()))
    assert np.allclose(weights, expected[0], atol=1e-6) and np.allclose(means, expected[1], atol=1e-6)


def test_general_attention_is_that_of_luong():
    attention, project = Attention("multiplicative"), key_projection("multiplicative", "general", 4)
    means, weights = attention(QUERIES, project(OUTPUTS), OUTPUTS, MASK)
    w = project.get_weights()[0]
    expected = by_hand(lambda s, h: float(s @ (h @ w)))
    assert np.allclose(weights, expected[0], atol=1e-6) and np.allclose(means, expected[1], atol=1e-6)


@pytest.mark.parametrize("score", ["dot", None])
def test_dot_attention_compares_the_outputs_themselves(score):
    assert key_projection("multiplicative", score, 4) is None
    keys = OUTPUTS[..., :4]
    means, weights = Attention("multiplicative")(QUERIES, keys, OUTPUTS, MASK)
    expected = by_hand(lambda s, h: float(s @ h[:4]))
    assert np.allclose(weights, expected[0], atol=1e-6) and np.allclose(means, expected[1], atol=1e-6)


def test_padding_gets_no_weight_whatever_it_holds():
    changed = np.where(MASK[..., None], OUTPUTS, 1e4).astype(np.float32)
    for kind in ("additive", "multiplicative"):
        attention = Attention(kind, 6)
        keys = OUTPUTS if kind == "additive" else OUTPUTS[..., :4]
        other_keys = changed if kind == "additive" else changed[..., :4]
        means, _ = attention(QUERIES, keys, OUTPUTS, MASK)
        others, weights = attention(QUERIES, other_keys, changed, MASK)
        assert np.array_equal(means, others)
        assert not np.array(weights)[1, :, 2:].any()
