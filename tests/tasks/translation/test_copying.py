"""What a translation copies from its sentence: placeholders, unknown characters, and capital letters."""

import json
import random
import re
import shutil

import numpy as np
import pytest

from tasks.serving import inference
from tasks.translation import data, preprocessing
from tasks.translation.settings import TranslationVocabularySettings
from tasks.translation.task import TRANSLATION

NUMBERS = {"one": "일", "two": "이", "three": "삼", "four": "사", "five": "오", "six": "육", "seven": "칠"}


def words(chance: random.Random) -> tuple[str, str]:
    found = [chance.choice([*NUMBERS]) for _ in range(chance.randint(2, 4))]
    return " ".join(found), " ".join(NUMBERS[word] for word in found)


def span(chance: random.Random) -> str:
    """A span that no other pair has."""
    number, letters = chance.randint(100, 10**6), "".join(chance.choices("abcdefghij", k=6))
    kinds = (f"{{{letters}}}", f"https://{letters}.org/?{number}", f"{letters}@{letters}.org", f"{number} kg", "%s")
    return chance.choice(kinds)


def spanned_pairs(count: int, seed: int, spans: int = 1) -> list[tuple[str, str]]:
    chance, pairs = random.Random(seed), []
    for _ in range(count):
        parts = [words(chance)]
        for copied in [span(chance) for _ in range(spans)]:
            parts += [(copied, copied), words(chance)]
        pairs.append(tuple(" ".join(side) for side in zip(*parts, strict=True)))
    return pairs


@pytest.fixture(scope="module")
def spanned_run(train, tmp_path_factory, write_aligned):
    """A short training on pairs with a span each."""
    folder = tmp_path_factory.mktemp("spans")
    write_aligned(folder / "data", "train", spanned_pairs(300, 1))
    write_aligned(folder / "data", "validation", spanned_pairs(20, 2))
    answer = train(folder / "run", "--bidirectional", "--epochs", "2", "--vocabulary-size", "300", data=folder / "data")
    assert answer.code == 0, answer.err
    return folder / "run"


@pytest.fixture(scope="module")
def spanned_model(translation, spanned_run, tmp_path_factory):
    folder = tmp_path_factory.mktemp("saved_models") / "spans"
    answer = translation("export", "--run", spanned_run, "--to", folder, "--copy-unknown")
    assert answer.code == 0, answer.err
    return folder / "1"


def spans_of(text: str) -> list[str]:
    return sorted(re.findall(r"\{\w+\}|https?://\S+|\S+@\S+\.org|\d+ kg|%s", text))


@pytest.mark.slow
def test_every_span_survives_in_a_run_and_in_its_export(spanned_run, spanned_model):
    sources = [source for spans in (0, 1, 2, 3) for source, _ in spanned_pairs(15, 3 + spans, spans)]
    for path in (spanned_run, spanned_model):
        translator = inference.load(TRANSLATION, path)
        answers = list(translator.predict(sources))
        several = list(translator.predict(sources, num_return_sequences=2))
        for source, answer, best in zip(sources, answers, several, strict=True):
            assert spans_of(answer["translation"]) == spans_of(source)
            for one in best["translations"]:
                assert spans_of(one["translation"]) == spans_of(source)


@pytest.mark.slow
def test_other_programs_copy_spans_too(spanned_model, saved_model_cli, c_program):
    source = "one {name} two https://example.org/a?b=1"
    signature = saved_model_cli("show", spanned_model)
    names = [
        re.search(rf"\['{key}'\] tensor_info:.*?name: (\S+)", signature, re.DOTALL)[1]
        for key in ("text", "translation", "score")
    ]
    [[answer, _], [unknown, _]] = c_program(spanned_model, names, [source, "日本語のテキスト"])
    assert spans_of(answer) == spans_of(source) and unknown == "日本語のテキスト"


@pytest.mark.slow
def test_explanations_show_spans(spanned_run, translation, tmp_path):
    answer = translation(
        "explain", "--run", spanned_run, "one {name} two", "--plot", tmp_path / "explanation.png", "--json"
    )
    found = json.loads(answer.out)
    assert "{name}" in found["source_pieces"] and "{name}" in found["target_pieces"]


@pytest.mark.slow
def test_sentences_of_unknown_characters_are_warned_about_and_copied(spanned_run, translation, caplog, tmp_path):
    texts = ["one two", "Ωδή στη χαρά", "one 日本 two"]
    plain = translation("translate", "--run", spanned_run, *texts, "--json")
    answers = [json.loads(line) for line in plain.out.splitlines()]
    assert [answer.get("unknown", False) for answer in answers] == [False, True, False]
    [line] = [message for message in caplog.messages if "does not have" in message]
    assert line.startswith("1 of 3 sentences, such as 'Ωδή στη χαρά'") and "--copy-unknown" in line
    caplog.clear()
    copied = translation("translate", "--run", spanned_run, *texts, "--copy-unknown").out.splitlines()
    assert copied[0] == answers[0]["translation"] and copied[1] == texts[1] and "日本" in copied[2]
    upper = translation("translate", "--run", spanned_run, "ONE Ł TWO", "--copy-unknown").out
    assert "Ł" in upper and "ł" not in upper
    rows = ["en\tko", *(f"{text}\t{text}" for text in texts)]
    (tmp_path / "other.tsv").write_text("".join(f"{row}\n" for row in rows), encoding="utf-8")
    found = translation("evaluate", "--run", spanned_run, "--data", tmp_path / "other.tsv", "--json", "--copy-unknown")
    assert found.code == 0, found.err
    assert any("they were copied" in message for message in caplog.messages)
    assert json.loads(found.out)["exact_match"] == pytest.approx(1 / 3)


