"""Small files that expand: each is an error before the memory is full. Parquet columns that nobody asked for."""

import contextlib
import datetime
import gzip
import io
import json
import sys
import tracemalloc
import zipfile
from types import SimpleNamespace

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest

from tasks.chargen.settings import ChargenSettings
from tasks.chargen.text_source import open_text
from tasks.cli.settings_files import read_settings
from tasks.data import bounded_files, text_files, word_vectors
from tasks.data.sources import Column
from tasks.data.stored_files import read_json
from tasks.errors import UserError
from tasks.sentiment.settings import SentimentSettings
from tasks.serving import text_io

LINE = b"a" * (text_files.MAX_LINE_BYTES + 2)


@contextlib.contextmanager
def within(mebibytes: int):
    """Checks the peak of the memory that Python allocates."""
    tracemalloc.start()
    try:
        yield
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < mebibytes << 20, f"{peak >> 20} MiB"


@pytest.fixture(scope="module")
def endless(tmp_path_factory):
    """Writes a compressed file whose last line is too long; each beginning once."""
    folder = tmp_path_factory.mktemp("endless")

    def write(name: str, beginning: bytes):
        path = folder / name
        if not path.exists():
            path.write_bytes(gzip.compress(beginning + LINE, compresslevel=1))
        return path

    return write


@pytest.mark.parametrize(
    ("name", "beginning"),
    [("a.csv.gz", b"text,label\n"), ("a.tsv.gz", b"text\tlabel\n"), ("a.jsonl.gz", b'{"text": "a", "label": "b"}\n')],
)
def test_a_table_that_expands_to_an_endless_line_is_an_error(error_of, endless, name, beginning):
    path = endless(name, beginning)
    assert path.stat().st_size < 1 << 20
    with within(300):
        assert error_of(path).startswith(f"{path}:2: the line is longer than 64 MB")
    with within(300), pytest.raises(UserError, match="longer than 64 MB"):
        list(text_io.read_texts(str(path), name.split(".")[1]))


def test_endless_lines_of_standard_input_and_of_plain_texts_are_errors(endless, monkeypatch):
    path = endless("a.txt.gz", b"a text\n")
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(path.read_bytes())))
    for location in (str(path), "-"):
        with within(300), pytest.raises(UserError, match=":2: the line is longer than 64 MB"):
            list(text_io.read(location))


def test_word_vectors_that_expand_to_an_endless_line_are_an_error(endless):
    with within(300), pytest.raises(UserError, match="longer than 64 MB"):
        word_vectors.read(endless("a.vec.gz", b"1 8\n"), ["a"], 8)


