"""Standard output in another encoding than UTF-8."""

import io
import json
import sys

import pytest

from tasks.cli.exit_codes import guarded


@pytest.mark.parametrize(
    ("encoding", "written"),
    [
        ("ascii", r"caf\u00e9 \ud55c \ud83d\ude00"),
        ("iso8859-1", r"café \ud55c \ud83d\ude00"),
        ("cp949", r"caf\u00e9 한 \ud83d\ude00"),
        ("utf-8", "café 한 😀"),
    ],
)
def test_characters_that_the_encoding_lacks_are_escaped_with_one_warning(monkeypatch, capsys, encoding, written):
    raw, text = io.BytesIO(), "café 한 😀"
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding))

    def write(argv):
        print(text)
        print(json.dumps({"text": text}, ensure_ascii=False))
        return 0

    assert guarded(write, []) == 0
    first, second = raw.getvalue().decode(encoding).splitlines()
    assert first == written
    assert json.loads(second) == {"text": text}
    assert capsys.readouterr().err.count("standard output has the encoding") == (encoding != "utf-8")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("task", "encoding"), [("sentiment", "cp949"), ("chargen", "iso8859-1:strict"), ("translation", "ascii")]
)
def test_answers_are_written_in_any_encoding(process, small_tasks, task, encoding):
    small = small_tasks[task]
    arguments = (small.predict_command, "--run", small.untrained_run, "A café, 한국어 😀", "--json")
    started = process("-m", f"tasks.{task}", *arguments, env={"PYTHONIOENCODING": encoding})
    out, err = started.communicate()
    assert started.returncode == 0, err.decode(errors="replace")
    assert json.loads(out.decode(encoding.partition(":")[0]))
    assert b"Traceback" not in err
