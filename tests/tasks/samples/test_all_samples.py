"""Tests of all bundled samples: they can be regenerated, nothing leaks between splits, and they are packaged."""

import re
import tomllib
from collections import Counter
from pathlib import Path

import pytest

from tasks.samples.chargen import make_sample as chargen
from tasks.samples.sentiment import make_sample as sentiment
from tasks.samples.translation import make_sample as translation

GENERATORS = {"sentiment": sentiment, "chargen": chargen, "translation": translation}
TABLES = ("train.csv", "validation.csv", "test.csv")
FILES = {"sentiment": TABLES, "chargen": ("verse.txt",), "translation": TABLES}


@pytest.fixture(params=("sentiment", "translation"))
def table_sample(request, reviews, sentence_pairs):
    """A sample of rows: its generator, its rows by split, and its columns of text."""
    if request.param == "sentiment":
        return sentiment, reviews, (0,)
    return translation, sentence_pairs, (0, 1)


@pytest.mark.parametrize("name", GENERATORS)
def test_regenerating_gives_the_bundled_bytes(name, tmp_path):
    GENERATORS[name].write(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(FILES[name])
    for file in FILES[name]:
        bundled = (GENERATORS[name].FOLDER / file).read_bytes()
        assert (tmp_path / file).read_bytes() == bundled
        assert b"\r" not in bundled and bundled.endswith(b"\n")


def test_sizes(table_sample):
    generator, splits, _ = table_sample
    assert {split: len(rows) for split, rows in splits.items()} == generator.SIZES


def test_no_text_occurs_twice_within_or_across_splits(table_sample):
    _, splits, columns = table_sample
    for column in columns:
        counts = Counter(row[column] for rows in splits.values() for row in rows)
        assert [text for text, count in counts.items() if count > 1] == []


@pytest.mark.parametrize("name", GENERATORS)
def test_no_template_notation_is_left(name):
    for file in FILES[name]:
        text = (GENERATORS[name].FOLDER / file).read_text(encoding="utf-8")
        assert not re.search(r"[\[\]{}<>|@/()_]", text)
        assert not re.search(r"\S {2}| \n", text)


def test_an_installation_has_the_samples_but_not_their_generators():
    setuptools = pytest.importorskip("setuptools")
    root = Path(__file__).parents[3]
    settings = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    packages = setuptools.find_namespace_packages(str(root), **settings["packages"]["find"])
    assert {"tasks", "tasks.sentiment", "tasks.chargen", "tasks.translation", "models"} <= set(packages)
    assert [package for package in packages if package.startswith("tasks.samples")] == []
    data = {
        path.relative_to(root) for glob in settings["package-data"]["tasks"] for path in (root / "tasks").glob(glob)
    }
    wanted = {Path("tasks/samples") / name / file for name, files in FILES.items() for file in files}
    assert data == wanted | {Path("tasks/samples/README.md")}
