"""Data frames, columns, pairs and texts in memory as the data of a training and of an evaluation."""

import json
from collections import Counter

import numpy as np
import pandas
import pyarrow
import pytest
import tensorflow as tf

from tasks.cli.parsing import train_arguments
from tasks.data.sources import Source
from tasks.errors import UserError
from tasks.in_memory import InMemory, from_file
from tasks.sentiment.labels import clean_label
from tasks.serving.evaluate import evaluate
from tasks.training import prepared, runs
from tasks.training.checkpoint import load_model
from tasks.training.runs import Run
from tasks.training.train import train
from tests.tasks.examples import EXAMPLES, LINES, reviews, sentence_pairs, write_csv

ROWS = {
    "sentiment": reviews("train", 120),
    "chargen": [(line.rstrip("\n"),) for line in LINES],
    "translation": sentence_pairs("train", 120),
}
# The settings that name the columns, with their names in these tests.
COLUMNS = {
    "sentiment": {"text_column": "review", "label_column": "stars"},
    "chargen": {"text_column": "verse"},
    "translation": {"source_lang": "en", "target_lang": "ko"},
}
# The names of the columns of a table if the settings name none.
ROLES = {"sentiment": ("text", "label"), "chargen": ("text",), "translation": ("source", "target")}
FIRST_COLUMN = {"sentiment": "text_column", "chargen": "text_column", "translation": "source_column"}


def frame_of(name: str, rows: list | None = None) -> pandas.DataFrame:
    return pandas.DataFrame(ROWS[name] if rows is None else rows, columns=[*COLUMNS[name].values()])


def settings_of(name: str, **data):
    """The settings of the small training, with other data."""
    task = EXAMPLES[name].task
    arguments = ["--data", "sample", "--run", "run", *EXAMPLES[name].options, "--epochs", "1"]
    settings = train_arguments(task, "train", arguments).settings
    return settings.model_copy(update={"data": type(settings.data)(**data)})


def splits_of(small, **data) -> dict:
    source = small.task.open_source(settings_of(small.name, **data))
    is_text = not isinstance(source, Source)
    return {name: source.text(name) if is_text else [r.values for r in source.records(name)] for name in source.splits}


def error_of(function) -> str:
    """The message of a mistake of the caller: one or two lines."""
    with pytest.raises(UserError) as caught:
        function()
    assert len(str(caught.value).splitlines()) <= 2
    return str(caught.value)


def open_with(small, **data):
    return lambda: small.task.open_source(settings_of(small.name, **data))


# --- sources ----------------------------------------------------------------------------------------------------------


def test_each_form_of_the_data_has_the_splits_of_a_file(small, tmp_path):
    name, rows, names = small.name, ROWS[small.name], COLUMNS[small.name]
    file = write_csv(tmp_path / "a.csv", rows, tuple(names.values()))
    frame = frame_of(name)
    columns = {column: list(values) for column, values in zip(names.values(), zip(*rows, strict=True), strict=True)}
    named = [frame, frame.astype("string"), columns, pyarrow.table(columns), frame.to_dict("records")]
    unnamed = [rows, iter(rows), np.array(rows)]
    if name == "chargen":
        texts = [text for text, *_ in rows]
        unnamed += [texts, pandas.Series(texts), np.array(texts), iter(texts)]
    by_role = pandas.DataFrame(rows, columns=[*ROLES[name]])
    given = [{"data": data} | names for data in named] + [{"data": data} for data in [*unnamed, by_role]]
    expected = splits_of(small, data=file, **names)
    assert [*expected] == ["train", "validation", "test"]
    for data in given:
        assert splits_of(small, **data) == expected, type(data["data"])


def test_each_split_may_be_given_separately(small, tmp_path):
    name, rows = small.name, ROWS[small.name]
    parts = {"train": rows[:40], "validation": rows[40:50], "test": rows[50:60]}
    files = {
        split: [write_csv(tmp_path / f"{split}.csv", part, tuple(COLUMNS[name].values()))]
        for split, part in parts.items()
    }
    expected = splits_of(small, **{f"{split}_files": of_split for split, of_split in files.items()}, **COLUMNS[name])
    frames = {f"{split}_files": frame_of(name, part) for split, part in parts.items()}
    assert splits_of(small, **frames, **COLUMNS[name]) == expected
    lists = {f"{split}_files": part for split, part in parts.items()}
    assert splits_of(small, **lists) == expected
    some = {"data": rows[:40], "test_files": parts["test"]}
    assert splits_of(small, **some)["test"] == expected["test"]
    assert {*splits_of(small, **some)} == {"train", "validation", "test"}
    mixed = {"train_files": frames["train_files"], "validation_files": files["validation"], **COLUMNS[name]}
    assert splits_of(small, **mixed) == {split: expected[split] for split in ("train", "validation")}


