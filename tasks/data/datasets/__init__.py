"""Builders of our own for TensorFlow Datasets: public corpora that the library does not have.

A builder enters the library's registry when its module is imported, which imports the library; so that happens only
when the data set is asked for.
"""

import importlib

BUILDER_MODULES = {"multi30k": "tasks.data.datasets.multi30k", "nsmc": "tasks.data.datasets.nsmc"}


def register(name: str) -> None:
    """Makes the data set `name` known to TensorFlow Datasets, when it is one of ours."""
    if name in BUILDER_MODULES:
        importlib.import_module(BUILDER_MODULES[name])
