"""Long calls that Ctrl+C, or the interrupt of a notebook, ends at once.

Python handles a signal between two of its instructions, so a call of a graph or of a C++ library that takes a minute
delays it for a minute.
"""

import concurrent.futures
import ctypes
import threading
from collections.abc import Callable
from typing import TypeVar

import tensorflow as tf
from tensorflow.python.eager import cancellation, context

Result = TypeVar("Result")
# Seconds for which an interrupted call is awaited. A call of TensorFlow ends within milliseconds.
PATIENCE = 0.5


class _OfOneThread(cancellation.CancellationManager):
    """Cancels the calls of one thread.

    TensorFlow keeps one manager for all threads. The calls of other threads, such as a training, must go on.
    """

    __slots__ = ("_calls", "_others", "_thread")

    def __init__(self):
        self._calls, self._others = cancellation.CancellationManager(), cancellation.CancellationManager()
        self._thread = threading.get_ident()

    @property
    def _impl(self):
        return (self._calls if threading.get_ident() == self._thread else self._others)._impl

    def start_cancel(self) -> None:
        self._calls.start_cancel()


def interruptible(call: Callable[[], Result]) -> Result:
    """Return the result of a call; a signal whose handler raises an exception cancels the call.

    In the main thread, the only one that receives signals, the call runs in another thread. Calls of TensorFlow are
    cancelled; Python code ends at its next instruction, and another library's call in the background.

    Args:
        call: A function of no arguments.

    Raises:
        KeyboardInterrupt: At SIGINT, or what else the handler of a signal raises.
    """
    if threading.current_thread() is not threading.main_thread():
        return call()
    device, manager, result = context.context().device_name, [], concurrent.futures.Future()

    def run() -> None:
        manager.append(_OfOneThread())
        try:
            with cancellation.CancellationManagerContext(manager[0]), tf.device(device or None):
                result.set_result(call())
        except BaseException as error:
            result.set_exception(error)

    thread = threading.Thread(target=run, name="interruptible", daemon=True)
    thread.start()
    try:
        return result.result()
    finally:
        if not result.done():
            for one in manager:
                one.start_cancel()
            # What runs in Python ends at its next instruction; a thread that ends by SystemExit reports nothing.
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(SystemExit))
            thread.join(PATIENCE)
