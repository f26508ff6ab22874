"""Separator, encoding and header of files, in each command of each task that reads them, and what is checked early."""

import csv
import json

import pytest

from tasks.serving.evaluate import evaluate
from tests.tasks.examples import LINES, reviews, sentence_pairs, write_csv

# For each task: rows, and the options that name their columns, given the names.
ROWS = {
    "sentiment": reviews("train", 100),
    "chargen": [(line.strip(), "x") for line in LINES[::9]],
    "translation": sentence_pairs("train", 60),
}
COLUMNS = {
    "sentiment": ("text_column", "label_column"),
    "chargen": ("text_column",),
    "translation": ("source_lang", "target_lang"),
}
FEWER = {
    "sentiment": (),
    "chargen": ("--evaluation-length", "5", "--batch-size", "2"),
    "translation": (
        "--bleu-epochs",
        "0",
        "--attention",
        "none",
        "--attention-pairs",
        "none",
        "--max-length-ratio",
        "1",
    ),
}
NAMES = ("review", "other")
UNUSUAL = ("--encoding", "cp949", "--no-header")


def as_options(task: str, names) -> list[str]:
    pairs = zip(COLUMNS[task], names, strict=False)
    return [word for option, name in pairs for word in (f"--{option.replace('_', '-')}", name)]


@pytest.mark.slow
def test_a_table_in_another_encoding_without_a_header_is_read_like_any_other(small, tmp_path):
    """Trains, evaluates and answers from it, and compares with the same rows in UTF-8 with a header."""
    rows = [row for row in ROWS[small.name] if "".join(row).encode("cp949", "ignore").decode("cp949") == "".join(row)]
    usual, unusual, run = write_csv(tmp_path / "in.csv", rows, NAMES), tmp_path / "in.tsv", tmp_path / "run"
    with open(unusual, "w", encoding="cp949", newline="") as file:
        csv.writer(file, delimiter=";").writerows((number, *row) for number, row in enumerate(rows))
    few = ["--epochs", "1", "--steps-per-epoch", "1", *FEWER[small.name]]
    trained = small.train(run, *few, *UNUSUAL, *as_options(small.name, "23"), data=unusual)
    assert trained.code == 0, trained.err

    evaluated = small.command("evaluate", "--run", run, "--data", unusual, "--encoding", "cp949", "--json")
    assert evaluated.code == 0, evaluated.err
    names = dict(zip(COLUMNS[small.name], NAMES, strict=False))
    expected = evaluate(small.task, run, data=usual, delimiter=",", **names)
    assert json.loads(evaluated.out) | {"seconds": 0} == expected | {"seconds": 0}
    if small.name != "chargen":
        assert expected["examples"] == len(rows)

    asked = ["--run", run, "--json", "--input", unusual, "--text-column", "2", *UNUSUAL]
    answers = small.command(small.predict_command, *asked)
    assert answers.code == 0, answers.err
    found = [json.loads(line) for line in answers.out.splitlines()]
    assert [[row[name] for name in "123"] for row in found] == [[str(number), *row] for number, row in enumerate(rows)]


# Runs commands one after the other in a process, and prints whether TensorFlow was imported.
EARLY = """
import json, sys
from tasks.cli.main import main
from tasks.references import find
codes = [main(find(sys.argv[1]), words) for words in json.loads(sys.argv[2])]
print(codes, [name for name in sys.modules if name.startswith(("tensorflow", "keras"))])
"""


def test_files_and_columns_are_checked_before_tensorflow_is_imported(small, process, tmp_path):
    table = write_csv(tmp_path / "in.csv", [("a", "b")], ("other", "names"))
    zipped = tmp_path / "in.xlsx"
    zipped.write_bytes(b"PK\x03\x04")
    column = ["--text-column", "nowhere"] if small.name == "chargen" else []
    data = ["--data", table, *column]
    commands = [
        ["train", *data, "--run", tmp_path / "run"],
        ["train", "--data", zipped, "--run", tmp_path / "run"],
        ["train", "--data", tmp_path / "missing.csv", "--run", tmp_path / "run"],
        ["compare", *data, "--cells", "lstm,gru", "--run", tmp_path / "compared"],
        ["evaluate", "--run", small.untrained_run, *data],
        ["evaluate", "--run", small.untrained_run, "--encoding", "cp949"],
        [small.predict_command, "--run", small.untrained_run, "--input", table],
        [small.predict_command, "--run", small.untrained_run, "--input", tmp_path / "missing.txt"],
        [small.predict_command, "--run", small.untrained_run, "a text", "--no-header"],
        [small.predict_command, "--run", small.untrained_run, "--input", tmp_path / "a.txt", "--delimiter", ";"],
    ]
    words = json.dumps([[str(word) for word in command] for command in commands])
    started = process("-c", EARLY, small.task.reference, words)
    out, err = (stream.decode() for stream in started.communicate())
    assert out.strip() == f"{[2] * len(commands)} []", err
    messages = err.split("error: ")[1:]
    assert len(messages) == len(commands)
    for message, part in zip(
        messages,
        [
            *("its columns are: 'other', 'names'", "zip archive", "missing.csv", "its columns are"),
            *("its columns are", "--data", "its columns are", "missing.txt", "--input", "--input-format csv or tsv"),
        ],
        strict=True,
    ):
        assert part in message and len(message.strip().splitlines()) <= 2
    assert not (tmp_path / "run").exists() and not (tmp_path / "compared").exists()
