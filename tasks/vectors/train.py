"""Trains word vectors in a run's folder, or resumes an interrupted training."""

import logging
import shlex
from pathlib import Path

from tasks.data.library_logs import log_level
from tasks.training import locks, prepared, reopening, runs, source_files, stored_settings
from tasks.training.runs import Run
from tasks.validation import check_settings
from tasks.vectors import corpus, words
from tasks.vectors.settings import VectorSettings
from tasks.vectors.stored_vectors import NAME, VectorRun, write
from tasks.vectors.training import VectorTraining

log = logging.getLogger(__name__)


def train(
    settings: VectorSettings,
    run: Path | str,
    *,
    overwrite: bool = False,
    reopen: bool = False,
    verbose: int = 1,
    processes: int | None = None,
) -> VectorRun:
    """Train word vectors in the folder `run`.

    Args:
        settings: The settings.
        run: A new folder, or the folder of the same training, interrupted, which is then resumed after the last epoch
            that was stored.
        overwrite: Whether the new run replaces a finished one, which stays until the new one is finished.
        reopen: Whether a finished run of the same settings and texts is returned as it is; one of others is replaced.
        verbose: 0 for no output, otherwise a line for each epoch.
        processes: Maximum number of processes that read the texts; None is the number of cores.

    Returns:
        The finished run.

    Raises:
        UserError: If the settings, the texts, the vocabulary or the folder cannot be used, or another process trains in
            the folder.
        TrainingFailed: If the vectors are no longer finite.

    Example:
        >>> from tasks.vectors.settings import VectorSettings
        >>> settings = VectorSettings(data={"data": "texts.txt"}, training={"epochs": 1, "embedding_size": 8})
        >>> train(settings, "runs/new-vectors", verbose=0).path.name
        'new-vectors'
    """
    check_settings(settings, VectorSettings)
    # gensim reports the same, and warns of short epochs.
    with log_level("gensim", logging.ERROR), locks.locked(run):
        if reopen and not overwrite and reopening.is_trained(VectorRun(run), NAME, settings, _sources(settings)):
            if verbose:
                print(f"{run} is trained already, with the same settings and texts: opened")
            return VectorRun(run)
        overwrite = overwrite or reopen
        folder = runs.begin(run, NAME, settings, overwrite=overwrite, run_class=VectorRun)
        settings = _prepare(settings, folder, overwrite, processes)
        text = corpus.read(folder)
        training = VectorTraining(settings.training, text)
        training.restore(folder)
        training.train(folder, verbose)
        write(training.model, folder)
        reopening.record(folder)
        runs.finish(folder, run)
    log.info("%s", _closing_report(Path(run), next(iter(text.counts))))
    return VectorRun(run)


def _prepare(settings: VectorSettings, run: Run, overwrite: bool, processes: int | None) -> VectorSettings:
    """Prepare the texts, unless that is done and their source has not changed; return the settings in force."""
    sources = _sources(settings)
    if prepared.is_current(run, sources, overwrite=overwrite):
        return run.settings(VectorSettings)
    given = stored_settings.dumped(NAME, settings)
    with prepared.in_processes(run, processes, repeatedly=False):
        settings, reasons = corpus.prepare(settings, run)
    if reasons:
        log.info("%s", reasons)
    run.write_settings(NAME, settings)
    prepared.mark(run, sources, given)
    return settings


def _sources(settings: VectorSettings) -> source_files.Fingerprint:
    sources = source_files.fingerprint(NAME, settings)
    if settings.vocabulary.vocabulary is not None:
        model = words.find_model(settings.vocabulary.vocabulary)
        sources[str(model)] = source_files.fingerprint_of(model)
    return sources


def _closing_report(run: Path, word: str) -> str:
    command, place = f"  python -m tasks.{NAME}", f"--run {shlex.quote(str(run))}"
    return "\n".join(["next:", f"{command} neighbours {place} {shlex.quote(word)}", f"{command} export {place}"])
