"""Parallel corpora: which files belong together, their splits, and the errors of bad ones."""

import gzip
import tracemalloc
from pathlib import Path

import pytest

from tasks.data.parallel_corpus import read_parallel
from tasks.data.sources import Column, open_source
from tasks.errors import UserError

ENGLISH_GERMAN = (Column("source", "en", required=True), Column("target", "de", required=True))


def opened(folder, columns=ENGLISH_GERMAN, **options):
    return open_source(str(folder), columns, sample=Path("there-is-no-sample"), **options)


def values(folder, split="train", columns=ENGLISH_GERMAN):
    source = opened(folder, columns, validation_fraction=0.0, test_fraction=0.0)
    return [record.values for record in source.records(split)]


def error_of(folder, columns=ENGLISH_GERMAN, split="train"):
    """Opens and reads the whole split, and returns the message of the error that this must raise."""
    with pytest.raises(UserError) as caught:
        values(folder, split, columns)
    message = str(caught.value)
    assert len(message.splitlines()) <= 2
    return message


def write(path: Path, *lines: str | bytes) -> Path:
    content = b"".join((line.encode("utf-8") if isinstance(line, str) else line) + b"\n" for line in lines)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def write_pair(folder: Path, stem: str, *pairs: tuple[str, str], ending: str = "") -> None:
    for language, lines in zip(("en", "de"), zip(*pairs, strict=True), strict=True):
        write(folder / f"{stem}.{language}{ending}", *lines)


# --- Which files belong together ------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["", ".gz"])
def test_each_split_is_read_from_the_two_files_of_its_stem(tmp_path, ending):
    write_pair(tmp_path, "train", ("a dog", "ein Hund"), ("a cat", "eine Katze"), ending=ending)
    write_pair(tmp_path, "val", ("a fox", "ein Fuchs"), ending=ending)
    write_pair(tmp_path, "test_2016_flickr", ("a hen", "eine Henne"), ending=ending)
    write(tmp_path / "README.md", "about")
    source = opened(tmp_path)
    assert source.splits == ("train", "validation", "test") and not source.single_file
    assert values(tmp_path, "train") == [("a dog", "ein Hund"), ("a cat", "eine Katze")]
    assert values(tmp_path, "validation") == [("a fox", "ein Fuchs")]
    assert values(tmp_path, "test") == [("a hen", "eine Henne")]
    assert len(values(tmp_path, "all")) == 4


def test_any_two_of_several_languages_are_read_in_either_direction_and_one_alone(tmp_path):
    for language, line in [("en", "a dog"), ("de", "ein Hund"), ("fr", "un chien"), ("pt-br", "um cachorro")]:
        write(tmp_path / f"train.{language}", line)
    assert values(tmp_path, columns=[Column("source", "fr"), Column("target", "en")]) == [("un chien", "a dog")]
    assert values(tmp_path, columns=[Column("source", "de"), Column("target", "pt-br")]) == [
        ("ein Hund", "um cachorro")
    ]
    assert values(tmp_path, columns=[Column("text", "de")]) == [("ein Hund",)]


def test_endings_called_like_the_roles_need_no_names(tmp_path):
    write(tmp_path / "train.source", "a dog")
    write(tmp_path / "train.target", "ein Hund")
    assert values(tmp_path, columns=[Column("source"), Column("target")]) == [("a dog", "ein Hund")]


@pytest.mark.parametrize("word", ["val", "valid", "validation", "dev", "Dev-2"])
def test_dots_and_other_words_in_a_stem_do_not_hide_its_split(tmp_path, word):
    write_pair(tmp_path, "train.lc.norm.tok", ("a dog", "ein Hund"))
    write_pair(tmp_path, f"{word}.lc.norm.tok", ("a fox", "ein Fuchs"))
    assert opened(tmp_path).splits == ("train", "validation")
    assert values(tmp_path, "validation") == [("a fox", "ein Fuchs")]


def test_one_file_may_be_packed_and_the_other_not_and_a_packed_copy_is_not_read(tmp_path):
    write(tmp_path / "train.en", "a dog")
    write(tmp_path / "train.en.gz", "a copy")
    write(tmp_path / "train.de.gz", "ein Hund")
    assert values(tmp_path) == [("a dog", "ein Hund")]


def test_several_training_stems_are_joined(tmp_path):
    write_pair(tmp_path, "train-2", ("b", "B"))
    write_pair(tmp_path, "train-1", ("a", "A"))
    assert values(tmp_path) == [("a", "A"), ("b", "B")]
    assert opened(tmp_path, validation_fraction=0.0, test_fraction=0.0).splits == ("train",)


