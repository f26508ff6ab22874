"""Dynamic batching: requests that arrive together are answered together, in one call of the model."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
import tensorflow as tf

from tasks.serving.server.errors import RequestError, late, of_model
from tasks.serving.server.signatures import Signature

log = logging.getLogger(__name__)

Arrays = Mapping[str, np.ndarray]


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
class _Call:
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


class Batcher:
    """Answers the requests of one signature, in a thread.

    Args:
        signature: The signature.
        function: Its function: tensors by name -> outputs by name.
        settings: How requests are put together.
        observe: Called with the number of rows of each call of the model.
    """

    def __init__(
        self,
        signature: Signature,
        function: Callable[..., Mapping[str, tf.Tensor]],
        settings: BatchingSettings,
        observe: Callable[[int], None] = lambda rows: None,
    ):
        self.signature, self._function, self._settings, self._observe = signature, function, settings, observe
        self._queue: deque[_Call] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._answered = 0  # requests in the last call of the model
        self._answered_key: tuple = ()
        self._needed = 0  # requests in the queue for which the thread waits; 0 while it is busy
        # A daemon: a call that takes too long does not keep the process from ending.
        self._thread = threading.Thread(target=self._work, name=f"batcher {signature.name}", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """Number of requests that wait."""
        return len(self._queue)

    def submit(self, arrays: Arrays, deadline: float = float("inf")) -> Future:
        """Queue a request.

        Args:
            arrays: The inputs, as `Signature.checked` returns them.
            deadline: When nobody waits any more, by `time.monotonic`.

        Returns:
            The outputs by name, or a `RequestError`.

        Raises:
            RequestError: If the queue is full.
        """
        future: Future = Future()
        self.queue(arrays, deadline, future)
        return future

    def queue(self, arrays: Arrays, deadline: float, reply: Reply) -> None:
        """Queue a request whose answer something else than a future receives; see `submit`."""
        call = _Call(arrays, self._rows(arrays), self._key(arrays), deadline, reply)
        with self._changed:
            if self._closed:
                raise RequestError("UNAVAILABLE", "The version is being unloaded")
            if len(self._queue) >= self._settings.queue_size:
                raise RequestError(
                    "RESOURCE_EXHAUSTED",
                    f"The queue of signature {self.signature.name} is full ({self._settings.queue_size} requests); "
                    "try again later",
                )
            self._queue.append(call)
            if len(self._queue) == self._needed:  # the thread is woken once, not for each request of a batch
                self._changed.notify()

    def close(self) -> threading.Thread:
        """Accept no further requests; return the thread, which ends after the last one that is queued."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        return self._thread

    def _rows(self, arrays: Arrays) -> int:
        return next((len(arrays[name]) for name, one in self.signature.inputs.items() if one.has_rows), 1)

    def _key(self, arrays: Arrays) -> tuple:
        shapes = tuple(array.shape[1:] if array.ndim else array.item() for array in arrays.values())
        return shapes + self._sizes(arrays)

    def _sizes(self, arrays: Arrays) -> tuple[int, ...]:
        """Return the sizes of free dimensions of the outputs."""
        return tuple(arrays[name].max(initial=0).item() for name in self.signature.sizing_inputs)

    def _work(self) -> None:
        while True:
            calls = self._next_calls()
            if calls is None:
                self._function = None  # the thread may end after the last reference to the version
                return
            self._answer_awaited(calls)

    def _answer_awaited(self, calls: Sequence[_Call]) -> None:
        """Answer the requests for whose answers a client still waits."""
        if calls := [one for one in calls if self._is_awaited(one)]:
            self._answer(calls)

    @staticmethod
    def _is_awaited(call: _Call) -> bool:
        """Return whether a client still waits for the answer; it is no longer cancelled then."""
        if not call.reply.set_running_or_notify_cancel():
            return False
        if time.monotonic() >= call.deadline:
            call.reply.set_exception(late())
            return False
        return True

    def _next_calls(self) -> list[_Call] | None:
        """Return requests that can be answered together; None when the last one is answered."""
        with self._changed:
            expected, end = self._expected(), time.monotonic() + self._settings.max_wait
            while not self._queue:
                if self._closed:
                    return None
                self._wait_for(1)
            if not self.signature.is_batchable or self._settings.max_batch_size == 1:
                return [self._queue.popleft()]
            now, fitting = time.monotonic(), self._settings.max_batch_size // max(1, self._queue[0].rows)
            expected = 1 if now > end else min(expected, fitting)  # after a pause nobody is about to ask again
            end = now + self._settings.max_wait
            while len(self._queue) < expected and not self._closed and (left := end - time.monotonic()) > 0:
                self._wait_for(expected, left)
            calls = self._taken()
            self._answered, self._answered_key = len(calls), calls[0].key
            return calls

    def _expected(self) -> int:
        """Return the number of requests that may share the next call, when the last one has ended.

        The clients that were just answered are about to ask again. Those that asked meanwhile wait for them; otherwise
        two groups of clients would take turns for good, each in calls of its own.
        """
        again = 0 if self._queue and self._queue[0].key != self._answered_key else self._answered
        return again + len(self._queue)

    def _wait_for(self, requests: int, seconds: float | None = None) -> None:
        """Wait until this many requests are queued, the version is closed, or the time is over."""
        self._needed = requests
        self._changed.wait(seconds)
        self._needed = 0

    def _taken(self, most_rows: float = float("inf")) -> list[_Call]:
        """Remove requests that can be answered together from the queue; the first has at most `most_rows` rows."""
        calls: list[_Call] = []
        rows, others = 0, []
        while self._queue and rows < self._settings.max_batch_size:
            one = self._queue.popleft()
            if calls:
                fits = one.key == calls[0].key and rows + one.rows <= self._settings.max_batch_size
            else:
                fits = one.rows <= most_rows
            if fits:
                calls.append(one)
                rows += one.rows
            else:
                others.append(one)
        self._queue.extendleft(reversed(others))
        return calls

    def _answer(self, calls: Sequence[_Call]) -> None:
        """Answer requests in one call of the model; after an error in halves, so that only a bad one fails."""
        try:
            outputs = self._run(calls)
        except Exception as error:
            if len(calls) > 1:
                half = len(calls) // 2
                self._answer(calls[:half])
                self._answer(calls[half:])
                return
            error = error if isinstance(error, RequestError) else self._explained(error)
            calls[0].reply.set_exception(error)
            return
        for call, of_call in zip(calls, outputs, strict=True):
            call.reply.set_result(of_call)

    def _explained(self, error: Exception) -> RequestError:
        explained = of_model(error)
        if explained.status == 500:
            log.error("signature %s failed", self.signature.name, exc_info=error)
        return explained

    def _run(self, calls: Sequence[_Call]) -> list[Arrays]:
        """Return the outputs for each request."""
        if len(calls) == 1:
            return [self._run_single(calls[0])]
        arrays = {
            name: np.concatenate([one.arrays[name] for one in calls]) if array.ndim else array
            for name, array in calls[0].arrays.items()
        }
        ends = np.cumsum([one.rows for one in calls])
        outputs = self._call(arrays, int(ends[-1]))
        return [
            {name: array[end - one.rows : end] for name, array in outputs.items()}
            for one, end in zip(calls, ends, strict=True)
        ]

    def _run_single(self, call: _Call) -> Arrays:
        """Return the outputs for one request; one of many rows is answered in parts, which bounds the memory."""
        size = self._settings.max_batch_size
        if not self.signature.is_batchable or call.rows <= size or size == 1:
            return self._call(call.arrays, None)
        inputs = [
            {name: array[start : start + size] if array.ndim else array for name, array in call.arrays.items()}
            for start in range(0, call.rows, size)
        ]
        if len({self._sizes(arrays) for arrays in inputs}) > 1:  # the outputs of the parts would have different shapes
            return self._call(call.arrays, call.rows)
        parts = []
        for arrays in inputs:
            if parts:
                self._answer_others()
            if time.monotonic() >= call.deadline:
                raise late()
            parts.append(self._call(arrays, self._rows(arrays)))
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def _answer_others(self) -> None:
        """Answer requests of few rows between two parts of one of many, for all of which they would wait otherwise."""
        with self._changed:
            calls = self._taken(self._settings.max_batch_size)
        self._answer_awaited(calls)

    def _call(self, arrays: Arrays, rows: int | None) -> Arrays:
        """Call the model; with a number of rows, check that each output has as many."""
        outputs = self.signature.call(self._function, arrays, rows)
        self._observe(self._rows(arrays))
        return outputs
