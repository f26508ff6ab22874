"""The suite in an environment that exists: Google Colab's packages stay as they are, and the suite runs with them."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

pytestmark = pytest.mark.environment

ROOT = Path(__file__).parents[2]
REQUIREMENTS = ROOT / "requirements.txt"
CLUSTER = ROOT / "requirements-cluster.txt"


def run(*command: str | Path, **environment: str) -> str:
    """Runs a command in a clone of this project; returns its standard output."""
    ended = subprocess.run(command, cwd=ROOT, env=os.environ | environment, stdout=subprocess.PIPE, text=True)
    assert ended.returncode == 0, ended.stdout[-5000:]
    return ended.stdout


def installed(python: Path) -> dict[str, str]:
    """The version of each package of an environment."""
    packages = json.loads(run(python, "-m", "pip", "list", "--format", "json"))
    return {canonicalize_name(package["name"]): package["version"] for package in packages}


@pytest.fixture(scope="module")
def colab(tmp_path_factory) -> Path:
    """The Python of an environment with Colab's packages; the second test installs those of the suite, too."""
    folder = tmp_path_factory.mktemp("environment") / "colab"
    run(sys.executable, "-m", "venv", folder)
    python = folder / "bin" / "python"
    run(python, "-m", "pip", "install", "-q", "-r", Path(__file__).with_name("colab.txt"))
    return python


def test_an_installation_replaces_no_package_of_colab(colab):
    report = json.loads(run(colab, "-m", "pip", "install", "--dry-run", "--quiet", "--report", "-", "-r", REQUIREMENTS))
    before = installed(colab)
    new = {canonicalize_name(item["metadata"]["name"]): item["metadata"]["version"] for item in report["install"]}
    kept = ("tensorflow", "keras", "ipykernel", "jupyter-client", "protobuf", "numpy")
    print("\nkept:", *(f"{name} {before[name]}" for name in kept))
    print("installed:", *(f"{name} {version}" for name, version in sorted(new.items())))
    assert not set(new) & set(before)


def test_a_notebook_installs_what_is_missing_and_runs(colab, tmp_path):
    before = installed(colab)
    run(colab, "notebooks/run.py", "sentiment", FAST="1", RUNS=str(tmp_path))
    assert "gensim" in installed(colab)
    assert before.items() <= installed(colab).items()


def test_the_quick_tests_pass_with_the_lowest_versions_of_tensorflow_and_keras(colab):
    [keras] = re.findall(r"^keras>=([\d.]+)", REQUIREMENTS.read_text(encoding="utf-8"), re.MULTILINE)
    # TensorFlow Datasets cannot be imported with Colab's tensorflow-metadata, which needs a newer protobuf.
    for_tests = ("pytest-xdist", "kubernetes-validate", "tensorflow-metadata<1.18")
    run(colab, "-m", "pip", "install", "-q", f"keras=={keras}.0", "-r", REQUIREMENTS, "-r", CLUSTER, *for_tests)
    assert installed(colab)["tensorflow"].startswith("2.20.")
    quick = ("-q", "-n", "2", "--dist", "loadfile", "--no-loadscope-reorder", "-m", "not slow and not environment")
    print(*run(colab, "-m", "pytest", *quick, PYTHONPATH=str(ROOT)).splitlines()[-1:])
