"""An old name of a setting, an option or a group is an error that mentions the new name."""

import json

import pytest

from tasks.cli import renamed
from tasks.cli.main import commands_of
from tasks.cli.registry import all_tasks

# Old name, new name, and the group of settings or the command that has it now.
SETTINGS = [
    ("spatial_dropout", "embedding_dropout", "network"),
    ("head_dropout", "output_dropout", "network"),
    ("stride", "pool_size", "network"),
    ("average_weights", "ema_momentum", "training"),
    ("class_weights", "class_weight", "training"),
    ("block_repeats", "no_repeat_ngram_size", "search"),
    ("n_best", "num_return_sequences", "translate"),
    ("max_pair_ratio", "max_pair_length_ratio", "data"),
    ("segmentation_alpha", "subword_regularization", "vocabulary"),
]
GROUPS = [("classifier", "network"), ("characters", "vocabulary")]


@pytest.fixture(params=[task.name for task in all_tasks()])
def command_line(request):
    """The command line of each task, and the name of its command that answers texts."""
    predict = next(task.predict_command for task in all_tasks() if task.name == request.param)
    return request.getfixturevalue(request.param), predict


@pytest.fixture
def settings_file(tmp_path):
    """Writes a settings file with one group of settings, as TOML or JSON."""

    def write(group: str, values: dict, ending: str):
        path = tmp_path / f"old.{ending}"
        table = "".join(f"{name} = {value}\n" for name, value in values.items())
        path.write_text(json.dumps({group: values}) if ending == "json" else f"[{group}]\n{table}")
        return path

    return write


def test_the_tables_of_old_names_are_complete():
    assert [(old, new) for old, new, _ in SETTINGS] == list(renamed.SETTINGS.items())
    assert list(renamed.GROUPS.items()) == GROUPS


@pytest.mark.parametrize(("old", "new", "_"), SETTINGS)
def test_the_message_for_an_old_option_has_the_new_one(command_line, tmp_path, old, new, _):
    run, predict = command_line
    option, new_option = (f"--{name.replace('_', '-')}" for name in (old, new))
    for words in ([option, "1"], [f"{option}=1"], [option.replace("--", "--no-")], [f"--{old}", "1"]):
        for command in (["train"], [predict, "a text"]):
            message = run(*command, "--run", tmp_path / "run", *words).error()
            assert f"is now called {new_option}" in message and words[0].partition("=")[0] in message
    message = run("compare", "--run", tmp_path / "run", "--vary", f"{old}=1,2").error()
    assert message == f"error: {option} is now called {new_option}"
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("ending", ["toml", "json"])
@pytest.mark.parametrize(("old", "new", "group"), SETTINGS)
def test_the_message_for_an_old_setting_in_a_file_has_the_new_one(
    command_line, settings_file, tmp_path, old, new, group, ending
):
    path = settings_file(group, {old: 1}, ending)
    message = command_line[0]("train", "--run", tmp_path / "run", "--settings", path).error()
    assert message == f"error: {path}: {group}.{old} is now called {group}.{new}"
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("ending", ["toml", "json"])
@pytest.mark.parametrize(("old", "new"), GROUPS)
def test_the_message_for_an_old_group_in_a_file_has_the_new_one(
    command_line, settings_file, tmp_path, old, new, ending
):
    path = settings_file(old, {"units": 1}, ending)
    message = command_line[0]("train", "--run", tmp_path / "run", "--settings", path).error()
    assert message == f"error: {path}: the group {old} is now called {new}"
    assert not (tmp_path / "run").exists()


def test_the_new_names_exist_and_the_old_ones_do_not():
    places = {}  # group or command -> its names, over all tasks
    for task in all_tasks():
        classes = {name: field.annotation for name, field in task.settings_class.model_fields.items()}
        classes |= {name: command.arguments for name, command in commands_of(task).items() if name != "train"}
        for place, settings_class in classes.items():
            places.setdefault(place, set()).update(settings_class.model_fields)
    for old, new, place in SETTINGS:
        assert new in places[place]
        assert not any(old in names for names in places.values()), old
    for old, new in GROUPS:
        assert new in places and old not in places
