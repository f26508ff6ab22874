"""Rows that cannot be used: reported together before training, in every split, or left out and counted."""

import csv
import json
import logging
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from tasks.data.sources import Column, open_source
from tasks.data.table_files import read_table
from tasks.errors import UserError

GOOD = [(f"a good film {i}", "yes") for i in range(40)] + [(f"a bad film {i}", "no") for i in range(40)]
QUICK = (
    *("--units", "4", "--embedding-size", "4", "--max-tokens", "20", "--vocabulary-size", "80"),
    *("--epochs", "1", "--steps-per-epoch", "1"),
)
LABELLED = (Column("text"), Column("label", required=True))


def write_csv(path: Path, rows, header=("text", "label")) -> Path:
    with open(path, "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def opened(path: Path, **options):
    return open_source(str(path), LABELLED, sample=Path("none"), **options)


# --- the report -------------------------------------------------------------------------------------------------------


def test_all_bad_rows_are_in_one_report_by_line_and_row(tmp_path):
    rows = [("two\nlines", "yes"), ("no label", ""), ("too", "many", "fields"), ("fine", "no"), ("none", "nan")]
    path = write_csv(tmp_path / "a.csv", rows)
    with pytest.raises(UserError) as caught:
        opened(path).check()
    message = str(caught.value)
    assert "3 rows cannot be used" in message and len(message.splitlines()) == 2
    assert f"{path}:4 (row 2): the label is empty" in message
    assert f"{path}:5 (row 3): the row has 3 columns; expected 2" in message
    assert f"{path}:7 (row 5): the label is missing: it is 'nan'" in message
    assert "--skip-bad-rows" in message


def test_the_first_20_of_many_are_named_and_the_others_counted(tmp_path):
    path = write_csv(tmp_path / "a.csv", [(f"text {i}", "") for i in range(1234)])
    with pytest.raises(UserError) as caught:
        opened(path).check()
    message = str(caught.value)
    assert "1,234 rows" in message and "and 1,214 more" in message
    assert message.count(".csv:") == 20 and f"{path}:21 (row 20)" in message


def test_json_lines_and_their_values_are_reported_together(tmp_path):
    lines = ['{"text": "a", "label": "x"}', "{", '["a"]', '{"text": "a"}', '{"text": "a", "label": ["x", "y"]}']
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join([*lines, '{"text": "a", "label": "\\ud800"}', '{"text": "b", "label": "y"}']))
    with pytest.raises(UserError) as caught:
        opened(path).check()
    for number, part in [(2, "JSON"), (3, "list"), (4, "'label'"), (5, "list"), (6, "surrogate")]:
        assert f"{path}:{number} (row {number}): " in str(caught.value) and part in str(caught.value)
    source = opened(path, skip_bad_rows=True)
    assert source.check()["bad rows"] == 5
    assert [record.values for record in source.records("all")] == [("a", "x"), ("b", "y")]


def test_a_split_that_is_read_without_a_check_reports_all_of_its_bad_rows(tmp_path, caplog):
    path = write_csv(tmp_path / "a.csv", [("a", "x"), ("b", ""), ("c", "y"), ("d", "")])
    with pytest.raises(UserError, match=r"2 rows cannot be used: .*csv:3 \(row 2\), .*csv:5 \(row 4\): the label"):
        list(opened(path).records("all"))
    source = opened(path, skip_bad_rows=True)
    assert len(list(source.records("all"))) == len(list(source.records("all"))) == 2
    assert caplog.text.count("left out 2 bad rows of its train split") == 1


def test_the_split_of_a_row_does_not_depend_on_the_bad_rows_of_the_file(tmp_path):
    clean = write_csv(tmp_path / "clean.csv", GOOD)
    dirty = write_csv(tmp_path / "dirty.csv", [("no label", ""), *GOOD, ("one",), ("text", "label")])
    for split in ("train", "validation", "test"):
        found = [record.values for record in opened(dirty, skip_bad_rows=True).records(split)]
        assert found == [record.values for record in opened(clean).records(split)]


# --- whole commands ---------------------------------------------------------------------------------------------------


@pytest.fixture
def train(sentiment, tmp_path):
    return lambda data, *options: sentiment("train", "--data", data, "--run", tmp_path / "run", *QUICK, *options)


def test_the_test_split_is_checked_before_training_too(train, tmp_path):
    write_csv(tmp_path / "train.csv", [*GOOD, ("no label", "")])
    write_csv(tmp_path / "test.csv", [("fine", "yes"), ("no label", " ")])
    message = train(tmp_path).error()
    assert "train.csv:82 (row 81)" in message and "test.csv:3 (row 2)" in message
    assert not (tmp_path / "run" / "vocabulary").exists()


