"""The README's tables of settings say what the settings are."""

import re
import typing
from pathlib import Path

import pytest

from models.recurrent_settings import Settings
from tasks.chargen.settings import ChargenSettings, GenerateArguments
from tasks.comparison.settings import CompareArguments
from tasks.memory.settings import RecallArguments
from tasks.sentiment.settings import SentimentSettings
from tasks.settings import ExplainGatesArguments
from tasks.translation.settings import TranslateArguments, TranslationSettings

README = Path(__file__).parents[1] / "README.md"
WORDS = {None: "none", True: "yes", False: "no", (): "none"}


def options(settings_class: type[Settings]) -> dict[str, str]:
    """Every option of `train` that is a setting -> its row of a table: option, default, what it does."""
    found = {}
    for group_name, group in settings_class():
        for name, field in type(group).model_fields.items():
            option = "recurrent-seed" if (group_name, name) == ("recurrent", "seed") else name.replace("_", "-")
            value = getattr(group, name)
            written = WORDS[value] if value in (None, ()) or isinstance(value, bool) else str(value)
            if isinstance(value, tuple) and value:
                written = " ".join(map(repr, value))
            described = " ".join(field.description.split()) + one_of(field.annotation)
            found[f"--{option}"] = f"| `--{option}` | {written} | {described} |"
    return found


def one_of(annotation) -> str:
    """The choices that there are, as `train --help` lists them."""
    parts = [annotation, *typing.get_args(annotation)]
    names = [name for part in parts if typing.get_origin(part) is typing.Literal for name in typing.get_args(part)]
    if bool in parts:  # auto, or yes or no: told in words
        return ""
    if names and type(None) in parts:
        names.append("none")
    return f" One of {', '.join(names)}." if names else ""


def rows(heading: str) -> dict[str, str]:
    """option -> its row, of the table below a heading."""
    section = re.split(r"^#+ ", README.read_text(encoding="utf-8"), flags=re.MULTILINE)
    [part] = [part for part in section if part.startswith(f"{heading}\n")]
    return {option: row for row, option in re.findall(r"^(\| `(--[\w-]+)` \|.*\|)$", part, re.MULTILINE)}


def test_the_table_of_sentiment_has_each_option():
    assert rows("Settings of sentiment") == options(SentimentSettings)


@pytest.mark.parametrize(
    ("heading", "settings_class"),
    [("Settings of chargen", ChargenSettings), ("Settings of translation", TranslationSettings)],
)
def test_the_table_of_another_task_has_what_is_different(heading, settings_class):
    shared = options(SentimentSettings).items()
    assert rows(heading) == dict(item for item in options(settings_class).items() if item not in shared)


def test_every_option_in_the_text_exists():
    known = {*options(SentimentSettings), *options(ChargenSettings), *options(TranslationSettings)}
    for arguments in (GenerateArguments, TranslateArguments, CompareArguments, ExplainGatesArguments, RecallArguments):
        known |= {f"--{name.replace('_', '-')}" for name in arguments.model_fields}
    known |= {f"--no-{name[2:]}" for name in known} | {"--help", "--rm", "--logdir", "--json", "--split", "--to"}
    known |= {"--settings", "--overwrite", "--translation-run", "--corpora"}
    named = set(re.findall(r"(?<![\w-])--[a-z][\w-]+", README.read_text(encoding="utf-8")))
    assert named <= known, named - known
