"""The requests of a signature that wait, and which of them are answered next, together."""

import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from tasks.serving.server.errors import RequestError

Arrays = Mapping[str, np.ndarray]
# Number of calls that start without waiting after a wait that timed out: the clients do not send requests at once.
AFTER_VAIN = 16


class BatchingSettings(NamedTuple):
    """How requests are put together.

    Attributes:
        max_batch_size: Maximum number of rows of a call of the model.
        max_wait: Maximum number of seconds that a request waits for others.
        queue_size: Maximum number of waiting requests.
    """

    max_batch_size: int = 32
    max_wait: float = 0.002
    queue_size: int = 256


class Reply(Protocol):
    """What receives the answer to a request, in the thread of the batcher, such as a `concurrent.futures.Future`."""

    def set_running_or_notify_cancel(self) -> bool:
        """Return whether the answer is still awaited."""

    def set_result(self, result: Arrays) -> None:
        """Receive the outputs by name."""

    def set_exception(self, exception: Exception) -> None:
        """Receive the error instead."""


@dataclass(slots=True)
class Call:
    """A request that waits.

    Attributes:
        arrays: Its inputs.
        rows: Number of rows, 1 where the signature has none.
        key: Requests with equal keys can be answered together: equal scalars, equal sizes of the rows.
        deadline: When nobody waits any more, by `time.monotonic`.
        reply: Receives the outputs by name, or the error.
    """

    arrays: Arrays
    rows: int
    key: tuple
    deadline: float
    reply: Reply


class RequestQueue:
    """A bounded queue, from which one thread takes requests that can share a call of the model.

    Args:
        settings: How requests are put together.
        name: The signature, for messages.
        is_batchable: Whether requests can share a call.
    """

    def __init__(self, settings: BatchingSettings, name: str, is_batchable: bool):
        self._settings, self._name = settings, name
        self._shares_calls = is_batchable and settings.max_batch_size > 1
        self._calls: deque[Call] = deque()
        self._rows = 0
        self._closed = False
        self._answered, self._answered_key = 0, ()  # requests taken last, whose clients may be about to ask again
        self._vain = 0  # calls left that start without waiting, after a timeout
        self._needed = 0  # requests for which the thread waits; 0 while it is busy
        self.changed = threading.Condition()

    def __len__(self) -> int:
        return len(self._calls)

    def put(self, call: Call) -> None:
        """Add a request.

        Raises:
            RequestError: If the queue is full or closed.
        """
        with self.changed:
            if self._closed:
                raise RequestError("UNAVAILABLE", "The version is being unloaded")
            if len(self._calls) >= self._settings.queue_size:
                raise RequestError(
                    "RESOURCE_EXHAUSTED",
                    f"The queue of signature {self._name} is full ({self._settings.queue_size} requests); "
                    "try again later",
                )
            self._calls.append(call)
            self._rows += call.rows
            # The thread is woken once, not for each request of a batch.
            if len(self._calls) == self._needed or (self._needed and self._is_full):
                self.changed.notify()

    def close(self) -> None:
        """Accept no further requests."""
        with self.changed:
            self._closed = True
            self.changed.notify()

    def taken(self) -> list[Call] | None:
        """Wait for requests, and take those that can be answered together; None when the queue is closed and empty.

        Clients that were just answered often send their next request at once. Requests that arrived during the last
        call therefore wait up to `max_wait` seconds for them, so that all of them share one call.
        """
        with self.changed:
            again = 0 if self._calls and self._calls[0].key != self._answered_key else self._answered
            self._vain = max(0, self._vain - 1)
            expected = min((0 if self._vain else again) + len(self._calls), self._settings.queue_size)
            end = time.monotonic() + self._settings.max_wait
            while not self._calls:
                if self._closed:
                    return None
                self._wait_for(1)
            if not self._shares_calls:
                return [self._first()]
            now = time.monotonic()
            expected, end = 1 if now > end else expected, now + self._settings.max_wait  # 1: there was a pause
            while not (has_come := len(self._calls) >= expected or self._is_full or self._closed):
                if (left := end - time.monotonic()) <= 0:
                    break
                self._wait_for(expected, left)
            calls = self._shared()
            self._answered, self._answered_key = len(calls), calls[0].key
            self._vain = self._vain if has_come else AFTER_VAIN
            return calls

    def taken_now(self, most_rows: int) -> list[Call]:
        """Take requests that can be answered together, without waiting; the first has at most `most_rows` rows."""
        with self.changed:
            return self._shared(most_rows)

    @property
    def _is_full(self) -> bool:
        """Whether the rows that wait fill a call of the model."""
        return self._rows >= self._settings.max_batch_size

    def _wait_for(self, requests: int, seconds: float | None = None) -> None:
        """Wait until this many requests are queued, they fill a call, the queue is closed, or the time is over."""
        self._needed = requests
        self.changed.wait(seconds)
        self._needed = 0

    def _shared(self, most_rows: float = float("inf")) -> list[Call]:
        """Remove the first request, of at most `most_rows` rows, and those that can share its call."""
        calls: list[Call] = []
        rows, others = 0, []
        while self._calls and rows < self._settings.max_batch_size:
            one = self._first()
            if calls:
                fits = one.key == calls[0].key and rows + one.rows <= self._settings.max_batch_size
            else:
                fits = one.rows <= most_rows
            if fits:
                calls.append(one)
                rows += one.rows
            else:
                others.append(one)
        self._calls.extendleft(reversed(others))
        self._rows += sum(one.rows for one in others)
        return calls

    def _first(self) -> Call:
        call = self._calls.popleft()
        self._rows -= call.rows
        return call
