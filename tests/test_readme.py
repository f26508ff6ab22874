"""The README's tables of settings say what the settings are."""

import re
from pathlib import Path

import pytest

from models.recurrent_settings import Settings
from tasks.chargen.settings import ChargenSettings, GenerateArguments
from tasks.comparison.settings import CompareArguments
from tasks.recall.settings import RecallArguments
from tasks.sentiment.settings import SentimentSettings
from tasks.settings import ExplainGatesArguments
from tasks.translation.settings import TranslateArguments, TranslationSettings

README = Path(__file__).parents[1] / "README.md"
WORDS = {None: "none", True: "yes", False: "no", (): "none"}


def options(settings_class: type[Settings]) -> dict[str, str]:
    """Every option of `train` that is a setting, and its default as the README writes it."""
    found = {}
    for group_name, group in settings_class():
        for name, value in group:
            option = "recurrent-seed" if (group_name, name) == ("recurrent", "seed") else name.replace("_", "-")
            written = WORDS[value] if value in (None, ()) or isinstance(value, bool) else str(value)
            if isinstance(value, tuple) and value:
                written = " ".join(map(repr, value))
            found[f"--{option}"] = written
    return found


def rows(heading: str) -> dict[str, str]:
    """option -> default, of the table below a heading."""
    section = re.split(r"^#+ ", README.read_text(encoding="utf-8"), flags=re.MULTILINE)
    [part] = [part for part in section if part.startswith(f"{heading}\n")]
    return dict(re.findall(r"^\| `(--[\w-]+)` \| (.*?) \|", part, re.MULTILINE))


def test_the_table_of_sentiment_has_each_option_with_its_default():
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
    known |= {"--settings", "--overwrite", "--translation-run"}
    named = set(re.findall(r"(?<![\w-])--[a-z][\w-]+", README.read_text(encoding="utf-8")))
    assert named <= known, named - known
