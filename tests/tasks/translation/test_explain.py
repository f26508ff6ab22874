"""What explain reports of a translation: the attention."""

import json

import numpy as np
import pytest

pytestmark = pytest.mark.slow


def test_the_attention_of_the_translation(translation, finished_run, translator, pairs, tmp_path):
    text = pairs[0][0]
    answer = translation("explain", "--run", finished_run, text, "--json", "--plot", tmp_path / "attention.png")
    assert answer.code == 0, answer.err
    found = json.loads(answer.out)
    (expected,) = translator.predict([text])
    assert found["translation"] == expected["translation"]
    weights = np.array(found["attention"])
    assert weights.shape == (len(found["target_pieces"]), len(found["source_pieces"]))
    np.testing.assert_allclose(weights.sum(axis=1), 1.0, atol=1e-5)
    assert found["target_pieces"][-1] == "</s>"
    assert (tmp_path / "attention.png").read_bytes().startswith(b"\x89PNG")
    assert expected["translation"] in translation("explain", "--run", finished_run, text).out


# A zero-width space is no blank to Python; normalization leaves nothing of it.
@pytest.mark.parametrize(("text", "word"), [(" ", "empty"), ("\u200b", "no piece")])
def test_what_cannot_be_explained_is_named(translation, finished_run, text, word):
    assert word in translation("explain", "--run", finished_run, text).error()
