"""The tasks of the suite, by name: what covers all of them starts here. Imports no TensorFlow."""

from tasks.references import find
from tasks.task import Task

# A task's name -> where its `Task` is.
TASKS = {
    "sentiment": "tasks.sentiment.task:SENTIMENT",
    "chargen": "tasks.chargen.task:CHARGEN",
    "translation": "tasks.translation.task:TRANSLATION",
}


def all_tasks() -> list[Task]:
    """Return every task."""
    return [find(reference) for reference in TASKS.values()]
