"""Texts and options as people give them: tables, line ends of Windows, stops from a shell, choosing by hand."""

import json

import pytest

from tasks.chargen.separate_texts import open_evaluation_source, open_separate_texts, texts
from tasks.chargen.settings import ChargenEvaluateArguments, ChargenSettings
from tasks.chargen.text_source import open_text
from tasks.errors import UserError

LINES = [f"line number {number}" for number in range(400)]
SMALL = ("--units", "8", "--embedding-size", "8", "--epochs", "1", "--length", "30", "--evaluation-length", "20")


def opened(path, **settings):
    return open_text(ChargenSettings(data={"data": str(path), **settings}))


@pytest.mark.parametrize("suffix", ["csv", "tsv", "jsonl"])
def test_a_table_is_read_by_its_column_or_refused(chargen, tmp_path, suffix):
    path, rows = tmp_path / f"data.{suffix}", list(enumerate(LINES))
    if suffix == "jsonl":
        lines = [json.dumps({"id": number, "said": text}) for number, text in rows]
    else:
        separator = "," if suffix == "csv" else "\t"
        lines = [separator.join(map(str, row)) for row in [("id", "said"), *rows]]
    path.write_text("\n".join(lines) + "\n")
    refused = chargen("train", "--data", path, "--run", tmp_path / "none").error()
    assert path.name in refused and "--text-column" in refused and not (tmp_path / "none" / "model.keras").exists()
    assert opened(path, text_column="said").text("all") == "\n".join(LINES)
    assert opened(path, text_column="said").text("train").startswith("line number 0\nline number 1\n")
    with pytest.raises(UserError, match="said"):
        opened(path, text_column="text").text("all")


def test_bad_rows_of_a_table_are_reported_together_or_left_out(tmp_path, caplog):
    path = tmp_path / "a.csv"
    path.write_text('id,said\n1,one\n2\n3,three\n4,a,b\n5,"x"y\n6,six\n')
    with pytest.raises(UserError) as caught:
        opened(path, text_column="said").text("all")
    message = str(caught.value)
    assert message.startswith("3 rows cannot be used") and "--skip-bad-rows" in message
    assert all(f"a.csv:{line} (row {line - 1})" in message for line in (3, 5, 6))
    assert opened(path, text_column="said", skip_bad_rows=True).text("all") == "one\nthree\nsix"
    assert f"{path}: left out 3 bad rows" in caplog.text
    arguments = ChargenEvaluateArguments(run="r", data=path, text_column="said", skip_bad_rows=True)
    assert open_evaluation_source(ChargenSettings(), arguments).text("all") == "one\nthree\nsix"
    separate = {"data": str(path), "text_column": "said", "skip_bad_rows": True}
    found = texts(open_separate_texts(ChargenSettings(data=separate)), "all", False)
    assert [record.values for record in found] == [("one",), ("three",), ("six",)]


@pytest.mark.slow
def test_evaluate_reads_a_table_by_its_column(chargen, tmp_path):
    (tmp_path / "text.txt").write_text("\n".join(LINES) + "\n")
    (tmp_path / "other.csv").write_text("id,said\n" + "".join(f"{n},{line}\n" for n, line in enumerate(LINES[:50])))
    run = tmp_path / "run"
    assert chargen("train", "--data", tmp_path / "text.txt", "--run", run, *SMALL).code == 0
    command = ("evaluate", "--run", run, "--data", tmp_path / "other.csv", "--json")
    assert "--text-column" in chargen(*command).error()
    answer = chargen(*command, "--text-column", "said")
    assert json.loads(answer.out)["examples"] == len("\n".join(LINES[:50]))
    # A stop as a shell passes it ends the text at the end of its line.
    for stop in ("\\n", "\n"):
        one = chargen(
            "generate", "--run", run, "line", "--temperature", "5", "--length", "3000", "--stop", stop, "--json"
        )
        continuation = json.loads(one.out)["continuation"]
        assert continuation.endswith("\n") and continuation.count("\n") == 1
    # A stop that nothing can end with is refused, whatever the command.
    for command in (
        ("generate", "--run", run, "line", "--stop", "n☃"),
        ("evaluate", "--run", run, "--stop", "☃"),
        ("export", "--run", run, "--to", tmp_path / "none", "--stop", "☃"),
        ("train", "--data", tmp_path / "text.txt", "--run", tmp_path / "other", *SMALL, "--stop", "☃"),
    ):
        message = chargen(*command).error()
        assert "--stop" in message and "'☃'" in message and "not among the model's characters" in message
    assert not (tmp_path / "none").exists()


def test_line_ends_of_windows_are_one_character(tmp_path):
    (tmp_path / "windows.txt").write_bytes("\r\n".join(LINES).encode() + b"\r\n")
    (tmp_path / "unix.txt").write_bytes("\n".join(LINES).encode() + b"\n")
    for split in ("train", "validation", "test", "all"):
        text = opened(tmp_path / "windows.txt").text(split)
        assert text == opened(tmp_path / "unix.txt").text(split) and "\r" not in text
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "a.txt").write_bytes(b"one\r\ntwo\r\n" * 100)
    assert opened(tmp_path / "folder").text("all") == "one\ntwo\n" * 100


@pytest.mark.slow
def test_choosing_shows_no_warnings_of_tensorflow(chargen_process, finished_run):
    answer = chargen_process("generate", "--run", finished_run, "The ", "--choose", "3", input=b"\n2\n\nq\n")
    assert answer.code == 0, answer.err
    assert "AutoGraph" not in answer.err and "WARNING" not in answer.err
    shown = [line for line in answer.out.splitlines() if line.startswith("The ")]
    assert len(shown[-1]) == len("The ") + 3
