"""Groups of settings that a task takes over with other defaults: nothing but the defaults changes."""

import pytest

from models.recurrent_settings import Settings
from tasks.cli.main import commands_of
from tasks.cli.registry import all_tasks
from tasks.settings import RecurrentOptions, SourceSettings, TrainingSettings


def groups() -> list[type[Settings]]:
    """The groups of settings and the arguments of the commands of every task."""
    found = []
    for task in all_tasks():
        found += [field.annotation for field in task.settings_class.model_fields.values()]
        found += [command.arguments for name, command in commands_of(task).items() if name != "train"]
    return list(dict.fromkeys(found))


def overrides(group: type[Settings]) -> dict[str, type[Settings]]:
    """The settings of a group with another default than in a class that it inherits from, and this class.

    Not those that the group declares itself, such as with another type.
    """
    bases = [base for base in group.__mro__[1:] if issubclass(base, Settings)]
    return {
        name: base
        for base in bases
        for name, field in base.model_fields.items()
        if group.model_fields[name].default != field.default and name not in group.__annotations__
    }


OVERRIDES = [(group, name, base) for group in groups() for name, base in overrides(group).items()]


@pytest.mark.parametrize(
    ("group", "name", "base"), OVERRIDES, ids=[f"{group.__name__}.{name}" for group, name, _ in OVERRIDES]
)
def test_another_default_keeps_type_limits_and_description(group, name, base):
    own, inherited = group.model_fields[name], base.model_fields[name]
    assert (own.annotation, own.metadata) == (inherited.annotation, inherited.metadata)
    assert own.description and own.description == inherited.description
    assert group.model_fields.keys() >= base.model_fields.keys()
    # The default is used, is valid itself, and belongs to this class alone.
    value = own.default
    assert getattr(group(), name) == getattr(group(**{name: value}), name) == value
    assert base.model_fields[name].default != value


def test_the_tasks_have_their_own_defaults():
    """One default of each shared group, so that the test above has something to compare."""
    names = {(group.__name__, name) for group, name, _ in OVERRIDES}
    assert {
        ("SentimentTrainingSettings", "schedule"),
        ("ChargenSourceSettings", "test_fraction"),
        ("SentimentRecurrentOptions", "bidirectional"),
        ("TranslationRecurrentOptions", "cell"),
    } <= names
    assert (SourceSettings().test_fraction, RecurrentOptions().bidirectional) == (0.1, False)
    assert TrainingSettings().epochs == 10


@pytest.mark.parametrize("task", all_tasks(), ids=lambda task: task.name)
def test_the_default_settings_of_a_task_are_valid_and_named_in_its_help(request, task):
    settings = task.settings_class()
    assert task.settings_class.model_validate(settings.model_dump()) == settings
    shown = " ".join(request.getfixturevalue(task.name)("train", "--help").out.replace("│", " ").split())
    assert f"(default: {settings.training.epochs})" in shown and f"(default: {settings.recurrent.units})" in shown
