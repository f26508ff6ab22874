"""Tables as people have them: other separators, quotation marks, encodings, no header, nested values."""

import csv
import io
import json

import pyarrow
import pyarrow.parquet
import pytest

from tasks.data.sources import Column
from tasks.file_options import FileOptions

ROWS = [("good; really, good", "pos"), ("two\nlines", "neg"), ('he said "bad"', "neg"), ("a\ttab | bar", "pos")]
PLAIN = [(f"text {n}", "pos" if n % 2 else "neg") for n in range(30)]


def written(rows, header=("text", "label"), **dialect) -> str:
    """The content of a table as the csv module writes it, which is also how pandas and spreadsheets do."""
    stream = io.StringIO(newline="")
    csv.writer(stream, **dialect).writerows([*([header] if header else []), *rows])
    return stream.getvalue()


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.txt"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL], ids=["minimal", "all"])
def test_the_separator_and_the_quoting_of_a_program_are_found(tmp_path, values, write, name, delimiter, quoting):
    path = write(tmp_path / name, written(PLAIN + ROWS, delimiter=delimiter, quoting=quoting))
    assert values(path) == PLAIN + ROWS


def test_the_first_line_of_excel_names_the_separator(tmp_path, opened, values, write):
    path = write(tmp_path / "a.csv", "sep=:\r\n" + written(ROWS, delimiter=":"))
    assert values(path) == ROWS
    assert next(opened(path).records("all")).location == f"{path}:3"


# Reviews as people type them, in tab-separated files that were written without any quoting.
STRAY = [
    '"never closed',
    'closed"',
    '"quoted" at first',
    'a "word" within',
    '"',
    '""',
    '"whole"',
    '"a ""b"" c"',
    "6\" x 9'",
]


@pytest.mark.parametrize("name", ["ratings_train.txt", "a.tsv", "a.tsv.gz"])
def test_stray_quotation_marks_are_characters_of_a_file_without_quoting(tmp_path, values, write, name):
    rows = [(text, str(number % 2)) for number, text in enumerate(STRAY)]
    lines = ["id\tdocument\tlabel", *(f"{number}\t{text}\t{label}" for number, (text, label) in enumerate(rows))]
    path = write(tmp_path / name, "\n".join(lines) + "\n")
    assert values(path, columns=[Column("text", "document"), Column("label")]) == rows


def test_two_stray_marks_do_not_join_the_rows_between_them(tmp_path, values, write):
    content = 'id\ttext\tlabel\n1\t"opened\tpos\n2\tnothing\tneg\n3\tclosed"\tpos\n'
    assert values(write(tmp_path / "a.tsv", content)) == [('"opened', "pos"), ("nothing", "neg"), ('closed"', "pos")]


@pytest.mark.parametrize("delimiter", ["\t", "|", ",", ";"])
@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL], ids=["minimal", "all"])
@pytest.mark.parametrize("bad", ['"5" disk"', '"never closed', '"closed" too early'])
def test_a_malformed_row_of_a_quoted_table_is_reported_and_no_other(
    tmp_path, values, error_of, write, delimiter, quoting, bad
):
    rows = [(f'he said "{n}"', "pos" if n % 2 else "neg") for n in range(12)]
    content = written(rows, delimiter=delimiter, quoting=quoting, lineterminator="\n")
    after = written(ROWS, None, delimiter=delimiter, quoting=quoting, lineterminator="\n")
    path = write(tmp_path / "a.tsv", f"{content}{bad}{delimiter}pos\n{after}")
    message = error_of(path, skip_bad_rows=False)
    assert message.startswith(f"{path}:14: the row that starts here is not valid CSV") and "--skip-bad-rows" in message
    assert values(path, skip_bad_rows=True) == rows + ROWS


def test_two_malformed_rows_are_reported_together(tmp_path, error_of, write):
    content = written(PLAIN, delimiter="\t", quoting=csv.QUOTE_ALL, lineterminator="\n")
    path = write(tmp_path / "a.tsv", f'{content}"a"b\t"c"\n"d"\n{content[15:]}"e\t"f"\n')
    message = error_of(path)
    assert message.startswith("3 rows cannot be used") and ":32 (row 31)" in message and ":33 (row 32)" in message


def test_an_option_names_a_separator_that_is_not_found(tmp_path, values, error_of, write):
    path = write(tmp_path / "a.csv", written(ROWS, delimiter=":"))
    assert "--delimiter" in error_of(path)
    assert values(path, options=FileOptions(delimiter=":")) == ROWS
    tabs = write(tmp_path / "b.csv", written(ROWS, delimiter="\t"))
    assert (
        values(tabs, options=FileOptions(delimiter=r"\t")) == values(tabs, options=FileOptions(delimiter="tab")) == ROWS
    )


