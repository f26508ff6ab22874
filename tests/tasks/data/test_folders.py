"""Folders of tables and class folders: their splits, their records, and the errors of bad ones."""

import pytest

from tasks.cli.registry import TASKS
from tasks.data.sources import Column
from tasks.references import find


def test_a_folder_of_split_files_reads_each_split_from_the_files_with_its_name(tmp_path, opened, values, write):
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


def test_an_unknown_split_is_answered_with_the_available_ones(tmp_path, opened, error_of, write):
    write(tmp_path / "test.csv", "text,label\na,b\n")
    assert opened(tmp_path).splits == ("test",)
    assert "'test'" in error_of(tmp_path, split="test+train")


def test_a_test_file_without_labels_does_not_prevent_training(tmp_path, values, error_of, write):
    write(tmp_path / "train.csv", "text,label\na,b\n")
    write(tmp_path / "valid.csv", "text,label\na,b\n")
    write(tmp_path / "test.csv", "text\nc\n")
    assert values(tmp_path, "train") == [("a", "b")]
    assert "test.csv has no column 'label'" in error_of(tmp_path, split="test")
    assert values(tmp_path, "test", [Column("text")]) == [("c",)]


def test_a_file_name_with_two_splits_is_an_error(tmp_path, error_of, write):
    write(tmp_path / "train_test.csv", "text,label\na,b\n")
    assert "train_test.csv" in error_of(tmp_path)


def test_a_folder_with_nothing_to_read_says_what_was_expected(tmp_path, error_of, write):
    write(tmp_path / "reviews.md", "text,label\na,b\n")
    assert "'reviews.md'" in error_of(tmp_path) and "--train-files" in error_of(tmp_path)
    write(tmp_path / "sub" / "picture.png", "x")
    assert "'reviews.md'" in error_of(tmp_path)
    write(tmp_path / "sub" / "a.csv", "text,label\na,b\n")
    write(tmp_path / "tables" / "reviews.csv", "review,stars\na,b\n")
    assert "reviews.csv has no column 'text'" in error_of(tmp_path / "tables")


def test_tables_without_a_split_in_their_names_are_a_source_whose_splits_are_drawn(tmp_path, opened, values, write):
    write(tmp_path / "a.csv", "text,label\n" + "".join(f"a {n},x\n" for n in range(50)))
    write(tmp_path / "b.jsonl", "".join(f'{{"text": "b {n}", "label": "x"}}\n' for n in range(50)))
    write(tmp_path / "prices.csv", "item,price\na,1\n")
    source = opened(tmp_path)
    assert source.splits == ("train", "validation", "test") and source.single_file
    assert values(tmp_path) == [(f"{name} {n}", "x") for name in "ab" for n in range(50)]


def test_a_table_named_unsupervised_is_a_split_only_beside_training_tables(tmp_path, opened, values, write):
    for name in ("a", "unsupervised"):
        write(tmp_path / f"{name}.csv", f"text,label\n{name},x\n")
    assert values(tmp_path) == values(f"{tmp_path}/*.csv") == [("a", "x"), ("unsupervised", "x")]
    write(tmp_path / "train.csv", "text,label\nb,x\n")
    assert opened(tmp_path).splits == ("train", "validation", "test", "unsupervised")


def test_texts_of_class_folders_with_a_split_in_their_names_are_no_tables(tmp_path, values, write):
    write(tmp_path / "README.md", "about")
    write(tmp_path / "travel" / "train to busan.txt", "by rail")
    write(tmp_path / "law" / "test.txt", "a case")
    assert values(tmp_path) == [("a case", "law"), ("by rail", "travel")]


def test_class_folders_are_read_as_text_and_folder_name(tmp_path, opened, values, write):
    write(tmp_path / "pos" / "1.txt", "\ufeffgood\nfilm\n")
    write(tmp_path / "neg" / "2.txt", "bad")
    write(tmp_path / "neg" / "1.txt", "worse\n")
    write(tmp_path / "neg" / "notes.md", "no text")
    assert values(tmp_path) == [("worse", "neg"), ("bad", "neg"), ("good\nfilm", "pos")]
    assert opened(tmp_path).splits == ("train", "validation", "test")
    assert values(tmp_path, columns=[Column("text")]) == [("worse",), ("bad",), ("good\nfilm",)]


def test_texts_of_a_class_folder_come_in_the_order_of_their_names(tmp_path, values, write):
    names = [f"{n:03}" for n in range(100)]
    for name in reversed(names):
        write(tmp_path / "only" / f"{name}.txt", name)
    assert values(tmp_path, columns=[Column("text")]) == [(name,) for name in names]


def test_class_folders_inside_split_folders_are_read_as_in_the_imdb_archive(tmp_path, opened, values, error_of, write):
    for split, name, text in [("train", "pos", "a"), ("train", "neg", "b"), ("test", "pos", "c"), ("test", "neg", "d")]:
        write(tmp_path / split / name / "0_9.txt", text)
    write(tmp_path / "train" / "unsup" / "0_0.txt", "unlabelled")
    write(tmp_path / "train" / "urls_pos.txt", "http://example.org")
    write(tmp_path / "train" / "urls_unsup.txt", "http://example.org")
    write(tmp_path / "README", "about")
    assert opened(tmp_path).splits == ("train", "validation", "test", "unsupervised")
    none_drawn = {"validation_fraction": 0, "test_fraction": 0}
    assert values(tmp_path / "train", "train", **none_drawn) == [("b", "neg"), ("a", "pos")]
    assert sorted(values(tmp_path, "all")) == [("a", "pos"), ("b", "neg"), ("c", "pos"), ("d", "neg")]
    assert values(tmp_path, "unsupervised", [Column("text")]) == [("unlabelled",)]
    assert "no label" in error_of(tmp_path, split="unsupervised")


def test_a_class_folder_without_a_text_and_one_with_invalid_utf8_are_named(tmp_path, error_of, write):
    write(tmp_path / "pos" / "1.txt", "first line\nsecond \xff".encode("latin-1"))
    assert error_of(tmp_path).startswith(f"{tmp_path / 'pos' / '1.txt'}:2:")
    (tmp_path / "neg").mkdir()
    assert str(tmp_path / "neg") in error_of(tmp_path)


@pytest.mark.parametrize("name", TASKS)
def test_an_evaluation_of_a_folder_reports_the_files_that_it_does_not_read(tmp_path, write, caplog, name):
    task = find(TASKS[name])
    header, row = ("en,ko", "a,b") if name == "translation" else ("text,label", "a,b")
    for file in ("train", "test", "extra"):
        if name == "chargen":
            write(tmp_path / f"{file}.txt", "A line.\n")
        else:
            write(tmp_path / f"{file}.csv", f"{header}\n{row}\n")
    arguments = task.evaluate_arguments(run="r", data=str(tmp_path))
    with caplog.at_level("INFO"):
        task.open_evaluation_source(task.settings_class(), arguments)
    assert "left out" in caplog.text and "extra" in caplog.text
