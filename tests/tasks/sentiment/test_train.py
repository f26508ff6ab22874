"""Trainings of a few steps: what each option does to them, and what is in the run that they leave."""

import csv
import gzip
import json

import keras
import numpy as np
import pytest

from models.classifier import PathCrossentropy
from tasks.data import bucketing as batching
from tasks.errors import UserError
from tasks.sentiment import data
from tasks.training.runs import Run

WORDS = {"bad": "no", "awful": "no", "good": "yes", "lovely": "yes"}


@pytest.fixture(scope="module")
def easy(tmp_path_factory, write_csv):
    """A folder of reviews whose label follows from one word."""
    folder = tmp_path_factory.mktemp("easy")
    for split, number in (("train", 160), ("validation", 40)):
        words = [list(WORDS)[index % 4] for index in range(number)]
        write_csv(folder / f"{split}.csv", [(f"a {word} film", WORDS[word]) for word in words])
    return folder


def kept(folder) -> keras.Model:
    return keras.saving.load_model(Run(folder).model_file, compile=False)


def history(folder) -> list[dict[str, float]]:
    with open(Run(folder).history_file, newline="") as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]


@pytest.mark.parametrize("cell", ["lstm", "gru", "simple_rnn"])
def test_each_cell_trains_and_leaves_a_whole_run(train, easy, tmp_path, cell):
    folder = tmp_path / "runs" / cell
    answer = train(folder, "--cell", cell, "--epochs", "5", "--learning-rate", "0.03", data=easy)
    assert answer.code == 0 and answer.out == f"{folder}\n"
    names = {path.name for path in folder.iterdir()}
    assert names == {"settings.json", "vocabulary", "model.keras", "history.csv", "tensorboard", "plots"}
    assert json.loads((folder / "settings.json").read_text())["recurrent"]["cell"] == cell
    assert (folder / "plots" / "learning_curves.png").stat().st_size > 1000
    layer = kept(folder).get_layer("recurrent_1").forward_layer
    assert type(layer).__name__.lower() == cell.replace("_", "")
    assert [row["epoch"] for row in history(folder)] == [1, 2, 3, 4, 5]
    assert max(row["val_accuracy"] for row in history(folder)) > 0.9


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
        *("--layers", "2", "--recurrent-dropout", "0.1", "--dropout", "0.1", "--layer-dropout", "0.1"),
        *("--ngrams", "3", "--ngram-dropout", "0.2", "--wide-ngrams", "2", "--pooling", "attention"),
        *("--kernel-regularizer", "l2(0.001)", "--recurrent-constraint", "max_norm(2.0)"),
        *("--optimizer", "adamw", "--weight-decay", "0.01", "--global-clipnorm", "1", "--warmup-steps", "3"),
        *("--schedule", "cosine", "--average-weights", "0.9"),
        *("--label-smoothing", "0.1", "--class-weights", "balanced"),
    )
    assert answer.code == 0, answer.err
    assert all(np.isfinite(list(row.values())).all() for row in history(tmp_path / "a"))


def test_unroll_fixes_the_length(train, sentiment, tmp_path):
    answer = train(tmp_path / "a", "--unroll", "--max-tokens", "6", "--epochs", "1", "--cell", "simple_rnn")
    assert answer.code == 0, answer.err
    assert kept(tmp_path / "a").input_shape == (None, 6)
    assert sentiment("predict", "--run", tmp_path / "a", "a", "", "a long text " * 50).out.count("\n") == 3


# --- Classes and their weights --------------------------------------------------------------------------------------


def test_the_weights_of_classes():
    labels, counts = ["a", "b", "c=d"], np.array([10, 30, 20])
    assert data.class_weights(None, labels, counts).tolist() == [1, 1, 1]
    assert data.class_weights("balanced", labels, counts) == pytest.approx([2.0, 2 / 3, 1.0])
    assert data.class_weights("b=2.5, c=d=4", labels, counts).tolist() == [1, 2.5, 4]
    for wrong in ("e=2", "a", "a=many", "a=2,,", "a=-1", "a=nan", "a=inf"):
        with pytest.raises(UserError, match="--class-weights"):
            data.class_weights(wrong, labels, counts)


