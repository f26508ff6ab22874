"""Several files and patterns as a source, and what is no pattern."""

import os
from pathlib import Path

import pytest

from tasks.arguments import PredictArguments
from tasks.cli.registry import TASKS
from tasks.data.locations import expand, files_below, list_folder, shown, to_path
from tasks.data.records import Column
from tasks.data.sources import open_source
from tasks.errors import UserError
from tasks.references import find
from tasks.sentiment.settings import SentimentSettings
from tasks.serving.shards.listing import find_shards

COLUMNS = [Column("text"), Column("label")]


@pytest.fixture
def tables(tmp_path):
    """Two tables of 60 rows and one whose name contains a split."""
    for number, name in enumerate(["b.csv", "a.csv", "test.csv"]):
        rows = "".join(f"text {number} {row},{row % 2}\n" for row in range(60))
        (tmp_path / name).write_text(f"text,label\n{rows}")
    return tmp_path


def opened(*paths):
    return open_source([str(path) for path in paths], COLUMNS, sample=Path("none"))


def texts(source, split) -> list[str]:
    return [record.values[0] for record in source.records(split)]


def test_patterns_are_replaced_by_the_files_that_match_them(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("b.txt", "a.txt", "sub/c.txt", "x[1].txt"):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).touch()
    assert expand("*.txt") == ("a.txt", "b.txt", "x[1].txt")
    assert {*expand("**/*.txt")} == {"a.txt", "b.txt", "sub/c.txt", "x[1].txt"}
    assert expand("s*") == ("sub",) and expand("*") == ("a.txt", "b.txt", "x[1].txt")  # folders only if alone
    assert expand(("b.txt", "*.txt")) == ("b.txt", "a.txt", "x[1].txt")  # in the given order, and each once
    assert expand("x[1].txt") == ("x[1].txt",) and expand("none.txt") == ("none.txt",)
    assert expand("tfds:a/b:1.*.*") == ("tfds:a/b:1.*.*",)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert expand("~/b.*") == (str(tmp_path / "b.txt"),)
    with pytest.raises(UserError, match=r"'none\*': no file matches"):
        expand("none*")
    for alone in ("sample", "tfds:imdb_reviews"):
        with pytest.raises(UserError, match=f"{alone} is named alone"):
            expand(("a.txt", alone))
    assert shown(("a", "b")) == "a, b" and shown("a") == "a"


def test_several_tables_are_one_source(tables):
    source = opened(tables / "b.csv", tables / "a.csv")
    expected = [f"text {number} {row}" for number in (0, 1) for row in range(60)]
    assert source.single_file and texts(source, "all") == expected
    assert sorted(text for split in source.splits for text in texts(source, split)) == sorted(expected)
    assert {*source.splits} == {"train", "validation", "test"}
    pattern = open_source(str(tables / "?.csv"), COLUMNS, sample=Path("none"))
    assert sorted(texts(pattern, "train")) == sorted(texts(source, "train"))
    named = opened(*(tables / name for name in ("a.csv", "b.csv", "test.csv")))
    assert texts(named, "test") == [f"text 2 {row}" for row in range(60)] and not named.single_file
    assert len(texts(named, "train")) + len(texts(named, "validation")) == 120
    with pytest.raises(UserError, match=r"none\.csv'?: no such file"):
        opened(tables / "a.csv", tables / "none.csv")
    with pytest.raises(UserError, match="is a folder"):
        opened(tables / "a.csv", tables)
    (tables / "c.csv").write_text("words,label\none,1\n")
    with pytest.raises(UserError, match=r"c\.csv has no column 'text'"):
        opened(tables / "a.csv", tables / "c.csv")


