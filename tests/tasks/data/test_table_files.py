"""Table files: what is read from each format, and which errors a bad file causes."""

import json
import os
import tracemalloc

import pyarrow
import pyarrow.parquet
import pytest

from tasks.data.sources import Column
from tasks.errors import UserError
from tasks.serving import text_io

ROWS = [('good, "really" good', "pos"), ("bad\u2028line", "neg"), ("👍🏽 한국어 עברית", "pos"), ("  ", "neg")]


@pytest.mark.parametrize(
    "name", ["a.csv", "a.csv.gz", "a.tsv", "a.txt", "a.txt.gz", "a.jsonl", "a.jsonl.gz", "A.CSV", "a.parquet"]
)
def test_each_format_returns_the_same_rows(tmp_path, values, write_table, name):
    assert values(write_table(tmp_path / name, ROWS)) == ROWS


def test_parquet_reads_dictionary_encoding_and_skips_other_columns(tmp_path, opened):
    path = tmp_path / "a.parquet"
    texts, labels = zip(*ROWS, strict=True)
    table = pyarrow.table({"n": range(len(ROWS)), "label": pyarrow.array(labels).dictionary_encode(), "text": texts})
    pyarrow.parquet.write_table(table, path)
    records = list(opened(path).records("all"))
    assert [record.values for record in records] == ROWS
    assert records[0].location == f"{path}, row 1"


def test_typed_values_become_the_text_of_a_csv_file(tmp_path, values, write):
    rows = [{"text": 1, "label": True}, {"text": 2.5, "label": None}]
    path = write(tmp_path / "a.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    pyarrow.parquet.write_table(pyarrow.table({"text": [1.0, 2.5], "label": [True, None]}), tmp_path / "a.parquet")
    assert values(path) == [("1", "true"), ("2.5", "")]
    assert values(tmp_path / "a.parquet") == [("1.0", "true"), ("2.5", "")]


DETAILS = {
    "quotation marks in TSV": (
        "a.tsv",
        'text\tlabel\n"never closed\tneg\n"closed"\tpos\n',
        [('"never closed', "neg"), ('"closed"', "pos")],
    ),
    "byte order mark and CR LF in CSV": ("a.csv", "\ufefftext,label\r\ngood,pos\r\n", [("good", "pos")]),
    "byte order mark and CR LF in TSV": ("a.tsv", "\ufefftext\tlabel\r\ngood\tpos\r\n", [("good", "pos")]),
    "blank lines at the end of CSV": ("a.csv", "text,label\na,b\n\n\r\n\n", [("a", "b")]),
    "blank lines at the end of TSV": ("a.tsv", "text\tlabel\na\tb\n\n\r\n\n", [("a", "b")]),
    "blank lines at the end of JSON Lines": ("a.jsonl", '{"text":"a","label":"b"}\n\n\r\n\n', [("a", "b")]),
    "an empty line in a table of one column": ("a.txt", "text\nfirst\n\nthird\n\n", [("first",), ("",), ("third",)]),
}


@pytest.mark.parametrize(("name", "content", "rows"), DETAILS.values(), ids=DETAILS)
def test_details_of_a_format(tmp_path, values, write, name, content, rows):
    columns = [Column("text"), Column("label")][: len(rows[0])]
    assert values(write(tmp_path / name, content), columns=columns) == rows


def test_a_quoted_csv_field_spans_lines_and_the_next_row_knows_its_line(tmp_path, opened, write):
    path = write(tmp_path / "a.csv", 'text,label\r\n"two\nlines, ""quoted""",pos\r\nnext,neg\r\n')
    records = list(opened(path).records("all"))
    assert [record.values for record in records] == [('two\nlines, "quoted"', "pos"), ("next", "neg")]
    assert [record.location for record in records] == [f"{path}:2", f"{path}:4"]


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.jsonl"])
def test_a_nul_byte_and_a_text_of_a_million_characters_are_read(tmp_path, values, write_table, name):
    rows = [("a\0b", "x"), ("long " * 200_000, "y")]
    assert values(write_table(tmp_path / name, rows)) == rows


def test_columns_have_the_requested_order_and_names(tmp_path, values, write):
    path = write(tmp_path / "pairs.tsv", "en\tko\tattribution\nGo.\t가.\tsomebody\n")
    assert values(path, columns=[Column("source", "ko"), Column("target", "en")]) == [("가.", "Go.")]
    assert values(path, columns=[Column("text", "en")]) == [("Go.",)]


@pytest.mark.parametrize("name", ["pairs.csv", "pairs.csv.gz", "pairs.tsv"])
def test_a_table_of_sentence_pairs_is_read_in_either_direction(tmp_path, opened, values, error_of, write_table, name):
    rows = [(f"sentence {n}", f"문장 {n}") for n in range(300)]
    table = [(*row, "somebody") for row in rows]
    path = write_table(tmp_path / name, table, header=("en", "ko", "somebody"))
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


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", "text,label\n\na,b\n   \n\nc,d\n\n"),
        ("a.csv", '"text","label"\r\n\r\n"a","b"\r\n"c","d"'),
        ("a.tsv", "text\tlabel\na\tb\n\nc\td\n"),
        ("a.jsonl", '\n{"text":"a","label":"b"}\n \n{"text":"c","label":"d"}\n'),
        ("a.csv", "\n  \n,,\ntext,label\na,b\nc,d\n"),
        ("a.tsv", "\n\t\r\ntext\tlabel\r\na\tb\r\nc\td\r\n"),
    ],
)
def test_blank_lines_are_no_rows(tmp_path, values, write, name, content):
    assert values(write(tmp_path / name, content)) == [("a", "b"), ("c", "d")]


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.tsv", "a.txt", "a.jsonl"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("end", ["", "\r", "\n"])
def test_a_table_of_an_old_mac_has_returns_as_line_ends(tmp_path, values, write, write_table, name, encoding, end):
    rows = [("a", "b"), ("한 글", "d"), ("e", "f")]
    content = write_table(tmp_path / "b" / name.removesuffix(".gz"), rows).read_text("utf-8").rstrip("\n")
    write(tmp_path / name, (content.replace("\n", "\r") + (end if encoding == "utf-8" else "")).encode(encoding))
    assert values(tmp_path / name) == rows
    if name == "a.csv":  # also within a quoted field, and before it in a file that is larger than the first read
        write(tmp_path / name, "text,label\r" + f'{"x" * 2000},y\r"two\rlines",b\r' * 1000)
        assert values(tmp_path / name)[-1] == ("two\nlines", "b") and len(values(tmp_path / name)) == 2000


