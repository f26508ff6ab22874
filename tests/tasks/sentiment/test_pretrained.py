"""A classifier that begins with language models: their weights, its linear classifier, and what does not fit."""

import json
import re
import shutil
import signal
from pathlib import Path

import keras
import numpy as np
import pytest

from models.text import SentencePieceText
from tasks.sentiment.data import load_vocabulary
from tasks.sentiment.settings import SentimentSettings
from tasks.sentiment.task import SENTIMENT
from tasks.serving import inference
from tasks.training.checkpoint import load_model
from tasks.training.runs import Run
from tasks.training.train import train as train_in_python
from tests.tasks.conftest import written_once
from tests.tasks.examples import reviews, write_csv
from tests.tasks.interruptions import interrupt_at
from tests.tasks.sentiment.conftest import UNITS

pytestmark = pytest.mark.slow


@pytest.fixture(scope="session")
def forward(language_model) -> Path:
    return language_model("forward", "--layers", "2")


@pytest.fixture(scope="session")
def backward(language_model) -> Path:
    return language_model("backward", "--layers", "2", "--go-backwards", "--seed", "1")


@pytest.fixture(scope="session")
def trained(small_tasks, forward, backward) -> Path:
    """A finished run of both directions, for reading only."""
    small = small_tasks["sentiment"]

    def write(folder: Path) -> None:
        names = f"{forward},{backward}"
        answer = small.command("train", "--data", small.data, "--run", folder, "--pretrained", names)
        assert answer.code == 0, answer.err

    return written_once(small._folder / "pretrained", write)


def train(small_tasks, run: Path, *options, data=None):
    small = small_tasks["sentiment"]
    return small.command("train", "--data", data or small.data, "--run", run, *options)


def weights(run: Path) -> list[np.ndarray]:
    return load_model(Run(run)).get_weights()


def test_vocabulary_embedding_and_stack_are_those_of_the_language_models(trained, forward, backward):
    model, settings = load_model(Run(trained)), Run(trained).settings(SentimentSettings)
    for direction, run in zip(model.directions, (forward, backward), strict=True):
        other = load_model(Run(run))
        np.testing.assert_array_equal(direction.embedding.get_weights()[0], other.embedding.get_weights()[0])
        for layer, theirs in zip(direction.layers, other.recurrent_layers, strict=True):
            for ours, value in zip(layer.get_weights(), theirs.get_weights(), strict=True):
                np.testing.assert_array_equal(ours, value)
    name = "vocabulary/sentencepiece.model"
    assert (trained / name).read_bytes() == (forward / name).read_bytes()
    assert (settings.recurrent.units, settings.recurrent.layers, settings.network.embedding_size) == (UNITS, 2, 8)
    assert settings.vocabulary.vocabulary_size == 300 and settings.training.fine_tuning == "off"


def test_the_dense_layer_is_the_regularized_optimum_on_the_pooled_states(trained, corpus):
    """At the optimum the gradient of the summed log loss is that of the penalty, w / C."""
    model, run = load_model(Run(trained)), Run(trained)
    processor, labels = load_vocabulary(run.vocabulary)
    text = SentencePieceText(processor.serialized_model_proto(), run.settings(SentimentSettings).network.max_tokens)
    rows = reviews("train", 400)
    compute = keras.Function(model.inputs, [model.recurrent_logits.input, model.recurrent_logits.output])
    features, logits = (np.asarray(one, np.float64) for one in compute([text.ids([row[0] for row in rows])]))
    true = np.eye(len(labels))[[labels.index(row[1]) for row in rows]]
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    deviation = np.maximum(features.std(axis=0), 1e-6)
    gradient = ((features - features.mean(axis=0)) / deviation).T @ (true - probabilities)[:, 1]
    weight = (model.recurrent_logits.get_weights()[0] * deviation[:, None])[:, 1] * 2.0
    strength = weight @ gradient / (gradient @ gradient)
    np.testing.assert_allclose(weight, strength * gradient, atol=0.02 * np.abs(weight).max())
    assert (logits.argmax(axis=1) == true.argmax(axis=1)).mean() > 0.5


