"""Answers in a file: what an interrupted command has finished is kept, and the same command continues after it."""

import json
import os
import shutil
import signal
import threading
import time
from pathlib import Path

import pytest

from tasks.data import piped_files
from tasks.errors import UserError
from tasks.serving.partial_output import PartialOutput, Position

TEXTS = [f"A good film number {number}, and a queen." for number in range(11)]


def interrupt_at(monkeypatch, mark: int) -> None:
    """Sends SIGTERM to this process when so many windows are written."""
    called, count = PartialOutput.mark, [0]

    def marked(self, position):
        called(self, position)
        count[0] += 1
        if count[0] == mark:
            signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(PartialOutput, "mark", marked)


@pytest.fixture
def texts(tmp_path) -> Path:
    path = tmp_path / "texts.jsonl"
    path.write_text("".join(json.dumps({"id": number, "text": text}) + "\n" for number, text in enumerate(TEXTS)))
    return path


@pytest.fixture
def answer(small, texts, tmp_path):
    """Runs the command that answers texts; `of` is the run."""

    def run(output: str, *options, of: Path | None = None, input: Path | None = None):
        named = ("--run", of or small.untrained_run, "--input", input or texts, "--output", tmp_path / output)
        return small.command(small.predict_command, *named, "--window", "4", *options)

    return run


def interrupted(monkeypatch, answer, output: str, *options, mark: int = 2, **named) -> str:
    with monkeypatch.context() as patched:
        interrupt_at(patched, mark)
        return answer(output, *options, **named).error(143)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.slow
def test_the_same_command_continues_and_writes_what_an_undisturbed_one_writes(small, answer, tmp_path, monkeypatch):
    ending = {"sentiment": "csv", "chargen": "txt", "translation": "jsonl"}[small.name]
    assert answer(f"undisturbed.{ending}").code == 0
    undisturbed, part = (tmp_path / f"undisturbed.{ending}").read_bytes(), tmp_path / f"answers.{ending}.part"
    (tmp_path / f"answers.{ending}").write_text("old")
    message = interrupted(monkeypatch, answer, f"answers.{ending}", mark=1)
    assert message == f"error: interrupted; what is finished is in {part}, and the same command continues after it"
    assert undisturbed.startswith(part.read_bytes()) and len(part.read_bytes()) < len(undisturbed)
    assert (tmp_path / f"answers.{ending}").read_text() == "old"
    assert answer(f"answers.{ending}").code == 0
    assert (tmp_path / f"answers.{ending}").read_bytes() == undisturbed
    assert names(tmp_path) == [f"answers.{ending}", "texts.jsonl", f"undisturbed.{ending}"]


@pytest.mark.slow
def test_changed_texts_are_answered_from_the_beginning_and_appended_ones_are_not(
    small, answer, texts, tmp_path, monkeypatch, caplog
):
    interrupted(monkeypatch, answer, "answers.txt")
    with open(texts, "a") as file:
        file.write('{"id": 11, "text": "Another one."}\n')
    interrupted(monkeypatch, answer, "answers.txt", mark=1)
    assert "starting from the beginning" not in caplog.text
    texts.write_text(texts.read_text().replace("number 0", "number X"))
    assert answer("answers.txt").code == 0 and "starting from the beginning" in caplog.text
    assert answer("undisturbed.txt").code == 0
    assert (tmp_path / "answers.txt").read_bytes() == (tmp_path / "undisturbed.txt").read_bytes()


def test_another_model_or_option_does_not_continue_the_answers(small, answer, tmp_path, monkeypatch):
    run = shutil.copytree(small.untrained_run, tmp_path / "run")
    interrupted(monkeypatch, answer, "answers.jsonl", of=run)
    before = (tmp_path / "answers.jsonl.part").read_bytes()
    option = {"sentiment": ("--json",), "chargen": ("--temperature", "0.3"), "translation": ("--beam-size", "1")}
    message = answer("answers.jsonl", *option[small.name], of=run).error()
    assert " was " in message and "is now" in message and "answers.jsonl.part" in message
    settings = run / "settings.json"
    settings.write_text(settings.read_text() + "\n")
    assert "settings.json was" in answer("answers.jsonl", of=run).error()
    assert (tmp_path / "answers.jsonl.part").read_bytes() == before
    for path in tmp_path.glob("answers.jsonl.part*"):
        path.unlink()
    assert answer("answers.jsonl", of=run).code == 0


@pytest.mark.slow
def test_an_error_in_the_middle_keeps_what_is_finished(small, answer, texts, tmp_path, caplog):
    lines = texts.read_text().splitlines(keepends=True)
    texts.write_text("".join([*lines[:9], "no JSON\n", *lines[9:]]))
    assert "texts.jsonl:10" in answer("answers.txt").error()
    assert "the same command continues after it" in caplog.text
    assert names(tmp_path) == ["answers.txt.part", "answers.txt.part.json", "texts.jsonl"]
    texts.write_text("".join(lines))
    assert answer("answers.txt").code == 0 and answer("undisturbed.txt").code == 0
    assert (tmp_path / "answers.txt").read_bytes() == (tmp_path / "undisturbed.txt").read_bytes()


