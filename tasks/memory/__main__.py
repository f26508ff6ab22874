"""python -m tasks.memory [options]"""

import sys

from tasks.cli.main import Command, run_single
from tasks.memory.settings import RecallArguments

if __name__ == "__main__":
    sys.exit(run_single("memory", Command("tasks.memory.recall:main", RecallArguments)))
