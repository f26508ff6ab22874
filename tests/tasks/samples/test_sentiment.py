"""Tests of the bundled sample of the sentiment task."""

import csv
import re
from pathlib import Path

import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from tasks.samples.sentiment import make_sample

SPLITS = ("train", "validation", "test")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a freshly made sample."""
    path = tmp_path_factory.mktemp("sample")
    make_sample.write(path)
    return path


@pytest.fixture(scope="module")
def splits(folder):
    result = {}
    for split in SPLITS:
        with open(folder / f"{split}.csv", encoding="utf-8", newline="") as file:
            result[split] = [(row["text"], row["label"]) for row in csv.DictReader(file)]
    return result


def is_korean(text):
    return re.search("[가-힣]", text) is not None


@pytest.mark.parametrize("split", SPLITS)
def test_regenerating_gives_the_bundled_bytes(folder, split):
    bundled = Path(make_sample.__file__).with_name(f"{split}.csv")
    assert (folder / f"{split}.csv").read_bytes() == bundled.read_bytes()


def test_sizes(splits):
    assert {split: len(rows) for split, rows in splits.items()} == make_sample.SIZES


def test_no_text_occurs_twice_within_or_across_splits(splits):
    texts = [text for rows in splits.values() for text, _ in rows]
    assert len(texts) == len(set(texts))


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("korean", [False, True])
def test_labels_are_balanced_in_both_languages(splits, split, korean):
    labels = [label for text, label in splits[split] if is_korean(text) == korean]
    assert set(labels) == {"positive", "negative"}
    assert len(labels) == len(splits[split]) / 2
    assert 0.45 <= labels.count("positive") / len(labels) <= 0.55


def test_no_template_notation_is_left_in_the_texts(splits):
    for rows in splits.values():
        for text, _ in rows:
            assert not re.search(r"[\[\]{}<>|/()]|  ", text), text
            assert text.endswith(".") and text == text.strip(), text


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
    assert make_sample.korean_predicate(stem) == make_sample.KoreanPredicate(stem, past, future)


def test_korean_particles_and_speech_levels():
    template = "음악은(는) 좋았고 연기은(는) 나빴[다/어요]. 결말이(가) 문제[였다/였어요]."
    assert make_sample.korean_finish(template, 0) == "음악은 좋았고 연기는 나빴다. 결말이 문제였다."
    assert make_sample.korean_finish(template, 1) == "음악은 좋았고 연기는 나빴어요. 결말이 문제였어요."


def test_a_bag_of_words_cannot_solve_it(splits):
    model = make_pipeline(TfidfVectorizer(ngram_range=(1, 2)), LogisticRegression(max_iter=1000))
    model.fit(*zip(*splits["train"], strict=True))
    assert model.score(*zip(*splits["test"], strict=True)) < 0.80
