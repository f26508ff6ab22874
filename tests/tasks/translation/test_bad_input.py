"""Bad input to whole commands: the exit code, the message, and that nothing which was there before is lost."""

import pytest

from tasks.training.runs import Run
from tasks.translation import translate


def contents(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# --- Data that cannot be trained on ---------------------------------------------------------------------------------

SYLLABLES = ["".join(chr(0xAC00 + 20 * row + place) for place in range(20)) for row in range(50)]  # 1,000 of them
GOOD = "".join(f"A good line, number {number}.\n" for number in range(50))

# Files of a folder, and what the message must say.
BAD_DATA = {
    "different lengths": ({"train.en": GOOD, "train.ko": GOOD + "한 줄 더\n"}, ["train.en 50", "train.ko 51"]),
    "a missing language": ({"train.en": GOOD, "train.de": GOOD}, ["'ko'", "'de', 'en'", "--target-column"]),
    "invalid UTF-8": ({"train.en": GOOD.encode() + b"\xff\n", "train.ko": GOOD + "x\n"}, ["train.en:51", "UTF-8"]),
    "nothing": ({}, ["train, validation or test"]),
    "empty files": ({"train.en": "", "train.ko": ""}, ["no record"]),
    "empty sides": ({"train.en": GOOD, "train.ko": "\n" * 50}, ["empty or blank"]),
    "too many characters": (
        {"train.en": GOOD, "train.ko": "".join(map("{}\n".format, SYLLABLES))},
        ["600 pieces are too few", "vocabulary_size"],
    ),
}


@pytest.mark.parametrize("name", BAD_DATA)
def test_data_that_cannot_be_trained_on_is_named_and_the_old_run_stays(train, finished_copy, tmp_path, name):
    files, parts = BAD_DATA[name]
    folder = tmp_path / "data"
    folder.mkdir()
    for path, content in files.items():
        (folder / path).write_bytes(content if isinstance(content, bytes) else content.encode())
    before = contents(finished_copy)
    message = train(finished_copy, "--overwrite", data=folder).error()
    for part in parts:
        assert part in message
    assert contents(finished_copy) == before and Run(finished_copy).finished


def test_pairs_of_which_none_is_left_are_told(train, tmp_path):
    (tmp_path / "data").mkdir()
    for language in ("en", "ko"):
        (tmp_path / "data" / f"train.{language}").write_text(f"{'word ' * 60}\n" * 40)
    assert "every pair of its train split was left out" in train(tmp_path / "run", data=tmp_path / "data").error()


# --- Settings that contradict each other ----------------------------------------------------------------------------

BAD_SETTINGS = {
    "attention without the encoder's outputs": (["--no-return-sequences"], ["attention=multiplicative", "every step"]),
    "input feeding without attention": (
        ["--attention", "none", "--input-feeding"],
        ["input_feeding", "attention=none"],
    ),
    "dot between sizes": (["--decoder-units", "32"], ["size 64", "size 32", "general"]),
    "an unknown attention": (["--attention", "global"], ["--attention", "additive", "multiplicative"]),
    "coverage without attention": (["--attention", "none", "--coverage-penalty", "0.2"], ["coverage_penalty=0.2"]),
    "beam of none": (["--beam-size", "0"], ["--beam-size", "0"]),
    "beam beyond the vocabulary": (["--beam-size", "700"], ["beam_size=700", "600"]),
    "bleu never measured": (["--monitor", "bleu", "--bleu-epochs", "0"], ["monitor=bleu", "bleu_epochs=0"]),
    "one language twice": (["--target-lang", "en"], ["both 'en'"]),
    "two names of a side": (["--source-column", "english"], ["source_lang=en", "source_column=english"]),
    "ways of cutting characters": (
        ["--vocabulary-type", "char", "--segmentation-alpha", "0.2"],
        ["segmentation_alpha=0.2", "unigram or bpe"],
    ),
    "a misspelt option": (["--atention", "none"], ["--atention", "--attention"]),
    "lengths out of order": (["--min-length-ratio", "3"], ["min_length_ratio=3", "max_length_ratio=2"]),
}


@pytest.mark.parametrize("name", BAD_SETTINGS)
def test_settings_that_cannot_be_are_named(train, tmp_path, name):
    options, parts = BAD_SETTINGS[name]
    message = train(tmp_path / "run", *options).error()
    for part in parts:
        assert part in message
    assert not (tmp_path / "run").exists()


# --- Runs that are not what is asked for ----------------------------------------------------------------------------


def test_a_run_of_the_other_direction_is_not_measured_in_this_one(translation, train, finished_run, corpus, tmp_path):
    turned = ("--source-lang", "ko", "--target-lang", "en")
    message = translation("evaluate", "--run", finished_run, "--data", corpus, *turned).error()
    assert "the run translates en to ko, not ko to en" in message
    for half in (("--source-lang", "ko"), ("--target-lang", "en")):
        assert "the run translates en to ko" in translation("evaluate", "--run", finished_run, *half).error()
    message = train(finished_run, languages=("ko", "en")).error()
    assert "finished already" in message


def test_an_interrupted_run_is_not_gone_on_with_in_the_other_direction(train, corpus, finished_copy):
    (finished_copy / "checkpoint").mkdir()
    message = train(finished_copy, "--epochs", "8", data=corpus, languages=("ko", "en")).error()
    assert "was interrupted, and its settings were others" in message and "source_lang was 'en'" in message


def test_a_run_or_an_export_of_another_task_is_refused(translation, chargen, sentiment, finished_run, tmp_path):
    assert "is a run of the task translation" in sentiment("predict", "--run", finished_run, "text").error()
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "settings.json").write_text('{"task": "chargen"}')
    message = translation("translate", "--run", tmp_path / "run", "text").error()
    assert "is a run of the task chargen, not of translation" in message
    assert "no such run" in translation("translate", "--run", tmp_path / "none", "text").error()
    assert "is no exported model" in translation("translate", "--model", tmp_path / "run", "text").error()


