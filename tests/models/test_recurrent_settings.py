"""Settings: what is accepted, what is refused and in which words, and what keeps a layer off cuDNN."""

import inspect
import subprocess
import sys
from pathlib import Path
from typing import get_args

import keras
import pytest
from pydantic import ValidationError

from models.network_settings import ClassifierSettings, LanguageModelSettings, NetworkSettings, TranslatorSettings
from models.recurrent_settings import ABSENT, CELLS, STATES, Cell, RecurrentSettings, Settings

LAYERS = {"lstm": keras.layers.LSTM, "gru": keras.layers.GRU, "simple_rnn": keras.layers.SimpleRNN}
OF_THE_STACK = {"cell", "layers", "bidirectional", "merge_mode", "time_major"}


def message_of(settings_class, values):
    with pytest.raises(ValidationError) as caught:
        settings_class(**values)
    return str(caught.value)


@pytest.mark.parametrize("cell", LAYERS)
def test_settings_have_every_argument_of_the_keras_layer(cell):
    arguments = set(inspect.signature(LAYERS[cell].__init__).parameters) - {"self", "kwargs"}
    assert set(RecurrentSettings.model_fields) - OF_THE_STACK - set(ABSENT[cell]) == arguments


@pytest.mark.parametrize(
    ("cell", "option", "value"),
    [
        ("lstm", "reset_after", True),
        ("lstm", "reset_after", False),
        ("gru", "unit_forget_bias", True),
        ("gru", "unit_forget_bias", False),
        ("simple_rnn", "recurrent_activation", "sigmoid"),
        ("simple_rnn", "unit_forget_bias", False),
        ("simple_rnn", "reset_after", True),
        ("simple_rnn", "use_cudnn", False),
    ],
)
def test_an_option_that_the_cell_does_not_have(cell, option, value):
    message = message_of(RecurrentSettings, {"cell": cell, option: value})
    assert f"{option}={value} does not go with cell={cell}" in message
    for other in LAYERS:  # and it says where the option does go
        assert (f"{other} " in message.split("only", 1)[1]) == (option not in ABSENT[other])


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("cell", "rnn"),
        ("units", 0),
        ("units", 1.5),
        ("layers", 0),
        ("dropout", 1.0),
        ("dropout", -0.1),
        ("dropout", float("nan")),
        ("recurrent_dropout", 1.5),
        ("seed", -1),
        ("merge_mode", "max"),
        ("use_cudnn", "always"),
        ("activation", "tahn"),
        ("recurrent_activation", "sigmod"),
        ("kernel_initializer", "he_normall"),
        ("recurrent_initializer", "orthogonal(gain='big')"),
        ("bias_initializer", "zeros(1)"),
        ("kernel_regularizer", "l2(-0.5)"),
        ("recurrent_regularizer", "l3"),
        ("bias_regularizer", "l2(0.1"),
        ("activity_regularizer", '{"class_name": "L2", "config": {"l1": 0.1}}'),
        ("kernel_constraint", "max_norm(max=2)"),
        ("recurrent_constraint", '{"config": {}}'),
        ("bias_constraint", 3),
    ],
)
def test_a_bad_value_names_its_option(option, value):
    message = message_of(RecurrentSettings, {option: value})
    assert f"\n{option}" in message
    assert f"input_value={value!r}" in message


def test_an_unknown_option_and_a_table_that_names_no_class():
    assert "unitz" in message_of(RecurrentSettings, {"unitz": 3})
    assert 'has no "class_name"' in message_of(RecurrentSettings, {"kernel_constraint": {"config": {}}})


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"merge_mode": None}, ("merge_mode=None", "bidirectional=False")),
        ({"merge_mode": None, "bidirectional": True, "layers": 2}, ("merge_mode=None", "layers=2")),
    ],
)
def test_options_that_contradict_each_other(values, words):
    message = message_of(RecurrentSettings, values)
    assert all(word in message for word in words)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("max_tokens", 0),
        ("embedding_size", 0),
        ("ngrams", 0),
        ("ngrams", 9),
        ("ngram_vocabulary", 0),
        ("ngram_min_texts", 0),
        ("ngram_dropout", 1.0),
        ("pool_size", 0),
        ("embedding_dropout", -0.1),
        ("layer_dropout", 1.0),
        ("pooling", "sum"),
        ("output_dropout", 2),
        ("wide_ngrams", -1),
        ("wide_vocabulary", 0),
        ("wide_share", 0.0),
        ("wide_share", 1.0),
    ],
)
def test_a_classifier_setting_out_of_range(option, value):
    message = message_of(ClassifierSettings, {option: value})
    assert f"\n{option}\n" in message
    assert f"input_value={value!r}" in message


@pytest.mark.parametrize(
    ("recurrent", "option"),
    [
        ({"stateful": True}, "stateful=True"),
        ({"return_state": True}, "return_state=True"),
        ({"time_major": True}, "time_major=True"),
        ({"bidirectional": True, "merge_mode": None}, "merge_mode=None"),
    ],
)
def test_an_option_that_makes_no_sense_for_a_classifier(recurrent, option):
    with pytest.raises(ValueError, match=f"^{option} makes no sense for a classifier: "):
        ClassifierSettings().check_recurrent(RecurrentSettings(**recurrent))