@pytest.mark.parametrize("value", [",,", "", '"', "\n"])
def test_what_cannot_separate_columns_is_an_error(value):
    with pytest.raises(ValueError, match="not one character"):
        FileOptions(delimiter=value)


# --- no header --------------------------------------------------------------------------------------------------------

NUMBERS = [Column("text", "1"), Column("label", "2")]


@pytest.mark.parametrize(("name", "delimiter"), [("a.csv", ","), ("a.csv", ";"), ("a.tsv", "\t"), ("a.txt", "\t")])
def test_columns_without_a_header_are_named_by_number(tmp_path, values, error_of, write, name, delimiter):
    rows = PLAIN + [row for row in ROWS if delimiter not in row[0]]
    path = write(tmp_path / name, written(rows, header=None, delimiter=delimiter))
    options = FileOptions(header=False)
    assert values(path, columns=NUMBERS, options=options) == rows
    assert values(path, columns=NUMBERS[::-1], options=options) == [row[::-1] for row in rows]
    message = error_of(path, options=options)
    assert "'text'" in message and "'1', '2'" in message and "--text-column 1" in message


@pytest.mark.parametrize(
    ("first", "sure"),
    [
        ("Go home now.\tGeh jetzt nach Hause.\tCC-BY 2.0", True),
        ("good film\t1", True),
        ("one\tone", True),
        ("review\tstars", False),
    ],
)
def test_the_error_for_a_missing_column_says_that_the_header_may_be_missing(tmp_path, error_of, write, first, sure):
    message = error_of(write(tmp_path / "a.txt", f"{first}\n{first}\n"))
    assert ("A header seems to be missing" in message) is sure
    assert "--no-header" in message and "--text-column 1" in message


def test_a_row_of_another_length_is_reported_without_a_header_too(tmp_path, error_of, write):
    path = write(tmp_path / "a.tsv", "a\tb\nc\n")
    message = error_of(path, NUMBERS, options=FileOptions(header=False))
    assert message.startswith(f"{path}:2:") and "as in the first row" in message


def test_a_table_with_a_header_and_an_unnamed_index_is_read(tmp_path, values, write):
    path = write(tmp_path / "a.csv", "\ufeff,text,label,\r\n0,good,pos,\r\n1,bad,neg,\r\n")
    assert values(path) == [("good", "pos"), ("bad", "neg")]


# --- names ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", "text,label,label\na,b,c\n"),
        ("a.tsv", "text\tid\tlabel\tid\na\t1\tb\t2\n"),
        ("a.jsonl", '{"text": "a", "label": "b", "label": "c"}\n'),
    ],
)
def test_two_columns_of_one_name_are_an_error(tmp_path, error_of, write, name, content):
    assert "two columns have the name" in error_of(write(tmp_path / name, content))


def test_two_columns_of_one_name_in_parquet_are_an_error(tmp_path, error_of):
    table = pyarrow.table([["a"], ["b"], ["c"]], names=["text", "label", "label"])
    pyarrow.parquet.write_table(table, tmp_path / "a.parquet")
    assert "two columns have the name 'label'" in error_of(tmp_path / "a.parquet")


PAIRS = [("one two", "하나 둘"), ("three", "셋")]
NESTED = [Column("source", "translation.en"), Column("target", "translation.ko")]


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz", "a.parquet"])
def test_a_dot_names_a_nested_value(tmp_path, values, error_of, write, name):
    rows = [{"id": n, "translation": {"ko": ko, "en": en}} for n, (en, ko) in enumerate(PAIRS)]
    path = tmp_path / name
    if name == "a.parquet":
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    else:
        write(path, "".join(json.dumps(row) + "\n" for row in rows))
    assert values(path, columns=NESTED) == PAIRS
    message = error_of(path, [Column("source", "en"), Column("target", "ko")])
    assert "'id', 'translation." in message and "--source-column" in message


def test_a_name_with_a_dot_is_preferred_and_a_row_without_the_value_is_named(tmp_path, values, error_of, write):
    path = write(tmp_path / "a.jsonl", '{"a.b": "flat", "a": {"b": "nested"}}\n')
    assert values(path, columns=[Column("text", "a.b")]) == [("flat",)]
    path = write(tmp_path / "b.jsonl", '{"a": {"b": "x"}}\n{"a": "x"}\n')
    message = error_of(path, [Column("text", "a.b")])
    assert message.startswith(f"{path}:2:") and "'a.b'" in message