def test_parallel_files_and_class_folders_have_bounded_lines(tmp_path, error_of, endless):
    for name in ("parallel/train.en.gz", "parallel/train.ko.gz"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(endless("a.txt.gz", b"a text\n").read_bytes())
    assert "longer than 64 MB" in error_of(tmp_path / "parallel", [Column("source", "en"), Column("target", "ko")])
    for name in ("pos", "neg"):
        (tmp_path / "classes" / name).mkdir(parents=True)
        (tmp_path / "classes" / name / "1.txt").write_bytes(LINE)
    assert "longer than 64 MB" in error_of(tmp_path / "classes")


@pytest.mark.parametrize("content", [b"\n", b"line\n", b"x" * 10])
def test_a_text_that_expands_to_more_than_its_file_is_an_error(tmp_path, monkeypatch, content):
    monkeypatch.setattr(text_files, "MIN_EXPANDED_BYTES", 1 << 16)
    path = tmp_path / "a.txt.gz"
    path.write_bytes(gzip.compress(content * (1 << 18)))
    with pytest.raises(UserError, match=r"longer than \d+ (MB|million characters)"):
        open_text(ChargenSettings.model_validate({"data": {"data": path}}))
    path.with_suffix("").write_bytes(b"one line of a text that is not compressed " * 50_000)
    assert open_text(ChargenSettings.model_validate({"data": {"data": path.with_suffix("")}})).stored["train"]


def test_blank_lines_rows_without_end_and_many_columns_are_bounded(tmp_path, values, error_of, write):
    blanks = write(tmp_path / "blank.csv.gz", b"text,label\na,b\n" + b"\n" * (1 << 16) + b"c,d\n")
    assert values(blanks) == [("a", "b"), ("c", "d")]
    many = write(tmp_path / "many.csv.gz", b"text,label\n" + b"," * (1 << 22) + b"\n")
    assert error_of(many).startswith(f"{many}:2: the row has more than 10,000 columns")


def test_a_row_of_quoted_line_breaks_is_bounded(tmp_path, error_of, write, monkeypatch):
    monkeypatch.setattr("tasks.data.delimited_files.MAX_LINE_BYTES", 1 << 16)
    path = write(tmp_path / "a.csv", 'text,label\n"a' + '\n","' * (1 << 16))
    assert error_of(path).startswith(f"{path}:2: the line is longer")


def test_a_line_of_many_json_values_is_an_error(tmp_path, error_of, write):
    path = write(tmp_path / "a.jsonl", '{"text": "a", "label": [' + "[]," * (1 << 21) + "[]]}")
    assert "values" in error_of(path)


@pytest.mark.parametrize(
    "content",
    [
        "[training]\n" + ".".join("a" * 100_000) + " = 1\n",
        "[" + " . ".join("a" * 100_000) + "]\n",
        "training = {" + ".".join(['"a"'] * 20_000) + " = 1}\n",
        "a = " + "[" * 100_000 + "]" * 100_000,
        "# " + "a" * (1 << 20),
    ],
    ids=["dotted key", "header", "quoted parts", "nested lists", "large"],
)
def test_a_settings_file_that_expands_is_an_error(tmp_path, content):
    path = tmp_path / "a.toml"
    path.write_text(content)
    with pytest.raises(UserError) as caught:
        read_settings(path, "sentiment", SentimentSettings)
    assert str(caught.value).startswith(str(path))


def test_dots_in_texts_of_a_settings_file_are_none_of_keys(tmp_path):
    path = tmp_path / "a.toml"
    path.write_text('data.text_column = "a' + ".b" * 40 + '"  # ' + "c." * 40 + "\n")
    assert read_settings(path, "sentiment", SentimentSettings).data.text_column == "a" + ".b" * 40
    path = tmp_path / "a.json"
    path.write_text('{"training": {"epochs": 1}, "training": {"epochs": 2}}')
    with pytest.raises(UserError, match="occurs twice"):
        read_settings(path, "sentiment", SentimentSettings)
    path.write_text('{"training": {"epochs": 1}}' + " " * (1 << 20))
    with pytest.raises(UserError, match="larger than 1 MB"):
        read_settings(path, "sentiment", SentimentSettings)


# --- what training and export have written ----------------------------------------------------------------------------


def test_a_large_json_file_of_a_run_is_an_error(tmp_path):
    path = tmp_path / "labels.json"
    path.write_text("[" + " " * bounded_files.MAX_JSON_BYTES + "]")
    with pytest.raises(UserError, match=r"labels\.json is not readable as JSON .*larger than 16 MB.*; do this"):
        read_json(path, "do this")


def test_arrays_are_of_the_size_that_their_files_have(tmp_path):
    path = tmp_path / "a.npy"
    for array in (np.arange(5), np.zeros((0, 3)), np.zeros((), np.float32)):
        np.save(path, array)
        np.testing.assert_array_equal(bounded_files.load_array(path), array)
    with open(path, "wb") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "<f8", "fortran_order": False, "shape": (10**12,)})
    with pytest.raises(ValueError, match="declares 8,000,000,000,000 bytes"):
        bounded_files.load_array(path)
    np.savez(tmp_path / "b.npz", a=np.arange(5), b=np.array("text"))
    assert bounded_files.load_arrays(tmp_path / "b.npz")["a"].tolist() == [0, 1, 2, 3, 4]
    np.savez_compressed(tmp_path / "c.npz", a=np.zeros(1 << 24))
    with within(60), pytest.raises(ValueError, match="compressed"):
        bounded_files.load_arrays(tmp_path / "c.npz")


@pytest.mark.parametrize("member", ["config.json", "metadata.json", "model.weights.h5"])
def test_a_model_with_a_part_that_expands_is_an_error(small_tasks, tmp_path, member):
    small, path = small_tasks["sentiment"], tmp_path / "model.keras"
    bounded_files.check_model(small.untrained_run / "model.keras")
    with (
        zipfile.ZipFile(small.untrained_run / "model.keras") as source,
        zipfile.ZipFile(path, "w") as target,
    ):
        for name in source.namelist():
            content = source.read(name)
            expanded = content + b" " * (1 << 26) if name == member else content
            target.writestr(name, expanded, zipfile.ZIP_DEFLATED if name == member else zipfile.ZIP_STORED)
    with within(60), pytest.raises(ValueError, match="compressed"):
        bounded_files.check_model(path)


def test_a_model_whose_weights_declare_more_than_they_hold_is_an_error(tmp_path):
    import h5py

    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        file.create_dataset("a", shape=(1 << 40,), dtype="f4", chunks=(1 << 10,))  # without a number stored
    with zipfile.ZipFile(tmp_path / "model.keras", "w") as archive:
        archive.writestr("model.weights.h5", content.getvalue())
    with pytest.raises(ValueError, match="weights are larger than the file"):
        bounded_files.check_model(tmp_path / "model.keras")


# --- Parquet: large values, columns that nobody asked for -------------------------------------------------------------


