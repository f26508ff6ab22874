"""The Multi30k builder: prepared from a download cache, so that no network is needed, and read as a source.

The published files are compared line by line where the folder that TFDS_DATA_DIR names has them among its downloads.
"""

import gzip
import hashlib
import json
import os
from pathlib import Path

import pytest

from tasks.data import datasets
from tasks.data.sources import Column, open_source
from tasks.errors import UserError

ADDRESS = "https://raw.githubusercontent.com/multi30k/dataset/master/data/task1/raw/"
LANGUAGES = ("en", "de", "fr")
STEMS = {"train": "train", "validation": "val", "test": "test_2016_flickr", "test_2017_flickr": "test_2017_flickr"}
COUNTS = {"train": 29_000, "validation": 1_014, "test": 1_000, "test_2017_flickr": 1_000}
COLUMNS = (Column("source", required=True), Column("target", required=True))


def cached_files(downloads: Path) -> dict[str, Path]:
    """The file of each address under the name that the library gives it, with the registered checksum in it."""
    from tensorflow_datasets.core.download.checksums import load_url_infos
    from tensorflow_datasets.core.download.resource import get_dl_fname

    infos = load_url_infos(Path(datasets.__file__).with_name("checksums.tsv"))
    return {
        url: downloads / "multi30k" / get_dl_fname(url, info.checksum) for url, info in infos.items() if ADDRESS in url
    }


def published_downloads() -> Path:
    folder = os.environ.get("TFDS_DATA_DIR")
    downloads = Path(folder or ".") / "downloads"
    if not folder or not all(path.is_file() for path in cached_files(downloads).values()):
        pytest.skip("needs the twelve files of Multi30k in `downloads/multi30k` of the folder that TFDS_DATA_DIR names")
    return downloads


def published_lines(files: dict[str, Path], stem: str, language: str) -> list[str]:
    content = gzip.decompress(files[f"{ADDRESS}{stem}.{language}.gz"].read_bytes()).decode("utf-8")
    return content.removesuffix("\n").split("\n")


def lines_of(stem: str, language: str) -> list[str]:
    return [f"{stem} '{language}' {number} \u2028👍🏽" for number in range(3)]


def fill_download_cache(data_dir: Path, damaged: str | None = None) -> None:
    """Lays small files where the library keeps what it has downloaded; `damaged` lacks its last line."""
    for url, path in cached_files(data_dir / "downloads").items():
        name = url.removeprefix(ADDRESS)
        stem, language, _ = name.split(".")
        lines = lines_of(stem, language)[: 2 if name == damaged else 3]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress("".join(f"{line}\n" for line in lines).encode("utf-8")))
        url_info = {"checksum": "0", "size": 0, "filename": name}
        Path(f"{path}.INFO").write_text(
            json.dumps({"urls": [url], "dataset_names": ["multi30k"], "original_fname": name, "url_info": url_info})
        )


def opened(config: str, data_dir: Path, columns=COLUMNS):
    return open_source(f"tfds:multi30k{config}", columns, sample=data_dir, data_dir=str(data_dir))


def values(source, split: str) -> list[tuple[str, ...]]:
    return [record.values for record in source.records(split)]


@pytest.mark.parametrize("config", ["en-de", "de-en", "en-fr", "fr-en"])
def test_a_config_reads_its_first_language_as_source_and_the_second_as_target(tmp_path, capsys, config):
    fill_download_cache(tmp_path)
    source = opened(f"/{config}", tmp_path)
    assert source.splits == ("train", "validation", "test", "test_2017_flickr")
    for split, stem in STEMS.items():
        pairs = zip(*(lines_of(stem, language) for language in config.split("-")), strict=True)
        assert values(source, split) == list(pairs)  # in the order of the corpus
    assert capsys.readouterr().out == ""


def test_the_first_config_is_english_to_german_and_its_languages_can_be_named(tmp_path):
    fill_download_cache(tmp_path)
    assert values(opened("", tmp_path), "test")[0] == (
        lines_of(STEMS["test"], "en")[0],
        lines_of(STEMS["test"], "de")[0],
    )
    source = opened("", tmp_path, [Column("source", "de"), Column("target", "en")])
    assert values(source, "test")[0] == (lines_of(STEMS["test"], "de")[0], lines_of(STEMS["test"], "en")[0])
    with pytest.raises(UserError, match="no column 'fr'; its columns are: 'en', 'de'"):
        opened("", tmp_path, [Column("source", "en"), Column("target", "fr")])


def test_a_pair_of_languages_that_there_is_not_names_those_that_there_are(tmp_path):
    with pytest.raises(UserError, match=r"multi30k/de-fr: .*\nIts configs are: 'en-de', 'de-en', 'en-fr', 'fr-en'\."):
        opened("/de-fr", tmp_path)


def test_files_that_do_not_pair_are_an_error(tmp_path):
    fill_download_cache(tmp_path, damaged="val.de.gz")
    with pytest.raises(UserError, match=r"\.gz 3 and .*\.gz 2;") as caught:
        opened("/en-de", tmp_path)
    assert str(caught.value).startswith(str(tmp_path / "downloads" / "multi30k"))


def test_the_library_knows_a_checksum_for_each_file_that_the_builder_downloads():
    datasets.register("multi30k")
    import tensorflow_datasets as tfds

    infos = tfds.builder_cls("multi30k").url_infos
    needed = {f"{ADDRESS}{stem}.{language}.gz" for stem in STEMS.values() for language in LANGUAGES}
    assert {url for url in infos if "multi30k" in url} == needed
    assert infos[f"{ADDRESS}train.en.gz"].size == 568_929


def test_the_published_files_have_the_registered_checksums():
    infos = cached_files(published_downloads())
    datasets.register("multi30k")
    import tensorflow_datasets as tfds

    known = tfds.builder_cls("multi30k").url_infos
    for url, path in infos.items():
        assert hashlib.sha256(path.read_bytes()).hexdigest() == known[url].checksum
        assert path.stat().st_size == known[url].size


@pytest.mark.parametrize("config", ["en-de", "fr-en"])
def test_the_published_corpus_is_prepared_line_by_line(tmp_path, config):
    downloads = published_downloads()
    datasets.register("multi30k")
    import tensorflow_datasets as tfds

    builder = tfds.builder(f"multi30k/{config}", data_dir=str(tmp_path))
    builder.download_and_prepare(download_dir=str(downloads))
    assert {split: info.num_examples for split, info in builder.info.splits.items()} == COUNTS

    source = opened(f"/{config}", tmp_path)
    files = cached_files(downloads)
    for split, stem in STEMS.items():
        pairs = list(zip(*(published_lines(files, stem, name) for name in config.split("-")), strict=True))
        assert len(pairs) == COUNTS[split] and values(source, split) == pairs