# --- Files that cannot be read --------------------------------------------------------------------------------------

UNREADABLE = {
    "missing": ("nowhere.csv", None, ""),
    "empty CSV": ("a.csv", "", ""),
    "blank lines": ("a.tsv", "\n\n", ""),
    "empty text, compressed": ("a.txt.gz", "", ""),
    "empty JSON Lines": ("a.jsonl", "", ""),
    "empty Parquet": ("a.parquet", "", ""),
    "a header and no rows": ("a.csv", "text,label\n", "no record"),
    "an unknown format": ("a.xlsx", "text\n", ".jsonl"),
    "compressed Parquet": ("a.parquet.gz", "text\n", ".jsonl"),
}


@pytest.mark.parametrize(("name", "content", "part"), UNREADABLE.values(), ids=UNREADABLE)
def test_an_unreadable_file_is_named(tmp_path, error_of, write, name, content, part):
    path = tmp_path / name
    if content is not None:
        write(path, content)
    message = error_of(path)
    assert str(path) in message and part in message


@pytest.mark.parametrize("name", ["a.csv.gz", "a.tsv.gz", "a.jsonl.gz", "a.parquet"])
@pytest.mark.parametrize("change", ["cut off", "damaged"])
def test_a_file_that_is_cut_off_or_damaged_is_named_with_the_remedy(tmp_path, error_of, write_table, name, change):
    rows = [(str(number * number), "a") for number in range(3000)]
    path = write_table(tmp_path / name, rows)
    content = bytearray(path.read_bytes())
    if change == "damaged":
        content[-5] ^= 1  # in the checksum, and in the length of the footer
    path.write_bytes(content if change == "damaged" else content[: len(content) // 2])
    message = error_of(path)
    assert str(path) in message and "copy or download it again" in message


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        ('{"text":"a","label":"b"}\n\nnot json\n', [":3: not valid JSON", "at character 1, found 'not json'"]),
        ('{"text":"a","label":"b"}\n{"text":"a" "b"}\n', [":2: not valid JSON", "at character 13, found"]),
        ('[{"text":"a","label":"b"},\n{"text":"a"}]\n', [":1: not valid JSON", "found '[{", "jq -c '.[]'"]),
        ('{\n"text":"a"\n}\n', [":1: not valid JSON", "found '{'", "jq -c ."]),
        ("text,label\na,b\n", [":1: not valid JSON", "found 'text,label'"]),
    ],
)
def test_a_line_that_is_no_json_is_named_with_what_was_found(tmp_path, error_of, write, content, parts):
    path = write(tmp_path / "a.jsonl", content)
    with pytest.raises(UserError) as caught:
        list(text_io.read_texts(str(path), "jsonl"))
    for message in (error_of(path), str(caught.value)):
        assert message.startswith(f"{path}{parts[0]}") and "line 1 column" not in message
        assert all(part in message for part in parts)


