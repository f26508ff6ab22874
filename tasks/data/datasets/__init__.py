"""TensorFlow Datasets builders for public corpora that the library does not include.

Importing a builder's module registers it, and imports the library. The modules are therefore imported on demand.
"""

import importlib

BUILDER_MODULES = {"multi30k": "tasks.data.datasets.multi30k", "nsmc": "tasks.data.datasets.nsmc"}


def register(name: str) -> None:
    """Register the builder of the data set `name` with TensorFlow Datasets, if this package has one."""
    if name in BUILDER_MODULES:
        importlib.import_module(BUILDER_MODULES[name])
