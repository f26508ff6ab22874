"""The models that are served; a thread looks for new models and versions."""

import functools
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tasks.serving.server import folders
from tasks.serving.server.folders import ModelFolder
from tasks.serving.server.loading import LoadedVersion, load
from tasks.serving.server.request_queue import BatchingSettings
from tasks.serving.server.versions import Model, not_found

log = logging.getLogger(__name__)


class Models:
    """All models that are served; a thread looks for new versions.

    Args:
        paths: Models, versions, or folders of models.
        num_versions: How many versions of a model are served.
        poll_seconds: Seconds between two looks for new versions.
        batching: How requests are put together.
        observe: Returns for model, version and signature the function that is called with the rows of each call.
        trust: Whether models with operations on files are loaded.

    Raises:
        UserError: If a path has no model.
    """

    def __init__(
        self,
        paths: tuple[str, ...],
        num_versions: int = 1,
        poll_seconds: float = 1.0,
        batching: BatchingSettings | None = None,
        observe: Callable[..., Callable[[int], None]] = lambda *names: lambda rows: None,
        trust: bool = False,
    ):
        self._folders = [Path(path) for path in paths if folders.is_folder_of_models(Path(path))]
        self._num_versions, self._poll_seconds = num_versions, poll_seconds
        self._batching, self._observe, self._trust = batching or BatchingSettings(), observe, trust
        self._models = {name: self._model(folder) for name, folder in folders.find_all(paths).items()}
        self._awaited = set(self._models)  # the models of the start, which a ready server has
        self._stopped, self.loaded = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._poll, name="versions", daemon=True)

    def _model(self, folder: ModelFolder) -> Model:
        return Model(folder, self._num_versions, self._load)

    def _load(self, name: str, number: int, folder: Path) -> LoadedVersion:
        observe = functools.partial(self._observe, name, number)
        return load(name, number, folder, self._batching, observe, self._trust)

    def start(self) -> None:
        """Begin to load; `loaded` is set once every model has been tried."""
        self._thread.start()

    def stop(self) -> None:
        """Look for no further versions; returns at once."""
        self._stopped.set()

    def end(self, seconds: float) -> bool:
        """Stop, and end all threads.

        Args:
            seconds: How long to wait for them.

        Returns:
            Whether all have ended. A call of TensorFlow that has begun, such as loading, cannot be interrupted.
        """
        self.stop()
        deadline = time.monotonic() + seconds
        threads = [self._thread] if self._thread.is_alive() else []
        for model in self.all:
            for version in model.available:
                version.close()
                threads += version.drop()
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in threads)

    def _poll(self) -> None:
        while not self._stopped.is_set():
            for path in self._folders:
                for name, folder in folders.models_in(path.absolute()).items():
                    if name not in self._models:
                        log.info("%s: a new model in %s", name, path)
                        self._models = {**self._models, name: self._model(folder)}
            for model in [*self._models.values()]:
                try:
                    model.update(self._stopped)
                except Exception:  # the thread must live on
                    log.exception("%s: looking for new versions failed", model.name)
            self.loaded.set()
            self._stopped.wait(self._poll_seconds)

    @property
    def all(self) -> list[Model]:
        """The models, by name."""
        models = self._models
        return [models[name] for name in sorted(models)]

    @property
    def not_ready(self) -> dict[str, str]:
        """The models of the start that have no version which answers requests -> the reason."""
        waiting = {name: self._models[name] for name in sorted(self._awaited)}
        for name, model in waiting.items():
            if model.available:
                self._awaited.discard(name)
        return {name: model.reason for name, model in waiting.items() if name in self._awaited}

    def model(self, name: str) -> Model | None:
        """Return a model; None if there is none of this name."""
        return self._models.get(name)

    @contextmanager
    def using(self, name: str, number: int | None = None) -> Iterator[LoadedVersion]:
        """Keep a version in memory inside the `with` block; the newest one if the number is None.

        Raises:
            RequestError: If there is no such model, or the version is not available.
        """
        model = self.model(name)
        if model is None:
            raise not_found(name, number)
        version = model.get(number)
        while not version.acquire():  # a newer one has just taken its place
            version = model.get(number)
        try:
            yield version
        finally:
            version.release()
