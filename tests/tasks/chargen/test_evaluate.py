"""The metrics of a split, against what they must be by hand, and the samples that are written beside them."""

import json
import math

import pytest

from tasks.chargen import evaluate
from tasks.chargen.settings import ChargenSettings
from tasks.chargen.text_source import TextSource, open_text
from tasks.training.runs import Run

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def source(text_file) -> TextSource:
    return open_text(ChargenSettings(data={"data": str(text_file)}))


@pytest.fixture(scope="module")
def result(chargen, finished_run):
    answer = chargen("evaluate", "--run", finished_run, "--json")
    assert answer.code == 0, answer.err
    return json.loads(answer.out)


def test_the_metrics_agree_with_each_other(result, finished_run, source, text_file):
    assert result["examples"] == len(source.text("test"))
    assert result["bits_per_character"] == pytest.approx(result["nats_per_character"] / math.log(2))
    assert result["perplexity"] == pytest.approx(math.exp(result["nats_per_character"]))
    # The loss leaves out the first character, which the network does not predict.
    assert result["loss"] == pytest.approx(result["nats_per_character"], rel=0.02)
    assert 0 < result["nats_per_character"] < 4 and result["unknown_share"] == 0
    assert 0 < result["trigram_nats_per_character"] < result["bigram_nats_per_character"] < 4
    assert 0 <= result["word_share"] <= 1 and 0 < result["longest_copy"] <= 40
    stored = json.loads(Run(finished_run).evaluation_file.read_text())
    assert stored == {"data": str(text_file), "split": "test", **result, "prompts": ["The queen", "My "]}


def test_splits_join_into_one_text(chargen, finished_run, source, tmp_path):
    answer = json.loads(chargen("evaluate", "--run", finished_run, "--split", "validation+test", "--json").out)
    (tmp_path / "both.txt").write_text(source.text("validation") + source.text("test"), encoding="utf-8")
    single = json.loads(chargen("evaluate", "--run", finished_run, "--data", tmp_path / "both.txt", "--json").out)
    assert single["nats_per_character"] == pytest.approx(answer["nats_per_character"], rel=1e-6)
    assert single["examples"] == answer["examples"]


def test_of_jamo_the_loss_is_per_jamo_and_the_rest_per_syllable(chargen, jamo_run, source):
    found = json.loads(chargen("evaluate", "--run", jamo_run, "--json").out)
    assert found["examples"] == len(source.text("test"))
    assert found["loss"] < found["nats_per_character"]


def test_unknown_characters_are_counted(chargen, finished_run, tmp_path):
    (tmp_path / "a.txt").write_text("The queen ☃☃")
    found = json.loads(chargen("evaluate", "--run", finished_run, "--data", tmp_path / "a.txt", "--json").out)
    assert found["unknown_share"] == pytest.approx(2 / 12) and math.isfinite(found["loss"])


def test_samples_are_written_for_each_prompt_and_temperature(chargen, finished_run, generator):
    answer = chargen("evaluate", "--run", finished_run)
    page = (finished_run / "samples.md").read_text(encoding="utf-8")
    assert page in answer.out and "nats_per_character" in answer.out
    assert page.count("## Prompt ") == 2 and page.count("Temperature 0:") == page.count("Temperature 1:") == 2
    for temperature in (0.0, 1.0):
        for answer in generator.predict(["The queen", "My "], temperature=temperature, length=40):
            assert f"```text\n{answer['text']}\n```" in page


def test_words_cut_off_at_the_ends_are_not_counted():
    assert evaluate.words("Don't stop, 나그네가 says: x-ray") == ["don't", "stop", "나그네가", "says", "x", "ray"]
    assert evaluate.whole_words("tinued by the mil") == ["by", "the"]


def test_without_the_training_text_its_metrics_are_none(chargen, train, text_file, tmp_path):
    copy = tmp_path / "copy.txt"
    copy.write_bytes(text_file.read_bytes())
    assert train(tmp_path / "run", "--epochs", "1", data=copy).code == 0
    copy.unlink()
    answer = chargen("evaluate", "--run", tmp_path / "run", "--data", text_file, "--json")
    found = json.loads(answer.out)
    assert found["word_share"] is None and found["longest_copy"] is None and found["loss"] > 0
    assert found["bigram_nats_per_character"] is None and found["trigram_nats_per_character"] is None


def test_an_unknown_split_and_an_empty_text_are_named(chargen, finished_run, tmp_path):
    assert "no split 'dev'" in chargen("evaluate", "--run", finished_run, "--split", "dev").error()
    (tmp_path / "empty.txt").write_text("")
    assert "no text" in chargen("evaluate", "--run", finished_run, "--data", tmp_path / "empty.txt").error()
