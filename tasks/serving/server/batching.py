"""Dynamic batching: requests that arrive together are answered together, in one call of the model."""

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future

import numpy as np
import tensorflow as tf

from tasks.serving.server.errors import RequestError, late, of_model
from tasks.serving.server.request_queue import Arrays, BatchingSettings, Call, Reply, RequestQueue
from tasks.serving.server.signatures import Signature

log = logging.getLogger(__name__)


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
        self._queue = RequestQueue(settings, signature.name, signature.is_batchable)
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
        self._queue.put(Call(arrays, self._rows(arrays), self._key(arrays), deadline, reply))

    def close(self) -> threading.Thread:
        """Accept no further requests; return the thread, which ends after the last one that is queued."""
        self._queue.close()
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
        while (calls := self._queue.taken()) is not None:
            self._answer_awaited(calls)
        self._function = None  # the thread may end after the last reference to the version

    def _answer_awaited(self, calls: Sequence[Call]) -> None:
        """Answer the requests for whose answers a client still waits."""
        if calls := [one for one in calls if self._is_awaited(one)]:
            self._answer(calls)

    @staticmethod
    def _is_awaited(call: Call) -> bool:
        """Return whether a client still waits for the answer; it is no longer cancelled then."""
        if not call.reply.set_running_or_notify_cancel():
            return False
        if time.monotonic() >= call.deadline:
            call.reply.set_exception(late())
            return False
        return True

    def _answer(self, calls: Sequence[Call]) -> None:
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

    def _run(self, calls: Sequence[Call]) -> list[Arrays]:
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

    def _run_single(self, call: Call) -> Arrays:
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
        self._answer_awaited(self._queue.taken_now(self._settings.max_batch_size))

    def _call(self, arrays: Arrays, rows: int | None) -> Arrays:
        """Call the model; with a number of rows, check that each output has as many."""
        outputs = self.signature.call(self._function, arrays, rows)
        self._observe(self._rows(arrays))
        return outputs
