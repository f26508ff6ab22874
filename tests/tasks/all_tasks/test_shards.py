"""Inputs of several files: each is answered in a file of the same name, by one command or several."""

import datetime
import gzip
import json
import os
import signal
import time

import pyarrow
import pyarrow.parquet
import pytest

from tasks.serving.answer_writers import LineWriter
from tests.tasks.all_tasks.conftest import NAMES, TEXTS, written


def test_each_shard_has_the_bytes_of_the_answers_to_it_alone(answer, shards, tmp_path, caplog):
    assert answer().code == 0
    found = written(tmp_path / "answers")
    assert [*found] == NAMES and "README.md" in caplog.text
    assert "5 shards are finished" in caplog.text and "with 25 answers" in caplog.text
    for name in ("a.txt", "b.csv", "c.tsv"):
        assert answer(input=shards / name, output=f"alone-{name}").code == 0
        assert (tmp_path / f"alone-{name}").read_bytes() == found[name]
    assert answer(input=shards / "day=2" / "d.jsonl.gz", output="alone.jsonl").code == 0
    assert (tmp_path / "alone.jsonl").read_bytes() == gzip.decompress(found["day=2/d.jsonl.gz"])
    # The same answers as the JSON objects for the table, and its columns in their types.
    assert answer("--json", input=shards / "day=2" / "e.parquet", output="parquet.jsonl").code == 0
    objects = [json.loads(line) for line in (tmp_path / "parquet.jsonl").read_text().splitlines()]
    table = pyarrow.parquet.read_table(tmp_path / "answers" / "day=2" / "e.parquet", partitioning=None)
    source = pyarrow.parquet.read_table(shards / "day=2" / "e.parquet", partitioning=None)
    assert table.select(source.column_names) == source
    for row, one in zip(table.to_pylist(), objects, strict=True):
        one |= {f"probabilities_{label}": value for label, value in one.pop("probabilities", {}).items()}
        one |= {"date": datetime.date.fromisoformat(one["date"])}
        assert row == {name: value for name, value in one.items() if name not in ("truncated", "unknown", "prompt")}


@pytest.mark.parametrize("small", ["sentiment"], indirect=True)
def test_parquet_keeps_its_columns_in_many_rows_and_in_none(answer, tmp_path):
    (tmp_path / "tables").mkdir()
    texts = pyarrow.array([f"A film {number}." for number in range(40)])
    words = pyarrow.chunked_array([pyarrow.array(["a", "b"] * 10).dictionary_encode() for _ in range(2)])
    times = pyarrow.array(range(40), pyarrow.timestamp("ns", "Asia/Seoul"))
    nested = pyarrow.array([{"k": [number, None]} for number in range(40)])
    table = pyarrow.table({"text": texts, "label": words, "probabilities_negative": times, "nested": nested})
    pyarrow.parquet.write_table(table, tmp_path / "tables" / "full.parquet", row_group_size=7)
    pyarrow.parquet.write_table(table.slice(0, 0), tmp_path / "tables" / "empty.parquet")
    assert answer("--window", "16", input=tmp_path / "tables").code == 0
    full = pyarrow.parquet.read_table(tmp_path / "answers" / "full.parquet")
    assert full.select(table.column_names).to_pylist() == table.to_pylist()
    assert full.schema.field("nested").type == nested.type and full.schema.field("label").type == words.type
    assert {"predicted_label", "predicted_probabilities_negative"} <= {*full.column_names}
    empty = pyarrow.parquet.read_table(tmp_path / "answers" / "empty.parquet")
    assert len(empty) == 0 and empty.schema == full.schema


