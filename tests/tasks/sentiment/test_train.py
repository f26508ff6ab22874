"""Trainings of a few steps: what each option changes, and what a finished run contains."""

import json
import shutil

import numpy as np
import pytest

from models.classifier import Classifier
from tasks.training.checkpoint import load_model
from tasks.training.runs import Run
from tests.tasks.examples import TRAINED_WIDE_PATH

pytestmark = pytest.mark.slow


def kept(folder) -> Classifier:
    return load_model(Run(folder))


@pytest.mark.parametrize("cell", ["lstm", "gru", "simple_rnn"])
def test_each_cell_trains_and_leaves_a_complete_run(train, easy, tmp_path, cell):
    folder = tmp_path / "runs" / cell
    answer = train(folder, "--cell", cell, "--bidirectional", "--epochs", "5", "--learning-rate", "0.03", data=easy)
    assert answer.code == 0 and answer.out == f"{folder}\n"
    names = {path.name for path in folder.iterdir()}
    assert names == {
        *("settings.json", "vocabulary", "training_texts.npz", "request.json", "model.keras", "history.csv"),
        *("tensorboard", "plots"),
    }
    assert json.loads((folder / "settings.json").read_text())["recurrent"]["cell"] == cell
    assert (folder / "plots" / "learning_curves.png").stat().st_size > 1000
    layer = kept(folder).recurrent_layers[0].forward_layer
    assert type(layer).__name__.lower() == cell.replace("_", "")
    assert [row["epoch"] for row in Run(folder).history()] == [1, 2, 3, 4, 5]
    assert max(row["val_accuracy"] for row in Run(folder).history()) > 0.9


def test_the_same_settings_file_gives_the_same_weights_and_another_seed_others(sentiment, train, tmp_path):
    settings = tmp_path / "a" / "settings.json"
    options = ["--dropout", "0.2", "--epochs", "1"]
    assert train(tmp_path / "a", *options).code == 0
    assert sentiment("train", "--run", tmp_path / "b", "--settings", settings).code == 0
    assert sentiment("train", "--run", tmp_path / "c", "--settings", settings, "--seed", "1").code == 0
    first, again, other = (kept(tmp_path / name).get_weights() for name in "abc")
    assert all(np.array_equal(one, two) for one, two in zip(first, again, strict=True))
    assert not all(np.array_equal(one, two) for one, two in zip(first, other, strict=True))


def test_every_part_of_the_network_trains_at_once(train, tmp_path):
    answer = train(
        tmp_path / "a",
        *("--bidirectional", "--layers", "2", "--layer-dropout", "0.1"),
        *("--recurrent-dropout", "0.1", "--dropout", "0.1"),
        *("--ngrams", "3", "--ngram-dropout", "0.2", *TRAINED_WIDE_PATH, "--pooling", "attention"),
        *("--kernel-regularizer", "l2(0.001)", "--recurrent-constraint", "max_norm(2.0)"),
        *("--optimizer", "adamw", "--weight-decay", "0.01", "--global-clipnorm", "1", "--warmup-steps", "3"),
        *("--schedule", "cosine", "--ema-momentum", "0.9"),
        *("--label-smoothing", "0.1", "--class-weight", "balanced"),
    )
    assert answer.code == 0, answer.err
    assert all(np.isfinite(list(row.values())).all() for row in Run(tmp_path / "a").history())


def test_unroll_fixes_the_length(train, sentiment, tmp_path):
    answer = train(tmp_path / "a", "--unroll", "--max-tokens", "6", "--epochs", "1", "--cell", "simple_rnn")
    assert answer.code == 0, answer.err
    assert kept(tmp_path / "a").input_shape == (None, 6)
    assert sentiment("predict", "--run", tmp_path / "a", "a", "", "a long text " * 50).out.count("\n") == 3


# --- Classes and their weights --------------------------------------------------------------------------------------


def test_a_class_that_weighs_more_is_predicted_more(train, sentiment, reviews, tmp_path):
    numbers = []
    for name in ("negative", "positive"):
        folder = tmp_path / name
        assert train(folder, "--class-weight", f"{name}=9", "--epochs", "1").code == 0
        out = sentiment("predict", "--run", folder, *(text for text, _ in reviews[:50])).out
        numbers.append(out.count("positive\t"))
    assert numbers[0] < numbers[1]


def test_a_class_weight_for_an_unknown_class_names_the_classes(train, tmp_path):
    message = train(tmp_path / "a", "--class-weight", "nice=2").error()
    assert "'nice=2'" in message and "negative, positive" in message
    # Nothing was trained, so the same folder can be used at once.
    assert train(tmp_path / "a", "--class-weight", "positive=2", "--epochs", "1").code == 0


