"""Settings that are "auto": what they become for different data, and that a run holds the values."""

import json
import signal
import zipfile

import numpy as np
import pytest

from tasks.sentiment import automatic
from tasks.sentiment.settings import SentimentSettings
from tasks.sentiment.task import SENTIMENT
from tasks.training.checkpoint import load_model
from tasks.training.runs import Run
from tasks.training.train import train
from tests.tasks.examples import sample_rows, write_csv
from tests.tasks.interruptions import interrupt_at

KOREAN = "이 영화는 처음부터 끝까지 눈을 뗄 수 없었다"
ENGLISH = "The plot was dull but the acting was superb"
SHORT = ("--epochs", "1", "--steps-per-epoch", "2")


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
    assert settings.network.wide_units == "characters"  # words of Korean carry several morphemes


@pytest.mark.parametrize(
    ("given", "rate"),
    [
        ({}, 4e-3),
        ({"pretrained": "runs/lm"}, 4e-3),
        ({"pretrained": "runs/lm", "fine_tuning": "gradual"}, 1e-3),
        ({"pretrained": "runs/lm", "lm_loss_weight": 0.1}, 1e-3),  # which is of use to a fine-tuning alone
        ({"pretrained": "runs/lm", "adversarial_epsilon": 0.02}, 1e-3),
        ({"adversarial_epsilon": 0.02}, 4e-3),
        ({"pretrained": "runs/lm", "fine_tuning": "gradual", "learning_rate": 0.5}, 0.5),
    ],
)
def test_the_layers_of_a_language_model_are_trained_with_a_lower_learning_rate(tmp_path, given, rate):
    settings, reasons = resolved(tmp_path, ENGLISH, 40, training=given)
    assert settings.training.learning_rate == rate
    assert (f"learning_rate={rate}" in reasons) == ("learning_rate" not in given)


@pytest.mark.parametrize(
    ("given", "patience"),
    [
        ({}, 3),
        ({"patience": 5}, 5),
        ({"patience": None}, None),
        ({"epochs": 20}, None),  # who asks for epochs gets them
        ({"steps_per_epoch": 1}, None),
        ({"monitor": "macro_f1"}, None),
        ({"pretrained": "runs/lm"}, None),
    ],
)
def test_the_patience_follows_from_the_other_settings(tmp_path, given, patience):
    settings, reasons = resolved(tmp_path, ENGLISH, 40, training=given)
    assert settings.training.patience == patience
    assert ("patience=3" in reasons) == (given == {})


def test_one_long_text_does_not_make_short_ones_long(tmp_path):
    rows = [(f"{index} {ENGLISH}", index % 2) for index in range(100)] + [("word " * 100_000, 0)]
    settings = SentimentSettings(data={"data": str(write_csv(tmp_path / "texts.csv", rows))})
    network = SENTIMENT.resolve(settings)[0].network
    assert (network.max_tokens, network.pool_size) == (400, 1)


def test_a_language_model_with_n_gram_vectors_is_fine_tuned(tmp_path):
    settings, _ = resolved(tmp_path, ENGLISH, 40, training={"pretrained": "runs/lm"}, network={"ngrams": 3})
    assert settings.training.fine_tuning == "gradual"


GIVEN = {
    "vocabulary": {"vocabulary_type": "bpe"},
    "network": {
        "max_tokens": 9,
        "pool_size": 1,
        "wide_ngrams": 0,
        "wide_units": "pieces",
        "wide_features": "tf_idf",
        "wide_min_texts": 1,
        "wide_share": 0.5,
    },
    "training": {"epochs": 1, "tokens_per_batch": 64, "fine_tuning": "off", "learning_rate": 0.1, "patience": None},
}


def test_without_an_automatic_setting_the_data_are_not_read():
    settings = SentimentSettings(data={"data": "missing.csv"}, **GIVEN)
    assert SENTIMENT.resolve(settings) == (settings, "")
    stopping = settings.model_copy(update={"training": settings.training.model_copy(update={"patience": "auto"})})
    assert SENTIMENT.resolve(stopping) == (settings, "")  # follows from the number of epochs


def test_nothing_is_said_where_nothing_that_counts_was_chosen(tmp_path):
    training = {**GIVEN["training"], "fine_tuning": "auto"}  # which is for language models
    settings, reasons = resolved(tmp_path, ENGLISH, 40, **{**GIVEN, "training": training})
    assert (settings.training.fine_tuning, reasons) == ("off", "")


def stored(folder):
    return json.loads((folder / "settings.json").read_text())


