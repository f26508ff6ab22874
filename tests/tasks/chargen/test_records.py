"""Texts of one line each, with --records lines: their splits, and what is generated."""

import io
import itertools
import json
import logging
import random
import re
import shutil

import numpy as np
import pytest
import tensorflow as tf

from models.characters import Characters
from tasks.chargen import data, generated_records, step_by_step
from tasks.chargen.explain import explain
from tasks.chargen.generated_records import RecordShares
from tasks.chargen.settings import ChargenSettings
from tasks.chargen.task import CHARGEN
from tasks.chargen.text_source import open_text
from tasks.errors import UserError
from tasks.serving import inference
from tasks.training.runs import Run

pytestmark = pytest.mark.slow

SYLLABLES = [first + second for first in "bdfgklmnrst" for second in "aeio"]
NAME = re.compile(f"(?:{'|'.join(SYLLABLES)}){{2,3}}[nsl]?", re.IGNORECASE)
SMALL = ("--records", "lines", "--units", "64", "--embedding-size", "16", "--no-unroll", "--epochs", "16")


def names(count: int) -> list[str]:
    """Made-up names, all different, sorted as lists of names are."""
    chance, found = random.Random(0), set()
    while len(found) < count:
        syllables = chance.choices(SYLLABLES, k=chance.randint(2, 3))
        found.add("".join(syllables).capitalize() + chance.choice(["", *"nsl"]))
    return sorted(found)


@pytest.fixture(scope="module")
def names_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("names") / "names.txt"
    path.write_text("".join(f"{name}\n" for name in names(800)))
    return path


@pytest.fixture(scope="module")
def run(chargen, names_file, tmp_path_factory):
    folder = tmp_path_factory.mktemp("records") / "run"
    answer = chargen("train", "--data", names_file, "--run", folder, *SMALL)
    assert answer.code == 0, answer.err
    return folder


def opened(path, **settings):
    return open_text(ChargenSettings(data={"data": str(path), "records": "lines", **settings}))


# --- splits


def test_lines_are_drawn_for_the_splits_whatever_their_order(names_file, tmp_path):
    source = opened(names_file)
    splits = {split: source.text(split).splitlines() for split in ("train", "validation", "test")}
    assert sorted(itertools.chain(*splits.values())) == names(800)
    for split in ("validation", "test"):
        assert 15 <= len(splits[split]) <= 75
        assert min(splits[split])[0] < "E" and max(splits[split])[0] > "N"  # not one end of the sorted list
    shuffled = names(800)
    random.Random(1).shuffle(shuffled)
    (tmp_path / "other.txt").write_bytes("\r\n".join(shuffled * 2).encode())
    other = opened(tmp_path / "other.txt")
    for split, lines in splits.items():  # equal lines are in one split
        assert sorted(other.text(split).splitlines()) == sorted(lines * 2)


def test_blank_lines_and_blanks_at_the_end_are_no_part_of_a_record(tmp_path):
    (tmp_path / "a.txt").write_text("\n  \n Ann \t\n\nBen\n")
    assert opened(tmp_path / "a.txt").text("all") == " Ann\nBen\n"
    (tmp_path / "a.csv").write_text('id,name\n1,Ann\n2,\n3,"Ben\nCid"\n')
    assert opened(tmp_path / "a.csv", text_column="name").text("all") == "Ann\nBen\nCid\n"
    (tmp_path / "folder").mkdir()
    for split in ("train", "validation", "test"):
        (tmp_path / "folder" / f"{split}.txt").write_text(f"{split}\n" * 3)
    source = opened(tmp_path / "folder")
    assert source.splits == {split: f"{split}\n" * 3 for split in ("train", "validation", "test")}
    (tmp_path / "one.txt").write_text("\nAnn\n")
    with pytest.raises(UserError, match=r"one\.txt"):
        opened(tmp_path / "one.txt").text("train")


