"""The messages of libraries."""

import contextlib
import logging
from collections.abc import Iterator


@contextlib.contextmanager
def log_level(name: str, level: int) -> Iterator[None]:
    """Set the level of a logger; restore it when the block ends."""
    logger = logging.getLogger(name)
    before = logger.level
    logger.setLevel(level)
    try:
        yield
    finally:
        logger.setLevel(before)


class _NoRetracing(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        return "triggered tf.function retracing" not in str(record.msg)


@contextlib.contextmanager
def hidden_retracing_warnings() -> Iterator[None]:
    """Hide TensorFlow's warning that a function was traced again.

    Each model has functions that are traced once, or once for a few lengths, which is intended; TensorFlow counts them
    together where several models are trained in one process.
    """
    logger, hidden = logging.getLogger("tensorflow"), _NoRetracing()
    logger.addFilter(hidden)
    try:
        yield
    finally:
        logger.removeFilter(hidden)
