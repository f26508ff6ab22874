"""Texts that cannot be answered, or only in part, and what only a translator can be asked."""

import pytest

from tasks.serving.inference import load

# --- texts that cannot be answered ------------------------------------------------------------------------------------


def test_a_file_that_is_not_text_stops_with_its_line_and_leaves_the_old_output(small, tmp_path):
    (tmp_path / "in.txt").write_bytes(b"A house.\n\xff\xfe\n")
    (tmp_path / "out.txt").write_text("old\n")
    files = ("--input", tmp_path / "in.txt", "--output", tmp_path / "out.txt")
    message = small.command(small.predict_command, "--run", small.untrained_run, *files).error()
    assert "in.txt:2" in message and "UTF-8" in message
    assert (tmp_path / "out.txt").read_text() == "old\n"


# --- what only a translator can be asked ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def translator(small_tasks):
    return small_tasks["translation"]


@pytest.mark.parametrize("small", ["translation"], indirect=True)
def test_a_run_is_neither_evaluated_nor_resumed_in_the_other_direction(small, copy):
    turned = ("--source-lang", "ko", "--target-lang", "en")
    message = small.command("evaluate", "--run", copy, "--data", small.data, *turned).error()
    assert "the run translates en to ko, not ko to en" in message
    for half in (turned[:2], turned[2:]):
        assert "the run translates en to ko" in small.command("evaluate", "--run", copy, *half).error()
    assert "finished already" in small.train(copy, *turned).error()
    (copy / "checkpoint").mkdir()
    message = small.train(copy, *turned).error()
    assert "was interrupted, and its settings were others" in message and "source_lang was 'en'" in message


def test_searches_that_cannot_be_are_refused(translator):
    for options, part in (
        (("--beam-size", "0"), "--beam-size"),
        (("--beam-size", "700"), "600 pieces"),
        (("--beam-size", "4", "--num-return-sequences", "5"), "--beam-size 5"),
        (("--num-return-sequences", "0"), "--num-return-sequences"),
        (("--length-penalty", "-1"), "--length-penalty"),
    ):
        assert part in translator.command("translate", "--run", translator.untrained_run, *options, "A word.").error()


@pytest.mark.slow
def test_there_is_no_attention_to_draw_without_any(translator, tmp_path):
    picture = ("--attention", tmp_path / "a.png")
    message = translator.command("translate", "--run", translator.run("plain"), *picture, "A word.").error()
    assert "trained without attention" in message and not (tmp_path / "a.png").exists()


@pytest.mark.slow
def test_there_is_no_attention_to_draw_for_an_empty_sentence(translator, tmp_path):
    (tmp_path / "empty.txt").touch()
    for given in (("",), ("--input", tmp_path / "empty.txt")):
        picture = ("--attention", tmp_path / "a.png")
        message = translator.command("translate", "--run", translator.untrained_run, *picture, *given).error()
        assert "the first sentence is empty" in message and not (tmp_path / "a.png").exists()


@pytest.mark.slow
def test_strange_sentences_get_a_sensible_answer(translator, caplog):
    long = "house " * 10_000
    texts = [long, "", "   ", "☃☃☃ ☃", "\N{GRINNING FACE}" * 50_000, long, "Please close the door."]
    answer = translator.command("translate", "--run", translator.run(), *texts)
    assert answer.code == 0, answer.err
    rows = answer.out.splitlines()
    assert len(rows) == 7 and rows[1] == rows[2] == "" and rows[6]
    assert "⁇" not in answer.out
    warnings = [message for message in caplog.messages if "more than 40 pieces" in message]
    assert len(warnings) == 1


@pytest.mark.slow
def test_a_sentence_that_is_too_long_is_translated_up_to_the_limit(translator):
    predictor = load(translator.task, translator.run())
    tokenizer = predictor.module.source.tokens.tokenizer
    text = "house " * 10_000
    cut = tokenizer.detokenize(tokenizer.tokenize([text])[:, :40]).numpy()[0].decode()
    long, short = predictor.predict([text, cut])
    assert long["translation"] == short["translation"]
