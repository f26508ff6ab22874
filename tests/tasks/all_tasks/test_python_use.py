"""Use from Python: texts and sources of the kinds that callers have, and what is said of those that are none."""

import re
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from models.piece_characters import character_table
from models.text import train_sentencepiece
from models.text_classifier import TextClassifier
from models.truecasing import Casing
from tasks.chargen.generate import CharacterGenerator
from tasks.chargen.settings import ChargenSettings
from tasks.data import vocabularies
from tasks.errors import UserError
from tasks.references import find
from tasks.sentiment.predict import SentimentPredictor
from tasks.sentiment.settings import SentimentEvaluateArguments, SentimentSettings
from tasks.serving.batched_inference import length_sorted_batches, string_tensor, windows
from tasks.serving.evaluate import evaluate
from tasks.serving.export import export
from tasks.serving.text_io import read
from tasks.texts import checked_texts
from tasks.training.train import train
from tasks.translation.settings import TranslationSettings
from tasks.translation.translate import TranslationPredictor
from tasks.vectors.settings import VectorSettings
from tasks.vectors.train import train as train_vectors


class Table:
    """What a data frame looks like from outside: iteration yields the names of its columns."""

    columns = ("text",)

    def __iter__(self):
        return iter(self.columns)


@pytest.mark.parametrize(
    ("texts", "part"),
    [
        ("one text", "single text 'one text'; put it in a list"),
        (b"one text", "single text"),
        (Table(), "found a Table; pass one of its columns"),
        ({"text": ["a"]}, "found a dict; pass one of its columns"),
        (Path("texts.txt"), "text_io.read"),
        (None, "expected a list of texts, found a NoneType"),
    ],
)
def test_what_is_no_list_of_texts_is_an_error_at_once(texts, part):
    with pytest.raises(UserError) as caught:
        length_sorted_batches(lambda batch: batch, texts)
    assert part in str(caught.value)


@pytest.mark.parametrize(
    "function",
    [
        lambda text: list(windows(text, 2)),
        string_tensor,
        lambda text: vocabularies.learn(text, SentimentSettings().vocabulary, "here"),
    ],
)
def test_no_function_reads_the_letters_of_a_single_text(function):
    for text in ("one text", b"one text"):
        with pytest.raises(UserError, match=r"single text b?'one text'; put it in a list"):
            function(text)


@pytest.mark.parametrize(
    "function",
    [
        lambda text: train_sentencepiece(text, size=20),
        lambda text: train_sentencepiece(["one text"], size=20, symbols=text),
        Casing.learned,
        character_table,
        lambda text: TextClassifier(None, None, text),
    ],
)
def test_no_function_of_the_networks_does_either(function):
    with pytest.raises(TypeError, match=r"expected a list of .* put it in a list"):
        function("one text")


@pytest.mark.parametrize(
    ("value", "parts"),
    [
        (None, ["text 2 ", "missing (None)", "dropna"]),
        (float("nan"), ["text 2 ", "missing (nan)"]),
        (np.float64("nan"), ["text 2 ", "missing (nan)"]),
        (7, ["text 2 ", "int", "str()"]),
        (["a"], ["text 2 ", "list"]),
        (b"a", ["text 2 ", "bytes"]),
    ],
)
def test_a_missing_value_among_the_texts_is_named_by_its_place(value, parts):
    with pytest.raises(UserError) as caught:
        list(length_sorted_batches(lambda batch: batch, ["a", "b", value]))
    for part in parts:
        assert part in str(caught.value)


def test_any_series_of_texts_is_answered_in_its_order():
    for texts in (["b", "aaa", ""], ("b", "aaa", ""), np.array(["b", "aaa", ""]), iter(["b", "aaa", ""])):
        assert list(length_sorted_batches(lambda batch: batch, texts)) == ["b", "aaa", ""]
    assert list(checked_texts({"b": 1}.keys())) == ["b"]