def test_a_warning_where_the_end_of_a_text_has_other_characters(chargen, names_file, tmp_path, caplog):
    def prepared(path, **settings):
        run = Run(tmp_path / f"run{len(list(tmp_path.iterdir()))}")
        run.checkpoint.mkdir(parents=True)
        caplog.clear()
        data.prepare(ChargenSettings(data={"data": str(path), **settings}), run)
        return "".join(record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING)

    warning = prepared(names_file)
    source = open_text(ChargenSettings(data={"data": str(names_file)}))
    known = {*source.text("train")}
    for split in ("validation", "test"):
        text = source.text(split)
        share = sum(character not in known for character in text) / len(text)
        assert share > 0.1 and f"{share:.1%} of the {split} split" in warning
    assert "0.0% of the training text" in warning and "--records lines" in warning
    assert not prepared(names_file, records="lines")
    assert not prepared("sample")
    lines = [f"{word} 영화 {chr(0xAC00 + 7 * number)}\n" for number, word in enumerate(names(400))]
    random.Random(0).shuffle(lines)
    (tmp_path / "rare.txt").write_text("".join(lines), encoding="utf-8")
    assert not prepared(tmp_path / "rare.txt")  # each rare character occurs once, wherever the text is cut


# --- generation


@pytest.fixture(scope="module")
def predictor(run):
    return inference.load(CHARGEN, run)


def shown_while_generated(predictor, prompt: str) -> str:
    return "".join(part for part, _ in step_by_step.stream(predictor.module, prompt, step_by_step.Progress()))


def test_records_are_generated_whole_one_on_each_line(chargen, run, predictor):
    answer = chargen("generate", "--run", run, "--samples", "20")
    found = answer.out.splitlines()
    assert answer.out.count("\n") == 20 == len(found) and all(found) and len({*found}) > 15
    many = generated_records.generate_records(predictor, 300, temperature=0.8)
    assert many[:20] == found  # in a batch as one by one
    assert sum(bool(NAME.fullmatch(name)) for name in many) >= 0.9 * len(many)
    assert len({*many} - {*names(800)}) >= 0.5 * len(many)
    # The same while it is shown; a prompt is continued to the end of its record.
    assert shown_while_generated(predictor, "") == found[0]
    one, two = predictor.predict(["Ba", ""], sampling_seed=3)
    assert one["text"] == "Ba" + one["continuation"] and one["continuation"] and two["text"] == found[3]
    # A first character that ends the record is never drawn, however high the temperature.
    assert all(generated_records.generate_records(predictor, 200, temperature=50.0))


def test_a_prompt_of_several_lines_continues_the_last_one(predictor):
    one, two, three = predictor.predict(["Ba", "Tomo\nBa", "Tomo\n"], temperature=0.0)
    assert one["text"] == two["text"] and "\n" not in three["text"] and len(three["text"]) > 1
    shown = shown_while_generated(predictor, "Tomo\nBa")
    assert shown.startswith("Ba") and "\n" not in shown


def test_an_export_generates_the_same_records(chargen, run, predictor, tmp_path):
    assert chargen("export", "--run", run, "--to", tmp_path / "exported").code == 0
    exported = chargen("generate", "--model", tmp_path / "exported", "--samples", "5").out.splitlines()
    assert exported == generated_records.generate_records(predictor, 5, temperature=0.8)
    signatures = tf.saved_model.load(tmp_path / "exported" / "1").signatures
    assert signatures["serving_default"](prompt=tf.constant([""]))["text"].numpy()[0].decode() == exported[0]
    # Scores of records add up, with and without a line end after the last one.
    score = lambda text: float(signatures["score"](text=tf.constant([text]))["nats_per_character"][0])  # noqa: E731
    assert score("Bano\nTite\n") == score("Bano\nTite") == pytest.approx((score("Bano") + score("Tite")) / 2, rel=1e-5)
    # A client that streams begins with the line end of the list of characters.
    listed = json.loads((tmp_path / "exported" / "1" / "assets.extra" / "characters.json").read_text())["characters"]
    end = [character for character, _ in listed].index("\n")
    zeros = {name: tf.zeros([1, 64]) for name in ("h_1", "c_1")}
    step = lambda index, states: signatures["step"](ids=tf.constant([index]), **states)  # noqa: E731
    first, other = step(end, zeros), step(2, zeros)
    np.testing.assert_array_equal(first["logits"], step(end, {name: other[name] for name in zeros})["logits"])


def test_choosing_ends_with_the_record(predictor, capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("B\na\n" + "\n" * 30))
    step_by_step._let_choose(predictor.module, "", 3)
    shown = capsys.readouterr()
    last = shown.out.rstrip("\n").splitlines()[-1]
    assert last.startswith("Ba") and len(last) < 15 and shown.err.count("> ") < 20


# --- evaluation


