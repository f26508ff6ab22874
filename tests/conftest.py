"""The order of the test files, and less search for garbage.

Files that take minutes start first, so both processes end at about the same time.
"""

import gc

import pytest

# Files whose tests take minutes, from the longest.
LONG = (
    "test_notebooks.py",
    "test_resume.py",
    "test_workers.py",
    "test_export_programs.py",
    "test_side_by_side.py",
    "test_train.py",
    "test_changed_data.py",
    "test_pretrained.py",
    "test_process_state.py",
    "test_initial_run.py",
    "test_export.py",
    "test_compare.py",
    "test_length_limit.py",
    "test_copying.py",
)


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: LONG.index(item.path.name) if item.path.name in LONG else len(LONG))


def pytest_collection_finish():
    # The modules of TensorFlow are half a million objects, which no collection needs to look at again.
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 10)  # the construction of a graph makes many objects, and hardly any garbage


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item, nextitem):
    """Frees the networks of a test file after its last test; freeing those of many files at once takes a minute.

    TensorFlow keeps 30,000 objects of each training for good, which the collections after other files need not visit.
    """
    result = yield
    if nextitem is None or nextitem.path != item.path:
        gc.collect()
        gc.freeze()
    return result
