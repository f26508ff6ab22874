"""Texts of an evaluation that the model was trained on are counted and reported."""

import json
import shutil

import numpy as np
import pytest

from tasks.data import overlap
from tasks.data.records import Record
from tests.tasks import examples

pytestmark = pytest.mark.slow


@pytest.fixture
def evaluated(small_tasks, tmp_path, caplog):
    """Evaluates a copy of a task's untrained run: its results, and the warnings."""

    def evaluate(name: str, *options):
        run = tmp_path / name
        if not run.exists():
            shutil.copytree(small_tasks[name].untrained_run, run)
        caplog.clear()
        options = [*options, *(["--no-baseline"] if name == "sentiment" else [])]
        answer = small_tasks[name].command("evaluate", "--run", run, "--json", *options)
        assert answer.code == 0, answer
        return json.loads(answer.out), caplog.text

    return evaluate


def spelt_otherwise(text: str) -> str:
    return f"  {text.upper().replace(' ', '  ')}\u200b"


def test_known_texts_are_counted_whatever_their_case_and_blanks(evaluated, tmp_path):
    known = [(spelt_otherwise(text), label) for text, label in examples.reviews("train", 15)]
    new = [(f"{text} {number} words are new", label) for number, (text, label) in enumerate(known[:5])]
    results, log = evaluated("sentiment", "--data", examples.write_csv(tmp_path / "a.csv", [*known, *new]))
    assert results["training_overlap"] == 0.75
    assert "of 20 texts, 15 texts (75.0%) are also in the training data" in log
    results, log = evaluated("sentiment", "--data", examples.write_csv(tmp_path / "b.csv", new))
    assert results["training_overlap"] == 0 and "training data" not in log


def test_each_side_of_a_pair_is_counted(evaluated, tmp_path):
    known = examples.sentence_pairs("train", 10)
    rows = [*known, *((f"{source} at {n}", target) for n, (source, target) in enumerate(known[:6]))]
    rows += [(f"new words {n}", f"새 단어 {n}") for n in range(4)]
    results, log = evaluated("translation", "--data", examples.write_csv(tmp_path / "a.csv", rows, ("en", "ko")))
    shares = [results[f"training_overlap{side}"] for side in ("", "_source", "_target")]
    assert shares == [0.5, 0.5, 0.8]
    assert "of 20 pairs, 10 pairs (50.0%), 10 sources (50.0%), 16 targets (80.0%) are also in the training data" in log


def test_known_lines_of_a_text_are_counted(evaluated, small_tasks, tmp_path):
    lines = small_tasks["chargen"].data.read_text(encoding="utf-8").splitlines()[:12]
    text = "\n".join([*map(spelt_otherwise, lines), "A line that is in no training text.", "so", "."] * 2)
    (tmp_path / "text.txt").write_text(text, encoding="utf-8")
    known = sum(len(line) >= 20 for line in map(str.strip, map(spelt_otherwise, lines)))
    results, log = evaluated("chargen", "--data", tmp_path / "text.txt")
    assert results["training_overlap"] == known / (known + 1)
    assert f"of {2 * known + 2} lines, {2 * known} lines" in log


def test_the_training_split_itself_is_no_reason_for_a_warning(evaluated):
    results, log = evaluated("sentiment", "--split", "train")
    assert results["training_overlap"] == 1 and "training data" not in log


def test_a_run_without_its_training_texts_is_evaluated_and_a_damaged_file_is_named(evaluated, sentiment, tmp_path):
    evaluated("sentiment", "--split", "validation")
    file = tmp_path / "sentiment" / "training_texts.npz"
    content = file.read_bytes()
    damaged = (b"", content[: len(content) // 2], b"\0" * len(content), b"not an array")
    for damage in damaged:
        file.write_bytes(damage)
        assert str(file) in sentiment("evaluate", "--run", file.parent).error()
    np.savez(file, example=np.array([{}], object))
    assert str(file) in sentiment("evaluate", "--run", file.parent).error()
    file.unlink()
    assert "training_overlap" not in evaluated("sentiment", "--split", "validation")[0]


def test_of_many_training_texts_a_sample_is_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(overlap, "MAX_TEXTS", 1000)
    texts = overlap.compared_texts(None)
    training = overlap.TrainingTexts(texts)
    for _ in training.collected(Record((f"text {n}",), "") for n in range(10_000)):
        pass
    training.save(tmp_path / "texts.npz")
    assert (tmp_path / "texts.npz").stat().st_size < 10_000
    found = overlap.Overlap(tmp_path / "texts.npz", texts)
    for _ in found.counted(Record((f"text {n}",), "") for n in range(5000, 20_000)):
        pass
    assert found.shares()["example"] == pytest.approx(1 / 3, abs=0.05)


def test_texts_of_the_run_that_a_training_went_on_from_count_as_well(small_tasks, tmp_path):
    small, run = small_tasks["sentiment"], tmp_path / "run"
    rows = [(f"{text} again", label) for text, label in examples.reviews("train", 60)]
    examples.write_csv(tmp_path / "more.csv", rows)
    options = ("--initial-run", small.untrained_run, "--data", tmp_path / "more.csv", "--epochs", "1")
    assert small.command("train", "--run", run, *options).code == 0
    examples.write_csv(
        tmp_path / "test.csv", [*examples.reviews("train", 10), *rows[:10], *examples.reviews("test", 5)]
    )
    answer = small.command("evaluate", "--run", run, "--data", tmp_path / "test.csv", "--json", "--no-baseline")
    assert 10 / 25 < json.loads(answer.out)["training_overlap"] <= 20 / 25