@pytest.mark.parametrize("predictor_class", [SentimentPredictor, TranslationPredictor, CharacterGenerator])
def test_no_task_answers_each_letter_of_a_single_text(predictor_class, request):
    predictor = object.__new__(predictor_class)  # the texts are checked before any part of the network is used
    for name in (
        "_classify",
        "_translate",
        "_beam",
        "characters",
        "_source",
        "_max_tokens",
        "fixed_search",
        "_processor",
    ):
        setattr(predictor, name, None)
    predictor.check = lambda *arguments: None
    predictor.search, predictor.sampling = TranslationSettings().search, ChargenSettings().sampling
    with pytest.raises(UserError, match="single text 'one text'"):
        list(predictor.predict("one text"))


@pytest.mark.parametrize("settings_class", [SentimentSettings, TranslationSettings, ChargenSettings])
def test_a_path_is_a_source(settings_class):
    assert settings_class(data={"data": Path("folder") / "a.csv"}).data.data == "folder/a.csv"
    assert settings_class(data={"data": [Path("a.csv"), "b.csv"]}).data.data == ("a.csv", "b.csv")
    assert settings_class(data=Path("a.csv")) == settings_class(data="a.csv") == settings_class(data={"data": "a.csv"})


def test_a_path_is_a_source_of_an_evaluation():
    assert SentimentEvaluateArguments(run="r", data=Path("a.csv")).data == "a.csv"


# --- the functions of all tasks ---------------------------------------------------------------------------------------


def test_what_is_no_folder_no_task_and_no_settings_is_named(small, tmp_path):
    task, settings = small.task, small.task.settings_class()
    other = SentimentSettings() if small.name == "chargen" else ChargenSettings()
    load = find(f"tasks.{small.name}:load")
    for path, kind in ((None, "NoneType"), (3, "int"), (["runs/a"], "list"), (b"runs/a", "bytes")):
        for call in (load, partial(train, task, settings), partial(evaluate, task), partial(export, task)):
            with pytest.raises(UserError, match=f"expected the path of a folder or a file, found a {kind}"):
                call(path)
    run = tmp_path / "run"
    for given in (small.name, type(task), settings):
        for call in (partial(train, given, settings), partial(evaluate, given), partial(export, given)):
            with pytest.raises(UserError, match=r"expected a task, such as tasks\.sentiment\.task\.SENTIMENT, found a"):
                call(run)
    for given in ({"data": "a.csv"}, None, other):
        found = f"expected settings, {task.settings_class.__name__}(...), found a {type(given).__name__};"
        with pytest.raises(UserError, match=re.escape(found)):
            train(task, given, run)
    assert not run.exists()


def test_a_single_text_or_a_number_in_place_of_a_list_or_of_data_is_named(small):
    run, task = small.untrained_run, small.task
    if small.name == "chargen":
        with pytest.raises(UserError, match=r"prompts: expected a list, found the single text 'The'; put it in a list"):
            evaluate(task, run, prompts="The")
        with pytest.raises(UserError, match=r"--stop: expected a list, found the single text 'x'; put it in a list"):
            find("tasks.chargen:load")(run, stop="x")
    for given in (3, True, b"reviews.csv"):
        for use in (lambda data: task.settings_class(data=data), lambda data: evaluate(task, run, data=data)):
            with pytest.raises(UserError, match=f"a {type(given).__name__} is no source of data; expected a path"):
                use(given)
    for wrong in ({"splits": "test"}, {"split": ["test"]}):
        with pytest.raises(UserError) as caught:
            evaluate(task, run, **wrong)
        assert next(iter(wrong)) in str(caught.value) and len(str(caught.value).splitlines()) == 1


def test_word_vectors_and_lines_of_a_file_name_what_they_cannot_use(tmp_path):
    for given in ({"data": "a.txt"}, None, SentimentSettings()):
        with pytest.raises(UserError, match=f"expected settings, VectorSettings.*found a {type(given).__name__};"):
            train_vectors(given, tmp_path / "run")
    with pytest.raises(UserError, match="expected the path of a folder or a file, found a NoneType"):
        train_vectors(VectorSettings(), None)
    (tmp_path / "a.txt").write_text("one\ntwo\n")
    assert list(read(tmp_path / "a.txt")) == list(read(str(tmp_path / "a.txt"))) == ["one", "two"]
    for given in (None, 3, ["a.txt", "b.txt"]):
        with pytest.raises(UserError, match="expected the path of a file, found a"):
            read(given)
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]