def test_evaluate_scores_records_and_reports_what_is_new(chargen, names_file, run, predictor, tmp_path):
    copy = shutil.copytree(run, tmp_path / "run")
    answer = chargen("evaluate", "--run", copy, "--split", "validation", "--evaluation-records", "300", "--json")
    found = json.loads(answer.out)
    assert found["loss"] == pytest.approx(min(row["val_loss"] for row in Run(copy).history()), rel=1e-3)
    source = opened(names_file)
    assert found["examples"] == len(source.text("validation")) and found["unknown_share"] == 0
    generated = generated_records.generate_records(predictor, 300, temperature=0.8)
    training = {*source.text("train").splitlines()}
    assert found["known_share"] == pytest.approx(sum(name in training for name in generated) / 300)
    assert found["new_share"] == pytest.approx(len({*generated} - training) / 300) and found["new_share"] > 0.5
    assert found["new_share"] + found["known_share"] + found["repeated_share"] == pytest.approx(1.0)
    page = (copy / "samples.md").read_text()
    assert "\n".join(generated[: generated_records.SHOWN]) in page and "## Prompt" not in page
    for temperature in ("0.5", "0.8", "1"):
        assert f"## 20 of 300 records, temperature {temperature}\n" in page and f"\n| {temperature} | " in page
    # Another list, and prompts.
    (tmp_path / "other.txt").write_text("Bano\nTite\n")
    options = ("--data", tmp_path / "other.txt", "--prompts", "Ta", "--evaluation-records", "5", "--json")
    other = json.loads(chargen("evaluate", "--run", copy, *options).out)
    assert other["examples"] == 10 and "## Prompt 'Ta'" in (copy / "samples.md").read_text()


def test_the_shares_of_records():
    shares = RecordShares.of(["a", "b", "b", "c", "c", "c", "d"], "c\nd\ne\n")
    assert shares == RecordShares(new=2 / 7, known=4 / 7, repeated=1 / 7)


def test_an_explanation_follows_one_record(run, predictor):
    found = explain(run, "Bano\n")
    assert found["characters"] == [*"Bano", "\n"] and len(found["surprise"]) == 5
    nats = float(predictor.module.score(tf.constant(["Bano"]))["nats_per_character"][0])
    assert np.mean(found["surprise"]) * np.log(2) == pytest.approx(nats, rel=1e-4)
    assert found["tracking"]["line length"]["correlation"] and len(found["gates"]["cell"]) == 5
    with pytest.raises(UserError, match="several lines"):
        explain(run, "Bano\nTite")


# --- settings


def test_options_that_do_not_go_with_records_are_named(chargen, names_file, tmp_path):
    for option in ("--no-stateful", "--no-return-sequences"):
        message = chargen(
            "train", "--data", names_file, "--run", tmp_path / "run", "--records", "lines", option
        ).error()
        assert option.removeprefix("--no-").replace("-", "_") in message and "records" in message
    # The end of a record is known, also if there are fewer records than --min-count.
    (tmp_path / "few.txt").write_text("".join(f"aaaaa{letter}\n" for letter in "bcdefghijklmnopqrstuvwxyz"))
    few = {"data": {"data": str(tmp_path / "few.txt"), "records": "lines"}, "vocabulary": {"min_count": 60}}
    prepared = Run(tmp_path / "prepared")
    prepared.checkpoint.mkdir(parents=True)
    data.prepare(ChargenSettings(**few), prepared)
    assert data.load_characters(prepared.vocabulary).characters == ("\n", "a")
    with pytest.raises(UserError, match="no line end"):
        data.boundary_id(Characters.learned({"a": 2}))


def test_options_of_training_go_with_records(chargen, names_file, tmp_path):
    (tmp_path / "few.txt").write_text("".join(names_file.read_text().splitlines(keepends=True)[::10]))
    for number, options in enumerate(
        [
            ("--window", "4"),
            ("--hangul", "jamo"),
            ("--unroll", "--window", "8", "--cell", "gru", "--layers", "2"),
        ]
    ):
        run = tmp_path / f"run{number}"
        small = (*SMALL[:-1], "2", "--batch-size", "8")
        assert chargen("train", "--data", tmp_path / "few.txt", "--run", run, *small, *options).code == 0
        answer = chargen("evaluate", "--run", run, "--split", "validation", "--evaluation-records", "20", "--json")
        best = min(row["val_loss"] for row in Run(run).history())
        assert json.loads(answer.out)["loss"] == pytest.approx(best, rel=1e-3)
        assert chargen("generate", "--run", run, "--samples", "3", "--length", "9").out.count("\n") == 3