def test_each_example_of_a_batch_weighs_what_its_class_does(tmp_path):
    sequences = [([index + 1] * (1 + index % 5), index % 3) for index in range(30)]
    store = batching.SequenceStore.write(tmp_path / "train", sequences, 100)
    buckets = batching.length_buckets(store.lengths, 16)
    batches = data.training_batches(
        store, buckets, np.float32([1, 2, 3]), seed=0, epoch=0, step=0, length=None, with_labels=False
    )
    for ids, labels, weights in batches.take(8).as_numpy_iterator():
        assert weights.tolist() == (labels + 1).tolist()
        assert labels.tolist() == ((ids[:, 0] - 1) % 3).tolist()


def test_a_class_that_weighs_more_is_predicted_more(train, sentiment, reviews, tmp_path):
    numbers = []
    for name in ("negative", "positive"):
        folder = tmp_path / name
        assert train(folder, "--class-weights", f"{name}=9", "--epochs", "1").code == 0
        out = sentiment("predict", "--run", folder, *(text for text, _ in reviews[:50])).out
        numbers.append(out.count("positive\t"))
    assert numbers[0] < numbers[1]


def test_a_class_weight_for_an_unknown_class_names_the_classes(train, tmp_path):
    message = train(tmp_path / "a", "--class-weights", "nice=2").error()
    assert "'nice=2'" in message and "negative, positive" in message
    # The mistake can be mended at once: nothing was trained.
    assert train(tmp_path / "a", "--class-weights", "positive=2", "--epochs", "1").code == 0


def test_numeric_labels_are_in_the_order_of_their_values(train, sentiment, write_csv, tmp_path):
    rows = [(f"word{index % 4} and {index}", (10, 9, -1, 2)[index % 4]) for index in range(300)]
    write_csv(tmp_path / "stars.csv", rows, header=("review", "stars"))
    columns = ["--text-column", "review", "--label-column", "stars"]
    answer = train(tmp_path / "a", *columns, data=tmp_path / "stars.csv")
    assert answer.code == 0, answer.err
    assert json.loads((tmp_path / "a" / "vocabulary" / "labels.json").read_text()) == ["-1", "2", "9", "10"]
    probabilities = json.loads(sentiment("predict", "--run", tmp_path / "a", "--json", "word1").out)["probabilities"]
    assert list(probabilities) == ["-1", "2", "9", "10"] and sum(probabilities.values()) == pytest.approx(1, abs=1e-5)


def test_fifty_classes_train_and_are_evaluated(train, sentiment, write_csv, tmp_path):
    def rows(number):
        return [(f"subject {index % 50} {'x' * (index % 3)}", f"$^$ {index % 50} 반") for index in range(number)]

    for split, number in (("train", 500), ("validation", 100), ("test", 99)):
        write_csv(tmp_path / f"{split}.csv", rows(number))
    assert train(tmp_path / "a", "--class-weights", "balanced", "--epochs", "1", data=tmp_path).code == 0
    answer = sentiment("evaluate", "--run", tmp_path / "a", "--json")
    assert answer.code == 0, answer.err
    result = json.loads(answer.out)
    assert result["examples"] == 99 and 0 <= result["roc_auc"] <= 1
    assert (tmp_path / "a" / "plots" / "confusion_matrix.png").stat().st_size > 1000


def test_label_smoothing_spreads_the_target():
    logits, labels = np.float32([[[2.0, -1.0, 0.5]], [[0.0, 0.0, 9.0]]]), np.int32([0, 1])
    for share in (0.0, 0.3):
        ours = PathCrossentropy(share, reduction="none")(labels, logits)
        kerass = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=share, reduction="none")
        assert np.allclose(ours, kerass(np.eye(3, dtype=np.float32)[labels], logits[:, 0]), atol=1e-6)