@pytest.mark.parametrize(
    "change",
    [
        *({"size": -1}, {"size": 1}, {"part": 1}, {"depends_on": [1]}, {"position": {}}, {"position": {"texts": "x"}}),
        None,
    ],
)
def test_a_damaged_record_of_the_finished_answers_is_named(tmp_path, change):
    output = PartialOutput(tmp_path / "a.txt", {"run": "r"})
    output.file.write("one\n")
    output.mark(Position(1, 1, "digest"))
    assert output.keep()
    record, before = tmp_path / "a.txt.part.json", (tmp_path / "a.txt.part").read_bytes()
    stored = json.loads(record.read_text())
    record.write_text(json.dumps([1] if change is None else stored | change))
    with pytest.raises(UserError, match=r"a\.txt\.part\.json is damaged.*; remove it and .*a\.txt\.part to start"):
        PartialOutput(tmp_path / "a.txt", {"run": "r"})
    assert (tmp_path / "a.txt.part").read_bytes() == before
    record.write_text(json.dumps(stored))
    assert PartialOutput(tmp_path / "a.txt", {"run": "r"}).position.texts == 1


@pytest.mark.parametrize("change", ["flipped", "shorter", "appended"])
def test_only_answers_that_are_as_they_were_written_are_continued(tmp_path, caplog, change):
    output = PartialOutput(tmp_path / "a.txt", {"run": "r"})
    for number in (1, 2):
        output.file.write("one answer\n")
        output.mark(Position(number, number, "digest"))
    assert output.keep()
    content = bytearray(output.part.read_bytes())
    content[4] ^= change == "flipped"
    output.part.write_bytes(content[:-3] if change == "shorter" else content + b"half a li" * (change == "appended"))
    continued = PartialOutput(tmp_path / "a.txt", {"run": "r"})
    kept = 0 if change != "appended" else 2  # what was not finished is cut off
    assert continued.position.texts == kept and continued.part.read_text() == "one answer\n" * kept
    assert ("a.txt.part is not what was written: starting from the beginning" in caplog.text) == (not kept)
    continued.file.write("the last\n")
    continued.mark(Position(3, 3, "digest"))
    assert continued.keep() and PartialOutput(tmp_path / "a.txt", {"run": "r"}).position.texts == 3


@pytest.mark.parametrize("small", ["sentiment"], indirect=True)
def test_damaged_answers_are_written_again(small, answer, tmp_path, monkeypatch):
    interrupted(monkeypatch, answer, "answers.jsonl")
    part = tmp_path / "answers.jsonl.part"
    part.write_bytes(part.read_bytes().replace(b"good", b"goof", 1))
    assert answer("answers.jsonl").code == 0 and answer("undisturbed.jsonl").code == 0
    assert (tmp_path / "answers.jsonl").read_bytes() == (tmp_path / "undisturbed.jsonl").read_bytes()


def test_without_a_finished_answer_nothing_stays(small, tmp_path):
    command = (small.predict_command, "--run", small.untrained_run, "--input", tmp_path / "bad.jsonl")
    (tmp_path / "bad.jsonl").write_text('{"text": "a"}\n{}\n')
    assert "bad.jsonl:2" in small.command(*command, "--output", tmp_path / "answers.txt").error()
    assert names(tmp_path) == ["bad.jsonl"]


def test_a_file_of_somebody_else_is_not_overwritten(small, answer, tmp_path):
    (tmp_path / "answers.txt.part").write_text("mine")
    assert "answers.txt.part is in the way" in answer("answers.txt").error()
    assert (tmp_path / "answers.txt.part").read_text() == "mine"


def test_a_command_that_was_killed_when_its_file_was_complete_stops_no_other(small, answer, tmp_path):
    record = '{"position": {"texts": 9}, "size": 900, "depends_on": {"json_": true}}'
    (tmp_path / "answers.txt.part.json").write_text(record)
    assert answer("answers.txt").code == 0
    assert names(tmp_path) == ["answers.txt", "texts.jsonl"]


@pytest.mark.parametrize(
    "content", ["", "[]", '{"position": 7}', '{"position": {"x": 1}, "size": 1, "depends_on": {}}']
)
def test_a_damaged_record_is_named(small_tasks, tmp_path, content):
    (tmp_path / "a.txt.part").write_text("part")
    (tmp_path / "a.txt.part.json").write_text(content)
    run = small_tasks["chargen"].untrained_run
    message = small_tasks["chargen"].command("generate", "A", "--run", run, "--output", tmp_path / "a.txt").error()
    assert "a.txt.part.json" in message and "remove it" in message