def test_a_run_is_evaluated_exported_and_explained_as_any_other(sentiment, trained, tmp_path):
    run, texts = shutil.copytree(trained, tmp_path / "run"), [text for text, _ in reviews("test", 60)]
    assert sentiment("evaluate", "--run", run, "--no-baseline", "--json").code == 0
    answers = list(inference.load(SENTIMENT, run).predict(texts))
    assert sentiment("export", "--run", run, "--to", tmp_path / "model").code == 0
    exported = list(inference.load(SENTIMENT, tmp_path / "model").predict(texts))
    assert [row["label"] for row in exported] == [row["label"] for row in answers]
    assert [row["probability"] for row in exported] == pytest.approx([row["probability"] for row in answers], abs=1e-5)
    before = Run(run).history()[0]  # validated before the training, which is not time of the training
    assert (before["epoch"], before["seconds"], before["tokens_per_second"]) == (0, 0, None)
    for options in ((), ("--direction", "backward", "--layer", "2")):
        explained = json.loads(sentiment("explain", "--run", run, texts[0], "--json", *options).out)
        assert len(explained["gates"]["state"]) == len(explained["tokens"]) == len(explained["contributions"])
    assert "no recurrent layer 3" in sentiment("explain", "--run", run, texts[0], "--layer", "3").error()


