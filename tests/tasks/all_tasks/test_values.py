"""Values of settings that Keras or TensorFlow could not use are errors with the option, before anything is built."""

from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import tensorflow as tf

from models.classifier import build_classifier
from models.network_settings import ClassifierSettings
from models.recurrent_settings import MAX_INTEGER, RecurrentSettings, Settings
from tasks.atomic_files import replacing
from tasks.cli.main import commands_of
from tasks.cli.parsing import train_arguments
from tasks.cli.registry import all_tasks
from tasks.errors import UserError
from tasks.memory.settings import MemoryArguments
from tasks.memory.study import run_study
from tasks.reports import plots
from tasks.training import required_memory
from tasks.training.checkpoint import load_model, save_model
from tasks.training.runs import Run

HUGE = 10**30


def settings_classes() -> list[type[Settings]]:
    classes = [command.arguments for task in all_tasks() for command in commands_of(task).values()]
    for one in classes:
        classes += [
            field.annotation
            for field in one.model_fields.values()
            if isinstance(field.annotation, type) and issubclass(field.annotation, Settings)
        ]
    return [*dict.fromkeys([*classes, MemoryArguments])]


@pytest.mark.parametrize("settings_class", settings_classes(), ids=lambda one: one.__name__)
def test_no_number_is_larger_than_tensorflow_can_hold(settings_class):
    for name, field in settings_class.model_fields.items():
        types = {field.annotation, *get_args(field.annotation)}
        for given in (HUGE, -HUGE) if int in types else (1e300,) if float in types else ():
            with pytest.raises(ValueError) as caught:
                settings_class.__pydantic_validator__.validate_assignment(settings_class.model_construct(), name, given)
            assert name in str(caught.value)


@pytest.mark.parametrize(
    ("option", "value", "part"),
    [
        ("--units", str(HUGE), str(MAX_INTEGER)),
        ("--units", "9" * 5000, "5000 digits"),
        ("--units", "1e6", "not a whole number"),
        ("--embedding-size", "10000000000", str(MAX_INTEGER)),
        ("--recurrent-seed", str(HUGE), str(MAX_INTEGER)),
        ("--layers", "1000", "100"),
        ("--learning-rate", "1e300", "too large"),
        ("--max-tokens", str(HUGE), "1000000"),
        ("--window", str(HUGE), str(MAX_INTEGER)),
    ],
)
def test_a_number_that_is_too_large_is_an_error_with_its_option(small, tmp_path, option, value, part):
    if option in ("--max-tokens", "--window") and (option == "--window") != (small.name == "chargen"):
        return
    message = small.train(tmp_path / "run", option, value).error()
    assert option in message and part in message
    assert not (tmp_path / "run").exists()


# --- memory -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [("--units", "1000000"), ("--embedding-size", "2000000000")])
def test_a_network_that_does_not_fit_is_refused_with_an_estimate_before_data_are_read(small, tmp_path, options):
    message = small.train(tmp_path / "run", *options, data=small.data).error()
    assert "TiB" in message and "this machine has" in message and options[0] in message
    assert not (tmp_path / "run").exists()


def test_a_network_that_does_not_fit_with_its_vocabulary_is_refused_before_it_is_built(small, tmp_path, monkeypatch):
    arguments = ["--data", str(small.data), "--run", str(tmp_path / "run"), *small.options]
    settings = train_arguments(small.task, "train", arguments).settings
    least = required_memory.weight_bytes(small.task.network_parts(settings, None), settings.training)
    monkeypatch.setattr(required_memory, "machine_memory", lambda: least)
    assert "this machine has" in small.train(tmp_path / "run").error()
    assert Run(tmp_path / "run").prepared and not Run(tmp_path / "run").model_file.exists()


def test_a_batch_that_does_not_fit_is_refused_with_its_options(small):
    settings = small.task.settings_class()
    parts = small.task.network_parts(settings, None)
    with pytest.raises(UserError) as caught:
        required_memory.check_parts(parts, settings.training, 10**9)
    for part in ("1,000,000,000 tokens needs", "--batch-size" if small.name == "chargen" else "--tokens-per-batch"):
        assert part in str(caught.value)


def test_a_network_that_fits_is_not_refused(small):
    settings = small.task.settings_class()
    required_memory.check(small.task, settings)
    parts = small.task.network_parts(settings, None)
    assert 0 < required_memory.weight_bytes(parts, settings.training) < 1 << 30


# --- cuDNN ------------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(bool(tf.config.list_physical_devices("GPU")), reason="is about machines without a GPU")
def test_cudnn_without_a_gpu_is_refused_before_the_training(small, tmp_path):
    message = small.train(tmp_path / "run", "--use-cudnn", "True").error()
    assert "--use-cudnn True: TensorFlow sees no GPU here; take --use-cudnn auto" in message
    assert not (tmp_path / "run").exists()
    message = small.train(tmp_path / "run", "--use-cudnn", "True", "--recurrent-dropout", "0.1").error()
    assert "recurrent_dropout=0.1" in message


