"""The longest translation that the search may write fits the training pairs; all its settings are options."""

import json
import random
import shutil

import pytest

from models.generation_settings import SearchSettings
from tasks.errors import UserError
from tasks.serving.inference import load
from tasks.translation import length_limit
from tasks.translation.task import TRANSLATION

ONES = "zero one two three four five six seven eight nine".split()  # noqa: SIM905
BY_CHARACTERS = ("--vocabulary-type", "char", "--vocabulary-size", "60", "--max-tokens", "60")
SMALL = ("--units", "48", "--embedding-size", "24", "--tokens-per-batch", "1500", "--learning-rate", "0.01")


@pytest.fixture(scope="session")
def digits(tmp_path_factory):
    """A table of numbers in digits and digit by digit in words, seven times as long by characters."""
    path = tmp_path_factory.mktemp("digits") / "digits.tsv"
    chance = random.Random(0)
    numbers = {"".join(chance.choices("0123456789", k=6)) for _ in range(1500)}
    rows = (f"{number}\t{' '.join(ONES[int(digit)] for digit in number)}\n" for number in sorted(numbers))
    path.write_text("digits\twords\n" + "".join(rows), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def digits_run(translation, digits, tmp_path_factory):
    """A run that has learned them, with the default limit."""
    folder = tmp_path_factory.mktemp("runs") / "digits"
    columns = ("--source-column", "digits", "--target-column", "words")
    options = (*BY_CHARACTERS, *SMALL, "--epochs", "6", "--bleu-epochs", "0")
    answer = translation("train", "--data", digits, *columns, "--run", folder, *options)
    assert answer.code == 0, answer.err
    return folder


def evaluate(translation, run, *options):
    answer = translation("evaluate", "--run", run, "--json", *options)
    assert answer.code == 0, answer.err
    return json.loads(answer.out), json.loads((run / "evaluation.json").read_text())


@pytest.mark.slow
def test_translations_much_longer_than_their_sources_are_not_cut(translation, digits_run, caplog):
    found, stored = evaluate(translation, digits_run)
    assert found["exact_match"] > 0.95 and found["references_out_of_reach"] == 0
    assert "--max-length-ratio" not in caplog.text
    assert json.loads((digits_run / "settings.json").read_text())["search"]["max_length_ratio"] is None
    cut, stored = evaluate(translation, digits_run, "--max-length-ratio", "2")
    assert cut["exact_match"] == 0.0
    # 6 digits are 7 pieces: at most 24 pieces, and 6 words have more.
    assert cut["references_out_of_reach"] == found["examples"] and stored["search"]["max_length_ratio"] == 2
    assert "more pieces than a translation may have" in caplog.text and "raise --max-length-ratio" in caplog.text


@pytest.mark.slow
def test_an_export_has_the_limit_of_its_run_or_that_of_its_options(translation, digits_run, tmp_path):
    number = "407193"
    expected = translation("translate", "--run", digits_run, number).out
    assert len(expected) > 24
    assert translation("export", "--run", digits_run, "--to", tmp_path / "own").code == 0
    assert translation("translate", "--model", tmp_path / "own", number).out == expected
    own = tmp_path / "own" / "1" / "assets.extra" / "settings.json"
    assert own.read_bytes() == (digits_run / "settings.json").read_bytes()
    options = ("--max-length-ratio", "1", "--beam-size", "3")
    assert translation("export", "--run", digits_run, "--to", tmp_path / "short", *options).code == 0
    short = translation("translate", "--model", tmp_path / "short", number).out
    assert short == translation("translate", "--run", digits_run, number, *options).out and len(short) <= 18
    search = json.loads((tmp_path / "short" / "1" / "assets.extra" / "settings.json").read_text())["search"]
    assert search["beam_size"] == 3 and search["max_length_ratio"] == 1
    assert load(TRANSLATION, tmp_path / "short").search.beam_size == 3
    refused = translation("translate", "--model", tmp_path / "own", number, "--max-length-ratio", "3").error()
    assert "--max-length-ratio" in refused and "export" in refused and "--run" in refused


@pytest.mark.slow
def test_every_setting_of_the_search_is_an_option(translation, digits_run, tmp_path):
    values = {
        "beam_size": 2,
        "length_penalty": 0.5,
        "coverage_penalty": 0.1,
        "min_length_ratio": 0.5,
        "max_length_ratio": 3.0,
        "block_unknown": False,
        "no_repeat_ngram_size": 4,
        "fold_upper_case": False,
        "copy_unknown": True,
    }
    assert {*values} == {*SearchSettings.model_fields}
    given = {f"--{name.replace('_', '-')}": value for name, value in values.items()}
    options = [part for name, value in given.items() for part in ([name] if value is True else [name, str(value)])]
    assert evaluate(translation, digits_run, *options)[1]["search"] == values
    translated = translation("translate", "--run", digits_run, "12", *options)
    assert translated.code == 0, translated.err
    exported = translation("export", "--run", digits_run, "--to", tmp_path / "all", *options)
    assert exported.code == 0, exported.err
    assert translation("translate", "--model", tmp_path / "all", "12").out == translated.out
    wrong = translation("export", "--run", digits_run, "--to", tmp_path / "none", "--beam-size", "0").error()
    assert "--beam-size" in wrong and not (tmp_path / "none").exists()


class Pairs:
    """Lengths of stored pairs."""

    def __init__(self, *pairs):
        import numpy as np

        sources, targets = np.array(pairs, np.int32).T
        self.lengths, self.columns = sources + targets, {"source_length": sources}


def test_the_limit_is_what_the_longest_training_target_needs(tmp_path):
    search = SearchSettings(min_length_ratio=3.0)
    for pairs, ratio in (([(5, 42), (9, 9)], 8.1), ([(1, 8), (20, 22)], 2.0), ([(30, 60)], 2.1)):
        length_limit.learn(Pairs(*pairs), tmp_path)
        assert length_limit.resolved(SearchSettings(), tmp_path).max_length_ratio == ratio
        assert length_limit.resolved(search, tmp_path).max_length_ratio == max(3.0, ratio)
    assert length_limit.resolved(SearchSettings(max_length_ratio=1.0), tmp_path).max_length_ratio == 1.0


@pytest.mark.parametrize("content", ["", "{}", "[1]", "null", '{"max_length_ratio": "x"}', '{"max_length_ratio": -1}'])
def test_a_damaged_limit_is_named(content, tmp_path):
    (tmp_path / length_limit.FILE).write_text(content)
    with pytest.raises(UserError, match=r"length_ratio\.json cannot be read.*--max-length-ratio"):
        length_limit.resolved(SearchSettings(), tmp_path)


def test_a_damaged_limit_of_the_initial_run_is_named_with_what_to_train_again(small_tasks, tmp_path):
    small = small_tasks["translation"]
    initial = shutil.copytree(small.untrained_run, tmp_path / "initial")
    (initial / "vocabulary" / length_limit.FILE).write_text("{}")
    options = ("--initial-run", initial, "--epochs", "1", "--max-length-ratio", "3")
    message = small.command("train", "--run", tmp_path / "run", *options).error()
    assert f"of --initial-run {initial}: train that run again" in message and "--max-length-ratio" not in message
