"""Copies of finished runs that a training begins with, so that it does not depend on them. Imports no TensorFlow."""

import os
import shutil
from pathlib import Path

from tasks.errors import UserError
from tasks.training.runs import Run


def pretrained_texts_of(run: Run) -> Path:
    """Return the file with the hashes of the texts of language models that a run began with; it may be missing."""
    return run.path / "pretrained_texts.npz"


def request_of(run: Run) -> Path:
    """Return the file that says what the training of a run was asked for, and on which files; it may be missing."""
    return run.path / "request.json"


def lsa_of(run: Run) -> Path:
    """Return the file with the latent semantic analysis of a language model; most runs have none. See `lsa`."""
    return run.path / "lsa.npz"


def copy(source: Run, folder: Path, named: str) -> None:
    """Copy what a training needs of another run: settings, weights, vocabulary, and what it has of its training texts.

    Args:
        source: The other run, which is finished.
        folder: The folder to copy it into; it may exist.
        named: The option that names the other run, with its value, for the message.

    Raises:
        UserError: If the other run is replaced while it is read.
    """
    before = source.model_file.stat()
    folder.mkdir(exist_ok=True)
    for file in (source.settings_file, source.model_file):
        shutil.copy(file, folder)
    # A run of an earlier version has no training texts, and most runs did not begin with language models, and are none.
    # The request names the files of its data.
    files = (source.training_texts, pretrained_texts_of(source), request_of(source), lsa_of(source))
    for file in filter(Path.exists, files):
        shutil.copy(file, folder)
    shutil.copytree(source.vocabulary, folder / source.vocabulary.name)
    if not os.path.samestat(before, source.model_file.stat()):
        raise UserError(f"{named} was replaced while it was read; repeat the command")
