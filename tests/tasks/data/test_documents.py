"""Texts without labels, from everything that the tasks read."""

import itertools
import logging
from pathlib import Path

import pytest

from tasks.data.documents import open_documents
from tasks.errors import UserError
from tasks.file_options import FileOptions

SAMPLE = Path(__file__).parents[3] / "tasks" / "samples" / "sentiment"


def texts(location, splits="train", column=None, **options) -> list[str]:
    named = str(location) if isinstance(location, Path) else location
    return [one.rstrip("\n") for one in open_documents(named, column, sample=SAMPLE, **options).texts(splits)]


@pytest.fixture
def folder(write, write_table, tmp_path) -> Path:
    write(tmp_path / "lines.txt", "one\ntwo three\n")
    write(tmp_path / "more.txt.gz", "four\n")
    write_table(tmp_path / "rows.csv", [("a b", "x"), ("c, d", "y")])
    write_table(tmp_path / "table.txt", [("e f", "x")])
    write_table(tmp_path / "rows.parquet", [("g", "x")])
    return tmp_path


def test_texts_are_lines_of_files_and_rows_of_tables(folder):
    assert texts(folder / "lines.txt") == ["one", "two three"]
    assert texts(folder / "more.txt.gz") == ["four"]
    assert texts([str(folder / "lines.txt"), str(folder / "more.txt.gz")]) == ["one", "two three", "four"]
    assert texts(f"{folder}/*.txt.gz") == ["four"]
    assert texts(folder / "rows.csv") == ["a b", "c, d"]
    assert texts(folder / "rows.csv", column="label") == ["x", "y"]
    assert texts(folder / "rows.parquet") == ["g"]
    assert texts(folder / "table.txt", column="text") == ["e f"]
    assert len(texts("sample")) == 4000


def test_a_table_that_is_read_as_lines_is_pointed_out(folder, caplog):
    with caplog.at_level(logging.WARNING):
        assert texts(folder / "table.txt") == ["text\tlabel", "e f\tx"]
    assert "--text-column: text, label" in caplog.text


def test_a_folder_has_splits(write, write_table, tmp_path):
    for split, text in (("train", "a\n"), ("valid", "b\n"), ("test", "c\n")):
        write(tmp_path / "lines" / f"wiki.{split}.txt", text)
        write_table(tmp_path / "tables" / f"{split}.csv", [(text.strip(), "x")])
        write(tmp_path / "classes" / split / "pos" / "1.txt", text)
    write(tmp_path / "classes" / "train" / "unsup" / "1.txt", "d\n")
    write(tmp_path / "classes" / "README", "of the data set\n")
    for name in ("lines", "tables", "classes"):
        assert texts(tmp_path / name) == ["a"]
        assert texts(tmp_path / name, "train+test") == ["a", "c"]
        assert texts(tmp_path / name, "all") == ["a", "b", "c"]
    assert texts(tmp_path / "classes", "train+unsupervised") == ["a", "d"]
    write(tmp_path / "books" / "one" / "chapter.txt", "e\n")
    write(tmp_path / "books" / "notes.txt", "f\n")
    assert sorted(texts(tmp_path / "books")) == ["e", "f"]


def test_a_text_file_beside_class_folders_is_left_out_with_a_warning(write, tmp_path, caplog):
    for split in ("train", "test"):
        for label in ("pos", "neg"):
            write(tmp_path / "reviews" / split / label / "1.txt", f"{split}\n{label}\n")
        write(tmp_path / "reviews" / split / "urls_pos.txt", "http://a\nhttp://b\n")
    write(tmp_path / "reviews" / "ratings.txt", "7.1\n8.2\n")
    with caplog.at_level(logging.WARNING):
        assert sorted(texts(tmp_path / "reviews")) == ["train\nneg", "train\npos"]
    assert "ratings.txt" in caplog.text and "train/urls_pos.txt" in caplog.text and "--train-files" not in caplog.text


def test_tables_in_sub_folders_are_named_and_no_text_beside_them_is_read(write, write_table, tmp_path):
    write_table(tmp_path / "data" / "tables" / "rows.csv", [("a", "x")])
    write(tmp_path / "data" / "README.md", "of the data set\n")
    with pytest.raises(UserError, match=r"tables/rows\.csv.*\*\*/\*\.csv'"):
        texts(tmp_path / "data")
    assert texts(f"{tmp_path}/data/**/*.csv") == ["a"]


def test_bad_rows_are_errors_or_left_out(write, tmp_path, caplog):
    write(tmp_path / "a.jsonl", '{"text": "one"}\n{"text": [1]}\n{"text": "two"}\n')
    with pytest.raises(UserError, match="skip-bad-rows"):
        texts(tmp_path / "a.jsonl")
    with caplog.at_level(logging.WARNING):
        assert texts(tmp_path / "a.jsonl", skip_bad_rows=True) == ["one", "two"]
    assert "left out 1 bad row of" in caplog.text


@pytest.mark.parametrize(
    ("location", "column", "options", "part"),
    [
        ("nowhere", None, {}, "no such file or folder"),
        ("rows.csv", "body", {}, "'text', 'label'"),
        ("lines.txt", None, {"delimiter": ";"}, "--delimiter"),
        (("lines.txt", "rows.csv"), None, {}, "rows.csv is a table, and lines.txt is not"),
        (("rows.csv", "lines.txt"), None, {}, "rows.csv is a table, and lines.txt is not"),
        ("empty", None, {}, "expected files"),
    ],
)
def test_a_source_that_cannot_be_read_is_named(folder, monkeypatch, location, column, options, part):
    (folder / "empty").mkdir()
    monkeypatch.chdir(folder)
    with pytest.raises(UserError) as caught:
        texts(location, column=column, options=FileOptions(**options))
    assert part in str(caught.value) and len(str(caught.value).splitlines()) <= 2


def test_splits_of_a_data_set_are_joined(monkeypatch):
    from tests.tasks.data.test_tfds_source import imdb_folder

    monkeypatch.setenv("TFDS_DATA_DIR", imdb_folder())
    found = open_documents("tfds:imdb_reviews", None, sample=SAMPLE)
    assert {"train", "unsupervised"} <= {*found.readers}
    assert len(list(itertools.islice(found.texts("unsupervised"), 3))) == 3
    with pytest.raises(UserError, match="'validation'"):
        next(found.texts("train+validation+nothing"))
