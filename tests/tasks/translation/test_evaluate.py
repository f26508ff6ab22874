"""The metrics of an evaluation, against sacreBLEU's own and against the model's."""

import csv
import json
import math

import keras
import numpy as np
import pytest
import sacrebleu

from models.text import SentencePieceText
from tasks.serving import inference
from tasks.serving.evaluate import evaluate
from tasks.training.checkpoint import load_model
from tasks.training.runs import Run
from tasks.translation import data
from tasks.translation.pairs import teacher_forcing
from tasks.translation.task import TRANSLATION

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def answer(translation, finished_run):
    found = translation("evaluate", "--run", finished_run)
    assert found.code == 0, found.err
    return found


@pytest.fixture(scope="module")
def stored(answer, finished_run):
    return json.loads((finished_run / "evaluation.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def table(answer, finished_run):
    with open(finished_run / "translations.csv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_metrics_are_sacrebleus(stored, table, pairs):
    found, references = [row["translation"] for row in table], [row["reference"] for row in table]
    assert [(row["source"], row["reference"]) for row in table] == pairs
    assert stored["bleu"] == pytest.approx(sacrebleu.corpus_bleu(found, [references]).score)
    assert stored["bleu_lowercase"] == pytest.approx(sacrebleu.corpus_bleu(found, [references], lowercase=True).score)
    assert stored["chrf"] == pytest.approx(sacrebleu.corpus_chrf(found, [references]).score)
    assert stored["ter"] == pytest.approx(sacrebleu.corpus_ter(found, [references]).score)
    assert stored["exact_match"] == np.mean([one == other for one, other in zip(found, references, strict=True)])
    assert stored["bleu"] > 1.0 and stored["examples"] == 200
    assert "tok:13a" in stored["bleu_signature"] and "case:mixed" in stored["bleu_signature"]
    assert stored["perplexity"] == pytest.approx(math.exp(stored["loss"]))


def test_the_loss_is_the_models_own_on_the_references(stored, finished_run, pairs):
    model = load_model(Run(finished_run))
    sides = [
        SentencePieceText((finished_run / "vocabulary" / f"{side}.model").read_bytes(), 40).pieces(texts).to_list()
        for side, texts in zip(data.SIDES, zip(*pairs, strict=True), strict=True)
    ]
    (read, before), after, weights = teacher_forcing(*sides)
    logits = model([read, before], training=False)
    nats = keras.losses.sparse_categorical_crossentropy(after, logits, from_logits=True) * weights
    assert stored["loss"] == pytest.approx(float(keras.ops.sum(nats)) / weights.sum(), abs=1e-4)


def test_bleu_by_length_covers_every_pair_once(stored, table):
    groups = stored["bleu_by_length"]
    assert list(groups) == [name for name in ("1-5", "6-10", "11-15", "16-20", "21-30", "31-") if name in groups]
    short = [row for row in table if len(row["source"].split()) <= 5]
    expected = sacrebleu.corpus_bleu([r["translation"] for r in short], [[r["reference"] for r in short]]).score
    assert groups["1-5"] == pytest.approx(expected)


def test_the_signature_examples_and_pictures_are_printed(answer, finished_run):
    assert "nrefs:1|case:mixed|eff:no|tok:13a" in answer.out and "BLEU by words of the source" in answer.out
    for name in ("attention_1", "attention_2", "attention_3", "bleu_by_length", "learning_curves"):
        assert str(finished_run / "plots" / f"{name}.png") in answer.out
        assert (finished_run / "plots" / f"{name}.png").read_bytes().startswith(b"\x89PNG")


def test_json_is_one_object_of_metrics(translation, plain_run):
    found = translation("evaluate", "--run", plain_run, "--json", "--split", "validation", "--beam-size", "2")
    assert found.code == 0, found.err
    names = ["bleu", "bleu_lowercase", "chrf", "ter", "exact_match", "perplexity", "loss"]
    names += ["truncated_sources", "references_out_of_reach", "examples", "seconds"]
    names += [f"training_overlap{side}" for side in ("", "_source", "_target")]
    assert list(json.loads(found.out)) == names and json.loads(found.out)["examples"] == 60


def test_another_source_is_read_by_its_own_names(translation, finished_run, pairs, tmp_path, caplog):
    path = tmp_path / "other.csv"
    with open(path, "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("english", "korean"), *pairs[:5], ("", "없어요."), *pairs[5:20]])
    names = ("--source-column", "english", "--target-column", "korean")
    found = translation("evaluate", "--run", finished_run, "--data", path, *names, "--json")
    assert found.code == 0, found.err
    assert json.loads(found.out)["examples"] == 20
    [line] = [line for line in caplog.messages if line.startswith("left out")]
    assert line.startswith("left out 1 of 21 all pairs: 1 with an empty side (the first at ") and line.endswith(":7)")


def test_a_sentence_without_a_piece_has_no_picture(translation, finished_copy, pairs, tmp_path):
    path = tmp_path / "other.csv"
    with open(path, "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("en", "ko"), ("\u200b", "없어요."), *pairs[:4]])
    names = ("--source-column", "en", "--target-column", "ko")
    found = translation("evaluate", "--run", finished_copy, "--data", path, *names, "--json")
    assert found.code == 0, found.err
    assert json.loads(found.out)["examples"] == 5
    drawn = sorted(picture.name for picture in (finished_copy / "plots").glob("attention_*.png"))
    assert drawn == ["attention_2.png", "attention_3.png"]


def test_another_beam_size_can_be_evaluated(finished_run, plain_run):
    for run in (finished_run, plain_run):
        greedy = evaluate(TRANSLATION, run, beam_size=1)
        translator = inference.load(TRANSLATION, run, beam_size=1)
        assert translator.search.beam_size == 1 and greedy["examples"] == 200