def test_an_empty_location_is_an_error(error_of):
    assert "''" in error_of("")


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.jsonl", "a.parquet"])
def test_a_missing_column_is_answered_with_the_available_ones(tmp_path, opened, write_table, name):
    path = write_table(tmp_path / name, [("a", "b")], header=("review", "label"))
    with pytest.raises(UserError) as caught:  # when it is opened, before anything is read
        opened(path)
    message = str(caught.value)
    assert "'text'" in message and "'review', 'label'" in message and "--text-column" in message


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("a.tsv", "text\tlabel\ngood\tpos\nbad\n", 3),
        ("a.tsv", "text\tlabel\na\tb\n\nc\td\n\ne\n", 6),
        ("a.tsv", "text\tlabel\ngood\ttab\tpos\n", 2),
        ("a.csv", 'text,label\n"two\nlines",pos\nbad\n', 4),
        ("a.csv", 'text,label\na,b\n"never closed,b\nc,d\n', 3),
        ("a.csv", 'text,label\na,b\n"x"y,b\n', 3),
        ("a.jsonl", '{"text":"a","label":"b"}\n{"text":"a"}\n', 2),
        ("a.jsonl", '{"text":"a","label":"b"}\n["a","b"]\n', 2),
        ("a.jsonl", '{"text":"a","label":"b"}\n{"text":\n', 2),
        ("a.jsonl", '{"text":"a","label":["b"]}\n', 1),
        ("a.jsonl", '{"text":"half \\ud83d","label":"b"}\n', 1),
    ],
)
def test_a_broken_row_is_named_by_file_and_line(tmp_path, error_of, write, name, content, line):
    path = write(tmp_path / name, content)
    assert error_of(path).startswith(f"{path}:{line}:")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", b"text,label\n" + "한국어".encode("euc-kr") + b"\n"),
        ("a.tsv.gz", b"text\tlabel\n" + "한국어".encode("euc-kr") + b"\n"),
        ("a.jsonl", b'{"text":"a","label":"b"}\n' + "한국어".encode("euc-kr") + b"\n"),
    ],
)
def test_invalid_utf8_is_named_by_file_and_line(tmp_path, error_of, write, name, content):
    path = write(tmp_path / name, content)
    message = error_of(path)
    assert message.startswith(f"{path}:2:") and "UTF-8" in message


def test_invalid_utf8_in_parquet_is_named_by_file_and_row(tmp_path, error_of):
    texts = pyarrow.array([b"good", b"\xff"]).view(pyarrow.string())
    pyarrow.parquet.write_table(pyarrow.table({"text": texts, "label": ["a", "b"]}), tmp_path / "a.parquet")
    message = error_of(tmp_path / "a.parquet")
    assert message.startswith(f"{tmp_path / 'a.parquet'}, row 2:") and "UTF-8" in message


@pytest.mark.parametrize("kept", [slice(15), slice(-20), None])
def test_a_truncated_or_false_gzip_file_is_an_error(tmp_path, error_of, write_table, kept):
    path = write_table(tmp_path / "a.csv.gz", [(f"text {n}", "pos") for n in range(10_000)])
    path.write_bytes(b"text,label\na,b\n" if kept is None else path.read_bytes()[kept])
    assert str(path) in error_of(path)


def test_an_empty_value_is_an_error_only_where_one_is_required(tmp_path, values, error_of, write):
    path = write(tmp_path / "a.csv", "text,label\n ,pos\ngood, \n")
    assert values(path) == [(" ", "pos"), ("good", " ")]
    message = error_of(path, [Column("text"), Column("label", required=True)])
    assert message.startswith(f"{path}:3:") and "label" in message


# --- Streaming ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a.csv", "a.tsv.gz", "a.jsonl"])
def test_memory_does_not_grow_with_the_file(tmp_path, opened, write_table, name):
    rows = [(f"{'a review of some words' * 4} {n}", "x") for n in range(20_000)]
    source = opened(write_table(tmp_path / name, rows))
    size = sum(len(text) for text, _ in rows)
    del rows
    tracemalloc.start()
    try:
        assert sum(1 for _ in source.records("train")) > 10_000
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < size / 10


@pytest.mark.slow
def test_memory_does_not_grow_with_a_parquet_file(tmp_path, opened, write_table):
    texts = [f"{os.urandom(50).hex()} {n}" for n in range(200_000)]  # random, so that compression saves nothing
    path = write_table(tmp_path / "a.parquet", [(text, "x") for text in texts])
    before, peak = pyarrow.total_allocated_bytes(), 0
    for count, _ in enumerate(opened(path).records("all")):
        if count % 100 == 0:
            peak = max(peak, pyarrow.total_allocated_bytes() - before)
    assert path.stat().st_size > 10_000_000 > 2 * peak
