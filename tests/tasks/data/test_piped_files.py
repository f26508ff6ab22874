import os
import signal
import threading

import pytest

from tasks.data.piped_files import PipedFile


def test_a_signal_is_noticed_also_if_it_does_not_end_the_waiting():
    """As one that comes just before the waiting begins, which no test can time."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    reading, writing = os.pipe()
    too_late = threading.Timer(20, os.write, (writing, b"end\n"))
    too_late.start()
    elsewhere = threading.Timer(0.2, lambda: signal.pthread_kill(threading.get_ident(), signal.SIGINT))
    elsewhere.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            PipedFile(reading, "pipe").readline()
        assert too_late.is_alive()
    finally:
        too_late.cancel()
        signal.signal(signal.SIGINT, before)
        os.close(reading)
        os.close(writing)
