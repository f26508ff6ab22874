"""Evaluation: the metrics against scikit-learn's on the run's own predictions, and the data they are computed on."""

import csv
import json

import numpy as np
import pytest
from sklearn import metrics

from tasks.sentiment import baseline
from tasks.sentiment.labels import LabelIds
from tasks.sentiment.settings import SentimentSettings
from tasks.sentiment.source import open_labelled_texts
from tasks.training.runs import Run

METRICS = {
    "accuracy",
    "baseline_accuracy",
    "training_overlap",
    "macro_f1",
    "roc_auc",
    "log_loss",
    "calibration_error",
    "truncated_texts",
    "loss",
    "examples",
    "seconds",
}


def standard(text):
    """Parses JSON as its standard has it: no NaN."""

    def refuse(word):
        raise AssertionError(f"{word} is no JSON")

    return json.loads(text, parse_constant=refuse)


def test_the_metrics_are_scikit_learns_on_the_runs_predictions(sentiment, finished_run, reviews, answers):
    answer = sentiment("evaluate", "--run", finished_run, "--json")
    assert answer.code == 0 and answer.out.count("\n") == 1
    result = standard(answer.out)
    assert set(result) == METRICS
    truth, guesses = [label for _, label in reviews], [answer["label"] for answer in answers]
    positive = np.array([answer["probabilities"]["positive"] for answer in answers], np.float64)
    assert len(set(guesses)) == 2
    assert result["examples"] == 1000
    assert result["accuracy"] == pytest.approx(metrics.accuracy_score(truth, guesses))
    assert result["macro_f1"] == pytest.approx(metrics.f1_score(truth, guesses, average="macro"))
    assert result["roc_auc"] == pytest.approx(metrics.roc_auc_score(np.array(truth) == "positive", positive), abs=1e-4)
    assert result["log_loss"] == pytest.approx(metrics.log_loss(np.array(truth) == "positive", positive), abs=1e-5)
    assert result["loss"] == result["log_loss"]
    stored = standard((finished_run / "evaluation.json").read_text())
    further = {name: stored[name] for name in ("data", "classes", "baseline")}
    assert stored == {"split": "test", **further, **result}
    for name in ("confusion_matrix", "reliability"):
        assert (Run(finished_run).plots / f"{name}.png").read_bytes().startswith(b"\x89PNG")


def test_without_json_each_metric_has_a_line_and_pictures_are_listed(sentiment, finished_run):
    lines = sentiment("evaluate", "--run", finished_run, "--split", "validation").out.splitlines()
    assert {line.split()[0] for line in lines if line} >= METRICS
    assert {line for line in lines if line.endswith(".png")} == set(map(str, Run(finished_run).plots.glob("*.png")))


def test_splits_join_and_for_an_unknown_one_the_known_are_named(sentiment, finished_run):
    def examples(split):
        return standard(sentiment("evaluate", "--run", finished_run, "--split", split, "--json").out)["examples"]

    assert examples("validation+test") == 1100
    message = sentiment("evaluate", "--run", finished_run, "--split", "tset").error()
    assert "'tset'" in message and "'train', 'validation', 'test'" in message


def test_a_single_file_is_read_whole(sentiment, finished_run, reviews, write_csv, tmp_path):
    path = write_csv(tmp_path / "more.csv", reviews[:70])
    result = standard(sentiment("evaluate", "--run", finished_run, "--data", path, "--json").out)
    assert result["examples"] == 70
    assert standard((finished_run / "evaluation.json").read_text())["data"] == str(path)
    drawn = standard(sentiment("evaluate", "--run", finished_run, "--data", path, "--split", "test", "--json").out)
    assert 0 < drawn["examples"] < 30
    message = sentiment("evaluate", "--run", finished_run, "--data", path, "--split", "tset").error()
    assert "no split 'tset'" in message


@pytest.mark.parametrize("texts", [["A C G", "T T A"], ["👍", "👎 !"], ["好 ! 1", "不 2"]])
def test_texts_without_a_word_of_two_letters_have_a_linear_model_of_characters(texts, write_csv, tmp_path):
    rows = [(f"{text} {number % 9}", label) for number in range(20) for text, label in zip(texts, "ab", strict=True)]
    settings = SentimentSettings(data={"data": str(write_csv(tmp_path / "a.csv", rows))})
    fitted = baseline.fit(open_labelled_texts(settings), LabelIds(["a", "b"]))
    assert fitted.features == "characters 1-4"


def test_a_file_with_one_of_the_classes_has_no_roc_auc(sentiment, finished_run, reviews, write_csv, tmp_path):
    path = write_csv(tmp_path / "one.csv", [row for row in reviews[:50] if row[1] == "positive"])
    result = standard(sentiment("evaluate", "--run", finished_run, "--data", path, "--json").out)
    assert result["roc_auc"] is None and 0 <= result["macro_f1"] <= 1
    assert "roc_auc" in sentiment("evaluate", "--run", finished_run, "--data", path).out


def test_an_unknown_label_is_named_with_file_and_line(sentiment, finished_run, reviews, write_csv, tmp_path):
    before = (finished_run / "evaluation.json").read_bytes()
    path = write_csv(tmp_path / "a.csv", [*reviews[:3], ("Nothing special.", "neutral")])
    message = sentiment("evaluate", "--run", finished_run, "--data", path).error()
    assert f"{path}:5:" in message and "'neutral'" in message and "negative, positive" in message
    assert (finished_run / "evaluation.json").read_bytes() == before


def test_blanks_around_a_label_do_not_matter(sentiment, finished_run, write_csv, tmp_path):
    path = write_csv(tmp_path / "a.csv", [("Fine.", " positive "), ("Bad.", "negative\t")])
    assert sentiment("evaluate", "--run", finished_run, "--data", path).code == 0


def test_the_most_confident_mistakes_are_a_table(sentiment, finished_run, reviews, answers):
    answer = sentiment("evaluate", "--run", finished_run)
    wrong = [
        (f"{given['probability']:.4f}", given["label"], label, text)
        for given, (text, label) in zip(answers, reviews, strict=True)
        if given["label"] != label
    ]
    wrong.sort(key=lambda row: float(row[0]), reverse=True)
    with open(finished_run / "mistakes.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == min(100, len(wrong)) > 5
    assert [row["probability"] for row in rows] == [row[0] for row in wrong[: len(rows)]]
    assert all((row["probability"], row["predicted"], row["label"], row["text"]) in wrong for row in rows)
    assert rows[0]["text"][:20] in answer.out and str(finished_run / "mistakes.csv") in answer.out


def test_another_file_may_have_columns_of_other_names(sentiment, finished_run, reviews, write_csv, tmp_path):
    file = write_csv(tmp_path / "other.csv", reviews[:20], header=("review", "verdict"))
    assert "'text'" in sentiment("evaluate", "--run", finished_run, "--data", file).error()
    columns = ("--text-column", "review", "--label-column", "verdict")
    answer = sentiment("evaluate", "--run", finished_run, "--data", file, *columns, "--json")
    assert standard(answer.out)["examples"] == 20
