"""`none` and switches on the command line, in the words that tyro reads. Imports no TensorFlow."""

import itertools
import types
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from models.recurrent_settings import Settings
from tasks.errors import UserError

NONE = ("none", "None")
# The values of a switch that may also be absent, in lower case.
SWITCHED = {"true": "True", "false": "False", "none": "None"}


def with_none(argv: Sequence[str], settings_class: type[Settings]) -> list[str]:
    """Return arguments in which `none` is written as tyro reads it.

    Args:
        argv: The arguments.
        settings_class: The class of the settings, with or without groups. `none` is the empty list for an option that
            takes a list, and None for another one that may have no value; elsewhere it stays a word.
    """
    kinds = {
        option_name(name, field): _kinds(field.annotation)
        for name, field in _fields(settings_class)
        if "UseAppendAction" not in map(repr, field.metadata)  # there the settings replace the word
    }
    words: list[str] = []
    for word, after in itertools.pairwise([*itertools.chain.from_iterable(map(_apart, argv)), "--"]):
        option = words[-1].replace("_", "-") if words else ""
        if word not in NONE or option not in kinds or "--" in words:
            words.append(word)
        elif tuple in kinds[option]:
            words += [] if after.startswith("--") else [word]  # the option alone is the empty list
        else:
            words.append("None" if type(None) in kinds[option] and "none" not in kinds[option] else word)
    return words


def with_switches(argv: Sequence[str], settings_class: type[Settings]) -> list[str]:
    """Return arguments in which each optional switch (`bool | None`) has an explicit value.

    Such a switch is True, False, or None if it is not given. tyro wants `--name True`; here `--name` and `--no-name`
    are enough, as for a switch that is always True or False.

    Args:
        argv: The arguments.
        settings_class: The class of the settings, with or without groups.
    """
    switches = {
        option_name(name, field)
        for name, field in _fields(settings_class)
        if {*_kinds(field.annotation)} == {bool, type(None)}
    }
    end = argv.index("--") if "--" in argv else len(argv)
    words: list[str] = []
    for word, after in itertools.pairwise([*argv[:end], "--"]):
        option, sign, value = word.partition("=")
        name = option.replace("_", "-")
        if words and words[-1] in switches and word.lower() in SWITCHED:
            words.append(SWITCHED[word.lower()])
        elif name in switches and sign:
            words += [name, SWITCHED.get(value.lower(), value)]
        elif name in switches:
            words += [name] if after.lower() in SWITCHED else [name, "True"]
        elif name.startswith("--no-") and f"--{name[5:]}" in switches:
            if sign or after.lower() in SWITCHED:
                raise UserError(f"{name} takes no value, and {value or after!r} was given; write it alone")
            words += [f"--{name[5:]}", "False"]
        else:
            words.append(word)
    return [*words, *argv[end:]]


def option_name(name: str, field: FieldInfo) -> str:
    """Return the option of a setting; a few have another name than the setting."""
    named = next((mark.name for mark in field.metadata if isinstance(getattr(mark, "name", None), str)), None)
    return f"--{(named or name).replace('_', '-')}"


def _apart(word: str) -> list[str]:
    """Return `--option=none` as two words."""
    option, sign, value = word.partition("=")
    return [option, value] if sign and option.startswith("--") and value in NONE else [word]


def _fields(settings_class: type[Settings]) -> Iterator[tuple[str, FieldInfo]]:
    """Yield name and field of each setting, also of those in groups."""
    for name, field in settings_class.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, Settings):
            yield from _fields(field.annotation)
        else:
            yield name, field


def _kinds(annotation: Any) -> list[Any]:
    """Return the types of which a value may be, and the words; a list is a tuple here, a location is no list."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _kinds(get_args(annotation)[0])
    if origin is Literal:
        return list(get_args(annotation))
    if origin in (Union, types.UnionType):
        kinds = list(itertools.chain.from_iterable(map(_kinds, get_args(annotation))))
        return [kind for kind in kinds if kind is not tuple] if str in kinds else kinds
    return [origin or annotation]
