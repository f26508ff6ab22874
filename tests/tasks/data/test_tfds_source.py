"""TensorFlow Datasets as a source: order, class names, columns, and the errors of what is not available."""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import urllib3

from tasks.data.sources import Column
from tasks.errors import UserError

TEXT_AND_LABEL = (Column("text"), Column("label"))


def imdb_folder() -> str:
    folder = os.environ.get("TFDS_DATA_DIR")
    if not folder or not (Path(folder) / "imdb_reviews").is_dir():
        pytest.skip("needs imdb_reviews, prepared in the folder that TFDS_DATA_DIR names")
    return folder


@pytest.mark.slow
def test_imdb_reviews_come_with_class_names_in_a_fixed_order(opened):
    source = opened("tfds:imdb_reviews", data_dir=imdb_folder())
    assert source.splits == ("train", "validation", "test", "unsupervised")
    assert source.columns == TEXT_AND_LABEL and not source.single_file
    records = list(source.records("test"))
    assert len(records) == 25_000
    assert sum(label == "pos" for _, label in (record.values for record in records)) == 12_500
    assert records[6].location == "tfds:imdb_reviews/test, record 7"
    assert all(one == other for one, other in zip(records, source.records("test"), strict=True))
    held_out = {record.values[0] for record in source.records("validation")}
    assert 2_200 < len(held_out) < 2_800
    assert not any(record.values[0] in held_out for record in source.records("train"))


def test_imdb_reviews_without_labels_are_read_as_text_only(opened, error_of):
    folder = imdb_folder()
    texts = opened("tfds:imdb_reviews/plain_text", [Column("text")], data_dir=folder).records("unsupervised")
    assert len(next(texts).values[0]) > 50
    message = error_of("tfds:imdb_reviews", split="unsupervised", data_dir=folder)
    assert "tfds:imdb_reviews/unsupervised, record 1" in message


def test_a_missing_feature_is_answered_with_the_available_ones(error_of):
    message = error_of("tfds:imdb_reviews", [Column("text", "body")], data_dir=imdb_folder())
    assert "'body'" in message and "'text', 'label'" in message and "--text-column" in message


def test_an_unknown_data_set_name_is_answered_with_a_similar_one(tmp_path, capsys, error_of):
    assert "did you mean imdb_reviews?" in error_of("tfds:imdb_review", data_dir=str(tmp_path))
    assert "tfds:imdb_reviews/nonsense" in error_of("tfds:imdb_reviews/nonsense", data_dir=str(tmp_path))
    assert "tfds:" in error_of("tfds:", data_dir=str(tmp_path))
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("fault", "remedy"),
    [
        (
            "class VersionError(Exception): ...\n"
            "raise VersionError('tensorflow_metadata/a.proto: gencode 6.31.1 runtime 5.29.6')",
            "pip install 'tensorflow-metadata<1.18'",
        ),
        ("raise ImportError('no module named promise')", "pip install --force-reinstall tensorflow-datasets"),
    ],
)
def test_a_library_that_cannot_be_imported_is_an_error_with_the_remedy(tmp_path, monkeypatch, error_of, fault, remedy):
    # The library itself logs the errors of its modules, and is then imported without what it contains.
    (tmp_path / "tensorflow_datasets").mkdir()
    (tmp_path / "tensorflow_datasets" / "__init__.py").touch()
    (tmp_path / "tensorflow_datasets" / "public_api.py").write_text(fault)
    for name in ("tensorflow_datasets", "tensorflow_datasets.public_api"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    message = error_of("tfds:imdb_reviews", data_dir=str(tmp_path))
    assert "tfds:imdb_reviews: TensorFlow Datasets cannot be imported: " in message and remedy in message


def test_a_download_that_fails_is_an_error_and_leaves_standard_output_alone(tmp_path, capsys, error_of, monkeypatch):
    import tensorflow_datasets as tfds

    pauses = []
    monkeypatch.setattr(urllib3.util.retry, "time", SimpleNamespace(sleep=pauses.append, time=time.time))

    class UnreachableReviews(tfds.core.GeneratorBasedBuilder):
        VERSION = tfds.core.Version("1.0.0")

        def _info(self):
            return tfds.core.DatasetInfo(
                builder=self, features=tfds.features.FeaturesDict({"text": tfds.features.Text()})
            )

        def _split_generators(self, dl_manager):
            dl_manager.download("http://127.0.0.1:1/reviews.txt")  # no server listens at port 1
            return {}

        def _generate_examples(self):
            yield from ()

    begin = time.monotonic()
    message = error_of("tfds:unreachable_reviews", [Column("text")], data_dir=str(tmp_path))
    assert pauses and time.monotonic() - begin + sum(pauses) < 60
    assert message.startswith("tfds:unreachable_reviews") and str(tmp_path) in message and "127.0.0.1" in message
    assert capsys.readouterr().out == ""


def test_a_feature_that_is_not_text_is_an_error(tmp_path, values, error_of):
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


@pytest.fixture(scope="module")  # the name of a builder can be registered only once
def proverbs(tmp_path_factory, values) -> Callable:
    """Reads a tiny translation data set, whose features are languages: config, columns, split."""
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


def test_one_named_language_leaves_the_other_one_for_the_other_column(proverbs):
    assert proverbs("pt_to_en", Column("source", "en"), Column("target"))[0] == ("test bread 0", "test pão 0")
    assert proverbs("pt_to_en", Column("source"), Column("target", "pt"))[0] == ("test bread 0", "test pão 0")
    assert proverbs("pt_to_en", Column("source", "pt"), Column("target"))[0] == ("test pão 0", "test bread 0")


def test_an_unknown_config_is_answered_with_the_available_ones(proverbs):
    with pytest.raises(UserError, match=r"en_to_pt not found.*\nIts configs are: 'pt_to_en', 'plain'\."):
        proverbs("en_to_pt", Column("source"), Column("target"))
