"""Whether the texts of a classifier are fit for its language models: not among their texts, and not of other pieces."""

import collections
import contextlib
import itertools
import logging
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from models.recurrent_settings import Settings
from models.text import UNKNOWN
from tasks import atomic_files
from tasks.data import vocabularies
from tasks.data.bounded_files import load_arrays
from tasks.data.library_logs import log_level
from tasks.data.overlap import MAX_TEXTS as MAX_KNOWN_TEXTS
from tasks.data.overlap import WHOLE, Overlap, compared_texts
from tasks.data.stored_files import reading
from tasks.errors import UserError
from tasks.task import Task
from tasks.training.pretrained import VOCABULARY_FILE
from tasks.training.run_copies import pretrained_texts_of
from tasks.training.runs import Run

log = logging.getLogger(__name__)

# A larger share of unknown pieces is warned of: the texts are probably of another language than the vocabulary.
MAX_UNKNOWN_SHARE = 0.1
# Training texts of which the pieces are counted before a language model is trained.
MAX_TEXTS = 1_000


def keep_texts(run: Run, models: Mapping[str, Run]) -> None:
    """Store the hashes of the texts of language models with a run, and those that its initial run has.

    Args:
        run: The run of the classifier.
        models: Name -> a language model, or a copy of it.
    """
    known = []
    files = [pretrained_texts_of(run.initial), *(model.training_texts for model in models.values())]
    for file in filter(Path.exists, files):
        with reading(file, "train the language model again"):
            known.append(load_arrays(file)[WHOLE])
    if known:
        with atomic_files.replacing(pretrained_texts_of(run)) as temporary, open(temporary, "wb") as file:
            np.savez(file, **{WHOLE: np.unique(np.concatenate(known))[:MAX_KNOWN_TEXTS]})


def warn_of_test_texts(task: Task, settings: Settings, models: Mapping[str, Run]) -> None:
    """Warn of test texts that language models were trained on: known texts are easier, also without their labels.

    Args:
        task: The task of the classifier.
        settings: Its settings.
        models: Name -> a language model, or a copy of it; an earlier version has stored no training texts.
    """
    if not models:
        return
    with _quietly():
        _warn_of_test_texts(task, settings, models)


def _warn_of_test_texts(task: Task, settings: Settings, models: Mapping[str, Run]) -> None:
    source, found = task.open_source(settings), {}
    if "test" not in source.splits or not (source.location.startswith("tfds:") or source.has_columns("test")):
        return
    for name, run in models.items():
        if not run.training_texts.exists() or (content := run.training_texts.read_bytes()) in found.values():
            continue  # both directions are usually trained on the same texts
        found[name], overlap = content, Overlap(run.training_texts, compared_texts(settings))
        try:
            collections.deque(overlap.counted(source.records("test")), maxlen=0)
        except UserError:
            return  # there is no test text, or one that cannot be read, which is reported elsewhere
        share = overlap.shares()[WHOLE]
        if share:
            log.warning(
                "%s: %s of %s test texts (%.1f%%) are among the texts that %s was trained on, without their labels; "
                "a test overestimates how well other texts are classified",
                *(source.location, f"{round(share * overlap.examples):,}", f"{overlap.examples:,}", 100 * share, name),
            )


def warn_of_unknown_pieces(task: Task, settings: Settings, name: str, run: Run) -> None:
    """Warn if many pieces of the training texts are unknown to a language model.

    Args:
        task: The task of the classifier.
        settings: Its settings.
        name: The name of the language model.
        run: Its run, of which the vocabulary exists.
    """
    processor = vocabularies.load(run.vocabulary / VOCABULARY_FILE)
    with _quietly():
        source = task.open_source(settings)
        texts = [record.values[0] for record in itertools.islice(source.records("train"), MAX_TEXTS)]
    ids = collections.Counter(itertools.chain.from_iterable(map(processor.encode, texts)))
    share = ids[UNKNOWN] / max(1, ids.total())
    if share > MAX_UNKNOWN_SHARE:
        log.warning("%s", unknown_pieces(source.location, share, name))


def _quietly() -> contextlib.AbstractContextManager:
    """Log no message below a warning about the files and splits: the task opens them too."""
    return log_level("tasks.data", logging.WARNING)


def unknown_pieces(location: str, share: float, name: str) -> str:
    """Return the warning of a share of unknown pieces."""
    return (
        f"{location}: {100 * share:.1f}% of the pieces of the training texts are unknown to the vocabulary of {name}: "
        "are they of another language?"
    )
