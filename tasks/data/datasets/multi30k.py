"""Multi30k for TensorFlow Datasets: English captions of photographs with German and French translations."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import tensorflow_datasets as tfds

from tasks.data.parallel_corpus import read_parallel

ADDRESS = "https://raw.githubusercontent.com/multi30k/dataset/master/data/task1/raw/"
STEMS = {
    "train": "train",
    "validation": "val",
    "test": "test_2016_flickr",
    "test_2017_flickr": "test_2017_flickr",
}


class Multi30k(tfds.core.GeneratorBasedBuilder):
    """29,000 sentence pairs for training, 1,014 for validation and 1,000 in each of two test sets.

    A config is a direction such as `en-de`; its features are the two languages, first the input, then the target.
    The pairs are in the order of the corpus, so that translations of a test set can be compared with published ones.
    """

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "The raw sentences of task 1 as the authors published them."}
    BUILDER_CONFIGS = [
        tfds.core.BuilderConfig(name="en-de", description="From English into German."),
        tfds.core.BuilderConfig(name="de-en", description="From German into English."),
        tfds.core.BuilderConfig(name="en-fr", description="From English into French."),
        tfds.core.BuilderConfig(name="fr-en", description="From French into English."),
    ]

    @property
    def _languages(self) -> tuple[str, str]:
        source, target = self.builder_config.name.split("-")
        return source, target

    def _info(self) -> tfds.core.DatasetInfo:
        return tfds.core.DatasetInfo(
            builder=self,
            description="English captions of photographs on Flickr with their translations, one for each photograph.",
            features=tfds.features.Translation(languages=self._languages),
            supervised_keys=self._languages,
            disable_shuffling=True,
            homepage="https://github.com/multi30k/dataset",
            license="As Flickr30K, which it extends: https://hockenmaier.cs.illinois.edu/DenotationGraph/data/",
            citation=(
                "@inproceedings{multi30k, title={Multi30K: Multilingual English-German Image Descriptions}, "
                "author={Elliott, Desmond and Frank, Stella and Sima'an, Khalil and Specia, Lucia}, "
                "booktitle={Proceedings of the 5th Workshop on Vision and Language}, year={2016}, pages={70--74}}"
            ),
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Iterator]:
        # The library verifies sizes and SHA-256 sums, which are in checksums.tsv beside this module.
        files = dl_manager.download(
            {
                split: {language: f"{ADDRESS}{stem}.{language}.gz" for language in self._languages}
                for split, stem in STEMS.items()
            }
        )
        return {
            split: self._generate_examples([Path(paths[language]) for language in self._languages])
            for split, paths in files.items()
        }

    def _generate_examples(self, paths: Sequence[Path]) -> Iterator[tuple[int, dict[str, Any]]]:
        for number, record in enumerate(read_parallel(paths)):
            yield number, dict(zip(self._languages, record.values, strict=True))
