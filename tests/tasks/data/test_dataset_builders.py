"""The builders of Multi30k and NSMC: prepared from a download cache, so without a network, and read as sources.

The published files of Multi30k are compared line by line if the folder named by TFDS_DATA_DIR has them as downloads.
"""

import gzip
import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tasks.data import datasets
from tasks.data.sources import Column
from tasks.errors import UserError

MULTI30K = "https://raw.githubusercontent.com/multi30k/dataset/master/data/task1/raw/"
LANGUAGES = ("en", "de", "fr")
STEMS = {"train": "train", "validation": "val", "test": "test_2016_flickr", "test_2017_flickr": "test_2017_flickr"}
COUNTS = {"train": 29_000, "validation": 1_014, "test": 1_000, "test_2017_flickr": 1_000}
PAIR = (Column("source", required=True), Column("target", required=True))

NSMC = "https://raw.githubusercontent.com/e9t/nsmc/master/"
TRAIN = [
    ("1", '"따옴표가 하나뿐인 리뷰', "0"),
    ("2", "", "1"),
    ("3", "별점 10점\u2028👍🏽", "1"),
    ("3", "같은 번호의 리뷰", "0"),
]
TEST = [("9", "지루했다", "0")]


def url_infos(name: str) -> dict:
    """The registered size and checksum of each address of a data set, as its builder knows them."""
    datasets.register(name)
    import tensorflow_datasets as tfds

    infos = tfds.builder_cls(name).url_infos
    return {url: info for url, info in infos.items() if f"/{name}/" in url}


def cached_files(name: str, downloads: Path) -> dict[str, Path]:
    """The file of each address under the library's name for it, which contains the registered checksum."""
    from tensorflow_datasets.core.download.resource import get_dl_fname

    return {url: downloads / name / get_dl_fname(url, info.checksum) for url, info in url_infos(name).items()}


def fill_download_cache(name: str, data_dir: Path, content: Callable[[str], bytes]) -> None:
    """Writes small files where the library keeps its downloads; `content` is given the last part of the address."""
    for url, path in cached_files(name, data_dir / "downloads").items():
        file_name = url.rpartition("/")[2]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content(file_name))
        url_info = {"checksum": "0", "size": 0, "filename": file_name}
        Path(f"{path}.INFO").write_text(
            json.dumps({"urls": [url], "dataset_names": [name], "original_fname": file_name, "url_info": url_info})
        )


@pytest.mark.parametrize(
    ("name", "sizes"),
    [
        ("nsmc", {f"{NSMC}ratings_train.txt": 14_628_807, f"{NSMC}ratings_test.txt": 4_893_335}),
        (
            "multi30k",
            {f"{MULTI30K}{stem}.{language}.gz": None for stem in STEMS.values() for language in LANGUAGES}
            | {f"{MULTI30K}train.en.gz": 568_929},
        ),
    ],
)
def test_each_file_that_a_builder_downloads_has_a_checksum(name, sizes):
    infos = url_infos(name)
    assert infos.keys() == sizes.keys()
    assert all(infos[url].size == size for url, size in sizes.items() if size is not None)
    assert all(len(info.checksum) == 64 for info in infos.values())


# --- NSMC -----------------------------------------------------------------------------------------------------------


def fill_nsmc_cache(data_dir: Path, train=TRAIN) -> None:
    def content(file_name: str) -> bytes:
        rows = train if file_name == "ratings_train.txt" else TEST
        return "".join("\t".join(row) + "\n" for row in [("id", "document", "label"), *rows]).encode("utf-8")

    fill_download_cache("nsmc", data_dir, content)


def test_nsmc_is_read_with_every_row_and_its_class_name(tmp_path, capsys, opened, values):
    fill_nsmc_cache(tmp_path)
    source = opened("tfds:nsmc", data_dir=str(tmp_path))
    assert source.splits == ("train", "validation", "test")
    names = {"0": "negative", "1": "positive"}
    train = [record.values for record in source.records("all")]
    assert sorted(train) == sorted((document, names[label]) for _, document, label in TRAIN + TEST)
    assert [record.values for record in source.records("test")] == [("지루했다", "negative")]
    assert capsys.readouterr().out == ""
    assert values("tfds:nsmc", data_dir=str(tmp_path)) == train


def test_the_columns_of_nsmc_can_be_named_and_a_wrong_name_is_answered_with_them(tmp_path, opened, values):
    fill_nsmc_cache(tmp_path)
    with pytest.raises(UserError, match="'document', 'label'"):
        opened("tfds:nsmc", [Column("text", "review")], data_dir=str(tmp_path))
    columns = [Column("text", "document"), Column("label", "label")]
    assert values("tfds:nsmc", "test", columns, data_dir=str(tmp_path)) == [("지루했다", "negative")]