def test_numeric_labels_are_in_the_order_of_their_values(train, sentiment, write_csv, tmp_path):
    rows = [(f"word{index % 4} and {index}", (10, 9, -1, 2)[index % 4]) for index in range(300)]
    write_csv(tmp_path / "stars.csv", rows, header=("review", "stars"))
    columns = ["--text-column", "review", "--label-column", "stars"]
    answer = train(tmp_path / "a", *columns, data=tmp_path / "stars.csv")
    assert answer.code == 0, answer.err
    assert json.loads((tmp_path / "a" / "vocabulary" / "labels.json").read_text()) == ["-1", "2", "9", "10"]
    probabilities = json.loads(sentiment("predict", "--run", tmp_path / "a", "--json", "word1").out)["probabilities"]
    assert list(probabilities) == ["-1", "2", "9", "10"] and sum(probabilities.values()) == pytest.approx(1, abs=1e-5)


def test_fifty_classes_are_trained_and_evaluated(train, sentiment, write_csv, tmp_path):
    def rows(number):
        return [(f"subject {index % 50} {'x' * (index % 3)}", f"$^$ {index % 50} 반") for index in range(number)]

    for split, number in (("train", 500), ("validation", 100), ("test", 99)):
        write_csv(tmp_path / f"{split}.csv", rows(number))
    assert train(tmp_path / "a", "--class-weight", "balanced", "--epochs", "1", data=tmp_path).code == 0
    answer = sentiment("evaluate", "--run", tmp_path / "a", "--json")
    assert answer.code == 0, answer.err
    result = json.loads(answer.out)
    assert result["examples"] == 99 and 0 <= result["roc_auc"] <= 1
    assert (tmp_path / "a" / "plots" / "confusion_matrix.png").stat().st_size > 1000


def test_label_smoothing_raises_the_lowest_possible_loss(train, easy, tmp_path):
    options = ["--bidirectional", "--epochs", "5", "--learning-rate", "0.03", "--label-smoothing", "0.5"]
    assert train(tmp_path / "a", *options, data=easy).code == 0
    best = min(Run(tmp_path / "a").history(), key=lambda row: row["val_loss"])
    # The lowest possible loss with targets 0.75 and 0.25; without smoothing it would go to zero.
    assert best["val_accuracy"] > 0.9 and best["val_loss"] > -(0.75 * np.log(0.75) + 0.25 * np.log(0.25)) - 1e-3


# --- When training goes wrong ---------------------------------------------------------------------------------------


# Exploding gradients: with relu the state of a SimpleRNN grows from step to step.
EXPLODING = ["--cell", "simple_rnn", "--activation", "relu", "--optimizer", "sgd", "--learning-rate", "1e12"]


def test_a_training_that_diverges_says_what_to_try_and_keeps_usable_weights(train, sentiment, tmp_path):
    answer = train(tmp_path / "a", *EXPLODING)
    message = answer.error(code=1)
    for part in ("loss is ", "step ", "epoch 1", str(tmp_path / "a"), "--global-clipnorm 1.0", "--learning-rate"):
        assert part in message
    weights = kept(tmp_path / "a").get_weights()
    assert all(np.isfinite(value).all() for value in weights) and any(value.any() for value in weights)
    answer = sentiment("predict", "--run", tmp_path / "a", "--json", "A good film.")
    assert answer.code == 0 and 0.4 < json.loads(answer.out)["probability"] <= 1.0


def test_a_training_that_diverges_does_not_take_the_place_of_a_finished_run(train, sentiment, finished_run, tmp_path):
    shutil.copytree(finished_run, tmp_path / "a")
    before = Run(tmp_path / "a").model_file.read_bytes()
    message = train(tmp_path / "a", *EXPLODING, "--clipvalue", "1e30", "--overwrite").error(code=1)
    assert "clipvalue=1e+30" in message
    assert Run(tmp_path / "a").finished and Run(tmp_path / "a").model_file.read_bytes() == before
    where = message.split("; ")[1].split(" keeps")[0]
    assert sentiment("predict", "--run", where, "A good film.").code == 0


def test_none_unsets_an_option_of_a_settings_file(train, tmp_path):
    file = tmp_path / "settings.toml"
    file.write_text("[training]\npatience = 1\n")
    assert train(tmp_path / "run", "--settings", file, "--patience", "none", "--epochs", "1").code == 0
    assert json.loads((tmp_path / "run" / "settings.json").read_text())["training"]["patience"] is None
