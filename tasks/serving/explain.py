"""Shows how a run of any task processes a text."""

import json

from tasks.arguments import ExplainArguments
from tasks.task import Task


def main(task: Task, arguments: ExplainArguments) -> None:
    """Run the command `explain`."""
    explanation = task.explain(arguments)
    if arguments.json_:
        print(json.dumps(explanation, ensure_ascii=False))
        return
    print(task.format_explanation(explanation))
    print(f"\n{explanation['picture']}")