def test_a_damaged_file_of_nsmc_is_named_with_its_line(tmp_path, opened):
    fill_nsmc_cache(tmp_path, train=[("1", "한 줄", "0"), ("2", "열이 모자란 줄")])
    with pytest.raises(UserError, match=r"\.txt:3: the row has 2 columns"):
        opened("tfds:nsmc", data_dir=str(tmp_path))


# --- Multi30k -------------------------------------------------------------------------------------------------------


def lines_of(stem: str, language: str) -> list[str]:
    return [f"{stem} '{language}' {number} \u2028👍🏽" for number in range(3)]


def fill_multi30k_cache(data_dir: Path, damaged: str | None = None) -> None:
    """The file `damaged` lacks its last line."""

    def content(file_name: str) -> bytes:
        stem, language, _ = file_name.split(".")
        lines = lines_of(stem, language)[: 2 if file_name == damaged else 3]
        return gzip.compress("".join(f"{line}\n" for line in lines).encode("utf-8"))

    fill_download_cache("multi30k", data_dir, content)


def published_downloads() -> Path:
    folder = os.environ.get("TFDS_DATA_DIR")
    downloads = Path(folder or ".") / "downloads"
    if not folder or not all(path.is_file() for path in cached_files("multi30k", downloads).values()):
        pytest.skip("needs the twelve files of Multi30k in `downloads/multi30k` of the folder that TFDS_DATA_DIR names")
    return downloads


def published_lines(files: dict[str, Path], stem: str, language: str) -> list[str]:
    content = gzip.decompress(files[f"{MULTI30K}{stem}.{language}.gz"].read_bytes()).decode("utf-8")
    return content.removesuffix("\n").split("\n")


@pytest.mark.parametrize("config", ["en-de", "de-en", "en-fr", "fr-en"])
def test_a_config_reads_its_first_language_as_source_and_the_second_as_target(tmp_path, capsys, opened, config):
    fill_multi30k_cache(tmp_path)
    source = opened(f"tfds:multi30k/{config}", PAIR, data_dir=str(tmp_path))
    assert source.splits == ("train", "validation", "test", "test_2017_flickr")
    for split, stem in STEMS.items():
        pairs = zip(*(lines_of(stem, language) for language in config.split("-")), strict=True)
        assert [record.values for record in source.records(split)] == list(pairs)  # in the order of the corpus
    assert capsys.readouterr().out == ""


def test_the_first_config_is_english_to_german_and_its_languages_can_be_named(tmp_path, opened, values):
    fill_multi30k_cache(tmp_path)
    english, german = lines_of(STEMS["test"], "en")[0], lines_of(STEMS["test"], "de")[0]
    assert values("tfds:multi30k", "test", PAIR, data_dir=str(tmp_path))[0] == (english, german)
    columns = [Column("source", "de"), Column("target", "en")]
    assert values("tfds:multi30k", "test", columns, data_dir=str(tmp_path))[0] == (german, english)
    with pytest.raises(UserError, match="no column 'fr'; its columns are: 'en', 'de'"):
        opened("tfds:multi30k", [Column("source", "en"), Column("target", "fr")], data_dir=str(tmp_path))


def test_an_unknown_pair_of_languages_is_answered_with_the_available_ones(tmp_path, opened):
    with pytest.raises(UserError, match=r"multi30k/de-fr: .*\nIts configs are: 'en-de', 'de-en', 'en-fr', 'fr-en'\."):
        opened("tfds:multi30k/de-fr", PAIR, data_dir=str(tmp_path))


def test_files_that_do_not_pair_are_an_error(tmp_path, opened):
    fill_multi30k_cache(tmp_path, damaged="val.de.gz")
    with pytest.raises(UserError, match=r"\.gz 3 and .*\.gz 2;") as caught:
        opened("tfds:multi30k/en-de", PAIR, data_dir=str(tmp_path))
    assert str(caught.value).startswith(str(tmp_path / "downloads" / "multi30k"))


def test_the_published_files_have_the_registered_checksums():
    infos = url_infos("multi30k")
    for url, path in cached_files("multi30k", published_downloads()).items():
        assert hashlib.sha256(path.read_bytes()).hexdigest() == infos[url].checksum
        assert path.stat().st_size == infos[url].size


@pytest.mark.slow
@pytest.mark.parametrize("config", ["en-de", "fr-en"])
def test_the_published_corpus_is_prepared_line_by_line(tmp_path, values, config):
    downloads = published_downloads()
    import tensorflow_datasets as tfds

    builder = tfds.builder(f"multi30k/{config}", data_dir=str(tmp_path))
    builder.download_and_prepare(download_dir=str(downloads))
    assert {split: info.num_examples for split, info in builder.info.splits.items()} == COUNTS

    files = cached_files("multi30k", downloads)
    for split, stem in STEMS.items():
        pairs = list(zip(*(published_lines(files, stem, name) for name in config.split("-")), strict=True))
        assert len(pairs) == COUNTS[split]
        assert values(f"tfds:multi30k/{config}", split, PAIR, data_dir=str(tmp_path)) == pairs
