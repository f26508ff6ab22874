"""Texts are scored as a reading character by character would do it, and counts smoothed as Witten and Bell did."""

import math
from collections import Counter

import numpy as np
import pytest
import tensorflow as tf

from models.characters import normalize
from tasks.chargen import scoring
from tasks.chargen.data import encode
from tasks.chargen.scoring import count_nats, network_nats

LETTERS = 5


def probability(training: list[int], history: tuple[int, ...], letter: int) -> float:
    """The formula, by the definition of each of its parts; a history of None is that of no letter."""
    shorter = 1 / LETTERS if not history else probability(training, history[1:], letter)
    size = len(history)
    after = [training[i + size] for i in range(len(training) - size) if tuple(training[i : i + size]) == history]
    if not after:
        return shorter
    counts = Counter(after)
    return (counts[letter] + len(counts) * shorter) / (len(after) + len(counts))


@pytest.mark.parametrize("block", [1 << 22, 7])  # a large text is counted in blocks
def test_counts_are_smoothed_by_the_formula(monkeypatch, block):
    monkeypatch.setattr(scoring, "BLOCK", block)
    random = np.random.default_rng(0)
    training, text = random.integers(0, 4, 60), random.integers(0, LETTERS, 40)  # one letter is never counted
    found = count_nats(training.astype(np.uint16), text.astype(np.uint16), LETTERS, 3)
    for order, nats in enumerate(found, start=1):
        by_hand = [
            -math.log(probability(training.tolist(), tuple(text[max(0, i - order + 1) : i].tolist()), int(text[i])))
            for i in range(len(text))
        ]
        assert nats == pytest.approx(sum(by_hand), rel=1e-12)


def test_the_probabilities_of_what_may_follow_add_up_to_one():
    training = np.array([0, 1, 2, 0, 1, 3, 0, 1, 2, 2], np.uint16)
    for history in ([0, 1], [4, 1], [3, 3]):
        before = count_nats(training, np.array(history), LETTERS, 3)[2]
        chances = [
            math.exp(before - count_nats(training, np.array([*history, letter]), LETTERS, 3)[2])
            for letter in range(LETTERS)
        ]
        assert sum(chances) == pytest.approx(1.0)


def test_a_training_text_of_a_single_character_can_be_counted():
    assert all(map(math.isfinite, count_nats(np.array([1]), np.array([1, 2, 1]), LETTERS, 3)))


@pytest.mark.slow
@pytest.mark.parametrize("copies", [1, 20])  # at one place, and at several places at once
def test_a_text_is_scored_as_if_it_was_read_character_by_character(generator, text_file, copies):
    text = text_file.read_text(encoding="utf-8")[:900] * copies
    characters, module = generator.characters, generator.module
    read = normalize(text, characters.normalization, characters.hangul)
    ids = encode(read, characters)
    whole, first = (
        float(module.score(tf.constant([part]))["nats_per_character"][0]) * len(part) for part in (text, text[0])
    )
    assert network_nats(module.step_model.model, ids) == pytest.approx(whole - first, rel=1e-4)
    assert network_nats(module.step_model.model, ids[:1]) == 0.0
