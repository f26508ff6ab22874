"""Tables to answer, and tables of answers: each row is one text, and its other columns are kept."""

import csv
import gzip
import io
import json
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from tasks.arguments import PredictArguments
from tasks.errors import UserError
from tasks.serving import answer_writers, text_io

HEADER = ["id", "Review Text", "customer"]
REVIEWS = [
    ["R-1", 'a good film\n\nP.S. "really", good', "C1"],
    ["R-2", "a bad\tfilm, 좋지 않았다", "C,2"],
    ["R-3", "film", ""],
]
OPTIONS = {
    "sentiment": ["--units", "4", "--embedding-size", "4", "--max-tokens", "20", "--vocabulary-size", "600"],
    "translation": ["--units", "4", "--embedding-size", "4", "--max-tokens", "20", "--vocabulary-size", "600"],
    "chargen": ["--units", "4", "--embedding-size", "4", "--batch-size", "2", "--window", "8", "--length", "5"],
}
COMMANDS = {"sentiment": "predict", "translation": "translate", "chargen": "generate"}


def write_table(path: Path, header=HEADER, rows=REVIEWS) -> Path:
    """Writes a table in the format of its name."""
    kind = path.name.split(".")[1]
    if kind == "parquet":
        columns = dict(zip(header, map(list, zip(*rows, strict=True)), strict=True))
        pyarrow.parquet.write_table(pyarrow.table(columns), path)
        return path
    if kind == "jsonl":
        content = "".join(json.dumps(dict(zip(header, row, strict=True))) + "\n" for row in rows)
    else:
        stream = io.StringIO(newline="")
        csv.writer(stream, delimiter="\t" if kind == "tsv" else ",").writerows([header, *rows])
        content = stream.getvalue()
    path.write_bytes(gzip.compress(content.encode()) if path.suffix == ".gz" else content.encode())
    return path


def read_csv(path: Path, delimiter: str = ",") -> list[dict[str, str]]:
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter=delimiter))


# --- reading ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.jsonl", "a.jsonl.gz", "a.parquet", "A.CSV"])
def test_a_row_of_a_table_is_one_text_with_its_other_columns(tmp_path, name):
    path = write_table(tmp_path / name) if name != "A.CSV" else write_table(tmp_path / "a.csv").rename(tmp_path / name)
    kind = PredictArguments(run="r", input=str(path)).input_kind
    rows = list(text_io.read_texts(str(path), kind, "Review Text"))
    assert [row.text for row in rows] == [review for _, review, _ in REVIEWS]
    assert [row.fields for row in rows] == [dict(zip(HEADER, row, strict=True)) for row in REVIEWS]


def test_a_tab_separated_table_is_read_and_a_plain_text_keeps_its_lines(tmp_path):
    for name in ("a.tsv", "a.txt"):
        (tmp_path / name).write_text("id\ttext\n1\tgood, 좋다\n", encoding="utf-8")
    kinds = [PredictArguments(run="r", input=f"{tmp_path}/{name}").input_kind for name in ("a.tsv", "a.txt")]
    table, lines = (
        [row.text for row in text_io.read_texts(f"{tmp_path}/{name}", kind)]
        for name, kind in zip(("a.tsv", "a.txt"), kinds, strict=True)
    )
    assert table == ["good, 좋다"] and lines == ["id\ttext", "1\tgood, 좋다"]


def test_columns_that_python_or_json_cannot_represent_are_kept_as_text(tmp_path):
    columns = {
        "text": ["good"],
        "when": pyarrow.array([1], pyarrow.timestamp("ns")),
        "score": [float("nan")],
        "tags": [["a", "b"]],
        "hash": [b"\xff\x00"],
    }
    pyarrow.parquet.write_table(pyarrow.table(columns), tmp_path / "a.parquet")
    [row] = text_io.read_texts(str(tmp_path / "a.parquet"), "parquet")
    assert row.fields["tags"] == ["a", "b"] and row.fields["score"] is None
    assert "1970-01-01" in row.fields["when"] and json.dumps(row.fields)