@pytest.mark.parametrize("task", TASKS)
def test_each_task_takes_several_files(tables, task):
    task = find(TASKS[task])
    columns = ("source_column", "target_column") if task.name == "translation" else ("text_column",)
    names = dict(zip(columns, ("text", "label"), strict=False))
    for data in ([tables / "a.csv", tables / "b.csv"], str(tables / "[ab].csv")):
        settings = task.settings_class.model_validate({"data": {"data": data, **names}})
        task.check_source(settings)
        text = " ".join(" ".join(record.values) for record in task.open_source(settings).records("all"))
        assert text.count("text 0 ") == text.count("text 1 ") == 60
    with pytest.raises(UserError, match=r"none\.csv'?: no such file"):
        missing = [str(tables / "a.csv"), str(tables / "none.csv")]
        task.check_source(task.settings_class.model_validate({"data": {"data": missing, **names}}))


def test_settings_hold_one_location_or_several(tmp_path):
    several = SentimentSettings(data={"data": [tmp_path / "a.csv", "b.csv"]})
    assert several.data.data == (str(tmp_path / "a.csv"), "b.csv")
    assert SentimentSettings.model_validate_json(several.model_dump_json()) == several
    assert SentimentSettings(data={"data": ["b.csv"]}).data.data == "b.csv"
    for wrong in ((), (1,), 1):
        with pytest.raises((ValueError, UserError), match="data"):
            SentimentSettings(data={"data": wrong})


def test_files_below_a_folder_leave_out_hidden_ones_and_runs(tmp_path):
    for name in (
        "a.py",
        "sub/b.py",
        "sub/__pycache__/b.pyc",
        ".git/c",
        ".d",
        "runs/one/settings.json",
        "runs/one/e.txt",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "runs" / "one" / "settings.json").write_text('{"task": "sentiment"}')
    assert {os.path.relpath(path, tmp_path) for path in files_below(tmp_path)} == {"a.py", "sub/b.py"}
    (tmp_path / "sub" / "settings.json").write_text('{"editor.tabSize": 2}')  # of another program
    assert {os.path.relpath(path, tmp_path) for path in files_below(tmp_path)} == {
        *("a.py", "sub/b.py", "sub/settings.json")
    }


def test_one_rule_says_which_names_are_no_data_wherever_files_are_searched(tmp_path):
    data = ("_notes.csv", "__label__1.csv", "day=1/_a.csv")
    markers = ("_SUCCESS", ".a.csv", "a.csv.crc", "_temporary/0/b.csv", "day=1/_committed_1", "__MACOSX/c.csv")
    for name in (*data, *markers, "answers/_manifest.json", "answers/a.csv"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("text\na\n")
    shards = find_shards(PredictArguments(run="r", input=str(tmp_path), output="answers"))
    assert {shard.name for shard in shards} == {*data}
    assert {os.path.relpath(path, tmp_path) for path in files_below(tmp_path)} == {*data}
    assert [[path.name for path in paths] for paths in list_folder(tmp_path)] == [
        ["__label__1.csv", "_notes.csv"],
        ["answers", "day=1"],
    ]
    assert {os.path.relpath(path, tmp_path) for path in expand(f"{tmp_path}/**/*.csv")} == {*data, "answers/a.csv"}
    assert expand(f"{tmp_path}/_temporary/*/*") == (str(tmp_path / "_temporary" / "0" / "b.csv"),)  # it is named
    assert [path.name for path in files_below(tmp_path / "answers")] == ["a.csv"]


def test_what_has_one_slash_is_a_path_or_a_url_with_a_slip(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("notes:").mkdir()
    Path("notes:/a.txt").touch()
    assert expand("notes:/*.txt") == expand("notes:/a.txt") == ("notes:/a.txt",)
    with pytest.raises(UserError, match="a URL has two slashes after its scheme: s3://corpora/"):
        to_path("s3:/corpora/a.csv")


@pytest.mark.parametrize("url", ["file://reviews.csv", "file://", "file://host/data/reviews.csv"])
def test_a_file_url_without_an_absolute_path_is_told_how_to_write_it(url):
    with pytest.raises(UserError, match="expected file:///PATH, with three slashes"):
        to_path(url)
    assert to_path("file:///data/a%20b.csv") == to_path("file:/data/a b.csv") == Path("/data/a b.csv")
