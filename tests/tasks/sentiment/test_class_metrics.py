"""Figures of each class: in the evaluation, during training, and what they warn about."""

import csv
import json
import logging

import keras
import numpy as np
import pytest
from sklearn import metrics

from models.metrics import PathMacroF1
from tasks.sentiment import evaluate
from tasks.sentiment.evaluate import Classifications
from tasks.sentiment.metrics import class_metrics
from tasks.training.runs import Run

LABELS = ["bad", "good", "mixed", "never"]


@pytest.fixture
def outcome():
    """Answers to 500 texts of three classes, two of them rare; the fourth has no text."""
    chance = np.random.default_rng(0)
    true = chance.choice(3, 500, p=[0.1, 0.85, 0.05])
    probabilities = chance.dirichlet([0.5, 2.0, 0.5, 0.1], 500).astype(np.float32)
    return Classifications(true, probabilities, LABELS, examples=500, seconds=1.0)


def test_the_figures_of_a_class_are_those_of_scikit_learn(outcome):
    wanted = metrics.precision_recall_fscore_support(
        outcome.true, outcome.predicted, labels=range(4), zero_division=np.nan
    )
    found = class_metrics(outcome)
    assert list(found) == LABELS
    for index, name in enumerate(LABELS[:3]):
        assert list(found[name].values()) == pytest.approx([float(figures[index]) for figures in wanted])
    assert found["never"]["support"] == 0 and found["never"]["recall"] is found["never"]["f1"] is None
    json.dumps(found, allow_nan=False)


def test_a_class_that_is_never_predicted_has_no_precision_and_a_recall_of_zero():
    probabilities = np.array([[0.9, 0.1], [0.8, 0.2]], np.float32)
    found = class_metrics(Classifications(np.array([0, 1]), probabilities, ["a", "b"], examples=2, seconds=1.0))
    assert found["b"] == {"precision": None, "recall": 0.0, "f1": 0.0, "support": 1}


@pytest.mark.parametrize("wide_share", [0.0, 0.6])
def test_macro_f1_of_training_is_that_of_scikit_learn_over_any_batches(wide_share):
    chance = np.random.default_rng(1)
    labels = chance.choice(3, 300, p=[0.1, 0.8, 0.1])
    logits = chance.normal(size=(300, 2, 4)).astype(np.float32)
    metric = PathMacroF1(wide_share, 4)
    for part in np.array_split(np.arange(300), 7):
        metric.update_state(labels[part], logits[part])
    predicted = ((1 - wide_share) * logits[:, 0] + wide_share * logits[:, 1]).argmax(axis=1)
    wanted = metrics.f1_score(labels, predicted, average="macro", labels=[0, 1, 2])
    assert float(metric.result()) == pytest.approx(wanted, abs=1e-6)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(metric))
    assert again.get_config() == metric.get_config() and metric._direction == "up"


def test_the_printed_table_has_a_line_for_each_class_and_the_most_frequent_of_many(capsys, outcome):
    evaluate.print_classes(class_metrics(outcome))
    lines = capsys.readouterr().out.splitlines()[1:]
    assert lines[0].split() == ["class", "precision", "recall", "f1", "support"]
    assert [line.split()[0] for line in lines[1:]] == LABELS and lines[-1].split()[2:] == ["none", "none", "0"]
    many = {f"c{count}": {"precision": 1.0, "recall": 1.0, "f1": 1.0, "support": count} for count in range(1, 31)}
    evaluate.print_classes(many)
    lines = capsys.readouterr().out.splitlines()[2:]
    assert [line.split()[0] for line in lines] == [*(f"c{count}" for count in range(11, 31)), "and"]


@pytest.mark.slow
def test_a_training_with_unequal_classes_shows_what_accuracy_hides(sentiment, tmp_path, caplog):
    rows = [(f"a good film {i}", "common") for i in range(190)] + [(f"a good film {i} or", "rare") for i in range(10)]
    for split in ("train", "validation", "test"):
        with open(tmp_path / f"{split}.csv", "w", newline="") as file:
            csv.writer(file).writerows([("text", "label"), *rows])
    tiny = ["--units", "4", "--embedding-size", "4", "--max-tokens", "20", "--vocabulary-size", "60"]
    tiny += ["--wide-ngrams", "0"]
    few = ["--epochs", "2", "--steps-per-epoch", "2", "--monitor", "macro_f1"]
    trained = sentiment("train", "--data", tmp_path, "--run", tmp_path / "run", *tiny, *few)
    assert trained.code == 0, trained.err
    for row in Run(tmp_path / "run").history():
        assert row["val_accuracy"] == pytest.approx(0.95) and row["val_macro_f1"] == pytest.approx(0.4872, abs=1e-3)
    evaluated = sentiment("evaluate", "--run", tmp_path / "run")
    assert evaluated.code == 0, evaluated.err
    stored = json.loads((tmp_path / "run" / "evaluation.json").read_text())
    assert stored["classes"]["rare"] == {"precision": None, "recall": 0.0, "f1": 0.0, "support": 10}
    assert stored["macro_f1"] == pytest.approx(0.4872, abs=1e-3)
    assert "rare" in evaluated.out and "recall" in evaluated.out
    assert [
        one.getMessage() for one in caplog.records if one.levelno == logging.WARNING and "only one class" in one.msg
    ]