@pytest.mark.slow
@pytest.mark.parametrize(
    "switch",
    [["--no-copy-unknown"], ["--copy-unknown"], ["--copy_unknown", "False"], ["--copy-unknown", "false"]]
    + [["--copy-unknown=false"]],
)
def test_a_switch_that_an_export_has_fixed_is_refused(spanned_model, translation, switch):
    answer = translation("translate", "--model", spanned_model, *switch, "one two")
    assert "--copy-unknown is fixed" in answer.error()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--no-copy-unknown", "False"], "--no-copy-unknown takes no value, and 'False' was given"),
        (["--no-copy-unknwn"], "did you mean --no-copy-unknown?"),
    ],
)
def test_a_switch_that_is_written_in_another_way_is_named(spanned_model, translation, words, message):
    assert message in translation("translate", "--model", spanned_model, *words, "one two").error()


@pytest.mark.slow
def test_capital_letters_are_translated_as_other_letters(translator, pairs):
    sources = [source for source, _ in pairs[:30]]
    plain, upper = (
        [answer["translation"] for answer in translator.predict(texts)]
        for texts in (sources, [source.upper() for source in sources])
    )
    assert np.mean([one == other for one, other in zip(plain, upper, strict=True)]) > 0.9


@pytest.mark.slow
def test_capital_letters_are_written_where_they_were_read(train, translation, tmp_path, write_aligned, sample_pairs):
    pairs = [(f"Tom, {english}", english) for english, _ in sample_pairs("train", 200)]
    for split in ("train", "validation"):
        write_aligned(tmp_path / "data", split, pairs)
    answer = train(tmp_path / "run", "--bidirectional", "--epochs", "1", data=tmp_path / "data")
    assert answer.code == 0, answer.err
    plain, upper, as_read = (
        translation("translate", "--run", tmp_path / "run", text, "--min-length-ratio", "1", *options).out.strip()
        for text, *options in (
            (pairs[0][0],),
            (pairs[0][0].upper(),),
            (pairs[0][0].upper(), "--no-fold-upper-case"),
        )
    )
    assert upper == plain.upper() != plain and as_read != upper


# --- what is learned


def learned(pairs, **settings) -> preprocessing.Preprocessing:
    return preprocessing.learn(pairs, TranslationVocabularySettings(**settings))


def test_symbols_are_for_spans_that_the_training_pairs_copy():
    plain, spanned = [("one two", "일 이")] * 200, spanned_pairs(40, 4)
    assert learned(plain).placeholders is None
    assert learned(spanned_pairs(5, 5) + plain).placeholders is None  # too few
    assert learned(spanned, placeholders=False).placeholders is None
    assert learned(spanned, vocabulary_type="word").placeholders is None
    found = learned(spanned + plain).placeholders
    assert {"url", "email", "placeholder"} <= {*found.kinds} and found.count == 1
    assert learned(spanned_pairs(20, 6, 3)).placeholders.count == 3
    times = [("at 12:30", "12시 30분")] * 100 + spanned
    assert "time" not in learned(times).placeholders.kinds
    assert learned([("see http://a.org", "보세요")] * 100).placeholders is None


def test_pairs_without_spans_get_the_ids_that_they_had(prepared, contents):
    (_, run), (_, other) = prepared(), prepared(vocabulary={"placeholders": False})
    assert preprocessing.load(run.vocabulary).placeholders is None
    for folder in ("checkpoint", "vocabulary"):
        assert contents(run.path / folder) == contents(other.path / folder)


def test_masked_pairs_have_the_symbols_of_the_vocabulary(spanned_run):
    rules = preprocessing.load(spanned_run / "vocabulary")
    for processor in data.load_vocabularies(spanned_run / "vocabulary"):
        assert [processor.id_to_piece(4 + index) for index in range(len(rules.symbols))] == rules.symbols
        assert processor.encode(rules.symbols[0])[-1] == 4


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{}", '{"placeholders": null, "casing": null}', '{"placeholders": {"kinds": ["url"], "symbols": 99}}',
     '{"placeholders": {"kinds": ["x"], "symbols": 1}, "casing": null}', None],
)  # fmt: skip
def test_damaged_preprocessing_is_named(spanned_run, translation, tmp_path, content):
    run = shutil.copytree(spanned_run, tmp_path / "run")
    path = run / "vocabulary" / "preprocessing.json"
    path.unlink() if content is None else path.write_text(content)
    message = translation("translate", "--run", run, "one").error()
    assert "preprocessing.json" in message and "--overwrite" in message
