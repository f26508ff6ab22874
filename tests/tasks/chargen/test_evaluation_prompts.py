"""The prompts of `evaluate`: from the evaluated text, or as its options choose them."""

import json
import shutil

import pytest

from tasks.chargen.text_source import line_beginnings

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def run(train, tmp_path_factory):
    """A run whose settings name no prompts."""
    folder = tmp_path_factory.mktemp("prompts") / "run"
    answer = train(folder, "--epochs", "1")
    assert answer.code == 0, answer.err
    return folder


def evaluated(chargen, run, *options) -> tuple[dict, str]:
    answer = chargen("evaluate", "--run", run, *options)
    assert answer.code == 0, answer.err
    return json.loads((run / "evaluation.json").read_text(encoding="utf-8")), (run / "samples.md").read_text()


def test_prompts_are_beginnings_of_lines_of_the_evaluated_text(chargen, run, tmp_path):
    stored, samples = evaluated(chargen, run)
    assert len(stored["prompts"]) == 3 and "THE " not in stored["prompts"]
    for prompt in stored["prompts"]:
        assert prompt and samples.count(f"## Prompt {prompt!r}\n") == 1
    other = "".join(f"{line} 번째 줄입니다, 영화 이야기\n" for line in ("첫", "두", "세"))
    (tmp_path / "korean.txt").write_text(other, encoding="utf-8")
    stored, _ = evaluated(chargen, run, "--data", tmp_path / "korean.txt")
    assert all(prompt in other for prompt in stored["prompts"])


def test_prompts_and_temperatures_are_options(chargen, run, tmp_path):
    copy = shutil.copytree(run, tmp_path / "copy")
    options = ("--prompts", "The ", "Old", "--temperatures", "0", "0.7", "--evaluation-length", "12")
    stored, samples = evaluated(chargen, copy, *options)
    assert stored["prompts"] == ["The ", "Old"]
    assert [line for line in samples.splitlines() if line.startswith("Temp")] == [
        "Temperature 0:",
        "Temperature 0.7:",
    ] * 2
    texts = [part.split("\n```")[0] for part in samples.split("```text\n")[1:-1]]
    assert [len(text) for text in texts] == [16, 16, 15, 15]
    again = evaluated(chargen, copy, *options, "--seed", "5")[1]
    other = [part.split("\n```")[0] for part in again.split("```text\n")[1:-1]]
    assert texts[::2] == other[::2] and texts != other  # greedy texts do not depend on the seed
    wrong = chargen("evaluate", "--run", copy, "--temperatures", "-1").error()
    assert "greater than or equal to 0" in wrong


def test_an_export_samples_as_its_options_say(chargen, run, tmp_path):
    import tensorflow as tf

    options = ("--temperature", "0", "--length", "7", "--stop", "e")
    assert chargen("export", "--run", run, "--to", tmp_path / "exported", *options).code == 0
    expected = json.loads(chargen("generate", "--run", run, "The ", "--json", *options).out)
    answer = chargen("generate", "--model", tmp_path / "exported", "The ", "--json")
    assert json.loads(answer.out) == expected and len(expected["continuation"]) <= 7
    signature = tf.saved_model.load(tmp_path / "exported" / "1").signatures["serving_default"]
    assert signature(prompt=tf.constant(["The "]))["text"].numpy()[0].decode() == expected["text"]
    sampling = json.loads((tmp_path / "exported" / "1" / "assets.extra" / "settings.json").read_text())["sampling"]
    assert (sampling["temperature"], sampling["length"], sampling["stop"]) == (0.0, 7, ["e"])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a", ["a"]),
        ("\n\n", ["\n\n"]),
        ("one line without an end", ["one line"]),
        ("The first of all lines\n\n  Secondly\r\nlast\n", ["The first", "Secondly", "last"]),
        ("영화가재미있었고배우들의연기가훌륭했다\n" * 3, ["영화가재미있었고배우"]),
        ("한" * 9 + "e\u0301" * 8 + "\n", ["한" * 9]),
        ("ten chars. and more", ["ten chars."]),
    ],
)
def test_beginnings_of_lines(text, expected):
    assert [*line_beginnings(text, 3, 10)] == expected
