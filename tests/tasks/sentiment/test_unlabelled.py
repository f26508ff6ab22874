"""From texts without labels to a classifier in one command: `train --unlabelled`."""

import logging
import shutil
import signal
from pathlib import Path

import numpy as np
import pandas
import pytest

from tasks.chargen.settings import ChargenSettings
from tasks.errors import UserError
from tasks.sentiment.settings import SentimentSettings
from tasks.sentiment.task import SENTIMENT
from tasks.training import language_models, unlabelled
from tasks.training.checkpoint import load_model
from tasks.training.runs import Run
from tasks.training.train import train as train_in_python
from tests.tasks.conftest import written_once
from tests.tasks.examples import reviews, write_csv
from tests.tasks.interruptions import interrupt_at

SIZES = ("--units", "8", "--embedding-size", "8", "--vocabulary-size", "300", "--lm-epochs", "1")


@pytest.fixture(scope="session")
def texts(small_tasks) -> Path:
    """500 texts in a column with another name than that of the labelled texts, which has their test texts too."""

    def write(folder: Path) -> None:
        rows = [(text,) for text, _ in [*reviews("train", 400), *reviews("test", 100)]]
        write_csv(folder / "texts.csv", rows, ("body",))

    return written_once(small_tasks["sentiment"]._folder / "unlabelled", write) / "texts.csv"


@pytest.fixture(scope="session")
def trained(small_tasks, texts) -> Path:
    """A finished run of both directions, for reading only; its language models are beside it."""

    def write(folder: Path) -> None:
        answer = train(small_tasks, folder / "run", texts, "--bidirectional")
        assert answer.code == 0, answer.err

    return written_once(small_tasks["sentiment"]._folder / "of-unlabelled", write) / "run"


def train(small_tasks, run: Path, source, *options, data=None):
    small = small_tasks["sentiment"]
    fixed = ("--data", data or small.data, "--run", run, "--unlabelled", source, *SIZES)
    column = ("--unlabelled-column", "body") if str(source).endswith("texts.csv") else ()
    return small.command("train", *fixed, *column, *options)


def weights(run: Path) -> list[np.ndarray]:
    return load_model(Run(run)).get_weights()


