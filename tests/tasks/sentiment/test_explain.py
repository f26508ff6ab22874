"""What explain reports of a classification: its numbers are those of the model, and the picture is drawn."""

import json

import numpy as np
import pytest

TEXT = "The soup was cold, but we loved the bread. 국은"


@pytest.fixture(scope="module")
def explained(sentiment, finished_run, tmp_path_factory):
    picture = tmp_path_factory.mktemp("pictures") / "explained.png"
    label = " positive\u200b"  # one class with "positive", as in the data
    answer = sentiment("explain", "--run", finished_run, TEXT, "--label", label, "--json", "--plot", picture)
    assert answer.code == 0, answer.err
    return json.loads(answer.out), picture


@pytest.mark.slow
def test_the_last_probability_is_that_of_the_classification(explained, classifier):
    found, _ = explained
    (answer,) = classifier.predict([TEXT])
    assert found["label"] == answer["label"]
    assert found["probability"] == pytest.approx(answer["probability"], abs=1e-5)
    assert found["probability_after"][-1] == pytest.approx(answer["probabilities"]["positive"], abs=1e-5)
    assert len(found["tokens"]) == len(found["probability_after"]) == len(found["contributions"])
    assert "".join(found["tokens"]).replace("▁", " ").strip() == TEXT


@pytest.mark.slow
def test_a_probability_along_the_text_is_that_of_the_text_so_far(explained, classifier):
    found, _ = explained
    module = classifier.module
    ids = module.text.ids([TEXT])[:, :5]
    logits = module.model(ids).numpy()[0]
    label = list(module.labels.numpy()).index(b"positive")
    assert found["probability_after"][4] == pytest.approx(np.exp(logits[label]) / np.exp(logits).sum(), abs=1e-5)


@pytest.mark.slow
def test_contributions_add_up_to_the_decision(explained):
    """Their sum is the logit of the class less that of the other class, except for what an empty text has."""
    found, _ = explained
    probability = found["probability_after"][-1]
    # Half a nat is far below the contributions' own size.
    assert abs(np.log(probability / (1 - probability)) - sum(found["contributions"])) < 0.5
    assert np.abs(found["contributions"]).max() > 0.01


@pytest.mark.slow
def test_every_step_has_gates_and_the_picture_is_drawn(explained):
    found, picture = explained
    gates = {name: np.array(values) for name, values in found["gates"].items()}
    assert set(gates) == {"input", "forget", "output", "candidate", "cell", "state"}
    assert all(values.shape == (len(found["tokens"]), 8) for values in gates.values())
    assert (gates["forget"] >= 0).all() and (gates["forget"] <= 1).all()
    assert picture.read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
def test_the_table_and_the_other_direction_of_the_layer(sentiment, finished_run, tmp_path):
    other = ["--direction", "backward", "--plot", tmp_path / "a.png"]
    answer = sentiment("explain", "--run", finished_run, TEXT, *other)
    assert answer.code == 0, answer.err
    assert "▁The" in answer.out and str(tmp_path / "a.png") in answer.out
    backward = json.loads(sentiment("explain", "--run", finished_run, TEXT, *other, "--json").out)
    most = max(zip(backward["tokens"], backward["contributions"], strict=True), key=lambda pair: abs(pair[1]))
    assert "largest contributions: {} {:+.3f}, ".format(*most) in answer.out
    forward = json.loads(sentiment("explain", "--run", finished_run, TEXT, "--json", "--plot", tmp_path / "b.png").out)
    assert backward["gates"]["forget"] != forward["gates"]["forget"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([""], ["error: text: the value is empty; give one\n"]),
        (["  \n"], ["empty"]),
        (["good", "--layer", "2"], ["no recurrent layer 2", "1 recurrent layer", "--layer"]),
        (["good", "--layer", "0"], ["--layer: 0"]),
        (["good", "--label", "happy"], ["--label happy", "negative, positive"]),
        ([], ["an argument is missing: The text."]),
    ],
)
def test_what_cannot_be_explained_is_named(sentiment, finished_run, arguments, words):
    message = sentiment("explain", "--run", finished_run, *arguments).error()
    assert all(word in message for word in words), message


@pytest.mark.slow
def test_a_layer_with_one_direction_has_no_other(sentiment, train, tmp_path):
    train(tmp_path / "run", "--epochs", "1")
    message = sentiment("explain", "--run", tmp_path / "run", "good", "--direction", "backward").error()
    assert "no direction backward" in message
