"""The folders of models: which models there are, and which versions."""

from dataclasses import dataclass
from pathlib import Path

from tasks.errors import UserError

SAVED_MODEL = "saved_model.pb"
# Versions are int64.
MAX_VERSION = (1 << 63) - 1


@dataclass(frozen=True)
class ModelFolder:
    """Where the versions of a model are.

    Attributes:
        name: The model's name.
        path: The folder whose sub-folders are versions, or the folder of the one version.
        version: The one version that is served; None for the newest ones.
    """

    name: str
    path: Path
    version: int | None = None

    def versions(self) -> dict[int, Path]:
        """Return the folders of the versions by number.

        Raises:
            OSError: If the folder cannot be read.
        """
        if self.version is not None:
            return {self.version: self.path} if self.path.is_dir() else {}
        return _versions(self.path)


def version_number(name: str) -> int | None:
    """Return the number of a version's folder; None if the name is no number of a version."""
    digits = name.lstrip("0") or "0"
    is_number = name.isascii() and name.isdecimal() and len(digits) <= len(str(MAX_VERSION))
    return int(digits) if is_number and int(digits) <= MAX_VERSION else None


def _versions(path: Path) -> dict[int, Path]:
    numbered = ((version_number(child.name), child) for child in path.iterdir())
    return {number: child for number, child in numbered if number is not None and child.is_dir()}


def _has_versions(path: Path) -> bool:
    try:
        return path.is_dir() and bool(_versions(path))
    except OSError:
        return False


def find_models(path: Path) -> dict[str, ModelFolder]:
    """Return the models at a path, by name.

    Args:
        path: A version, a model, or a folder of models.

    Raises:
        UserError: If there is none.
    """
    if not path.exists():
        raise UserError(f"{path} does not exist; name a folder that export has written, such as saved_models/NAME")
    absolute = path.absolute()
    if (absolute / SAVED_MODEL).exists():
        number = version_number(absolute.name)
        if number is not None:
            return {absolute.parent.name: ModelFolder(absolute.parent.name, absolute, number)}
        return {absolute.name: ModelFolder(absolute.name, absolute, 1)}
    if _has_versions(absolute):
        return {absolute.name: ModelFolder(absolute.name, absolute)}
    models = models_in(absolute)
    if not models:
        raise UserError(
            f"{path} has no exported model: expected saved_models/NAME/VERSION, saved_models/NAME or a folder of models"
        )
    return models


def models_in(path: Path) -> dict[str, ModelFolder]:
    """Return the models in a folder of models, by name; none if it cannot be read."""
    try:
        children = sorted(path.iterdir()) if path.is_dir() else []
    except OSError:
        return {}
    return {
        child.name: ModelFolder(child.name, child)
        for child in children
        # A name that is no text, such as bytes of another encoding, could not be written in an answer.
        if not child.name.startswith(".") and child.name.isprintable() and _has_versions(child)
    }


def find_all(paths: tuple[str, ...]) -> dict[str, ModelFolder]:
    """Return the models at several paths, by name.

    Raises:
        UserError: If a path has none, or two have models of the same name.
    """
    found: dict[str, ModelFolder] = {}
    for path in paths:
        for name, model in find_models(Path(path)).items():
            if name in found and found[name] != model:
                raise UserError(f"{found[name].path} and {model.path} have the same name; rename one of the folders")
            found[name] = model
    return found


def is_folder_of_models(path: Path) -> bool:
    """Return whether new models may appear below a path."""
    return path.is_dir() and not (path / SAVED_MODEL).exists() and not _has_versions(path)


def fingerprint(folder: Path) -> tuple | None:
    """Return what changes when a file below a folder does; None if the folder cannot be read."""
    try:
        states = [(str(path), path.stat()) for path in sorted(folder.rglob("*"))]
    except OSError:
        return None
    return tuple((name, state.st_size, state.st_mtime_ns, state.st_ctime_ns) for name, state in states)
