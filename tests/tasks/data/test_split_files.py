"""Files that are named for a split, and files of a folder that are in none."""

from pathlib import Path

import pytest

from tasks.chargen.settings import ChargenSettings
from tasks.chargen.text_source import open_text
from tasks.data.sources import Column, open_source
from tasks.errors import UserError
from tasks.training import source_files
from tasks.translation.settings import TranslationSettings

LANGUAGES = {"source_lang": "en", "target_lang": "ko"}
PAIR = (Column("source", "en"), Column("target", "ko"))


@pytest.fixture
def iwslt(tmp_path, write):
    """A folder in the layout of IWSLT: train, tst2012 and tst2013, and other files."""
    for split, count in (("train", 300), ("tst2012", 20), ("tst2013", 20), ("extra", 10)):
        for language in ("en", "ko"):
            lines = (f"{split} {language} {n}\n" for n in range(count))
            write(tmp_path / "corpus" / f"{split}.{language}", "".join(lines))
    write(tmp_path / "corpus" / "README.md", "about")
    write(tmp_path / "corpus" / "more" / "notes.txt", "notes")
    write(tmp_path / "corpus" / ".hidden", "not to be seen")
    return tmp_path / "corpus"


def counts(source) -> dict[str, int]:
    return {split: sum(1 for _ in source.readers[split]()) for split in source.splits}


def test_test_sets_are_known_by_their_usual_names_and_every_other_file_is_reported(iwslt, opened, caplog):
    source = opened(iwslt, PAIR)
    found = counts(source)
    assert (found["tst2012"], found["tst2013"], found["test"]) == (20, 20, 20)
    assert found["train"] + found["validation"] == 300 and not source.single_file
    with caplog.at_level("INFO"):
        source.check()
    assert "train split: 'train.en', 'train.ko'" in caplog.messages
    assert "tst2013 split: 'tst2013.en', 'tst2013.ko'" in caplog.messages
    [warning] = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert "left out: 'README.md', 'extra.en', 'extra.ko', 'more/notes.txt'." in warning and "--test-files" in warning


@pytest.mark.parametrize("test", [["tst2013.*"], ["tst2013.en"], ["tst2013"], ["tst2013.ko", "tst2013.en"]])
def test_each_split_can_be_named_within_the_folder(iwslt, opened, caplog, test):
    files = {"validation": ["tst2012.*"], "test": test}
    source = opened(iwslt, PAIR, files=files)
    assert counts(source) == {"train": 300, "validation": 20, "test": 20}
    assert next(source.records("test")).values == ("tst2013 en 0", "tst2013 ko 0")
    source.check()
    [warning] = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert "tst" not in warning and "'extra.en'" in warning
    everything = files | {"train": ["train.*", "extra.*"]}
    assert counts(opened(iwslt, PAIR, files=everything)) == {"train": 310, "validation": 20, "test": 20}


def test_named_files_need_no_data_and_may_be_anywhere(iwslt, opened, tmp_path, write_table, monkeypatch):
    table = write_table(tmp_path / "heldout.csv", [("a", "b")], ("en", "ko"))
    files = {"train": [str(iwslt / "train.*")], "validation": [str(table)], "test": ["corpus/tst2012"]}
    monkeypatch.chdir(tmp_path)
    source = opened("sample", PAIR, files=files)
    assert counts(source) == {"train": 300, "validation": 1, "test": 20} and not source.single_file
    drawn = counts(opened("sample", PAIR, files={"train": files["train"]}))
    assert sum(drawn.values()) == 300 and min(drawn.values()) > 10
    assert counts(opened(iwslt / "extra", PAIR, files={"test": [str(iwslt / "tst2013.en")]}))["test"] == 20


def test_tables_and_class_folders_can_be_named(tmp_path, opened, values, write, write_table):
    for name in ("one", "two"):
        write_table(tmp_path / f"{name}.csv", [(f"{name} {n}", "x") for n in range(20)])
        write(tmp_path / "texts" / name / "1.txt", name)
    files = {"train": [str(tmp_path / "*.csv")], "test": [str(tmp_path / "texts")]}
    assert values("sample", "test", files=files) == [("one", "one"), ("two", "two")]
    assert len(values("sample", "train+validation", files=files)) == 40


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"test": ["tst2014.*"]}, "--test-files tst2014.*: no such file"),
        ({"validation": ["none.en"]}, "--validation-files none.en: no such file"),
        ({"validation": ["tst*"], "test": ["tst2013"]}, "named by --validation-files and by --test-files"),
        ({"train": ["README.md"]}, "not the name of a table"),
    ],
)
def test_files_that_cannot_be_used_are_named_with_their_option(iwslt, opened, files, expected):
    with pytest.raises(UserError) as caught:
        opened(iwslt, PAIR, files=files)
    assert expected in str(caught.value) and len(str(caught.value).splitlines()) <= 2


