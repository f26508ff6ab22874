"""Texts from files and standard input, and results to files, devices and standard output."""

import gzip
import io
import os
import sys
import threading
from types import SimpleNamespace

import pytest

from tasks.errors import UserError
from tasks.serving import text_io

# Lines with a byte order mark, an empty text, both line endings, and characters that Unicode counts as line breaks.
LINES = "\ufeff  first \n\n둘째\r\nx\u2028y\x0bz"
TEXTS = ["  first ", "", "둘째", "x\u2028y\x0bz"]


@pytest.fixture(params=["file", "gzip", "standard input", "named pipe"])
def source(request, tmp_path, monkeypatch):
    """Writes bytes to a place that can be read; returns its name, and its name in messages."""

    def write(content: bytes) -> tuple[str, str]:
        path = tmp_path / ("in.txt.gz" if request.param == "gzip" else "in.txt")
        if request.param == "standard input":
            monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(content)))
            return "-", "standard input"
        if request.param == "named pipe":
            os.mkfifo(path)
            threading.Thread(target=path.write_bytes, args=[content], daemon=True).start()
        else:
            path.write_bytes(gzip.compress(content) if request.param == "gzip" else content)
        return str(path), str(path)

    return write


def test_each_line_is_a_text(source):
    location, _ = source(LINES.encode())
    assert list(text_io.read(location)) == TEXTS


def test_json_lines_have_their_texts_under_a_key_and_blank_lines_are_skipped(source):
    location, _ = source('{"id": 1, "review": "첫째\\nb"}\n\n  \n{"review": ""}\n'.encode())
    assert list(text_io.read(location, "review")) == ["첫째\nb", ""]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b"{", "not valid JSON"),
        (b"text", "not valid JSON: Expecting value at character 1, found 'text'."),
        (b'"text"', "expected a JSON object such as"),
        (b"[1]", "expected a JSON object such as"),
        (b'{"other": "a"}', "the object has no 'text'; its keys are: 'other'. Name the one to read with --text-column"),
        (b'{"text": 7}', "expected a text under \"text\", and found '7'; name another with --text-column"),
        (b'{"text": null}', "expected a text under \"text\", and found 'null'; name another with --text-column"),
        (b"7" * 5000, "not valid JSON that can be read: a number has too many digits"),
        (b"[" * 99999, "not valid JSON that can be read: it is nested too deeply"),
    ],
    ids=lambda line: line[:20].decode() if isinstance(line, bytes) else "",
)
def test_the_message_for_a_wrong_json_line_has_its_number_and_what_was_found(source, line, problem):
    location, name = source(b'{"text": "right"}\n' + line + b"\n")
    texts = text_io.read(location, "text")
    assert next(texts) == "right"
    with pytest.raises(UserError) as caught:
        next(texts)
    assert str(caught.value).startswith(f"{name}:2: {problem}")


def test_a_compressed_input_that_is_cut_off_is_named(tmp_path, monkeypatch):
    content = gzip.compress("".join(f"text {number}\n" for number in range(5000)).encode())[:-20]
    (tmp_path / "a.txt.gz").write_bytes(content)
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(content)))
    for location, name in ((str(tmp_path / "a.txt.gz"), str(tmp_path / "a.txt.gz")), ("-", "standard input")):
        with pytest.raises(UserError, match=f"^{name}: the compressed file is cut off .*copy or download it again"):
            list(text_io.read(location))


@pytest.mark.parametrize("content", ["one\rtwo\rthree", "one\rtwo\rthree\r", "one\rtwo\rthree\r\n"])
def test_returns_are_line_ends_where_there_are_no_others(source, content):
    assert list(text_io.read(source(content.encode())[0])) == ["one", "two", "three"]


def test_a_return_within_a_line_is_no_line_end(source):
    assert list(text_io.read(source(b"one\rtwo\nthree\n")[0])) == ["one\rtwo", "three"]


def test_the_message_for_half_a_surrogate_pair_has_its_line(source):
    location, name = source(rb'{"text": "\ud800"}')
    with pytest.raises(UserError, match=f"{name}:1: column 'text' contains an unpaired surrogate"):
        next(text_io.read(location, "text"))


def test_the_message_for_a_line_that_is_not_utf_8_has_its_number(source):
    location, name = source(b"right\nwr\xffng\n")
    texts = text_io.read(location)
    assert next(texts) == "right"
    with pytest.raises(UserError, match=f"{name}:2: not valid UTF-8 at byte 3 of the line"):
        next(texts)


def test_a_missing_file_and_a_folder_are_errors(tmp_path):
    for location, problem in ((tmp_path / "nowhere.txt", ": no such file"), (tmp_path, " is a folder; name one file")):
        with pytest.raises(UserError, match=f"--input {location}{problem}"):
            next(text_io.read(str(location)))
    (tmp_path / "texts.txt").touch()
    with pytest.raises(UserError, match=f"such as {tmp_path}/texts.txt"):
        next(text_io.read(str(tmp_path)))


def test_results_go_to_standard_output_and_to_a_pipe(tmp_path, capsys):
    with text_io.open_stream(None) as file:
        print("a result", file=file)
    assert capsys.readouterr().out == "a result\n"
    os.mkfifo(tmp_path / "pipe")
    received = []
    reader = threading.Thread(target=lambda: received.append((tmp_path / "pipe").read_text()))
    reader.start()
    with text_io.open_stream(str(tmp_path / "pipe")) as file:
        print("a result", file=file)
    reader.join(timeout=10)
    assert received == ["a result\n"] and os.listdir(tmp_path) == ["pipe"]
