"""Trains word vectors in a run's folder, or resumes an interrupted training."""

import logging
import shlex
from pathlib import Path

from tasks.training import locks, prepared, runs, source_files, stored_settings
from tasks.training.runs import Run
from tasks.vectors import corpus, words
from tasks.vectors.settings import VectorSettings
from tasks.vectors.stored_vectors import NAME, VectorRun, write
from tasks.vectors.training import VectorTraining

log = logging.getLogger(__name__)


def train(settings: VectorSettings, run: Path | str, *, overwrite: bool = False) -> VectorRun:
    """Train word vectors in the folder `run`.

    Args:
        settings: The settings.
        run: A new folder, or the folder of the same training, interrupted, which is then resumed after the last epoch
            that was finished.
        overwrite: Whether the new run replaces a finished one, which stays until the new one is finished.

    Returns:
        The finished run.

    Raises:
        UserError: If the texts, the vocabulary or the folder cannot be used, or another process trains in the folder.
        TrainingFailed: If the vectors are no longer finite.

    Example:
        ```python
        from tasks.vectors.settings import VectorSettings
        from tasks.vectors.stored_vectors import WordVectors

        run = train(VectorSettings(data={"data": "texts.txt"}), "runs/vectors")
        WordVectors(run.path).neighbours("film", count=5)
        ```
    """
    logging.getLogger("gensim").setLevel(logging.ERROR)  # it reports the same, and warns of short epochs
    with locks.locked(run):
        folder = runs.begin(run, NAME, settings, overwrite=overwrite, run_class=VectorRun)
        settings = _prepare(settings, folder, overwrite)
        text = corpus.read(folder)
        training = VectorTraining(settings.training, text)
        training.restore(folder)
        training.train(folder)
        write(training.model, folder)
        runs.finish(folder, run)
    log.info("%s", _closing_report(Path(run), next(iter(text.counts))))
    return VectorRun(run)


def _prepare(settings: VectorSettings, run: Run, overwrite: bool) -> VectorSettings:
    """Prepare the texts, unless that is done and their source has not changed; return the settings in force."""
    sources = source_files.fingerprint(NAME, settings)
    if settings.vocabulary.vocabulary is not None:
        model = words.find_model(settings.vocabulary.vocabulary)
        sources[str(model)] = source_files.fingerprint_of(model)
    if prepared.is_current(run, sources, overwrite=overwrite):
        return run.settings(VectorSettings)
    given = stored_settings.dumped(NAME, settings)
    settings, reasons = corpus.prepare(settings, run)
    if reasons:
        log.info("%s", reasons)
    run.write_settings(NAME, settings)
    prepared.mark(run, sources, given)
    return settings


def _closing_report(run: Path, word: str) -> str:
    command, place = f"  python -m tasks.{NAME}", f"--run {shlex.quote(str(run))}"
    return "\n".join(["next:", f"{command} neighbours {place} {shlex.quote(word)}", f"{command} export {place}"])