def of_one_value(path, value: str, rows: int, **options):
    """Writes a small file in which all rows have the same text."""
    texts = pyarrow.DictionaryArray.from_arrays(pyarrow.array([0] * rows, pyarrow.int32()), pyarrow.array([value]))
    labels = pyarrow.array(["a", "b"] * (rows // 2))
    columns = pyarrow.table({"text": texts, "label": labels, "short": labels})
    pyarrow.parquet.write_table(columns, path, compression="zstd", write_statistics=False, **options)
    assert path.stat().st_size < 1 << 16
    return path


def test_a_value_of_parquet_is_bounded_as_a_line_is(tmp_path, error_of, monkeypatch):
    monkeypatch.setattr("tasks.data.records.MAX_VALUE_BYTES", 1 << 20)
    path = of_one_value(tmp_path / "a.parquet", "a" * (1 << 20) + "b", 4)
    problem = f"{path}, row 1: the value of 'text' is longer than 1 MB"
    assert "the value of 'text' is longer than 1 MB" in error_of(path)
    for column in ("text", "short"):  # also where it is only kept beside the text
        with pytest.raises(UserError, match=problem):
            list(text_io.read_texts(str(path), "parquet", column))
    assert len(list(text_io.read_texts(str(path), "parquet", "short", columns=()))) == 4


def test_few_rows_with_large_values_are_read_at_once(tmp_path):
    path = of_one_value(tmp_path / "a.parquet", "a" * (32 << 20), 16)
    before, count = pyarrow.total_allocated_bytes(), 0
    for _ in text_io.read_texts(str(path), "parquet", columns=()):
        count += 1
        assert pyarrow.total_allocated_bytes() - before < 400 << 20
    assert count == 16


def test_a_column_that_expands_too_much_is_an_error(tmp_path, error_of, monkeypatch):
    monkeypatch.setattr("tasks.data.parquet_files.MIN_COLUMN_BYTES", 1 << 20)
    path = tmp_path / "a.parquet"
    table = pyarrow.table({"text": ["a" * (1 << 18)] * 8, "label": ["a", "b"] * 4})
    pyarrow.parquet.write_table(table, path, compression="zstd", use_dictionary=False, write_statistics=False)
    assert f"{path}: its column 'text' expands to 2 MB in a row group" in error_of(path)


@pytest.fixture(scope="module")
def with_dates(tmp_path_factory):
    """A Parquet file with columns that Python cannot represent, beside texts and labels."""
    nanoseconds = pyarrow.array([1, -(2**62)], pyarrow.timestamp("ns"))
    columns = {
        "text": ["good", "bad"],
        "label": ["a", "b"],
        "nanoseconds": nanoseconds,
        "zoned": nanoseconds.cast(pyarrow.timestamp("ns", "Asia/Seoul")),
        "far": pyarrow.array([2**31 - 1, -(2**31)], pyarrow.int32()).cast(pyarrow.date32()),
        "beyond": pyarrow.array([2**62, -(2**62)], pyarrow.timestamp("us")),
        "time": pyarrow.array([1, 86_399_999_999_999], pyarrow.time64("ns")),
        "duration": pyarrow.array([2**62, 1], pyarrow.duration("ns")),
        "list": pyarrow.array([[1], None], pyarrow.list_(pyarrow.timestamp("ns"))),
        "struct": pyarrow.StructArray.from_arrays([nanoseconds], ["when"]),
        "broken": pyarrow.array([b"\xff", b"a"]).view(pyarrow.string()),
        "date": [datetime.date(2026, 1, 2), None],
    }
    path = tmp_path_factory.mktemp("dates") / "a.parquet"
    pyarrow.parquet.write_table(pyarrow.table(columns), path)
    return path


def test_only_the_columns_in_use_are_read(values, with_dates):
    assert values(with_dates) == [("good", "a"), ("bad", "b")]
    rows = list(text_io.read_texts(str(with_dates), "parquet", columns=()))
    assert [(row.text, row.fields) for row in rows] == [("good", {}), ("bad", {})]


def test_kept_columns_that_python_cannot_represent_are_texts(with_dates):
    rows = list(text_io.read_texts(str(with_dates), "parquet"))
    assert [row.text for row in rows] == ["good", "bad"]
    assert "1970-01-01 00:00:00.000000001" in rows[0].fields["nanoseconds"]
    assert "1970-01-01 00:00:00.000000001" in rows[0].fields["struct"]["when"]
    assert rows[0].fields["date"] == "2026-01-02" and rows[1].fields["date"] is None
    assert json.loads(json.dumps(rows[0].fields)) == rows[0].fields


def test_a_date_in_use_is_read_as_its_text(values, with_dates):
    assert values(with_dates, columns=[Column("text", "nanoseconds")])[0] == ("1970-01-01 00:00:00.000000001",)
    assert values(with_dates, columns=[Column("text", "struct.when")])[0] == ("1970-01-01 00:00:00.000000001",)


def test_a_row_that_cannot_be_read_is_named_in_a_text_from_a_table(tmp_path, write):
    path = write(tmp_path / "a.csv", "text,label\na,b\nc\n")
    with pytest.raises(UserError, match=r"a\.csv:3: the row has 1 column; expected 2"):
        open_text(ChargenSettings.model_validate({"data": {"data": path, "text_column": "text"}}))
