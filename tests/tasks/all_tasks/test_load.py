"""`load`: what it opens, and the object that it returns, which is called with one text or with several."""

import gc
import inspect
import json
import weakref

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.types.experimental import GenericFunction

from models.graph_methods import graph_method
from tasks.cli.registry import TASKS
from tasks.errors import UserError
from tasks.references import find
from tasks.training.runs import Run

TEXTS = ["The queen sold the moon!", "A miller", ""]
# The first of these is what most people print.
ANSWERS = {"sentiment": "label", "chargen": "continuation", "translation": "translation"}
# A function of each task that is traced in a moment.
CHEAP = {"sentiment": "classify", "chargen": "score", "translation": "score"}
MISSING = [None, float("nan"), np.float32("nan")]


def load_of(task: str):
    """The function that a package has."""
    return find(f"tasks.{task}:load")


@pytest.fixture(scope="module", params=["run", "export"])
def model(request, small):
    """The predictor of a finished run and of its export."""
    return load_of(small.name)(small.run() if request.param == "run" else small.model().parent)


def test_the_object_is_called_with_one_text_or_with_several(small, model):
    several = model(TEXTS)
    assert several == list(model.predict(TEXTS))
    assert len({json.dumps(answer) for answer in several}) > 1
    assert model(TEXTS[0])[ANSWERS[small.name]] == several[0][ANSWERS[small.name]]
    assert model("") == model([""])[0]
    assert model([]) == model(iter([])) == []
    for texts in (tuple(TEXTS), np.array(TEXTS), np.array(TEXTS, object), (text for text in TEXTS)):
        assert model(texts) == several


@pytest.mark.parametrize("missing", MISSING)
def test_a_missing_value_has_an_answer_without_values_in_its_place(small, model, missing):
    texts = [missing, TEXTS[0], missing, TEXTS[1]]
    answers = model(texts)
    of_texts = model([TEXTS[0], TEXTS[1]])
    assert answers[1::2] == of_texts
    assert {*answers[0].values()} == {None}
    assert [*answers[0]] == [*model.answer_names]
    assert {*answers[0]} <= {*of_texts[0]}
    assert answers[2] == answers[0] == model(missing)
    assert model([missing]) == [answers[0]]


def test_a_column_of_pandas_is_answered_row_by_row(small, model):
    pandas = pytest.importorskip("pandas")
    name = ANSWERS[small.name]
    for kind in (object, "string"):
        frame = pandas.DataFrame({"review": pandas.Series([TEXTS[0], None, TEXTS[1]], [7, 3, 5], dtype=kind)})
        answers = model(frame["review"])
        frame[name] = [answer[name] for answer in answers]
        assert frame[name].dropna().tolist() == [answers[0][name], answers[2][name]]
        assert frame[name].notna().tolist() == [True, False, True]
        table = pandas.DataFrame(answers, index=frame.index)
        assert table[name].notna().tolist() == [True, False, True]
    mapped = frame["review"].map(model)
    assert [answer[name] for answer in mapped] == [answer[name] for answer in answers]
    with pytest.raises(UserError, match="pass one of its columns"):
        model(frame)


@pytest.mark.parametrize(
    ("texts", "parts"),
    [
        (b"bytes", ["the text is a bytes", "decode"]),
        (bytearray(b"bytes"), ["the text is a bytearray", "decode"]),
        (["a", b"bytes"], ["text 1 (counted from 0)", "bytes", "decode"]),
        (7, ["the text is a int", "str()"]),
        (["a", 7, "b"], ["text 1 ", "int", "str()"]),
        (["a", ["b"]], ["text 1 ", "list"]),
        (np.array([["a", "b"]]), ["text 0 ", "ndarray"]),
        (np.array("a"), ["ndarray"]),
        ({"text": ["a"]}, ["dict", "columns"]),
        (tf.constant("a"), ["Tensor"]),
        (tf.constant(["a"]), ["text 0 ", "Tensor"]),
    ],
)
def test_what_is_no_text_is_an_error_of_one_line(model, texts, parts):
    with pytest.raises(UserError) as caught:
        model(texts)
    assert len(str(caught.value).splitlines()) == 1
    for part in parts:
        assert part in str(caught.value)


