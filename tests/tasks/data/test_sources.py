"""Text sources: what is read from each kind of file and folder, how it is split, and what bad input gets."""

import csv
import gzip
import json
import os
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest

from tasks.data.sources import Column, open_source
from tasks.errors import UserError

TEXT_AND_LABEL = (Column("text"), Column("label"))
ROWS = [('good, "really" good', "pos"), ("bad\u2028line", "neg"), ("👍🏽 한국어 עברית", "pos"), ("  ", "neg")]


def opened(location, columns=TEXT_AND_LABEL, **options):
    return open_source(str(location), columns, sample=Path("there-is-no-sample"), **options)


def values(location, split="all", columns=TEXT_AND_LABEL, **options):
    return [record.values for record in opened(location, columns, **options).records(split)]


def error_of(location, columns=TEXT_AND_LABEL, split="all", **options):
    """Opens and reads the whole split, and returns the message of the error that this must raise."""
    with pytest.raises(UserError) as caught:
        values(location, split, columns, **options)
    message = str(caught.value)
    assert len(message.splitlines()) <= 2
    return message


def write(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    content = content.encode("utf-8") if isinstance(content, str) else content
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def write_csv(path: Path, rows, header=("text", "label")) -> Path:
    with open(path, "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


# --- One file -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.tsv", "a.txt", "a.txt.gz", "a.jsonl", "a.jsonl.gz", "A.CSV"])
def test_each_text_format_gives_back_the_same_rows(tmp_path, name):
    plain = tmp_path / "plain.csv"
    write_csv(plain, ROWS)
    content = {
        "csv": plain.read_text(encoding="utf-8"),
        "tsv": "".join(f"{text}\t{label}\n" for text, label in [("text", "label"), *ROWS]),
        "jsonl": "".join(json.dumps({"label": label, "text": text}) + "\n" for text, label in ROWS),
    }
    content["txt"] = content["tsv"]
    kind = name.lower().removesuffix(".gz").split(".")[1]
    assert values(write(tmp_path / name, content[kind])) == ROWS


def test_parquet_gives_back_the_same_rows(tmp_path):
    texts, labels = zip(*ROWS, strict=True)
    table = pyarrow.table({"n": range(len(ROWS)), "label": pyarrow.array(labels).dictionary_encode(), "text": texts})
    pyarrow.parquet.write_table(table, tmp_path / "a.parquet")
    assert values(tmp_path / "a.parquet") == ROWS
    record = next(opened(tmp_path / "a.parquet").records("all"))
    assert record.where == f"{tmp_path / 'a.parquet'}, row 1"


def test_typed_values_come_out_as_a_csv_file_would_hold_them(tmp_path):
    rows = [{"text": 1, "label": True}, {"text": 2.5, "label": None}]
    path = write(tmp_path / "a.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    pyarrow.parquet.write_table(pyarrow.table({"text": [1.0, 2.5], "label": [True, None]}), tmp_path / "a.parquet")
    assert values(path) == [("1", "true"), ("2.5", "")]
    assert values(tmp_path / "a.parquet") == [("1.0", "true"), ("2.5", "")]


def test_quotation_marks_are_characters_in_tab_separated_files(tmp_path):
    path = write(tmp_path / "a.tsv", 'text\tlabel\n"never closed\tneg\n"closed"\tpos\n')
    assert values(path) == [('"never closed', "neg"), ('"closed"', "pos")]


def test_a_quoted_csv_field_spans_lines_and_the_next_row_knows_its_line(tmp_path):
    path = write(tmp_path / "a.csv", 'text,label\r\n"two\nlines, ""quoted""",pos\r\nnext,neg\r\n')
    records = list(opened(path).records("all"))
    assert [record.values for record in records] == [('two\nlines, "quoted"', "pos"), ("next", "neg")]
    assert [record.where for record in records] == [f"{path}:2", f"{path}:4"]


@pytest.mark.parametrize("name", ["a.csv", "a.tsv"])
def test_byte_order_mark_and_windows_line_ends_leave_no_trace(tmp_path, name):
    tab = "," if name.endswith("csv") else "\t"
    path = write(tmp_path / name, f"\ufefftext{tab}label\r\ngood{tab}pos\r\n")
    assert values(path) == [("good", "pos")]


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.jsonl"])
def test_blank_lines_at_the_end_are_no_rows(tmp_path, name):
    content = {"a.csv": "text,label\na,b\n", "a.tsv": "text\tlabel\na\tb\n", "a.jsonl": '{"text":"a","label":"b"}\n'}
    assert values(write(tmp_path / name, content[name] + "\n\r\n\n")) == [("a", "b")]


def test_an_empty_line_within_a_table_of_one_column_is_an_empty_text(tmp_path):
    path = write(tmp_path / "a.txt", "text\nfirst\n\nthird\n\n")
    assert values(path, columns=[Column("text")]) == [("first",), ("",), ("third",)]


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.jsonl"])
def test_a_nul_byte_and_a_text_of_a_million_characters_are_read(tmp_path, name):
    rows = [("a\0b", "x"), ("long " * 200_000, "y")]
    path = tmp_path / name
    if name == "a.csv":
        write(path, "text,label\n" + "".join(f'"{text}",{label}\n' for text, label in rows))
    elif name == "a.tsv":
        write(path, "text\tlabel\n" + "".join(f"{text}\t{label}\n" for text, label in rows))
    else:
        write(path, "".join(json.dumps({"text": text, "label": label}) + "\n" for text, label in rows))
    assert values(path) == rows


def test_columns_come_in_the_order_asked_for_and_under_the_callers_names(tmp_path):
    path = write(tmp_path / "pairs.tsv", "en\tko\tattribution\nGo.\t가.\tsomebody\n")
    assert values(path, columns=[Column("source", "ko"), Column("target", "en")]) == [("가.", "Go.")]
    assert values(path, columns=[Column("text", "en")]) == [("Go.",)]


@pytest.mark.parametrize(("name", "comma"), [("pairs.csv", ","), ("pairs.csv.gz", ","), ("pairs.tsv", "\t")])
def test_a_table_of_sentence_pairs_is_read_in_either_direction(tmp_path, name, comma):
    rows = [(f"sentence {n}", f"문장 {n}") for n in range(300)]
    path = write(tmp_path / name, "".join(f"{en}{comma}{ko}{comma}somebody\n" for en, ko in [("en", "ko"), *rows]))
    for columns, expected in [
        ([Column("source", "en", required=True), Column("target", "ko", required=True)], rows),
        ([Column("source", "ko", required=True), Column("target", "en", required=True)], [row[::-1] for row in rows]),
    ]:
        source = opened(path, columns)
        assert source.single_file and source.splits == ("train", "validation", "test")
        assert values(path, "all", columns) == expected
        assert sorted(values(path, "train+validation+test", columns)) == sorted(expected)
    message = error_of(path, [Column("source", "en"), Column("target", "de")])
    assert "'de'" in message and "'en', 'ko', 'somebody'" in message and "--target-column" in message


# --- Files that cannot be read --------------------------------------------------------------------------------------


def test_a_missing_file_is_named(tmp_path):
    assert f"{tmp_path}/nowhere.csv" in error_of(tmp_path / "nowhere.csv")
    assert "''" in error_of("")


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.txt.gz", "a.jsonl", "a.parquet"])
def test_an_empty_file_is_an_error(tmp_path, name):
    path = write(tmp_path / name, "\n\n" if name == "a.tsv" else "")
    assert str(path) in error_of(path)


def test_a_file_with_a_header_and_no_rows_is_an_error(tmp_path):
    assert "no record" in error_of(write(tmp_path / "a.csv", "text,label\n"))


def test_an_unknown_ending_names_the_known_ones(tmp_path):
    assert ".jsonl" in error_of(write(tmp_path / "a.xlsx", "text\n"))
    assert ".jsonl" in error_of(write(tmp_path / "a.parquet.gz", "text\n"))


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.jsonl", "a.parquet"])
def test_a_column_that_is_not_there_names_those_that_are(tmp_path, name):
    path = tmp_path / name
    if name == "a.parquet":
        pyarrow.parquet.write_table(pyarrow.table({"review": ["a"], "label": ["b"]}), path)
    else:
        write(
            path,
            {"a.csv": "review,label\na,b\n", "a.tsv": "review\tlabel\na\tb\n"}.get(name, '{"review":"a","label":"b"}'),
        )
    with pytest.raises(UserError) as caught:  # when it is opened, before anything is read
        opened(path)
    message = str(caught.value)
    assert "'text'" in message and "'review', 'label'" in message and "--text-column" in message


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("a.tsv", "text\tlabel\ngood\tpos\nbad\n", 3),
        ("a.tsv", "text\tlabel\na\tb\n\nc\td\n", 3),
        ("a.tsv", "text\tlabel\ngood\ttab\tpos\n", 2),
        ("a.csv", 'text,label\n"two\nlines",pos\nbad\n', 4),
        ("a.jsonl", '{"text":"a","label":"b"}\n{"text":"a"}\n', 2),
        ("a.jsonl", '{"text":"a","label":"b"}\n["a","b"]\n', 2),
        ("a.jsonl", '{"text":"a","label":"b"}\n{"text":\n', 2),
        ("a.jsonl", '{"text":"a","label":["b"]}\n', 1),
        ("a.jsonl", '{"text":"half \\ud83d","label":"b"}\n', 1),
    ],
)
def test_a_broken_row_is_named_by_file_and_line(tmp_path, name, content, line):
    path = write(tmp_path / name, content)
    assert error_of(path).startswith(f"{path}:{line}:")


@pytest.mark.parametrize("content", ['text,label\na,b\n"never closed,b\nc,d\n', 'text,label\na,b\n"x"y,b\n'])
def test_a_quotation_mark_out_of_place_in_csv_is_named_by_the_line_where_its_row_begins(tmp_path, content):
    path = write(tmp_path / "a.csv", content)
    assert error_of(path).startswith(f"{path}:3:")


@pytest.mark.parametrize("name", ["a.csv", "a.tsv.gz", "a.jsonl"])
def test_invalid_utf8_is_named_by_file_and_line(tmp_path, name):
    first = (
        b'{"text":"a","label":"b"}\n'
        if name == "a.jsonl"
        else b"text,label\n".replace(b",", b"\t" if "tsv" in name else b",")
    )
    path = write(tmp_path / name, first + "한국어".encode("euc-kr") + b"\n")
    message = error_of(path)
    assert message.startswith(f"{path}:2:") and "UTF-8" in message


def test_invalid_utf8_in_parquet_is_named_by_file_and_row(tmp_path):
    texts = pyarrow.array([b"good", b"\xff"]).view(pyarrow.string())
    pyarrow.parquet.write_table(pyarrow.table({"text": texts, "label": ["a", "b"]}), tmp_path / "a.parquet")
    message = error_of(tmp_path / "a.parquet")
    assert message.startswith(f"{tmp_path / 'a.parquet'}, row 2:") and "UTF-8" in message


@pytest.mark.parametrize("keep", [15, -20])
def test_a_truncated_or_false_gzip_file_is_an_error(tmp_path, keep):
    path = write(tmp_path / "a.csv.gz", "text,label\n" + "".join(f"text {n},pos\n" for n in range(10_000)))
    path.write_bytes(path.read_bytes()[:keep])
    assert str(path) in error_of(path)
    path.write_bytes(b"text,label\na,b\n")
    assert str(path) in error_of(path)


def test_an_empty_value_is_an_error_only_where_one_is_required(tmp_path):
    path = write(tmp_path / "a.csv", "text,label\n ,pos\ngood, \n")
    assert values(path) == [(" ", "pos"), ("good", " ")]
    message = error_of(path, [Column("text"), Column("label", required=True)])
    assert message.startswith(f"{path}:3:") and "label" in message


# --- Folders --------------------------------------------------------------------------------------------------------


def test_a_folder_of_split_files_reads_each_split_from_the_files_that_bear_its_name(tmp_path):
    write(tmp_path / "ratings_train.txt", "text\tlabel\na\t1\n")
    write(tmp_path / "ratings_train-2.csv", "label,text\n2,b\n")
    write(tmp_path / "reviews-dev.tsv.gz", "text\tlabel\nc\t3\n")
    write(tmp_path / "nsmc.Test.jsonl", '{"text": "d", "label": 4}\n')
    write(tmp_path / "README.txt", "not a table")
    write(tmp_path / ".train.csv", "not to be seen")
    source = opened(tmp_path)
    assert source.splits == ("train", "validation", "test") and not source.single_file
    assert values(tmp_path, "train") == [("b", "2"), ("a", "1")]
    assert values(tmp_path, "validation") == [("c", "3")]
    assert values(tmp_path, "test") == [("d", "4")]
    assert values(tmp_path, "test+validation") == [("d", "4"), ("c", "3")]
    assert values(tmp_path, "all") == [("b", "2"), ("a", "1"), ("c", "3"), ("d", "4")]


def test_an_unknown_split_names_those_that_are_there(tmp_path):
    write(tmp_path / "test.csv", "text,label\na,b\n")
    assert opened(tmp_path).splits == ("test",)
    assert "'test'" in error_of(tmp_path, split="test+train")


def test_a_test_file_without_labels_does_not_keep_the_folder_from_being_trained_on(tmp_path):
    write(tmp_path / "train.csv", "text,label\na,b\n")
    write(tmp_path / "valid.csv", "text,label\na,b\n")
    write(tmp_path / "test.csv", "text\nc\n")
    assert values(tmp_path, "train") == [("a", "b")]
    assert "test.csv has no column 'label'" in error_of(tmp_path, split="test")
    assert values(tmp_path, "test", [Column("text")]) == [("c",)]


def test_a_file_name_that_speaks_of_two_splits_is_an_error(tmp_path):
    write(tmp_path / "train_test.csv", "text,label\na,b\n")
    assert "train_test.csv" in error_of(tmp_path)


def test_a_folder_with_nothing_to_read_says_what_was_expected(tmp_path):
    write(tmp_path / "reviews.csv", "text,label\na,b\n")
    assert "'reviews.csv'" in error_of(tmp_path)
    write(tmp_path / "sub" / "picture.png", "x")
    assert "'reviews.csv'" in error_of(tmp_path)


def test_class_folders_give_text_and_folder_name(tmp_path):
    write(tmp_path / "pos" / "1.txt", "\ufeffgood\nfilm\n")
    write(tmp_path / "neg" / "2.txt", "bad")
    write(tmp_path / "neg" / "1.txt", "worse\n")
    write(tmp_path / "neg" / "notes.md", "no text")
    assert values(tmp_path) == [("worse", "neg"), ("bad", "neg"), ("good\nfilm", "pos")]
    assert opened(tmp_path).splits == ("train", "validation", "test")
    assert values(tmp_path, columns=[Column("text")]) == [("worse",), ("bad",), ("good\nfilm",)]


def test_texts_of_a_class_folder_come_in_the_order_of_their_names(tmp_path):
    names = [f"{n:03}" for n in range(100)]
    for name in reversed(names):
        write(tmp_path / "only" / f"{name}.txt", name)
    assert values(tmp_path, columns=[Column("text")]) == [(name,) for name in names]


def test_class_folders_below_split_folders_are_read_as_the_imdb_archive_has_them(tmp_path):
    for split, name, text in [("train", "pos", "a"), ("train", "neg", "b"), ("test", "pos", "c"), ("test", "neg", "d")]:
        write(tmp_path / split / name / "0_9.txt", text)
    write(tmp_path / "train" / "unsup" / "0_0.txt", "unlabelled")
    write(tmp_path / "train" / "urls_pos.txt", "http://example.org")
    write(tmp_path / "README", "about")
    assert opened(tmp_path).splits == ("train", "validation", "test", "unsupervised")
    assert sorted(values(tmp_path, "all")) == [("a", "pos"), ("b", "neg"), ("c", "pos"), ("d", "neg")]
    assert values(tmp_path, "unsupervised", [Column("text")]) == [("unlabelled",)]
    assert "no label" in error_of(tmp_path, split="unsupervised")


def test_a_class_folder_without_a_text_and_one_with_invalid_utf8_are_named(tmp_path):
    write(tmp_path / "pos" / "1.txt", "first line\nsecond \xff".encode("latin-1"))
    assert error_of(tmp_path).startswith(f"{tmp_path / 'pos' / '1.txt'}:2:")
    (tmp_path / "neg").mkdir()
    assert str(tmp_path / "neg") in error_of(tmp_path)


# --- Splits drawn from the training data ------------------------------------------------------------------------------


def test_drawn_splits_part_a_file_and_all_reads_it_in_its_own_order(tmp_path):
    rows = [(f"text {n}", str(n % 2)) for n in range(5000)]
    path = write_csv(tmp_path / "a.csv", rows)
    source = opened(path)
    assert source.splits == ("train", "validation", "test") and source.single_file
    parts = {split: values(path, split) for split in source.splits}
    assert sorted(sum(parts.values(), [])) == sorted(rows)
    assert 400 < len(parts["validation"]) < 600 and 400 < len(parts["test"]) < 600
    assert values(path, "all") == rows
    assert list(source.records("validation")) == list(source.records("validation"))


def test_the_drawn_split_is_the_same_in_every_process_and_on_every_machine(tmp_path):
    path = write_csv(tmp_path / "a.csv", [(f"text {n}", "x") for n in range(100)])
    # Written down once: whoever changes these lines changes every drawn split that a figure was ever measured on.
    validation, test = [2, 7, 9, 23, 44, 48, 56, 65, 68, 80, 83, 88, 96, 99], [16, 27, 31, 43, 55, 60, 71, 76, 90]
    assert values(path, "validation") == [(f"text {n}", "x") for n in validation]
    assert values(path, "test") == [(f"text {n}", "x") for n in test]


def test_equal_texts_stay_together_and_other_rows_labels_and_columns_change_nothing(tmp_path):
    few = write_csv(tmp_path / "few.csv", [(f"text {n}", "a") for n in range(300)])
    many = write_csv(tmp_path / "many.csv", [(f"text {n % 600}", str(n)) for n in reversed(range(1800))])
    for split in ("train", "validation", "test"):
        texts = {text for text, _ in values(few, split)}
        assert texts and texts == {text for text, _ in values(many, split)} & {f"text {n}" for n in range(300)}
        assert {(text,) for text in texts} == set(values(few, split, [Column("text")]))
    trained, held_out = ({text for text, _ in values(many, split)} for split in ("train", "validation+test"))
    assert not trained & held_out


def test_a_folder_with_train_and_test_draws_validation_from_train_alone(tmp_path):
    train, test = ([(f"{name} {n}", "x") for n in range(500)] for name in ("train", "test"))
    write_csv(tmp_path / "train.csv", train)
    write_csv(tmp_path / "test.csv", test)
    assert values(tmp_path, "test") == test
    assert sorted(values(tmp_path, "train+validation")) == sorted(train)
    assert 25 < len(values(tmp_path, "validation")) < 75
    assert opened(tmp_path, validation_fraction=0.0).splits == ("train", "test")
    assert values(tmp_path, "train", validation_fraction=0.0) == train


def test_fractions_that_leave_nothing_to_train_on_are_an_error(tmp_path):
    path = write_csv(tmp_path / "a.csv", ROWS)
    assert "1.1" in error_of(path, validation_fraction=0.6, test_fraction=0.5)


def test_a_file_too_small_for_the_drawn_split_says_so(tmp_path):
    path = write_csv(tmp_path / "a.csv", [("only", "x")])
    assert "validation" in error_of(path, split="validation", validation_fraction=1e-9)


# --- Streaming ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a.csv", "a.tsv.gz", "a.jsonl"])
def test_memory_does_not_grow_with_the_file(tmp_path, name):
    line = {"a.csv": "{} {},x\n", "a.tsv.gz": "{} {}\tx\n", "a.jsonl": '{{"text": "{} {}", "label": "x"}}\n'}[name]
    header = {"a.csv": "text,label\n", "a.tsv.gz": "text\tlabel\n", "a.jsonl": ""}[name]
    path = write(
        tmp_path / name, header + "".join(line.format("a review of some words" * 4, n) for n in range(200_000))
    )
    source = opened(path)
    tracemalloc.start()
    try:
        assert sum(1 for _ in source.records("train")) > 100_000
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2_000_000  # the file's 20 MB would show


def test_memory_does_not_grow_with_a_parquet_file(tmp_path):
    path = tmp_path / "a.parquet"
    texts = [f"{os.urandom(50).hex()} {n}" for n in range(200_000)]  # random, so that the file does not shrink
    pyarrow.parquet.write_table(pyarrow.table({"text": texts, "label": ["x"] * len(texts)}), path)
    before, most = pyarrow.total_allocated_bytes(), 0
    for count, _ in enumerate(opened(path).records("all")):
        if count % 100 == 0:
            most = max(most, pyarrow.total_allocated_bytes() - before)
    assert path.stat().st_size > 10_000_000 > 2 * most


# --- TensorFlow Datasets --------------------------------------------------------------------------------------------


def imdb_folder() -> str:
    folder = os.environ.get("TFDS_DATA_DIR")
    if not folder or not (Path(folder) / "imdb_reviews").is_dir():
        pytest.skip("needs imdb_reviews, prepared in the folder that TFDS_DATA_DIR names")
    return folder


def test_imdb_reviews_come_with_class_names_in_a_fixed_order():
    source = opened("tfds:imdb_reviews", data_dir=imdb_folder())
    assert source.splits == ("train", "validation", "test", "unsupervised")
    assert source.columns == TEXT_AND_LABEL and not source.single_file
    records = list(source.records("test"))
    assert len(records) == 25_000
    assert sum(label == "pos" for _, label in (record.values for record in records)) == 12_500
    assert records[6].where == "tfds:imdb_reviews/test, record 7"
    assert all(one == other for one, other in zip(records, source.records("test"), strict=True))
    held_out = {record.values[0] for record in source.records("validation")}
    assert 2_200 < len(held_out) < 2_800
    assert not any(record.values[0] in held_out for record in source.records("train"))


def test_imdb_reviews_without_labels_are_read_as_text_only():
    folder = imdb_folder()
    texts = opened("tfds:imdb_reviews/plain_text", [Column("text")], data_dir=folder).records("unsupervised")
    assert len(next(texts).values[0]) > 50
    message = error_of("tfds:imdb_reviews", split="unsupervised", data_dir=folder)
    assert "tfds:imdb_reviews/unsupervised, record 1" in message


def test_a_feature_that_is_not_there_names_those_that_are():
    message = error_of("tfds:imdb_reviews", [Column("text", "body")], data_dir=imdb_folder())
    assert "'body'" in message and "'text', 'label'" in message and "--text-column" in message


def test_an_unknown_data_set_name_is_answered_with_the_nearest(tmp_path, capsys):
    assert "did you mean imdb_reviews?" in error_of("tfds:imdb_review", data_dir=str(tmp_path))
    assert "tfds:imdb_reviews/nonsense" in error_of("tfds:imdb_reviews/nonsense", data_dir=str(tmp_path))
    assert "tfds:" in error_of("tfds:", data_dir=str(tmp_path))
    assert capsys.readouterr().out == ""


def test_a_download_that_fails_is_an_error_and_leaves_standard_output_alone(tmp_path, capsys):
    import tensorflow_datasets as tfds

    class UnreachableReviews(tfds.core.GeneratorBasedBuilder):
        VERSION = tfds.core.Version("1.0.0")

        def _info(self):
            return tfds.core.DatasetInfo(
                builder=self, features=tfds.features.FeaturesDict({"text": tfds.features.Text()})
            )

        def _split_generators(self, dl_manager):
            dl_manager.download("http://127.0.0.1:1/reviews.txt")  # nobody listens at port 1
            return {}

        def _generate_examples(self):
            yield from ()

    begin = time.monotonic()
    message = error_of("tfds:unreachable_reviews", [Column("text")], data_dir=str(tmp_path))
    assert time.monotonic() - begin < 60
    assert message.startswith("tfds:unreachable_reviews") and str(tmp_path) in message and "127.0.0.1" in message
    assert capsys.readouterr().out == ""


def test_a_feature_that_is_no_text_is_refused(tmp_path):
    import tensorflow_datasets as tfds

    class ReviewPictures(tfds.core.GeneratorBasedBuilder):
        VERSION = tfds.core.Version("1.0.0")

        def _info(self):
            features = {"picture": tfds.features.Image(), "stars": tfds.features.Scalar(np.int32)}
            return tfds.core.DatasetInfo(
                builder=self,
                features=tfds.features.FeaturesDict(features),
                supervised_keys=("picture", "stars"),
            )

        def _split_generators(self, dl_manager):
            return {"dev": self._generate_examples()}

        def _generate_examples(self):
            yield 0, {"picture": np.zeros((1, 1, 3), np.uint8), "stars": 4}

    message = error_of("tfds:review_pictures", data_dir=str(tmp_path))
    assert "'picture' is of type Image" in message and "--text-column" in message
    columns = [Column("text", "stars"), Column("label")]
    assert values("tfds:review_pictures", "validation", columns, data_dir=str(tmp_path)) == [("4", "4")]


@pytest.fixture(scope="module")  # a builder's name can be taken only once
def proverbs(tmp_path_factory) -> Callable:
    """Reads a tiny translation set, whose features are languages, with the given columns."""
    import tensorflow_datasets as tfds

    class Proverbs(tfds.core.GeneratorBasedBuilder):
        VERSION = tfds.core.Version("1.0.0")
        BUILDER_CONFIGS = [tfds.core.BuilderConfig(name="pt_to_en"), tfds.core.BuilderConfig(name="plain")]

        def _info(self):
            languages, features = ("pt", "en"), tfds.features
            named = {language: features.Text() for language in languages}
            return tfds.core.DatasetInfo(
                builder=self,
                features=features.FeaturesDict(named)
                if self.builder_config.name == "plain"
                else features.Translation(languages),
                supervised_keys=languages,
                disable_shuffling=True,
            )

        def _split_generators(self, dl_manager):
            return {split: self._generate_examples(split) for split in ("train", "validation", "test")}

        def _generate_examples(self, split):
            for number in range(3):
                yield number, {"en": f"{split} bread {number}", "pt": f"{split} pão {number}"}

    folder = str(tmp_path_factory.mktemp("proverbs"))

    def read(config, *columns, split="test"):
        return values(f"tfds:proverbs/{config}", split, columns, data_dir=folder)

    return read


@pytest.mark.parametrize("config", ["pt_to_en", "plain"])
def test_the_columns_of_a_translation_set_are_its_languages(proverbs, config):
    pairs = [(f"test pão {n}", f"test bread {n}") for n in range(3)]
    assert proverbs(config, Column("source"), Column("target")) == pairs
    assert proverbs(config, Column("source", "pt"), Column("target", "en")) == pairs
    assert proverbs(config, Column("source", "en"), Column("target", "pt")) == [pair[::-1] for pair in pairs]
    assert proverbs(config, Column("source"), split="validation")[0] == ("validation pão 0",)
    with pytest.raises(UserError, match=r"no column 'ko'; its columns are: 'pt', 'en'\.\n.*--target-column"):
        proverbs(config, Column("source", "en"), Column("target", "ko"))


def test_naming_one_language_of_a_translation_set_leaves_the_other_one_for_the_other_column(proverbs):
    assert proverbs("pt_to_en", Column("source", "en"), Column("target"))[0] == ("test bread 0", "test pão 0")
    assert proverbs("pt_to_en", Column("source"), Column("target", "pt"))[0] == ("test bread 0", "test pão 0")
    assert proverbs("pt_to_en", Column("source", "pt"), Column("target"))[0] == ("test pão 0", "test bread 0")


def test_a_wrong_config_of_a_translation_set_is_answered_with_those_that_there_are(proverbs):
    with pytest.raises(UserError, match=r"en_to_pt not found.*\nIts configs are: 'pt_to_en', 'plain'\."):
        proverbs("en_to_pt", Column("source"), Column("target"))


def test_importing_the_sources_imports_neither_tensorflow_nor_its_data_sets():
    code = (
        "import sys, tasks.data.sources, tasks.data.datasets; "
        "print([m for m in sys.modules if m.startswith('tensorflow')])"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"
