"""Settings that are "auto": what they become for different data, and that a run holds the values."""

import json

import numpy as np
import pytest

from tasks.sentiment.settings import SentimentSettings
from tasks.sentiment.task import SENTIMENT
from tasks.training.checkpoint import load_model
from tasks.training.runs import Run
from tests.tasks.examples import sample_rows, write_csv

KOREAN = "이 영화는 처음부터 끝까지 눈을 뗄 수 없었다"
ENGLISH = "The plot was dull but the acting was superb"


def resolved(folder, text, count, repeat=1, **groups):
    rows = [(f"{index} " + " ".join([text] * repeat), index % 2) for index in range(count)]
    table = write_csv(folder / "texts.csv", rows)
    settings = SentimentSettings(data={"data": str(table)}, **groups)
    return SENTIMENT.resolve(settings)


@pytest.mark.parametrize(
    ("text", "count", "repeat", "expected"),
    [
        (KOREAN, 300, 1, {"vocabulary_type": "char", "wide_ngrams": 4, "wide_features": "tf_idf", "max_tokens": 400}),
        (ENGLISH, 300, 1, {"vocabulary_type": "unigram", "wide_ngrams": 2, "wide_min_texts": 1, "epochs": 14}),
        (
            ENGLISH,
            3000,
            20,
            {"max_tokens": 1000, "pool_size": 4, "wide_min_texts": 2, "tokens_per_batch": 16384, "epochs": 11},
        ),
        (ENGLISH, 26000, 1, {"wide_features": "log_count_ratios", "wide_ngrams": 3}),
    ],
)
def test_the_values_follow_from_the_texts(tmp_path, text, count, repeat, expected):
    settings, reasons = resolved(tmp_path, text, count, repeat)
    values = {}
    for group in (settings.vocabulary, settings.network, settings.training):
        values |= group.model_dump()
    assert {name: values[name] for name in expected} == expected
    assert "auto" not in values.values()
    for name, value in expected.items():
        assert f"{name}={value}" in reasons


def test_what_is_given_stays_and_what_follows_from_it_fits(tmp_path):
    given = {
        "vocabulary": {"vocabulary_type": "unigram"},
        "network": {"wide_ngrams": 0, "max_tokens": 10, "wide_share": 0.3},
        "training": {"tokens_per_batch": 64},
    }
    settings, reasons = resolved(tmp_path, KOREAN, 300, **given)
    for group, values in given.items():
        assert getattr(settings, group).model_dump(include=set(values)) == values
    assert settings.training.epochs == 13  # 240 texts of 8 pieces or so are 30 batches
    assert "wide_ngrams" not in reasons and "epochs=13" in reasons


def test_without_an_automatic_setting_the_data_are_not_read():
    settings = SentimentSettings(
        data={"data": "missing.csv"},
        vocabulary={"vocabulary_type": "bpe"},
        network={
            "max_tokens": 9,
            "pool_size": 1,
            "wide_ngrams": 0,
            "wide_features": "tf_idf",
            "wide_min_texts": 1,
            "wide_share": 0.5,
        },
        training={"epochs": 1, "tokens_per_batch": 64},
    )
    assert SENTIMENT.resolve(settings) == (settings, "")


def stored(folder):
    return json.loads((folder / "settings.json").read_text())


@pytest.mark.slow
def test_a_run_holds_the_values_and_its_settings_repeat_it(sentiment, tmp_path):
    """The share of the linear model is chosen on the validation texts, where it hardly helps."""
    data = write_csv(tmp_path / "reviews.csv", sample_rows("sentiment", "train", ("text", "label"), 1200))
    small = ("--data", data, "--units", "16", "--embedding-size", "16", "--epochs", "8", "--learning-rate", "0.02")
    assert sentiment("train", "--run", tmp_path / "a", *small).code == 0
    settings = stored(tmp_path / "a")
    assert (settings["vocabulary"]["vocabulary_type"], settings["network"]["wide_features"]) == ("unigram", "tf_idf")
    assert "auto" not in json.dumps({name: group for name, group in settings.items() if name != "recurrent"})
    model = load_model(Run(tmp_path / "a"))
    assert model.settings.wide_share == settings["network"]["wide_share"] != 0.5
    again = sentiment("train", "--run", tmp_path / "b", "--settings", tmp_path / "a" / "settings.json")
    assert again.code == 0
    assert stored(tmp_path / "b") == settings
    repeated = load_model(Run(tmp_path / "b")).get_weights()
    assert all(np.array_equal(one, two) for one, two in zip(model.get_weights(), repeated, strict=True))
