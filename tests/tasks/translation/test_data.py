"""Sentence pairs on their way from a source to ids: names of the sides, vocabularies, and pairs that are left out."""

import pytest

from tasks.data.sequence_store import SequenceStore
from tasks.translation import data
from tasks.translation.settings import TranslationSettings


def test_what_is_stored_is_what_was_written(prepared, train_pairs):
    _, run = prepared()
    source, target = data.load_vocabularies(run.vocabulary)
    store = SequenceStore(run.checkpoint / "train")
    for index, (english, korean) in enumerate(train_pairs):
        ids, border = store[index].tolist(), store.columns["source_length"][index]
        assert (source.decode(ids[:border]), target.decode(ids[border:])) == (english, korean)


def test_one_vocabulary_may_serve_both_languages(prepared):
    _, run = prepared(vocabulary={"joint_vocabulary": True})
    source, target = ((run.vocabulary / f"{side}.model").read_bytes() for side in data.SIDES)
    assert source == target
    pieces = {data.load_vocabularies(run.vocabulary)[0].id_to_piece(index) for index in range(600)}
    assert "▁the" in pieces and any("가" <= piece[-1] <= "힣" for piece in pieces if len(piece) > 1)


@pytest.mark.slow
def test_pairs_that_are_empty_too_long_or_odd_are_left_out_and_named(
    train, tmp_path, sample_pairs, write_aligned, caplog
):
    pairs = sample_pairs("train", 120)
    pairs[6] = ("", "비었어요.")
    pairs[8] = ("This one is blank.", "  ")
    pairs[10] = ("word " * 60, "단어 " * 60)
    pairs[11] = ("It is a very odd pair of sentences, is it not, my dear friend?", "네")
    write_aligned(tmp_path / "data", "train", pairs)
    write_aligned(tmp_path / "data", "validation", sample_pairs("validation", 20))
    answer = train(tmp_path / "run", "--epochs", "1", "--max-pair-length-ratio", "6", data=tmp_path / "data")
    assert answer.code == 0
    [line] = [line for line in caplog.messages if "train pairs" in line and line.startswith("left out")]
    assert line.startswith("left out 4 of 120 train pairs: 2 with an empty side (the first at ")
    assert "train.en:7, train.ko:7" in line and "1 with more than 40 pieces" in line and "1 with 6 times" in line
    assert any(line.startswith("116 pairs to train on") for line in caplog.messages)


def test_the_samples_languages_need_no_names_and_can_be_swapped(sample_pairs):
    assert TranslationSettings().data.names == ("en", "ko")
    for named in ({"source_lang": "ko"}, {"target_lang": "en"}):
        assert TranslationSettings.model_validate({"data": named}).data.names == ("ko", "en")
    swapped = TranslationSettings.model_validate({"data": {"source_lang": "ko", "target_lang": "en"}})
    record = next(data.open_pairs(swapped).records("test"))
    assert record.values == sample_pairs("test", 1)[0][::-1]


def test_a_table_may_name_its_columns(tmp_path):
    (tmp_path / "pairs.tsv").write_text("nr\tleft\tright\n1\ta\tb\n2\tc\td\n", encoding="utf-8")
    named = {"data": str(tmp_path / "pairs.tsv"), "source_column": "right", "target_column": "left"}
    source = data.open_pairs(TranslationSettings.model_validate({"data": named}))
    assert [record.values for record in source.records("all")] == [("b", "a"), ("d", "c")]