def test_pooling_needs_sequences():
    settings = ClassifierSettings(pooling="mean")
    settings.check_recurrent(RecurrentSettings(return_sequences=True))
    with pytest.raises(ValueError, match=r"pooling=mean needs .* return_sequences"):
        settings.check_recurrent(RecurrentSettings())


@pytest.mark.parametrize(
    ("values", "reasons"),
    [
        ({"activation": "relu"}, ["activation=relu"]),
        ({"activation": None}, ["activation=None"]),
        ({"recurrent_activation": "hard_sigmoid"}, ["recurrent_activation=hard_sigmoid"]),
        ({"recurrent_dropout": 0.1}, ["recurrent_dropout=0.1"]),
        ({"unroll": True}, ["unroll=True"]),
        ({"use_bias": False}, ["use_bias=False"]),
        ({"cell": "gru", "reset_after": False}, ["reset_after=False"]),
        (
            {"cell": "gru", "reset_after": False, "unroll": True, "recurrent_dropout": 0.5},
            ["recurrent_dropout=0.5", "unroll=True", "reset_after=False"],
        ),
    ],
)
def test_what_keeps_a_layer_off_cudnn_is_named(values, reasons):
    note = RecurrentSettings(**values).off_cudnn()
    assert note.partition(":")[0].split(", ") == reasons
    assert "\n" not in note


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"cell": "gru"},
        {"recurrent_activation": "sigmoid", "dropout": 0.5, "go_backwards": True, "bidirectional": True},
        {"cell": "gru", "reset_after": True},
        {"cell": "simple_rnn", "activation": "relu", "unroll": True, "use_bias": False},  # it never had a fused kernel
    ],
)
def test_nothing_is_said_where_cudnn_runs_or_never_could(values):
    assert RecurrentSettings(**values).off_cudnn() is None


def test_settings_come_back_from_their_json():
    recurrent = RecurrentSettings(
        cell="gru",
        layers=2,
        bidirectional=True,
        merge_mode="sum",
        activation=None,
        kernel_regularizer={"class_name": "L2", "config": {"l2": 0.1}},
        kernel_constraint="max_norm(2.0)",
        use_cudnn=False,
        seed=3,
    )
    assert RecurrentSettings.model_validate_json(recurrent.model_dump_json()) == recurrent
    assert RecurrentSettings(merge_mode=None, bidirectional=True).merge_mode is None


def test_every_choice_of_cell_is_declared_once():
    assert list(get_args(Cell)) == list(CELLS) == list(ABSENT) == list(STATES) == list(LAYERS)
    for name, cell in CELLS.items():
        assert (ABSENT[name], STATES[name]) == (cell.absent, cell.states)
        assert set(cell.absent) <= set(RecurrentSettings.model_fields)
        assert RecurrentSettings(cell=name).cell == name


class Parent(Settings):
    size: int = 1
    """A size."""
    name: str = "one"
    rate: float = 0.5


class Child(Parent, defaults={"size": 7, "rate": 0.25}):
    more: bool = False


class Grandchild(Child, defaults={"size": 8}):
    pass


def test_a_subclass_changes_defaults_and_nothing_else():
    assert Parent() == Parent(size=1, name="one", rate=0.5)
    assert Child().model_dump() == {"size": 7, "name": "one", "rate": 0.25, "more": False}
    assert Grandchild().model_dump() == {"size": 8, "name": "one", "rate": 0.25, "more": False}
    assert Child(size=3).size == 3
    assert Child.model_validate_json("{}").size == 7
    assert Child.model_fields["size"].description == "A size."
    assert Child.model_json_schema()["properties"]["size"]["default"] == 7
    with pytest.raises(ValidationError):
        Child(size="many")


def test_a_default_for_an_unknown_setting_is_refused():
    with pytest.raises(TypeError, match="Wrong has no setting 'sise'"):

        class Wrong(Parent, defaults={"sise": 2}):
            pass


def test_the_networks_share_their_settings_with_defaults_of_their_own():
    shared = ("embedding_size", "embedding_dropout", "layer_dropout", "output_dropout")
    assert set(NetworkSettings.model_fields) == set(shared)
    defaults = {
        cls: tuple(getattr(cls(), name) for name in shared)
        for cls in (NetworkSettings, ClassifierSettings, LanguageModelSettings, TranslatorSettings)
    }
    assert list(defaults.values()) == [(64, 0, 0, 0), (64, 0.1, 0, 0.1), (64, 0, 0, 0), (128, 0.1, 0, 0.2)]


def test_settings_do_not_change_after_validation():
    with pytest.raises(ValidationError, match="frozen"):
        RecurrentSettings().units = -1


def test_validation_imports_no_tensorflow():
    program = """
import sys
from models.network_settings import ClassifierSettings
from models.recurrent_settings import RecurrentSettings

recurrent = RecurrentSettings(cell="gru", activation="relu", kernel_initializer="he_normal(seed=1)",
    kernel_regularizer="l2(0.01)", kernel_constraint={"class_name": "MaxNorm", "config": {"max_value": 2}})
recurrent.off_cudnn()
ClassifierSettings().check_recurrent(recurrent)
try:
    RecurrentSettings(kernel_regularizer="l3")
except ValueError:
    print("refused", *sorted({"tensorflow", "keras", "numpy"} & set(sys.modules)))
"""
    root = Path(__file__).parents[2]
    result = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True)
    assert result.stdout.split() == ["refused"]
