"""Several files, patterns, and folders of programs as one text."""

import json
import logging

import pytest

from tasks.chargen.settings import ChargenSettings
from tasks.chargen.text_source import open_text
from tasks.errors import UserError
from tasks.training.runs import Run

pytestmark = pytest.mark.slow

SMALL = ("--units", "8", "--embedding-size", "8", "--epochs", "1", "--evaluation-length", "20")


def opened(*paths, **settings):
    return open_text(ChargenSettings(data={"data": [str(path) for path in paths], **settings}))


def test_several_files_are_read_one_after_the_other(tmp_path):
    for name in "abc":
        (tmp_path / f"{name}.txt").write_text(f"{name}\n" * 99 + name)  # without a line end
    source = opened(tmp_path / "b.txt", tmp_path / "a.txt")
    assert source.text("all") == "b\n" * 100 + "a\n" * 100 == source.text("train+validation+test")
    assert source.single_file and source.location == f"{tmp_path}/b.txt, {tmp_path}/a.txt"
    assert opened(f"{tmp_path}/*.txt").text("all") == "a\n" * 100 + "b\n" * 100 + "c\n" * 100
    (tmp_path / "table.csv").write_text("id,said\n" + '1,"x\ny"\n2,z\n' * 50)
    assert opened(tmp_path / "a.txt", tmp_path / "table.csv", text_column="said").text("all") == (
        "a\n" * 100 + "x\ny\nz\n" * 50
    )
    with pytest.raises(UserError, match=r"table\.csv is a table"):
        opened(tmp_path / "a.txt", tmp_path / "table.csv")
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "d.txt").write_text("d\n")
    assert opened(tmp_path / "a.txt", tmp_path / "more").text("all") == "a\n" * 100 + "d\n"
    with pytest.raises(UserError, match=r"none\.txt'?: no such file"):
        opened(tmp_path / "a.txt", tmp_path / "none.txt")


def test_of_several_files_names_choose_the_splits(tmp_path):
    for name in ("one", "two", "valid", "test"):
        (tmp_path / f"{name}.txt").write_text(f"{name}\n" * 50)
    source = opened(tmp_path / "*.txt")
    assert source.splits == {"train": "one\n" * 50 + "two\n" * 50, "validation": "valid\n" * 50, "test": "test\n" * 50}
    assert not source.single_file
    assert opened(tmp_path).splits == source.splits


def test_a_folder_of_programs_is_read_file_by_file(tmp_path, caplog):
    (tmp_path / "src" / "sub").mkdir(parents=True)
    for name in ("train.py", "test_model.py", "sub/test.py", "sub/empty.py", "model.py"):
        (tmp_path / "src" / name).write_text("" if "empty" in name else f"# {name}\n" * 20)
    (tmp_path / "src" / "picture.png").write_bytes(b"\x89PNG\x00\xff")
    (tmp_path / "src" / "numbers.csv").write_text("a,b\n")
    (tmp_path / "src" / "__pycache__").mkdir()
    (tmp_path / "src" / "__pycache__" / "model.pyc").write_bytes(b"\x00")
    (tmp_path / "src" / ".hidden.py").write_text("no")
    caplog.set_level(logging.INFO)
    text = opened(tmp_path / "src").text("all")
    expected = [f"# {name}\n" * 20 for name in ("model.py", "sub/test.py", "test_model.py", "train.py")]
    assert text == "".join(expected)  # no name is that of a split
    assert "5 .py" in caplog.text and "picture.png" in caplog.text and "numbers.csv" in caplog.text
    assert opened(tmp_path / "src" / "*.py").text("all") == expected[0] + expected[2] + expected[3]
    (tmp_path / "src" / "notes.md").write_text("notes\n" * 20)
    assert "notes" in opened(tmp_path / "src").text("all")
    caplog.clear()
    (tmp_path / "src" / "book.txt").write_text("book\n" * 20)
    assert opened(tmp_path / "src").text("all") == "book\n" * 20
    assert "1 .txt" in caplog.text and "notes.md" in caplog.text
    (tmp_path / "binary").mkdir()
    (tmp_path / "binary" / "picture.png").write_bytes(b"\x89PNG\x00\xff")
    with pytest.raises(UserError, match="found none"):
        opened(tmp_path / "binary")


def test_files_named_after_all_splits_are_splits_whatever_their_kind(tmp_path):
    for name in ("train", "dev", "test"):
        (tmp_path / f"{name}.md").write_text(f"{name}\n" * 9)
    assert opened(tmp_path).splits == {"train": "train\n" * 9, "validation": "dev\n" * 9, "test": "test\n" * 9}


def test_train_and_evaluate_take_several_files(chargen, tmp_path):
    for name in ("a", "b"):
        (tmp_path / f"{name}.txt").write_text("".join(f"{name} line {number}\n" for number in range(150)))
    run = tmp_path / "run"
    both = (tmp_path / "a.txt", tmp_path / "b.txt")
    assert chargen("train", "--data", *both, "--run", run, *SMALL).code == 0
    stored = json.loads(Run(run).settings_file.read_text())
    assert stored["data"]["data"] == [*map(str, both)]
    answer = chargen("evaluate", "--run", run, "--data", f"{tmp_path}/*.txt", "--json")
    found = json.loads(answer.out)
    assert found["examples"] == sum(len(path.read_text()) for path in both) and found["word_share"] is not None
    # Where one of them is gone, another pattern or list still is a source.
    both[0].unlink()
    assert "no such file" in chargen("train", "--data", *both, "--run", tmp_path / "none").error()
    assert "no file matches" in chargen("train", "--data", f"{tmp_path}/x*", "--run", tmp_path / "none").error()
    left = chargen("evaluate", "--run", run, "--data", f"{tmp_path}/?.txt", "--json")
    assert json.loads(left.out)["examples"] == len(both[1].read_text())
