"""A text that a model cannot read is answered, and warned about, also from an export and in a table."""

import csv
import json

import pytest

from tests.tasks.examples import write_csv

pytestmark = pytest.mark.slow
UNREADABLE = "Ωδή στη χαρά"
READABLE = {"sentiment": "A good film.", "translation": "Please close the door."}


@pytest.mark.parametrize("name", READABLE)
def test_texts_of_unknown_characters_are_marked_and_counted(small_tasks, name, caplog, tmp_path):
    small = small_tasks[name]
    texts = [READABLE[name], UNREADABLE, "", READABLE[name] * 100]
    for place in (("--run", small.run()), ("--model", small.model())):
        caplog.clear()
        answer = small.command(small.predict_command, *place, *texts, "--json")
        assert answer.code == 0, answer.err
        assert [json.loads(line).get("unknown", False) for line in answer.out.splitlines()] == [
            False,
            True,
            False,
            False,
        ]
        [line] = [message for message in caplog.messages if "does not have" in message]
        assert line.startswith("1 of 4 ") and UNREADABLE in line
    # A table has the columns of its first row.
    table = write_csv(tmp_path / "in.csv", [(str(number), text) for number, text in enumerate(texts)], ("id", "text"))
    written = tmp_path / "out.csv"
    answer = small.command(small.predict_command, "--run", small.run(), "--input", table, "--output", written)
    assert answer.code == 0, answer.err
    with open(written, encoding="utf-8", newline="") as file:
        assert [row["text"] for row in csv.DictReader(file)] == texts
