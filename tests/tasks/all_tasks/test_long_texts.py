"""Very long texts: what is cut is counted and reported, and vocabularies are learned from all of them."""

import json
import logging
import random

import pytest
import sentencepiece

from tasks.data import vocabularies
from tasks.data.cut_texts import CutTexts
from tasks.data.records import Record
from tasks.settings import VocabularySettings
from tests.tasks.examples import reviews, sentence_pairs, write_aligned, write_csv

REVIEWS = [text for text, _ in reviews("train", 60)]


def learn(texts, **options) -> sentencepiece.SentencePieceProcessor:
    model = vocabularies.learn(texts, VocabularySettings(vocabulary_size=600, **options), "here")
    return sentencepiece.SentencePieceProcessor(model_proto=model)


def test_one_long_text_does_not_decide_the_vocabulary_alone():
    alone, together = learn(REVIEWS), learn([*REVIEWS, "x y " * 50_000])
    assert together.get_piece_size() > alone.get_piece_size() / 2
    characters = {*"".join(REVIEWS)} - {" "}
    known = {one for one in characters if alone.unk_id() not in alone.encode(one)}
    still_known = {one for one in known if together.unk_id() not in together.encode(one)}
    assert len(still_known) >= len(known) - 2  # of equally rare characters, others may be known


def test_a_vocabulary_is_learned_from_all_of_a_long_text():
    # Three parts of one long text, each with words of its own.
    words = [[f"{letter * 3}{number}" for number in "0123456789"] for letter in "bcd"]
    text = " ".join(" ".join(random.Random(0).choices(part, k=10_000)) for part in words)
    processor = learn([text, "a short one"])
    assert all(processor.unk_id() not in processor.encode(word) for part in words for word in part)


def test_ordinary_texts_are_learned_from_as_they_are():
    rule = VocabularySettings().normalization
    for texts in (REVIEWS, [REVIEWS[0] * 9] * 2, REVIEWS[:1], []):
        assert vocabularies.required_characters(texts, 0.9995, rule) == ""
    records = [Record((text * 20,), "") for text in REVIEWS]
    assert vocabularies.hash_sample(records, 100) == [record.values for record in records]


def test_the_sample_of_a_vocabulary_has_a_bounded_size(monkeypatch):
    monkeypatch.setattr(vocabularies, "MAX_CHARACTERS", 50_000)
    monkeypatch.setattr(vocabularies, "MAX_TEXT_CHARACTERS", 10_000)
    records = [Record((f"{number} " + "word " * 4000, "other"), "") for number in range(30)]
    sample = vocabularies.hash_sample(records, 100)
    assert 1 < len(sample) <= 5 and all(len(value) <= 10_000 for values in sample for value in values)
    assert sample == vocabularies.hash_sample(iter(records), 100)
    [(beginning, _)] = vocabularies.hash_sample([Record(("start " + "word " * 9000 + "end", "other"), "")], 1)
    assert beginning.startswith("start") and beginning.endswith("end")


def test_a_cut_text_is_counted_by_its_pieces():
    processor = learn(REVIEWS)
    cut = CutTexts(processor, 10)
    assert cut.report() is None
    long = " ".join(REVIEWS[:3])
    assert cut.count([REVIEWS[0][:5], "", long, "x\ud800"]) == [False, False, True, False]
    pieces = [len(processor.encode(text)) for text in (REVIEWS[0][:5], long, "x?")]
    assert (cut.texts, cut.cut, cut.pieces, cut.cut_off) == (4, 1, sum(pieces), pieces[1] - 10)
    assert cut.report().startswith("1 of 4 texts (25.0%)") and f"{(pieces[1] - 10) / sum(pieces):.1%}" in cut.report()


# --- whole commands ---------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_sentiment_reports_cut_texts_in_every_command(small_tasks, tmp_path, caplog):
    small = small_tasks["sentiment"]
    rows = [(f"a {word} film {number}", label) for number in range(30) for word, label in (("good", "p"), ("bad", "n"))]
    write_csv(tmp_path / "data" / "train.csv", [*rows, ("good film " * 1000, "p")])
    write_csv(tmp_path / "data" / "validation.csv", rows[:10])
    caplog.set_level(logging.INFO)
    assert small.train(tmp_path / "run", "--epochs", "1", data=tmp_path / "data").code == 0

    def lines() -> list[str]:
        found = [message for message in caplog.messages if "more than 40 pieces" in message]
        caplog.clear()
        return found

    [line] = lines()
    assert line.startswith("1 of 71 texts (1.4%)") and "--max-tokens" in line and "of all pieces" in line
    assert small.command("export", "--run", tmp_path / "run", "--to", tmp_path / "model").code == 0
    for model in (("--run", tmp_path / "run"), ("--model", tmp_path / "model")):
        answer = small.command("predict", *model, "--json", "good film " * 100, "a film")
        assert [json.loads(line).get("truncated") for line in answer.out.splitlines()] == [True, None]
        [line] = lines()
        assert line.startswith("1 of 2 texts (50.0%)")
    answer = small.command("evaluate", "--run", tmp_path / "run", "--data", tmp_path / "data" / "train.csv", "--json")
    assert json.loads(answer.out)["truncated_texts"] == 1 and len(lines()) == 1


@pytest.mark.slow
def test_translation_trains_beside_one_very_long_pair(small_tasks, tmp_path, caplog):
    small = small_tasks["translation"]
    for split, count in (("train", 60), ("validation", 20)):
        pairs = sentence_pairs(split, count)
        write_aligned(tmp_path / "data", split, [*pairs, ("x " * 100_000, "y " * 100_000)])
    options = ("--epochs", "1", "--steps-per-epoch", "1", "--bleu-epochs", "0")
    answer = small.train(tmp_path / "run", *options, data=tmp_path / "data")
    assert answer.code == 0, answer.err
    assert any("1 with more than 40 pieces" in message for message in caplog.messages)
    source = vocabularies.load(tmp_path / "run" / "vocabulary" / "source.model")
    assert source.get_piece_size() > 100
