"""Keras objects by name: each way of writing a value creates the right object, and a bad value is rejected."""

import inspect
import json

import keras
import numpy as np
import pytest
from keras.src import activations, constraints, initializers, regularizers
from packaging.version import Version

from models.keras_objects import ALIASES, ARGUMENTS, build, check

# What the installed Keras looks names up in.
REGISTRIES = {
    "initializer": initializers.ALL_OBJECTS_DICT,
    "regularizer": regularizers.ALL_OBJECTS_DICT,
    "constraint": constraints.ALL_OBJECTS_DICT,
    "activation": activations.ALL_OBJECTS_DICT,
}
OBJECTS = [(kind, name) for kind in ("initializer", "regularizer", "constraint") for name in ARGUMENTS[kind]]


def described(value):
    """A value that is equal for equal Keras objects; an activation is a function, which stays as it is."""
    return (type(value), value.get_config()) if hasattr(value, "get_config") else value


def plain(name):
    return name.replace("_", "").lower()


@pytest.mark.parametrize("kind", REGISTRIES)
def test_names_are_those_of_keras(kind):
    known = {plain(name) for name in [*ARGUMENTS[kind], *(ALIASES if kind == "initializer" else ())]}
    assert known == {plain(name) for name in REGISTRIES[kind]} - {kind}  # `kind` alone is the abstract base class


@pytest.mark.parametrize(("kind", "name"), OBJECTS)
def test_arguments_are_those_of_the_constructor(kind, name):
    constructor = getattr(getattr(keras, f"{kind}s"), name)
    takes_any = {"self", "args", "kwargs"}  # `object`'s own constructor
    since_keras_315 = {"input_axes", "output_axes"} if Version(keras.__version__) < Version("3.15") else set()
    assert tuple(argument for argument in ARGUMENTS[kind][name] if argument not in since_keras_315) == tuple(
        argument for argument in inspect.signature(constructor.__init__).parameters if argument not in takes_any
    )


@pytest.mark.parametrize("kind", REGISTRIES)
def test_every_name_that_keras_takes_gives_its_object(kind):
    for name, expected in REGISTRIES[kind].items():
        if plain(name) != kind:
            assert check(kind, name) == name
            built = build(kind, name)
            assert (built if kind == "activation" else type(built)) is expected


@pytest.mark.parametrize(
    ("kind", "expected", "written"),
    [
        ("initializer", keras.initializers.HeNormal(), ["he_normal", "HeNormal", "he_normal()", "henormal"]),
        (
            "initializer",
            keras.initializers.RandomNormal(0.5, stddev=0.1, seed=3),
            [
                "random_normal(0.5, 0.1, 3)",
                "random_normal(mean=0.5, seed=3, stddev=1e-1)",
                " RandomNormal(0.5, stddev=0.1, seed=3) ",
                "normal(0.5, 0.1, 3)",
                '{"class_name": "RandomNormal", "config": {"mean": 0.5, "stddev": 0.1, "seed": 3}}',
                '{"class_name": "random_normal", "config": {"mean": 0.5, "stddev": 0.1, "seed": 3}}',
            ],
        ),
        (
            "initializer",
            keras.initializers.Constant([1.0, 2.0]),
            ["constant([1.0, 2.0])", "constant(value=[1.0, 2.0])"],
        ),
        ("regularizer", keras.regularizers.L2(), ["l2", "L2", '{"class_name": "L2"}']),
        (
            "regularizer",
            keras.regularizers.L1L2(0.25, 0.5),
            [
                "l1_l2(0.25, 0.5)",
                "L1L2(l2=0.5, l1=0.25)",
                '{"class_name": "L1L2", "config": {"l1": 0.25, "l2": 0.5}}',
                '{"class_name": "l1_l2", "config": {"l1": 0.25, "l2": 0.5}}',
            ],
        ),
        (
            "constraint",
            keras.constraints.MinMaxNorm(0.5, 2.0, rate=0.9),
            [
                "min_max_norm(min_value=0.5, max_value=2.0, rate=0.9)",
                "MinMaxNorm(0.5, 2.0, 0.9)",
                '{"class_name": "MinMaxNorm", "config": {"min_value": 0.5, "max_value": 2.0, "rate": 0.9}}',
            ],
        ),
        (
            "activation",
            keras.activations.hard_silu,
            [
                "hard_silu",
                "hard_swish",
                "HardSilu",
                "hard_silu()",
                '{"class_name": "function", "config": "hard_silu"}',
                '{"class_name": "hard_silu"}',
            ],
        ),
    ],
)
def test_ways_of_writing_one_value(kind, expected, written):
    own = json.dumps(keras.saving.serialize_keras_object(expected))  # with "module" and "registered_name"
    for value in [*written, own]:
        assert check(kind, value) == value
        built = build(kind, value)
        if expected_seed := getattr(expected, "_init_seed", 0):
            assert built._init_seed == expected_seed
        assert described(built) == described(expected), value


