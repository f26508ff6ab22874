"""Options, commands, files and examples that the documentation names exist. Imports no TensorFlow."""

import ast
import importlib
import importlib.util
import re
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

import pytest

from models.recurrent_settings import Settings

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for pattern in ("*.md", "tasks/**/*.md", "models/*.md", "notebooks/*.md", "saved_models/README.md")
    for path in ROOT.glob(pattern)
    if path.name != "SETTINGS.md"  # generated, and compared with the settings in tests/tasks/cli
)
# Options of other programs, of pytest, and of `train` itself, which are not fields of a settings class.
OTHER_OPTIONS = {
    "--help",
    "--logdir",
    "--processes",
    "--settings",
    "--corpora",
    "--translation-run",
    "--former",
    "--cbow",
    "--skipgram",
    # Of Apache Beam:
    "--runner",
    "--direct_running_mode",
    # Of unshare:
    "--map-root-user",
    "--net",
    # Of TensorFlow Serving:
    "--model_config_file",
    "--enable_batching",
    "--batching_parameters_file",
}


def text_of(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def code_blocks(text: str, language: str | None = None) -> list[str]:
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [code for name, code in blocks if language is None or name == language]


def prose_of(text: str) -> str:
    return re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)


def without_comments(code: str) -> str:
    return re.sub(r"[ \t]+# .*", "", code)


def command_lines(text: str) -> list[str]:
    """The lines of code blocks and of inline code, without comments; a backslash joins two lines."""
    lines = [line for code in code_blocks(text) for line in code.replace("\\\n", " ").splitlines()]
    lines += [" ".join(code.split()) for code in re.findall(r"`([^`]+)`", prose_of(text))]
    return [without_comments(line) for line in lines]


# --- README.md and its translation


def test_the_readme_is_short():
    assert len(text_of("README.md").splitlines()) <= 200


def test_the_korean_readme_has_the_same_commands():
    english, korean = map(text_of, ("README.md", "README.ko.md"))
    # Only comments are translated.
    assert [without_comments(code) for code in code_blocks(korean)] == [
        without_comments(code) for code in code_blocks(english)
    ]


def test_the_korean_readme_has_the_same_figures_and_links():
    english, korean = (prose_of(text_of(page)) for page in ("README.md", "README.ko.md"))
    for pattern in (r"\d+(?:[.,:-]\d+)*", r"\]\(([^)]+)\)", r"^#+"):
        one, other = (re.findall(pattern, text, re.MULTILINE) for text in (english, korean))
        one, other = (
            sorted(item for item in found if item not in ("README.md", "README.ko.md")) for found in (one, other)
        )
        assert one == other


def test_every_paragraph_of_the_korean_readme_is_korean():
    for paragraph in re.split(r"\n\s*\n", prose_of(text_of("README.ko.md"))):
        is_prose = paragraph.strip() and not paragraph.startswith(("#", "["))
        assert not is_prose or re.search("[가-힣]", paragraph), paragraph


# --- options and settings


@cache
def settings_classes() -> list[type[Settings]]:
    """Every settings and arguments class of the project."""
    for path in [*ROOT.glob("models/*settings.py"), *ROOT.glob("tasks/**/*settings.py")]:
        importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
    found, waiting = [], [Settings]
    while waiting:
        classes = waiting.pop().__subclasses__()
        found += classes
        waiting += classes
    return found


@cache
def setting_names() -> dict[str, set[str]]:
    """Group -> the names of its settings, over all tasks; "" has all names, also those of arguments."""
    names: dict[str, set[str]] = {"": set()}
    for settings_class in settings_classes():
        for name, field in settings_class.model_fields.items():
            if isinstance(field.annotation, type) and issubclass(field.annotation, Settings):
                names.setdefault(name, set()).update(field.annotation.model_fields)
            else:
                renamed = [item.name for item in field.metadata if isinstance(getattr(item, "name", None), str)]
                names[""].add((renamed or [name])[0].replace("-", "_"))
    return names


@pytest.mark.parametrize("page", PAGES)
def test_every_option_exists(page):
    known = {f"--{name.replace('_', '-')}" for name in setting_names()[""]}
    known |= {f"--no-{name[2:]}" for name in known} | OTHER_OPTIONS
    named = set(re.findall(r"(?<![\w-])--[a-z][\w-]*", text_of(page))) - {"--no-NAME"}
    assert named <= known, sorted(named - known)


@pytest.mark.parametrize("page", PAGES)
def test_every_setting_of_a_toml_example_exists(page):
    for code in code_blocks(text_of(page), "toml"):
        for group, values in tomllib.loads(code).items():
            assert set(values) <= setting_names().get(group, set()), f"[{group}] {values}"


# --- commands


@cache
def overview(module: str) -> str:
    """What `python -m MODULE --help` prints."""
    command = [sys.executable, "-m", module, "--help"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("page", PAGES)
def test_every_command_exists(page):
    for line in command_lines(text_of(page)):
        for module, word in re.findall(r"python -m (tasks[\w.]*)(?:[ \t]+([\w-]+))?", line):
            if "NAME" in module or word.isupper():  # a placeholder
                continue
            assert importlib.util.find_spec(module) is not None, line
            if not (ROOT / module.replace(".", "/") / "__main__.py").exists():  # a module that is run directly
                continue
            if " COMMAND " in overview(module).splitlines()[0] and word and not word.startswith("-"):
                assert re.search(rf"^  {word}\s", overview(module), re.MULTILINE), line


@pytest.mark.parametrize("page", PAGES)
def test_every_make_target_exists(page):
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for line in command_lines(text_of(page)):
        for target in re.findall(r"^(?:FAST=1 )?make ([a-z-]+)", line):
            assert target in targets, line


# --- links, files and examples


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", prose_of(page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES)
def test_every_link_and_picture_exists(page):
    text = prose_of(text_of(page))
    for target in re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'src="([^"]+)"', text):
        if re.match(r"\w+:", target):  # a web address
            continue
        name, _, anchor = target.partition("#")
        path = ROOT / page if not name else (ROOT / page).parent / name
        assert path.exists(), target
        assert not anchor or anchor in anchors(path), target


@pytest.mark.parametrize("page", PAGES)
def test_every_file_of_the_project_that_is_named_exists(page):
    places = r"(?:models|tasks|tests|notebooks)/[\w./-]+\.\w+"
    for line in command_lines(text_of(page)):
        for name in re.findall(rf"(?<![\w./-]){places}", line):
            assert "/NAME/" in name or (ROOT / name).exists(), name


@pytest.mark.parametrize("page", PAGES)
def test_every_name_that_a_python_example_imports_exists(page):
    for code in code_blocks(text_of(page), "python"):
        for statement in ast.walk(ast.parse(code)):
            if isinstance(statement, ast.ImportFrom) and statement.module.startswith(("models", "tasks")):
                place = ROOT / statement.module.replace(".", "/")
                path = place / "__init__.py" if place.is_dir() else place.with_name(f"{place.name}.py")
                assert path.exists(), statement.module
                assert {alias.name for alias in statement.names} <= defined_names(path), ast.unparse(statement)


def defined_names(path: Path) -> set[str]:
    """The names that a module defines at its top level."""
    names = set()
    for statement in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(statement, ast.FunctionDef | ast.ClassDef):
            names.add(statement.name)
        elif isinstance(statement, ast.Assign | ast.AnnAssign):
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            names |= {target.id for target in targets if isinstance(target, ast.Name)}
    return names