def test_a_list_of_paths_is_no_list_of_texts(tmp_path):
    settings_class = EXAMPLES["chargen"].task.settings_class
    (tmp_path / "no suffix").write_text("text")
    for paths in (
        ["a.txt", "b.txt"],
        ["data/*", "sample"],
        [tmp_path / "no suffix"],
        [str(tmp_path / "no suffix"), "b.txt"],
    ):
        assert not isinstance(settings_class(data={"data": paths}).data.data, InMemory)
    for texts in (["Anna", "Ben"], ["One. Two.", "see a.txt"], ["one\ntwo.txt"], ["Why?", "Who? When?"]):
        assert isinstance(settings_class(data={"data": texts}).data.data, InMemory)
    stored = {"data": {"data": ["my folder", "other folder"]}, "training": {"seed": 3}}
    assert settings_class.model_validate(from_file(stored)).data.data == ("my folder", "other folder")


# --- bad input --------------------------------------------------------------------------------------------------------


def test_a_frame_that_cannot_be_used_is_an_error_with_the_remedy(small):
    names, frame = COLUMNS[small.name], frame_of(small.name)
    first, option = frame.columns[0], FIRST_COLUMN[small.name]
    message = error_of(open_with(small, data=frame.rename(columns={first: "other"}), **names))
    assert f"has no column {first!r}; its columns are: 'other'" in message and option in message
    assert "has no column" in error_of(open_with(small, data=frame))  # the settings name none
    twice = pandas.concat([frame, frame[[first]]], axis=1)
    assert f"two columns with the name {first!r}; rename" in error_of(open_with(small, data=twice, **names))
    assert "is empty; expected a row" in error_of(open_with(small, data=frame[:0], **names))
    for value, kind in ((7, "int"), (b"bytes", "bytes"), (["a"], "list")):
        mixed = frame.astype(object)
        mixed.at[3, first] = value
        message = error_of(open_with(small, data=mixed, **names))
        assert f"{first!r} has values of several types: str in row 0 and {kind} in row 3" in message
        assert "convert it" in message
    numbers = frame.assign(**{first: range(len(frame))})
    message = error_of(open_with(small, data=numbers, **names))
    assert f"{first!r} has values of the type int, where texts are expected; name another column" in message
    encoded = frame.assign(**{first: frame[first].str.encode("utf-8")})
    assert "decode('utf-8')" in error_of(open_with(small, data=encoded, **names))
    for several in ([frame, frame], (frame, frame)):
        assert "join the tables first" in error_of(open_with(small, data=several, **names))
        assert "join the tables first" in error_of(open_with(small, data=frame, test_files=several, **names))
    message = error_of(open_with(small, data=frame, delimiter=";", **names))
    assert "--delimiter ';' is for files" in message
    assert "train_files" in error_of(open_with(small, data={"train": frame, "test": frame}, **names))
    message = error_of(open_with(small, data=frame, train_files=frame, **names))
    assert "data and train_files are both given" in message


def test_what_is_no_data_is_an_error_with_the_remedy(small):
    rows, width = ROWS[small.name], len(COLUMNS[small.name])
    tensors = tf.data.Dataset.from_tensors(["a"]).repeat()
    for data, part in (
        (tensors, "is no source of data; expected a path"),
        ({"a text"}, "a set is no source of data"),
        ([], "is empty"),
        ([*rows, (*rows[0], "another")], f"row {len(rows)} (counted from 0) is {width + 1} values"),
        ([(*row, "another") for row in rows], f"each row is {width + 1} values; expected"),
        ([*rows, "a text"], "is a str"),
        ({"text": ["a", "b"], "label": ["c"]}, "different lengths: text 2, label 1"),
        ({"text": "one text"}, "expected a list of values"),
        ("one text", "no such file or folder"),
    ):
        assert part in error_of(open_with(small, data=data))
    if small.name != "chargen":
        for texts in (pandas.Series(["a", "b"]), ["a text", "another"]):
            assert "each row is one value; expected tuples (" in error_of(open_with(small, data=texts))


def test_a_missing_label_is_named_by_its_row_or_left_out(small_tasks):
    small, frame = small_tasks["sentiment"], frame_of("sentiment").astype(object)
    for missing in (None, float("nan"), pandas.NA):
        frame.at[3, "stars"] = missing
        source = small.task.open_source(settings_of("sentiment", data=frame, **COLUMNS["sentiment"]))
        assert "DataFrame[3]: the label is empty" in error_of(source.check)
        data = {"data": frame, "skip_bad_rows": True} | COLUMNS["sentiment"]
        found = splits_of(small, **data)
        assert Counter(map(len, found.values())).total() == 3
        assert sum(map(len, found.values())) == len(frame) - 1