def test_the_arguments_have_their_effect():
    ones = keras.ops.ones((2, 3))
    assert float(build("regularizer", "l2(0.5)")(ones)) == 3.0
    assert np.allclose(build("constraint", "max_norm(2.0, axis=1)")(10 * ones), 2 / np.sqrt(3))
    assert np.all(build("initializer", "constant(0.25)")((2, 2)) == 0.25)


@pytest.mark.parametrize("kind", REGISTRIES)
def test_none_stays_none(kind):
    assert build(kind, None) is None


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        ("regularizer", "l3(0.1)", ["'l3' is not a Keras regularizer", "known: l1, l2, "]),
        ("initializer", "heuniform2", ["'heuniform2' is not a Keras initializer", "did you mean 'he_uniform'"]),
        ("activation", "?", ["'?' is not activation syntax"]),
        ("activation", "zzz", ["'zzz' is not a Keras activation", "known: celu, "]),
        ("activation", "relu(0.1)", ["activation relu does not take 1 arguments", "no arguments"]),
        ("activation", '{"class_name": "function", "config": "rleu"}', ["'rleu'", "did you mean 'relu'"]),
        ("activation", "l2", ["'l2' is not a Keras activation"]),
        ("regularizer", "regularizer", ["'regularizer' is not a Keras regularizer"]),
        ("regularizer", "l2(0.1, 0.2)", ["regularizer l2 does not take 2 arguments", "it takes: l2"]),
        ("regularizer", "l2(l1=0.1)", ["does not take 'l1'", "it takes: l2"]),
        ("regularizer", "l2(0.1, l2=0.2)", ["'l2' twice"]),
        ("regularizer", "l2(l2=0.1, l2=0.2)", ["'l2(l2=0.1, l2=0.2)' is not regularizer syntax"]),
        ("regularizer", "l2(**{'l2': 1})", ["is not regularizer syntax"]),
        ("regularizer", "l2(0.1", ["'l2(0.1' is not regularizer syntax"]),
        ("regularizer", "l2(size)", ["'l2(size)' is not regularizer syntax"]),
        ("regularizer", "", ["'' is not regularizer syntax"]),
        ("regularizer", "l2(-0.1)", ["l2=-0.1 of regularizer l2", "0 or more"]),
        ("regularizer", "l2(1e999)", ["l2=inf"]),
        ("regularizer", "l2('much')", ["l2='much'"]),
        ("regularizer", "orthogonal_regularizer(mode='fan_in')", ["mode='fan_in'", "rows, columns"]),
        ("initializer", "variance_scaling(mode='rows')", ["mode='rows'", "fan_in, fan_out, fan_avg"]),
        ("initializer", "variance_scaling(scale=0)", ["scale=0", "above 0"]),
        ("initializer", "he_normal(seed=0.5)", ["seed=0.5", "whole number"]),
        ("constraint", "unit_norm(axis='x')", ["axis='x'"]),
        ("constraint", "max_norm('two')", ["max_value='two'"]),
        ("constraint", '{"class_name": "MaxNorm", "config": {"size": 2}}', ["does not take 'size'", "max_value, axis"]),
        ("constraint", '{"class_name": "MaxNorm", "config": 2}', ['"config" of', "not a table"]),
        ("constraint", '{"config": {}}', ['has no "class_name"']),
        ("constraint", '{"class_name": ', ["is not valid JSON"]),
    ],
)
def test_a_bad_value_is_refused_in_clear_words(kind, value, words):
    with pytest.raises(ValueError) as caught:  # the words are compared below
        check(kind, value)
    assert all(word in str(caught.value) for word in words), str(caught.value)


@keras.saving.register_keras_serializable("test_keras_values")
class Halves(keras.constraints.Constraint):
    def __call__(self, value):
        return value / 2


def test_a_registered_class_is_taken_in_keras_json_form():
    value = json.dumps(keras.saving.serialize_keras_object(Halves()))
    assert check("constraint", value) == value
    assert isinstance(build("constraint", value), Halves)
