"""The command generate: what it prints, and where its prompts and its settings come from."""

import functools
import io
import json
import math
import unicodedata

import pytest

from tasks.chargen import generate, step_by_step
from tasks.chargen.settings import GenerateArguments
from tasks.chargen.task import CHARGEN
from tasks.errors import UserError
from tasks.serving import inference


@pytest.mark.slow
def test_the_same_command_generates_the_same_text_and_another_seed_another(chargen, finished_run):
    one, again, other = (
        chargen("generate", "--run", finished_run, "The ", *more) for more in ((), (), ("--seed", "1"))
    )
    assert one.code == 0 and one.out.startswith("The ") and len(one.out) == len("The ") + 30 + 1
    assert one.out == again.out != other.out


@pytest.mark.slow
def test_a_text_shown_while_it_is_generated_is_that_of_a_batch(chargen, finished_run, jamo_run):
    for run in (finished_run, jamo_run):
        predictor = inference.load(CHARGEN, run, length=100)
        for prompt in ("The queen", "나그네가", "가", ""):
            streamed = io.StringIO()
            arguments = GenerateArguments(run=str(run), texts=(prompt,))
            assert step_by_step.answer_step_by_step(predictor, arguments, streamed)
            [answer] = predictor.predict([prompt])
            assert streamed.getvalue() == answer["text"] + "\n"
    # The command writes a single text in this way.
    assert chargen("generate", "--run", jamo_run, prompt, "--length", "100").out == streamed.getvalue()


@pytest.mark.slow
@pytest.mark.parametrize("setting", [{"stop": ("\n",)}, {"repetition_penalty": 2.0}, {"repetition_window": 8}])
def test_what_is_fixed_when_a_model_is_opened_is_no_setting_of_a_call(finished_run, setting):
    [name] = setting
    with pytest.raises(UserError, match=f"{name} is fixed when a model is opened: load"):
        inference.load(CHARGEN, finished_run)("The ", **setting)


@pytest.mark.slow
def test_combining_marks_in_another_order_are_the_same_text(chargen, finished_run):
    """As cp1258 has them: the graph reorders no marks."""
    predictor = inference.load(CHARGEN, finished_run, length=20)
    answers = [answer["continuation"] for answer in predictor.predict(["Vi\u00ea\u0323t", "Vi\u1ec7t"])]
    assert answers[0] == answers[1]
    for text in ("Vi\u00ea\u0323t", "Vi\u1ec7t"):
        streamed = chargen("generate", "--run", finished_run, text, "--length", "20").out
        assert streamed == f"Vi\u1ec7t{answers[0]}\n"
    for text in ("Vi\u00ea\u0323t", "e\u0329\u0301"):  # the second: composed across another mark
        explained = chargen("explain", "--run", finished_run, text, "--json")
        assert explained.code == 0, explained.err
        found = json.loads(explained.out)
        assert found["characters"] == [*unicodedata.normalize("NFC", text)]
        assert len(found["surprise"]) == len(found["characters"]) and all(map(math.isfinite, found["surprise"]))


@pytest.mark.slow
def test_jamo_are_written_as_syllables(chargen, jamo_run):
    answer = chargen("generate", "--run", jamo_run, "나그네가", "--length", "300", "--temperature", "0.3")
    assert unicodedata.normalize("NFC", answer.out) == answer.out
    assert any("가" <= character <= "힣" for character in answer.out[4:])


@pytest.mark.slow
def test_several_samples_have_consecutive_seeds(chargen, finished_run):
    answer = chargen("generate", "--run", finished_run, "The ", "--samples", "3", "--json", "--seed", "5")
    rows = [json.loads(line) for line in answer.out.splitlines()]
    assert [row["seed"] for row in rows] == [5, 6, 7] and len({row["text"] for row in rows}) == 3
    alone = chargen("generate", "--run", finished_run, "The ", "--json", "--seed", "6")
    assert json.loads(alone.out) == rows[1]
    plain = chargen("generate", "--run", finished_run, "The ", "--samples", "3", "--seed", "5").out
    assert plain == f"\n{generate.BETWEEN_TEXTS}\n".join(row["text"] for row in rows) + "\n"


def test_without_a_prompt_it_starts_from_nothing(chargen, finished_run):
    answer = chargen("generate", "--run", finished_run)
    assert answer.code == 0 and len(answer.out) == 31


