"""The small runs and exports of the tests of the tasks."""

from tests.tasks.conftest import process, small_tasks

__all__ = ["process", "small_tasks"]