@pytest.mark.parametrize("label", [np.array([0, 1]), [0, 1], (0, 1)])
def test_a_label_of_several_values_is_refused(small_tasks, label):
    small = small_tasks["sentiment"]
    frame = pandas.DataFrame({"review": ["a text"] * 12, "stars": [label] * 12})
    source = small.task.open_source(settings_of("sentiment", data=frame, **COLUMNS["sentiment"]))
    assert f"column 'stars' holds a {type(label).__name__}; expected text or a number" in error_of(source.check)


@pytest.mark.parametrize("labels", [[1, 5], [True, False], [1.0, 5.0], ["1", "5"]])
def test_labels_of_any_one_type_are_those_of_a_file(small_tasks, labels):
    small = small_tasks["sentiment"]
    texts = [text for text, _ in ROWS["sentiment"]]
    frame = pandas.DataFrame({"review": texts, "stars": [labels[i % 2] for i in range(len(texts))]})
    found = splits_of(small, data=frame, **COLUMNS["sentiment"])
    assert {clean_label(label) for _, label in found["train"]} == {clean_label(str(label)) for label in labels}


# --- training and evaluation ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def trained(small, tmp_path_factory) -> Run:
    """A run that was trained on a frame."""
    settings = settings_of(small.name, data=frame_of(small.name), **COLUMNS[small.name])
    return train(small.task, settings, tmp_path_factory.mktemp(small.name) / "run", verbose=0)


@pytest.mark.slow
def test_the_weights_are_those_of_the_same_rows_in_a_file(small, trained, tmp_path):
    names = COLUMNS[small.name]
    file = write_csv(tmp_path / "a.csv", ROWS[small.name], tuple(names.values()))
    other = train(small.task, settings_of(small.name, data=file, **names), tmp_path / "run", verbose=0)
    for ours, theirs in zip(load_model(trained).get_weights(), load_model(other).get_weights(), strict=True):
        assert np.array_equal(ours, theirs)


def test_settings_json_says_what_the_source_was(small, trained):
    frame, names = frame_of(small.name), COLUMNS[small.name]
    stored = json.loads(trained.settings_file.read_text(encoding="utf-8"))["data"]["data"]
    assert stored.startswith(f"memory:DataFrame of {len(frame)} rows, {', '.join(names.values())}, digest ")
    # Columns that are not read may be added, and rows may not change.
    for data, same in ((frame.assign(other=1), True), (frame.iloc[::-1], False), (frame[1:], False)):
        settings = settings_of(small.name, data=data, **names)
        assert (settings.model_dump(mode="json")["data"]["data"] == stored) is same


@pytest.mark.slow
def test_an_evaluation_needs_the_frame_again_and_then_reads_its_test_split(small, trained):
    frame, task = frame_of(small.name), small.task
    message = error_of(lambda: evaluate(task, trained))
    assert "the data were in memory" in message and f"DataFrame of {len(frame)} rows" in message and "--data" in message
    assert "the data were in memory" in small.command("evaluate", "--run", trained.path).error()
    again = evaluate(task, trained, data=frame)
    stored = json.loads(trained.evaluation_file.read_text(encoding="utf-8"))
    assert stored["split"] == "test" and stored["data"] == trained.stored()["data"]["data"]
    other = evaluate(task, trained, data=frame[:50])
    assert json.loads(trained.evaluation_file.read_text(encoding="utf-8"))["split"] == "all"
    assert again["training_overlap"] == 0 < other["training_overlap"]


@pytest.mark.slow
def test_an_interrupted_training_needs_the_same_frame(small_tasks, tmp_path):
    small, frame, names = small_tasks["sentiment"], frame_of("sentiment"), COLUMNS["sentiment"]
    run = runs.begin(tmp_path / "run", "sentiment", settings_of("sentiment", data=frame, **names))
    settings = prepared.prepare(small.task, settings_of("sentiment", data=frame, **names), run)
    small.task.build(settings, small.task.open_data(settings, run), run).model.save(run.model_file)
    before = run.prepared_marker.stat().st_mtime_ns
    other = settings_of("sentiment", data=frame[1:], **names)
    message = error_of(lambda: train(small.task, other, run, verbose=0))
    assert f"data was 'memory:DataFrame of {len(frame)} rows" in message and "Give the same settings" in message
    assert run.prepared_marker.stat().st_mtime_ns == before
    assert train(small.task, settings_of("sentiment", data=frame, **names), run, verbose=0).finished


@pytest.mark.slow
def test_a_training_goes_on_from_a_run_of_a_frame_with_other_data(small, trained, tmp_path):
    place = tmp_path / "run"
    message = small.command("train", "--initial-run", trained.path, "--run", place).error()
    assert "the data were in memory" in message and "--data" in message
    assert not place.exists()
    if small.name == "sentiment":
        settings = settings_of("sentiment", data=ROWS["sentiment"][:60])
        training = settings.training.model_copy(update={"initial_run": str(trained.path)})
        settings = settings.model_copy(update={"training": training})
        assert train(small.task, settings, place, verbose=0).finished
