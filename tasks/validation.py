"""What to report when settings or arguments are invalid. Imports no TensorFlow."""

from typing import Any

import pydantic

from models.recurrent_settings import Settings
from tasks.errors import UserError, did_you_mean


def check_settings(given: Any, settings_class: type[Settings]) -> None:
    """Raise `UserError` if a caller in Python gives something else than the settings of this class."""
    if not isinstance(given, settings_class):
        name, kind = settings_class.__name__, type(given).__name__
        raise UserError(
            f"expected settings, {name}(...), found a {kind}; a dict of groups becomes settings with "
            f"{name}.model_validate(groups)"
        )


def describe_validation_error(
    error: pydantic.ValidationError, *, option: bool = False, settings_class: type[Settings] | None = None
) -> str:
    """Describe the first problem of a validation error in one line: where, what was given, what was expected.

    Args:
        error: The error.
        option: Whether the place is an option of the command line (`--units`), not a setting (`recurrent.units`).
        settings_class: The class that was validated; an unknown name then gets a suggestion from its fields.
    """
    detail, alternative = first_problem(error)
    place = [str(part) for part in detail["loc"]]
    message = detail["msg"].removeprefix("Value error, ") + alternative
    if detail["type"] == "extra_forbidden":
        group = settings_class
        for part in place[:-1] if group is not None else []:
            group = group.model_fields[part].annotation
        known = group.model_fields if group is not None else {}
        return f"{'.'.join(place)} is no setting{did_you_mean(place[-1], known)}"
    if not place:
        return message
    name = f"--{place[-1].replace('_', '-')}" if option else ".".join(place)
    if detail["type"] == "value_error":
        return f"{name}: {message}"
    if detail["type"] == "tuple_type" and isinstance(detail["input"], str):
        return f"{name}: expected a list, found the single text {detail['input']!r}; put it in a list: [text]"
    return f"{name} {detail['input']!r}: {message[0].lower()}{message[1:]}"


def first_problem(error: pydantic.ValidationError) -> tuple[dict[str, Any], str]:
    """Return pydantic's details of the first problem, and what else would have been right.

    A setting of several types, such as a number or "auto", has a problem for each of them. The last one counts, which
    is about the number.
    """
    details = error.errors(include_url=False)
    place = details[0]["loc"][:-1]
    types = [detail for detail in details if detail["loc"][:-1] == place and place]
    if len(types) < 2 or all(str(detail["loc"][-1]).isidentifier() for detail in types):
        return details[0], ""  # the last part of the place is a setting, and not one of its types
    words = [detail["ctx"]["expected"] for detail in types if detail["type"] == "literal_error"]
    return {**types[-1], "loc": place}, f", or {words[0]}" if words and types[-1]["type"] != "literal_error" else ""