def assert_same_weights(one: Path, two: Path) -> None:
    for ours, theirs in zip(weights(one), weights(two), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def lm(run: Path, backward: bool = False) -> Path:
    return run.with_name(f"{run.name}-lm{'-backward' * backward}")


@pytest.mark.slow
def test_the_language_models_are_beside_the_run_which_begins_with_them(small_tasks, trained, tmp_path):
    """The same as in two steps; they are ordinary runs with the settings of the recipe and the sizes that are given."""
    model = load_model(Run(trained))
    for direction, backward in zip(model.directions, (False, True), strict=True):
        settings = Run(lm(trained, backward)).open_finished("chargen", ChargenSettings)
        assert (settings.recurrent.units, settings.recurrent.go_backwards) == (8, backward)
        assert settings.training.softmax_samples == 1024 and settings.network.tied_embeddings
        other = load_model(Run(lm(trained, backward)))
        np.testing.assert_array_equal(direction.embedding.get_weights()[0], other.embedding.get_weights()[0])
    names = f"{lm(trained)},{lm(trained, True)}"
    assert Run(trained).settings(SentimentSettings).training.pretrained == names
    data = ("--data", small_tasks["sentiment"].data)
    answer = small_tasks["sentiment"].command("train", *data, "--pretrained", names, "--run", tmp_path / "run")
    assert answer.code == 0, answer.err
    assert_same_weights(tmp_path / "run", trained)


@pytest.mark.slow
def test_interrupted_in_each_step_it_continues_and_ends_with_the_same_weights(
    small_tasks, texts, trained, tmp_path, monkeypatch, caplog
):
    run, options = tmp_path / "run", ("--bidirectional",)
    with monkeypatch.context() as patch:
        interrupt_at(patch, "on_train_batch_end", 0, 1, signal.SIGINT)  # in the forward language model
        message = train(small_tasks, run, texts, *options).error(130)
        assert "the same command resumes it" in message and Run(lm(run)).state_file.exists()
    with monkeypatch.context() as patch:
        interrupt_at(patch, "record_fitted", 0, 0, signal.SIGTERM)  # in the classifier
        train(small_tasks, run, texts, *options).error(143)
    warned = [line for line in caplog.messages if "test texts" in line]
    assert warned and not any(f"that {lm(run, True)} was trained on" in line for line in warned)  # they are the same
    assert "of about 500" not in caplog.text and "about 1 min on two CPU cores" in caplog.text
    for backward in (False, True):  # not needed any more
        assert_same_weights(lm(run, backward), lm(trained, backward))
        shutil.rmtree(lm(run, backward))
    answer = train(small_tasks, run, texts, *options)
    assert answer.code == 0, answer.err
    assert_same_weights(run, trained)
    assert not lm(run).exists() and "finished already" in train(small_tasks, run, texts, *options).error()
    assert not lm(run).exists()


@pytest.mark.slow
def test_a_finished_language_model_is_used_by_several_classifiers(
    small_tasks, texts, trained, contents, tmp_path, caplog
):
    """In Python too; what it was trained with is not asked for again."""
    before = contents(lm(trained))
    training = {"unlabelled": texts, "pretrained": lm(trained), "lm_epochs": 2}
    settings = SentimentSettings(data={"data": str(small_tasks["sentiment"].data)}, training=training)
    caplog.set_level(logging.INFO)
    run = train_in_python(SENTIMENT, settings, tmp_path / "run", verbose=0)
    assert run.settings(SentimentSettings).recurrent.units == 8 and contents(lm(trained)) == before
    assert f"the language model {lm(trained)} is finished" in caplog.text
    assert f"--lm-epochs 2 has no effect: the language model {lm(trained)} was trained with --epochs 1" in caplog.text
    known = [line for line in caplog.messages if "test texts" in line]
    assert len(known) == 1 and "of 1,000 test texts" in known[0] and f"among the texts that {lm(trained)}" in known[0]
    count = int(known[0].split(": ")[1].split(" of ")[0])
    assert 80 < count <= 100  # of the 100 that the language model has read, without those that it was validated on
    message = train(small_tasks, tmp_path / "other", texts, "--units", "16", "--pretrained", lm(trained)).error()
    assert "units was 8 there and is now 16" in message
    for option, value, before in (("--unlabelled-column", "x", "body"), ("--unlabelled-splits", "test", "train")):
        message = train(small_tasks, tmp_path / "other", texts, option, value, "--pretrained", lm(trained)).error()
        assert (
            f"{option} {value}: the language model {lm(trained)} is finished, and was trained on {before};" in message
        )
    message = train(small_tasks, tmp_path / "other", "sample.csv", "--pretrained", lm(trained)).error()
    assert f"is finished, and was trained on {texts}; leave out --unlabelled" in message
    assert not (tmp_path / "other").exists()


@pytest.mark.slow
def test_before_the_training_of_a_language_model_texts_that_do_not_fit_are_warned_of(
    small_tasks, tmp_path, monkeypatch, caplog
):
    """Training texts of another language, and test texts that are among the texts without labels."""
    cyrillic = [(f"{word} фильм {number}", word) for number in range(60) for word in ("хороший", "плохой")]
    for split, rows in {"train": cyrillic, "validation": cyrillic[:9], "test": reviews("test", 60)}.items():
        write_csv(tmp_path / "data" / f"{split}.csv", rows)
    lines = tmp_path / "lines.txt"
    lines.write_text("".join(f"{text}\n" for text, _ in [*reviews("train", 300), *reviews("test", 60)]))
    interrupt_at(monkeypatch, "on_train_batch_end", 0, 0, signal.SIGINT)
    train(small_tasks, tmp_path / "run", lines, data=tmp_path / "data").error(130)
    name = lm(tmp_path / "run")
    assert f"of the pieces of the training texts are unknown to the vocabulary of {name}" in caplog.text
    assert "of 60 test texts" in caplog.text and f"among the texts that {name} was trained on" in caplog.text
    assert Run(name).settings(ChargenSettings).data.records == "lines"


@pytest.mark.slow
def test_texts_that_change_after_a_language_model_was_trained_on_them_are_noticed(
    small_tasks, texts, tmp_path, monkeypatch
):
    source, run = tmp_path / "texts.csv", tmp_path / "run"
    shutil.copy(texts, source)
    with monkeypatch.context() as patch:
        interrupt_at(patch, "record_fitted", 0, 0, signal.SIGTERM)  # in the classifier
        train(small_tasks, run, source).error(143)
    content = source.read_bytes()
    source.write_bytes(content.replace(b"e", b"o"))
    changed = f"--unlabelled {source}: {source} has changed since the language model {lm(run)} was trained;"
    message = train(small_tasks, run, source).error()
    assert changed in message and f"remove {run} and {lm(run)}" in message
    message = train(small_tasks, tmp_path / "other", source, "--pretrained", lm(run)).error()
    assert changed in message and f"remove {lm(run)};" in message and f"with --pretrained {lm(run)}" in message
    assert not (tmp_path / "other").exists() and Run(lm(run)).finished
    source.unlink()
    shutil.rmtree(lm(run))  # neither is needed any more
    assert train(small_tasks, run, source).code == 0


# --- what the language model is trained on


def planned(source, data="sample", *, text_column=None, encoding=None, **training) -> ChargenSettings:
    data = {"data": data, "text_column": text_column, "encoding": encoding}
    settings = SentimentSettings(data=data, training={"unlabelled": source, **training})
    [model] = language_models.planned_models(SENTIMENT, unlabelled.planned(settings, "runs/x"), with_splits=True)
    assert model.name == "runs/x-lm"
    return model.settings


def test_rows_of_tables_and_lines_of_files_and_files_of_classes_are_texts(tmp_path):
    table = write_csv(tmp_path / "rows.csv", [("a b", "x")])
    (tmp_path / "tabs.txt").write_text("text\tlabel\na b\tx\n")
    for source in (table, tmp_path / "tabs.txt"):
        assert (planned(source).data.text_column, planned(source).data.records) == ("text", None)
    (tmp_path / "lines.txt").write_text("one\ntwo\n")
    lines = planned(tmp_path / "lines.txt").data
    assert (lines.text_column, lines.records) == (None, "lines")
    for place in ("train/pos", "train/neg", "train/unsup", "test/pos", "test/neg"):
        (tmp_path / "reviews" / place).mkdir(parents=True)
        (tmp_path / "reviews" / place / "1.txt").write_text("one\n")
    assert planned(tmp_path / "reviews").data.splits == "train+unsupervised"
    assert planned(tmp_path / "reviews", unlabelled_splits="unsupervised").data.splits == "unsupervised"
    assert Path(planned("sample").data.data).name == "sentiment" and planned("sample").data.test_fraction == 0


def test_texts_in_memory_need_no_option_of_files_and_only_their_column_counts():
    frame = pandas.DataFrame({"body": ["one", "two"], "seen": [0, 0]})
    labelled = {"data": "sample", "text_column": "body", "encoding": "utf-16"}
    for source in (frame, ["one", "two"], "sample"):  # the encoding is that of the labelled texts
        assert planned(source, **labelled).data.encoding is None

    def asked(column: str, **options) -> dict:
        changed = frame.assign(**{column: ["three", "four"]})
        settings = SentimentSettings(data={"text_column": "body"}, training={"unlabelled": changed, **options})
        return unlabelled.planned(settings, "runs/x").model_dump(mode="json")["training"]["unlabelled"]

    assert asked("seen") == asked("other") != asked("body")
    assert asked("other", unlabelled_column="other") != asked("seen", unlabelled_column="seen")
    with pytest.raises(UserError, match=r"give them again as data, .* with --unlabelled$"):
        planned("memory:DataFrame of 2 rows, body")


def test_sizes_are_those_of_the_recipe_unless_they_are_given_in_python_too():
    training = {"unlabelled": "sample"}
    settings = unlabelled.planned(SentimentSettings(training=training), "runs/x")
    assert (settings.recurrent.units, settings.recurrent.bidirectional, settings.network.embedding_size) == (
        512,
        False,
        256,
    )
    given = {"units": 64, "bidirectional": True}  # the defaults of a classifier
    settings = unlabelled.planned(SentimentSettings(training=training, recurrent=given), "runs/x")
    assert (settings.recurrent.units, settings.training.pretrained) == (64, "runs/x-lm,runs/x-lm-backward")
    forward, backward = language_models.planned_models(SENTIMENT, settings, with_splits=True)
    assert (forward.settings.recurrent.go_backwards, backward.settings.recurrent.go_backwards) == (False, True)
    assert forward.settings.recurrent.units == 64 and forward.settings.training.epochs == "auto"


# --- what is refused, before anything is trained


@pytest.mark.parametrize(
    ("options", "part"),
    [
        (("--unlabelled", "nowhere.csv"), "'nowhere.csv': no such file"),
        (("--unlabelled", "{texts}"), "has no column 'text'"),
        (("--unlabelled", "{texts}", "--unlabelled-column", "review"), "--unlabelled-column"),
        (("--unlabelled", "{texts}", "--unlabelled-column", "body", "--unlabelled-splits", "train+x"), "train+x"),
        (("--unlabelled", "{empty}"), "empty.txt: every line is empty or blank"),
        (("--unlabelled", "{blank}"), "blank.csv: every text of its training split is empty or blank"),
        (("--unlabelled", "{texts}", "--vectors", "words.vec"), "vectors=words.vec does not go with unlabelled"),
        (("--unlabelled", "{texts}", "--pooling", "attention"), "pooling=attention does not go with unlabelled"),
        (("--unlabelled", "{texts}", "--pretrained", "a,b", "--no-bidirectional"), "add --bidirectional"),
        (("--unlabelled-column", "text"), "add --unlabelled"),
        (("--lm-epochs", "3"), "add --unlabelled"),
    ],
)
def test_what_cannot_be_used_is_named_in_one_message(small_tasks, texts, tmp_path, options, part):
    (tmp_path / "empty.txt").write_text("")
    write_csv(tmp_path / "blank.csv", [(" ",)] * 50, ("text",))
    files = {"texts": texts, "empty": tmp_path / "empty.txt", "blank": tmp_path / "blank.csv"}
    small = small_tasks["sentiment"]
    given = [option.format(**files) for option in options]
    message = small.command("train", "--data", small.data, "--run", tmp_path / "run", *given).error()
    assert part in message
    assert not Run(lm(tmp_path / "run")).model_file.exists()


def test_a_comparison_trains_no_language_model(small_tasks, texts, tmp_path):
    command = ("compare", "--data", small_tasks["sentiment"].data, "--run", tmp_path / "cells", "--unlabelled", texts)
    assert "a comparison trains no language model" in small_tasks["sentiment"].command(*command).error()