def test_the_data_of_a_run_are_all_files_that_a_pair_stands_for(iwslt):
    for name in ("extra", "extra.en"):
        data = {"data": str(iwslt / name), "test_files": [str(iwslt / "tst2013")]}
        found = source_files.fingerprint("translation", TranslationSettings(data=data | LANGUAGES))
        assert {Path(path).name for path in found} == {"extra.en", "extra.ko", "tst2013.en", "tst2013.ko"}


def test_in_the_text_of_a_character_model_each_split_can_be_named(tmp_path, write):
    for name in ("book", "dev_part", "final"):
        write(tmp_path / "texts" / f"{name}.txt", f"{name} is a text of some length\n" * 20)
    data = {"data": str(tmp_path / "texts"), "validation_files": "dev_part.txt", "test_files": ["final.txt"]}
    source = open_text(ChargenSettings(data=data))
    assert {split: text.split()[0] for split, text in source.splits.items()} == {
        "train": "book",
        "validation": "dev_part",
        "test": "final",
    }
    alone = open_text(ChargenSettings(data={"train_files": (tmp_path / "texts" / "book.txt",)}))
    assert {text.split()[0] for text in alone.splits.values()} == {"book"} and len(alone.splits) == 3
    with pytest.raises(UserError, match=r"--test-files none[.]txt: no such file"):
        open_text(ChargenSettings(data=data | {"test_files": "none.txt"}))


@pytest.mark.parametrize("spelled", ["{folder}/b.csv", "b.csv", "{folder}/../data/b.csv", "file://{folder}/b.csv"])
@pytest.mark.parametrize("data", ["{folder}", "data", ["{folder}/a.csv", "{folder}/b.csv"]])
def test_a_file_that_is_named_for_a_split_is_in_no_other_however_its_path_is_written(
    tmp_path, write_table, monkeypatch, spelled, data
):
    folder = tmp_path / "data"
    for name in ("a", "b"):
        write_table(folder / f"{name}.csv", [(f"{name} {n}", "x") for n in range(20)])
    monkeypatch.chdir(tmp_path)
    (tmp_path / "b.csv").symlink_to(folder / "b.csv")
    data = data.format(folder=folder) if isinstance(data, str) else [one.format(folder=folder) for one in data]
    columns, files = (Column("text"), Column("label")), {"test": [spelled.format(folder=folder)]}
    source = open_source(data, columns, sample=tmp_path, validation_fraction=0.1, test_fraction=0.1, files=files)
    training = {text for split in ("train", "validation") for text, _ in (one.values for one in source.records(split))}
    assert training == {f"a {n}" for n in range(20)}
    assert {record.values[0] for record in source.records("test")} == {f"b {n}" for n in range(20)}


def test_a_file_that_would_be_read_for_two_splits_is_an_error(tmp_path, opened, write_table):
    for name in ("train/a.csv", "train/b.csv"):
        write_table(tmp_path / "data" / name, [(f"{name} {n}", "x") for n in range(20)])
    for data in (tmp_path / "data", tmp_path / "data" / "train" / "b.csv"):
        with pytest.raises(UserError, match="is named by --test-files, and is also read for the train split"):
            opened(data, files={"test": [str(tmp_path / "data" / "train" / "b.csv")]})


def test_a_text_that_is_named_for_a_split_of_a_character_model_is_not_trained_on(tmp_path, write):
    for name in ("a", "b"):
        write(tmp_path / f"{name}.txt", f"{name} is a text of some length\n" * 20)
    both = [str(tmp_path / "a.txt"), str(tmp_path / "b.txt")]
    source = open_text(ChargenSettings(data={"data": both, "validation_files": [both[1]]}))
    assert "b is" not in source.splits["train"] and "a is" not in source.splits["validation"]
    with pytest.raises(UserError, match=r"b\.txt is the data, and is named for another split too"):
        open_text(ChargenSettings(data={"data": both[1], "validation_files": [both[1]]}))