def test_several_answers_to_a_text_are_a_list_in_its_place(small_tasks):
    generate = load_of("chargen")(small_tasks["chargen"].run())
    one = generate("The", samples=2)
    assert [answer["seed"] for answer in one] == [0, 1]
    assert generate(["The", None], samples=2)[0] == one
    assert [answer["text"] for answer in generate([None], samples=2)[0]] == [None, None]
    translate = load_of("translation")(small_tasks["translation"].run())
    assert len(translate("A dog runs.", num_return_sequences=2)["translations"]) == 2
    for number in (0, -1, 1.5):
        with pytest.raises(UserError, match=rf"--samples {number}: expected a whole number, 1 or more"):
            generate("The", samples=number)
        with pytest.raises(UserError, match=rf"--num-return-sequences {number}: expected a whole number, 1 or more"):
            translate("A dog runs.", num_return_sequences=number)


def test_a_setting_that_does_not_exist_is_refused(small):
    for place in (small.run(), small.model().parent):
        with pytest.raises(UserError, match="beam is no setting"):
            load_of(small.name)(place, beam=3)


def test_functions_keep_their_object_alive(small):
    """A caller may keep a function alone, such as `load(...).module.classify`."""
    module = load_of(small.name)(small.run()).module
    graphs = {name: value for name, value in inspect.getmembers(module) if isinstance(value, GenericFunction)}
    kind = type(module)
    assert any(isinstance(value, graph_method) for _, value in inspect.getmembers(kind))
    assert not [name for name, value in inspect.getmembers(kind) if isinstance(value, GenericFunction)]
    alive = weakref.ref(module)
    del module
    gc.collect()
    function = graphs[CHEAP[small.name]]
    text = {name: tf.constant(["A dog."]) for name in function.function_type.parameters}
    assert {*map(len, function(**text).values())} <= {1}
    del graphs, function
    gc.collect()
    assert alive() is None  # and nothing else does


@pytest.mark.parametrize("task", TASKS)
def test_another_task_and_other_folders_are_errors_with_a_remedy(small, task, tmp_path):
    load = load_of(task)
    if task != small.name:
        for place, kind in ((small.run(), "a run"), (small.model().parent, "an export"), (small.model(), "an export")):
            with pytest.raises(UserError) as caught:
                load(place)
            assert f"is {kind} of the task {small.name}" in str(caught.value)
            assert f"tasks.{small.name} in Python" in str(caught.value)
        return
    (tmp_path / "data" / "2024").mkdir(parents=True)
    for place, part in (
        (tmp_path / "data", "is neither a run nor an exported model; name"),
        (small.run().parent, "is neither a run nor an exported model; name"),
        (small.run() / "vocabulary", "is neither a run nor an exported model; name"),
        (tmp_path / "missing", "no such run; train one with"),
        (small.run() / "settings.json", "a file, not the folder of a run"),
    ):
        with pytest.raises(UserError) as caught:
            load(place)
        assert part in str(caught.value)
        assert len(str(caught.value).splitlines()) <= 2


def test_a_run_is_opened_as_it_is_returned_and_by_its_path_from_home(small_tasks, monkeypatch):
    small = small_tasks["sentiment"]
    run = Run(small.run())
    monkeypatch.setenv("HOME", str(run.path.parent))
    for place in (run, f"~/{run.path.name}"):
        assert load_of("sentiment")(place)(TEXTS[0])["text"] == TEXTS[0]


@pytest.mark.parametrize("task", TASKS)
def test_the_package_imports_no_tensorflow(task, process):
    program = f"import sys; from tasks.{task} import load; sys.exit('tensorflow' in sys.modules)"
    started = process("-c", program)
    _, err = started.communicate()
    assert started.returncode == 0, err
