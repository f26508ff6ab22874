"""python -m tasks.recall [options]"""

import sys

from tasks.cli import Command, run_single
from tasks.recall.settings import RecallArguments

if __name__ == "__main__":
    sys.exit(run_single("recall", Command("tasks.recall.recall:main", RecallArguments)))
