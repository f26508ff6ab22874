"""Fixtures for the tests of the bundled samples: their texts, as the tasks read them."""

import csv

import pytest

from tasks.samples.chargen import make_sample as chargen
from tasks.samples.sentiment import make_sample as sentiment
from tasks.samples.translation import make_sample as translation

SPLITS = ("train", "validation", "test")


def read_splits(generator):
    """Return `{split: rows}` of a bundled sample, each row as a tuple."""
    splits = {}
    for split in SPLITS:
        with open(generator.FOLDER / f"{split}.csv", encoding="utf-8", newline="") as file:
            _, *splits[split] = map(tuple, csv.reader(file))
    return splits


@pytest.fixture(scope="session")
def reviews():
    """The sentiment sample: `{split: [(text, label), ...]}`."""
    return read_splits(sentiment)


@pytest.fixture(scope="session")
def sentence_pairs():
    """The translation sample: `{split: [(english, korean), ...]}`."""
    return read_splits(translation)


@pytest.fixture(scope="session")
def verse():
    """The chargen sample: the text."""
    return (chargen.FOLDER / "verse.txt").read_bytes().decode()
