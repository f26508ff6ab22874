"""Predictions: from arguments, files and pipes, for ordinary texts and unusual ones."""

import csv
import io
import json
import math
import subprocess
import unicodedata

import pyarrow
import pyarrow.parquet
import pytest

from tasks.data.table_files import read_table

UNUSUAL = {
    "empty": "",
    "blank": " \t\u3000\u00a0 ",
    "long": "A good film. 좋은 영화였다. " * 37_038,
    "one long word": "ㅋ" * 1_000_000,
    "emoji": "👍🏽 👩‍👩‍👧‍👦 🇰🇷",
    "right to left": "הסרט היה טוב מאוד. كان الفيلم جيدا.",
    "nul": "a good\0film\0",
    "separators": "a\u2028good\u0085film\r\x1c",
    "byte order mark": "\ufeffa good film",
    "unassigned": "\U0010ffff\ufffe\ue000",
}


@pytest.fixture(scope="module")
def model(small_tasks):
    return small_tasks["sentiment"].model().parent


def parsed(out: str) -> list[dict]:
    return [json.loads(line) for line in out.split("\n")[:-1]]  # a text may hold other line separators


def test_arguments_a_file_and_json_agree(sentiment, finished_run, reviews, tmp_path):
    texts = [text for text, _ in reviews[:100]]
    (tmp_path / "in.txt").write_text("".join(f"{text}\n" for text in texts), encoding="utf-8")
    from_arguments = sentiment("predict", "--run", finished_run, "--json", *texts[:20])
    from_file = sentiment("predict", "--run", finished_run, "--json", "--input", tmp_path / "in.txt")
    plain = sentiment("predict", "--run", finished_run, "--input", tmp_path / "in.txt", "--output", tmp_path / "out")
    assert (from_arguments.code, from_file.code, plain.code, plain.out) == (0, 0, 0, "")
    found = parsed(from_file.out)
    assert [answer["text"] for answer in found] == texts
    for one, other in zip(parsed(from_arguments.out), found, strict=False):
        assert one["label"] == other["label"] and one["probability"] == pytest.approx(other["probability"], abs=1e-5)
    for answer in found:
        assert set(answer) - {"truncated", "unknown"} == {"text", "label", "probability", "probabilities"}
        assert answer["probability"] == max(answer["probabilities"].values())
        assert answer["probabilities"][answer["label"]] == answer["probability"]
        assert sum(answer["probabilities"].values()) == pytest.approx(1.0, abs=1e-5)
    lines = [line.split("\t") for line in (tmp_path / "out").read_text(encoding="utf-8").splitlines()]
    assert lines == [[answer["label"], f"{answer['probability']:.4f}", answer["text"]] for answer in found]
    assert len({answer["label"] for answer in found}) == 2


def test_an_exported_model_answers_as_its_run_does(sentiment, finished_run, model):
    texts = ["A good film.", "좋지 않았다.", ""]
    wanted = parsed(sentiment("predict", "--run", finished_run, "--json", *texts).out)
    for place in (model, model / "1"):
        found = parsed(sentiment("predict", "--model", place, "--json", *texts).out)
        for one, other in zip(found, wanted, strict=True):
            assert (one["text"], one["label"]) == (other["text"], other["label"])
            assert one["probabilities"] == pytest.approx(other["probabilities"], abs=1e-5)


