"""Splits that are drawn: no text is in two of them, each class has its share, and other rows change nothing."""

import collections
import random
import unicodedata

import pytest

from tasks.data.records import normalize_for_comparison
from tasks.data.sources import Column

PAIR = (Column("source"), Column("target"))
SPLITS = ("train", "validation", "test")


@pytest.fixture
def labelled(tmp_path, opened, write_table):
    """Writes rows of (text, label), and returns the split of each text."""

    def split_of(rows, **options) -> dict[str, str]:
        path = write_table(tmp_path / "rows.csv", rows)
        source = opened(path, class_of=lambda record: record.values[1], **options)
        return {record.values[0]: split for split in SPLITS for record in _records(source, split)}

    return split_of


def _records(source, split):
    return source.readers[split]()  # unlike `records`, no error if there is none


def test_neither_side_of_a_pair_is_in_two_splits(tmp_path, opened, write_table):
    random_ = random.Random(3)
    rows = [(f"Sätze {random_.randrange(900)}", f"sentence {random_.randrange(900)}") for _ in range(600)]
    # The same texts, spelt in another way.
    rows += [(unicodedata.normalize("NFD", one).upper(), f" {other}\u200b ") for one, other in rows[:200]]
    source = opened(write_table(tmp_path / "pairs.csv", rows, ("source", "target")), PAIR, linked=(0, 1))
    parts = {split: [record.values for record in source.records(split)] for split in SPLITS}
    assert sorted(sum(parts.values(), [])) == sorted(rows)
    for side in (0, 1):
        texts = {split: {normalize_for_comparison(row[side]) for row in part} for split, part in parts.items()}
        assert not texts["train"] & (texts["validation"] | texts["test"]) and not texts["validation"] & texts["test"]
    assert 40 <= len(parts["validation"]) <= 120 and 40 <= len(parts["test"]) <= 120


def test_a_text_with_several_spellings_and_labels_is_in_one_split(labelled):
    rows = [(f"{spelling}{n}", label) for n in range(200) for spelling, label in (("So ", "a"), (" SO  ", "b"))]
    splits = labelled(rows)
    assert all(splits[f"So {n}"] == splits[f" SO  {n}"] for n in range(200))
    assert set(splits.values()) == set(SPLITS)


@pytest.mark.parametrize("common", ["yes", "no", "well", "so", "then"])
def test_a_text_that_many_records_share_does_not_fill_a_split(tmp_path, opened, write_table, common):
    rows = [(common, f"target {n}") for n in range(300)] + [(f"source {n}", f"other {n}") for n in range(700)]
    source = opened(write_table(tmp_path / "pairs.csv", rows, ("source", "target")), PAIR, linked=(0, 1))
    for split in ("validation", "test"):
        values = [record.values for record in source.records(split)]
        assert 50 <= len(values) <= 150 and not {common} & {text for text, _ in values}


def test_each_class_has_its_share_of_each_split(labelled):
    sizes = {"common": 900, "less common": 90, "seldom": 20, "rare": 5}
    rows = [(f"{label} text {n}", label) for label, size in sizes.items() for n in range(size)]
    splits = labelled(rows)
    counts = collections.Counter((label, splits[text]) for text, label in rows)
    for label, size in sizes.items():
        for split in ("validation", "test"):
            assert max(1, size // 20) <= counts[label, split] <= max(1, 0.15 * size), (label, split, counts)


@pytest.mark.parametrize("seed", range(20))
def test_each_class_keeps_a_training_text_and_small_data_has_all_splits(labelled, seed):
    rows = [(f"text {seed} {n}", "ab"[n % 2]) for n in range(12)]
    rows += [(f"odd {seed} {label} {n}", f"rare {label}") for label in range(5) for n in range(1 + label % 2)]
    splits = labelled(rows)
    assert {splits[text] for text, _ in rows} == set(SPLITS)
    assert {label for text, label in rows if splits[text] == "train"} == {label for _, label in rows}


@pytest.mark.parametrize("count", [3, 5, 12, 20])
def test_a_few_pairs_have_all_splits(tmp_path, opened, write_table, count):
    rows = [(f"source {n}", f"target {n}") for n in range(count)]
    path = write_table(tmp_path / "pairs.tsv", rows, ("source", "target"))
    source = opened(path, PAIR, linked=(0, 1), validation_fraction=0.05)
    parts = [[record.values for record in source.records(split)] for split in SPLITS]
    assert all(parts) and sorted(sum(parts, [])) == sorted(rows) and len(parts[0]) >= len(parts[1])


def test_a_split_that_cannot_be_drawn_is_an_error_with_the_remedy(tmp_path, error_of, write_table):
    path = write_table(tmp_path / "a.csv", [("good", "pos"), ("bad", "neg")])
    message = error_of(path, split="validation", class_of=lambda record: record.values[1])
    assert "too few records to draw a validation split" in message and "Add records" in message


def test_neither_order_nor_further_rows_move_a_record(labelled):
    rows = [(f"{label} text {n}", label) for label, size in (("a", 700), ("b", 300)) for n in range(size)]
    further = [(f"further {label} {n}", label) for label in "abc" for n in range(50)]
    before, shuffled = labelled(rows), labelled(random.Random(0).sample(rows, len(rows)))
    after = labelled([*further, *rows])
    assert shuffled == before and {text: after[text] for text, _ in rows} == before


def test_a_row_that_cannot_be_used_counts_for_no_split(labelled):
    rows = [("  ", "a"), ("\u200b", "a"), ("good", "a"), ("bad", "b"), ("fine", "a")]
    splits = labelled(rows)
    assert splits["  "] == splits["\u200b"] == "train"
    assert {splits[text] for text in ("good", "fine")} == {"train", "validation"} and splits["bad"] == "train"
