"""What the files of this folder run over: each task, with its example."""

import shutil
from pathlib import Path

import pytest

from tasks.cli.registry import TASKS


@pytest.fixture(scope="session", params=TASKS)
def small(request, small_tasks):
    """A task with its small data and its finished runs, for reading only; see `tests.tasks.conftest.SmallTask`."""
    return small_tasks[request.param]


@pytest.fixture
def copy(small, tmp_path) -> Path:
    """A copy of a finished run, whose network is not trained, to be damaged."""
    return shutil.copytree(small.untrained_run, tmp_path / "copy")
