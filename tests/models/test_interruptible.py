"""A signal ends a long call at once, and no other call."""

import os
import signal
import threading
import time

import pytest
import tensorflow as tf

from models.interruptible import interruptible


@tf.function(autograph=False, input_signature=[tf.TensorSpec([], tf.int32)])
def count(steps):
    """A loop in a graph."""
    one = tf.random.stateless_uniform([8, 8], [1, 2])
    return tf.while_loop(lambda i, x: i < steps, lambda i, x: (i + 1, tf.tanh(x @ one)), (0, one))[0]


def interrupt_soon() -> None:
    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()


def running() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "interruptible"]


def test_the_result_or_the_error_is_that_of_the_call():
    assert interruptible(lambda: int(count(3))) == 3
    with pytest.raises(ZeroDivisionError):
        interruptible(lambda: 1 / 0)


def test_a_loop_in_a_graph_is_cancelled_and_a_call_of_another_thread_goes_on():
    found = []
    other = threading.Thread(target=lambda: found.append(int(count(100_000))))
    interrupt_soon()
    with pytest.raises(KeyboardInterrupt):
        interruptible(lambda: (other.start(), count(2_000_000_000)))
    assert not running()
    other.join()
    assert found == [100_000]
    assert interruptible(lambda: int(count(3))) == 3


def test_python_code_ends_too():
    def forever():
        while True:
            time.sleep(0.01)

    interrupt_soon()
    with pytest.raises(KeyboardInterrupt):
        interruptible(forever)
    assert not running()


def test_the_device_of_the_caller_is_used():
    with tf.device("CPU:0"):
        assert "CPU:0" in interruptible(lambda: tf.constant(1) + 1).device


def test_in_another_thread_the_call_is_made_there():
    found = []
    thread = threading.Thread(target=lambda: found.append(interruptible(threading.current_thread)))
    thread.start()
    thread.join()
    assert found == [thread]
