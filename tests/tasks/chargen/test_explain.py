"""What explain reports of a character model: surprise, gates, and units that track a feature of the text."""

import json

import numpy as np
import pytest

from tasks.chargen import explain

TEXT = "The queen saw the 책을\nMy"


@pytest.fixture(scope="module")
def explained(chargen, finished_run, tmp_path_factory):
    picture = tmp_path_factory.mktemp("pictures") / "explained.png"
    answer = chargen("explain", "--run", finished_run, TEXT, "--layer", "2", "--json", "--plot", picture)
    assert answer.code == 0, answer.err
    return json.loads(answer.out), picture


@pytest.mark.slow
def test_the_mean_surprise_is_the_score_of_the_text(explained, generator):
    found, picture = explained
    score = generator.module.score([TEXT])["nats_per_character"].numpy()[0]
    assert np.mean(found["surprise"]) * np.log(2) == pytest.approx(score, rel=1e-4)
    assert found["characters"] == list(TEXT)
    assert sum(found["next"].values()) <= 1.0 and len(found["next"]) == 5
    assert all(np.shape(values) == (len(TEXT), 16) for values in found["gates"].values())
    assert picture.read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
def test_some_unit_tracks_the_length_of_the_line(explained):
    """Lines that all begin with a capital and end alike: some unit follows the position in the line."""
    found, _ = explained
    unit = found["tracking"]["line length"]
    assert abs(unit["correlation"]) > 0.5
    assert unit["states"] == [row[unit["unit"]] for row in found["gates"]["cell"]]
    assert found["tracking"]["quotes"] is found["tracking"]["indentation"] is None  # the text has none


def test_features_are_those_of_the_text_so_far():
    text = 'a "b\nc" d\n  e f\n\n“g'
    found = explain.features(text)
    assert found["line length"].tolist() == [1, 2, 3, 4, 5, 1, 2, 3, 4, 5, 1, 2, 3, 4, 5, 6, 1, 1, 2]
    quotes = "".join(character for character, inside in zip(text, found["quotes"], strict=True) if inside)
    assert quotes == '"b\nc“g'
    assert found["indentation"].tolist() == [0] * 10 + [1, 2, 2, 2, 2, 2, 0, 0, 0]


def test_an_open_quotation_ends_with_its_paragraph():
    assert explain.features('"a\nb\n\nc')["quotes"].tolist() == [1, 1, 1, 1, 1, 0, 0]


@pytest.mark.slow
def test_the_table_is_printed(chargen, jamo_run, tmp_path):
    answer = chargen("explain", "--run", jamo_run, "나그네가", "--plot", tmp_path / "picture.png")
    assert answer.code == 0, answer.err
    assert "line length: unit" in answer.out and "quotes: not in the text" in answer.out
    assert (tmp_path / "picture.png").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([""], ["empty"]),
        (["The", "--layer", "3"], ["no recurrent layer 3", "2 recurrent layers"]),
        (["The", "--direction", "backward"], ["one direction"]),
    ],
)
def test_what_cannot_be_explained_is_named(chargen, finished_run, arguments, words):
    message = chargen("explain", "--run", finished_run, *arguments).error()
    assert all(word in message for word in words), message
