"""Labels: one class for one meaning, missing ones are missing, and the classes are shown before training."""

import csv
import json
import logging
import unicodedata

import pyarrow
import pyarrow.parquet
import pytest

from tasks.data.records import Record
from tasks.errors import UserError
from tasks.sentiment import labels
from tasks.sentiment.labels import LabelIds, clean_label

QUICK = (
    *("--units", "4", "--embedding-size", "4", "--max-tokens", "20", "--vocabulary-size", "60"),
    *("--epochs", "1", "--steps-per-epoch", "1"),
)
WORDS = {"positive": "a good film", "negative": "a bad film"}


def rows(label_of, count: int = 60) -> list[tuple[str, str]]:
    """Texts of two meanings; `label_of` spells the label of the text with a number."""
    meanings = list(WORDS)
    return [(f"{WORDS[meanings[i % 2]]} {i}", label_of(meanings[i % 2], i // 2)) for i in range(count)]


@pytest.fixture
def train(sentiment, tmp_path):
    """Trains hardly at all on rows of (text, label); returns the answer and the names of the classes."""

    def run(found, *options, name: str = "train.csv"):
        path = tmp_path / name
        if path.suffix == ".csv":
            with open(path, "w", encoding="utf-8", newline="") as file:
                csv.writer(file).writerows([("text", "label"), *found])
        elif path.suffix == ".jsonl":
            path.write_text("".join(json.dumps({"text": text, "label": label}) + "\n" for text, label in found))
        else:
            texts, column = zip(*found, strict=True)
            pyarrow.parquet.write_table(pyarrow.table({"text": texts, "label": pyarrow.array(column)}), path)
        answer = sentiment("train", "--data", path, "--run", tmp_path / "run", *QUICK, *options)
        file = tmp_path / "run" / "vocabulary" / "labels.json"
        return answer, json.loads(file.read_text()) if file.exists() else None

    return run


# --- one class for one meaning ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spelling", "label"),
    [
        (" good\u200b", "good"),
        ("\ufeffgo\u00adod", "good"),
        ("very\u00a0 good", "very good"),
        (unicodedata.normalize("NFD", "좋다"), "좋다"),
        ("❤\ufe0f", "❤"),
        *((spelling, "1") for spelling in ("1", "1.0", "1.", "1.000", " 1.0 ")),
        *(("-2.0", "-2"), ("1.5", "1.5"), ("v1.0", "v1.0"), ("1.0.0", "1.0.0"), ("007", "007")),
        *(("５", "5"), ("１.0", "1"), ("-0", "0"), ("-0.0", "0"), ("５점", "５점")),
        *(("True", "true"), ("FALSE", "false"), ("Good", "Good")),
    ],
)
def test_spellings_of_one_label_are_one_class(spelling, label):
    assert clean_label(spelling) == label


def test_numbers_and_truth_values_in_one_column_are_two_classes():
    counts = {"1": 5, "true": 4, "0": 3, "false": 2}
    assert labels.class_names(counts) == ["0", "1"]
    ids = LabelIds(["0", "1"])
    found = [ids(Record(("", spelling), "a.csv:2")) for spelling in ("1", "1.0", "True", "0", "false")]
    assert found == [1, 1, 1, 0, 0]
    assert labels.class_names({"true": 1, "false": 1}) == ["false", "true"]
    assert labels.class_names({"10": 1, "9": 1, "2": 1}) == ["2", "9", "10"]
    assert any("'1' (5) and 'true' (4) are one class" in warning for warning in labels.label_warnings(counts))


def test_a_run_with_labels_of_another_spelling_still_knows_them():
    ids = LabelIds(["0.0", "1.0"])  # written before labels were normalized
    assert ids(Record(("", "1.0"), "a.csv:2")) == ids(Record(("", "1"), "a.csv:2")) == 1


def test_labels_that_differ_in_case_and_names_of_missing_values_are_warned_about():
    found = labels.label_warnings({"good": 3, "GOOD": 2, "None": 1, "bad": 4})
    assert len(found) == 2
    assert "only in case" in found[0] and "'good' (3), 'GOOD' (2)" in found[0]
    assert "'None' (1 texts)" in found[1] and "missing" in found[1]


@pytest.mark.parametrize(
    "alike",
    [
        *(("y", "yes"), ("No", "n"), ("05", "5"), ("5", "5e0"), ("5", "+5"), ("0.50", ".5"), ("T", "true")),
        *(
            ("very good", "very_good"),
            ("very-good", "very good"),
            ("good.", "good"),
            ("ｇｏｏｄ", "good"),
            ("pos", "Positive"),
        ),
    ],
)
def test_labels_that_differ_in_spelling_are_warned_about(alike):
    one, two = map(labels.clean_label, alike)
    [warning] = labels.label_warnings({one: 3, "other": 9, two: 2})
    assert "only in spelling" in warning and f"{one!r} (3), {two!r} (2)" in warning


@pytest.mark.parametrize(
    "alike", [("1", "-1"), ("5", "50"), ("c", "c#"), ("c", "c++"), ("+", "-"), ("yes", "no"), ("-", "_")]
)
def test_labels_that_differ_in_meaning_are_not(alike):
    assert not [one for one in labels.label_warnings(dict.fromkeys(alike, 3)) if "differ" in one]


@pytest.mark.parametrize(
    "lists", ["joy|anger", "joy;anger", "joy/anger", "['joy', 'anger']", "joy+anger", "joy & anger"]
)
def test_labels_that_look_like_lists_in_a_tenth_of_the_rows_are_warned_about(lists):
    [warning] = labels.check_single_labels({"joy": 50, "anger": 40, lists: 10}, "a.csv")
    assert repr(lists) in warning and "multi-label" in warning
    found = labels.check_single_labels({"calm": 50, "sad": 40, lists: 10}, "a.csv")
    assert len(found) == (lists in ("joy|anger", "joy;anger"))  # other signs may be in the name of one class


def test_lists_of_labels_are_not_classes():
    counts = {"joy": 1, "joy,anger": 30, "anger, fear": 30, "fear,joy": 30}
    with pytest.raises(UserError, match=r"a\.csv: labels such as 'joy,anger' .* not supported \(multi-label"):
        labels.check_single_labels(counts, "a.csv")
    [warning] = labels.check_single_labels({**counts, "joy": 900}, "a.csv")
    assert "'joy,anger'" in warning and "multi-label" in warning
    assert labels.check_single_labels({"Paris, France": 1, "Lyon, France": 1, "Rome": 1}, "a.csv") == []


def test_the_table_of_classes_has_the_most_frequent_ones():
    counts = [*range(1, 31)]
    names = [f"c{count}" for count in counts]
    table = labels.class_table(names, counts, [0] * 30).splitlines()
    assert [line.split()[0] for line in table[1:21]] == names[10:]
    assert table[21:] == ["and 10 more; the rarest, c1: 1", "the largest class, c30, has 6.5% of the training texts"]


# --- whole trainings --------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_false_classes_do_not_become_classes_and_train_shows_the_classes(train, caplog):
    caplog.set_level(logging.INFO)
    spellings = ["{}", " {}", "{}\u200b", "{}\ufeff"]
    found = rows(lambda label, i: spellings[i % 4].format(label))
    found[20:20] = [("text", "label"), ("", "positive")]
    answer, classes = train(found)
    assert answer.code == 0, answer.err
    assert classes == ["negative", "positive"]
    table = caplog.text[caplog.text.index("class ") :].splitlines()
    assert table[0].split() == ["class", "training", "share", "validation"]
    assert [line.split()[0] for line in table[1:3]] == classes
    assert sum(int(line.split()[1]) for line in table[1:3]) > 40
    assert "the largest class" in table[3] and "% of the training texts" in table[3]
    assert table[4] == "left out: rows that repeat the header: 1; empty texts to train or validate on: 1"


@pytest.mark.parametrize(
    ("name", "missing"),
    [
        ("a.csv", "nan"),
        ("a.csv", ""),
        ("a.csv", " NaN"),
        ("a.csv", "\u200b"),
        ("a.jsonl", float("nan")),
        ("a.jsonl", None),
        ("a.parquet", None),
    ],
)
def test_a_missing_label_is_no_class_in_any_format(train, tmp_path, name, missing):
    found = [*rows(lambda label, i: label), ("no label here", missing)]
    answer, _ = train(found, name=name)
    message = answer.error()
    assert ("row 61" if name.endswith("parquet") else f"{name}:{62 if name.endswith('csv') else 61}") in message
    assert "the label is" in message and "--skip-bad-rows" in message


@pytest.mark.slow
def test_numbers_with_missing_values_are_written_by_pandas_as_decimals(train, caplog):
    caplog.set_level(logging.INFO)
    found = [(text, float(label == "positive")) for text, label in rows(lambda label, i: label)]
    answer, classes = train([*found, ("no label here", float("nan"))], "--skip-bad-rows", name="a.parquet")
    assert answer.code == 0, answer.err
    assert classes == ["0", "1"] and "left out: bad rows: 1" in caplog.text


def test_multi_label_data_is_refused_before_training(train):
    lists = ["joy,anger", "anger,fear", "fear,joy", "joy,anger,fear"]
    answer, _ = train([(f"text {i}", lists[i % 4]) for i in range(60)])
    assert "multi-label" in answer.error() and "not supported" in answer.error()
