"""The command that writes: what it prints, from where it takes prompts, and how one picks by hand."""

import json
import unicodedata

import pytest

from tasks.chargen import generate


def test_the_same_command_writes_the_same_text_and_a_seed_another(chargen, finished_run):
    one, again, other = (
        chargen("generate", "--run", finished_run, "The ", *more) for more in ((), (), ("--seed", "1"))
    )
    assert one.code == 0 and one.out.startswith("The ") and len(one.out) == len("The ") + 30 + 1
    assert one.out == again.out != other.out


def test_what_is_shown_as_it_is_made_is_what_a_batch_gives(chargen, finished_run, jamo_run):
    for run in (finished_run, jamo_run):
        for prompt in ("The queen", "나그네가", "가", ""):
            streamed = chargen("generate", "--run", run, prompt, "--length", "100").out
            [row] = chargen("generate", "--run", run, prompt, "--length", "100", "--json").out.splitlines()
            assert streamed == json.loads(row)["text"] + "\n"


def test_jamo_are_written_as_syllables(chargen, jamo_run):
    answer = chargen("generate", "--run", jamo_run, "나그네가", "--length", "300", "--temperature", "0.3")
    assert unicodedata.normalize("NFC", answer.out) == answer.out
    assert any("가" <= character <= "힣" for character in answer.out[4:])


def test_several_samples_have_following_seeds(chargen, finished_run):
    answer = chargen("generate", "--run", finished_run, "The ", "--samples", "3", "--json", "--seed", "5")
    rows = [json.loads(line) for line in answer.out.splitlines()]
    assert [row["seed"] for row in rows] == [5, 6, 7] and len({row["text"] for row in rows}) == 3
    alone = chargen("generate", "--run", finished_run, "The ", "--json", "--seed", "6")
    assert json.loads(alone.out) == rows[1]
    plain = chargen("generate", "--run", finished_run, "The ", "--samples", "3", "--seed", "5").out
    assert plain == f"\n{generate.BETWEEN_TEXTS}\n".join(row["text"] for row in rows) + "\n"


def test_without_a_prompt_it_begins_by_itself(chargen, finished_run):
    answer = chargen("generate", "--run", finished_run)
    assert answer.code == 0 and len(answer.out) == 31


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


def test_options_beat_the_settings_of_the_run(chargen, finished_run):
    def write(*options):
        return chargen("generate", "--run", finished_run, "The ", "--length", "60", *options).out

    assert write("--temperature", "0") == write("--top-k", "1") == write("--top-p", "0.000001")
    greedy = write("--temperature", "0")
    stop = greedy[20:22]
    assert write("--temperature", "0", "--stop", stop) == greedy[: greedy.index(stop, 4) + 2] + "\n"
    both = write("--temperature", "0", "--stop", "never written", "--stop", stop)
    assert both == write("--temperature", "0", "--stop", stop)
    assert write("--temperature", "0", "--repetition-penalty", "5") != greedy


def test_unknown_characters_in_the_prompt_are_named_once(chargen_process, finished_run, tmp_path):
    one = chargen_process("generate", "--run", finished_run, "The ☃ and Ω")
    assert one.code == 0 and one.out.startswith("The ☃ and Ω")
    assert one.err.strip() == "not among the model's characters, read as unknown: 'Ω' '☃'"
    (tmp_path / "prompts.txt").write_text("fine\n☃\nΩ\n", encoding="utf-8")
    several = chargen_process("generate", "--run", finished_run, "--input", tmp_path / "prompts.txt")
    assert several.code == 0 and several.err.count("read as unknown") == 1


def test_emoji_and_marks_come_out_whole(chargen, finished_run):
    prompt = "👨‍👩‍👧 " + unicodedata.normalize("NFD", "café ế")
    for length in range(1, 12):
        answer = chargen("generate", "--run", finished_run, prompt, "--length", length, "--temperature", "2", "--json")
        row = json.loads(answer.out)
        assert row["text"].startswith(prompt) and "�" not in row["text"] and len(row["continuation"]) == length


def test_a_very_long_prompt_is_read_to_its_end(chargen, finished_run, text_file):
    prompt = (text_file.read_text(encoding="utf-8") * 20)[:100_000]
    path = text_file.with_name("long.jsonl")
    path.write_text(json.dumps({"text": prompt}), encoding="utf-8")
    answer = chargen(
        "generate", "--run", finished_run, "--input", path, "--length", "20", "--temperature", "0", "--json"
    )
    tail = chargen("generate", "--run", finished_run, prompt[-1000:], "--length", "20", "--temperature", "0", "--json")
    assert json.loads(answer.out)["continuation"] == json.loads(tail.out)["continuation"]


def test_by_hand_one_picks_among_the_likeliest(chargen_process, finished_run):
    typed = b"\n2\nq\n"
    answer = chargen_process("generate", "--run", finished_run, "The ", "--choose", "3", input=typed)
    assert answer.code == 0, answer.err
    lines = answer.out.splitlines()
    steps = [line for line in lines if "%" in line]
    assert len(steps) == 9  # three steps of three, the last one answered by q
    shares = [float(line.split()[-1].rstrip("%")) for line in steps[:3]]
    assert shares == sorted(shares, reverse=True) and sum(shares) <= 100.1
    first = steps[0].split("'")[1]
    second = steps[4].split("'")[1]
    assert lines[-1] == f"The {first}{second}"
    # The likeliest is what greedy writing takes.
    greedy = chargen_process("generate", "--run", finished_run, "The ", "--length", "1", "--temperature", "0")
    assert greedy.out == f"The {first}\n"


def test_by_hand_one_may_type_a_character_and_nonsense_is_asked_again(chargen_process, finished_run):
    answer = chargen_process("generate", "--run", finished_run, "--choose", "2", input="Q\n9\n책\n".encode())
    assert answer.code == 0, answer.err
    assert "'9' is neither a number from 1 to 2 nor a character that the model knows" in answer.out
    assert answer.out.rstrip().endswith("책")


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
