"""Keras objects in place of names: written as a text from which the same object is made again, or refused."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import activations, constraints, initializers, regularizers

from models.given_objects import as_value
from models.keras_objects import build, registered_name
from models.recurrent import recurrent_layers
from models.recurrent_settings import RecurrentSettings


@keras.saving.register_keras_serializable("tests")
def doubled(x):
    """A function of its own module."""
    return 2 * x


@keras.saving.register_keras_serializable("tests")
class Scaled(regularizers.Regularizer):
    """A class with an argument."""

    def __init__(self, scale):
        self.scale = scale

    def __call__(self, x):
        return self.scale * keras.ops.sum(keras.ops.abs(x))

    def get_config(self):
        return {"scale": self.scale}


@keras.saving.register_keras_serializable("tests")
class Forgetful(Scaled):
    """Its configuration lacks what it was made with."""

    def __init__(self, scale=1.0):
        super().__init__(scale)

    def get_config(self):
        return {}


@keras.saving.register_keras_serializable("tests")
class WithoutConfig(regularizers.Regularizer):
    def __call__(self, x):
        return 0.0


class Unregistered(regularizers.Regularizer):
    def __call__(self, x):
        return 0.0

    def get_config(self):
        return {}


def own_function(x):
    return x


@pytest.mark.parametrize(
    ("kind", "given", "expected"),
    [
        ("initializer", initializers.HeNormal(), "he_normal"),
        ("initializer", initializers.HeNormal, "he_normal"),
        ("initializer", initializers.HeNormal(seed=3), "he_normal(seed=3)"),
        ("initializer", initializers.RandomNormal(0.0, 0.02), "random_normal(stddev=0.02)"),
        ("initializer", initializers.VarianceScaling(2.0, "fan_out"), "variance_scaling(scale=2.0, mode='fan_out')"),
        ("initializer", initializers.Constant(np.array([1.0, 2.0])), "constant(value=[1.0, 2.0])"),
        ("initializer", initializers.GlorotUniform(), "glorot_uniform"),
        ("regularizer", regularizers.L2(0.001), "l2(l2=0.001)"),
        ("regularizer", regularizers.L1L2(0.001, 0.0001), "l1_l2(l1=0.001, l2=0.0001)"),
        ("constraint", constraints.MaxNorm(3, axis=[0, 1]), "max_norm(max_value=3, axis=[0, 1])"),
        ("constraint", constraints.NonNeg(), "non_neg"),
        ("activation", activations.relu, "relu"),
        ("activation", activations.tanh, "tanh"),
    ],
)
def test_an_object_of_keras_is_written_as_its_name_with_the_arguments_that_are_not_defaults(kind, given, expected):
    assert as_value(kind, given) == expected
    again = build(kind, expected)
    if kind == "activation":
        assert again is given
    else:
        given = given() if isinstance(given, type) else given
        assert type(again) is type(given)
        if kind == "initializer" and "seed" in expected:
            np.testing.assert_array_equal(again((3, 2)), given((3, 2)))


def test_an_argument_that_is_an_object_is_written_in_its_json_form():
    value = as_value("initializer", initializers.HeNormal(seed=keras.random.SeedGenerator(3)))
    assert json.loads(value)["config"]["seed"]["config"]["seed"] == 3
    assert registered_name(value) is None
    assert isinstance(build("initializer", value).seed, keras.random.SeedGenerator)


def test_what_is_registered_is_written_with_its_configuration():
    value = as_value("regularizer", Scaled(0.5))
    assert registered_name(value) == "tests>Scaled"
    assert build("regularizer", value).scale == 0.5
    value = as_value("activation", doubled)
    assert registered_name(value) == "tests>doubled"
    assert build("activation", value) is doubled


def test_settings_with_objects_are_those_with_names_and_make_the_same_layers():
    objects = {
        "kernel_initializer": initializers.HeNormal(seed=1),
        "kernel_regularizer": regularizers.L2(0.01),
        "recurrent_constraint": constraints.MaxNorm(3),
        "activation": activations.relu,
    }
    names = {"kernel_initializer": "he_normal(seed=1)", "kernel_regularizer": "l2", "activation": "relu"}
    settings = RecurrentSettings(**objects)
    assert settings == RecurrentSettings(**names, recurrent_constraint="max_norm(max_value=3)")
    assert RecurrentSettings.model_validate(json.loads(settings.model_dump_json())) == settings
    [layer] = recurrent_layers(settings)
    assert layer.kernel_initializer.seed == 1 and layer.activation is activations.relu


@pytest.mark.parametrize(
    ("kind", "given", "parts"),
    [
        ("activation", lambda x: x, ["a lambda cannot be stored", "register_keras_serializable"]),
        ("initializer", lambda shape, dtype=None: 0, ["a lambda cannot be stored"]),
        ("activation", own_function, ["own_function is no activation of Keras and is not registered", "@keras.saving"]),
        ("activation", tf.nn.tanh, ["not registered", "give the name 'tanh'"]),
        ("activation", keras.layers.LeakyReLU(), ["give the name 'leaky_relu'"]),
        ("regularizer", Unregistered(), ["Unregistered is no regularizer of Keras and is not registered"]),
        ("regularizer", Unregistered, ["Unregistered is no regularizer"]),
        ("regularizer", initializers.HeNormal(), ["HeNormal is no regularizer of Keras"]),
        ("regularizer", WithoutConfig(), ["cannot be stored and made again", "get_config()"]),
        ("regularizer", Forgetful(2.0), ["another one after it was stored", "get_config()"]),
        ("regularizer", Scaled, ["cannot be stored", "scale"]),
        ("regularizer", Scaled(object()), ["cannot be stored"]),
    ],
)
def test_what_another_process_could_not_make_again_is_refused_in_one_line(kind, given, parts):
    name = {"activation": "activation", "initializer": "bias_initializer", "regularizer": "bias_regularizer"}[kind]
    with pytest.raises(TypeError) as caught:
        RecurrentSettings(**{name: given})
    assert len(str(caught.value).splitlines()) == 1
    for part in (f"{name}: ", *parts):
        assert part in str(caught.value)


def test_a_name_that_is_not_registered_here_is_an_error_with_the_remedy():
    stored = {"module": None, "class_name": "Other", "config": {}, "registered_name": "mine>Other"}
    with pytest.raises(ValueError, match="mine>Other is not registered; import the module"):
        build("regularizer", json.dumps(stored))