def test_unusual_texts_are_answered_like_any_other(sentiment, finished_run, tmp_path):
    texts = list(UNUSUAL.values())
    lines = "".join(f"{text}\n" for text in [*texts, "A good film."])
    (tmp_path / "in.txt").write_bytes(lines.encode())
    answer = sentiment("predict", "--run", finished_run, "--json", "--input", tmp_path / "in.txt")
    assert answer.code == 0, answer.err
    found = parsed(answer.out)
    assert [answer["text"].strip("\r") for answer in found] == [text.strip("\r") for text in texts] + ["A good film."]
    assert all(0.5 <= answer["probability"] <= 1.0 for answer in found)
    alone = parsed(sentiment("predict", "--run", finished_run, "--json", "A good film.").out)[0]
    assert found[-1]["probability"] == pytest.approx(alone["probability"], abs=1e-5)
    plain = sentiment("predict", "--run", finished_run, "--input", tmp_path / "in.txt")
    assert [line.count("\t") for line in plain.out.split("\n")[:-1]] == [2] * len(found)
    # Given as arguments, the empty and the blank text are texts too.
    answer = sentiment("predict", "--run", finished_run, "--json", "", UNUSUAL["blank"])
    assert [answer["text"] for answer in parsed(answer.out)] == ["", UNUSUAL["blank"]]


def test_a_text_that_begins_with_a_hyphen_follows_two_hyphens(sentiment, finished_run):
    assert sentiment("predict", "--run", finished_run, "--", "-5 stars", "--run").out.count("\n") == 2


def test_both_normalization_forms_of_hangul_get_the_same_answer(sentiment, finished_run, reviews):
    texts = [text for text, _ in reviews[:60] if not text.isascii()]
    forms = [[unicodedata.normalize(form, text) for text in texts] for form in ("NFC", "NFD")]
    assert forms[0] != forms[1]
    composed, parted = (parsed(sentiment("predict", "--run", finished_run, "--json", *form).out) for form in forms)
    for one, other in zip(composed, parted, strict=True):
        assert one["probabilities"] == pytest.approx(other["probabilities"], abs=1e-5)


def test_an_empty_file_has_an_empty_answer(sentiment, finished_run, tmp_path):
    (tmp_path / "in.txt").write_bytes(b"")
    answer = sentiment("predict", "--run", finished_run, "--input", tmp_path / "in.txt")
    assert (answer.code, answer.out) == (0, "")


def test_an_input_that_cannot_be_read_is_named_and_the_old_output_stays(sentiment, finished_run, tmp_path):
    path, output = tmp_path / "in.txt", tmp_path / "out.txt"
    path.write_bytes("good\n좋다\n".encode() + "나쁘다\n".encode("euc-kr"))
    output.write_text("old")
    run = ["predict", "--run", finished_run, "--output", output, "--input"]
    message = sentiment(*run, path).error()
    assert f"{path}:3:" in message and "UTF-8" in message
    assert "nowhere.txt" in sentiment(*run, tmp_path / "nowhere.txt").error()
    assert str(tmp_path) in sentiment(*run, tmp_path).error()
    assert output.read_text() == "old" and len(list(tmp_path.iterdir())) == 2


def test_an_output_that_cannot_be_written_is_named(sentiment, finished_run, tmp_path):
    message = sentiment("predict", "--run", finished_run, "--output", tmp_path / "nowhere" / "a", "text").error()
    assert f"{tmp_path}/nowhere/a:" in message
    assert sentiment("predict", "--run", finished_run, "--output", "/dev/full", "text").error(code=1)


@pytest.mark.parametrize("place", ["nowhere", "not_a_model"])
def test_a_model_that_is_not_there_is_named(sentiment, tmp_path, place):
    (tmp_path / "not_a_model" / "7").mkdir(parents=True)
    assert str(tmp_path / place) in sentiment("predict", "--model", tmp_path / place, "text").error()


@pytest.mark.slow
def test_standard_input_is_answered_line_by_line_and_standard_error_is_silent(sentiment_process, finished_run):
    lines = ["A good film.", "", "좋지 않았다.", "a\0b"]
    data = "\r\n".join(lines).encode()
    answer = sentiment_process("predict", "--run", finished_run, "--input", "-", "--json", input=data)
    assert (answer.code, answer.err) == (0, "")
    assert [answer["text"] for answer in parsed(answer.out)] == lines


