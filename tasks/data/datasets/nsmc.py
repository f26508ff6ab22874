"""The Naver Sentiment Movie Corpus (NSMC) for TensorFlow Datasets: 200,000 Korean movie reviews."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import tensorflow_datasets as tfds

from tasks.data.table_files import read_table

ADDRESS = "https://raw.githubusercontent.com/e9t/nsmc/master/"


class Nsmc(tfds.core.GeneratorBasedBuilder):
    """150,000 reviews for training and 50,000 for test; half are negative (ratings 1-4), half positive (9-10).

    Every row of the corpus is kept, including the few with an empty review: the counts are the published ones, and a
    classifier must accept an empty text anyway.
    """

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "The corpus as its authors published it."}

    def _info(self) -> tfds.core.DatasetInfo:
        return tfds.core.DatasetInfo(
            builder=self,
            description="Korean movie reviews from Naver, each at most 140 characters long, with their sentiment.",
            features=tfds.features.FeaturesDict(
                {
                    "document": tfds.features.Text(),
                    "label": tfds.features.ClassLabel(names=["negative", "positive"]),
                }
            ),
            supervised_keys=("document", "label"),
            homepage="https://github.com/e9t/nsmc",
            license="CC0 1.0",
            citation=(
                "@misc{nsmc, title={Naver Sentiment Movie Corpus}, author={Lucy Park}, year={2016}, "
                "howpublished={https://github.com/e9t/nsmc}}"
            ),
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Iterator]:
        # The library verifies sizes and SHA-256 sums, which are in checksums.tsv beside this module.
        files = dl_manager.download({split: f"{ADDRESS}ratings_{split}.txt" for split in ("train", "test")})
        return {split: self._generate_examples(Path(path)) for split, path in files.items()}

    def _generate_examples(self, path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
        for number, record in enumerate(read_table(path, ["document", "label"])):
            document, label = record.values
            yield number, {"document": document, "label": int(label)}