@pytest.mark.slow
def test_prompts_come_from_files_and_pipes(chargen, chargen_process, finished_run, tmp_path):
    (tmp_path / "prompts.txt").write_text("The \n\nOld\n")
    arguments = ("generate", "--run", finished_run, "--length", "10")
    answer = chargen(*arguments, "--input", tmp_path / "prompts.txt", "--json", "--output", tmp_path / "out.jsonl")
    assert (answer.code, answer.out) == (0, "")
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [row["prompt"] for row in rows] == ["The ", "", "Old"]
    for row in rows:
        assert row["text"] == row["prompt"] + row["continuation"] and len(row["continuation"]) == 10
    piped = chargen_process(*arguments, "--input", "-", "--json", input=b"The \n\nOld\n")
    assert [json.loads(line) for line in piped.out.splitlines()] == rows


@pytest.mark.slow
def test_options_override_the_settings_of_the_run(chargen, finished_run):
    @functools.cache
    def write(*options):
        return chargen("generate", "--run", finished_run, "The ", "--length", "60", *options).out

    assert write("--temperature", "0") == write("--top-k", "1") == write("--top-p", "0.000001")
    greedy = write("--temperature", "0")
    stop = greedy[20:22]
    assert write("--temperature", "0", "--stop", stop) == greedy[: greedy.index(stop, 4) + 2] + "\n"
    both = write("--temperature", "0", "--stop", "never written", "--stop", stop)
    assert both == write("--temperature", "0", "--stop", stop)
    assert write("--temperature", "0", "--repetition-penalty", "5") != greedy


@pytest.mark.slow
def test_unknown_characters_in_the_prompt_are_named_once(chargen_process, finished_run, tmp_path):
    one = chargen_process("generate", "--run", finished_run, "The ☃ and Ω")
    assert one.code == 0 and one.out.startswith("The ☃ and Ω")
    assert one.err.strip() == "not among the model's characters, read as unknown: 'Ω' '☃'"
    (tmp_path / "prompts.txt").write_text("fine\n☃\nΩ\n", encoding="utf-8")
    several = chargen_process("generate", "--run", finished_run, "--input", tmp_path / "prompts.txt")
    assert several.code == 0 and several.err.count("read as unknown") == 1


def test_emoji_and_marks_stay_whole(generator):
    prompt = "👨‍👩‍👧 " + unicodedata.normalize("NFD", "café ế")
    for length in range(1, 12):
        [answer] = generator.predict([prompt], length=length, temperature=2.0)
        assert answer["text"].startswith(prompt) and "�" not in answer["text"] and len(answer["continuation"]) == length


@pytest.mark.slow
def test_a_very_long_prompt_is_read_to_its_end(chargen, finished_run, generator, text_file, tmp_path):
    prompt = (text_file.read_text(encoding="utf-8") * 20)[:100_000]
    path = tmp_path / "long.jsonl"
    path.write_text(json.dumps({"text": prompt}), encoding="utf-8")
    answer = chargen(
        "generate", "--run", finished_run, "--input", path, "--length", "20", "--temperature", "0", "--json"
    )
    [tail] = generator.predict([prompt[-1000:]], length=20, temperature=0.0)
    assert json.loads(answer.out)["continuation"] == tail["continuation"]


BAD = {
    "length 0": (("--length", "0"), "--length 0"),
    "negative length": (("--length", "-5"), "--length -5"),
    "negative temperature": (("--temperature", "-1"), "--temperature -1"),
    "top-p 0": (("--top-p", "0"), "--top-p 0"),
    "top-p over 1": (("--top-p", "1.5"), "--top-p 1.5"),
    "negative top-k": (("--top-k", "-1"), "--top-k -1"),
    "empty stop": (("--stop", ""), "--stop"),
    "no samples": (("--samples", "0"), "--samples"),
    "choose nothing": (("--choose", "0"), "--choose"),
    "choose with a temperature": (("--choose", "3", "--temperature", "0"), "--temperature does not go with --choose"),
    "choose with samples": (("--choose", "3", "--samples", "2"), "--choose writes one text"),
}


@pytest.mark.parametrize("name", BAD)
def test_settings_out_of_range_are_named(chargen, finished_run, name):
    options, part = BAD[name]
    assert part in chargen("generate", "--run", finished_run, "The ", *options).error()


def test_one_model_and_one_kind_of_prompts(chargen, finished_run, tmp_path):
    assert "name one of --run and --model" in chargen("generate", "The ").error()
    both = chargen("generate", "--run", finished_run, "The ", "--input", tmp_path / "prompts.txt")
    assert "and not both" in both.error()
    assert "no such run" in chargen("generate", "--run", tmp_path / "none", "The ").error()
