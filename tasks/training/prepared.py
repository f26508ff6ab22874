"""The prepared data of a run, tied to the files that they were made from."""

import logging

from models.recurrent_settings import Settings
from tasks.data.stored_files import checksums, verify
from tasks.errors import UserError
from tasks.task import Task
from tasks.training import source_files
from tasks.training.runs import Run

log = logging.getLogger(__name__)


def prepare(task: Task, settings: Settings, run: Run, *, overwrite: bool = False) -> None:
    """Prepare the data of a run, unless they are complete and their source has not changed.

    If it has changed, an interrupted training starts from the beginning: its vocabulary and its weights belong to the
    old data.

    Args:
        task: The task.
        settings: The settings of the run.
        run: The run, which is not finished.
        overwrite: Whether damaged files are prepared again.

    Raises:
        UserError: If the source cannot be used, or a prepared file is damaged and `overwrite` is not set.
    """
    sources = source_files.fingerprint(task.name, settings)  # before they are read: they may change meanwhile
    if run.prepared:
        record = run.prepared_record()
        changed = source_files.changed(record.get("sources", sources), sources)
        if changed is None:
            try:
                return verify(run.path, record.get("files"), "add --overwrite to prepare the data again")
            except UserError:
                if not overwrite:
                    raise
        else:
            log.warning(
                "%s has changed: the data are prepared again, and the training starts from the beginning", changed
            )
            run.start_again()
    task.prepare(settings, run)
    files = {*run.vocabulary.rglob("*"), *run.checkpoint.rglob("*")} - {run.state_file, run.prepared_marker}
    run.mark_prepared({"sources": sources, "files": checksums(run.path, files)})