@pytest.mark.slow
def test_a_reader_that_stops_early_is_no_error(process, finished_run, tmp_path):
    (tmp_path / "in.txt").write_text("A good film.\n" * 30_000)
    arguments = ["-m", "tasks.sentiment", "predict", "--run", finished_run, "--input", tmp_path / "in.txt"]
    predicting = process(*arguments)
    head = subprocess.run(["head", "-n", "2"], stdin=predicting.stdout, capture_output=True, check=True)
    predicting.stdout.close()
    assert head.stdout.count(b"\tA good film.\n") == 2
    assert predicting.stderr.read() == b"" and predicting.wait() == 0


@pytest.mark.slow
def test_a_full_disk_behind_standard_output_is_an_error(sentiment_process, finished_run):
    with open("/dev/full", "wb") as full:
        answer = sentiment_process("predict", "--run", finished_run, "A good film.", stdout=full)
    assert "No space left" in answer.error(code=1)


@pytest.mark.slow
def test_json_lines_are_recognized_by_the_files_ending_or_on_request(
    sentiment, sentiment_process, finished_run, tmp_path
):
    texts = ["The soup was good.", "two\nlines", "국물이 맛있었어요."]
    file = tmp_path / "texts.jsonl"
    lines = [json.dumps({"text": text, "id": 1}) for text in texts]
    file.write_text("\n".join([*lines, "", ""]), encoding="utf-8")
    by_ending = parsed(sentiment("predict", "--run", finished_run, "--input", file, "--json").out)
    assert [answer["text"] for answer in by_ending] == texts
    lines = "".join(json.dumps({"review": text}) + "\n" for text in texts).encode()
    options = ("--input", "-", "--input-format", "jsonl", "--text-column", "review", "--json")
    piped = sentiment_process("predict", "--run", finished_run, *options, input=lines)
    assert [answer["label"] for answer in parsed(piped.out)] == [answer["label"] for answer in by_ending]


@pytest.mark.parametrize("line", ['{"texts": "good"}', '{"text": 3}', "[1]", "good", '{"text": "half \\ud83d"}'])
def test_a_line_that_is_no_json_object_with_a_text_is_named(sentiment, finished_run, tmp_path, line):
    file = tmp_path / "texts.jsonl"
    file.write_text(f'{{"text": "good"}}\n{line}\n')
    message = sentiment("predict", "--run", finished_run, "--input", file).error()
    assert f"{file}:2" in message


def test_answers_are_valid_tables_and_valid_json_whatever_the_columns_hold(sentiment, finished_run, tmp_path):
    """A carriage return alone has to be quoted, and JSON has no infinite numbers."""
    (tmp_path / "in.jsonl").write_text(
        '{"id": 1, "text": "A good\\rfilm.", "note": "a\\rb", "seen": [1e999, {"q": 1e999}]}\n'
    )
    table = pyarrow.table({"text": ["A good\rfilm."], "note": ["a\rb"], "seen": [[math.inf, math.nan]]})
    pyarrow.parquet.write_table(table, tmp_path / "in.parquet")
    for name in ("in.jsonl", "in.parquet"):
        for kind in ("csv", "tsv", "jsonl"):
            out = tmp_path / f"out.{kind}"
            out.unlink(missing_ok=True)
            answer = sentiment("predict", "--run", finished_run, "--input", tmp_path / name, "--output", out)
            assert answer.code == 0, answer.err
            written = out.read_bytes().decode()
            if kind == "jsonl":
                [row] = [json.loads(line, parse_constant=pytest.fail) for line in written.splitlines()]
                assert row["seen"] == [None, {"q": None}] if name == "in.jsonl" else row["seen"] == [None, None]
            else:
                [row] = csv.DictReader(io.StringIO(written, newline=""), delimiter="\t" if kind == "tsv" else ",")
                assert "\r\n" not in written
                [record] = read_table(out, ["note", "label"])
                assert record.values == ("a\rb", row["label"])
            assert (row["text"], row["note"]) == ("A good\rfilm.", "a\rb")