@pytest.mark.parametrize(
    ("content", "column", "parts"),
    [
        ("id,review\n1,good\n", "text", ["in.csv", "'text'", "'id', 'review'", "--text-column"]),
        ("text,id\ngood,1\nbad\n", "text", ["in.csv:3:", "1 column", "expected 2"]),
        ("text,id,id\ngood,1,2\n", "text", ["in.csv", "'id'", "rename"]),
        ("", "text", ["in.csv", "empty"]),
    ],
)
def test_a_table_that_cannot_be_read_is_named_with_column_and_remedy(tmp_path, content, column, parts):
    path = tmp_path / "in.csv"
    path.write_text(content)
    with pytest.raises(UserError) as caught:
        list(text_io.read_texts(str(path), "csv", column))
    for part in parts:
        assert part in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        ({"input": "a.txt", "text_column": "x"}, ["--text-column x", "a.txt", "one text per line", "--input-format"]),
        ({"texts": ("a",), "text_column": "x"}, ["--text-column x", "--input"]),
        ({"texts": ("a",), "output": "a.csv", "json_": True}, ["--json", "a.csv"]),
        *(
            ({"texts": ("a",), "output": name}, [name, ".csv, .tsv, .jsonl"])
            for name in ("a.csv.gz", "a.XLSX", "a.parquet", "a.tsv.zip", "a.json", "a.ods", "a.html", "a.feather")
        ),
        *(
            ({"texts": ("a",), name: ""}, [name, "the value is empty"])
            for name in ("run", "output", "input", "text_column")
        ),
    ],
)
def test_options_that_would_be_ignored_are_errors(arguments, parts):
    with pytest.raises(ValueError) as caught:
        PredictArguments(**{"run": "r"} | arguments)
    for part in parts:
        assert part in str(caught.value)


@pytest.mark.parametrize("name", ["a", "a.txt", "a.de", "a.ko", "run.2", "a.CSV", "a.jsonl"])
def test_names_without_a_known_format_are_written_as_plain_text(name):
    assert PredictArguments(run="r", texts=("a",), output=name).output == name
    assert PredictArguments(run="r", texts=("a",), output="a.json", json_=True).output_kind == "jsonl"


# --- writing ----------------------------------------------------------------------------------------------------------


def test_an_answer_never_replaces_a_column():
    row = text_io.Row("good", {"text": "good", "label": "true one", "id": 7}, "a.csv:2")
    answer = {"text": "good", "label": "positive", "probability": 0.5}
    assert answer_writers.added(answer, row) == {"predicted_label": "positive", "probability": 0.5}
    twice = text_io.Row("good", {"text": "good", "label": "a", "predicted_label": "b", "probabilities_a": 0.1}, "")
    answer |= {"probabilities": {"a": 0.5}}
    columns = {"predicted_predicted_label": "positive", "probability": 0.5, "predicted_probabilities_a": 0.5}
    assert answer_writers.added_columns(answer, twice) == columns
    generated = {"prompt": "good", "text": "good day", "seed": 0}
    assert answer_writers.added(generated, row) == {"prompt": "good", "predicted_text": "good day", "seed": 0}


@pytest.mark.parametrize(("kind", "delimiter"), [("csv", ","), ("tsv", "\t")])
def test_a_table_of_answers_has_a_header_and_a_row_for_each(kind, delimiter):
    file = io.StringIO(newline="")
    writer = answer_writers.TableWriter(file, kind)
    answer = {"text": "x", "label": "a", "probability": 0.75, "probabilities": {"a": 0.75, "b": 0.25}, "score": None}
    writer.write(answer, text_io.Row("x", {"id": 1234567.25, "review": 'x\n\t",y', "half": "\ud800"}, ""))
    [found] = csv.DictReader(io.StringIO(file.getvalue(), newline=""), delimiter=delimiter)
    assert found == {
        **{"id": "1234567.25", "review": 'x\n\t",y', "half": "?", "label": "a", "probability": "0.75"},
        **{"probabilities_a": "0.75", "probabilities_b": "0.25", "score": ""},
    }
    with pytest.raises(UserError, match=r"a\.jsonl:2: the first row has no 'new'"):
        writer.write(answer, text_io.Row("x", {"id": 1, "new": 2}, "a.jsonl:2"))


# --- whole commands ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=sorted(OPTIONS))
def answered(request, tmp_path_factory):
    """A command of a task that answers texts with a run that is hardly trained."""
    task, run = request.getfixturevalue(request.param), tmp_path_factory.mktemp("runs") / request.param
    few = ["--epochs", "1", "--steps-per-epoch", "1"]
    trained = task("train", "--run", run, *OPTIONS[request.param], *few)
    assert trained.code == 0, trained.err
    return lambda *options: task(COMMANDS[request.param], "--run", run, *options)


