"""Finished runs that are opened instead of being trained again, as by a cell of a notebook after a restart."""

import contextlib
from pathlib import Path

from models.recurrent_settings import Settings
from tasks import atomic_files
from tasks.data.stored_files import read_sealed, sealed
from tasks.errors import UserError
from tasks.training import initial_run, pretrained, run_copies, source_files, stored_settings
from tasks.training.runs import Run
from tasks.training.source_files import Fingerprint


def weights_before(settings: Settings) -> Fingerprint:
    """Return what changes when the weights that a training begins with change; files that are gone are left out."""
    found: Fingerprint = {}
    with contextlib.suppress(OSError):
        found |= initial_run.fingerprint(settings)
    with contextlib.suppress(OSError):
        found |= pretrained.fingerprint(settings)
    return found


def record(run: Run, other_files: Fingerprint | None = None) -> None:
    """Keep in the folder of a run what its training was asked for, and on which files; before it is finished.

    Args:
        run: The run, with its checkpoint.
        other_files: Files that matter, besides those of the data.
    """
    prepared = run.prepared_record()
    if prepared.get("asked"):
        kept = {"asked": prepared["asked"], "sources": prepared.get("sources", {}) | (other_files or {})}
        atomic_files.write_json(run_copies.request_of(run), sealed(kept))


def changed_file(run: Run, files: Fingerprint) -> str | None:
    """Return the first file of the data that has changed since a finished run was trained.

    Args:
        run: The run, or a copy of it.
        files: The files of the data, as they are now.

    Returns:
        The file; None if none has changed, or if an earlier version did not record them.
    """
    try:
        before = read_sealed(run_copies.request_of(run), "")["sources"]
    except (UserError, KeyError):
        return None
    of_weights = {path for path in before if Path(path).name == run.model_file.name}
    return source_files.changed({path: before[path] for path in {*before} - of_weights}, files)


def is_trained(run: Run, task: str, settings: Settings, files: Fingerprint) -> bool:
    """Return whether a run is finished, and was trained with these settings on these files.

    Args:
        run: The run.
        task: The name of the task.
        settings: The settings, some of which may be "auto"; or all of them as they are in settings.json.
        files: The files of the data, and others that matter, as they are now.
    """
    if not (run.finished and run_copies.request_of(run).exists()):
        return False
    asked = stored_settings.dumped(task, settings)
    try:
        kept = read_sealed(run_copies.request_of(run), "")
        before = [stored_settings.with_defaults(one, settings) for one in (kept["asked"], run.stored())]
        same = None in (stored_settings.first_difference(one, asked) for one in before)
    except (UserError, KeyError):  # damaged
        return False
    return same and source_files.changed(kept["sources"], files) is None
