"""The latent semantic analysis of a language model in the linear model of a classifier."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from tasks.sentiment.task import SENTIMENT
from tasks.serving import inference
from tasks.training import lsa
from tasks.training.checkpoint import load_model
from tasks.training.run_copies import lsa_of
from tasks.training.runs import Run

pytestmark = pytest.mark.slow


@pytest.fixture(scope="session")
def with_lsa(language_model) -> Path:
    return language_model("lsa", "--lsa-size", "20")


@pytest.fixture(scope="session")
def few(tmp_path_factory, corpus) -> Path:
    """A table of 60 labelled reviews: too few for a linear model of their own n-grams."""
    path = tmp_path_factory.mktemp("few") / "few.csv"
    with open(corpus / "train.csv", encoding="utf-8") as file:
        path.write_text("".join([next(file) for _ in range(61)]), encoding="utf-8")
    return path


def test_the_linear_model_has_the_ngrams_of_the_lsa_if_it_is_better_on_held_out_texts(
    sentiment, few, with_lsa, tmp_path, caplog
):
    stored = lsa.read(lsa_of(Run(with_lsa)))
    assert stored.vectors.shape == (len(stored.keys) + 1, 20) and (stored.units, stored.last) == ("pieces", 2)
    answer = sentiment("train", "--data", few, "--run", tmp_path / "run", "--pretrained", with_lsa)
    assert answer.code == 0, answer.err
    assert "of their LSA in 20 dimensions" in caplog.text and "the linear model with the LSA is kept" in caplog.text
    model = load_model(Run(tmp_path / "run"))
    np.testing.assert_array_equal(model.wide.keys.numpy()[: model.wide.size], stored.keys)
    np.testing.assert_array_equal(model.wide.idf.numpy(), stored.idf)
    assert not lsa_of(Run(tmp_path / "run")).exists()
    answers = list(inference.load(SENTIMENT, tmp_path / "run").predict(["a fine film", "a dull film"]))
    assert sentiment("export", "--run", tmp_path / "run", "--to", tmp_path / "model").code == 0
    exported = list(inference.load(SENTIMENT, tmp_path / "model").predict(["a fine film", "a dull film"]))
    assert [row["probability"] for row in exported] == pytest.approx([row["probability"] for row in answers], abs=1e-5)


def test_a_linear_model_of_other_ngrams_does_without_it_and_says_so(sentiment, few, with_lsa, tmp_path, caplog):
    options = ("--pretrained", with_lsa, "--wide-ngrams", "3")
    assert sentiment("train", "--data", few, "--run", tmp_path / "run", *options).code == 0
    assert "is not used: it is of 1 to 2 pieces, and the linear model of 1 to 3 pieces" in caplog.text
    assert "dimensions" not in caplog.text


def test_a_damaged_lsa_is_named_and_can_be_mended(sentiment, few, with_lsa, tmp_path):
    copy = shutil.copytree(with_lsa, tmp_path / "lm")
    content = lsa_of(Run(copy)).read_bytes()
    lsa_of(Run(copy)).write_bytes(content[: len(content) // 2])
    command = ("train", "--data", few, "--run", tmp_path / "run", "--pretrained", copy)
    message = sentiment(*command).error()
    assert "lsa.npz cannot be read" in message and "train the language model again" in message
    lsa_of(Run(copy)).write_bytes(content)
    assert sentiment(*command).code == 0


def test_a_language_model_trains_on_with_another_lsa_or_none(chargen, corpus, with_lsa, tmp_path):
    for size in ("0", "10"):
        options = ("--initial-run", with_lsa, "--lsa-size", size, "--epochs", "1", "--steps-per-epoch", "1")
        answer = chargen("train", "--run", tmp_path / size, *options)
        assert answer.code == 0, answer.err
    assert lsa.read(lsa_of(Run(tmp_path / "0"))) is None
    assert lsa.read(lsa_of(Run(tmp_path / "10"))).vectors.shape[1] == 10


def test_an_lsa_of_texts_of_another_kind_is_not_taken(sentiment, few, with_lsa, tmp_path, caplog):
    copy = shutil.copytree(with_lsa, tmp_path / "lm")
    foreign = {"keys": np.arange(1, 6, dtype=np.int32), "idf": np.ones(6, np.float32), "last": 2, "units": "pieces"}
    np.savez(lsa_of(Run(copy)), vectors=np.ones((6, 2), np.float32), **foreign)
    answer = sentiment("train", "--data", few, "--run", tmp_path / "run", "--pretrained", copy)
    assert answer.code == 0, answer.err
    assert "of their LSA in 2 dimensions" in caplog.text and "the linear model with the LSA" not in caplog.text
    assert load_model(Run(tmp_path / "run")).wide.size > 5