def test_interrupted_while_it_is_prepared_it_goes_on_without_the_language_model(
    small_tasks, trained, forward, backward, tmp_path, monkeypatch
):
    copies = [shutil.copytree(run, tmp_path / run.name) for run in (forward, backward)]
    names = ",".join(map(str, copies))
    interrupt_at(monkeypatch, "record_fitted", 0, 0, signal.SIGINT)
    train(small_tasks, tmp_path / "run", "--pretrained", names).error(130)
    for copy in copies:
        shutil.rmtree(copy)
    answer = train(small_tasks, tmp_path / "run", "--pretrained", names)
    assert answer.code == 0, answer.err
    for ours, theirs in zip(weights(tmp_path / "run"), weights(trained), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert not (tmp_path / "run" / "checkpoint").exists()


@pytest.mark.parametrize("ngrams", [(), ("--ngrams", "3", "--ngram-size", "4")])
def test_fine_tuning_is_kept_if_it_is_better_and_resumed_it_is_the_same(
    ngrams, small_tasks, forward, tmp_path, monkeypatch
):
    copy = shutil.copytree(forward, tmp_path / "lm")
    options = ("--pretrained", copy, "--fine-tuning", "gradual", "--epochs", "2", "--steps-per-epoch", "2")
    options += ("--dropout", "0.2", "--learning-rate", "0.02", "--lm-loss-weight", "0.1", *ngrams)
    assert train(small_tasks, tmp_path / "undisturbed", *options).code == 0
    interrupt_at(monkeypatch, "on_train_batch_end", 1, 0, signal.SIGINT)
    train(small_tasks, tmp_path / "run", *options).error(130)
    shutil.rmtree(copy)
    answer = train(small_tasks, tmp_path / "run", *options)
    assert answer.code == 0, answer.err
    one, two = (Run(tmp_path / name).history() for name in ("run", "undisturbed"))
    assert [row["epoch"] for row in one] == [0, 1, 2]
    assert [row["val_loss"] for row in one] == [row["val_loss"] for row in two]
    assert one[-1]["loss"] > one[-1]["val_loss"] + 0.2  # some nats per piece, times the weight
    assert (load_model(Run(tmp_path / "run")).ngrams is not None) == bool(ngrams)
    for ours, theirs in zip(weights(tmp_path / "run"), weights(tmp_path / "undisturbed"), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_in_python_the_settings_of_the_language_model_are_taken_over(small_tasks, forward, backward, trained, tmp_path):
    data = {"data": str(small_tasks["sentiment"].data)}
    settings = SentimentSettings(data=data, training={"pretrained": f"{forward},{backward}"})
    run = train_in_python(SENTIMENT, settings, tmp_path / "run", verbose=0)
    for ours, theirs in zip(weights(run.path), weights(trained), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_training_goes_on_from_such_a_run(small_tasks, trained, tmp_path):
    options = ("--initial-run", trained, "--steps-per-epoch", "1", "--epochs", "1", "--learning-rate", "1e-9")
    answer = small_tasks["sentiment"].command("train", "--run", tmp_path / "run", *options)
    assert answer.code == 0, answer.err
    for ours, theirs in zip(weights(tmp_path / "run"), weights(trained), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_test_texts_that_the_language_model_was_trained_on_are_counted(small_tasks, language_model, tmp_path, caplog):
    """Of the first 50 training texts, the language model was trained on about nine tenths."""
    for split, rows in {"train": reviews("train", 60), "validation": reviews("validation", 20)}.items():
        write_csv(tmp_path / "data" / f"{split}.csv", rows)
    write_csv(tmp_path / "data" / "test.csv", [*reviews("train", 50), *reviews("test", 50)])
    known = language_model("forward", "--layers", "2")
    answer = train(small_tasks, tmp_path / "run", "--pretrained", known, data=tmp_path / "data")
    assert answer.code == 0, answer.err
    [warning] = [line for line in caplog.messages if "without their labels" in line]
    count = int(re.search(r": (\d+) of 100 test texts", warning)[1])
    assert 35 < count <= 50 and f"({count}.0%) are among the texts that {known} (forward) was trained on" in warning
    results = small_tasks["sentiment"].command("evaluate", "--run", tmp_path / "run", "--no-baseline", "--json")
    assert json.loads(results.out)["pretrained_overlap"] == count / 100
    assert f"the language model has read {count} of 100 texts ({count}.0%)" in caplog.text


def test_texts_in_another_language_than_the_language_model_are_warned_of(small_tasks, forward, tmp_path, caplog):
    rows = [(f"정말 {word} 영화 {number}", label) for number in range(30) for word, label in (("좋은", 1), ("나쁜", 0))]
    data = write_csv(tmp_path / "korean.csv", rows)
    answer = train(small_tasks, tmp_path / "run", "--pretrained", forward, data=data)
    assert answer.code == 0, answer.err
    assert f"of the pieces of the training texts are unknown to the vocabulary of {forward}" in caplog.text


# --- what does not fit


@pytest.mark.parametrize(
    ("option", "value", "before"),
    [
        ("--units", "64", UNITS),  # the default of a classifier
        ("--vocabulary-size", "8000", 300),
        ("--embedding-size", "16", 8),
        ("--cell", "gru", "'lstm'"),
        ("--vocabulary-type", "char", "'unigram'"),
    ],
)
def test_a_setting_that_contradicts_the_language_model_is_an_error_with_both_values(
    small_tasks, forward, tmp_path, option, value, before
):
    message = train(small_tasks, tmp_path / "run", "--pretrained", forward, option, value).error()
    name, now = option[2:].replace("-", "_"), value if value.isdigit() else repr(value)
    assert f"--pretrained {forward}: {name} was {before} there and is now {now}" in message and option in message
    assert not (tmp_path / "run").exists()


def test_in_python_too(small_tasks, forward, tmp_path):
    from tasks.errors import UserError

    data = {"data": str(small_tasks["sentiment"].data)}
    settings = SentimentSettings(data=data, training={"pretrained": str(forward)}, recurrent={"units": 24})
    with pytest.raises(UserError, match=f"units was {UNITS} there and is now 24"):
        train_in_python(SENTIMENT, settings, tmp_path / "run", verbose=0)


def test_runs_that_are_no_language_model_of_pieces_are_refused(small_tasks, tmp_path):
    for name, part in (("chargen", "reads characters"), ("sentiment", "is a run of the task sentiment")):
        other = small_tasks[name].untrained_run
        assert f"--pretrained {other}: " in (message := train(small_tasks, tmp_path, "--pretrained", other).error())
        assert part in message
    assert "no such run" in train(small_tasks, tmp_path, "--pretrained", tmp_path / "none").error()


def test_an_unfinished_run_is_refused(small_tasks, forward, tmp_path):
    run = shutil.copytree(forward, tmp_path / "lm")
    (run / "checkpoint").mkdir()
    message = train(small_tasks, tmp_path / "run", "--pretrained", run).error()
    assert f"--pretrained {run}" in message and "is not finished" in message


def test_two_runs_that_do_not_fit_each_other_are_refused(small_tasks, forward, backward, language_model, tmp_path):
    def error(*runs) -> str:
        return train(small_tasks, tmp_path / "run", "--pretrained", ",".join(map(str, runs))).error()

    second = shutil.copytree(forward, tmp_path / "second")
    assert "both read forward" in error(forward, second)
    assert "twice" in error(forward, forward)
    other = shutil.copytree(backward, tmp_path / "other")
    settings = json.loads((other / "settings.json").read_text())
    settings["recurrent"]["units"] = 99
    (other / "settings.json").write_text(json.dumps(settings))
    assert f"units is {UNITS} and 99" in error(forward, other)
    vocabulary = other / "vocabulary" / "sentencepiece.model"
    vocabulary.write_bytes(vocabulary.read_bytes() + b"\0")
    assert "their vocabularies differ" in error(other, forward)
    assert "expected one run, or two" in error(forward, backward, second)


def test_the_loss_of_a_language_model_is_for_fine_tuning(small_tasks, forward, tmp_path):
    options = ("--lm-loss-weight", "0.1", "--fine-tuning", "off")
    message = train(small_tasks, tmp_path / "run", "--pretrained", forward, *options).error()
    assert "lm_loss_weight=0.1" in message and "--fine-tuning gradual" in message
    assert "add --pretrained" in train(small_tasks, tmp_path / "run", "--lm-loss-weight", "0.1").error()


@pytest.mark.parametrize("other", [("--fine-tuning", "off"), ("--lm-loss-weight", "0.1")])
def test_adversarial_training_is_for_fine_tuning_without_a_second_loss(other, small_tasks, forward, tmp_path):
    options = ("--pretrained", forward, "--adversarial-epsilon", "0.02", *other)
    message = train(small_tasks, tmp_path / "run", *options).error()
    assert "adversarial_epsilon=0.02" in message and other[0].removeprefix("--").replace("-", "_") in message
    assert "greater than or equal to 0" in train(small_tasks, tmp_path / "run", "--adversarial-epsilon", "-1").error()


@pytest.mark.parametrize("other", [("--fine-tuning", "off"), ("--lm-loss-weight", "0.1")])
def test_n_gram_vectors_are_for_fine_tuning_without_the_loss_of_a_backward_language_model(
    other, small_tasks, forward, backward, tmp_path
):
    options = ("--pretrained", f"{forward},{backward}", "--ngrams", "3", *other)
    message = train(small_tasks, tmp_path / "run", *options).error()
    assert "ngrams=3" in message and other[0].removeprefix("--").replace("-", "_") in message


def test_weights_begin_in_one_way(small_tasks, forward, finished_run, tmp_path):
    message = train(small_tasks, tmp_path / "run", "--pretrained", forward, "--initial-run", finished_run).error()
    assert "pretrained=" in message and "does not go with initial_run=" in message and "None" not in message
    assert "add --pretrained" in train(small_tasks, tmp_path / "run", "--fine-tuning", "gradual").error()


@pytest.mark.parametrize("option", [("--pool-size", "2"), ("--unroll",), ("--no-return-sequences",)])
def test_options_that_such_a_network_does_not_have_are_named(small_tasks, forward, tmp_path, option):
    assert (
        option[0].replace("--no-", "--")[2:].replace("-", "_")
        in train(small_tasks, tmp_path / "run", "--pretrained", forward, *option).error()
    )