@pytest.mark.slow
@pytest.mark.parametrize("samples", ["2", "20"])
def test_several_texts_of_a_prompt_are_continued_between_two_of_them(small_tasks, tmp_path, monkeypatch, samples):
    small = small_tasks["chargen"]
    command = ("generate", "--run", small.untrained_run, "--samples", samples, "The queen", "My", "A", "--output")
    assert small.command(*command, tmp_path / "undisturbed.txt").code == 0
    with monkeypatch.context() as patched:
        interrupt_at(patched, 5 if samples == "20" else 1)
        small.command(*command, tmp_path / "answers.txt").error(143)
    assert small.command(*command, tmp_path / "answers.txt").code == 0
    assert (tmp_path / "answers.txt").read_bytes() == (tmp_path / "undisturbed.txt").read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["tiny", "jamo"])
def test_a_text_that_is_written_while_it_is_generated_is_continued(small_tasks, tmp_path, monkeypatch, name):
    small = small_tasks["chargen"]
    command = ("generate", "나그네가", "--run", small.run(name), "--length", "200", "--repetition-penalty", "1.2")
    undisturbed = small.command(*command).out
    with monkeypatch.context() as patched:
        interrupt_at(patched, 5)
        small.command(*command, "--output", tmp_path / "text.txt").error(143)
    assert undisturbed.startswith((tmp_path / "text.txt.part").read_text(encoding="utf-8"))
    assert small.command(*command, "--output", tmp_path / "text.txt").code == 0
    assert (tmp_path / "text.txt").read_text(encoding="utf-8") == undisturbed


# --- processes -------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_line_is_answered_when_the_input_pauses(small, process):
    command = ("-m", f"tasks.{small.name}", small.predict_command, "--run", small.untrained_run, "--input", "-")
    started = process(*command, stdin=-1, bufsize=0)
    for text in (b"A good film.\n", b"The queen saw the moon.\n"):
        started.stdin.write(text)
        assert started.stdout.readline().strip() and started.poll() is None
    started.communicate()
    assert started.returncode == 0


@pytest.mark.slow
def test_a_killed_command_is_continued_with_the_same_pipe_and_refused_with_another_one(small_tasks, process, tmp_path):
    small, output = small_tasks["sentiment"], tmp_path / "answers.csv"
    options = ("predict", "--run", small.untrained_run, "--input", "-", "--input-format", "csv", "--output", output)
    table = "".join(["id,text\n", *(f"{number},{text.replace(',', ';')}\n" for number, text in enumerate(TEXTS))])
    begun = process("-m", "tasks.sentiment", *options, stdin=-1, bufsize=0)
    lines = table.encode().splitlines(keepends=True)
    begun.stdin.write(b"".join(lines[:3]))
    part, record, rest = tmp_path / "answers.csv.part", tmp_path / "answers.csv.part.json", iter(lines[3:])
    while not (record.exists() and json.loads(record.read_text())["position"]["texts"]) and begun.poll() is None:
        time.sleep(0.3)
        if part.exists() and part.stat().st_size:  # it says where to continue once in a second
            begun.stdin.write(next(rest))
    begun.kill()
    begun.communicate()
    other = small.in_a_process(*options, input=table.replace("number 0", "number X").encode())
    assert "does not begin with the texts that are answered in" in other.error()
    again = small.in_a_process(*options, input=table.encode())
    assert again.code == 0 and "continuing after what is finished" in again.err, again.err
    (tmp_path / "table.csv").write_text(table)
    named = ("--run", small.untrained_run, "--input", tmp_path / "table.csv", "--output", tmp_path / "undisturbed.csv")
    assert small.command("predict", *named).code == 0
    assert output.read_text().split("\n")[0] == (tmp_path / "undisturbed.csv").read_text().split("\n")[0]
    assert len(output.read_text().splitlines()) == len(TEXTS) + 1
    assert not list(tmp_path.glob(".*"))


def test_a_named_pipe_is_read_until_it_pauses(small_tasks, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=lambda: (tmp_path / "pipe").write_bytes(b"one\ntwo\nthr"), daemon=True)
    writer.start()
    with piped_files.opened(str(tmp_path / "pipe")) as file:
        assert file.more() and file.readline() == b"one\n"
        assert file.more() and file.readline(2) == b"tw" and file.readline() == b"o\n"
        assert file.more() and file.readline() == b"thr" and file.readline() == b""
    reading, writing = os.pipe()
    file = piped_files.PipedFile(reading, "a pipe")
    os.write(writing, b"line\nhalf")
    assert file.more() and file.read(5) == b"line\n" and not file.more()
    os.write(writing, b" a line\n")
    assert file.more() and file.readline() == b"half a line\n"
    os.close(writing)
    assert file.more() and file.read() == b""
    os.close(reading)