def test_a_damaged_run_is_told(translation, finished_copy):
    (finished_copy / "vocabulary" / "source.model").write_bytes(b"nothing")
    assert "train the run again" in translation("evaluate", "--run", finished_copy).error()
    (finished_copy / "vocabulary" / "source.model").unlink()
    assert "source.model" in translation("translate", "--run", finished_copy, "text").error()


def test_searches_that_cannot_be_are_refused(translation, finished_run):
    for options, part in (
        (("--beam-size", "0"), "--beam-size"),
        (("--beam-size", "700"), "600 pieces"),
        (("--n-best", "5"), "--beam-size 5"),
        (("--n-best", "0"), "--n-best"),
        (("--length-penalty", "-1"), "--length-penalty"),
    ):
        assert part in translation("translate", "--run", finished_run, *options, "A word.").error()


def test_there_is_no_attention_to_draw_without_any(translation, plain_run, tmp_path):
    message = translation("translate", "--run", plain_run, "--attention", tmp_path / "a.png", "A word.").error()
    assert "trained without attention" in message and not (tmp_path / "a.png").exists()


def test_there_is_no_attention_to_draw_for_an_empty_sentence(translation, finished_run, tmp_path):
    (tmp_path / "empty.txt").touch()
    for given in (("",), ("--input", tmp_path / "empty.txt")):
        message = translation("translate", "--run", finished_run, "--attention", tmp_path / "a.png", *given).error()
        assert "the first sentence is empty" in message and not (tmp_path / "a.png").exists()


# --- Sentences ------------------------------------------------------------------------------------------------------


def test_strange_sentences_get_a_sensible_answer(translation, finished_run, caplog):
    long = "house " * 10_000
    texts = [long, "", "   ", "☃☃☃ ☃", "\N{GRINNING FACE}" * 50_000, long, "Please close the door."]
    answer = translation("translate", "--run", finished_run, *texts)
    assert answer.code == 0, answer.err
    rows = answer.out.splitlines()
    assert len(rows) == 7 and rows[1] == rows[2] == "" and rows[6]
    assert "⁇" not in answer.out
    warnings = [message for message in caplog.messages if "more than 40 pieces" in message]
    assert len(warnings) == 1


def test_a_sentence_that_is_too_long_is_translated_up_to_the_limit(finished_run):
    translator = translate.load(finished_run)
    tokenizer = translator.source.tokenizer
    text = "house " * 10_000
    cut = tokenizer.detokenize(tokenizer.tokenize([text])[:, :40]).numpy()[0].decode()
    long, short = translate.translations(translator.translate, [text, cut])
    assert long["translation"] == short["translation"]


def test_a_file_that_is_not_text_stops_with_its_line_and_leaves_the_old_output(translation, finished_run, tmp_path):
    (tmp_path / "in.txt").write_bytes(b"A house.\n\xff\xfe\n")
    (tmp_path / "out.txt").write_text("old\n")
    message = translation(
        "translate", "--run", finished_run, "--input", tmp_path / "in.txt", "--output", tmp_path / "out.txt"
    ).error()
    assert "in.txt:2" in message and "UTF-8" in message
    assert (tmp_path / "out.txt").read_text() == "old\n"
