"""Prepares the kernel of a notebook: installs what it lacks, and puts this suite before other modules of its names.

The first cell of every notebook runs this file, before anything is installed: it imports what every kernel has.
"""

import importlib
import importlib.metadata
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]
NAMES = ("models", "tasks")  # the packages of the suite
RESTART = "restart the kernel (in Colab: Runtime > Restart session) and run the notebook from its first cell"


class KernelError(RuntimeError):
    """The kernel cannot run the notebook. A notebook shows the message without a traceback."""

    def _render_traceback_(self) -> list[str]:
        """Return the lines that IPython shows."""
        return [str(self)]


def prepare(requirements: Path = ROOT / "requirements.txt") -> None:
    """Prepare this kernel.

    Args:
        requirements: File with the names and versions of packages.

    Raises:
        KernelError: If the kernel must be restarted, or cannot be prepared; the message says what to do.
    """
    _put_suite_first()
    lacking, tensorflow = missing(requirements), sys.modules.get("tensorflow")
    if not lacking and tensorflow is None:
        return
    before = _versions()
    if tensorflow is not None and "tensorflow" in before:  # another cell may have replaced it
        before["tensorflow"] = str(Version(tensorflow.__version__))
    if lacking:
        _install(requirements, lacking)
    replaced = _replaced_after_import(before)
    if replaced:
        raise KernelError(f"Packages that this kernel had imported were replaced by {', '.join(replaced)}: {RESTART}.")


def missing(requirements: Path) -> list[str]:
    """Return the requirements that are not installed, or not in a version that is asked for.

    Args:
        requirements: File with the names and versions of packages.
    """
    found = []
    for line in requirements.read_text(encoding="utf-8").splitlines():
        line = line.partition("#")[0].strip()
        if not line:
            continue
        requirement = Requirement(line)
        if requirement.marker is not None and not requirement.marker.evaluate():
            continue
        try:
            version = importlib.metadata.version(requirement.name)
        except importlib.metadata.PackageNotFoundError:
            version = None
        if version is None or not requirement.specifier.contains(version, prereleases=True):
            found.append(f"{requirement.name}{requirement.specifier}")
    return found


def _put_suite_first() -> None:
    """Let Python find the packages of the suite before other modules of their names.

    Raises:
        KernelError: If another module of such a name is imported already.
    """
    for name in NAMES:
        module = sys.modules.get(name)
        file = getattr(module, "__file__", None)
        if module is None or (file and Path(file).resolve().parent == ROOT / name):
            continue
        place = file or ", ".join(getattr(module, "__path__", [])) or "this notebook"
        raise KernelError(f"`{name}` in this kernel is not that of the suite, but {place}: rename it, then {RESTART}.")
    sys.path[:] = [str(ROOT), *(path for path in sys.path if path != str(ROOT))]
    importlib.invalidate_caches()


def _install(requirements: Path, lacking: list[str]) -> None:
    """Install the requirements; pip keeps the packages that have a version that is asked for.

    Raises:
        KernelError: If pip is not there or fails.
    """
    if importlib.util.find_spec("pip") is None:
        tool = f"the tool that made its environment, such as `uv pip install -r {requirements}`"
        raise KernelError(f"This kernel lacks {', '.join(lacking)} and pip: install them with {tool}.")
    print(f"Installing {', '.join(lacking)} ...", flush=True)
    quiet = {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_ROOT_USER_ACTION": "ignore"}
    command = [sys.executable, "-m", "pip", "install", "-q", "-r", str(requirements)]
    ended = subprocess.run(command, env=os.environ | quiet, capture_output=True, text=True)
    if ended.returncode:
        raise KernelError(f"pip could not install {', '.join(lacking)}:\n{ended.stderr.strip()}")
    print(ended.stderr, end="")  # such as conflicts with other packages
    importlib.invalidate_caches()


def _versions() -> dict[str, str]:
    """Return the versions of all installed packages by their names."""
    names = {found.name.lower() for found in importlib.metadata.distributions() if found.name}
    return {name: importlib.metadata.version(name) for name in names}


def _replaced_after_import(before: dict[str, str]) -> list[str]:
    """Return the packages that are newer on disk than in this kernel, such as `"tensorflow 2.21.0"`.

    Args:
        before: The versions from which this kernel imported. A package that is not named may have overwritten the files
            of another one, such as `tensorflow` those of `tensorflow-cpu`.
    """
    changed = (item for item in _versions().items() if item not in before.items())
    return sorted(f"{name} {version}" for name, version in changed if _is_imported(name))


def _is_imported(name: str) -> bool:
    """Return whether a module of an installed package is imported."""
    files = (file for file in importlib.metadata.files(name) or () if file.suffix == ".py")
    return any(".".join(file.with_suffix("").parts).removesuffix(".__init__") in sys.modules for file in files)