@pytest.mark.parametrize("small", ["sentiment"], indirect=True)
def test_shards_without_texts_have_the_columns_of_answers_and_are_reported(answer, tmp_path, caplog):
    (tmp_path / "few").mkdir()
    contents = {"a.csv": "id,text\n", "b.tsv": "text\n", "c.txt": "", "d.jsonl": "", "e.csv": ""}
    for name, content in contents.items():
        (tmp_path / "few" / name).write_text(content)
    message = answer(input=tmp_path / "few").error(1)
    assert "1 of 5 shards could not be answered: 'e.csv'" in message and "e.csv: the file is empty" in caplog.text
    added = ["label", "probability", "probabilities_negative", "probabilities_positive"]
    found = {name: content.decode() for name, content in written(tmp_path / "answers").items()}
    headers = {"a.csv": ",".join(["id", "text", *added]), "b.tsv": "\t".join(["text", *added])}
    assert found == {name: f"{header}\n" for name, header in headers.items()} | {"c.txt": "", "d.jsonl": ""}
    assert "a.csv: there is no text in it, so there is no answer" in caplog.text


@pytest.mark.parametrize("small", ["sentiment"], indirect=True)
def test_finished_shards_are_skipped_and_changed_ones_are_answered_again(answer, shards, tmp_path, caplog):
    assert answer().code == 0
    undisturbed = written(tmp_path / "answers")
    (tmp_path / "answers" / "b.csv").unlink()
    (tmp_path / "answers" / "c.tsv").write_text("as it is")
    assert answer().code == 0
    assert written(tmp_path / "answers") == undisturbed | {"c.tsv": b"as it is"}
    (shards / "f.txt").write_text("One more.\n")
    os.utime(shards / "c.tsv")
    assert answer().code == 0
    found = written(tmp_path / "answers")
    assert found.pop("f.txt") and found == undisturbed
    caplog.clear()
    assert answer().code == 0 and "all shards were finished" in caplog.text


def test_an_interrupted_command_continues_with_the_shards_that_are_missing(small, answer, tmp_path, monkeypatch):
    assert answer(output="undisturbed").code == 0
    with monkeypatch.context() as patched:
        write = LineWriter.write

        def interrupting(self, answer, row, number):
            write(self, answer, row, number)
            if number == 4 and row.fields:  # in day=2/d.jsonl.gz
                signal.raise_signal(signal.SIGTERM)

        patched.setattr(LineWriter, "write", interrupting)
        message = answer().error(143)
    assert message == (
        f"error: interrupted; 3 of 5 shards are finished in {tmp_path / 'answers'}, and the same command continues "
        "with the others"
    )
    assert [*written(tmp_path / "answers")] == NAMES[:3]
    assert answer().code == 0
    assert written(tmp_path / "answers") == written(tmp_path / "undisturbed")


@pytest.mark.parametrize("small", ["sentiment"], indirect=True)
def test_links_whose_texts_are_not_read_are_reported(answer, shards, tmp_path, caplog):
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked" / "a.txt").symlink_to(shards / "a.txt")
    (tmp_path / "linked" / "b.txt").symlink_to("nowhere.txt")
    (tmp_path / "linked" / "day=2").symlink_to(shards / "day=2")
    message = answer(input=tmp_path / "linked").error(1)
    assert "1 of 2 shards could not be answered: 'b.txt'" in message and "b.txt: no such file" in caplog.text
    assert "links to folders are not followed: 'day=2'" in caplog.text
    assert [*written(tmp_path / "answers")] == ["a.txt"]


@pytest.mark.parametrize("small", ["sentiment"], indirect=True)
def test_a_shard_that_another_clock_dates_in_the_future_is_answered_once(answer, shards, tmp_path, caplog):
    future = time.time_ns() // 10**9 + 3600 + 0.25
    os.utime(shards / "a.txt", (future, future))
    for message in ("1 shards are finished", "all shards were finished"):
        assert answer(input=(shards / "a.txt", shards / "a.txt")).code == 0 and message in caplog.text
    os.utime(shards / "a.txt", (future + 1, future + 1))
    caplog.clear()
    assert answer(input=(shards / "a.txt", shards / "a.txt")).code == 0 and "1 shards are finished" in caplog.text


