"""Signals that wait, such as during a training until the step that was reached is saved."""

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from types import FrameType

# Ctrl+C and a notebook's interrupt; the end of a job or a container; the end of a terminal.
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class DeferredSignals:
    """Keeps a signal until `deliver`; the same signal for the second time is delivered at once.

    Args:
        effect: What the message on standard error says of the first signal.

    Attributes:
        received: The signal, or None.
    """

    def __init__(self, effect: str = "the step that was reached is saved"):
        self._message = f"\ninterrupted: {effect}; interrupt again to end at once\n".encode()
        self.received: int | None = None
        self._previous: dict[int, object] = {}

    @contextlib.contextmanager
    def deferred(self) -> Iterator[None]:
        """Keep signals inside the `with` block; deliver what is still kept when the block ends without an error.

        Only the main thread can do this; in another thread signals are not changed. Ignored signals stay ignored.
        """
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                # None: a handler that was not installed from Python, and so cannot be put back.
                if signal.getsignal(number) not in (signal.SIG_IGN, None):
                    self._previous[number] = signal.signal(number, self._keep)
        try:
            yield
        finally:
            self._restore()
        self.deliver()

    def deliver(self) -> None:
        """Send the signal that was kept to the handler that was there before; do nothing without one.

        Raises:
            KeyboardInterrupt: If that handler returns.
        """
        if self.received is not None:
            self._restore()
            signal.raise_signal(self.received)
            raise KeyboardInterrupt

    def _keep(self, number: int, frame: FrameType | None) -> None:
        if self.received == number:
            self.deliver()
        self.received = number
        # Not the log: a handler may run in the middle of a write to it.
        with contextlib.suppress(OSError):
            os.write(2, self._message)

    def _restore(self) -> None:
        while self._previous:
            signal.signal(*self._previous.popitem())