def test_several_test_sets_stay_apart_and_test_is_the_first_of_them(tmp_path):
    write_pair(tmp_path, "train", ("a", "A"))
    write_pair(tmp_path, "val", ("b", "B"))
    write_pair(tmp_path, "test_2017_flickr", ("d", "D"))
    write_pair(tmp_path, "test_2016_flickr", ("c", "C"))
    assert opened(tmp_path).splits == ("train", "validation", "test", "test_2016_flickr", "test_2017_flickr")
    assert values(tmp_path, "test") == values(tmp_path, "test_2016_flickr") == [("c", "C")]
    assert values(tmp_path, "test_2017_flickr") == [("d", "D")]
    assert values(tmp_path, "all") == [("a", "A"), ("b", "B"), ("c", "C")]
    write_pair(tmp_path, "test", ("e", "E"))
    write_pair(tmp_path, "a_test", ("f", "F"))
    assert values(tmp_path, "test") == [("e", "E")]
    assert values(tmp_path, "a_test") == [("f", "F")]


def test_missing_splits_are_drawn_from_the_training_lines(tmp_path):
    pairs = [(f"line {n}", f"Zeile {n}") for n in range(1000)]
    write_pair(tmp_path, "train", *pairs)
    source = opened(tmp_path)
    assert source.splits == ("train", "validation", "test")
    parts = {split: [record.values for record in source.records(split)] for split in source.splits}
    assert sorted(sum(parts.values(), [])) == sorted(pairs)
    assert 50 < len(parts["validation"]) < 150 and 50 < len(parts["test"]) < 150


def test_lists_beside_the_pairs_are_no_tables_and_tables_with_files_beside_them_stay_tables(tmp_path):
    write_pair(tmp_path / "pairs", "train", ("a dog", "ein Hund"))
    write(tmp_path / "pairs" / "train_images.txt", "1000092795.jpg")
    write(tmp_path / "pairs" / "train_images.lst", "1000092795.jpg")
    assert values(tmp_path / "pairs") == [("a dog", "ein Hund")]
    write(tmp_path / "table" / "train.csv", "en,de", "a dog,ein Hund")
    write(tmp_path / "table" / "train.csv.md5", "0")
    write(tmp_path / "table" / "train.csv.sha256", "0")
    assert values(tmp_path / "table") == [("a dog", "ein Hund")]


def test_class_folders_with_files_beside_them_stay_class_folders(tmp_path):
    for name in ("train.log", "train.err"):
        write(tmp_path / name, "x")
    write(tmp_path / "pos" / "1.txt", "good")
    assert values(tmp_path, columns=[Column("text"), Column("label")], split="all") == [("good", "pos")]


# --- Lines ----------------------------------------------------------------------------------------------------------


def test_lines_end_at_line_feeds_alone_and_lose_byte_order_mark_and_carriage_return(tmp_path):
    write(tmp_path / "train.en", "\ufeffone\u2028line\r", " two\t", '"three')
    (tmp_path / "train.de").write_bytes("eine\x85Zeile\nzwei\ndrei".encode())  # no line feed at the end
    assert values(tmp_path) == [("one\u2028line", "eine\x85Zeile"), (" two\t", "zwei"), ('"three', "drei")]


def test_a_record_names_the_line_of_both_files(tmp_path):
    write_pair(tmp_path, "train", ("a", "A"), ("b", "B"))
    assert [record.location for record in opened(tmp_path).stored["train"]()][1] == f"{tmp_path}/train.en:2, train.de:2"


def test_memory_holds_a_line_of_each_file(tmp_path):
    line = "a caption of some words " * 4
    write_pair(tmp_path, "train", *[(f"{line}{n}", f"{line}{n}") for n in range(20_000)], ending=".gz")
    source = opened(tmp_path)
    tracemalloc.start()
    try:
        assert sum(1 for _ in source.records("train")) > 10_000
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2 * 20_000 * len(line) / 10


# --- What cannot be read --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("english", "german"), [(1200, 1205), (1205, 1200), (1, 0), (0, 2)])
def test_different_numbers_of_lines_are_reported_with_both_names_when_the_shorter_file_ends(tmp_path, english, german):
    write(tmp_path / "train.en", *["a dog"] * english)
    write(tmp_path / "train.de.gz", *["ein Hund"] * german)
    read = []
    with pytest.raises(UserError) as caught:
        read.extend(opened(tmp_path, validation_fraction=0.0, test_fraction=0.0).records("train"))
    message = str(caught.value)
    assert str(tmp_path) in message and len(message.splitlines()) == 2
    assert f"train.en {english:,} and train.de.gz {german:,};" in message


def test_every_pair_before_the_end_of_the_shorter_file_is_read(tmp_path):
    records = read_parallel([write(tmp_path / "x.en", "a", "b", "c"), write(tmp_path / "x.de", "A", "B")])
    assert next(records).values == ("a", "A") and next(records).values == ("b", "B")
    with pytest.raises(UserError, match=r"x\.en 3 and x\.de 2;"):
        next(records)


def test_two_empty_files_have_no_record(tmp_path):
    write(tmp_path / "train.en")
    write(tmp_path / "train.de")
    assert "no record in its train split" in error_of(tmp_path)


