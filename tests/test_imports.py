"""The rules between the rooms of the project, read from the imports of every module."""

import ast
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for package in ("models", "tasks")
    for path in sorted((ROOT / package).rglob("*.py"))
}
# Modules of `tasks` that are in no room: all rooms may import them.
ROOT_MODULES = {
    "arguments",
    "atomic_files",
    "comma_lists",
    "commands",
    "errors",
    "file_options",
    "in_memory",
    "metrics",
    "optimizer_options",
    "predictor",
    "references",
    "settings",
    "task",
    "task_parts",
    "texts",
    "url_secrets",
    "validation",
}
TASK_PACKAGES = {"sentiment", "chargen", "translation", "comparison", "memory", "vectors"}
BELOW_THE_TASKS = {"models", "root", "data", "reports", "training", "serving"}
# A room -> the rooms that its modules may import, besides itself.
MAY_IMPORT = {
    "models": set(),
    "root": {"models"},
    "data": {"models", "root"},
    "reports": {"root"},
    "training": {"models", "root", "data", "reports"},
    "serving": {"models", "root", "data", "training", "reports"},
    "cluster": BELOW_THE_TASKS,
    **dict.fromkeys(TASK_PACKAGES, BELOW_THE_TASKS),
    "comparison": BELOW_THE_TASKS | {"cluster"},
    "samples": set(),
    "cli": BELOW_THE_TASKS | TASK_PACKAGES | {"cluster"},
}
# Modules outside `cli` that start a command line.
MAY_IMPORT_CLI = {
    "tasks.comparison.worker",
    "tasks.serving.beam",
    *(name for name in MODULES if name.endswith(".__main__")),
}
SAMPLES = "tasks.samples"  # scripts with long lists of words


def room_of(module: str) -> str:
    package, *parts = module.split(".")
    if package == "models":
        return "models"
    return "root" if not parts or parts[0] in ROOT_MODULES else parts[0]


def is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")


def nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """Every node of a module, also within functions, but not what only type checkers read."""
    for child in ast.iter_child_nodes(tree):
        if is_type_checking(child):
            for other in child.orelse:
                yield from nodes(ast.Module([other], []))
            continue
        yield child
        yield from nodes(child)


def imported(source: str, module: str = "", is_package: bool = False) -> set[str]:
    """The absolute names of the modules that a module imports; a name imported from a package may be a module too."""
    found = set()
    for node in nodes(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = module.split(".")
                parts = parts[: len(parts) - node.level + is_package]
                base = ".".join([*parts, *filter(None, [base])])
            found |= {base} | {f"{base}.{alias.name}" for alias in node.names}
    return found


def own_imports(name: str) -> set[str]:
    """The modules of this project that a module imports."""
    path = MODULES[name]
    return imported(path.read_text(encoding="utf-8"), name, path.name == "__init__.py") & set(MODULES)


def test_imports_are_found_within_functions_and_not_where_only_type_checkers_read():
    source = """
from typing import TYPE_CHECKING
import tasks.errors, os.path as somewhere
from tasks import atomic_files
from . import sibling
from ..reports.plots import draw
if TYPE_CHECKING:
    import keras
else:
    import json
class A:
    def f(self):
        if True:
            from tasks.cli.main import main
"""
    assert imported(source, "tasks.data.records") == {
        *("typing", "typing.TYPE_CHECKING", "tasks.errors", "os.path", "tasks", "tasks.atomic_files", "json"),
        *("tasks.data", "tasks.data.sibling", "tasks.reports.plots", "tasks.reports.plots.draw"),
        *("tasks.cli.main", "tasks.cli.main.main"),
    }
    assert imported("from . import sibling", "tasks.data", is_package=True) == {"tasks.data", "tasks.data.sibling"}


def test_every_module_is_in_a_room():
    assert {room_of(name) for name in MODULES} == set(MAY_IMPORT)
    assert {f"tasks.{name}" for name in ROOT_MODULES} <= set(MODULES)


@pytest.mark.parametrize("name", MODULES)
def test_a_module_imports_only_the_rooms_below_its_own(name):
    room = room_of(name)
    # A package without content is imported together with each of its modules.
    others = {other for other in own_imports(name) if other != "tasks" and room_of(other) != room}
    forbidden = {other for other in others if room_of(other) not in MAY_IMPORT[room]}
    if name in MAY_IMPORT_CLI:
        forbidden = {other for other in forbidden if room_of(other) != "cli"}
    assert not forbidden, f"{name} imports {sorted(forbidden)}"


def reads_environment(source: str) -> bool:
    names = {ast.unparse(node) for node in nodes(ast.parse(source)) if isinstance(node, ast.Attribute)}
    return bool(({*names} | imported(source)) & {"os.environ", "os.getenv", "os.environb", "sys.argv", "sys.orig_argv"})


def test_only_cli_reads_the_environment_or_the_command_line():
    assert reads_environment("import os\ndef f(): return os.environ.get('A')")
    assert reads_environment("from sys import argv")
    assert not reads_environment("import sys\nsys.exit(0)")
    reading = {name for name, path in MODULES.items() if reads_environment(path.read_text(encoding="utf-8"))}
    assert {room_of(name) for name in reading} <= {"cli"}, reading


@pytest.mark.parametrize("name", sorted(MAY_IMPORT_CLI))
def test_an_entry_point_ends_the_process_with_the_function_that_leaves_out_the_search_for_garbage(name):
    source = MODULES[name].read_text(encoding="utf-8")
    assert "    end(" in source and "sys.exit(" not in source, f"{name}: call tasks.cli.start.end, not sys.exit"


# Imports modules one after the other; prints the modules of other projects that a first one of them brings along.
LIGHT = """
import importlib, json, sys
heavy = {"tensorflow", "keras", "numpy"}
for name in json.loads(sys.argv[1]):
    importlib.import_module(name)
    if heavy & set(sys.modules):
        sys.exit(f"{name} imports {sorted(heavy & set(sys.modules))}")
"""


def is_light(name: str) -> bool:
    """Whether a module is read for `--help` and for messages about wrong options."""
    last = name.rpartition(".")[2]
    return last.endswith("settings") or last in ("task", "metrics", "__main__") or room_of(name) in ("cli", "root")


def test_settings_metrics_tasks_and_cli_start_without_tensorflow_keras_or_numpy():
    light = [name for name in MODULES if is_light(name) and room_of(name) != "samples" and name != "models.metrics"]
    assert {"tasks.cli.main", "tasks.sentiment.settings", "tasks.sentiment.metrics", "models.network_settings"} <= {
        *light
    }
    command = [sys.executable, "-c", LIGHT, json.dumps(light)]
    started = subprocess.run(command, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True)
    assert started.returncode == 0, started.stderr.decode()


def test_no_file_is_longer_than_300_lines():
    lengths = {
        name: len(path.read_text(encoding="utf-8").splitlines())
        for name, path in MODULES.items()
        if not name.startswith(SAMPLES)
    }
    assert not {name: length for name, length in lengths.items() if length > 300}


def implementations() -> list[tuple[str, str]]:
    """(module, "module:function") of every call of `implemented_by`."""
    return [
        (module, node.args[0].value)
        for module, path in MODULES.items()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "implemented_by"
    ]


def test_a_task_is_implemented_in_its_own_package_by_functions_that_exist():
    assert len(implementations()) > 40
    for module, reference in implementations():
        target, _, name = reference.partition(":")
        assert target.rpartition(".")[0] == module.rpartition(".")[0], reference
        definitions = ast.parse(MODULES[target].read_text(encoding="utf-8")).body
        assert name in {getattr(node, "name", None) for node in definitions}, reference
