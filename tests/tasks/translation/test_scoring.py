"""Translations and references are compared alike, with a tokenizer that suits their script."""

import csv
import json
import shutil
import unicodedata

import pytest

from tasks.data.records import Record
from tasks.serving import inference
from tasks.training.checkpoint import load_model
from tasks.training.runs import Run
from tasks.translation import data, network, scoring, validation_pairs
from tasks.translation.settings import (
    TranslationEvaluationSettings,
    TranslationSettings,
    TranslationVocabularySettings,
)
from tasks.translation.task import TRANSLATION

REFERENCES = {
    "13a": (
        "Ein Hund läuft über die Wiese in Tokio (東京).",
        "Собака бежит по лугу.",
        "그 사람은 어제 책을 한 권 샀습니다.",
        "كلب يركض في المرج الأخضر",
    ),
    "zh": ("我看见了两只猫，对吗？", "我用 Keras 训练了一个模型。", "他昨天買了一本書。"),
    "char": ("猫を二匹見ました。", "カタカナ", "ฉันเห็นแมวสองตัว", "ខ្ញុំឃើញឆ្មាពីរក្បាល", "Tokyo", "1750"),
}


@pytest.mark.parametrize(("expected", "text"), [(name, text) for name, texts in REFERENCES.items() for text in texts])
def test_the_tokenizer_goes_by_the_script_of_the_references(expected, text, caplog):
    with caplog.at_level("INFO"):
        assert scoring.choose_tokenizer(TranslationEvaluationSettings(), [text]) == expected
    [line] = caplog.messages
    assert line.startswith(f"BLEU tokenizer: {expected}, by the ")


@pytest.mark.parametrize(("suitable", "warned"), [("zh", True), ("13a", False)])
@pytest.mark.parametrize("chosen", ["13a", "intl", None])
def test_a_tokenizer_of_words_is_warned_about_where_there_are_no_spaces(chosen, suitable, warned, caplog):
    settings = TranslationEvaluationSettings(bleu_tokenizer=chosen)
    assert scoring.choose_tokenizer(settings, REFERENCES[suitable][:3]) == (chosen or "none")
    lines = [message for message in caplog.messages if "a script without spaces" in message]
    assert len(lines) == warned and all("take zh or auto" in line for line in lines)


def test_a_bleu_that_can_only_be_zero_is_warned_about(caplog):
    scoring.choose_tokenizer(TranslationEvaluationSettings(bleu_tokenizer="13a"), ["four", "two words"])
    scoring.choose_tokenizer(TranslationEvaluationSettings(), ["17"])
    messages = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert [line.partition(":")[0] for line in messages] == ["BLEU is 0 whatever the translations"] * 2
    assert "take --bleu-tokenizer char" in messages[0] and "char" not in messages[1].partition("; ")[2]


DECOMPOSED = unicodedata.normalize("NFD", "Das größte\u00a0 Café , ein 책")


@pytest.mark.parametrize(
    ("settings", "text", "expected"),
    [
        ({}, "对吗？ １２\u3000ﬁn ", "对吗? 12 fin"),
        ({}, DECOMPOSED, "Das größte Café , ein 책"),
        ({"normalization": "nmt_nfkc_cf"}, "Das Größte", "Das Größte"),
        ({"target_normalization": "nmt_nfkc_cf"}, "Das Größte", "Das Größte"),
        ({"normalization": "identity"}, "对吗？  " + DECOMPOSED, "对吗？ Das größte\u00a0 Café , ein 책"),
        ({"target_normalization": "identity"}, "对吗？", "对吗？"),
    ],
)
def test_both_sides_get_the_normalization_of_the_target_but_keep_their_case(settings, text, expected):
    normalize = scoring.Normalizer(TranslationVocabularySettings(**settings))
    assert normalize([text, expected]) == [expected, expected]


@pytest.mark.parametrize("joint", [False, True])
def test_folding_the_case_of_the_source_leaves_that_of_the_target(tmp_path, sample_pairs, write_aligned, joint):
    pairs = [(korean + " OK ABC", english) for english, korean in sample_pairs("train", 200)]
    write_aligned(tmp_path / "data", "train", pairs)
    settings = TranslationSettings(
        data={"data": str(tmp_path / "data"), "source_lang": "en", "target_lang": "ko"},
        vocabulary={"vocabulary_size": 400, "normalization": "nmt_nfkc_cf", "joint_vocabulary": joint},
    )
    run = Run(tmp_path / "run")
    run.checkpoint.mkdir(parents=True)
    data.prepare(settings, run)
    source, target = data.load_vocabularies(run.vocabulary)
    assert source.decode(source.encode("OK Abc")) == "ok abc" and source.unk_id() not in source.encode("OK Abc")
    assert target.decode(target.encode(pairs[0][1])) == pairs[0][1] != pairs[0][1].lower()
    assert source.get_piece_size() == target.get_piece_size() or not joint


def decomposed(text: str) -> str:
    """A text that says the same in other characters: jamo, and wider spaces."""
    return unicodedata.normalize("NFD", text).replace(" ", "\u3000")


@pytest.fixture(scope="module")
def own_translations(finished_run, pairs) -> list[tuple[str, str]]:
    """Sources with what the run writes by greedy search."""
    greedy = inference.load(TRANSLATION, finished_run, beam_size=1)
    return [(answer["text"], answer["translation"]) for answer in greedy.predict([one for one, _ in pairs[:30]])]


@pytest.mark.slow
def test_a_correct_translation_is_correct_in_whatever_form_its_reference_is(
    translation, finished_copy, own_translations, tmp_path
):
    with open(tmp_path / "other.csv", "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("en", "ko"), *((one, decomposed(other)) for one, other in own_translations)])
    source = ("--data", tmp_path / "other.csv", "--source-column", "en", "--target-column", "ko")
    options = ("--beam-size", "1", "--bleu-tokenizer", "char", "--attention-pairs", "2")
    found = translation("evaluate", "--run", finished_copy, *source, *options, "--json")
    assert found.code == 0, found.err
    stored = json.loads((finished_copy / "evaluation.json").read_text(encoding="utf-8"))
    assert (stored["exact_match"], stored["ter"]) == (1.0, 0.0)
    assert [stored[name] for name in ("bleu", "bleu_lowercase", "chrf")] == [pytest.approx(100.0)] * 3
    assert (stored["changed_references"], stored["normalization"]) == (30, "nmt_nfkc")
    assert stored["bleu_tokenizer"] == "char" and "tok:char" in stored["bleu_signature"]
    assert [path.name for path in (finished_copy / "plots").glob("attention_*")] == ["attention_2.png"]
    found = translation("evaluate", "--run", finished_copy, *source, "--beam-size", "1")
    assert "tok:13a" in found.out and "references changed by the normalization nmt_nfkc: 30" in found.out


@pytest.mark.slow
def test_bleu_during_training_is_that_of_evaluate(finished_run, own_translations, tmp_path):
    run = Run(shutil.copytree(finished_run, tmp_path / "run"))
    settings = run.open_finished("translation", TranslationSettings)
    run.checkpoint.mkdir()
    records = [Record((one, decomposed(other)), "here") for one, other in own_translations]
    assert [*validation_pairs.stored(records, run, len(records))] == records
    measure = network._validation_bleu(settings, load_model(run), run)
    assert measure(settings.training.epochs)["bleu"] == pytest.approx(100.0)