@pytest.mark.parametrize("blank", ["", "  ", "\u3000"])
def test_a_blank_side_is_named_by_file_and_line(tmp_path, blank):
    write_pair(tmp_path, "train", ("a", "A"), ("b", "B"), ("c", blank))
    assert error_of(tmp_path).startswith(f"{tmp_path}/train.en:3, train.de:3: the target is empty")
    write_pair(tmp_path, "train", (blank, "A"), ("b", "B"))
    assert error_of(tmp_path).startswith(f"{tmp_path}/train.en:1, train.de:1: the source is empty")


@pytest.mark.parametrize("name", ["train.en", "train.de", "train.de.gz"])
def test_invalid_utf8_is_named_by_file_and_line(tmp_path, name):
    write_pair(tmp_path, "train", ("a", "A"), ("b", "B"))
    (tmp_path / name.removesuffix(".gz")).unlink()
    path = write(tmp_path / name, "a", "größer".encode("latin-1"))
    assert error_of(tmp_path).startswith(f"{path}:2: not valid UTF-8")


def test_a_truncated_gzip_file_is_named(tmp_path):
    write_pair(tmp_path, "train", *[(f"line {n}", f"Zeile {n}") for n in range(1000)], ending=".gz")
    path = tmp_path / "train.de.gz"
    path.write_bytes(path.read_bytes()[:-20])
    assert error_of(tmp_path).startswith(f"{path}: the compressed file is cut off")


def test_a_missing_language_names_those_that_are_there_before_anything_is_read(tmp_path):
    write_pair(tmp_path, "train", ("a", "A"))
    write(tmp_path / "notes" / "about.md", "a folder beside the files")
    for columns in [(Column("source", "en"), Column("target", "ko")), (Column("source", "ko"), Column("target", "ja"))]:
        with pytest.raises(UserError) as caught:
            opened(tmp_path, columns)
        assert "no column 'ko'; its columns are: 'de', 'en'" in str(caught.value)
    assert "--source-column" in error_of(tmp_path, [Column("source"), Column("target")])


@pytest.mark.parametrize("lacking", ["val", "train-2"])
def test_a_stem_that_lacks_a_language_is_named_unless_it_is_a_test_set(tmp_path, lacking):
    write_pair(tmp_path, "train", ("a", "A"))
    write_pair(tmp_path, "test", ("b", "B"))
    write(tmp_path / "test_2.en", "c")
    assert values(tmp_path, "test") == [("b", "B")]
    assert f"{tmp_path}/test_2.* (a file for each language) has no column 'de'" in error_of(tmp_path, split="test_2")
    write(tmp_path / f"{lacking}.en", "c")
    assert f"{tmp_path}/{lacking}.* (a file for each language) has no column 'de'" in error_of(tmp_path)


def test_one_pair_of_files_is_a_source_whose_splits_are_drawn(tmp_path):
    pairs = [(f"line {n}", f"Zeile {n}") for n in range(200)]
    write_pair(tmp_path, "corpus", *pairs, ending=".gz")
    write(tmp_path / "notes.en", "not a pair")
    for location in (tmp_path, tmp_path / "corpus.en.gz", tmp_path / "corpus.de.gz", tmp_path / "corpus"):
        source = opened(location)
        assert source.splits == ("train", "validation", "test") and source.single_file
        parts = [[record.values for record in source.records(split)] for split in source.splits]
        assert all(parts) and sorted(sum(parts, [])) == sorted(pairs)
        assert values(location, "all") == pairs
    assert "'source'; its columns are: 'de', 'en'" in error_of(tmp_path, [Column("source"), Column("target")])


def test_one_of_the_files_without_the_other_is_answered_with_what_is_missing(tmp_path):
    write(tmp_path / "corpus.en", "a")
    message = error_of(tmp_path / "corpus.en")
    assert f"{tmp_path}/corpus.en: expected corpus.de beside it" in message and "--target-lang" in message
    assert "'corpus.en'" in error_of(tmp_path)


def test_a_file_name_with_two_splits_is_an_error(tmp_path):
    write_pair(tmp_path, "train_test", ("a", "A"))
    assert "train_test: the name contains test and train" in error_of(tmp_path)


def test_a_folder_named_as_a_split_may_hold_something_else(tmp_path):
    for language in ("en", "de"):
        (tmp_path / f"corpus.{language}").write_text(f"{language} 1\n{language} 2\n")
    (tmp_path / "test").mkdir()
    (tmp_path / "test" / "bleu.log").write_text("31.2\n")
    assert values(tmp_path) == [("en 1", "de 1"), ("en 2", "de 2")]
    for language in ("en", "de"):
        (tmp_path / "test" / f"newest.{language}").write_text(f"{language} 3\n")
    assert values(tmp_path) == [("en 1", "de 1"), ("en 2", "de 2")]
    assert values(tmp_path, "test") == [("en 3", "de 3")]