def test_labels_that_training_does_not_have_are_reported_together_in_all_splits(train, tmp_path):
    write_csv(tmp_path / "train.csv", GOOD)
    write_csv(tmp_path / "validation.csv", [*GOOD[:3], ("so so", "maybe"), ("so", "perhaps")])
    write_csv(tmp_path / "test.csv", [("so so", "maybe")])
    message = train(tmp_path).error()
    for part in ("validation.csv:5 ", "validation.csv:6 ", "test.csv:2 ", "'maybe'", "'perhaps'", "no, yes"):
        assert part in message


@pytest.mark.slow
def test_bad_rows_are_left_out_and_counted_on_request(train, sentiment, tmp_path, caplog):
    caplog.set_level(logging.INFO)
    write_csv(tmp_path / "train.csv", [*GOOD, ("no label", ""), ("one",)])
    write_csv(tmp_path / "validation.csv", [*GOOD[:3], ("so so", "maybe")])
    write_csv(tmp_path / "test.csv", [*GOOD[:5], ("so so", "maybe"), ("no label", "nan")])
    answer = train(tmp_path, "--skip-bad-rows")
    assert answer.code == 0, answer.err
    assert "left out: bad rows: 3; texts with a label that training does not have: 2" in caplog.text
    evaluated = sentiment("evaluate", "--run", tmp_path / "run", "--json")
    assert evaluated.code == 0, evaluated.err
    assert json.loads(evaluated.out)["examples"] == 5
    other = write_csv(tmp_path / "other.csv", [*GOOD[:4], ("x", ""), ("so so", "maybe"), ("so", "perhaps")])
    settings = json.loads((tmp_path / "run" / "settings.json").read_text())
    settings["data"]["skip_bad_rows"] = False
    (tmp_path / "run" / "settings.json").write_text(json.dumps(settings))
    evaluate = ["evaluate", "--run", tmp_path / "run", "--data", other, "--json"]
    assert "other.csv:6: the label is empty" in sentiment(*evaluate).error()
    assert json.loads(sentiment(*evaluate, "--skip-bad-rows").out)["examples"] == 4


@pytest.mark.slow
def test_a_test_file_without_labels_does_not_stop_a_training(train, tmp_path):
    write_csv(tmp_path / "train.csv", GOOD)
    write_csv(tmp_path / "test.csv", [("a text",)], header=("text",))
    answer = train(tmp_path)
    assert answer.code == 0, answer.err


def test_rows_of_sentence_pairs_are_reported_together_as_well(translation, tmp_path):
    path = write_csv(tmp_path / "pairs.csv", [("one", "일"), ("two",), ("en", "ko"), ("t", "삼", "x")], ("en", "ko"))
    columns = ["--source-column", "en", "--target-column", "ko"]
    message = translation("train", "--data", path, *columns, "--run", tmp_path / "run").error()
    assert f"{path}:3 (row 2): the row has 1 column" in message and f"{path}:5 (row 4)" in message
    assert "--skip-bad-rows" in message


def test_a_header_is_also_repeated_in_another_case(tmp_path):
    path = write_csv(tmp_path / "a.csv", [("good", "p"), ("text", " label"), ("TEXT", "LABEL"), ("text", "p")])
    assert [record.values for record in read_table(path, ("text", "label"))] == [("good", "p"), ("text", "p")]


@pytest.mark.slow
def test_sentence_pairs_are_left_out_and_counted_on_request(translation, tmp_path, caplog):
    caplog.set_level(logging.INFO)
    rows = [(f"one {i}", f"하나 {i}") for i in range(80)]
    path = write_csv(tmp_path / "pairs.csv", [*rows, ("two",), ("en", "ko")], ("en", "ko"))
    columns = ["--source-column", "en", "--target-column", "ko", "--skip-bad-rows"]
    answer = translation("train", "--data", path, *columns, "--run", tmp_path / "run", *QUICK)
    assert answer.code == 0, answer.err
    assert "left out 1 bad rows" in caplog.text and "left out 1 rows that repeat the header" in caplog.text


@pytest.mark.parametrize("name", ["a.jsonl", "a.parquet"])
def test_a_number_that_is_none_is_a_missing_value_and_not_the_text_nan(tmp_path, name):
    rows = [{"source": "one", "target": float("nan")}, {"source": "two", "target": None}]
    if name == "a.jsonl":
        (tmp_path / name).write_text("".join(json.dumps(row) + "\n" for row in rows))
    else:
        columns = {"source": ["one", "two"], "target": pyarrow.array([float("nan"), None])}
        pyarrow.parquet.write_table(pyarrow.table(columns), tmp_path / name)
    source = open_source(str(tmp_path / name), (Column("source"), Column("target")), sample=Path("none"))
    assert [record.values for record in source.records("all")] == [("one", ""), ("two", "")]
