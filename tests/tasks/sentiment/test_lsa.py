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


def test_the_lsa_of_the_language_model_is_in_the_linear_model(sentiment, corpus, with_lsa, tmp_path, caplog):
    stored = lsa.read(lsa_of(Run(with_lsa)))
    assert stored.vectors.shape == (len(stored.keys) + 1, 20) and (stored.units, stored.last) == ("pieces", 2)
    answer = sentiment("train", "--data", corpus, "--run", tmp_path / "run", "--pretrained", with_lsa)
    assert answer.code == 0, answer.err
    assert "of their LSA in 20 dimensions" in caplog.text
    model = load_model(Run(tmp_path / "run"))
    np.testing.assert_array_equal(model.wide.keys.numpy()[: model.wide.size], stored.keys)
    np.testing.assert_array_equal(model.wide.idf.numpy(), stored.idf)
    assert not lsa_of(Run(tmp_path / "run")).exists()
    answers = list(inference.load(SENTIMENT, tmp_path / "run").predict(["a fine film", "a dull film"]))
    assert sentiment("export", "--run", tmp_path / "run", "--to", tmp_path / "model").code == 0
    exported = list(inference.load(SENTIMENT, tmp_path / "model").predict(["a fine film", "a dull film"]))
    assert [row["probability"] for row in exported] == pytest.approx([row["probability"] for row in answers], abs=1e-5)
    # A linear model of other n-grams does without them.
    caplog.clear()
    options = ("--pretrained", with_lsa, "--wide-ngrams", "3")
    assert sentiment("train", "--data", corpus, "--run", tmp_path / "other", *options).code == 0
    assert "LSA" not in caplog.text


def test_a_damaged_lsa_is_named(sentiment, corpus, with_lsa, tmp_path):
    copy = shutil.copytree(with_lsa, tmp_path / "lm")
    content = lsa_of(Run(copy)).read_bytes()
    lsa_of(Run(copy)).write_bytes(content[: len(content) // 2])
    message = sentiment("train", "--data", corpus, "--run", tmp_path / "run", "--pretrained", copy).error()
    assert "lsa.npz cannot be read" in message and "train the language model again" in message