def test_label_smoothing_reaches_the_training(train, easy, tmp_path):
    options = ["--epochs", "5", "--learning-rate", "0.03", "--label-smoothing", "0.5"]
    assert train(tmp_path / "a", *options, data=easy).code == 0
    best = min(history(tmp_path / "a"), key=lambda row: row["val_loss"])
    # The least that a loss with targets 0.75 and 0.25 can be; without smoothing it would go to zero.
    assert best["val_accuracy"] > 0.9 and best["val_loss"] > -(0.75 * np.log(0.75) + 0.25 * np.log(0.25)) - 1e-3


# --- Word vectors -----------------------------------------------------------------------------------------------------

VECTORS = {"good": np.arange(8) / 8, "BAD": -np.ones(8), "film": np.full(8, 0.25), "unheard": np.zeros(8)}


@pytest.mark.parametrize("name", ["a.vec", "a.vec.gz"])
def test_word_vectors_begin_the_embedding(train, easy, tmp_path, name):
    lines = [f"{word} {' '.join(map(str, vector))}\n" for word, vector in VECTORS.items()]
    text = "".join([f"{len(lines)} 8\n", *lines]).encode()
    (tmp_path / name).write_bytes(gzip.compress(text) if name.endswith("gz") else text)
    options = ["--vocabulary-type", "word", "--vectors", tmp_path / name, "--learning-rate", "1e-12", "--epochs", "1"]
    answer = train(tmp_path / "a", *options, data=easy)
    assert answer.code == 0, answer.err
    processor, _ = data.load_vocabulary(tmp_path / "a" / "vocabulary")
    table = kept(tmp_path / "a").get_layer("embedding").get_weights()[0]
    for word in ("good", "film"):
        assert np.allclose(table[processor.piece_to_id(f"\u2581{word}")], VECTORS[word], atol=1e-6)
    others = table[processor.piece_to_id("\u2581lovely")]
    assert 0.01 < others.std() < 2.0 and not np.allclose(table[processor.piece_to_id("\u2581bad")], VECTORS["BAD"])


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        (None, ["--vectors", "no such file"]),
        ("1 4\ngood 1 2 3 4\n", ["a.vec:2:", "4 numbers and not 8", "--embedding-size"]),
        ("1 8\ngood 1 2 3 4 5 6 7 eight\n", ["a.vec:2:", "number"]),
        ("1 8\nunheard 1 2 3 4 5 6 7 8\n", ["a.vec", "none of the vocabulary"]),
        ("", ["a.vec", "none of the vocabulary"]),
    ],
)
def test_vectors_that_cannot_be_used_are_named(train, easy, tmp_path, content, parts):
    if content is not None:
        (tmp_path / "a.vec").write_text(content)
    message = train(tmp_path / "a", "--vectors", tmp_path / "a.vec", "--vocabulary-type", "word", data=easy).error()
    for part in parts:
        assert part in message


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


def test_a_training_that_diverges_does_not_take_the_place_of_a_finished_run(train, sentiment, tmp_path):
    assert train(tmp_path / "a", "--epochs", "1").code == 0
    before = Run(tmp_path / "a").model_file.read_bytes()
    message = train(tmp_path / "a", *EXPLODING, "--clipvalue", "1e30", "--overwrite").error(code=1)
    assert "clipvalue=1e+30" in message
    assert Run(tmp_path / "a").finished and Run(tmp_path / "a").model_file.read_bytes() == before
    where = message.split("; ")[1].split(" keeps")[0]
    assert sentiment("predict", "--run", where, "A good film.").code == 0


def test_a_class_that_was_drawn_for_validation_whole_is_named(train, write_csv, tmp_path):
    rows = [(f"text number {index}", ("good", "bad")[index % 2]) for index in range(200)]
    alone = [(f"rare text {index}", f"rare {index}") for index in range(30)]  # some fall to validation
    file = write_csv(tmp_path / "rare.csv", [*rows, *alone])
    message = train(tmp_path / "run", data=file).error()
    assert "'rare " in message and "--validation-fraction" in message


def test_none_unsets_an_option_of_a_settings_file(train, tmp_path):
    file = tmp_path / "settings.toml"
    file.write_text("[training]\npatience = 1\n")
    assert train(tmp_path / "run", "--settings", file, "--patience", "none", "--epochs", "1").code == 0
    assert json.loads((tmp_path / "run" / "settings.json").read_text())["training"]["patience"] is None
