"""A fourth task needs a package and nothing else: a tagger goes through every command of the suite."""

import csv
import json
import random
import re
from pathlib import Path

import pytest

from tasks.serving.inference import load
from tasks.training.runs import Run
from tests.tagger.task import ERROR_RATE, TAGGER

pytestmark = pytest.mark.slow

# A comma or a full stop between two digits is part of their number, one after them is not; v2 and 7th are no numbers.
NUMBER = re.compile(r"(?<!\w)\d+(?:[.,]\d+)*(?!\w)")
WORDS = ("room", "costs", "v2", "won,", "the", "7th", "and", "a.", "책", "no", "x9y")


def tags(text: str) -> str:
    tags = ["0"] * len(text)
    for number in NUMBER.finditer(text):
        tags[slice(*number.span())] = "1" * len(number[0])
    return "".join(tags)


def texts(count: int, seed: int) -> list[str]:
    chance = random.Random(seed)

    def word() -> str:
        if chance.random() < 0.6:
            return chance.choice(WORDS)
        return chance.choice(["{}", "{}.{}", "{},{}", "{},", "{}."]).format(*chance.choices(range(1000), k=2))

    return [" ".join(word() for _ in range(chance.randint(2, 9))) for _ in range(count)]


@pytest.fixture(scope="module")
def tagger(command):
    """Runs a command of the tagger within this process."""
    return command(TAGGER)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory) -> Path:
    """A folder of tables: 400 texts to train on, 100 to validate on, 100 to test on."""
    folder = tmp_path_factory.mktemp("corpus")
    for seed, (split, count) in enumerate({"train": 400, "validation": 100, "test": 100}.items()):
        with open(folder / f"{split}.csv", "w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([("text", "tags"), *((text, tags(text)) for text in texts(count, seed))])
    return folder


@pytest.fixture(scope="module")
def run(tagger, corpus, tmp_path_factory) -> Run:
    """A finished run; the metric that selects its weights is better if it is lower."""
    folder = tmp_path_factory.mktemp("runs") / "numbers"
    answer = tagger(
        "train",
        "--data",
        corpus,
        "--run",
        folder,
        "--epochs",
        "4",
        "--monitor",
        "error_rate",
        "--learning-rate",
        "0.004",
    )
    assert (answer.code, answer.out) == (0, f"{folder}\n"), answer.err
    return Run(folder)


def test_the_rule_of_the_data_is_what_it_should_be():
    assert tags("v2 cost 3,450.5, 책 7.") == "00000000" + "1111111" + "0000" + "1" + "0"


def test_the_weights_of_the_epoch_with_the_lowest_error_rate_are_saved(run, corpus):
    rates = [row["val_error_rate"] for row in run.history()]
    assert len(rates) == 4 and min(rates) < max(rates)
    with open(corpus / "validation.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    answers = load(TAGGER, run.path).predict([row["text"] for row in rows])
    wrong = [
        one != two
        for row, answer in zip(rows, answers, strict=True)
        for one, two in zip(row["tags"], answer["tags"], strict=True)
    ]
    assert sum(wrong) / len(wrong) == pytest.approx(min(rates), rel=1e-4)


def test_evaluate_reports_its_metrics_and_writes_its_file(tagger, run):
    answer = tagger("evaluate", "--run", run.path, "--json")
    results = json.loads(answer.out)
    assert {*results} == {"error_rate", "accuracy", "examples", "seconds"}
    assert results["examples"] == 100 and results["error_rate"] < 0.1
    assert results["accuracy"] == pytest.approx(1.0 - results["error_rate"])
    stored = json.loads(run.evaluation_file.read_text())
    mistakes = (run.path / "mistakes.txt").read_text(encoding="utf-8").splitlines()
    assert stored["mistakes"] == len(mistakes) and stored["error_rate"] == results["error_rate"]
    printed = tagger("evaluate", "--run", run.path).out
    assert "error_rate" in printed and str(run.path / "mistakes.txt") in printed


def test_predict_and_an_export_find_the_same_numbers(tagger, run, tmp_path):
    given = texts(50, seed=9)
    answers = [json.loads(line) for line in tagger("predict", "--run", run.path, *given, "--json").out.splitlines()]
    assert [answer["text"] for answer in answers] == given
    right = sum(answer["tags"] == tags(answer["text"]) for answer in answers)
    assert right > 25 and all(len(answer["tags"]) == len(answer["text"]) for answer in answers)
    version = Path(tagger("export", "--run", run.path, "--to", tmp_path / "numbers").out.strip())
    plain = [tagger("predict", *where, *given).out for where in (("--run", run.path), ("--model", version))]
    assert plain[0] == plain[1] == "".join("\t".join(answer["numbers"]) + "\n" for answer in answers)
    [empty] = load(TAGGER, version).predict([""])
    assert empty == {"text": "", "tags": "", "numbers": []}


def test_compare_trains_its_cells_and_draws_its_metric(tagger, corpus, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))  # another process finds the task by its name
    options = ("--data", corpus, "--cells", "gru,simple_rnn", "--seeds", "1", "--epochs", "1", "--run", tmp_path / "c")
    answer = tagger("compare", *options)
    assert answer.code == 0, answer.err
    rows = json.loads((tmp_path / "c" / "table.json").read_text())["rows"]
    assert [row["cell"] for row in rows] == ["gru", "simple_rnn"]
    rates = [Run(tmp_path / "c" / row["cell"] / "seed-0").history()[0]["val_error_rate"] for row in rows]
    for row in rows:
        # The quality that both reach is the worse of their best ones, and lower is better.
        assert row["quality_of"] == ERROR_RATE.column == "val_error_rate"
        assert row["quality"] == max(rates) and row["reached"] == 1
        assert 0.0 <= row["error_rate"] <= 1.0
    assert (tmp_path / "c" / "plots" / "quality_against_time.png").exists()


def test_a_mistake_in_its_data_is_named(tagger, tmp_path):
    (tmp_path / "train.csv").write_text("text,tags\na 1,001\nb,10\n" + "c,0\n" * 30)
    message = tagger("train", "--data", tmp_path, "--run", tmp_path / "run").error()
    assert "train.csv:3" in message and "expected a 0 or a 1 for each of the 1 characters" in message


def test_another_task_refuses_its_run(sentiment, tagger, run):
    assert "is a run of the task tagger" in sentiment("predict", "--run", run.path, "1").error()