def test_several_commands_take_turns(small, answer, tmp_path, caplog):
    assert answer(output="undisturbed").code == 0
    assert answer("--shard", "2/2").code == 0
    assert [*written(tmp_path / "answers")] == NAMES[1::2]
    assert answer("--shard", "1/2").code == 0
    assert written(tmp_path / "answers") == written(tmp_path / "undisturbed")
    assert answer("--shard", "9/9").code == 0 and "--shard 9/9: the input has 5 shards" in caplog.text


@pytest.mark.parametrize("small", ["sentiment"], indirect=True)
def test_columns_are_kept_as_chosen(answer, shards, tmp_path):
    assert answer("--keep", "id,date", input=(shards / "b.csv", shards / "day=2")).code == 0
    found = written(tmp_path / "answers")
    assert [*found] == ["b.csv", "d.jsonl.gz", "e.parquet"]
    added = ["label", "probability", "probabilities_negative", "probabilities_positive"]
    assert found["b.csv"].decode().splitlines()[0].split(",") == ["id", "date", *added]
    table = pyarrow.parquet.read_table(tmp_path / "answers" / "e.parquet")
    assert table.column_names == ["id", "date", *added]
    assert table["date"].type == pyarrow.date32() and table["id"].to_pylist() == [*range(15, 20)]
    [first, *_] = gzip.decompress(found["d.jsonl.gz"]).decode().splitlines()
    assert [*json.loads(first)][:3] == ["id", "date", "label"]
    (tmp_path / "parts").mkdir()  # as Spark writes them
    (tmp_path / "parts" / "part-00000").write_text(
        '{"id": 1, "text": "good", "m": {"k": 2}}\n{"id": 2, "text": "bad"}\n'
    )
    assert answer("--keep", "m.k", input=tmp_path / "parts", output="of-parts").code == 0
    objects = [json.loads(line) for line in (tmp_path / "of-parts" / "part-00000").read_text().splitlines()]
    assert [[*one][:2] for one in objects] == [["m.k", "label"]] * 2 and [one["m.k"] for one in objects] == [2, None]
    for name in ("b.csv", "day=2/d.jsonl.gz", "day=2/e.parquet"):
        message = answer("--keep", "id,dates", "--json", input=shards / name, output="one.jsonl").error()
        assert "has no column 'dates'" in message and "--keep; did you mean date?" in message


@pytest.mark.parametrize("small", ["sentiment"], indirect=True)
def test_answers_below_the_texts_are_no_texts(answer, shards, tmp_path):
    for name in ("one", "two"):
        assert answer(output=shards / name).code == 0
        assert [*written(shards / name)] == NAMES
    assert answer(input=f"{shards}/d*/*", output="matched").code == 0
    assert [*written(tmp_path / "matched")] == NAMES[3:]


@pytest.mark.slow
@pytest.mark.parametrize("small", ["sentiment"], indirect=True)
def test_killed_commands_side_by_side_leave_complete_shards_only(small, answer, process, tmp_path):
    folder, output = tmp_path / "many", tmp_path / "answers"
    folder.mkdir()
    for number in range(8):
        (folder / f"{number}.txt").write_text("".join(f"{text} {number}\n" for text in TEXTS * 40))
    assert answer(input=folder, output="undisturbed").code == 0
    fixed = ("-m", "tasks.sentiment", "predict", "--run", small.untrained_run, "--input", folder, "--output", output)
    both = [process(*fixed, "--shard", f"{number}/2", "--window", "8") for number in (1, 2)]
    while not written(output) and both[0].poll() is None:
        time.sleep(0.02)
    both[0].kill()
    both[0].communicate()
    _, err = both[1].communicate()
    assert both[1].returncode == 0, err.decode()
    undisturbed, found = written(tmp_path / "undisturbed"), written(output)
    complete = {name: content for name, content in found.items() if not name.startswith(".")}
    assert complete.items() <= undisturbed.items() and {"1.txt", "3.txt", "5.txt", "7.txt"} <= {*complete}
    again = process(*fixed)
    _, err = again.communicate()
    assert again.returncode == 0, err.decode()
    assert written(output) == undisturbed
