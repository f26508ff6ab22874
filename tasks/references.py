"""References to functions by name, so that a module can name them without importing TensorFlow."""

import importlib
from collections.abc import Callable
from typing import Any


def find(reference: str) -> Any:
    """Return the object that `module:attribute` names; imports the module."""
    module, _, attribute = reference.partition(":")
    return getattr(importlib.import_module(module), attribute)


def implemented_by(reference: str) -> Callable:
    """Return a method of a task that calls the function `module:function`, imported at the first call.

    A task can so be described without importing TensorFlow, which its functions need.
    """
    return lambda self, *arguments, **named: find(reference)(*arguments, **named)
