"""Waits for the answer of a signature, with a deadline; used by every interface."""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Mapping
from weakref import WeakKeyDictionary

import numpy as np

from tasks.serving.server.errors import late
from tasks.serving.server.loading import LoadedVersion
from tasks.serving.server.request_queue import Arrays


class _Inbox:
    """Hands answers of other threads to an event loop; those of a batch wake it once."""

    def __init__(self):
        self._answers: deque[tuple[asyncio.Future, Arrays | None, Exception | None]] = deque()
        self._is_woken = False

    def put(self, waiter: asyncio.Future, outputs: Arrays | None, error: Exception | None) -> None:
        """Give a future its result, or its exception, in the thread of the loop."""
        self._answers.append((waiter, outputs, error))
        if not self._is_woken:
            self._is_woken = True
            with contextlib.suppress(RuntimeError):  # the loop is closed, so nobody waits
                waiter.get_loop().call_soon_threadsafe(self._deliver)

    def _deliver(self) -> None:
        self._is_woken = False  # before the queue is emptied: what is put from now on wakes the loop again
        while self._answers:
            waiter, outputs, error = self._answers.popleft()
            if waiter.done():
                continue
            if error is None:
                waiter.set_result(outputs)
            else:
                waiter.set_exception(error)


_inboxes: WeakKeyDictionary[asyncio.AbstractEventLoop, _Inbox] = WeakKeyDictionary()


class _Reply:
    """Receives an answer for a coroutine; see `batching.Reply`.

    Args:
        waiter: What the coroutine waits for.
        inbox: Of its event loop.
    """

    __slots__ = ("_inbox", "_waiter")

    def __init__(self, waiter: asyncio.Future, inbox: _Inbox):
        self._waiter, self._inbox = waiter, inbox

    def set_running_or_notify_cancel(self) -> bool:
        return not self._waiter.done()

    def set_result(self, result: Arrays) -> None:
        self._inbox.put(self._waiter, result, None)

    def set_exception(self, exception: Exception) -> None:
        self._inbox.put(self._waiter, None, exception)


async def answered(
    version: LoadedVersion, signature: str, inputs: Mapping[str, np.ndarray], deadline: float
) -> Mapping[str, np.ndarray]:
    """Return the outputs of a signature.

    Args:
        version: The version.
        signature: The signature's name.
        inputs: Its inputs by name.
        deadline: When the request is given up, by `time.monotonic`.

    Raises:
        RequestError: If the model refuses the inputs, the queue is full, or the deadline is over.
    """
    loop = asyncio.get_running_loop()
    inbox = _inboxes.get(loop)
    if inbox is None:
        inbox = _inboxes[loop] = _Inbox()
    waiter = loop.create_future()
    version.queue(signature, inputs, deadline, _Reply(waiter, inbox))
    timer = loop.call_later(deadline - time.monotonic(), _give_up, waiter)
    try:
        return await waiter
    finally:
        timer.cancel()


def _give_up(waiter: asyncio.Future) -> None:
    if not waiter.done():
        waiter.set_exception(late())
