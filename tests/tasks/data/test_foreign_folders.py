"""Folders as Spark, Hadoop and the hub of Hugging Face write them, and URLs of files on this machine."""

import gzip
import json
import re
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from tasks.chargen.settings import ChargenSettings
from tasks.chargen.text_source import open_text
from tasks.data.documents import open_documents
from tasks.data.records import Column
from tasks.data.sources import open_source
from tasks.data.text_files import read_text
from tasks.errors import UserError
from tasks.file_options import FileOptions
from tasks.training.runs import Run

COLUMNS = [Column("text"), Column("label")]
ROWS = [(f"text {number}", str(number % 2)) for number in range(60)]
CSV = "text,label\n" + "".join(f"{text},{label}\n" for text, label in ROWS)
JSON = "".join(json.dumps({"text": text, "label": label}) + "\n" for text, label in ROWS)


def write(path: Path, content: str | bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())


def compressed(content: str) -> bytes:
    # The same bytes at any time: they are in the names of the tests, which all processes of a run have to agree on.
    return gzip.compress(content.encode(), mtime=0)


def write_parquet(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    columns = {"text": [text for text, _ in ROWS], "label": [label for _, label in ROWS]}
    pyarrow.parquet.write_table(pyarrow.table(columns), path)


def counts(location: Path | str, options: FileOptions = FileOptions()) -> dict[str, int]:  # noqa: B008
    source = open_source(str(location), COLUMNS, sample=Path("none"), options=options)
    return {split: sum(record.problem is None for record in reader()) for split, reader in source.stored.items()}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("part-00000-4e1a.c000.csv", CSV),
        ("part-00000-4e1a.c000.csv.gz", compressed(CSV)),
        ("part-00000.json", JSON),
        ("part-00000.json.gz", compressed(JSON)),
        ("part-00000", CSV.replace(",", "\t")),
        ("part-r-00000", CSV.replace(",", "\t")),
        ("part-00000", JSON),
        ("part-00000.gz", compressed(JSON)),
        ("part-00000.gz", compressed(CSV.replace(",", "\t"))),
    ],
)
def test_part_files_are_one_table(tmp_path, name, content):
    for number in range(3):
        write(tmp_path / name.replace("00000", f"0000{number}"), content)
    for marker in ("_SUCCESS", "_committed_123", "_metadata", f".{name}.crc", f"{name}.crc", "_temporary/0/part-0.csv"):
        write(tmp_path / marker, b"\0")
    assert counts(tmp_path) == counts(tmp_path / "part-*") == counts(tmp_path / "*") == {"train": 180}


def test_part_files_without_a_suffix_may_be_parquet(tmp_path):
    write_parquet(tmp_path / "part-00000")
    assert counts(tmp_path) == {"train": 60}


def test_a_folder_for_each_split_holds_part_files(tmp_path):
    write(tmp_path / "a" / "train" / "part-00000.csv", CSV)
    write(tmp_path / "a" / "train" / "part-00001.csv", CSV)
    write(tmp_path / "a" / "valid" / "part-00000.csv", CSV)
    write(tmp_path / "a" / "_SUCCESS", "")
    assert counts(tmp_path / "a") == {"train": 120, "validation": 60}
    write_parquet(tmp_path / "b" / "train.parquet" / "part-00000.snappy.parquet")
    write_parquet(tmp_path / "b" / "test.parquet" / "part-00000.snappy.parquet")
    assert counts(tmp_path / "b") == {"train": 60, "test": 60}
    for day in range(2):
        write(tmp_path / "c" / "train" / f"day={day}" / "part-00000.csv", CSV)
        write(tmp_path / "d" / f"day={day}" / "part-00000.csv", CSV)
    assert counts(tmp_path / "c") == counts(tmp_path / "d") == {"train": 120}


def test_spark_writes_no_header(tmp_path):
    write(tmp_path / "part-00000.csv", CSV.split("\n", 1)[1])
    source = open_source(
        str(tmp_path), [Column("text", "1"), Column("label", "2")], sample=Path(), options=FileOptions(header=False)
    )
    assert sum(1 for _ in source.records("all")) == 60


@pytest.fixture
def hub(tmp_path) -> Path:
    """A copy of a data set of the hub."""
    for name in ("train-00000-of-00002", "train-00001-of-00002", "test-00000-of-00001", "unsupervised-00000-of-00001"):
        write_parquet(tmp_path / "hub" / "data" / f"{name}.parquet")
    write(tmp_path / "hub" / "README.md", "---\nlicense: mit\n---\n")
    write(tmp_path / "hub" / ".gitattributes", "")
    return tmp_path / "hub"


def test_a_data_set_of_the_hub_is_named_by_its_folder(hub):
    assert counts(hub) == counts(hub / "data") == {"train": 120, "test": 60, "unsupervised": 60}
    assert len([*open_documents(str(hub), None, sample=Path()).texts("unsupervised")]) == 60
    settings = ChargenSettings.model_validate({"data": {"data": str(hub), "text_column": "text"}})
    found = open_text(settings).stored
    assert {split: text.count("\n") for split, text in found.items()} == {"train": 120, "test": 60}


def test_of_several_configurations_one_is_named(hub):
    (hub / "data").rename(hub / "plain_text")
    assert counts(hub) == {"train": 120, "test": 60, "unsupervised": 60}
    write_parquet(hub / "cleaned" / "train-00000-of-00001.parquet")
    with pytest.raises(UserError, match="has tables in 'cleaned', 'plain_text'; name one of these folders"):
        counts(hub)


def test_files_of_this_machine_have_urls(tmp_path):
    write(tmp_path / "my data" / "train.csv", CSV)
    for url in (
        f"file://{tmp_path}/my%20data",
        f"file:{tmp_path}/my data/train.csv",
        f"file://localhost{tmp_path}/m*/*",
    ):
        assert counts(url) == {"train": 60}
    with pytest.raises(UserError, match="'file:///none': no such file"):
        counts("file:///none")


def test_urls_that_name_nothing_are_errors_of_one_line():
    for url, expected in {
        "abfss://container/a.csv": "check the URL, abfss://CONTAINER@ACCOUNT.dfs.core.windows.net/PATH",
        "gs:///a.csv": "names no bucket; expected gs://BUCKET/PATH",
        "hdfs://host/a.csv": "hdfs:// is not read. Expected a path, or s3://, gs://, abfss:// or file://",
    }.items():
        with pytest.raises(UserError, match=re.escape(expected)) as raised:
            counts(url)
        assert len(str(raised.value).splitlines()) == 1


def test_a_file_that_was_compressed_twice_is_read(tmp_path):
    write(tmp_path / "text.gz", gzip.compress(gzip.compress(b"a text\n")))
    assert read_text(tmp_path / "text.gz") == "a text"


def test_what_is_written_is_on_this_machine():
    with pytest.raises(UserError, match=r"s3://corpora/run: a path of this machine is expected"):
        Run("s3://corpora/run")
