"""The order of the test files, and less search for garbage.

Files that take minutes start first, so both processes end at about the same time.
"""

import gc

# Files whose tests take minutes, from the longest.
LONG = (
    "test_resume.py",
    "test_notebooks.py",
    "test_export.py",
    "test_compare.py",
    "test_bad_input.py",
    "test_damaged_files.py",
)


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: LONG.index(item.path.name) if item.path.name in LONG else len(LONG))


def pytest_collection_finish():
    # The modules of TensorFlow are half a million objects, which no collection needs to look at again.
    gc.collect()
    gc.freeze()
