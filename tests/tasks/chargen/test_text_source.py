"""A source of text: its splits, where they are cut, and what is refused."""

import gzip
import shutil
import unicodedata

import pytest

from tasks.chargen.settings import ChargenSettings
from tasks.chargen.text_source import open_text
from tasks.errors import UserError

LINES = "".join(f"line number {number}\n" for number in range(1000))


def splits(location, **settings):
    return open_text(ChargenSettings(data={"data": str(location), **settings}))


def test_a_file_is_cut_by_position_at_the_beginning_of_a_line(tmp_path):
    (tmp_path / "a.txt").write_text(LINES)
    source = splits(tmp_path / "a.txt")
    assert list(source.splits) == ["train", "validation", "test"]
    assert source.text("train+validation+test") == source.text("all") == LINES
    for split, share in {"train": 0.9, "validation": 0.05, "test": 0.05}.items():
        text = source.text(split)
        assert text.startswith("line ") and text.endswith("\n")
        assert len(text) / len(LINES) == pytest.approx(share, abs=0.002)
    none = splits(tmp_path / "a.txt", test_fraction=0.0, validation_fraction=0.2)
    assert list(none.splits) == ["train", "validation"]
    assert len(none.text("validation")) / len(LINES) == pytest.approx(0.2, abs=0.002)


def test_a_text_without_lines_is_not_cut_within_a_character(tmp_path):
    family, accented = "👨‍👩‍👧", unicodedata.normalize("NFD", "ế")
    for piece in (family, accented, unicodedata.normalize("NFD", "값")):
        (tmp_path / "a.txt").write_text(piece * 97, encoding="utf-8")
        source = splits(tmp_path / "a.txt")
        for split in ("train", "validation", "test"):
            assert source.text(split) == piece * (len(source.text(split)) // len(piece))


def test_a_folder_is_read_in_the_order_of_names_with_subfolders_and_gzip(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "b.txt").write_text("second\n" * 50)
    (tmp_path / "sub" / "c.txt").write_text("third\n" * 50)
    with gzip.open(tmp_path / "a.txt.gz", "wt") as file:
        file.write("first, without an end")
    (tmp_path / "notes.md").write_text("not this")
    source = splits(tmp_path)
    assert source.text("all") == "first, without an end\n" + "second\n" * 50 + "third\n" * 50


def test_a_folder_may_have_its_own_splits(tmp_path):
    for split in ("train", "valid", "test"):
        (tmp_path / f"{split}.txt").write_text(f"{split}\n" * 10)
    source = splits(tmp_path)
    assert {name: source.text(name)[:5] for name in source.splits} == {
        "train": "train",
        "validation": "valid",
        "test": "test\n",
    }


def test_the_usual_names_of_test_sets_are_splits_of_a_text_too(tmp_path):
    for name in ("train", "newsdev2016", "tst2012", "tst2013"):
        (tmp_path / f"{name}.txt").write_text(f"{name}\n" * 10)
    source = splits(tmp_path)
    assert source.splits == {
        "train": "train\n" * 10,
        "validation": "newsdev2016\n" * 10,
        "test": "tst2012\n" * 10 + "tst2013\n" * 10,
    }


def test_tiny_shakespeare_has_its_own_splits(shakespeare):
    source = splits(shakespeare)
    lengths = {split: len(source.text(split)) for split in source.splits}
    assert lengths == {"train": 1_003_854, "validation": 55_770, "test": 55_770}


def test_tiny_shakespeare_is_downloaded_where_it_is_not_prepared(shakespeare, downloads, tmp_path, monkeypatch):
    import tensorflow_datasets as tfds

    expected = splits(shakespeare).text("test")
    # The library looks for its cache below the data folder, and finds there what it would download.
    shutil.copytree(downloads, tmp_path / "downloads")
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(tfds.core.constants, "DATA_DIR", str(tmp_path))
    assert splits(shakespeare).text("test") == expected
    assert (tmp_path / "tiny_shakespeare").is_dir()


BAD = {
    "empty": (b"", "no text to train on"),
    "two characters": (b"ab", "too few to cut into splits"),
    "binary": (b"abc\n\x00\x01\x02" * 50, r"bad\.txt:2: holds a NUL"),
    "invalid UTF-8": (b"first\nsecond \xff\n" * 50, r"bad\.txt:2: not valid UTF-8 at byte 8"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_file_that_is_no_text_to_train_on_is_named(tmp_path, name):
    content, message = BAD[name]
    (tmp_path / "bad.txt").write_bytes(content)
    with pytest.raises(UserError, match=message):
        splits(tmp_path / "bad.txt").text("train")


def test_a_missing_file_folder_or_split_is_named(tmp_path):
    with pytest.raises(UserError, match="no such file or folder; expected `sample`"):
        splits(tmp_path / "missing.txt")
    with pytest.raises(UserError, match=r"expected files ending in \.txt or \.txt\.gz; found none"):
        splits(tmp_path)
    (tmp_path / "a.txt").write_text(LINES)
    source = splits(tmp_path / "a.txt")
    with pytest.raises(UserError, match="no split 'dev'; its splits are: 'train', 'validation', 'test'"):
        source.text("dev")
    with pytest.raises(UserError, match="--test-fraction add up to 1"):
        splits(tmp_path / "a.txt", validation_fraction=0.5, test_fraction=0.5).text("train")
