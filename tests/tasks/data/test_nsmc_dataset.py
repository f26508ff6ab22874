"""The NSMC builder: prepared from a download cache, so that no network is needed, and read as a source."""

import json
from pathlib import Path

import pytest

from tasks.data import datasets
from tasks.data.sources import Column, open_source
from tasks.errors import UserError

TRAIN = [
    ("1", '"따옴표가 하나뿐인 리뷰', "0"),
    ("2", "", "1"),
    ("3", "별점 10점\u2028👍🏽", "1"),
    ("3", "같은 번호의 리뷰", "0"),
]
TEST = [("9", "지루했다", "0")]
COLUMNS = (Column("text"), Column("label"))


def fill_download_cache(data_dir: Path, train=TRAIN) -> None:
    """Lays both files where the library keeps what it has downloaded, under the names that it gives them."""
    from tensorflow_datasets.core.download.checksums import load_url_infos
    from tensorflow_datasets.core.download.resource import get_dl_fname

    infos = load_url_infos(Path(datasets.__file__).with_name("checksums.tsv"))
    cache = data_dir / "downloads" / "nsmc"
    cache.mkdir(parents=True)
    for name, rows in (("ratings_train.txt", train), ("ratings_test.txt", TEST)):
        url = f"https://raw.githubusercontent.com/e9t/nsmc/master/{name}"
        info = infos[url]
        content = "".join("\t".join(row) + "\n" for row in [("id", "document", "label"), *rows])
        path = cache / get_dl_fname(url, info.checksum)
        path.write_bytes(content.encode("utf-8"))
        Path(f"{path}.INFO").write_text(
            json.dumps({"urls": [url], "dataset_names": ["nsmc"], "original_fname": name, "url_info": info.asdict()})
        )


def test_the_corpus_is_prepared_and_read_with_every_row_and_its_class_name(tmp_path, capsys):
    fill_download_cache(tmp_path)
    source = open_source("tfds:nsmc", COLUMNS, sample=tmp_path, data_dir=str(tmp_path))
    assert source.splits == ("train", "validation", "test")
    names = {"0": "negative", "1": "positive"}
    train = [record.values for record in source.records("all")]
    assert sorted(train) == sorted((document, names[label]) for _, document, label in TRAIN + TEST)
    assert [record.values for record in source.records("test")] == [("지루했다", "negative")]
    assert capsys.readouterr().out == ""

    again = open_source("tfds:nsmc", COLUMNS, sample=tmp_path, data_dir=str(tmp_path))
    assert [record.values for record in again.records("all")] == train


def test_the_columns_of_the_corpus_can_be_named_and_a_wrong_name_is_answered_with_them(tmp_path):
    fill_download_cache(tmp_path)
    with pytest.raises(UserError, match="'document', 'label'"):
        open_source("tfds:nsmc", [Column("text", "review")], sample=tmp_path, data_dir=str(tmp_path))
    columns = [Column("text", "document"), Column("label", "label")]
    source = open_source("tfds:nsmc", columns, sample=tmp_path, data_dir=str(tmp_path))
    assert [record.values for record in source.records("test")] == [("지루했다", "negative")]


def test_a_damaged_file_of_the_corpus_is_named_with_its_line(tmp_path):
    fill_download_cache(tmp_path, train=[("1", "한 줄", "0"), ("2", "열이 모자란 줄")])
    with pytest.raises(UserError, match=r"\.txt:3: the row has 2 columns"):
        open_source("tfds:nsmc", COLUMNS, sample=tmp_path, data_dir=str(tmp_path))


def test_the_library_knows_a_checksum_for_each_file_that_the_builder_downloads():
    datasets.register("nsmc")
    import tensorflow_datasets as tfds

    infos = tfds.builder_cls("nsmc").url_infos
    assert {url: int(info.size) for url, info in infos.items() if "nsmc" in url} == {
        "https://raw.githubusercontent.com/e9t/nsmc/master/ratings_train.txt": 14_628_807,
        "https://raw.githubusercontent.com/e9t/nsmc/master/ratings_test.txt": 4_893_335,
    }
