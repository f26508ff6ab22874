"""The tasks of the suite and other packages with settings, by name: what covers all of them starts here.

Imports no TensorFlow.
"""

from tasks.commands import CommandGroup
from tasks.references import find
from tasks.task import Task

# A task's name -> where its `Task` is.
TASKS = {
    "sentiment": "tasks.sentiment.task:SENTIMENT",
    "chargen": "tasks.chargen.task:CHARGEN",
    "translation": "tasks.translation.task:TRANSLATION",
}
# A package that trains no network of Keras -> where its commands are.
GROUPS = {
    "vectors": "tasks.vectors.commands:VECTORS",
}


def all_tasks() -> list[Task]:
    """Return every task."""
    return [find(reference) for reference in TASKS.values()]


def all_groups() -> list[CommandGroup]:
    """Return every package with commands that is no task."""
    return [find(reference) for reference in GROUPS.values()]
