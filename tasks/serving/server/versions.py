"""The versions of a model: found, loaded next to the running ones, switched, drained and dropped."""

import gc
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tasks.errors import UserError
from tasks.serving.server import folders
from tasks.serving.server.errors import RequestError
from tasks.serving.server.folders import ModelFolder
from tasks.serving.server.loading import LoadedVersion

log = logging.getLogger(__name__)

# As TensorFlow Serving loads a version again that could not be loaded; also as soon as one of its files changes.
LOAD_RETRIES, SECONDS_BETWEEN_RETRIES = 5, 60.0


@dataclass
class Version:
    """The state of a version.

    Attributes:
        number: Its number.
        state: START, LOADING, AVAILABLE, UNLOADING or END, as in TensorFlow Serving.
        error: Why it could not be loaded; empty if it could.
        loaded: The version in memory.
        fingerprint: Of the files that could not be loaded.
        attempts: How often they were tried.
        last_attempt: When, by `time.monotonic`.
    """

    number: int
    state: str = "START"
    error: str = ""
    loaded: LoadedVersion | None = None
    fingerprint: tuple | None = None
    attempts: int = 0
    last_attempt: float = 0.0

    @property
    def described(self) -> dict:
        """The state in JSON, as TensorFlow Serving writes it."""
        status = {"error_code": "UNKNOWN" if self.error else "OK", "error_message": self.error}
        return {"version": str(self.number), "state": self.state, "status": status}

    def may_load(self, folder: Path) -> bool:
        """Return whether to load it, for the first time or again."""
        if self.state == "START":
            return True
        if not self.error:
            return self.state == "END"  # it was unloaded, and is to be served again
        if self.fingerprint != folders.fingerprint(folder):
            self.attempts = 0
            return True
        return self.attempts <= LOAD_RETRIES and time.monotonic() > self.last_attempt + SECONDS_BETWEEN_RETRIES


class Model:
    """A model with its versions.

    Args:
        folder: Where its versions are.
        num_versions: How many of them are served, the newest ones.
        load: Loads a version: name, number, folder -> the version in memory.
    """

    def __init__(self, folder: ModelFolder, num_versions: int, load: Callable[[str, int, Path], LoadedVersion]):
        self.folder, self.name = folder, folder.name
        self._num_versions, self._load = num_versions, load
        self.versions: dict[int, Version] = {}
        self._available: tuple[LoadedVersion, ...] = ()  # what each request looks up
        self._lock = threading.Lock()
        self._disappeared: set[int] = set()

    @property
    def available(self) -> list[LoadedVersion]:
        """The versions that answer requests, newest first."""
        return [*self._available]

    @property
    def status(self) -> list[Version]:
        """The states of the versions, newest first."""
        with self._lock:
            return self._newest_first()

    @property
    def reason(self) -> str:
        """Why no version is available."""
        return next((one.error for one in self.status if one.error), "not loaded yet")

    def _newest_first(self) -> list[Version]:
        return [self.versions[number] for number in sorted(self.versions, reverse=True)]

    def _note_available(self) -> None:
        self._available = tuple(one.loaded for one in self._newest_first() if one.state == "AVAILABLE")

    def get(self, number: int | None) -> LoadedVersion:
        """Return a version that answers requests; the newest one if the number is None.

        Raises:
            RequestError: If it is not available.
        """
        for version in self._available:
            if number in (None, version.number):
                return version
        raise not_found(self.name, number)

    def update(self, stopped: threading.Event) -> None:
        """Load new versions, and unload those that newer ones replace."""
        try:
            on_disk = self.folder.versions()
        except OSError as error:
            log.warning("%s: %s cannot be read (%s)", self.name, self.folder.path, error.strerror)
            on_disk = {}
        self._report_disappeared(on_disk)
        # Versions that cannot be loaded do not count, so the newest ones that can be are served.
        served = 0
        for number in sorted(on_disk, reverse=True):
            if served == self._num_versions or stopped.is_set():
                break
            with self._lock:
                version = self.versions.setdefault(number, Version(number))
            if version.state not in ("AVAILABLE", "UNLOADING") and version.may_load(on_disk[number]):
                self._load_version(version, on_disk[number])
            served += version.state == "AVAILABLE"
        self._retire(on_disk)
        self._drop_unused()
        with self._lock:
            for number in [*self.versions]:
                if number not in on_disk and self.versions[number].state == "END":
                    del self.versions[number]

    def _report_disappeared(self, on_disk: dict[int, Path]) -> None:
        gone = {one.number for one in self.status if one.state == "AVAILABLE" and one.number not in on_disk}
        for number in sorted(gone - self._disappeared):
            log.warning(
                "%s, version %d: its folder is no longer there; it is served until another version is",
                self.name,
                number,
            )
        self._disappeared = gone

    def _load_version(self, version: Version, folder: Path) -> None:
        version.state, version.last_attempt = "LOADING", time.monotonic()
        version.attempts += 1
        fingerprint = folders.fingerprint(folder)
        try:
            loaded = self._load(self.name, version.number, folder)
        except Exception as error:
            reason = str(error) if isinstance(error, UserError) else f"{type(error).__name__}: {error}"
            if version.error != reason:
                log.warning("%s, version %d is not loaded: %s", self.name, version.number, reason)
            version.error, version.fingerprint, version.state = reason, fingerprint, "END"
            return
        with self._lock:
            version.loaded, version.error, version.attempts, version.state = loaded, "", 0, "AVAILABLE"
            self._note_available()

    def _retire(self, on_disk: dict[int, Path]) -> None:
        """Stop serving all versions but the newest; one whose folder is gone is kept only if it is the last."""
        with self._lock:
            available = [one for one in self._newest_first() if one.state == "AVAILABLE"]
            there = [one for one in available if one.number in on_disk]
            kept = (there or available)[: self._num_versions]
            replaced = [one for one in available if one not in kept]
            for one in replaced:
                one.state = "UNLOADING"
            self._note_available()  # before one is closed: a request that finds it closed looks for another one
            for one in replaced:
                one.loaded.close()

    def _drop_unused(self) -> None:
        for one in self.status:
            if one.state == "UNLOADING" and one.loaded.is_unused:
                one.loaded.drop()
                one.loaded, one.state = None, "END"
                log.info("%s, version %d: unloaded", self.name, one.number)
                gc.collect()  # graphs and functions refer to each other


def not_found(name: str, number: int | None) -> RequestError:
    """Return the error of a request for a model or a version that is not served."""
    asked = f"Latest({name})" if number is None else f"Specific({name}, {number})"
    return RequestError("NOT_FOUND", f"Servable not found for request: {asked}")
