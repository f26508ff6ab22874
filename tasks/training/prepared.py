"""The prepared data of a run, tied to the files that they were made from."""

import contextlib
import logging
import shutil
from collections.abc import Iterator
from typing import Any

from models.recurrent_settings import Settings
from tasks.data import record_cache, worker_processes
from tasks.data.stored_files import checksums, verify
from tasks.errors import UserError
from tasks.task import Task
from tasks.training import initial_run, pretrained, source_files, stored_settings
from tasks.training.runs import Run

log = logging.getLogger(__name__)

# The folder of the records of a source while they are prepared; `atomic_files.remove_temporary` finds it by its name.
CACHE = ".writing-records"


def prepare(
    task: Task, settings: Settings, run: Run, *, overwrite: bool = False, processes: int | None = None
) -> Settings:
    """Prepare the data of a run, unless they are complete and their source has not changed.

    Settings that are "auto" get their values first: those of the run that the training goes on from, or others that fit
    the data. Settings that language models determine get their values too.

    If it has changed, an interrupted training starts from the beginning: its vocabulary and its weights belong to the
    old data.

    Args:
        task: The task.
        settings: The settings of the run.
        run: The run, which is not finished.
        overwrite: Whether damaged files are prepared again.
        processes: Maximum number of processes that read the files and count n-grams; None is the number of cores.

    Returns:
        The settings in force, which are also in settings.json.

    Raises:
        UserError: If the source cannot be used, or a prepared file is damaged and `overwrite` is not set.
    """
    from tasks.training import pretrained_texts  # imports TensorFlow, which word vectors do not need

    sources = source_files.fingerprint(task.name, settings)  # before they are read: they may change meanwhile
    if is_current(run, sources, overwrite=overwrite):
        return run.settings(task.settings_class)
    given = stored_settings.dumped(task.name, settings)
    initial_run.copy(task, settings, run)
    initial_run.copy_vocabulary(run)
    pretrained.copy(settings, run)
    settings = pretrained.inherited(initial_run.inherited(settings, run), run)
    with in_processes(run, processes):
        settings = _stored(task, run, *task.resolve(settings))
        task.prepare(settings, run)
        names = pretrained.names_of(settings)
        models = {f"{names} ({direction})": model for direction, model in pretrained.copies(run).items()}
        pretrained_texts.keep_texts(run, models)
        pretrained_texts.warn_of_test_texts(task, settings, models)
        settings = _stored(task, run, *task.resolve_epochs(settings, task.open_data(settings, run)))
    mark(run, sources, given)
    return settings


@contextlib.contextmanager
def in_processes(run: Run, processes: int | None, *, repeatedly: bool = True) -> Iterator[None]:
    """Read large files in separate processes inside the `with` block, and once.

    Args:
        run: The run that the records are kept in meanwhile.
        processes: Maximum number of processes; None is the number of cores.
        repeatedly: Whether several steps read the files.
    """
    folder = run.path / CACHE
    with record_cache.reading_once(folder, repeatedly=repeatedly), worker_processes.available(processes):
        yield


def is_current(run: Run, sources: source_files.Fingerprint, *, overwrite: bool = False) -> bool:
    """Return whether the data of a run are complete, and were made from these files; otherwise they are made anew.

    An interrupted training then starts from the beginning.

    Args:
        run: The run, which is not finished.
        sources: The files of the source.
        overwrite: Whether damaged files are prepared again.

    Raises:
        UserError: If a prepared file is damaged and `overwrite` is not set.
    """
    if not run.prepared:
        return False
    record = None
    try:
        record = run.prepared_record()
        changed = source_files.changed(record.get("sources", sources), sources)
        if changed is None:
            verify(run.path, record.get("files", {}), "add --overwrite to prepare the data again")
            return True
    except UserError:
        if not overwrite:
            raise
        if record is None:  # the weights may belong to other data
            run.start_again()
        _remove_damaged_copy(run, (record or {}).get("files"))
    else:
        log.warning("%s has changed: the data are prepared again, and the training starts from the beginning", changed)
        run.start_again()
    return False


def mark(run: Run, sources: source_files.Fingerprint, asked: dict[str, Any]) -> None:
    """Record that the data of a run are complete.

    Args:
        run: The run.
        sources: The files that they were made from.
        asked: The settings as they were given, as settings.json holds them.
    """
    files = {*run.vocabulary.rglob("*"), *run.checkpoint.rglob("*")} - {run.state_file, run.prepared_marker}
    run.mark_prepared({"sources": sources, "files": checksums(run.path, files), "asked": asked})


def _remove_damaged_copy(run: Run, files: Any) -> None:
    """Remove the copy of a run that the training begins with, if it is damaged: it may be the only one."""
    for folder in (run.initial.path, run.pretrained):
        place = f"{folder.relative_to(run.path).as_posix()}/"
        try:
            verify(run.path, {name: value for name, value in files.items() if name.startswith(place)}, "")
        except (UserError, AttributeError):
            shutil.rmtree(folder, ignore_errors=True)


def asked(task: Task, run: Run) -> Settings:
    """Return the settings as they were given when the data were prepared, where some may be "auto"."""
    stored = run.prepared_record().get("asked") or run.stored()  # an earlier version did not record them
    return stored_settings.validated(run.prepared_marker, stored, task.settings_class, "Add --overwrite")


def _stored(task: Task, run: Run, settings: Settings, reasons: str) -> Settings:
    """Log the reasons why some settings have been resolved, if there are any; store the settings, and return them."""
    if reasons:
        log.info("%s", reasons)
    run.write_settings(task.name, settings)
    return settings
