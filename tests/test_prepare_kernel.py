"""What the first cell of a notebook does in a kernel that exists: it keeps what is there."""

import os
import runpy
import subprocess
import sys
import zipfile
from pathlib import Path
from types import ModuleType

import numpy
import pytest

ROOT = Path(__file__).parents[1]
PREPARE = ROOT / "notebooks" / "prepare_kernel.py"


def write_wheel(folder: Path, name: str, version: str) -> None:
    """A package with one module, which knows its version."""
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}/__init__.py": f"__version__ = '{version}'\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    files[f"{info}/RECORD"] = "".join(f"{file},,\n" for file in [*files, f"{info}/RECORD"])
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        for file, content in files.items():
            wheel.writestr(file, content)


@pytest.fixture
def kernel(tmp_path):
    """The Python of an environment with IPython, pip and a package tensorflow 2.20.0; 2.21.0 can be installed."""
    for version in ("2.20.0", "2.21.0"):
        write_wheel(tmp_path, "tensorflow", version)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    python = tmp_path / "venv" / "bin" / "python"
    [site] = (tmp_path / "venv").glob("lib/python*/site-packages")
    (site / "shared.pth").write_text(str(Path(numpy.__file__).parents[1]))
    subprocess.run(
        [python, "-m", "pip", "install", "-q", "--no-index", "-f", tmp_path, "tensorflow==2.20.0"], check=True
    )
    return python


def run_cell(kernel: Path, *lines: str, **environment: str) -> str:
    """Runs lines as a cell, after an import of TensorFlow; returns what it shows."""
    prepare = f"prepare = runpy.run_path({str(PREPARE)!r})['prepare']"
    cell = "\n".join(["import pathlib, runpy, subprocess, sys, tensorflow", prepare, *lines])
    folder = kernel.parents[2]
    environment = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(folder), "IPYTHONDIR": str(folder)} | environment
    command = [kernel, "-m", "IPython", "--no-banner", "--colors=NoColor", "-c", cell]
    ended = subprocess.run(command, env=os.environ | environment, cwd=folder, capture_output=True, text=True)
    return ended.stdout + ended.stderr


def test_what_has_a_version_that_is_asked_for_is_not_missing(tmp_path):
    lines = [
        "# A comment",
        "numpy>=2  # arrays",
        "NumPy<1",
        "",
        "none-such[extra]>=1,<2",
        "none-such; python_version < '3'",
    ]
    (tmp_path / "requirements.txt").write_text("\n".join(lines))
    missing = runpy.run_path(str(PREPARE))["missing"](tmp_path / "requirements.txt")
    assert missing == ["NumPy<1", "none-such<2,>=1"]


def test_the_packages_of_this_project_come_first(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    (tmp_path / "requirements.txt").write_text("numpy>=2\n")
    runpy.run_path(str(PREPARE))["prepare"](tmp_path / "requirements.txt")
    assert sys.path[0] == str(ROOT) and sys.path.count(str(ROOT)) == 1


def test_another_module_of_the_same_name_is_named(tmp_path, monkeypatch):
    other = ModuleType("models")
    other.__file__ = str(tmp_path / "models.py")
    monkeypatch.setitem(sys.modules, "models", other)
    with pytest.raises(RuntimeError, match=rf"`models` .* {other.__file__}: rename it, then restart the kernel"):
        runpy.run_path(str(PREPARE))["prepare"]()


@pytest.mark.parametrize("place", ["models.py", "models/weights.h5"])
def test_an_import_of_the_tasks_says_which_module_hides_the_networks(tmp_path, place):
    (tmp_path / place).parent.mkdir(exist_ok=True)
    (tmp_path / place).touch()
    program = f"import models, sys; sys.path.append({str(ROOT)!r}); import tasks.errors"
    # -S: without the packages that are installed, of which the suite may be one.
    command = [sys.executable, "-S", "-c", program]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    ended = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    message = ended.stderr.splitlines()[-1]
    assert f"`models` is {tmp_path / place.partition('/')[0]}" in message and f"put {ROOT} before" in message


@pytest.mark.slow
def test_a_kernel_keeps_its_tensorflow_or_asks_for_a_restart(kernel, tmp_path):
    (tmp_path / "old.txt").write_text("tensorflow>=2.20,<2.22\n")
    (tmp_path / "new.txt").write_text("tensorflow>=2.21,<2.22\n")
    (tmp_path / "none.txt").write_text("tensorflow>=3\n")
    restart = (
        "Packages that this kernel had imported were replaced by tensorflow 2.21.0: restart the kernel (in Colab: "
        "Runtime > Restart session) and run the notebook from its first cell."
    )
    assert run_cell(kernel, "prepare(pathlib.Path('old.txt'))") == ""  # nothing is installed
    failed = run_cell(kernel, "prepare(pathlib.Path('none.txt'))")
    assert "pip could not install tensorflow>=3:" in failed and "No matching distribution" in failed
    shown = run_cell(kernel, "prepare(pathlib.Path('new.txt'))")
    assert shown.splitlines() == ["Installing tensorflow<2.22,>=2.21 ...", restart]  # no traceback
    # The next start of the kernel has the new one.
    assert run_cell(kernel, "prepare(pathlib.Path('new.txt'))", "print(tensorflow.__version__)") == "2.21.0\n"
    # Another cell may have replaced it, too.
    install = "subprocess.run([sys.executable, '-m', 'pip', 'install', '-q', 'tensorflow==2.20.0'], check=True)"
    assert "replaced by tensorflow 2.20.0" in run_cell(kernel, f"_ = {install}", "prepare(pathlib.Path('old.txt'))")