def test_a_network_that_was_trained_with_cudnn_answers_without_a_gpu(tmp_path):
    recurrent = RecurrentSettings(units=3, use_cudnn=True, bidirectional=True, return_sequences=True)
    network = build_classifier(ClassifierSettings(embedding_size=4), recurrent, vocabulary_size=20, classes=2)
    save_model(network, Run(tmp_path).model_file)
    assert load_model(Run(tmp_path))(np.array([[4, 5, 6]])).shape == (1, 2)


# --- values of Keras --------------------------------------------------------------------------------------------------

UNUSABLE = [
    ("--kernel-initializer", "stft", "expected 3"),
    ("--kernel-initializer", "constant([1, 2, 3])", "Incompatible shapes"),
    ("--recurrent-initializer", "constant(1j)", "is not a number"),
    ("--recurrent-initializer", "he_normal(seed=99999999999)", "seed=99999999999"),
    ("--bias-initializer", "orthogonal", "two-dimensional"),
    ("--kernel-initializer", '{"class_name": "A", "registered_name": "b>A", "config": {}}', "not registered"),
    ("--activity-regularizer", "orthogonal_regularizer", "rank 2"),
    ("--kernel-constraint", "max_norm(2, axis=5)", "dimension"),
    ("--bias-constraint", "max_norm(None)", "max_value=None"),
    ("--activation", "glu", "Incompatible shapes"),
]


@pytest.mark.parametrize(("option", "value", "part"), UNUSABLE)
def test_a_keras_value_that_cannot_be_used_is_named_before_data_are_read(small, tmp_path, option, value, part):
    options = ("--cell", "lstm", option, value)
    message = small.train(tmp_path / "run", *options, data=small.data).error()
    assert option in message and part in message
    assert not (tmp_path / "run").exists()


def test_the_decoder_and_the_embedding_of_a_translator_are_tried_too(small_tasks, tmp_path):
    small = small_tasks["translation"]
    for options, part in (
        (("--bias-initializer", "identity", "--decoder-cell", "lstm"), "rank 1"),  # the biases of a GRU are a matrix
        (("--embedding-initializer", "stft"), "expected 3"),
    ):
        message = small.train(tmp_path / "run", *options, data=small.data).error()
        assert options[0] in message and part in message


@pytest.mark.slow
def test_a_comparison_checks_all_variations_before_the_first_training(small_tasks, tmp_path):
    small = small_tasks["chargen"]
    command = ("compare", "--run", tmp_path / "cells", "--data", small.data, *small.options)
    message = small.command(*command, "--cells", "gru,lstm", "--bias-initializer", "identity").error()
    assert "--bias-initializer identity" in message
    message = small.command(*command, "--cells", "lstm", "--units", "8,1000000").error()
    assert "this machine has" in message
    assert not [*tmp_path.rglob("seed-*")]


def test_a_study_of_memory_checks_its_networks_before_the_first_experiment(tmp_path):
    for options, part in (
        ({"units": 10**6}, "--units"),
        ({"symbols": 10**7}, "--symbols"),
        ({"lags": "5,1000000000"}, "--lags"),
        ({"random_initializers": "stft"}, "--random-initializers stft"),
    ):
        arguments = {"random_initializers": "random_normal"} | options
        with pytest.raises(UserError) as caught:
            run_study(MemoryArguments(run=str(tmp_path / "study"), **arguments))
        assert part in str(caught.value)
    assert not (tmp_path / "study").exists()


# --- files and pictures -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("date", ["1979-05-27", "1979-05-27T07:32:00Z", "07:32:00"])
@pytest.mark.parametrize(
    "setting",
    ["recurrent.units", "recurrent.activation", "data.data", "recurrent.kernel_initializer.class_name", "training"],
)
def test_a_date_in_a_settings_file_is_an_error_with_its_setting(small_tasks, tmp_path, date, setting):
    (tmp_path / "a.toml").write_text(f"{setting} = {date}\n")
    command = ("train", "--run", tmp_path / "run", "--settings", tmp_path / "a.toml")
    assert setting.removesuffix(".class_name") in small_tasks["sentiment"].command(*command).error()


def test_a_home_folder_of_nobody_is_no_such_file(small, tmp_path):
    assert "no such file" in small.train(tmp_path / "run", data="~nosuchuser/x").error()


def test_a_picture_or_a_file_in_place_of_a_folder_is_an_error(small_tasks, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    small = small_tasks["sentiment"]
    cases = (("explain", "--plot", "/"), "directory"), (("predict", "--output", "/"), "is a folder")
    for command, part in (*cases, (("predict", "--output", "."), "--output . is a folder; name a file in it")):
        assert part in small.command(*command, "--run", small.untrained_run, "A film").error()
    for place in ("/", ".", "..", tmp_path):
        with pytest.raises(IsADirectoryError), replacing(Path(place)):
            pass


def test_a_picture_that_cannot_be_drawn_is_an_error_and_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))  # without LaTeX
    with pytest.raises(UserError, match=r"x\.pgf.*\.png"):
        plots.bars({"a": 1.0}, "name", "value", tmp_path / "x.pgf")
    assert not [*tmp_path.iterdir()]