@pytest.mark.slow
def test_a_training_stops_when_the_loss_no_longer_falls(sentiment, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(automatic, "PATIENCE", 1)
    rows = [(f"{index * 7919 % 1000} {index * 104729 % 1000}", index * 31 % 7 % 2) for index in range(120)]  # noise
    data = write_csv(tmp_path / "noise.csv", rows)
    options = ("--units", "8", "--wide-ngrams", "0", "--learning-rate", "0.03")
    assert sentiment("train", "--data", data, "--run", tmp_path / "run", *options).code == 0
    epochs = Run(tmp_path / "run").history()
    assert len(epochs) < Run(tmp_path / "run").settings(SentimentSettings).training.epochs
    assert "no better val_loss for 1 epochs: stopped" in caplog.text
    losses = [row["val_loss"] for row in epochs]
    assert losses[-1] >= min(losses) == losses[-2]


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
    archives = [zipfile.ZipFile(Run(tmp_path / name).model_file) for name in ("a", "b")]
    for part in ("config.json", "metadata.json"):  # a date would make two equal runs different
        assert len({archive.read(part) for archive in archives}) == 1


@pytest.mark.parametrize(
    ("option", "value", "part"),
    [
        ("--epochs", "0", "greater than or equal to 1"),
        ("--wide-share", "2", "less than 1"),
        ("--pool-size", "17", "less than or equal to 16"),
        ("--max-tokens", "1000001", "less than or equal to 1000000"),
    ],
)
def test_a_value_out_of_range_is_one_short_error(sentiment, tmp_path, option, value, part):
    message = sentiment("train", "--run", tmp_path / "run", option, value).error()
    assert option in message and part in message and "pydantic" not in message
    name, group = option[2:].replace("-", "_"), "training" if option == "--epochs" else "network"
    (tmp_path / "settings.toml").write_text(f"[{group}]\n{name} = {value}\n")
    message = sentiment("train", "--run", tmp_path / "run", "--settings", tmp_path / "settings.toml").error()
    assert f"settings.toml: {group}.{name} {value}" in message and part in message


def test_data_without_training_texts_are_an_error(sentiment, tmp_path):
    write_csv(tmp_path / "data" / "test.csv", [("good", "yes"), ("bad", "no")])
    message = sentiment("train", "--run", tmp_path / "run", "--data", tmp_path / "data").error()
    assert "no split 'train'; its splits are: 'test'" in message


@pytest.mark.slow
def test_a_training_that_goes_on_from_a_run_has_its_values(small_tasks, tmp_path):
    """Of so many texts, the automatic number of texts for an n-gram would be another."""
    small = small_tasks["sentiment"]
    assert small.train(tmp_path / "initial", "--wide-ngrams", "2", *SHORT).code == 0
    before = stored(tmp_path / "initial")
    assert before["network"]["wide_min_texts"] == 1
    rows = sample_rows("sentiment", "train", ("text", "label"), 2600)
    groups = {name: dict(before[name]) for name in ("network", "recurrent", "vocabulary")}
    names = ("max_tokens", "pool_size", "wide_features", "wide_min_texts", "wide_share")
    groups["network"] |= dict.fromkeys(names, "auto")
    training = {"epochs": 1, "steps_per_epoch": 2, "initial_run": tmp_path / "initial"}
    data = {"data": write_csv(tmp_path / "more.csv", rows)}
    train(SENTIMENT, SentimentSettings(data=data, training=training, **groups), tmp_path / "run", verbose=0)
    after = stored(tmp_path / "run")
    groups["network"] |= {name: before["network"][name] for name in names if name != "wide_share"}
    groups["network"]["wide_share"] = after["network"]["wide_share"]
    assert {name: after[name] for name in groups} == groups
    assert load_model(Run(tmp_path / "run")).settings.wide_share == after["network"]["wide_share"]


@pytest.mark.slow
def test_resumed_with_the_stored_settings_the_share_is_chosen_too(small_tasks, tmp_path, monkeypatch):
    small, options = small_tasks["sentiment"], ("--wide-ngrams", "2", *SHORT)
    assert small.train(tmp_path / "undisturbed", *options).code == 0
    interrupt_at(monkeypatch, "on_train_batch_end", 0, 0, signal.SIGINT)
    small.train(tmp_path / "run", *options).error(130)
    answer = small.command("train", "--run", tmp_path / "run", "--settings", tmp_path / "run" / "settings.json")
    assert answer.code == 0, answer.err
    assert stored(tmp_path / "run") == stored(tmp_path / "undisturbed")
    assert stored(tmp_path / "run")["network"]["wide_share"] != 0.5
