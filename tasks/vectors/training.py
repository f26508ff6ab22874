"""Trains vectors with gensim, one epoch at a time. An interrupted training continues after the last stored epoch."""

import json
import logging
import time

import numpy as np
from gensim.models import FastText, Word2Vec

from tasks import atomic_files
from tasks.data.bounded_files import load_arrays
from tasks.data.stored_files import reading
from tasks.errors import TrainingFailed
from tasks.reports.progress import EpochLog
from tasks.training.runs import Run
from tasks.vectors.corpus import Corpus
from tasks.vectors.loss import SampleLoss
from tasks.vectors.settings import VectorTrainingSettings

log = logging.getLogger(__name__)

# A state that takes at least `QUICK_SECONDS` to store is stored less often, so that storing takes about
# `MAX_STORING_SHARE` of the time at most.
QUICK_SECONDS, MAX_STORING_SHARE = 0.2, 0.02
ROUNDED = ("loss", "learning_rate", "seconds", "words_per_second")


class VectorTraining:
    """A model of gensim, and how far its training has come.

    The weights after an epoch are a function of those before it, the settings and the state of the random generator, if
    one thread trains. All of these are in the state file.

    Args:
        settings: The settings, without "auto".
        corpus: The prepared text.

    Attributes:
        model: The model.
        history: A row for each finished epoch.
    """

    def __init__(self, settings: VectorTrainingSettings, corpus: Corpus):
        self._settings, self._corpus = settings, corpus
        options = {
            "vector_size": settings.embedding_size,
            "window": settings.window,
            "sg": int(settings.architecture == "skipgram"),
            "negative": settings.negative,
            "ns_exponent": settings.ns_exponent,
            "sample": settings.sample,
            "alpha": settings.learning_rate,
            "min_alpha": settings.min_learning_rate,
            "min_count": 1,  # the corpus has counted already,
            "sorted_vocab": 0,  # and the order of its words stays
            "workers": settings.workers,
            "seed": settings.seed,
        }
        self.model: Word2Vec
        if settings.algorithm == "fasttext":
            self.model = FastText(**options, min_n=settings.min_n, max_n=settings.max_n, bucket=settings.bucket)
        else:
            self.model = Word2Vec(**options)
        self.model.build_vocab_from_freq(corpus.counts, corpus_count=corpus.lines)
        if settings.algorithm == "fasttext":
            # gensim composes all vectors after each call of `train`; they are needed once, after the last one.
            self.model.wv.adjust_vectors = lambda: None
        self._loss = SampleLoss(self.model, corpus.sample, settings.seed)
        self.history: list[dict[str, float]] = []

    # --- epochs

    def train(self, run: Run, verbose: int = 1) -> None:
        """Train the epochs that are left; store the history after each, and the state unless that would take long.

        Args:
            run: The run.
            verbose: 0 for no output, otherwise a line for each epoch.

        Raises:
            TrainingFailed: If the vectors are no longer finite.
        """
        epochs, stored, cost = self._settings.epochs, time.monotonic(), 0.0
        if 0 < len(self.history) < epochs:
            log.info("resuming at epoch %d", len(self.history) + 1)
        while len(self.history) < epochs:
            row = self._epoch(len(self.history))
            self.history.append(row)
            EpochLog(epochs, verbose=verbose).print_epoch(row)
            began = time.monotonic()
            if cost < max(QUICK_SECONDS, MAX_STORING_SHARE * (began - stored)):
                self._save(run)
                stored = time.monotonic()
                cost = stored - began
            rounded = [one | {name: f"{one[name]:.6g}" for name in ROUNDED} for one in self.history]
            atomic_files.write_csv(run.history_file, rounded)
        if self._settings.algorithm == "fasttext":
            del self.model.wv.adjust_vectors
            self.model.wv.adjust_vectors()

    def _epoch(self, number: int) -> dict[str, float]:
        began = time.monotonic()
        # Over all epochs the learning rate falls linearly, as in one call of gensim with all of them.
        start, end = (self._learning_rate(epoch) for epoch in (number, number + 1))
        self.model.train(
            corpus_file=str(self._corpus.file),
            total_examples=self._corpus.lines,
            total_words=self._corpus.words,
            epochs=1,
            start_alpha=start,
            end_alpha=end,
        )
        seconds, loss = time.monotonic() - began, self._loss()
        if not np.isfinite(loss):
            raise TrainingFailed(
                f"the vectors are no longer finite in epoch {number + 1}; start again with --overwrite and a lower "
                f"--learning-rate than {self._settings.learning_rate:g}"
            )
        speed = self._corpus.words / seconds
        return {"epoch": number + 1, "loss": loss, "learning_rate": end, "seconds": seconds, "words_per_second": speed}

    def _learning_rate(self, epoch: int) -> float:
        start, end = self._settings.learning_rate, self._settings.min_learning_rate
        return start - (start - end) * epoch / self._settings.epochs

    # --- what is stored

    def _weights(self) -> dict[str, np.ndarray]:
        """Return the weights that training changes, by name; the arrays of the model."""
        wv = self.model.wv
        if self._settings.algorithm == "fasttext":
            return {"words": wv.vectors_vocab, "ngrams": wv.vectors_ngrams, "outputs": self.model.syn1neg}
        return {"words": wv.vectors, "outputs": self.model.syn1neg}

    def _save(self, run: Run) -> None:
        _, key, position, has_gauss, gauss = self.model.random.get_state()
        random = {"random_key": key, "random_rest": np.array([position, has_gauss, gauss], np.float64)}
        history = np.frombuffer(json.dumps(self.history).encode(), np.uint8)
        with atomic_files.replacing(run.state_file) as path, open(path, "wb") as file:
            np.savez(file, **self._weights(), **random, history=history)

    def restore(self, run: Run) -> None:
        """Restore the state after the last stored epoch; do nothing if there is none.

        Raises:
            UserError: If the file is damaged.
        """
        if not run.state_file.exists():
            return
        with reading(run.state_file, "start again with --overwrite"):
            stored = load_arrays(run.state_file)
            for name, weights in self._weights().items():
                if stored[name].shape != weights.shape or stored[name].dtype != weights.dtype:
                    raise ValueError(f"its {name} are of another shape")
                weights[...] = stored[name]
            position, has_gauss, gauss = stored["random_rest"]
            self.model.random.set_state(("MT19937", stored["random_key"], int(position), int(has_gauss), gauss))
            self.history = json.loads(stored["history"].tobytes())
