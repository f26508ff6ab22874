"""Tests of the bundled sample of the sentiment task."""

import re

import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from tasks.samples.sentiment import make_sample


@pytest.mark.parametrize("split", ("train", "validation", "test"))
@pytest.mark.parametrize("korean", [False, True])
def test_labels_are_balanced_in_both_languages(reviews, split, korean):
    labels = [label for text, label in reviews[split] if bool(re.search("[가-힣]", text)) == korean]
    assert set(labels) == {"positive", "negative"}
    assert len(labels) == len(reviews[split]) / 2
    assert 0.45 <= labels.count("positive") / len(labels) <= 0.55


def test_every_text_is_one_or_more_sentences(reviews):
    for rows in reviews.values():
        for text, _ in rows:
            assert text.endswith(".") and text == text.strip() and "  " not in text, text


@pytest.mark.parametrize(
    "stem, past, future",
    [
        ("지루하", "지루했", "지루할"),
        ("아름답", "아름다웠", "아름다울"),
        ("재미있", "재미있었", "재미있을"),
        ("지루하지 않", "지루하지 않았", "지루하지 않을"),
    ],
)
def test_korean_forms(stem, past, future):
    assert make_sample.inflect_korean(stem) == make_sample.Adjective(stem, past, future)


def test_korean_particles_and_speech_levels():
    template = "음악은(는) 좋았고 연기은(는) 나빴[다/어요]. 결말이(가) 문제[였다/였어요]."
    assert make_sample.finish_korean(template, 0) == "음악은 좋았고 연기는 나빴다. 결말이 문제였다."
    assert make_sample.finish_korean(template, 1) == "음악은 좋았고 연기는 나빴어요. 결말이 문제였어요."


def test_a_bag_of_words_cannot_solve_it(reviews):
    model = make_pipeline(TfidfVectorizer(ngram_range=(1, 2)), LogisticRegression(max_iter=1000))
    model.fit(*zip(*reviews["train"], strict=True))
    assert model.score(*zip(*reviews["test"], strict=True)) < 0.80