@pytest.mark.slow
def test_every_task_answers_the_rows_of_a_table(answered, tmp_path):
    table = write_table(tmp_path / "in.csv")
    chosen = ["--input", table, "--text-column", "Review Text"]
    answer = answered(*chosen, "--json")
    assert answer.code == 0, answer.err
    found = [json.loads(line) for line in answer.out.splitlines()]
    assert [[one[name] for name in HEADER] for one in found] == REVIEWS
    for name in ("out.csv", "out.jsonl"):
        written = answered(*chosen, "--output", tmp_path / name)
        assert (written.code, written.out) == (0, ""), written.err
    assert [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()] == found
    rows = read_csv(tmp_path / "out.csv")
    assert [[row[name] for name in HEADER] for row in rows] == REVIEWS
    assert len(rows[0]) > len(HEADER)
    # The same text alone gets the same answer as its row.
    [alone] = [json.loads(line) for line in answered("--json", REVIEWS[0][1]).out.splitlines()]
    new = [name for name in ("label", "translation", "continuation") if name in alone]
    assert new and all(alone[name] == found[0][name] for name in new)
    assert "'Review Text'" in answered("--input", table).error()


@pytest.mark.slow
def test_several_continuations_of_a_prompt_have_its_columns(chargen, tmp_path):
    run, table = tmp_path / "run", write_table(tmp_path / "in.csv", ["id", "text"], [["1", "The "], ["2", "A "]])
    few = ["--epochs", "1", "--steps-per-epoch", "1"]
    assert chargen("train", "--run", run, *OPTIONS["chargen"], *few).code == 0
    written = chargen("generate", "--run", run, "--input", table, "--samples", "3", "--output", tmp_path / "out.tsv")
    assert written.code == 0, written.err
    rows = read_csv(tmp_path / "out.tsv", "\t")
    assert [(row["id"], row["seed"]) for row in rows] == [(name, seed) for name in "12" for seed in "012"]
    assert all(row["predicted_text"] == row["text"] + row["continuation"] for row in rows)


@pytest.mark.slow
def test_an_input_without_texts_has_no_answers_and_says_so(small, tmp_path, caplog):
    """It is no mistake: a list of texts may be empty."""

    def written(name: str, content: str, ending: str, *options) -> str:
        (tmp_path / name).write_text(content)
        output = tmp_path / f"answers{ending}"
        asked = ["--run", small.untrained_run, "--input", tmp_path / name, "--output", output, *options]
        answer = small.command(small.predict_command, *asked)
        assert (answer.code, answer.out) == (0, ""), answer.err
        return output.read_text()

    for name, content in (("a.csv", "id,text,label\n"), ("a.txt", ""), ("a.jsonl", "\n")):
        assert written(name, content, ".jsonl") == written(name, content, ".txt") == ""
        assert f"--input {tmp_path / name}: there is no text in it, so there is no answer" in caplog.text
        # The answers are a table with the columns that they have for a text, if the input names its own.
        full = {"a.csv": f"{content}1,A text,0\n", "a.txt": "A text\n"}.get(name)
        for options in [()] if name == "a.txt" else [(), ("--keep", "label,id")]:
            header = written(f"full-{name}", full, ".csv", *options).splitlines(keepends=True)[0] if full else ""
            assert written(name, content, ".csv", *options) == header
    (tmp_path / "a.csv").write_text("")
    message = small.command(small.predict_command, "--run", small.untrained_run, "--input", tmp_path / "a.csv").error()
    assert "a.csv: the file is empty; expected a first line with the columns' names" in message


@pytest.mark.slow
def test_a_table_comes_through_a_pipe(sentiment_process, sentiment, tmp_path):
    run, few = tmp_path / "run", ["--epochs", "1", "--steps-per-epoch", "1"]
    assert sentiment("train", "--run", run, *OPTIONS["sentiment"], *few).code == 0
    table = write_table(tmp_path / "in.csv").read_bytes()
    options = ["--input-format", "csv", "--text-column", "Review Text", "--json"]
    answer = sentiment_process("predict", "--run", run, "--input", "-", *options, input=table)
    assert answer.code == 0, answer.err
    assert [json.loads(line)["id"] for line in answer.out.splitlines()] == ["R-1", "R-2", "R-3"]
