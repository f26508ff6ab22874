"""What to report when settings or arguments are invalid. Imports no TensorFlow."""

import pydantic

from models.recurrent_settings import Settings
from tasks.errors import did_you_mean


def describe_validation_error(
    error: pydantic.ValidationError, *, option: bool = False, settings_class: type[Settings] | None = None
) -> str:
    """Describe the first problem of a validation error in one line: where, what was given, what was expected.

    Args:
        error: The error.
        option: Whether the place is an option of the command line (`--units`), not a setting (`recurrent.units`).
        settings_class: The class that was validated; an unknown name then gets a suggestion from its fields.
    """
    detail = error.errors(include_url=False)[0]
    place = [str(part) for part in detail["loc"]]
    message = detail["msg"].removeprefix("Value error, ")
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
    return f"{name} {detail['input']!r}: {message[0].lower()}{message[1:]}"
