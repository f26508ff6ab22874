"""The README's table of settings says what the settings are."""

import re
from pathlib import Path

from tasks.sentiment.settings import SentimentSettings

README = Path(__file__).parents[1] / "README.md"


def options() -> dict[str, object]:
    """Every option of `train` that is a setting, and its default."""
    found = {}
    for group_name, group in SentimentSettings():
        for name, value in group:
            option = "recurrent-seed" if (group_name, name) == ("recurrent", "seed") else name.replace("_", "-")
            found[f"--{option}"] = value
    return found


def test_the_table_has_each_option_with_its_default():
    words = {None: "none", True: "yes", False: "no"}
    rows = re.findall(r"^\| `(--[\w-]+)` \| (.*?) \|", README.read_text(encoding="utf-8"), re.MULTILINE)
    shown = {
        name: words[value] if value is None or isinstance(value, bool) else str(value)
        for name, value in options().items()
    }
    assert dict(rows) == shown


def test_every_option_in_the_text_exists():
    others = "--data --run --settings --overwrite --input --input-format --output --json --split --model --to --logdir"
    text = README.read_text(encoding="utf-8")
    named = set(re.findall(r"(?<![\w-])--[a-z][\w-]+", text))
    negated = {f"--no-{name[2:]}" for name in options()}
    assert named <= {*options(), *negated, *others.split(), "--help", "--rm"}, named - {
        *options(),
        *negated,
        *others.split(),
    }
